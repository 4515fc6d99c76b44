//! The organisation's own handbook, compiled: what [`crate::decide`] needs to know that does not
//! change from one customer to the next.
//!
//! [`load`](load()) turns the files of a strategy folder into a [`Strategy`], or gives every [`Problem`] at once.
//! One file here per concept; only `document` and `quantity` know TOML.

mod actions;
pub mod category;
mod channels;
mod contact_policy;
mod cost;
mod document;
mod experiments;
mod forms;
mod identifiers;
mod integrity;
mod inventory;
mod load;
mod lookup;
#[cfg(test)]
mod mistakes;
pub mod model;
pub(crate) mod names;
mod organisation;
mod principles;
mod problem;
mod purchases;
pub mod purposes;
mod quantity;
mod scopes;
pub mod test_case;
pub mod test_run;
mod texts;
mod vocabulary;

pub use forms::{Form, Forms};
pub use integrity::Claim;
pub use load::{Files, Loaded, Variant, load, load_kept};
pub use lookup::{applies, consented_event, provided_event};
pub use model::*;
pub(crate) use names::did_you_mean;
pub use problem::Problem;
pub use purchases::{Expected, Items, Purchases};
pub(crate) use quantity::duration;
pub use scopes::{Scope, Scopes};

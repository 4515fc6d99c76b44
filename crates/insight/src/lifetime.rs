//! What is a customer likely to be worth from here on? How often they still buy, and for how much, from when they
//! bought before.
//!
//! Two models, fitted to everybody together and then read for each customer: purchases until a customer silently
//! leaves ([`Purchasing`], BG/NBD) and the amount of a purchase ([`Spending`], Gamma-Gamma). They assume that what
//! somebody spends does not depend on how often they buy, and know nothing of prices, seasons or what we say to
//! anybody: the value is what is to be expected as things are. Nothing here knows who a customer is.

mod maximum;
mod purchasing;
mod special;
mod spending;

pub use purchasing::{History, Purchasing};
pub use spending::{Spending, Spent};

/// Fewest customers that a model is fitted to.
pub const CUSTOMERS_MIN: usize = 50;

/// A fitted model and how well it explains what it was fitted to.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Fit<Model> {
    /// The model.
    pub model: Model,
    /// Sum over customers of the natural logarithm of their likelihood.
    pub log_likelihood: f64,
    /// Customers it was fitted to.
    pub customers: usize,
}

/// Why there is no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotFitted {
    /// Fewer than [`CUSTOMERS_MIN`] customers came back, or bought at all.
    #[error("fewer than {CUSTOMERS_MIN} customers bought often enough")]
    TooFew,
    /// The likelihood has no maximum that could be found: the purchases do not look like the model.
    #[error("the purchases do not fit the model")]
    NoMaximum,
}

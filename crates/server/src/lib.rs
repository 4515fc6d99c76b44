//! The customer brain over HTTP: decide, report, explain, operate.
//!
//! Start reading at [`routes`](openapi) for what there is, [`access`] for who may, and `decide` for how
//! an answer comes about. What a decision means is deliberately not known here; the engine knows.

pub mod access;
mod app;
mod audit;
mod background;
mod batch;
mod body;
mod browser;
mod consents;
mod customers;
mod decide;
mod erasing;
mod events;
mod experiments;
mod explaining;
mod fairness;
mod identifiers;
mod inventory;
mod key_admin;
pub mod keys;
mod me;
mod merging;
mod models;
mod notice;
mod outcomes;
mod page;
mod patience;
mod preferences;
mod probes;
mod problem;
mod receipts;
mod rejects;
mod report;
mod reviews;
mod routes;
mod scalar;
mod serve;
mod signals;
mod silence;
mod summary;
mod taking_along;
mod tcf;
mod telemetry;
mod token_admin;
pub mod tokens;
mod turns;

pub use app::{App, BROWSER_LESSONS_PER_MINUTE, Clock, PendingProblem, Seeds, Settings, system_seed};
pub use background::{Background, ReadFolder, WATCH_EVERY};
pub use decide::{DecideAnswer, answer};
pub use explaining::ReadingName;
pub use problem::Problem;
pub use routes::{openapi, router};
pub use serve::serve;
pub use telemetry::Telemetry;

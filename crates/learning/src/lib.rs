//! How likely is an outcome when we act, and when we do not? Learning answers per action, channel
//! and outcome, from what was shown and what happened next.
//!
//! It is a pure fold: the same rows in the same order give the same bytes. It knows no clock, no
//! entropy, no I/O; it does not know what anything is worth and does not choose.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

mod block;
mod card;
mod config;
mod delay;
mod design;
mod encoder;
mod expert;
pub mod exploration;
mod features;
mod learner;
mod mixture;
mod model;
mod pending;
mod prediction;
mod recalibration;
mod rows;
mod scoring;
mod serving;
mod snapshot;
mod stages;

pub use card::{Calibration, Foresight};
pub use config::{Config, LevelPrior, Prior, Stage};
pub use features::{Feature, FeatureValue, Features};
pub use learner::{Learner, Rejected};
pub use prediction::{Arm, Arms, ModelVersion, Prediction, Predictor};
pub use rows::{Expected, Exposure, ExposureId, Row};
pub use snapshot::{ColumnWeight, DecodeError, ExpertShare, ModelCard, Snapshot};

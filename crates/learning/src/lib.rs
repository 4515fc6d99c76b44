//! How likely is an outcome when we act, and when we do not? Learning answers per action, channel
//! and outcome, from what was shown and what happened next.
//!
//! It is a pure fold: the same rows in the same order give the same bytes. It knows no clock, no
//! entropy, no I/O; it does not know what anything is worth and does not choose.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod exploration;
mod features;
mod prediction;
mod rows;

pub use features::{Feature, FeatureValue, Features};
pub use prediction::{Arm, ModelVersion, Prediction, Predictor};
pub use rows::{Expected, Exposure, ExposureId, Row};

//! What is asked of a model, and what does it answer?
//!
//! Deliberately absent: values in euro and the choice between arms; that is arbitration, elsewhere.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::features::Features;

/// What is predicted: one action, on a channel, for an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arm<'a> {
    /// `issue/group/action`.
    pub action: &'a str,
    /// Over what the action would be said.
    pub channel: &'a str,
    /// `goal`, `complaint`, `opt_out`, …
    pub outcome: &'a str,
}

/// Every outcome of every action, on one channel. Actions in ascending order are found fastest.
#[derive(Clone, Copy, Debug)]
pub struct Arms<'a> {
    /// `issue/group/action`.
    pub actions: &'a [&'a str],
    /// Over what the actions would be said.
    pub channel: &'a str,
    /// `goal`, `complaint`, `opt_out`, …
    pub outcomes: &'a [Arc<str>],
}

impl<'a> Arms<'a> {
    /// One by one: by action, then by outcome.
    pub fn iter(self) -> impl Iterator<Item = Arm<'a>> {
        let channel = self.channel;
        self.actions
            .iter()
            .flat_map(move |action| self.outcomes.iter().map(move |outcome| Arm { action, channel, outcome }))
    }
}

pub(crate) fn group_of(action: &str) -> &str {
    action.rsplit_once('/').map_or("", |(group, _)| group)
}

/// What a model expects of one [`Arm`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// P(outcome | act), strictly between 0 and 1.
    pub probability: f32,
    /// Standard deviation of the logit of `probability`, at least 0; 0 also when nobody asked for it.
    pub deviation: f32,
    /// P(outcome | not act), strictly between 0 and 1; `None` while control and silent decisions do
    /// not support it, and then the value of acting is *gross*.
    pub baseline: Option<f32>,
    /// Effective number of exposures of this action that taught about this outcome.
    pub evidence: f32,
}

/// Anything that can answer for arms: a learned snapshot, or a fixed table in a test.
pub trait Predictor: Send + Sync {
    /// One prediction per arm, in the order of [`Arms::iter`], each without its deviation. Never fails:
    /// an unknown arm gets the prior.
    fn predict(&self, features: &Features, arms: Arms<'_>) -> Vec<Prediction>;

    /// How unsure the predictions are: standard deviations of their logits, in the same order. Much
    /// dearer than the predictions, so ask for few arms. A predictor that is always sure answers 0.
    fn deviations(&self, _features: &Features, arms: Arms<'_>) -> Vec<f32> {
        vec![0.0; arms.actions.len() * arms.outcomes.len()]
    }

    /// Which model answers; recorded with each decision.
    fn version(&self) -> ModelVersion;

    /// The whole answer for one arm.
    fn expect(&self, features: &Features, arm: Arm<'_>) -> Prediction {
        let (actions, outcomes) = ([arm.action], [arm.outcome.into()]);
        let arms = Arms { actions: &actions, channel: arm.channel, outcomes: &outcomes };
        let deviation = self.deviations(features, arms)[0];
        Prediction { deviation, ..self.predict(features, arms)[0] }
    }
}

/// Names a model by its content: the first 16 bytes of the BLAKE3 digest of the encoded snapshot.
/// Displayed as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelVersion(pub [u8; 16]);

impl ModelVersion {
    /// No model: a predictor that is not learned.
    pub const NONE: Self = Self([0; 16]);
}

impl fmt::Display for ModelVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_an_action_is_its_path_without_the_last_part() {
        assert_eq!(group_of("care/arrears/payment-plan"), "care/arrears");
        assert_eq!(group_of("lonely"), "");
    }

    #[test]
    fn a_model_version_reads_as_hexadecimal() {
        let version = ModelVersion([0xab; 16]);
        assert_eq!(version.to_string(), "ab".repeat(16));
    }
}

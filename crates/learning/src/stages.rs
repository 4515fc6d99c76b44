//! What do the early signs of an action say about what is to come? How much more (or less) often than usual
//! an action is clicked, say, is known long before it is known how often it is bought; how much the one
//! tells about the other is learned over all actions.
//!
//! Deliberately absent: what a single customer did; that reaches the models as any other outcome.

use serde::{Deserialize, Serialize};

use crate::block::{Block, Part, View};
use crate::config::LevelPrior;
use crate::design::{Design, Inputs};
use crate::expert::{Observation, step};

/// An early sign may say nothing, or twice what it shows. The intercept is the experts'.
const PRIOR: LevelPrior = LevelPrior { intercept_variance: 1e-9, column_variance: 1.0, pair_variance: 0.0 };

/// What the early outcomes of one late outcome are worth, in the order they are declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stages(Block);

impl Stages {
    pub(crate) fn is_sound(&self) -> bool {
        self.0.is_sound()
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.0.is_exact()
    }

    pub(crate) fn rounded(&self) -> Self {
        Self(self.0.rounded())
    }

    /// What the signs add to the logit.
    pub(crate) fn shift(&self, signs: &Inputs) -> f64 {
        self.0.mean(&Design::of(signs), View::Columns, &PRIOR)
    }

    /// Learns from what was predicted, signs included.
    pub(crate) fn learn(&mut self, signs: &Inputs, predicted: f64, seen: Observation, memory: f64) {
        let design = Design::of(signs);
        let projection = self.0.project(&design, View::Columns, &PRIOR);
        let before = Part { mean: predicted, variance: projection.part.variance };
        self.0.learn(&projection, &design, step(before, seen, memory), &PRIOR);
    }
}

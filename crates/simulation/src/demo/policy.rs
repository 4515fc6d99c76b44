//! Who decides in a simulated world: the product as shipped, chance, or somebody who knows the truth.

use crate::energy::{Day, Truth, World};
use decision::inputs::Assignment;
use learning::{Arms, Features, ModelVersion, Prediction, Predictor};
use serde::Serialize;

/// Probabilities of the truth are kept this far from 0 and 1.
const CERTAINTY: f64 = 1e-6;

/// A way to decide. All of them pass the same steps of the same engine; only the ranking differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The product: learns from events alone, with its own control groups.
    Shipped,
    /// Chance among what is relevant and allowed, silence included.
    Random,
    /// Knows the world's true probabilities: what a perfect model would reach.
    Truth,
}

impl Policy {
    /// How the engine is told to choose; `None` leaves it to the engine's own control groups.
    pub fn assignment(self) -> Option<Assignment> {
        match self {
            Self::Shipped => None,
            Self::Random => Some(Assignment::RandomRelevant),
            Self::Truth => Some(Assignment::Strategy),
        }
    }

    /// One word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Random => "random",
            Self::Truth => "truth",
        }
    }
}

/// A predictor that looks into the world, for one customer on one day.
pub struct Oracle<'w> {
    /// The world.
    pub world: &'w World,
    /// The customer.
    pub customer: usize,
    /// The day.
    pub day: Day,
}

impl Predictor for Oracle<'_> {
    fn predict(&self, _features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        arms.iter()
            .map(|arm| {
                let truth = self.world.truth(self.customer, arm.action, arm.channel, self.day);
                let (acted, alone) = truth.map_or((0.0, 0.0), |truth| of_outcome(&truth, arm.outcome));
                Prediction {
                    probability: acted.clamp(CERTAINTY, 1.0 - CERTAINTY) as f32,
                    deviation: 0.0,
                    baseline: Some(alone.clamp(CERTAINTY, 1.0 - CERTAINTY) as f32),
                    evidence: f32::MAX,
                }
            })
            .collect()
    }

    fn version(&self) -> ModelVersion {
        ModelVersion::NONE
    }
}

fn of_outcome(truth: &Truth, outcome: &str) -> (f64, f64) {
    match outcome {
        "goal" => (truth.goal_if_acted, truth.goal_if_not),
        "complaint" => (truth.complaint_if_acted, truth.complaint_if_not),
        "opt_out" => (truth.opt_out_if_acted, 0.0),
        _ => (0.0, 0.0),
    }
}

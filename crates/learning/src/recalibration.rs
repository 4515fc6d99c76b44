//! Do probabilities keep what they promise on this channel? A shift and a slope of the logit, learned from
//! what was predicted and what came (Platt 1999, as a running Bayesian estimate).
//!
//! Deliberately absent: differences between actions; those are the experts'.

use serde::{Deserialize, Serialize};

use crate::block::{Block, Part, View};
use crate::config::LevelPrior;
use crate::design::{CLIP, Design, Inputs};
use crate::expert::{Observation, step};

/// Predictions are trusted until they are shown wrong: ±0.2 of a shift, and of a slope around 1.
const PRIOR: LevelPrior = LevelPrior { intercept_variance: 0.05, column_variance: 0.05, pair_variance: 0.0 };
/// One unit of the slope's column, in logits.
const UNIT: f64 = 4.0;

/// What is believed of one channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recalibration(Block);

/// A logit's shift, and what it is multiplied with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Correction {
    shift: f64,
    slope: f64,
}

impl Correction {
    pub(crate) const NONE: Self = Self { shift: 0.0, slope: 1.0 };

    /// The logit that experience supports.
    pub(crate) fn logit(self, predicted: f64) -> f64 {
        let within = predicted.clamp(-UNIT * CLIP, UNIT * CLIP);
        predicted + self.shift + (self.slope - 1.0) * within
    }

    pub(crate) fn deviation(self, predicted: f64) -> f64 {
        self.slope * predicted
    }
}

impl Recalibration {
    pub(crate) fn is_sound(&self) -> bool {
        self.0.is_sound()
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.0.is_exact()
    }

    pub(crate) fn rounded(&self) -> Self {
        Self(self.0.rounded())
    }

    /// Never a slope below a tenth: what looks better stays better.
    pub(crate) fn correction(&self) -> Correction {
        let slope = 1.0 + self.0.weight(1, &PRIOR).mean / UNIT;
        Correction { shift: self.0.weight(0, &PRIOR).mean, slope: slope.max(0.1) }
    }

    /// Learns from what the experts had predicted together.
    pub(crate) fn learn(&mut self, predicted: f64, seen: Observation, memory: f64) {
        let column = (predicted / UNIT).clamp(-CLIP, CLIP) as f32;
        let design = Design::of(&Inputs { columns: vec![column], features: 1, ..Inputs::default() });
        let projection = self.0.project(&design, View::Columns, &PRIOR);
        let before = Part { mean: predicted + projection.part.mean, variance: projection.part.variance };
        self.0.learn(&projection, &design, step(before, seen, memory), &PRIOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::logistic;
    use crate::exploration::keyed_uniform;

    fn after(rounds: u64, truth: impl Fn(f64) -> f64) -> Correction {
        let mut channel = Recalibration::default();
        for round in 0..rounds {
            let predicted = keyed_uniform(1, round) * 6.0 - 5.0;
            let positive = keyed_uniform(2, round) < logistic(truth(predicted));
            channel.learn(predicted, Observation { positive, weight: 1.0 }, 20_000.0);
        }
        channel.correction()
    }

    #[test]
    fn predictions_that_promise_too_much_are_corrected() {
        let corrected = after(20_000, |predicted| 0.6 * predicted - 0.5);
        for predicted in [-4.0, -2.0, 0.0] {
            let error = corrected.logit(predicted) - (0.6 * predicted - 0.5);
            assert!(error.abs() < 0.15, "{predicted}: {error}");
        }
    }

    #[test]
    fn predictions_that_keep_their_promise_are_left_alone() {
        let corrected = after(20_000, |predicted| predicted);
        for predicted in [-4.0, -1.0, 1.0] {
            assert!((corrected.logit(predicted) - predicted).abs() < 0.1);
        }
        assert_eq!(Recalibration::default().correction(), Correction::NONE);
        assert_eq!(Correction::NONE.logit(0.3), 0.3);
    }

    #[test]
    fn the_order_of_predictions_is_never_turned() {
        let corrected = after(5_000, |predicted| -2.0 * predicted);
        assert!(corrected.logit(1.0) > corrected.logit(-1.0), "{corrected:?}");
    }
}

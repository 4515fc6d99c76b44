//! When does silence begin to mean no? The part of an exposure's outcomes that should have come by
//! now, learned per outcome from the delays seen.
//!
//! Incremental credit: an exposure with probability p of an outcome, of which the part F should have come
//! by now, is silent with probability 1 − pF. Its silence so far is worth the weight [`owed`] of a
//! negative, 1 at the window's end; an outcome that comes anyway is a positive that also takes that back
//! ([`arrival_weight`]). On average over silences and outcomes a right prediction is then left where it is,
//! at every age and for every p. Deliberately absent: which exposure an outcome belongs to.

use serde::{Deserialize, Serialize};

use crate::config::Config;

/// Parts of the window after which silence is weighed: soon, because many outcomes come at once, and
/// then ever less often.
const CHECKPOINTS: [f64; 12] = [
    1.0 / 1024.0,
    1.0 / 256.0,
    1.0 / 64.0,
    1.0 / 32.0,
    1.0 / 16.0,
    1.0 / 8.0,
    3.0 / 16.0,
    1.0 / 4.0,
    3.0 / 8.0,
    1.0 / 2.0,
    3.0 / 4.0,
    1.0,
];
const BINS: usize = CHECKPOINTS.len();
/// Outcomes, spread evenly over the window, with which the delays start.
const PRIOR_OUTCOMES: f64 = 4.0;
/// A probability is taken as at most this when an arrival takes back the silence before it.
const CERTAIN: f64 = 0.95;

/// The weight as a negative of silence through the part `arrived` of the expected outcomes.
pub(crate) fn owed(arrived: f64, probability: f64) -> f64 {
    let probability = probability.min(CERTAIN);
    arrived * (1.0 - probability) / (1.0 - probability * arrived)
}

/// The weight as a positive of an outcome after silence was given the weight `given`.
pub(crate) fn arrival_weight(given: f64, probability: f64) -> f64 {
    let probability = probability.min(CERTAIN);
    1.0 + given * probability / (1.0 - probability)
}

/// How an exposure waits for one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Waiting {
    /// One negative, or the positive that came, at the end of the window.
    ToTheEnd,
    /// Negative weight at each checkpoint.
    Incremental { checkpoint: u8 },
}

impl Waiting {
    /// The part of the window after which to look again.
    pub(crate) fn next_look(self) -> f64 {
        match self {
            Self::ToTheEnd => 1.0,
            Self::Incremental { checkpoint } => CHECKPOINTS[usize::from(checkpoint)],
        }
    }

    /// Whether there is such a look.
    pub(crate) fn is_sound(self) -> bool {
        match self {
            Self::ToTheEnd => true,
            Self::Incremental { checkpoint } => usize::from(checkpoint) < CHECKPOINTS.len(),
        }
    }

    /// What follows the next look; `None` when that is the end of the window.
    pub(crate) fn after_look(self) -> Option<Self> {
        match self {
            Self::Incremental { checkpoint } if usize::from(checkpoint) + 1 < CHECKPOINTS.len() => {
                Some(Self::Incremental { checkpoint: checkpoint + 1 })
            }
            _ => None,
        }
    }
}

/// Delays of one outcome: how many came between two checkpoints, of how many exposures followed so far.
/// Young exposures, whose late outcomes are still to come, do not make delays look short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timing {
    arrived: [f64; BINS],
    followed: [f64; BINS],
}

impl Timing {
    pub(crate) fn new(prior_probability: f64) -> Self {
        let mut from = 0.0;
        let arrived = CHECKPOINTS.map(|to| {
            let width = to - from;
            from = to;
            PRIOR_OUTCOMES * width
        });
        Self { arrived, followed: [PRIOR_OUTCOMES / prior_probability; BINS] }
    }

    /// Whether these are counts.
    pub(crate) fn is_sound(&self) -> bool {
        let count = |count: &f64| count.is_finite() && *count > 0.0;
        self.arrived.iter().chain(&self.followed).all(count)
    }

    /// An outcome came after this part of its window.
    pub(crate) fn record_delay(&mut self, part: f64) {
        let bin = CHECKPOINTS.partition_point(|&end| end < part);
        self.arrived[bin.min(BINS - 1)] += 1.0;
    }

    /// An exposure was followed to the checkpoint at which it is waiting.
    pub(crate) fn record_followed(&mut self, waiting: Waiting) {
        if let Waiting::Incremental { checkpoint } = waiting {
            self.followed[usize::from(checkpoint)] += 1.0;
        }
    }

    /// Part of the outcomes that come within this part of the window: 0 at 0, 1 at 1.
    pub(crate) fn arrived_within(&self, part: f64) -> f64 {
        let (mut sum, mut within, mut from) = (0.0, 0.0, 0.0);
        for ((&to, arrived), followed) in CHECKPOINTS.iter().zip(&self.arrived).zip(&self.followed) {
            let rate = arrived / followed;
            sum += rate;
            within += rate * ((part - from) / (to - from)).clamp(0.0, 1.0);
            from = to;
        }
        within / sum
    }

    /// How a new exposure should wait.
    pub(crate) fn waiting(within_ms: i64, config: &Config) -> Waiting {
        if within_ms >= config.incremental_from_ms {
            Waiting::Incremental { checkpoint: 0 }
        } else {
            Waiting::ToTheEnd
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    #[test]
    fn before_any_outcome_silence_weighs_evenly() {
        let timing = Timing::new(0.05);
        for part in [0.0, 0.1, 0.5, 1.0] {
            assert!((timing.arrived_within(part) - part).abs() < 1e-12);
        }
    }

    #[test]
    fn quick_outcomes_make_early_silence_count() {
        let mut timing = Timing::new(0.05);
        (0..400).for_each(|_| timing.record_delay(0.0));
        assert!(timing.arrived_within(1.0 / 1024.0) > 0.98);
        assert_eq!(timing.arrived_within(1.0), 1.0);
        timing.record_delay(1.0);
        assert!(timing.arrived_within(0.9999) < 1.0);
    }

    #[test]
    fn exposures_still_young_do_not_make_delays_look_short() {
        let mut timing = Timing::new(0.5);
        let followed = |timing: &mut Timing, through: u8, times: usize| {
            for checkpoint in 0..=through {
                (0..times).for_each(|_| timing.record_followed(Waiting::Incremental { checkpoint }));
            }
        };
        // 2,000 exposures followed for a sixteenth of the window, 1,000 to its end; half of the outcomes
        // come early and half late.
        followed(&mut timing, 4, 1_000);
        followed(&mut timing, 11, 1_000);
        (0..1_000).for_each(|_| timing.record_delay(0.03));
        (0..500).for_each(|_| timing.record_delay(0.6));
        let early = timing.arrived_within(0.25);
        assert!((early - 0.5).abs() < 0.02, "{early}");
    }

    #[test]
    fn a_right_prediction_is_left_where_it_is_at_every_age() {
        for probability in [0.01, 0.3, 0.8] {
            // Silence through F is expected with 1 − pF, an outcome at F with p; gradients of the logit.
            let (mut drift, steps) = (0.0, 20_000);
            for step in 0..steps {
                let [from, to] = [step, step + 1].map(|step| f64::from(step) / f64::from(steps));
                let silent = 1.0 - probability * (from + to) / 2.0;
                drift -= silent * (owed(to, probability) - owed(from, probability)) * probability;
                let weight = arrival_weight(owed((from + to) / 2.0, probability), probability);
                drift += probability * (to - from) * weight * (1.0 - probability);
                assert!(drift.abs() < 1e-3, "{probability} at {to}: {drift}");
            }
        }
        assert_eq!(owed(1.0, 0.3), 1.0);
        assert_eq!(arrival_weight(0.0, 0.3), 1.0);
    }

    #[test]
    fn short_windows_wait_to_the_end() {
        let config = Config::default();
        assert_eq!(Timing::waiting(DAY_MS, &config), Waiting::Incremental { checkpoint: 0 });
        assert_eq!(Timing::waiting(DAY_MS - 1, &config), Waiting::ToTheEnd);
    }

    #[test]
    fn looks_end_exactly_at_the_window() {
        let mut waiting = Waiting::Incremental { checkpoint: 0 };
        let mut looks = vec![waiting.next_look()];
        while let Some(next) = waiting.after_look() {
            waiting = next;
            looks.push(waiting.next_look());
        }
        assert_eq!(looks, CHECKPOINTS);
        assert_eq!(Waiting::ToTheEnd.next_look(), 1.0);
        assert_eq!(Waiting::ToTheEnd.after_look(), None);
    }
}

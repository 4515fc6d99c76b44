//! When does silence begin to mean no? The part of an exposure's outcomes that should have come by
//! now, learned per outcome from the delays seen.
//!
//! Incremental credit: as silence lasts, negative weight is added up to the fitted part, 1 at the
//! window's end; an outcome adds one positive when it comes. Exact for rare outcomes. Deliberately
//! absent: which exposure an outcome belongs to.

use serde::{Deserialize, Serialize};

use crate::config::Config;

const BINS: usize = 16;
/// Prior outcomes, spread evenly over the bins.
const PRIOR_OUTCOMES: f64 = 4.0;
/// Prior exposures behind the starting base rate.
const PRIOR_EXPOSURES: f64 = 20.0;
/// Parts of the window after which silence is weighed.
const CHECKPOINTS: [f64; 6] = [0.0625, 0.125, 0.25, 0.5, 0.75, 1.0];

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

/// Delay distribution and base rate of one outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timing {
    /// Outcomes by delay as a part of their window.
    delays: [f64; BINS],
    positives: f64,
    exposures: f64,
}

impl Timing {
    pub(crate) fn new(prior_probability: f64) -> Self {
        Self {
            delays: [PRIOR_OUTCOMES / BINS as f64; BINS],
            positives: PRIOR_EXPOSURES * prior_probability,
            exposures: PRIOR_EXPOSURES,
        }
    }

    /// Whether these are counts.
    pub(crate) fn is_sound(&self) -> bool {
        let counts = self.delays.iter().chain([&self.positives, &self.exposures]);
        counts.into_iter().all(|count| count.is_finite() && *count >= 0.0)
            && self.delays.iter().any(|count| *count > 0.0)
    }

    /// An outcome came after this part of its window.
    pub(crate) fn record_delay(&mut self, part: f64) {
        let bin = (part * BINS as f64) as usize;
        self.delays[bin.min(BINS - 1)] += 1.0;
        self.positives += 1.0;
    }

    /// This part of an exposure is now accounted for.
    pub(crate) fn record_exposure(&mut self, part: f64) {
        self.exposures += part;
    }

    /// Part of the outcomes that come within this part of the window: 0 at 0, 1 at 1.
    pub(crate) fn arrived_within(&self, part: f64) -> f64 {
        let total: f64 = self.delays.iter().sum();
        let reach = part.clamp(0.0, 1.0) * BINS as f64;
        let whole = reach as usize;
        let full: f64 = self.delays[..whole.min(BINS)].iter().sum();
        let partial = self.delays.get(whole).map_or(0.0, |bin| bin * (reach - whole as f64));
        (full + partial) / total
    }

    /// How a new exposure should wait.
    pub(crate) fn waiting(&self, within_ms: i64, config: &Config) -> Waiting {
        let rare = self.positives <= config.incremental_rate_max * self.exposures;
        if rare && within_ms >= config.incremental_from_ms {
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
        (0..96).for_each(|_| timing.record_delay(0.01));
        assert!((timing.arrived_within(0.0625) - 0.9625).abs() < 1e-12);
        assert_eq!(timing.arrived_within(1.0), 1.0);
        timing.record_delay(1.0);
        assert!(timing.arrived_within(0.9999) < 1.0);
    }

    #[test]
    fn short_windows_and_frequent_outcomes_wait_to_the_end() {
        let config = Config::default();
        let mut timing = Timing::new(0.05);
        let incremental = Waiting::Incremental { checkpoint: 0 };
        assert_eq!(timing.waiting(DAY_MS, &config), incremental);
        assert_eq!(timing.waiting(DAY_MS - 1, &config), Waiting::ToTheEnd);
        (0..5).for_each(|_| timing.record_delay(0.5));
        assert_eq!(timing.waiting(DAY_MS, &config), Waiting::ToTheEnd);
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

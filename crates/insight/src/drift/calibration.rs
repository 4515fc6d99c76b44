//! Are the odds of what happens still those that were estimated? A sequential test that may be looked at after
//! every outcome.
//!
//! Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo 2024, "E-detectors: a nonparametric framework for
//! sequential change detection", New England Journal of Statistics in Data Science): for each alternative
//! factor `f` of the odds, `R ← (R + 1) · q_f(y) / q_τ(y)`, where `q_f` is the Bernoulli probability with `f`
//! times the estimated odds and `τ` the tolerance on the same side. While the true factor lies within the
//! tolerance the ratio has a mean of at most 1 given the past (it is monotone in `y`), so the mean over the
//! alternatives minus the number of outcomes is a supermartingale, and an alarm at `c` comes on average
//! after at least `c` outcomes. Within `n` outcomes it comes with probability at most `n / c`.

use super::Settings;

/// Factors of the odds that are looked for, and their inverses.
const FACTORS: [f64; 5] = [1.5, 2.0, 3.0, 5.0, 10.0];
/// Estimates are kept this far from 0 and 1: one surprise is no proof.
const CLIP: f64 = 1e-4;

/// Watches one stream of estimates.
#[derive(Debug, Clone)]
pub struct Detector {
    tolerance: f64,
    alarm_at: f64,
    alternatives: Vec<Alternative>,
    seen: u64,
}

/// What an alarm knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The moment of the first outcome since the change, in milliseconds since the epoch.
    pub since_ms: i64,
    /// Outcomes since the change, this one included.
    pub outcomes: u64,
    /// Mean estimate since then.
    pub estimated: f64,
    /// Share that happened since then.
    pub happened: f64,
    /// Position of this outcome in the stream, from 1.
    pub number: u64,
}

/// One factor of the odds; the sums are of what came since its evidence was last at its lowest.
#[derive(Debug, Clone, Copy)]
struct Alternative {
    factor: f64,
    evidence: f64,
    cumulative: f64,
    since_ms: i64,
    outcomes: u64,
    estimated: f64,
    happened: u64,
}

impl Alternative {
    fn new(factor: f64) -> Self {
        Self { factor, evidence: 0.0, cumulative: 0.0, since_ms: 0, outcomes: 0, estimated: 0.0, happened: 0 }
    }

    fn observe(&mut self, at_ms: i64, estimated: f64, happened: bool, tolerance: f64) {
        let edge = if self.factor > 1.0 { tolerance } else { 1.0 / tolerance };
        let ratio = likelihood(estimated, self.factor, happened) / likelihood(estimated, edge, happened);
        self.evidence = (self.evidence + 1.0) * ratio;
        if self.cumulative <= 0.0 {
            *self = Self { evidence: self.evidence, since_ms: at_ms, ..Self::new(self.factor) };
        }
        self.cumulative += libm::log(ratio);
        self.outcomes += 1;
        self.estimated += estimated;
        self.happened += u64::from(happened);
    }
}

/// Probability of what happened when the odds are `factor` times the estimated ones.
fn likelihood(estimated: f64, factor: f64, happened: bool) -> f64 {
    let probability = factor * estimated / (1.0 - estimated + factor * estimated);
    if happened { probability } else { 1.0 - probability }
}

impl Detector {
    /// Nothing seen yet.
    pub fn new(settings: &Settings) -> Self {
        let both = FACTORS.iter().flat_map(|factor| [*factor, 1.0 / factor]);
        let beyond = both.filter(|factor| factor.max(1.0 / factor) > settings.tolerance);
        Self {
            tolerance: settings.tolerance,
            alarm_at: settings.outcomes_per_false_alarm,
            alternatives: beyond.map(Alternative::new).collect(),
            seen: 0,
        }
    }

    /// Takes in one outcome; after an alarm everything starts afresh.
    pub fn observe(&mut self, at_ms: i64, estimated: f64, happened: bool) -> Option<Found> {
        self.seen += 1;
        let estimated = estimated.clamp(CLIP, 1.0 - CLIP);
        for alternative in &mut self.alternatives {
            alternative.observe(at_ms, estimated, happened, self.tolerance);
        }
        let total: f64 = self.alternatives.iter().map(|alternative| alternative.evidence).sum();
        if total / (self.alternatives.len() as f64) < self.alarm_at {
            return None;
        }
        let strongest = |one: &&Alternative, other: &&Alternative| one.evidence.total_cmp(&other.evidence);
        let found = self.alternatives.iter().max_by(strongest).map(|strongest| Found {
            since_ms: strongest.since_ms,
            outcomes: strongest.outcomes,
            estimated: strongest.estimated / strongest.outcomes.max(1) as f64,
            happened: strongest.happened as f64 / strongest.outcomes.max(1) as f64,
            number: self.seen,
        });
        for alternative in &mut self.alternatives {
            *alternative = Alternative::new(alternative.factor);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_the_tolerance_no_ratio_has_a_mean_above_one() {
        let (tolerance, estimates) = (1.25, [0.001, 0.05, 0.5, 0.9]);
        for estimated in estimates {
            for true_factor in [0.8, 0.9, 1.0, 1.1, 1.25] {
                for factor in FACTORS.into_iter().flat_map(|factor| [factor, 1.0 / factor]) {
                    let edge = if factor > 1.0 { tolerance } else { 1.0 / tolerance };
                    let mean: f64 = [true, false]
                        .iter()
                        .map(|&happened| {
                            likelihood(estimated, true_factor, happened)
                                * likelihood(estimated, factor, happened)
                                / likelihood(estimated, edge, happened)
                        })
                        .sum();
                    assert!(mean <= 1.0 + 1e-12, "{estimated} {true_factor} {factor}: {mean}");
                }
            }
        }
    }

    #[test]
    fn one_surprise_is_no_alarm_however_sure_the_estimate_was() {
        let mut detector = Detector::new(&Settings::default());
        assert_eq!(detector.observe(0, 0.0, true), None);
        assert_eq!(detector.observe(0, 1.0, false), None);
    }
}

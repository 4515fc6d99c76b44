//! How well was an outcome of one action on one channel foreseen? Counts of what was expected when the action was
//! displayed, and of what came of it by the end of its window.
//!
//! Deliberately absent: words and alarms; whoever reads a card draws conclusions.

use serde::{Deserialize, Serialize};

use crate::expert::logit;

/// Bins of equal width in the logit, between the probabilities 0.0001 and 0.9999.
const BINS: usize = 24;
const LOGIT_MAX: f64 = 9.2;
/// The recent part fades to 1/e after so many exposures.
const RECENT: f64 = 500.0;

/// Counts of one bin, all of them fading alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bin {
    count: f64,
    expected: f64,
    happened: f64,
}

/// What was expected and what happened, of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Recent {
    expected: f64,
    happened: f64,
    variance: f64,
}

/// The counts of one action on one channel, for one outcome.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Card {
    bins: Vec<Bin>,
    log_loss: f64,
    recent: Recent,
}

/// What a card says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Foresight {
    /// Exposures of which the window has ended or the outcome has come.
    pub settled: f64,
    /// Those with the outcome.
    pub happened: f64,
    /// Probability that an exposure with the outcome was expected to have it more than one without, ties half;
    /// bins count as ties. `None` without both kinds.
    pub auc: Option<f64>,
    /// Mean of −ln p of what happened, in nats; `None` with nothing settled.
    pub log_loss: Option<f64>,
    /// Mean distance of what was expected from what happened, over bins by their size, 0 to 1; `None` with
    /// nothing settled.
    pub calibration_error: Option<f64>,
    /// Calibration, lowest expectation first, without empty bins.
    pub calibration: Vec<Calibration>,
    /// How many standard deviations more (or less) often than expected it happened of late, over about the last
    /// 500 exposures; 0 with nothing settled.
    pub drift: f64,
}

/// One bin of a calibration curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Exposures.
    pub count: f64,
    /// Mean probability that was expected.
    pub expected: f64,
    /// Part in which it happened.
    pub happened: f64,
}

impl Card {
    pub(crate) fn is_sound(&self) -> bool {
        let bin =
            |bin: &Bin| [bin.count, bin.expected, bin.happened].iter().all(|sum| (0.0..=1e15).contains(sum));
        let Recent { expected, happened, variance } = self.recent;
        (self.bins.is_empty() || self.bins.len() == BINS)
            && self.bins.iter().all(bin)
            && [self.log_loss, expected, happened, variance].iter().all(|sum| (0.0..=1e15).contains(sum))
    }

    /// An exposure that had been expected to have the outcome with this probability is settled.
    pub(crate) fn settle(&mut self, expected: f64, happened: bool) {
        if self.bins.is_empty() {
            self.bins = vec![Bin::default(); BINS];
        }
        let probability = expected.clamp(1e-6, 1.0 - 1e-6);
        let bin = &mut self.bins[place(probability)];
        let outcome = if happened { 1.0 } else { 0.0 };
        bin.count += 1.0;
        bin.expected += probability;
        bin.happened += outcome;
        self.log_loss -= libm::log(if happened { probability } else { 1.0 - probability });
        let kept = 1.0 - 1.0 / RECENT;
        let recent = &mut self.recent;
        recent.expected = kept * recent.expected + probability;
        recent.happened = kept * recent.happened + outcome;
        recent.variance = kept * kept * recent.variance + probability * (1.0 - probability);
    }

    /// The outcome came after all, dated within a window that had been settled in silence.
    pub(crate) fn correct(&mut self, expected: f64) {
        let probability = expected.clamp(1e-6, 1.0 - 1e-6);
        if let Some(bin) = self.bins.get_mut(place(probability)) {
            bin.happened += 1.0;
            self.log_loss += libm::log((1.0 - probability) / probability);
            self.log_loss = self.log_loss.max(0.0);
            self.recent.happened += 1.0;
        }
    }

    /// What was settled here or there.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let bin = |index: usize| {
            let of = |card: &Self| card.bins.get(index).copied().unwrap_or_default();
            let (one, two) = (of(self), of(other));
            Bin {
                count: one.count + two.count,
                expected: one.expected + two.expected,
                happened: one.happened + two.happened,
            }
        };
        Self {
            bins: (0..BINS).map(bin).collect(),
            log_loss: self.log_loss + other.log_loss,
            recent: Recent {
                expected: self.recent.expected + other.recent.expected,
                happened: self.recent.happened + other.recent.happened,
                variance: self.recent.variance + other.recent.variance,
            },
        }
    }

    pub(crate) fn read(&self) -> Foresight {
        let sum = |of: fn(&Bin) -> f64| self.bins.iter().map(of).fold(0.0, |sum, part| sum + part);
        let (settled, happened) = (sum(|bin| bin.count), sum(|bin| bin.happened));
        let filled = self.bins.iter().filter(|bin| bin.count > 0.0);
        let calibration: Vec<Calibration> = filled
            .map(|bin| Calibration {
                count: bin.count,
                expected: bin.expected / bin.count,
                happened: bin.happened / bin.count,
            })
            .collect();
        let error = |bin: &Calibration| bin.count * (bin.expected - bin.happened).abs();
        let per_settled = |sum: f64| (settled > 0.0).then(|| sum / settled);
        let recent = self.recent;
        Foresight {
            settled,
            happened,
            auc: auc(&calibration),
            log_loss: per_settled(self.log_loss),
            calibration_error: per_settled(calibration.iter().map(error).sum()),
            drift: if recent.variance > 0.0 {
                (recent.happened - recent.expected) / recent.variance.sqrt()
            } else {
                0.0
            },
            calibration,
        }
    }
}

/// The bin of a probability.
fn place(probability: f64) -> usize {
    let place = (logit(probability) + LOGIT_MAX) / (2.0 * LOGIT_MAX) * BINS as f64;
    (place.max(0.0) as usize).min(BINS - 1)
}

/// Mann-Whitney over bins in ascending order.
fn auc(bins: &[Calibration]) -> Option<f64> {
    let (mut below, mut ordered, mut positives) = (0.0, 0.0, 0.0);
    for bin in bins {
        let with = bin.count * bin.happened;
        let without = bin.count - with;
        ordered += with * (below + 0.5 * without);
        below += without;
        positives += with;
    }
    (positives > 0.0 && below > 0.0).then(|| ordered / (positives * below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exploration::keyed_uniform;

    fn settled(rounds: u64, expected: impl Fn(u64) -> f64, truth: impl Fn(u64) -> f64) -> Foresight {
        let mut card = Card::default();
        for round in 0..rounds {
            card.settle(expected(round), keyed_uniform(3, round) < truth(round));
        }
        card.read()
    }

    #[test]
    fn nothing_settled_says_nothing() {
        let empty = Card::default().read();
        assert_eq!((empty.settled, empty.auc, empty.log_loss, empty.drift), (0.0, None, None, 0.0));
        assert!(empty.settled.is_sign_positive() && empty.calibration.is_empty());
    }

    #[test]
    fn honest_expectations_are_calibrated_and_rank() {
        let expected = |round: u64| if round.is_multiple_of(2) { 0.05 } else { 0.4 };
        let card = settled(20_000, expected, expected);
        assert!(card.calibration_error.is_some_and(|error| error < 0.01));
        // AUC of two rates: [.05·.6 + .5(.05·.95 + .4·.6)·…] worked out over the two bins.
        let (low, high) = (0.05, 0.4);
        let ordered = high * (1.0 - low) + 0.5 * (low * (1.0 - low) + high * (1.0 - high));
        let auc = ordered / ((low + high) * (2.0 - low - high));
        assert!(card.auc.is_some_and(|found| (found - auc).abs() < 0.02), "{card:?} {auc}");
        assert!(card.drift.abs() < 4.0);
    }

    #[test]
    fn what_has_changed_of_late_shows_as_drift() {
        let card = settled(5_000, |_| 0.1, |round| if round < 4_500 { 0.1 } else { 0.2 });
        assert!(card.drift > 5.0, "{}", card.drift);
        let card = settled(5_000, |_| 0.1, |round| if round < 4_500 { 0.1 } else { 0.02 });
        assert!(card.drift < -4.0, "{}", card.drift);
    }

    #[test]
    fn two_cards_together_count_both() {
        let mut cards = [Card::default(), Card::default()];
        for round in 0..100 {
            cards[round % 2].settle(0.3, round % 3 == 0);
        }
        let both = cards[0].and(&cards[1]).read();
        assert_eq!((both.settled, both.happened), (100.0, 34.0));
        assert_eq!(both.calibration.len(), 1);
        assert_eq!(Card::default().and(&cards[0]).read().settled, 50.0);
    }
}

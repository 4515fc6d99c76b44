//! How good are estimated probabilities? Ranking (AUC), log-loss and calibration against what happened.

use serde::Serialize;

/// Probabilities are kept this far from 0 and 1 before their logarithm is taken.
const CLIP: f64 = 1e-9;

/// One estimate and what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// Estimated probability, in [0, 1].
    pub probability: f64,
    /// Whether it happened.
    pub happened: bool,
}

/// Quality of a set of estimates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// Estimates.
    pub count: usize,
    /// Share that happened, 0 to 1.
    pub base_rate: f64,
    /// Probability that a random positive is ranked above a random negative, ties half (Mann-Whitney);
    /// `None` without both kinds.
    pub auc: Option<f64>,
    /// Mean of `−ln p` of what happened, in nats.
    pub log_loss: f64,
    /// Expected calibration error: mean `|estimated − happened|` over bins, weighted by size.
    pub calibration_error: f64,
    /// Calibration in bins of equal size, lowest estimates first.
    pub calibration: Vec<Bin>,
}

/// One bin of a calibration curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Mean estimate.
    pub estimated: f64,
    /// Share that happened.
    pub happened: f64,
    /// Estimates in the bin.
    pub count: usize,
}

impl Quality {
    /// Measures estimates, with at most `bins` calibration bins.
    pub fn of(observed: &[Observed], bins: usize) -> Self {
        let mut sorted = observed.to_vec();
        sorted.sort_by(|a, b| a.probability.total_cmp(&b.probability));
        let calibration = calibration(&sorted, bins);
        let count = sorted.len();
        let weighted = |bin: &Bin| (bin.estimated - bin.happened).abs() * bin.count as f64;
        Self {
            count,
            base_rate: share(&sorted),
            auc: auc(&sorted),
            log_loss: sorted.iter().map(surprise).sum::<f64>() / count.max(1) as f64,
            calibration_error: calibration.iter().map(weighted).sum::<f64>() / count.max(1) as f64,
            calibration,
        }
    }
}

fn share(observed: &[Observed]) -> f64 {
    observed.iter().filter(|found| found.happened).count() as f64 / observed.len().max(1) as f64
}

fn surprise(found: &Observed) -> f64 {
    let probability = found.probability.clamp(CLIP, 1.0 - CLIP);
    -libm::log(if found.happened { probability } else { 1.0 - probability })
}

/// Mann-Whitney with mid-ranks, on estimates in ascending order.
fn auc(sorted: &[Observed]) -> Option<f64> {
    let positives = sorted.iter().filter(|found| found.happened).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let mut rank_sum = 0.0;
    let mut before = 0;
    for tied in sorted.chunk_by(|a, b| a.probability == b.probability) {
        let mid_rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += mid_rank * tied.iter().filter(|found| found.happened).count() as f64;
        before += tied.len();
    }
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

fn calibration(sorted: &[Observed], bins: usize) -> Vec<Bin> {
    let size = sorted.len().div_ceil(bins.max(1)).max(1);
    let bin = |chunk: &[Observed]| Bin {
        estimated: chunk.iter().map(|found| found.probability).sum::<f64>() / chunk.len() as f64,
        happened: share(chunk),
        count: chunk.len(),
    };
    sorted.chunks(size).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(pairs: &[(f64, bool)]) -> Vec<Observed> {
        pairs.iter().map(|&(probability, happened)| Observed { probability, happened }).collect()
    }

    #[test]
    fn auc_counts_ordered_pairs_and_half_of_the_ties() {
        let found = observed(&[(0.1, false), (0.4, true), (0.4, false), (0.35, true), (0.8, true)]);
        let pairs = found.iter().filter(|found| found.happened).flat_map(|positive| {
            found.iter().filter(|found| !found.happened).map(|negative| match positive.probability {
                p if p > negative.probability => 1.0,
                p if p == negative.probability => 0.5,
                _ => 0.0,
            })
        });
        let by_pairs = pairs.sum::<f64>() / 6.0;
        assert_eq!(Quality::of(&found, 10).auc, Some(by_pairs));
    }

    #[test]
    fn one_kind_of_outcome_has_no_auc() {
        assert_eq!(Quality::of(&observed(&[(0.2, true)]), 5).auc, None);
        assert_eq!(Quality::of(&[], 5).auc, None);
    }

    #[test]
    fn certainty_that_turns_out_wrong_costs_much_but_not_everything() {
        let quality = Quality::of(&observed(&[(1.0, false), (0.5, true)]), 2);
        assert!(quality.log_loss.is_finite() && quality.log_loss > 10.0);
    }

    #[test]
    fn honest_estimates_are_calibrated() {
        let found: Vec<Observed> = (0..1000)
            .map(|n| Observed {
                probability: f64::from(n / 500) * 0.5 + 0.25,
                happened: n % 4 == 0 || (n >= 500 && n % 2 == 0),
            })
            .collect();
        let quality = Quality::of(&found, 2);
        assert_eq!(quality.calibration[0], Bin { estimated: 0.25, happened: 0.25, count: 500 });
        assert!((quality.calibration_error - 0.125).abs() < 1e-12, "{quality:?}");
    }
}

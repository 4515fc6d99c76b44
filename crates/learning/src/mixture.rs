//! Which way of looking at the evidence deserves belief? Experts that see base rates alone, the columns, or
//! also their products, with a slow or a fast memory, weighed by how well they predicted what came next.
//!
//! Deliberately absent: whether they are right on a channel; see [`crate::recalibration`].

use serde::{Deserialize, Serialize};

use crate::block::{Part, View};
use crate::config::Config;
use crate::design::Design;
use crate::expert::{Expert, LEVELS, Observation, Path};

pub(crate) const EXPERTS: usize = 5;
/// Experts with a smaller share keep learning but are not asked; it saves half the work and more.
const SHARE_ASKED_MIN: f64 = 0.05;
/// How far sums of parts may be off by rounding.
const ROUNDING: f64 = 1e-6;

/// The experts of one outcome, for acting or for not acting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mixture {
    pub(crate) experts: [Expert; EXPERTS],
    pub(crate) shares: [f64; EXPERTS],
    /// Exposures learned from, per level and node.
    evidence: [Vec<f64>; LEVELS],
}

impl Mixture {
    pub(crate) fn new(config: &Config) -> Self {
        let [slow, fast] = config.memories;
        Self {
            experts: [
                Expert::new(View::Intercept, slow),
                Expert::new(View::Intercept, fast),
                Expert::new(View::Columns, slow),
                Expert::new(View::Columns, fast),
                Expert::new(View::Pairs, slow),
            ],
            shares: [1.0 / EXPERTS as f64; EXPERTS],
            evidence: Default::default(),
        }
    }

    /// Whether learning could have made it from a hierarchy with this many nodes per level.
    pub(crate) fn is_sound(&self, nodes: [usize; LEVELS]) -> bool {
        let shared = self.shares.iter().all(|&share| share > 0.0 && share <= 1.0)
            && (self.shares.iter().sum::<f64>() - 1.0).abs() < ROUNDING;
        let counted = self.evidence.iter().zip(nodes).all(|(counts, nodes)| {
            counts.len() <= nodes && counts.iter().all(|count| count.is_finite() && *count >= -ROUNDING)
        });
        shared && counted && self.experts.iter().all(|expert| expert.is_sound(nodes))
    }

    /// Whether learning can go on from it.
    pub(crate) fn is_exact(&self) -> bool {
        self.experts.iter().all(Expert::is_exact)
    }

    /// What is published of it.
    pub(crate) fn rounded(&self) -> Self {
        let experts = self.experts.each_ref().map(Expert::rounded);
        Self { experts, shares: self.shares, evidence: self.evidence.clone() }
    }

    /// Exposures of a node that taught; 0 for an unknown one.
    pub(crate) fn evidence(&self, level: usize, node: Option<u32>) -> f64 {
        node.and_then(|node| self.evidence[level].get(node as usize)).copied().unwrap_or(0.0)
    }

    /// Counts (a part of) an exposure as evidence for every level of the path.
    pub(crate) fn count(&mut self, path: &Path, exposures: f64) {
        for (counts, node) in self.evidence.iter_mut().zip(path) {
            let Some(node) = node.map(|node| node as usize) else {
                continue;
            };
            if counts.len() <= node {
                counts.resize(node + 1, 0.0);
            }
            counts[node] += exposures;
        }
    }

    /// Teaches every expert, and moves the shares by the log-loss of what each had predicted. Returns the
    /// logit that those asked had predicted together.
    pub(crate) fn learn(
        &mut self,
        path: &Path,
        design: &Design,
        offset: f64,
        seen: Observation,
        config: &Config,
    ) -> f64 {
        let (mut total, mut predicted) = (0.0, 0.0);
        let asked = self.asked();
        for ((expert, share), asked) in self.experts.iter_mut().zip(&mut self.shares).zip(asked) {
            let logit = expert.learn(path, design, offset, seen, config);
            predicted += asked * logit;
            *share *= libm::exp(-seen.weight * log_loss(logit, seen.positive));
            total += *share;
        }
        let dealt = (config.fixed_share * seen.weight).min(1.0);
        for share in &mut self.shares {
            *share = (1.0 - dealt) * *share / total + dealt / EXPERTS as f64;
        }
        predicted
    }

    /// The shares of the experts worth asking, summing to 1; 0 for the others.
    pub(crate) fn asked(&self) -> [f64; EXPERTS] {
        let heard = |share: f64| if share < SHARE_ASKED_MIN { 0.0 } else { share };
        let total: f64 = self.shares.iter().map(|&share| heard(share)).sum();
        self.shares.map(|share| heard(share) / total)
    }

    /// Averages the experts' logits by their shares (a logarithmic opinion pool), so that all of them together are
    /// one sum of weights.
    pub(crate) fn logit(&self, path: &Path, offset: f64, design: &Design, config: &Config) -> f64 {
        let experts = self.experts.iter().zip(self.asked()).filter(|(_, share)| *share > 0.0);
        offset + experts.map(|(expert, share)| share * expert.mean(path, design, config)).sum::<f64>()
    }

    /// How much more than others the group and the action bring about, in logits.
    pub(crate) fn usual(&self, path: &Path) -> f64 {
        let experts = self.experts.iter().zip(self.asked());
        experts.map(|(expert, share)| share * expert.usual(path)).sum()
    }

    /// One level's part of the logit under each expert asked; nothing for the others.
    pub(crate) fn parts(
        &self,
        level: usize,
        node: Option<u32>,
        design: &Design,
        config: &Config,
    ) -> [Part; EXPERTS] {
        std::array::from_fn(|index| {
            if self.shares[index] < SHARE_ASKED_MIN {
                Part::default()
            } else {
                self.experts[index].part(level, node, design, config)
            }
        })
    }

    /// Standard deviation of the experts' total logits, as a mixture of Gaussians.
    pub(crate) fn deviation(&self, totals: &[Part; EXPERTS]) -> f64 {
        let (mut mean, mut square) = (0.0, 0.0);
        for (share, total) in self.asked().iter().zip(totals) {
            mean += share * total.mean;
            square += share * (total.variance + total.mean * total.mean);
        }
        (square - mean * mean).max(0.0).sqrt()
    }
}

/// −ln P(what happened), bounded so that no expert is ever ruled out for good.
fn log_loss(logit: f64, positive: bool) -> f64 {
    const WORST: f64 = 20.0;
    let against = if positive { -logit } else { logit };
    let loss = if against > WORST { against } else { libm::log1p(libm::exp(against)) };
    loss.min(WORST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Inputs;

    #[test]
    fn the_log_loss_of_even_odds_is_one_bit_and_of_certainty_bounded() {
        assert!((log_loss(0.0, true) - std::f64::consts::LN_2).abs() < 1e-12);
        assert_eq!(log_loss(-800.0, true), 20.0);
        assert!(log_loss(800.0, true) < 1e-12);
    }

    #[test]
    fn shares_stay_positive_and_sum_to_one() {
        let config = Config::default();
        let mut mixture = Mixture::new(&config);
        for round in 0..500 {
            let seen = Observation { positive: round % 3 == 0, weight: 1.0 };
            let columns = vec![round as f32 % 5.0 - 2.0, 1.0];
            let design = Design::of(&Inputs { columns, features: 2, ..Inputs::default() });
            mixture.learn(&[Some(0); LEVELS], &design, -2.0, seen, &config);
        }
        assert!((mixture.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(mixture.shares.iter().all(|&share| share > 0.0));
    }

    #[test]
    fn an_expert_that_was_wrong_for_long_can_return() {
        let config = Config::default();
        let mut mixture = Mixture::new(&config);
        mixture.shares = [1.0, 0.0, 0.0, 0.0, 0.0];
        let seen = Observation { positive: true, weight: 1.0 };
        mixture.learn(&[Some(0); LEVELS], &Design::of(&Inputs::default()), -2.0, seen, &config);
        for share in &mixture.shares[1..] {
            assert!((share - config.fixed_share / EXPERTS as f64).abs() < 1e-12);
        }
    }

    #[test]
    fn an_expert_hardly_believed_is_not_asked() {
        let mut mixture = Mixture::new(&Config::default());
        mixture.shares = [0.005, 0.0, 0.5, 0.495, 0.0];
        let mut totals = [Part::default(); EXPERTS];
        totals[2].variance = 4.0;
        let without = mixture.deviation(&totals);
        totals[0] = Part { mean: 9.0, variance: 9.0 };
        assert_eq!(mixture.deviation(&totals), without);
        assert!((without - (4.0_f64 * 0.5 / 0.995).sqrt()).abs() < 1e-12);
        assert_eq!(mixture.asked()[0], 0.0);
    }
}

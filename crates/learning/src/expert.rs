//! What does one way of looking at the evidence predict? An additive logit over four levels, global
//! + group + action + action on a channel, updated jointly by each outcome.
//!
//! Deliberately absent: which expert to believe; the mixture weighs them by their record.

use serde::{Deserialize, Serialize};

use crate::block::{Block, Part, Step, View};
use crate::config::{Config, is_memory};
use crate::design::Design;

pub(crate) const LEVELS: usize = 4;
pub(crate) const GROUP: usize = 1;
pub(crate) const ACTION: usize = 2;
pub(crate) const TREATMENT: usize = 3;

/// The node of each level, global first; `None` where a level is unknown or does not apply.
pub(crate) type Path = [Option<u32>; LEVELS];

/// An outcome that did or did not follow, or a fraction of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    pub(crate) positive: bool,
    /// Above 0; 1 for a whole one.
    pub(crate) weight: f64,
}

/// One Gaussian per level and node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expert {
    pub(crate) view: View,
    /// See [`Config::memories`].
    pub(crate) memory: f64,
    levels: [Vec<Block>; LEVELS],
}

impl Expert {
    pub(crate) fn new(view: View, memory: f64) -> Self {
        Self { view, memory, levels: Default::default() }
    }

    /// Whether learning could have made it from a hierarchy with this many nodes per level.
    pub(crate) fn is_sound(&self, nodes: [usize; LEVELS]) -> bool {
        let level = |(blocks, nodes): (&Vec<Block>, usize)| {
            blocks.len() <= nodes && blocks.iter().all(Block::is_sound)
        };
        is_memory(self.memory) && self.levels.iter().zip(nodes).all(level)
    }

    /// Whether learning can go on from it.
    pub(crate) fn is_exact(&self) -> bool {
        self.levels.iter().flatten().all(Block::is_exact)
    }

    /// What is published of it.
    pub(crate) fn rounded(&self) -> Self {
        let level = |blocks: &Vec<Block>| blocks.iter().map(Block::rounded).collect();
        Self { view: self.view, memory: self.memory, levels: self.levels.each_ref().map(level) }
    }

    /// One level's part of the logit; an unknown node has the prior.
    pub(crate) fn part(&self, level: usize, node: Option<u32>, design: &Design, config: &Config) -> Part {
        let prior = &config.levels(self.view)[level];
        match node.and_then(|node| self.levels[level].get(node as usize)) {
            Some(block) => block.part(design, self.view, prior),
            None => Block::default().part(design, self.view, prior),
        }
    }

    /// The mean of the sum of all levels of the path.
    pub(crate) fn mean(&self, path: &Path, design: &Design, config: &Config) -> f64 {
        known(path)
            .filter_map(|(level, node)| {
                let block = self.levels[level].get(node as usize)?;
                Some(block.mean(design, self.view, &config.levels(self.view)[level]))
            })
            .sum()
    }

    /// How much more than others the group and the action bring about, in logits.
    pub(crate) fn usual(&self, path: &Path) -> f64 {
        let own = |level: usize| {
            let block = path[level].and_then(|node| self.levels[level].get(node as usize));
            block.map_or(0.0, |block| block.intercept())
        };
        own(GROUP) + own(ACTION)
    }

    /// Adds a share of the weights of all levels of the path: those of the design's places, then those beyond.
    pub(crate) fn add_weights(&self, path: &Path, share: f64, dense: &mut [f64], extra: &mut [f64]) {
        for (level, node) in known(path) {
            if let Some(block) = self.levels[level].get(node as usize) {
                block.add_weights(share, dense, extra);
            }
        }
    }

    /// Moves every level of the path to the posterior, and returns the logit it had predicted.
    ///
    /// The step is implicit: along the direction covariance × design it goes to the exact mode of
    /// Gaussian prior × weighted Bernoulli likelihood, and takes the curvature there. It cannot
    /// overshoot, however surprising the outcome and wide the prior.
    pub(crate) fn learn(
        &mut self,
        path: &Path,
        design: &Design,
        offset: f64,
        seen: Observation,
        config: &Config,
    ) -> f64 {
        let mut total = Part { mean: offset, variance: 0.0 };
        let mut projections = Vec::with_capacity(LEVELS);
        let (view, levels) = (self.view, config.levels(self.view));
        for (level, node) in known(path) {
            let projection = self.block(level, node).project(design, view, &levels[level]);
            total.mean += projection.part.mean;
            total.variance += projection.part.variance;
            projections.push(projection);
        }
        let step = step(total, seen, self.memory);
        for ((level, node), projection) in known(path).zip(&projections) {
            self.block(level, node).learn(projection, design, step, &levels[level]);
        }
        total.mean
    }

    fn block(&mut self, level: usize, node: u32) -> &mut Block {
        let blocks = &mut self.levels[level];
        let index = node as usize;
        if blocks.len() <= index {
            blocks.resize_with(index + 1, Block::default);
        }
        &mut blocks[index]
    }

    /// Mean and variance of a column's weight on this path, all levels added up.
    pub(crate) fn weight(&self, path: &Path, column: usize, config: &Config) -> Part {
        let levels = path.iter().zip(&self.levels).zip(config.levels(self.view));
        let parts = levels.filter(|(_, prior)| prior.column_variance > 0.0).map(|((node, blocks), prior)| {
            let block = node.and_then(|node| blocks.get(node as usize));
            block.map_or_else(|| Block::default().weight(column, prior), |block| block.weight(column, prior))
        });
        parts.fold(Part::default(), |sum, part| Part {
            mean: sum.mean + part.mean,
            variance: sum.variance + part.variance,
        })
    }
}

fn known(path: &Path) -> impl Iterator<Item = (usize, u32)> {
    path.iter().enumerate().filter_map(|(level, node)| node.map(|node| (level, node)))
}

pub(crate) fn step(predicted: Part, seen: Observation, memory: f64) -> Step {
    let target = if seen.positive { 1.0 } else { 0.0 };
    let logit = mode(predicted, target, seen.weight);
    let probability = logistic(logit);
    let curvature = seen.weight * probability * (1.0 - probability);
    Step {
        odds: 4.0 * curvature,
        gain: seen.weight * (target - probability),
        shrink: curvature / (1.0 + curvature * predicted.variance),
        inflation: libm::exp(4.0 * curvature / memory),
    }
}

/// Solves η = mean + variance · weight · (target − σ(η)): Newton's method kept within a bracket.
fn mode(predicted: Part, target: f64, weight: f64) -> f64 {
    let reach = predicted.variance * weight;
    let (mut low, mut high) = (predicted.mean - reach * (1.0 - target), predicted.mean + reach * target);
    let mut logit = predicted.mean;
    for _ in 0..30 {
        let probability = logistic(logit);
        let excess = logit - predicted.mean - reach * (target - probability);
        if excess > 0.0 {
            high = logit;
        } else {
            low = logit;
        }
        let newton = logit - excess / (1.0 + reach * probability * (1.0 - probability));
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - logit).abs() < 1e-10 {
            break;
        }
        logit = next;
    }
    logit
}

pub(crate) fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-logit))
}

pub(crate) fn logit(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Path = [Some(0), Some(0), Some(0), Some(0)];
    const HIT: Observation = Observation { positive: true, weight: 1.0 };
    const MISS: Observation = Observation { positive: false, weight: 1.0 };

    fn bare() -> Design {
        Design::of(&crate::design::Inputs::default())
    }

    #[test]
    fn the_step_goes_to_the_mode_of_prior_times_likelihood() {
        for (mean, variance) in [(0.0, 1.0), (-6.0, 16.0), (8.0, 100.0), (-2.0, 0.01)] {
            for target in [0.0, 1.0] {
                let found = mode(Part { mean, variance }, target, 1.0);
                let gradient = (target - logistic(found)) - (found - mean) / variance;
                assert!(gradient.abs() < 1e-7, "{mean} {variance} {target}: {found}");
            }
        }
    }

    #[test]
    fn one_outcome_moves_all_levels_each_by_its_own_uncertainty() {
        let config = Config::default();
        let mut expert = Expert::new(View::Intercept, 1e9);
        expert.learn(&HERE, &bare(), 0.0, HIT, &config);
        let moved: Vec<f64> =
            (0..LEVELS).map(|level| expert.part(level, Some(0), &bare(), &config).mean).collect();
        for level in 1..LEVELS {
            let ratio = config.levels[level].intercept_variance / config.levels[0].intercept_variance;
            assert!((moved[level] / moved[0] - ratio).abs() < 1e-9, "{moved:?}");
        }
    }

    #[test]
    fn a_long_stream_is_learned_to_its_rate() {
        let config = Config::default();
        let mut expert = Expert::new(View::Intercept, 1e9);
        for round in 0..2_000 {
            let seen = if round % 10 == 0 { HIT } else { MISS };
            expert.learn(&HERE, &bare(), 0.0, seen, &config);
        }
        let mean: f64 = (0..LEVELS).map(|level| expert.part(level, Some(0), &bare(), &config).mean).sum();
        assert!((logistic(mean) - 0.1).abs() < 0.01, "{}", logistic(mean));
    }

    #[test]
    fn a_short_memory_follows_a_change_that_a_long_one_does_not() {
        let config = Config::default();
        let after_change = |memory| {
            let mut expert = Expert::new(View::Intercept, memory);
            for round in 0..4_000 {
                let seen = if round < 3_000 { MISS } else { HIT };
                let seen = if round % 2 == 0 { HIT } else { seen };
                expert.learn(&HERE, &bare(), 0.0, seen, &config);
            }
            let parts = (0..LEVELS).map(|level| expert.part(level, Some(0), &bare(), &config).mean);
            logistic(parts.sum())
        };
        assert!(after_change(1e9) < 0.85);
        assert!(after_change(200.0) > 0.95);
    }
}

//! What does one level believe about its weights? A Gaussian with full covariance that grows with
//! the columns it has seen.
//!
//! Deliberately absent: the likelihood. The step along the summed predictor is worked out by the
//! expert and applied here to each level.

use serde::{Deserialize, Serialize};

use crate::config::LevelPrior;
use crate::encoder::COLUMNS_MAX;

/// The intercept and every column.
const WIDTH_MAX: usize = COLUMNS_MAX as usize + 1;
const VARIANCE_MIN: f64 = 1e-9;
/// Beyond every weight and variance that evidence can lead to, and far from where sums would overflow.
const SIZE_MAX: f64 = 1e9;

/// Mean and variance of one level's part of a logit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

/// What one observation does to every level: see [`Block::learn`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// The mean moves by `gain` × covariance × inputs.
    pub(crate) gain: f64,
    /// The covariance loses `shrink` × (covariance × inputs)².
    pub(crate) shrink: f64,
    /// Then everything known fades: the covariance grows by this factor, up to the prior.
    pub(crate) inflation: f64,
}

/// Weights of one level; columns not seen yet have the prior.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Block {
    mean: Vec<f64>,
    /// Rows of the lower triangle, so symmetric by construction.
    covariance: Vec<f64>,
}

impl Block {
    /// Whether it is a block that learning could have made: as many covariances as weights need, all of a
    /// size to calculate with.
    pub(crate) fn is_sound(&self) -> bool {
        let fits = self.mean.len() <= WIDTH_MAX && self.covariance.len() == triangle(self.mean.len());
        fits && self.mean.iter().chain(&self.covariance).all(|number| number.abs() <= SIZE_MAX)
    }

    /// The believed weights, as far as columns have been seen.
    pub(crate) fn means(&self) -> &[f64] {
        &self.mean
    }

    /// The mean of the level's part of the logit for these inputs.
    pub(crate) fn mean(&self, inputs: &[f64]) -> f64 {
        let known = self.mean.len().min(inputs.len());
        dot(&self.mean[..known], &inputs[..known])
    }

    /// The level's part of the logit for these inputs.
    pub(crate) fn part(&self, inputs: &[f64], prior: &LevelPrior) -> Part {
        let known = self.mean.len().min(inputs.len());
        let mut below = [0.0; WIDTH_MAX];
        let mut variance = 0.0;
        let mut start = 0;
        for (row, &input) in inputs[..known].iter().enumerate() {
            if input != 0.0 {
                let line = &self.covariance[start..=start + row];
                for (sum, entry) in below.iter_mut().zip(&line[..row]) {
                    *sum += entry * input;
                }
                variance += input * input * line[row];
            }
            start += row + 1;
        }
        variance += 2.0 * dot(&below[..known], &inputs[..known]);
        for (offset, &input) in inputs[known..].iter().enumerate() {
            variance += input * input * prior_variance(prior, known + offset);
        }
        Part { mean: self.mean(inputs), variance: variance.max(0.0) }
    }

    /// Grows to the inputs and returns covariance × inputs, with the level's part of the logit.
    pub(crate) fn project(&mut self, inputs: &[f64], prior: &LevelPrior) -> (Vec<f64>, Part) {
        self.grow(inputs.len(), prior);
        let mut projected = vec![0.0; self.mean.len()];
        let mut start = 0;
        for row in 0..self.mean.len() {
            let line = &self.covariance[start..=start + row];
            let overlap = inputs.len().min(row + 1);
            let along = dot(&line[..overlap], &inputs[..overlap]);
            if let Some(&input) = inputs.get(row).filter(|&&input| input != 0.0) {
                for (sum, entry) in projected.iter_mut().zip(&line[..row]) {
                    *sum += entry * input;
                }
            }
            projected[row] += along;
            start += row + 1;
        }
        let part = Part {
            mean: dot(&self.mean[..inputs.len()], inputs),
            variance: dot(&projected[..inputs.len()], inputs).max(0.0),
        };
        (projected, part)
    }

    /// Applies one observation's step; `projected` comes from [`Block::project`].
    pub(crate) fn learn(&mut self, projected: &[f64], step: Step, prior: &LevelPrior) {
        for (mean, direction) in self.mean.iter_mut().zip(projected) {
            *mean += step.gain * direction;
        }
        let mut start = 0;
        for row in 0..projected.len() {
            let line = &mut self.covariance[start..=start + row];
            let factor = step.shrink * projected[row];
            for (entry, direction) in line.iter_mut().zip(projected) {
                *entry = (*entry - factor * direction) * step.inflation;
            }
            line[row] = line[row].max(VARIANCE_MIN);
            start += row + 1;
        }
        self.cap(prior);
    }

    /// Scales rows and columns whose variance exceeds the prior back to it; a congruence, so the
    /// covariance stays positive definite.
    fn cap(&mut self, prior: &LevelPrior) {
        let scales: Vec<f64> = (0..self.mean.len())
            .map(|row| {
                let variance = self.covariance[triangle(row) + row];
                (prior_variance(prior, row) / variance).sqrt().min(1.0)
            })
            .collect();
        if scales.iter().all(|&scale| scale >= 1.0) {
            return;
        }
        for (row, scale) in scales.iter().enumerate() {
            let start = triangle(row);
            for (entry, other) in self.covariance[start..=start + row].iter_mut().zip(&scales) {
                *entry *= scale * other;
            }
        }
    }

    fn grow(&mut self, columns: usize, prior: &LevelPrior) {
        for column in self.mean.len()..columns {
            self.mean.push(0.0);
            self.covariance.extend(std::iter::repeat_n(0.0, column));
            self.covariance.push(prior_variance(prior, column));
        }
    }

    /// Mean and variance of one column's weight.
    pub(crate) fn weight(&self, column: usize, prior: &LevelPrior) -> Part {
        match self.mean.get(column) {
            Some(&mean) => Part { mean, variance: self.covariance[triangle(column) + column] },
            None => Part { mean: 0.0, variance: prior_variance(prior, column) },
        }
    }
}

fn triangle(row: usize) -> usize {
    row * (row + 1) / 2
}

fn prior_variance(prior: &LevelPrior, column: usize) -> f64 {
    if column == 0 { prior.intercept_variance } else { prior.column_variance }
}

/// Four partial sums in a fixed order: the same bits on every machine, and room for vectors.
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (left_blocks, right_blocks) = (left.chunks_exact(4), right.chunks_exact(4));
    let tail: f64 = left_blocks.remainder().iter().zip(right_blocks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in left_blocks.zip(right_blocks) {
        for lane in 0..4 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: LevelPrior = LevelPrior { intercept_variance: 2.0, column_variance: 0.5 };

    #[test]
    fn an_unseen_level_answers_with_its_prior() {
        let part = Block::default().part(&[1.0, 2.0], &PRIOR);
        assert_eq!((part.mean, part.variance), (0.0, 2.0 + 4.0 * 0.5));
    }

    #[test]
    fn a_step_is_the_textbook_conditioning_of_a_gaussian() {
        let mut block = Block::default();
        let inputs = [1.0, 2.0];
        let (projected, part) = block.project(&inputs, &PRIOR);
        assert_eq!(projected, [2.0, 1.0]);
        let noise = 4.0;
        let step = Step {
            gain: 3.0 / (part.variance + noise),
            shrink: 1.0 / (part.variance + noise),
            inflation: 1.0,
        };
        block.learn(&projected, step, &PRIOR);
        // y = 3 observed with noise 4: mean = P x y / (V + noise), P' = P - P x x' P / (V + noise)
        assert_eq!(block.mean, [0.75, 0.375]);
        assert_eq!(block.covariance, [1.5, -0.25, 0.375]);
        let after = block.part(&inputs, &PRIOR);
        assert!((after.variance - part.variance * noise / (part.variance + noise)).abs() < 1e-12);
    }

    #[test]
    fn forgetting_never_lifts_a_variance_above_the_prior() {
        let mut block = Block::default();
        let (projected, _) = block.project(&[1.0, 1.0], &PRIOR);
        let step = Step { gain: 0.1, shrink: 0.2, inflation: 100.0 };
        block.learn(&projected, step, &PRIOR);
        let variances = [block.covariance[0], block.covariance[2]];
        assert!((variances[0] - 2.0).abs() < 1e-12 && (variances[1] - 0.5).abs() < 1e-12);
        assert!(block.covariance[1].abs() < (2.0_f64 * 0.5).sqrt());
    }

    #[test]
    fn narrower_inputs_use_a_part_of_the_block() {
        let mut block = Block::default();
        block.project(&[1.0, 1.0, 1.0], &PRIOR);
        assert_eq!(block.part(&[1.0, 3.0], &PRIOR).variance, 2.0 + 9.0 * 0.5);
        let (projected, part) = block.project(&[1.0, 3.0], &PRIOR);
        assert_eq!(projected, [2.0, 1.5, 0.0]);
        assert_eq!(part.variance, 2.0 + 9.0 * 0.5);
    }
}

//! What does one level believe about its weights? A Gaussian with full covariance over the places of the
//! design it has met, and one variance each for the columns beyond.
//!
//! Deliberately absent: the likelihood. The step along the summed predictor is worked out by the
//! expert and applied here to each level.

use pulp::Arch;
use serde::{Deserialize, Serialize};

use crate::config::LevelPrior;
use crate::design::{COLUMNS, Design, EXTRA, WIDTH};

const VARIANCE_MIN: f64 = 1e-9;
/// Beyond every weight and variance that evidence can lead to, and far from where sums would overflow.
const SIZE_MAX: f64 = 1e9;

/// Mean and variance of one level's part of a logit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
}

/// How much of a design an expert looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum View {
    Intercept,
    Columns,
    /// Columns and their products.
    Pairs,
}

/// Even-odds observations after which a level looks at products: fewer say nothing about them, and most
/// actions of a large catalogue need no room for them.
const PAIRS_FROM: f64 = 1.0;

impl View {
    /// The places in view at a level with this prior and so many even-odds observations, counted from the
    /// first.
    fn width(self, prior: &LevelPrior, seen: f64) -> usize {
        match self {
            Self::Pairs if prior.pair_variance > 0.0 && seen >= PAIRS_FROM => WIDTH,
            Self::Intercept => 1,
            _ if prior.column_variance > 0.0 => 1 + COLUMNS,
            _ => 1,
        }
    }
}

/// What one observation does to every level: see [`Block::learn`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// How much there was to learn: 1 at even odds, 4p(1 − p) at probability p.
    pub(crate) odds: f64,
    /// The mean moves by `gain` × covariance × inputs.
    pub(crate) gain: f64,
    /// The covariance loses `shrink` × (covariance × inputs)².
    pub(crate) shrink: f64,
    /// Then everything known fades: the covariance grows by this factor, up to the prior.
    pub(crate) inflation: f64,
}

/// Rows of the lower triangle, so symmetric by construction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Covariance {
    /// What learning goes on from.
    Exact(Vec<f64>),
    /// What is published: enough to say how unsure an answer is.
    Rounded(Vec<f32>),
}

/// Weights of one level; what was not met yet has the prior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// The place in the design of each weight, in the order they were met.
    places: Vec<u16>,
    mean: Vec<f64>,
    covariance: Covariance,
    extra: Vec<Part>,
    /// Observations learned from; one at probability p counts 4p(1 − p).
    seen: f64,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            mean: Vec::new(),
            covariance: Covariance::Exact(Vec::new()),
            extra: Vec::new(),
            seen: 0.0,
        }
    }
}

/// Covariance × inputs, and the inputs.
pub(crate) struct Projection {
    projected: Vec<f64>,
    with_extra: bool,
    pub(crate) part: Part,
}

impl Block {
    /// Whether it is a block that learning could have made: as many covariances as weights need, all of a
    /// size to calculate with.
    pub(crate) fn is_sound(&self) -> bool {
        let mut places = self.places.clone();
        places.sort_unstable();
        places.dedup();
        let distinct = places.len() == self.places.len();
        let fits = distinct
            && places.last().is_none_or(|&last| usize::from(last) < WIDTH)
            && self.mean.len() == places.len()
            && self.extra.len() <= EXTRA;
        let bounded = |number: f64| number.abs() <= SIZE_MAX;
        let covariance = match &self.covariance {
            Covariance::Exact(entries) => {
                entries.len() == triangle(places.len()) && entries.iter().all(|&entry| bounded(entry))
            }
            Covariance::Rounded(entries) => {
                entries.len() == triangle(places.len())
                    && entries.iter().all(|&entry| bounded(f64::from(entry)))
            }
        };
        let extra = |part: &Part| bounded(part.mean) && bounded(part.variance) && part.variance >= 0.0;
        fits && covariance
            && (0.0..=f64::MAX).contains(&self.seen)
            && self.mean.iter().all(|&mean| bounded(mean))
            && self.extra.iter().all(extra)
    }

    /// Whether learning can go on from it.
    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.covariance, Covariance::Exact(_))
    }

    /// The same with covariances in single precision.
    pub(crate) fn rounded(&self) -> Self {
        let covariance = match &self.covariance {
            Covariance::Exact(entries) => {
                Covariance::Rounded(entries.iter().map(|&entry| entry as f32).collect())
            }
            rounded @ Covariance::Rounded(_) => rounded.clone(),
        };
        Self {
            places: self.places.clone(),
            mean: self.mean.clone(),
            covariance,
            extra: self.extra.clone(),
            seen: self.seen,
        }
    }

    /// Adds a share of the believed weights to a line of [`WIDTH`] places and those of the columns beyond.
    pub(crate) fn add_weights(&self, share: f64, dense: &mut [f64], extra: &mut [f64]) {
        for (&place, mean) in self.places.iter().zip(&self.mean) {
            dense[usize::from(place)] += share * mean;
        }
        extra.iter_mut().zip(&self.extra).for_each(|(weight, part)| *weight += share * part.mean);
    }

    /// The mean of the level's part of the logit.
    pub(crate) fn mean(&self, design: &Design, view: View, prior: &LevelPrior) -> f64 {
        let width = view.width(prior, self.seen);
        let known = self.places.iter().zip(&self.mean);
        let dense: f64 = known
            .filter(|(place, _)| usize::from(**place) < width)
            .map(|(&place, mean)| mean * design.dense[usize::from(place)])
            .sum();
        if width == 1 {
            return dense;
        }
        let extra = design.extra.iter();
        dense
            + extra.map(|&(at, value)| self.extra.get(at).map_or(0.0, |part| part.mean) * value).sum::<f64>()
    }

    /// The level's part of the logit.
    pub(crate) fn part(&self, design: &Design, view: View, prior: &LevelPrior) -> Part {
        let width = view.width(prior, self.seen);
        let mut unmet: Vec<f64> = design.dense[..width].to_vec();
        let inputs = self.gather(design, width);
        for place in self.places.iter().map(|&place| usize::from(place)).filter(|&place| place < width) {
            unmet[place] = 0.0;
        }
        let mut variance = match &self.covariance {
            Covariance::Exact(entries) => Arch::new().dispatch(|| quadratic(entries, &inputs)),
            Covariance::Rounded(entries) => {
                f64::from(Arch::new().dispatch(|| quadratic_rounded(entries, &inputs)))
            }
        };
        for (place, &value) in unmet.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            variance += value * value * prior_variance(prior, place);
        }
        if width > 1 {
            for &(at, value) in &design.extra {
                let own = self.extra.get(at).map_or(prior.column_variance, |part| part.variance);
                variance += value * value * own;
            }
        }
        Part { mean: self.mean(design, view, prior), variance: variance.max(0.0) }
    }

    /// Grows to the design's places in view and returns covariance × inputs, with the level's part of the
    /// logit.
    ///
    /// # Panics
    /// On a block with rounded covariances: nothing can be learned from there.
    pub(crate) fn project(&mut self, design: &Design, view: View, prior: &LevelPrior) -> Projection {
        let width = view.width(prior, self.seen);
        self.grow(design, width, prior);
        let inputs = self.gather(design, width);
        let covariance = self.exact();
        let projected = Arch::new().dispatch(|| product(covariance, &inputs));
        let mut part = Part { mean: dot(&self.mean, &inputs), variance: dot(&projected, &inputs).max(0.0) };
        let with_extra = width > 1;
        if with_extra {
            for &(at, value) in &design.extra {
                part.mean += self.extra[at].mean * value;
                part.variance += self.extra[at].variance * value * value;
            }
        }
        Projection { projected, with_extra, part }
    }

    /// Applies one observation's step; `projection` comes from [`Block::project`].
    pub(crate) fn learn(&mut self, projection: &Projection, design: &Design, step: Step, prior: &LevelPrior) {
        self.seen += step.odds;
        let projected = &projection.projected;
        for (mean, direction) in self.mean.iter_mut().zip(projected) {
            *mean += step.gain * direction;
        }
        let Covariance::Exact(covariance) = &mut self.covariance else {
            return;
        };
        Arch::new().dispatch(|| condition(covariance, projected, step));
        let variances = (0..self.places.len()).map(|row| covariance[triangle(row) + row]);
        let limits = self.places.iter().map(|&place| prior_variance(prior, usize::from(place)));
        if variances.zip(limits).any(|(variance, limit)| variance > limit) {
            self.cap(prior);
        }
        if projection.with_extra {
            for &(at, value) in &design.extra {
                let part = &mut self.extra[at];
                let direction = part.variance * value;
                part.mean += step.gain * direction;
                let left = (part.variance - step.shrink * direction * direction) * step.inflation;
                part.variance = left.clamp(VARIANCE_MIN, prior.column_variance.max(VARIANCE_MIN));
            }
        }
    }

    /// Scales rows and columns whose variance exceeds the prior back to it; a congruence, so the
    /// covariance stays positive definite.
    fn cap(&mut self, prior: &LevelPrior) {
        let Covariance::Exact(covariance) = &mut self.covariance else {
            return;
        };
        let scale = |(row, &place): (usize, &u16)| {
            let variance = covariance[triangle(row) + row];
            (prior_variance(prior, usize::from(place)) / variance).sqrt().min(1.0)
        };
        let scales: Vec<f64> = self.places.iter().enumerate().map(scale).collect();
        for (row, scale) in scales.iter().enumerate() {
            let start = triangle(row);
            for (entry, other) in covariance[start..=start + row].iter_mut().zip(&scales) {
                *entry *= scale * other;
            }
        }
    }

    fn exact(&self) -> &[f64] {
        match &self.covariance {
            Covariance::Exact(entries) => entries,
            Covariance::Rounded(_) => panic!("what was published is asked, not taught"),
        }
    }

    /// The design at the places of the weights; 0 for those out of view.
    fn gather(&self, design: &Design, width: usize) -> Vec<f64> {
        let value = |&place: &u16| {
            let place = usize::from(place);
            if place < width { design.dense[place] } else { 0.0 }
        };
        self.places.iter().map(value).collect()
    }

    fn grow(&mut self, design: &Design, width: usize, prior: &LevelPrior) {
        let mut met = [false; WIDTH];
        self.places.iter().for_each(|&place| met[usize::from(place)] = true);
        let Covariance::Exact(covariance) = &mut self.covariance else {
            return;
        };
        for (place, met) in met.iter().enumerate().take(width) {
            if design.dense[place] != 0.0 && !met {
                covariance.extend(std::iter::repeat_n(0.0, self.mean.len()));
                covariance.push(prior_variance(prior, place));
                self.mean.push(0.0);
                self.places.push(place as u16);
            }
        }
        let beyond = design.extra.iter().map(|&(at, _)| at + 1).max().filter(|_| width > 1).unwrap_or(0);
        if self.extra.len() < beyond {
            self.extra.resize(beyond, Part { mean: 0.0, variance: prior.column_variance });
        }
    }

    /// The believed intercept.
    pub(crate) fn intercept(&self) -> f64 {
        let known = self.places.iter().position(|&place| place == 0);
        known.map_or(0.0, |row| self.mean[row])
    }

    /// Mean and variance of one column's weight, from 1; 0 is the intercept.
    pub(crate) fn weight(&self, column: usize, prior: &LevelPrior) -> Part {
        let unmet = Part { mean: 0.0, variance: prior_variance(prior, column) };
        if column > COLUMNS {
            return self.extra.get(column - COLUMNS - 1).copied().unwrap_or(unmet);
        }
        let Some(row) = self.places.iter().position(|&place| usize::from(place) == column) else {
            return unmet;
        };
        let at = triangle(row) + row;
        let variance = match &self.covariance {
            Covariance::Exact(entries) => entries[at],
            Covariance::Rounded(entries) => f64::from(entries[at]),
        };
        Part { mean: self.mean[row], variance }
    }
}

fn triangle(row: usize) -> usize {
    row * (row + 1) / 2
}

fn prior_variance(prior: &LevelPrior, place: usize) -> f64 {
    match place {
        0 => prior.intercept_variance,
        place if place <= COLUMNS || place >= WIDTH => prior.column_variance,
        _ => prior.pair_variance,
    }
}

/// Covariance × inputs.
#[inline(always)]
fn product(covariance: &[f64], inputs: &[f64]) -> Vec<f64> {
    let mut projected = vec![0.0; inputs.len()];
    let mut start = 0;
    for (row, &input) in inputs.iter().enumerate() {
        let line = &covariance[start..=start + row];
        let along = dot(line, &inputs[..=row]);
        if input != 0.0 {
            for (sum, entry) in projected.iter_mut().zip(&line[..row]) {
                *sum += entry * input;
            }
        }
        projected[row] += along;
        start += row + 1;
    }
    projected
}

/// Takes an observation along `projected` out of the covariance, then lets it grow again.
#[inline(always)]
fn condition(covariance: &mut [f64], projected: &[f64], step: Step) {
    let mut start = 0;
    for (row, own) in projected.iter().enumerate() {
        let line = &mut covariance[start..=start + row];
        let factor = step.shrink * own;
        for (entry, direction) in line.iter_mut().zip(projected) {
            *entry = (*entry - factor * direction) * step.inflation;
        }
        line[row] = line[row].max(VARIANCE_MIN);
        start += row + 1;
    }
}

/// Inputs × covariance × inputs.
#[inline(always)]
fn quadratic(entries: &[f64], inputs: &[f64]) -> f64 {
    let mut start = 0;
    let mut sum = 0.0;
    for (row, &input) in inputs.iter().enumerate() {
        if input != 0.0 {
            let line = &entries[start..=start + row];
            sum += input * (2.0 * dot(&line[..row], &inputs[..row]) + input * line[row]);
        }
        start += row + 1;
    }
    sum
}

/// The same in single precision, for what is asked in the middle of a decision.
#[inline(always)]
fn quadratic_rounded(entries: &[f32], inputs: &[f64]) -> f32 {
    const LANES: usize = 8;
    let inputs: Vec<f32> = inputs.iter().map(|&input| input as f32).collect();
    let mut start = 0;
    let mut sum = 0.0;
    for (row, &input) in inputs.iter().enumerate() {
        if input != 0.0 {
            let line = &entries[start..=start + row];
            let mut lanes = [0.0_f32; LANES];
            let (blocks, others) = (line[..row].chunks_exact(LANES), inputs[..row].chunks_exact(LANES));
            let tail: f32 = blocks.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
            for (a, b) in blocks.zip(others) {
                for lane in 0..LANES {
                    lanes[lane] += a[lane] * b[lane];
                }
            }
            sum += input * (2.0 * (lanes.iter().sum::<f32>() + tail) + input * line[row]);
        }
        start += row + 1;
    }
    sum
}

/// Four partial sums in a fixed order: the same bits on every machine, and room for vectors.
#[inline(always)]
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
    use crate::design::Inputs;

    const PRIOR: LevelPrior =
        LevelPrior { intercept_variance: 2.0, column_variance: 0.5, pair_variance: 0.0 };

    fn design(columns: &[f32]) -> Design {
        Design::of(&Inputs { columns: columns.to_vec(), features: 2, ..Inputs::default() })
    }

    fn exact(block: &Block) -> &[f64] {
        block.exact()
    }

    #[test]
    fn an_unseen_level_answers_with_its_prior() {
        let part = Block::default().part(&design(&[2.0]), View::Columns, &PRIOR);
        assert_eq!((part.mean, part.variance), (0.0, 2.0 + 4.0 * 0.5));
        let beyond = Design { extra: vec![(7, 2.0)], ..design(&[]) };
        assert_eq!(Block::default().part(&beyond, View::Columns, &PRIOR).variance, 2.0 + 4.0 * 0.5);
        assert_eq!(Block::default().part(&beyond, View::Intercept, &PRIOR).variance, 2.0);
    }

    #[test]
    fn a_step_is_the_textbook_conditioning_of_a_gaussian() {
        let mut block = Block::default();
        let design = design(&[2.0]);
        let projection = block.project(&design, View::Columns, &PRIOR);
        assert_eq!(projection.projected, [2.0, 1.0]);
        let noise = 4.0;
        let step = Step {
            odds: 1.0,
            gain: 3.0 / (projection.part.variance + noise),
            shrink: 1.0 / (projection.part.variance + noise),
            inflation: 1.0,
        };
        block.learn(&projection, &design, step, &PRIOR);
        // y = 3 observed with noise 4: mean = P x y / (V + noise), P' = P - P x x' P / (V + noise)
        assert_eq!(block.mean, [0.75, 0.375]);
        assert_eq!(exact(&block), [1.5, -0.25, 0.375]);
        let after = block.part(&design, View::Columns, &PRIOR);
        let expected = projection.part.variance * noise / (projection.part.variance + noise);
        assert!((after.variance - expected).abs() < 1e-12);
        let rounded = block.rounded().part(&design, View::Columns, &PRIOR);
        assert!(rounded.mean == after.mean && (rounded.variance - expected).abs() < 1e-6);
    }

    #[test]
    fn a_column_beyond_is_conditioned_for_itself() {
        let mut block = Block::default();
        let design = Design { extra: vec![(3, 2.0)], ..design(&[]) };
        let projection = block.project(&design, View::Columns, &PRIOR);
        assert_eq!(projection.part.variance, 2.0 + 4.0 * 0.5);
        let step = Step { odds: 1.0, gain: 0.5, shrink: 0.125, inflation: 1.0 };
        block.learn(&projection, &design, step, &PRIOR);
        assert_eq!(block.extra[3], Part { mean: 0.5, variance: 0.5 - 0.125 });
        assert_eq!(block.extra[0], Part { mean: 0.0, variance: 0.5 });
    }

    #[test]
    fn forgetting_never_lifts_a_variance_above_the_prior() {
        let mut block = Block::default();
        let design = design(&[1.0]);
        let projection = block.project(&design, View::Columns, &PRIOR);
        let step = Step { odds: 1.0, gain: 0.1, shrink: 0.2, inflation: 100.0 };
        block.learn(&projection, &design, step, &PRIOR);
        let covariance = exact(&block);
        assert!((covariance[0] - 2.0).abs() < 1e-12 && (covariance[2] - 0.5).abs() < 1e-12);
        assert!(covariance[1].abs() < (2.0_f64 * 0.5).sqrt());
    }

    #[test]
    fn a_block_has_room_for_what_it_met_and_no_more() {
        let mut block = Block::default();
        block.project(&design(&[0.0, 1.0]), View::Columns, &PRIOR);
        assert_eq!(block.places, [0, 2]);
        block.project(&design(&[1.0, 1.0]), View::Columns, &PRIOR);
        assert_eq!(block.places, [0, 2, 1]);
        assert_eq!(exact(&block).len(), 6);
        let part = block.part(&design(&[3.0]), View::Columns, &PRIOR);
        assert_eq!(part.variance, 2.0 + 9.0 * 0.5);
    }

    #[test]
    fn products_are_in_view_of_those_who_look_at_pairs() {
        let prior = LevelPrior { pair_variance: 1.0, ..PRIOR };
        let (mut columns, mut pairs) = (Block::default(), Block::default());
        let design = design(&[1.0, 2.0]);
        columns.project(&design, View::Columns, &prior);
        let first = pairs.project(&design, View::Pairs, &prior);
        assert_eq!(pairs.places.len(), 3);
        pairs.learn(&first, &design, Step { odds: 1.0, gain: 0.0, shrink: 0.0, inflation: 1.0 }, &prior);
        pairs.project(&design, View::Pairs, &prior);
        assert_eq!(columns.places.len(), 3);
        assert_eq!(pairs.places.len(), 4);
        let difference = pairs.part(&design, View::Pairs, &prior).variance
            - columns.part(&design, View::Columns, &prior).variance;
        assert!((difference - 4.0).abs() < 1e-9, "{difference}");
    }
}

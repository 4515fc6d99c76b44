//! How is a model laid out to answer a thousand arms at once? For every action on a channel one line:
//! the weights of all its levels, and of all experts worth asking, added up.
//!
//! Deliberately absent: how unsure an answer is, which takes covariances, and arms never met; both
//! are read from the model itself. Single precision: estimates are recorded coarser than that.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::block::View;
use crate::design::{COLUMNS, Design, PAIRS, WIDTH};
use crate::expert::{ACTION, GROUP, Path, logistic};
use crate::mixture::Mixture;
use crate::model::{Model, OutcomeModel};
use crate::prediction::Prediction;
use crate::recalibration::Correction;

/// Keeps predictions strictly between 0 and 1 also as `f32`.
const PROBABILITY_MIN: f64 = 1e-6;
/// Sums run in so many lanes.
const LANES: usize = 8;

/// The lines of all arms met so far.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Serving {
    /// Action and channel of each line, ascending.
    arms: Vec<(Arc<str>, Arc<str>)>,
    outcomes: BTreeMap<Arc<str>, Outcome>,
}

/// One outcome of all lines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    lines: Vec<Line>,
    acting: Weights,
    not_acting: Weights,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    /// The prior's logit.
    offset: f64,
    /// What early signs add to it when acting.
    shift: f64,
    evidence: f32,
    correction: Correction,
    /// Whether what happens without acting is known well enough.
    supported: bool,
}

/// Line after line, the weights of the places of the design, then of the columns beyond.
#[derive(Clone, Debug, PartialEq)]
struct Weights {
    /// Places that any expert asked looks at, a multiple of [`LANES`].
    width: usize,
    /// Columns beyond.
    extra: usize,
    values: Vec<f32>,
}

/// A design in single precision, in whole lanes.
pub(crate) struct Row {
    dense: Vec<f32>,
    extra: Vec<(usize, f32)>,
}

impl Row {
    pub(crate) fn of(design: &Design) -> Self {
        let mut dense: Vec<f32> = design.dense.iter().map(|&value| value as f32).collect();
        dense.resize(WIDTH.next_multiple_of(LANES), 0.0);
        let extra = design.extra.iter().map(|&(at, value)| (at, value as f32)).collect();
        Self { dense, extra }
    }
}

impl Serving {
    pub(crate) fn of(model: &Model) -> Self {
        let mut arms = Vec::new();
        let mut paths = Vec::new();
        for (action, channel, path) in model.hierarchy.arms() {
            arms.push((action.clone(), channel.clone()));
            paths.push(path);
        }
        let outcome = |(name, outcome): (&Arc<str>, &OutcomeModel)| {
            let line = |((action, channel), path): (&(Arc<str>, Arc<str>), &Path)| Line {
                offset: model.offset(action, name),
                shift: model.shift(name, path),
                evidence: outcome.acting.evidence(ACTION, path[ACTION]) as f32,
                correction: outcome.correction(channel),
                supported: supported(&outcome.not_acting, path, model.config.baseline_evidence),
            };
            let served = Outcome {
                lines: arms.iter().zip(&paths).map(line).collect(),
                acting: Weights::of(&outcome.acting, &paths, model),
                not_acting: Weights::of(&outcome.not_acting, &paths, model),
            };
            (name.clone(), served)
        };
        let outcomes = model.outcomes.iter().map(outcome).collect();
        Self { arms, outcomes }
    }

    pub(crate) fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.get(name)
    }

    /// The line of an arm, looked for from line `near` on first: asked in ascending order, all are
    /// found in one sweep.
    pub(crate) fn line(&self, action: &str, channel: &str, near: usize) -> Option<usize> {
        let before = |(known, over): &(Arc<str>, Arc<str>)| (&**known, &**over) < (action, channel);
        let mut low = if near > 0 && self.arms.get(near - 1).is_some_and(before) { near } else { 0 };
        let mut reach = 1;
        while self.arms.get(low + reach - 1).is_some_and(before) {
            low += reach;
            reach *= 2;
        }
        let high = (low + reach).min(self.arms.len());
        let found = low + self.arms[low..high].partition_point(before);
        let (known, over) = self.arms.get(found)?;
        (&**known == action && &**over == channel).then_some(found)
    }
}

impl Outcome {
    /// What a line expects; its deviation is left at 0.
    #[inline(always)]
    pub(crate) fn predict(&self, line: usize, row: &Row) -> Prediction {
        let Line { offset, shift, evidence, correction, supported } = self.lines[line];
        let baseline = supported.then(|| logistic(offset + self.not_acting.logit(line, row)));
        let acting = correction.logit(offset + shift + self.acting.logit(line, row));
        Prediction {
            probability: bounded(logistic(acting)),
            deviation: 0.0,
            baseline: baseline.map(bounded),
            evidence,
        }
    }
}

impl Weights {
    /// The experts' weights averaged by their shares.
    fn of(mixture: &Mixture, paths: &[Path], model: &Model) -> Self {
        let asked = mixture.asked();
        let experts = || mixture.experts.iter().zip(asked).filter(|(_, share)| *share > 0.0);
        let columns = model.encoder.columns();
        let known = columns.min(COLUMNS);
        let places = experts().map(|(expert, _)| match expert.view {
            View::Pairs if known > 0 => 1 + COLUMNS + (known * (known + 1) / 2).min(PAIRS),
            View::Pairs | View::Columns => 1 + known,
            View::Intercept => 1,
        });
        let width = places.max().unwrap_or(1).next_multiple_of(LANES);
        let extra = columns.saturating_sub(COLUMNS);
        let mut values = Vec::with_capacity((width + extra) * paths.len());
        for path in paths {
            let (mut dense, mut beyond) = ([0.0; WIDTH], vec![0.0; extra]);
            for (expert, share) in experts() {
                expert.add_weights(path, share, &mut dense, &mut beyond);
            }
            let padded = dense.iter().chain(std::iter::repeat(&0.0)).take(width);
            values.extend(padded.chain(&beyond).map(|&weight| weight as f32));
        }
        Self { width, extra, values }
    }

    /// What they add to the logit.
    #[inline(always)]
    fn logit(&self, line: usize, row: &Row) -> f64 {
        let stride = self.width + self.extra;
        let (dense, beyond) = self.values[line * stride..][..stride].split_at(self.width);
        let mut logit = dot(dense, &row.dense);
        for &(at, value) in &row.extra {
            logit += beyond.get(at).map_or(0.0, |weight| weight * value);
        }
        f64::from(logit)
    }
}

/// Whether control and silent decisions support a baseline.
pub(crate) fn supported(not_acting: &Mixture, path: &Path, evidence_min: f64) -> bool {
    [GROUP, ACTION].into_iter().any(|level| not_acting.evidence(level, path[level]) >= evidence_min)
}

pub(crate) fn bounded(probability: f64) -> f32 {
    probability.clamp(PROBABILITY_MIN, 1.0 - PROBABILITY_MIN) as f32
}

/// Lanes are summed in a fixed order: the same bits on every machine. What one side lacks is 0.
#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    for (a, b) in left.chunks_exact(LANES).zip(right.chunks_exact(LANES)) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_from_wherever_the_search_begins() {
        let arm = |action: usize, channel: &str| (format!("a{action:02}").into(), channel.into());
        let arms = (0..40).flat_map(|action| [arm(action, "mail"), arm(action, "web")]).collect();
        let serving = Serving { arms, outcomes: BTreeMap::new() };
        for near in 0..=80 {
            for action in 0..40 {
                let found = serving.line(&format!("a{action:02}"), "web", near);
                assert_eq!(found, Some(action * 2 + 1), "from {near}");
            }
            for (action, channel) in [("a07", "letter"), ("a07x", "web"), ("", ""), ("z", "web")] {
                assert_eq!(serving.line(action, channel, near), None);
            }
        }
        assert_eq!(Serving { arms: Vec::new(), outcomes: BTreeMap::new() }.line("a", "web", 0), None);
    }

    #[test]
    fn a_product_takes_what_both_sides_have() {
        let inputs: Vec<f32> = (0..24_u8).map(f32::from).collect();
        let row = vec![2.0; 16];
        assert_eq!(dot(&row, &inputs), 2.0 * 120.0);
        assert_eq!(dot(&row, &inputs[..8]), 2.0 * 28.0);
    }
}

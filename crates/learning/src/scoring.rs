//! What does the model expect of these arms, for this customer, now? Features are encoded once, and
//! what arms share (the global level, their group, their action) is computed once.
//!
//! Deliberately absent: learning. Scoring reads.

use std::collections::BTreeMap;

use crate::block::Part;
use crate::config::Config;
use crate::expert::{ACTION, GROUP, LEVELS, Path, TREATMENT};
use crate::features::Features;
use crate::mixture::{Belief, EXPERTS, Mixture};
use crate::model::{Model, OutcomeModel};
use crate::prediction::{Arm, Prediction};

/// Keeps predictions strictly between 0 and 1 also as `f32`.
const PROBABILITY_MIN: f64 = 1e-6;

pub(crate) fn predict(model: &Model, features: &Features, arms: &[Arm]) -> Vec<Prediction> {
    let inputs = model.encoder.encode(features).to_f64();
    let mut shared: BTreeMap<&str, Shared> = BTreeMap::new();
    let mut last: Option<(&Arm, Path)> = None;
    arms.iter()
        .map(|arm| {
            let path = match last {
                Some((same, path)) if same.action == arm.action && same.channel == arm.channel => path,
                _ => model.hierarchy.path(&arm.action, &arm.channel),
            };
            last = Some((arm, path));
            let Some(outcome) = model.outcomes.get(&arm.outcome) else {
                return prior(&model.config, arm, &inputs);
            };
            let shared = shared.entry(&arm.outcome).or_default();
            let offset = model.offset(&arm.action, &arm.outcome);
            taught(outcome, offset, shared, &path, &inputs, &model.config)
        })
        .collect()
}

/// An outcome never learned about.
fn prior(config: &Config, arm: &Arm, inputs: &[f64]) -> Prediction {
    let untaught = Mixture::new(config);
    let mut totals = [Part::default(); EXPERTS];
    for level in 0..LEVELS {
        add(&mut totals, &untaught.parts(level, None, inputs, config));
    }
    Prediction {
        probability: config.action_probability(&arm.action, &arm.outcome) as f32,
        deviation: untaught.mix(0.0, &totals).deviation as f32,
        baseline: None,
        evidence: 0.0,
    }
}

fn taught(
    outcome: &OutcomeModel,
    offset: f64,
    shared: &mut Shared,
    path: &Path,
    inputs: &[f64],
    config: &Config,
) -> Prediction {
    let OutcomeModel { acting, not_acting } = outcome;
    let belief = shared.belief(acting, offset, path, inputs, config);
    let supported = [GROUP, ACTION]
        .into_iter()
        .any(|level| not_acting.evidence(level, path[level]) >= config.baseline_evidence);
    let baseline = supported.then(|| not_acting.probability(path, offset, inputs, config));
    Prediction {
        probability: bounded(belief.probability),
        deviation: belief.deviation as f32,
        baseline: baseline.map(bounded),
        evidence: acting.evidence(ACTION, path[ACTION]) as f32,
    }
}

fn bounded(probability: f64) -> f32 {
    probability.clamp(PROBABILITY_MIN, 1.0 - PROBABILITY_MIN) as f32
}

/// Parts of one outcome's logit by level and node, computed once; the treatment's, used once, are
/// not kept.
#[derive(Default)]
struct Shared {
    levels: [Vec<Option<[Part; EXPERTS]>>; TREATMENT],
}

impl Shared {
    fn belief(
        &mut self,
        mixture: &Mixture,
        offset: f64,
        path: &Path,
        inputs: &[f64],
        config: &Config,
    ) -> Belief {
        let mut totals = mixture.parts(TREATMENT, path[TREATMENT], inputs, config);
        for (level, parts) in self.levels.iter_mut().enumerate() {
            let slot = path[level].map_or(0, |node| node as usize + 1);
            if parts.len() <= slot {
                parts.resize(slot + 1, None);
            }
            let part = parts[slot].get_or_insert_with(|| mixture.parts(level, path[level], inputs, config));
            add(&mut totals, part);
        }
        mixture.mix(offset, &totals)
    }
}

fn add(totals: &mut [Part; EXPERTS], parts: &[Part; EXPERTS]) {
    for (total, part) in totals.iter_mut().zip(parts) {
        total.mean += part.mean;
        total.variance += part.variance;
    }
}

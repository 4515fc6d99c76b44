//! What does the model expect of these arms, for this customer, now? Features are encoded once; arms
//! met before are read from their lines ([`crate::serving`]) where there are some, others from the levels
//! that know them.
//!
//! Deliberately absent: learning. Scoring reads.

use std::collections::BTreeMap;

use pulp::Arch;

use crate::block::Part;
use crate::config::Config;
use crate::design::Design;
use crate::expert::{LEVELS, Path, TREATMENT, logistic};
use crate::features::Features;
use crate::mixture::{EXPERTS, Mixture};
use crate::model::{Model, OutcomeModel};
use crate::prediction::{Arm, Arms, Prediction};
use crate::recalibration::Correction;
use crate::serving::{self, Row, Serving, bounded};

pub(crate) fn predict(
    model: &Model,
    serving: Option<&Serving>,
    features: &Features,
    arms: Arms<'_>,
) -> Vec<Prediction> {
    let design = Design::of(&model.encoder.encode(features));
    let row = Row::of(&design);
    let outcomes: Vec<_> = arms
        .outcomes
        .iter()
        .map(|outcome| (model.outcomes.get(outcome), serving.and_then(|lines| lines.outcome(outcome))))
        .collect();
    let mut predictions = Vec::with_capacity(arms.actions.len() * outcomes.len());
    let mut near = 0;
    Arch::new().dispatch(|| {
        for &action in arms.actions {
            let line = serving.and_then(|lines| lines.line(action, arms.channel, near));
            near = line.map_or(near, |line| line + 1);
            for (outcome, (taught, served)) in arms.outcomes.iter().zip(&outcomes) {
                let arm = Arm { action, channel: arms.channel, outcome };
                predictions.push(match (line, served, taught) {
                    (Some(line), Some(served), _) => served.predict(line, &row),
                    (None, _, Some(taught)) => unmet(model, taught, arm, &design),
                    _ => prior(&model.config, arm),
                });
            }
        }
    });
    predictions
}

/// An outcome never learned about.
fn prior(config: &Config, arm: Arm<'_>) -> Prediction {
    let probability = config.action_probability(arm.action, arm.outcome) as f32;
    Prediction { probability, deviation: 0.0, baseline: None, evidence: 0.0 }
}

/// An action not met yet, or not on this channel: the levels that know it speak.
fn unmet(model: &Model, outcome: &OutcomeModel, arm: Arm<'_>, design: &Design) -> Prediction {
    let (config, path) = (&model.config, model.hierarchy.path(arm.action, arm.channel));
    let offset = model.offset(arm.action, arm.outcome);
    let logit = |mixture: &Mixture, offset| mixture.logit(&path, offset, design, config);
    let acting = logit(&outcome.acting, offset + model.shift(arm.outcome, &path));
    let correction = outcome.correction(arm.channel);
    let supported = serving::supported(&outcome.not_acting, &path, config.baseline_evidence);
    Prediction {
        probability: bounded(logistic(correction.logit(acting))),
        deviation: 0.0,
        baseline: supported.then(|| bounded(logistic(logit(&outcome.not_acting, offset)))),
        evidence: outcome.acting.evidence(crate::expert::ACTION, path[crate::expert::ACTION]) as f32,
    }
}

pub(crate) fn deviations(model: &Model, features: &Features, arms: Arms<'_>) -> Vec<f32> {
    let design = Design::of(&model.encoder.encode(features));
    let untaught = Mixture::new(&model.config);
    let mut shared: Vec<Shared> = arms.outcomes.iter().map(|_| Shared::default()).collect();
    let mut deviations = Vec::with_capacity(arms.actions.len() * shared.len());
    for &action in arms.actions {
        let path = model.hierarchy.path(action, arms.channel);
        for (outcome, shared) in arms.outcomes.iter().zip(&mut shared) {
            let (mixture, path, correction) = match model.outcomes.get(outcome) {
                Some(taught) => (&taught.acting, path, taught.correction(arms.channel)),
                None => (&untaught, [None; LEVELS], Correction::NONE),
            };
            let deviation = shared.deviation(mixture, &path, &design, &model.config);
            deviations.push(correction.deviation(deviation) as f32);
        }
    }
    deviations
}

/// Parts of one outcome's logit by level and node, computed once; the treatment's, used once, are
/// not kept.
#[derive(Default)]
struct Shared {
    levels: [BTreeMap<Option<u32>, [Part; EXPERTS]>; TREATMENT],
}

impl Shared {
    fn deviation(&mut self, mixture: &Mixture, path: &Path, design: &Design, config: &Config) -> f64 {
        let mut totals = mixture.parts(TREATMENT, path[TREATMENT], design, config);
        for (level, parts) in self.levels.iter_mut().enumerate() {
            let part =
                parts.entry(path[level]).or_insert_with(|| mixture.parts(level, path[level], design, config));
            for (total, part) in totals.iter_mut().zip(part) {
                total.mean += part.mean;
                total.variance += part.variance;
            }
        }
        mixture.deviation(&totals)
    }
}

//! How likely is each outcome, if we say this and if we do not?
//!
//! Features are what the action's purpose permits; the predictor sees nothing else. Estimates are
//! rounded and recorded, so that a decision can be replayed without the model.

use crate::{
    Timestamp,
    candidate::Candidate,
    consent::{Permitted, PermittedView},
    estimate,
    inputs::Inputs,
    request::Request,
    strategy::{PurposeIndex, Strategy},
    value::Value,
};
use learning::{Arm, Feature, FeatureValue, Features};
use std::sync::Arc;

const MS_PER_DAY: f64 = 86_400_000.0;

/// The name under which the goal is learned.
pub const GOAL: &str = "goal";

/// Asks the predictor once per purpose, for all candidates still in the running.
pub fn estimate(
    strategy: &Strategy,
    candidates: &mut [Candidate],
    permitted: &Permitted<'_>,
    inputs: &Inputs<'_>,
    request: &Request,
    at: Timestamp,
) {
    let outcomes = outcomes(strategy);
    let channel = request.channel.shared();
    for (purpose, _) in (0u16..).zip(&strategy.purposes) {
        let mut concerned: Vec<&mut Candidate> = candidates
            .iter_mut()
            .filter(|candidate| candidate.alive())
            .filter(|candidate| strategy.actions[usize::from(candidate.action)].purpose == purpose)
            .collect();
        if concerned.is_empty() {
            continue;
        }
        let features = features(strategy, permitted, purpose, request, at);
        let arms: Vec<Arm> = concerned
            .iter()
            .flat_map(|candidate| {
                let action = strategy.actions[usize::from(candidate.action)].id.shared();
                let channel = channel.clone();
                outcomes.iter().map(move |outcome| Arm {
                    action: action.clone(),
                    channel: channel.clone(),
                    outcome: outcome.clone(),
                })
            })
            .collect();
        let predictions = inputs.predictor.predict(&features, &arms);
        for (candidate, predictions) in concerned.iter_mut().zip(predictions.chunks(outcomes.len())) {
            let sides = predictions[1..].iter().copied().map(estimate::rounded_bare);
            candidate.predictions = std::iter::once(estimate::rounded(predictions[0])).chain(sides).collect();
        }
    }
}

/// The outcomes of every action: its goal, then the organisation's side outcomes.
pub fn outcomes(strategy: &Strategy) -> Vec<Arc<str>> {
    let sides = strategy.organisation.outcomes.iter().map(|side| side.outcome.shared());
    std::iter::once(GOAL.into()).chain(sides).collect()
}

/// What models may see for a purpose: permitted attributes and request values that are declared learnable.
pub fn features(
    strategy: &Strategy,
    permitted: &Permitted<'_>,
    purpose: PurposeIndex,
    request: &Request,
    at: Timestamp,
) -> Features {
    let view: Option<&PermittedView<'_>> = permitted.view(purpose).ok();
    let attributes = view.into_iter().flat_map(PermittedView::iter).filter_map(|(index, fact)| {
        let attribute = &strategy.attributes[usize::from(index)];
        attribute.learn.then(|| Feature {
            name: attribute.name.shared(),
            value: feature_value(fact.value, at),
            confidence: fact.confidence,
        })
    });
    let contexts = strategy.contexts.iter().filter(|context| context.learn).filter_map(|context| {
        let value = request.context.get(&context.name)?;
        Some(Feature {
            name: format!("context.{}", context.name).into(),
            value: feature_value(value, at),
            confidence: 1.0,
        })
    });
    Features::new(attributes.chain(contexts).collect())
}

fn feature_value(value: &Value, at: Timestamp) -> FeatureValue {
    match value {
        Value::Bool(flag) => FeatureValue::Flag(*flag),
        Value::Number(number) => FeatureValue::Number(*number),
        Value::Text(text) => FeatureValue::Category(text.clone()),
        Value::Time(moment) => {
            FeatureValue::Number((moment.as_millisecond() - at.as_millisecond()) as f64 / MS_PER_DAY)
        }
    }
}

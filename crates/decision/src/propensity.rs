//! How likely is each outcome, if we say this and if we do not?
//!
//! Features are what the action's purpose permits; the predictor sees nothing else. Estimates are
//! rounded and recorded, so that a decision can be replayed without the model. How sure they are is
//! asked later, of the few that contend for a slot.

use crate::{
    Timestamp,
    candidate::Candidate,
    consent::{Permitted, PermittedView},
    estimate,
    inputs::Inputs,
    request::Request,
    strategy::{ActionIndex, PurposeIndex, Strategy},
    value::Value,
};
use learning::{Arms, Feature, FeatureValue, Features, Prediction, Predictor};
use std::sync::Arc;

const MS_PER_DAY: f64 = 86_400_000.0;

/// The name under which the goal is learned.
pub const GOAL: &str = "goal";

/// What was asked, kept to ask again how sure the answers are.
pub struct Estimates<'a> {
    strategy: &'a Strategy,
    predictor: &'a dyn Predictor,
    channel: &'a str,
    /// What the predictor saw, for each purpose it was asked about.
    features: Vec<Option<Features>>,
}

/// Asks the predictor once per purpose, for all candidates still in the running.
pub fn estimate<'a>(
    strategy: &'a Strategy,
    candidates: &mut [Candidate],
    permitted: &Permitted<'_>,
    inputs: &Inputs<'a>,
    request: &'a Request,
    at: Timestamp,
) -> Estimates<'a> {
    let outcomes = outcomes(strategy);
    let channel = request.channel.as_str();
    let mut estimates = Estimates { strategy, predictor: inputs.predictor, channel, features: Vec::new() };
    for (purpose, _) in (0u16..).zip(&strategy.purposes) {
        let mut concerned: Vec<&mut Candidate> = candidates
            .iter_mut()
            .filter(|candidate| candidate.alive())
            .filter(|candidate| strategy.actions[usize::from(candidate.action)].purpose == purpose)
            .collect();
        if concerned.is_empty() {
            estimates.features.push(None);
            continue;
        }
        let features = features(strategy, permitted, purpose, request, at);
        let actions: Vec<&str> = concerned.iter().map(|candidate| estimates.name(candidate.action)).collect();
        let arms = Arms { actions: &actions, channel, outcomes: &outcomes };
        let predictions = inputs.predictor.predict(&features, arms);
        for (candidate, predictions) in concerned.iter_mut().zip(predictions.chunks(outcomes.len())) {
            let goal = estimate::rounded(Prediction { deviation: 0.0, ..predictions[0] });
            let sides = predictions[1..].iter().copied().map(estimate::rounded_bare);
            candidate.predictions = std::iter::once(goal).chain(sides).collect();
        }
        estimates.features.push(Some(features));
    }
    estimates
}

impl Estimates<'_> {
    /// Asks how unsure the goals of these candidates are, and notes it in their estimates and priorities.
    pub fn doubt(&self, candidates: &mut [Candidate], contenders: &[u16]) {
        let goal = [GOAL.into()];
        for (purpose, features) in (0u16..).zip(&self.features) {
            let Some(features) = features else {
                continue;
            };
            let of_purpose = |index: &&u16| {
                let action = candidates[usize::from(**index)].action;
                self.strategy.actions[usize::from(action)].purpose == purpose
            };
            let concerned: Vec<u16> = contenders.iter().filter(of_purpose).copied().collect();
            let name = |index: &u16| self.name(candidates[usize::from(*index)].action);
            let actions: Vec<&str> = concerned.iter().map(name).collect();
            let arms = Arms { actions: &actions, channel: self.channel, outcomes: &goal };
            for (index, deviation) in concerned.iter().zip(self.predictor.deviations(features, arms)) {
                let candidate = &mut candidates[usize::from(*index)];
                let estimate = estimate::rounded(Prediction { deviation, ..candidate.predictions[0] });
                candidate.predictions[0] = estimate;
                if let Some(priority) = &mut candidate.priority {
                    priority.deviation = f64::from(estimate.deviation);
                }
            }
        }
    }

    fn name(&self, action: ActionIndex) -> &str {
        self.strategy.actions[usize::from(action)].id.as_str()
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

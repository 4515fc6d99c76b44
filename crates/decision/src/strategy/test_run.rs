//! Does a strategy do what its own tests expect? Tests run with the declared priors as the model,
//! without exploration and without control groups, so that the outcome is the strategy's alone.

use super::{
    model::Strategy,
    test_case::{DecisionTest, Expected, STEPS},
};
use crate::{
    candidate::{Dropped, Fate, Step},
    decide::decide,
    id::ActionId,
    inputs::{Assignment, Inputs},
    record::Decision,
};
use learning::{Arms, Features, ModelVersion, Prediction, Predictor};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// A model that knows only the declared priors, and is sure of them.
#[derive(Debug, Clone)]
pub struct Priors {
    goals: BTreeMap<Arc<str>, f64>,
    side_outcomes: BTreeMap<Arc<str>, f64>,
}

impl Priors {
    /// The priors a strategy declares.
    pub fn of(strategy: &Strategy) -> Self {
        let sides = &strategy.organisation.outcomes;
        Self {
            goals: strategy.actions.iter().map(|action| (action.id.shared(), action.prior)).collect(),
            side_outcomes: sides.iter().map(|side| (side.outcome.shared(), side.prior)).collect(),
        }
    }
}

impl Predictor for Priors {
    fn predict(&self, _features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        const UNDECLARED: f64 = 0.05;
        arms.iter()
            .map(|arm| {
                let side = self.side_outcomes.get(arm.outcome);
                let probability = side.or_else(|| self.goals.get(arm.action)).copied().unwrap_or(UNDECLARED);
                Prediction { probability: probability as f32, deviation: 0.0, baseline: None, evidence: 0.0 }
            })
            .collect()
    }

    fn version(&self) -> ModelVersion {
        ModelVersion::NONE
    }
}

/// An expectation that was not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where the expectation stands in the test's file, in bytes.
    pub span: Range<usize>,
    /// What was expected, in words.
    pub expected: String,
    /// What came instead, in words.
    pub got: String,
}

/// Makes a strategy ready for its tests: nothing is tried out.
pub fn without_exploration(mut strategy: Strategy) -> Strategy {
    strategy.organisation.exploration.floor = 0.0;
    strategy
}

/// Runs one test; no differences means that it passes.
///
/// `strategy` comes from [`without_exploration`]; otherwise the outcome may be a matter of chance.
pub fn run(strategy: &Strategy, test: &DecisionTest) -> Vec<Difference> {
    let decision = decision(strategy, test);
    test.expectations
        .iter()
        .filter_map(|expectation| {
            let (expected, got) = compare(strategy, &decision, &expectation.expected)?;
            Some(Difference { span: expectation.span.clone(), expected, got })
        })
        .collect()
}

/// The decision a test asks for.
pub fn decision(strategy: &Strategy, test: &DecisionTest) -> Decision {
    const SEED: u64 = 0;
    let inputs = Inputs {
        customer: test.customer.as_ref(),
        household: Some(&test.household),
        quotas: &BTreeMap::new(),
        predictor: &Priors::of(strategy),
        assignment: Assignment::Strategy,
        experiments: &[],
        recorded_worth: None,
        adjustments: &[],
    };
    decide(strategy, &inputs, &test.request, test.at, SEED)
}

/// Both sides in words, when they differ.
fn compare(strategy: &Strategy, decision: &Decision, expected: &Expected) -> Option<(String, String)> {
    let said = said(strategy, decision);
    match expected {
        Expected::Said(actions) => (said != *actions).then(|| (list(actions), list(&said))),
        Expected::Silence => (!said.is_empty()).then(|| (list(&[]), list(&said))),
        Expected::Dropped { action, step, detail } => {
            let wanted = drop_text(*step, detail.as_deref());
            let got = fates(strategy, decision, action, detail.is_some());
            let differs = got.is_empty() || got.iter().any(|fate| *fate != wanted);
            differs.then(|| {
                let got = if got.is_empty() { "it is no candidate here".to_owned() } else { got.join(", ") };
                (format!("`{action}` {wanted}"), got)
            })
        }
    }
}

fn said(strategy: &Strategy, decision: &Decision) -> Vec<ActionId> {
    decision
        .slots
        .iter()
        .filter_map(|slot| decision.fates.get(usize::from(slot.pick?)))
        .map(|fate| strategy.actions[usize::from(fate.action)].id.clone())
        .collect()
}

fn list(actions: &[ActionId]) -> String {
    if actions.is_empty() {
        return "silence".to_owned();
    }
    let quoted: Vec<String> = actions.iter().map(|action| format!("`{action}`")).collect();
    quoted.join(", ")
}

/// What became of each candidate of an action, in words.
fn fates(strategy: &Strategy, decision: &Decision, action: &ActionId, with_detail: bool) -> Vec<String> {
    decision
        .fates
        .iter()
        .filter(|fate| strategy.actions[usize::from(fate.action)].id == *action)
        .map(|fate| match &fate.fate {
            Fate::Dropped(why) => {
                let detail = detail(strategy, action, why);
                drop_text(why.step(), detail.as_deref().filter(|_| with_detail))
            }
            Fate::PassedOver { priority, .. } => {
                format!("was passed over with priority {priority:.2}")
            }
            Fate::Chosen { .. } => "is said".to_owned(),
        })
        .collect()
}

fn drop_text(step: Step, detail: Option<&str>) -> String {
    let word = STEPS.into_iter().find(|(_, known)| *known == step).map_or("", |(word, _)| word);
    match detail {
        Some(detail) => format!("dropped at `{word}:{detail}`"),
        None => format!("dropped at `{word}`"),
    }
}

/// The id of what dropped it, or a word for what has none.
fn detail(strategy: &Strategy, action: &ActionId, why: &Dropped) -> Option<String> {
    let policy = &strategy.contact_policy;
    Some(match why {
        Dropped::NoBasis(_) => {
            let action = &strategy.actions[usize::from(strategy.action_index(action.as_str())?)];
            strategy.purposes[usize::from(action.purpose)].id.to_string()
        }
        Dropped::NotPublishedNow => "dates".to_owned(),
        Dropped::VolumeUsedUp => "volume".to_owned(),
        Dropped::LeftOut { experiment } => strategy.experiments[usize::from(*experiment)].id.to_string(),
        Dropped::TextUnknown => "text".to_owned(),
        Dropped::Rule { .. } => return None,
        Dropped::Principle { principle, .. } => strategy.principles[usize::from(*principle)].id.to_string(),
        Dropped::Permission { .. } => "permission".to_owned(),
        Dropped::QuietHours => "quiet_hours".to_owned(),
        Dropped::GoalReached { .. } => "goal_reached".to_owned(),
        Dropped::AnswerKnown => "answer_known".to_owned(),
        Dropped::AskedBefore { .. } => "asked_before".to_owned(),
        Dropped::Paused { pause: Some(pause), .. } => policy.pauses[usize::from(*pause)].id.to_string(),
        Dropped::Paused { pause: None, .. } => "rejected".to_owned(),
        Dropped::ComplaintOpen { .. } => "complaint".to_owned(),
        Dropped::Limit { limit, .. } => policy.limits[usize::from(*limit)].id.to_string(),
        Dropped::ValueUnknown => "value".to_owned(),
        Dropped::BelowFloor { .. } => "floor".to_owned(),
        Dropped::ControlGroup => "control_group".to_owned(),
    })
}

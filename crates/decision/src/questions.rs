//! What is it worth to ask? A question is an action whose goal is an answer: an attribute the customer
//! provides, or consent for a purpose.
//!
//! `worth = decisions_ahead · Σ_v P(v) · (best(v) − best(now))`, where `best` is the highest priority at the places
//! of this request, silence included, of anything that is no question, and `v` runs over the answers. It counts
//! towards the value of the goal, so the chance of an answer, the cost of the contact and the harm of asking
//! (abandonment is a side outcome like any other) weigh it. What is known is not asked, nothing is asked twice
//! within the time its goal is closed for, and what could not be used is not asked at all. Who withdrew a consent is not
//! asked for it again.
//!
//! Deliberately absent: numbers and free texts have too many answers to work out; a question about them is worth
//! what its file says.

use crate::{
    Timestamp,
    candidate::{Candidate, Dropped},
    catalogue,
    consent::{self, Known, Permitted, Withheld},
    decide::Asked,
    inputs::Assignment,
    profile::{About, AttributeValue, ConsentStatement, ConsentStatus, ContactState, Customer, Source},
    strategy::{Action, ActionIndex, Attribute, AttributeIndex, GoalTarget, PurposeIndex, Subject},
    value::{Value, ValueType},
};

/// So many questions of one decision are worked out, those with the highest priority so far.
const QUESTIONS_MAX: usize = 4;
/// So many answers of one question are worked out.
pub const ANSWERS_MAX: usize = 8;

/// Drops questions whose answer is known, could not be used, or was asked for before.
pub(crate) fn apply(asked: &Asked<'_>, permitted: &Permitted<'_>, candidates: &mut [Candidate]) {
    let Some(customer) = asked.inputs.customer else {
        return;
    };
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let action = &asked.strategy.actions[usize::from(candidate.action)];
        let idle = match action.goal.target {
            GoalTarget::Event(_) => None,
            GoalTarget::Attribute(attribute) => answered(asked, permitted, customer, attribute),
            GoalTarget::Consent(purpose) => consented(asked, customer, action, purpose),
        };
        let again = || asked_before(asked, customer, action).filter(|_| candidate.reuses.is_none());
        if action.is_question()
            && let Some(why) = idle.or_else(again)
        {
            candidate.drop_because(why);
        }
    }
}

fn answered(
    asked: &Asked<'_>,
    permitted: &Permitted<'_>,
    customer: &Customer,
    attribute: AttributeIndex,
) -> Option<Dropped> {
    if permitted.visible_anywhere(attribute) {
        return Some(Dropped::AnswerKnown);
    }
    let statements = &customer.profile.consents;
    let attribute = &asked.strategy.attributes[usize::from(attribute)];
    consent::unusable(
        asked.strategy,
        attribute,
        permitted,
        &asked.in_play,
        statements,
        &asked.request.channel,
    )
    .map(Dropped::NoBasis)
}

fn consented(
    asked: &Asked<'_>,
    customer: &Customer,
    action: &Action,
    purpose: PurposeIndex,
) -> Option<Dropped> {
    let Asked { strategy, request, at, .. } = *asked;
    let purpose = &strategy.purposes[usize::from(purpose)];
    let statements = &customer.profile.consents;
    match consent::basis(purpose, statements, &request.channel, request.global_privacy_control, at) {
        Ok(()) => Some(Dropped::AnswerKnown),
        Err(Withheld::NoConsent | Withheld::ConsentExpired) => None,
        Err(Withheld::Refused) => {
            let about = About::Purpose(purpose.id.clone());
            let no = |statement: &&ConsentStatement| {
                statement.status == ConsentStatus::Refused && statement.about == about
            };
            let said = statements.iter().filter(no).map(|statement| statement.at).max()?;
            let until = after(said, action);
            (until > at).then_some(Dropped::AskedBefore { until })
        }
        Err(why) => Some(Dropped::NoBasis(why)),
    }
}

/// Whether anything with the same goal was said within the time that the goal is closed for.
fn asked_before(asked: &Asked<'_>, customer: &Customer, action: &Action) -> Option<Dropped> {
    let same_goal = |id: &str| {
        let index = asked.strategy.action_index(id);
        index
            .is_some_and(|index| asked.strategy.actions[usize::from(index)].goal.target == action.goal.target)
    };
    let contacts = customer.history.contacts.iter().rev();
    let last = contacts
        .filter(|contact| contact.takes_attention(asked.at))
        .find(|contact| same_goal(contact.action.as_str()))?;
    let until = match last.state {
        ContactState::Reserved { until } => until.min(after(last.at, action)),
        ContactState::Counted { .. } => after(last.at, action),
    };
    (until > asked.at).then_some(Dropped::AskedBefore { until })
}

fn after(at: Timestamp, action: &Action) -> Timestamp {
    at.saturating_add(action.goal.closed_for).unwrap_or(Timestamp::MAX)
}

/// Adds to each question still in the running what knowing its answer is worth, and returns that, by action.
/// What was recorded is taken from the record.
pub(crate) fn weigh(asked: &Asked<'_>, candidates: &mut [Candidate]) -> Vec<(ActionIndex, f32)> {
    let by_strategy = matches!(asked.inputs.assignment, Assignment::Strategy | Assignment::Today);
    let Some(customer) = asked.inputs.customer.filter(|_| by_strategy) else {
        return Vec::new();
    };
    let mut worth: Vec<(ActionIndex, f32)> = match asked.inputs.recorded_worth {
        Some(recorded) => recorded.to_vec(),
        None => {
            let now = best(asked, candidates);
            let of = |action| (action, worth_knowing(asked, customer, action, now) as f32);
            foremost(asked, candidates).into_iter().map(of).collect()
        }
    };
    worth.retain(|(_, worth)| *worth > 0.0);
    worth.sort_by_key(|(action, _)| *action);
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let found = worth.binary_search_by_key(&candidate.action, |(action, _)| *action);
        if let (Ok(found), Some(priority)) = (found, &mut candidate.priority) {
            *priority = priority.with_worth_knowing(f64::from(worth[found].1));
        }
    }
    worth
}

/// The questions to work out, each action once.
fn foremost(asked: &Asked<'_>, candidates: &[Candidate]) -> Vec<ActionIndex> {
    let mut questions: Vec<(ActionIndex, f64)> = candidates
        .iter()
        .filter(|candidate| candidate.alive())
        .filter(|candidate| asked.strategy.actions[usize::from(candidate.action)].is_question())
        .filter_map(|candidate| Some((candidate.action, candidate.priority?.total)))
        .collect();
    questions.sort_by(|(one, first), (other, second)| second.total_cmp(first).then(one.cmp(other)));
    let mut actions: Vec<ActionIndex> = Vec::new();
    for (action, _) in questions {
        if !actions.contains(&action) && actions.len() < QUESTIONS_MAX {
            actions.push(action);
        }
    }
    actions
}

/// In euro, 0 or more: on average one is never worse off for knowing.
fn worth_knowing(asked: &Asked<'_>, customer: &Customer, action: ActionIndex, now: f64) -> f64 {
    let goal = &asked.strategy.actions[usize::from(action)].goal;
    let mut supposed = customer.clone();
    let after = |supposed: &Customer| best_if(asked, supposed);
    let gained = match goal.target {
        GoalTarget::Event(_) => 0.0,
        GoalTarget::Consent(purpose) => {
            supposed.profile.consents.push(ConsentStatement {
                about: About::Purpose(asked.strategy.purposes[usize::from(purpose)].id.clone()),
                channel: None,
                status: ConsentStatus::Given,
                at: asked.at,
                expires_at: None,
            });
            after(&supposed) - now
        }
        GoalTarget::Attribute(index) => {
            let attribute = &asked.strategy.attributes[usize::from(index)];
            if attribute.subject != Subject::Customer {
                return 0.0;
            }
            let gained = |(value, share): (Value, f64)| {
                let known = provided(attribute, value, asked.at);
                supposed.profile.attributes.insert(attribute.name.clone(), known);
                share * (after(&supposed) - now)
            };
            answers(attribute, &goal.answers).into_iter().map(gained).sum()
        }
    };
    (asked.strategy.organisation.decisions_ahead * gained).max(0.0)
}

/// The answers worked out, with how likely each is: as the file expects, or all alike; together 1.
fn answers(attribute: &Attribute, expected: &[(Value, f64)]) -> Vec<(Value, f64)> {
    if !expected.is_empty() {
        return expected.to_vec();
    }
    let values: Vec<Value> = match attribute.value_type {
        ValueType::Bool => vec![Value::Bool(false), Value::Bool(true)],
        ValueType::Text => attribute.values.iter().map(|text| Value::Text(text.as_str().into())).collect(),
        ValueType::Number | ValueType::Time => Vec::new(),
    };
    let share = 1.0 / values.len().max(1) as f64;
    let few = if values.len() > ANSWERS_MAX { Vec::new() } else { values };
    few.into_iter().map(|value| (value, share)).collect()
}

fn provided(attribute: &Attribute, value: Value, at: Timestamp) -> AttributeValue {
    let expires_at = at.saturating_add(attribute.retention).unwrap_or(Timestamp::MAX);
    AttributeValue {
        value,
        source: Source::Provided,
        confidence: attribute.confidence,
        observed_at: at,
        expires_at,
    }
}

/// The highest priority of anything that is no question, if the customer were like this.
fn best_if(asked: &Asked<'_>, supposed: &Customer) -> f64 {
    let known = Known { customer: Some(supposed), household: asked.inputs.household };
    let permitted = consent::mask(asked.strategy, known, asked.request, &asked.in_play, asked.at);
    let mut candidates = catalogue::candidates(asked.strategy, asked.request);
    candidates.retain(|candidate| !asked.strategy.actions[usize::from(candidate.action)].is_question());
    asked.weigh(&permitted, Some(supposed), &mut candidates);
    best(asked, &candidates)
}

/// The highest priority of anything that is no question; silence is 0.
fn best(asked: &Asked<'_>, candidates: &[Candidate]) -> f64 {
    candidates
        .iter()
        .filter(|candidate| candidate.alive())
        .filter(|candidate| !asked.strategy.actions[usize::from(candidate.action)].is_question())
        .filter_map(|candidate| candidate.priority)
        .map(|priority| priority.total)
        .fold(0.0, f64::max)
}

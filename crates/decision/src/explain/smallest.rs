//! What is the least that would have changed this candidate's fate? Changes that can be applied to the
//! circumstances: applying one and deciding again brings the aim about, half of it does not.
//!
//! Changeable are the five factors of the priority, attributes and request values that rules and
//! principles read, consents, the moment, and an open complaint. Not changeable are what other
//! candidates do (an action or group already said, a used-up budget), service and mandatory messages
//! and open contacts shown again, control groups, volumes, exact ties (the order of the catalogue
//! decides), and conditions on history or the clock alone; those are named as an [`Obstacle`]. Earlier
//! slots stay as they were drawn; the aim is about the first drawn slot of the candidate's placement.

use super::{
    Name, Reason, moment,
    reason::{moment_of, quiet_until, unsaid_attributes},
};
use crate::{
    Timestamp,
    candidate::{Candidate, Dropped, Fate, PassedOver, Step},
    consent::Withheld,
    decide::Worked,
    inputs::Adjustment,
    reading::Reading,
    record::Decision,
    replay::Circumstances,
    rules::{Flip, Reference, Rule, Truth},
    strategy::{AttributeIndex, PrincipleKind, PurposeIndex, Strategy},
    value::Value,
};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

mod apply;
mod factor;

/// What would have to come about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// It becomes the best of this slot.
    Preferred {
        /// Number of the slot.
        slot: u16,
    },
    /// It is no longer the best of this slot.
    NotPreferred {
        /// Number of the slot.
        slot: u16,
    },
    /// It gets past what dropped it; its allow rules count as one.
    Past {
        /// What dropped it.
        #[serde(skip)]
        dropped: Dropped,
    },
}

impl Aim {
    /// Whether `decision` reaches the aim for the candidate at this position.
    pub fn reached(&self, candidate: u16, decision: &Decision) -> bool {
        let preferred = |number: &u16| {
            let slot = decision.slots.iter().find(|slot| slot.number == *number);
            slot.is_some_and(|slot| !slot.fixed && slot.preferred == Some(candidate))
        };
        match self {
            Self::Preferred { slot } => preferred(slot),
            Self::NotPreferred { slot } => !preferred(slot),
            Self::Past { dropped } => match decision.fates[usize::from(candidate)].fate {
                Fate::Dropped(Dropped::Rule { .. }) if matches!(dropped, Dropped::Rule { .. }) => false,
                Fate::Dropped(now) => place(&now) > place(dropped),
                _ => true,
            },
        }
    }
}

/// How far a candidate got before it was dropped.
fn place(why: &Dropped) -> (Step, u8, u16) {
    let within_step = match why {
        Dropped::NotPublishedNow | Dropped::Permission { .. } => 0,
        Dropped::VolumeUsedUp | Dropped::QuietHours => 1,
        Dropped::LeftOut { .. } | Dropped::GoalReached { .. } => 2,
        Dropped::TextUnknown | Dropped::ComplaintOpen { .. } => 3,
        Dropped::Paused { .. } | Dropped::AnswerKnown | Dropped::AskedBefore { .. } => 4,
        Dropped::Limit { .. } => 5,
        Dropped::ControlGroup => 1,
        _ => 0,
    };
    let position = match why {
        Dropped::Principle { principle: position, .. }
        | Dropped::Permission { permission: position, .. }
        | Dropped::Limit { limit: position, .. } => *position,
        _ => 0,
    };
    (why.step(), within_step, position)
}

/// The least that would have changed a candidate's fate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Smallest {
    /// What would have to come about; `None` when it could not be about this candidate alone.
    pub aim: Option<Aim>,
    /// Ways to bring it about; any one of them is enough.
    pub changes: Vec<Change>,
    /// A fact lies exactly on the border of what is allowed: any part of the change is enough.
    pub on_the_edge: bool,
    /// What would stand in its way next, once dropped no longer for this reason.
    pub next: Option<Reason>,
    /// Why there is no such change.
    pub obstacle: Option<Obstacle>,
}

/// One change of the circumstances.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// One factor of the priority.
    Factor(Adjustment),
    /// Facts, all of them together.
    Facts {
        /// Each with its value now and then.
        facts: Vec<FactChange>,
    },
    /// Something about the customer becomes known, whatever it is.
    Known {
        /// Which attributes, all of them.
        #[serde(skip)]
        attributes: Vec<AttributeIndex>,
        /// Their names.
        names: Vec<Name>,
    },
    /// The customer agrees to a purpose.
    Consent {
        /// Position of the purpose.
        #[serde(skip)]
        index: PurposeIndex,
        /// Its name.
        purpose: Name,
    },
    /// The complaint is resolved.
    ComplaintResolved,
    /// Time passes.
    Wait {
        /// The moment from which on it is free.
        #[serde(skip)]
        at: Timestamp,
        /// The same in the organisation's zone.
        until: String,
    },
}

/// One fact that would have to be different.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FactChange {
    /// Which.
    #[serde(skip)]
    pub reference: Reference,
    /// Its name.
    pub name: Name,
    /// What it is; `None` when not known.
    #[serde(serialize_with = "plain_option")]
    pub from: Option<Value>,
    /// What it would have to be.
    #[serde(serialize_with = "plain")]
    pub to: Value,
}

/// Why there is no smallest change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// What else is said stands in its way.
    OtherChoices(PassedOver),
    /// The slots were not drawn: a service or mandatory message, or an open contact shown again.
    NotDrawn,
    /// It is worth exactly as much as the best; the order of the catalogue decides.
    ExactTie,
    /// No factor could be changed enough within its bounds.
    OutOfReach,
    /// Nobody was recognised, so nothing about the customer can be different.
    NotRecognised,
    /// It rests on what happened, on the moment, or on facts that may not be used, not on facts that
    /// could be different.
    NotByFacts,
    /// It was published only until then.
    NoLongerPublished,
    /// Somebody would have to allow more of it.
    Volume,
    /// The control group exists to measure; it is not changed for one decision.
    ControlGroup,
    /// The customer asked for it themself, and nobody else takes that back.
    OwnChoice,
    /// The experiment exists to measure; it is not changed for one decision.
    Experiment,
    /// The limit allows nothing at all.
    NeverAllowed,
    /// There were so many candidates that it was looked for only for those that came nearest.
    TooMany,
}

impl Smallest {
    pub(super) fn none(obstacle: Obstacle) -> Self {
        Self { aim: None, changes: Vec::new(), on_the_edge: false, next: None, obstacle: Some(obstacle) }
    }
}

/// Computes the smallest change for the candidate at this position.
pub fn smallest(circumstances: &Circumstances<'_>, worked: &Worked<'_>, index: u16) -> Smallest {
    match worked.candidates[usize::from(index)].dropped {
        None => factor::for_rank(circumstances, worked, index),
        Some(dropped) => for_dropped(circumstances, worked, index, dropped),
    }
}

fn for_dropped(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    index: u16,
    dropped: Dropped,
) -> Smallest {
    let candidate = &worked.candidates[usize::from(index)];
    let change = match plain_change(circumstances, worked, candidate, dropped) {
        Ok(change) => change,
        Err(obstacle) => return Smallest::none(obstacle),
    };
    let aim = Aim::Past { dropped };
    let Some(changed) = change.apply(circumstances) else {
        return Smallest::none(Obstacle::NotRecognised);
    };
    let after = changed.work_out();
    if !aim.reached(index, &after.decision) {
        return Smallest::none(Obstacle::NotByFacts);
    }
    let next = match after.decision.fates[usize::from(index)].fate {
        Fate::Dropped(why) if why.step() < Step::Arbitration => {
            let then = &after.candidates[usize::from(index)];
            Some(Reason::new(&changed, &after, then, why))
        }
        _ => None,
    };
    let half = change.half(circumstances).apply(circumstances);
    let on_the_edge = half.is_some_and(|half| aim.reached(index, &half.decide()));
    Smallest { aim: Some(aim), changes: vec![change], on_the_edge, next, obstacle: None }
}

/// The change that should lift this reason; whether it does is checked by deciding again.
fn plain_change(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    candidate: &Candidate,
    dropped: Dropped,
) -> Result<Change, Obstacle> {
    let strategy = circumstances.strategy();
    let action = &strategy.actions[usize::from(candidate.action)];
    let recognised = || circumstances.restored.customer.as_ref().map(|_| ()).ok_or(Obstacle::NotRecognised);
    let wait = |at: Timestamp| Change::Wait { at, until: moment(strategy, at) };
    match dropped {
        Dropped::NoBasis(Withheld::Restricted | Withheld::TopicObjected) => Err(Obstacle::OwnChoice),
        Dropped::NoBasis(_) => recognised().map(|()| consent(strategy, action.purpose)),
        Dropped::Permission { permission, .. } => {
            let needs = strategy.permissions[usize::from(permission)].needs;
            recognised().map(|()| consent(strategy, needs))
        }
        Dropped::NotPublishedNow => match action.valid_from {
            Some(from) if from > circumstances.at => Ok(wait(from)),
            _ => Err(Obstacle::NoLongerPublished),
        },
        Dropped::VolumeUsedUp => Err(Obstacle::Volume),
        Dropped::TextUnknown => {
            recognised().and_then(|()| known(strategy, unsaid_attributes(circumstances, worked, candidate)))
        }
        Dropped::Rule { .. } => {
            let moment = moment_of(circumstances);
            let reading = Reading { view: worked.permitted.view_or_empty(action.purpose), moment: &moment };
            facts(circumstances, strategy.rule_book.flips(candidate.action, &reading))
        }
        Dropped::Principle { principle, .. } => {
            let moment = moment_of(circumstances);
            let reading = Reading { view: &worked.permitted.protection, moment: &moment };
            let flips = match &strategy.principles[usize::from(principle)].kind {
                PrincipleKind::Veto { when, .. } => when.flips(&reading, Truth::False),
                PrincipleKind::Require { condition, .. } => condition.flips(&reading, Truth::True),
                PrincipleKind::Weigh { .. } => None,
            };
            facts(circumstances, flips)
        }
        Dropped::QuietHours => quiet_until(circumstances).map(wait).ok_or(Obstacle::NeverAllowed),
        Dropped::GoalReached { at } => {
            let free = at.saturating_add(action.goal.closed_for).map_err(|_| Obstacle::NeverAllowed)?;
            Ok(wait(free))
        }
        Dropped::Paused { until, .. } | Dropped::Limit { until, .. } if until == Timestamp::MAX => {
            Err(Obstacle::NeverAllowed)
        }
        Dropped::Paused { until, .. } | Dropped::Limit { until, .. } | Dropped::AskedBefore { until } => {
            Ok(wait(until))
        }
        Dropped::AnswerKnown => Err(Obstacle::NeverAllowed),
        Dropped::ComplaintOpen { .. } => Ok(Change::ComplaintResolved),
        Dropped::ValueUnknown => {
            recognised().and_then(|()| known(strategy, value_unknowns(circumstances, worked, candidate)))
        }
        Dropped::BelowFloor { .. } => {
            factor::over_the_floor(circumstances, worked, candidate).ok_or(Obstacle::OutOfReach)
        }
        Dropped::ControlGroup => Err(Obstacle::ControlGroup),
        Dropped::LeftOut { .. } => Err(Obstacle::Experiment),
    }
}

fn consent(strategy: &Strategy, index: PurposeIndex) -> Change {
    Change::Consent { index, purpose: Name::purpose(strategy, index) }
}

fn known(strategy: &Strategy, attributes: BTreeSet<AttributeIndex>) -> Result<Change, Obstacle> {
    if attributes.is_empty() {
        return Err(Obstacle::NotByFacts);
    }
    let names = attributes.iter().map(|index| Name::attribute(strategy, *index)).collect();
    Ok(Change::Known { attributes: attributes.into_iter().collect(), names })
}

fn facts(circumstances: &Circumstances<'_>, flips: Option<Vec<Flip>>) -> Result<Change, Obstacle> {
    let flips = flips.filter(|flips| !flips.is_empty()).ok_or(Obstacle::NotByFacts)?;
    let about_customer = flips.iter().any(|flip| matches!(flip.reference, Reference::Attribute(_)));
    if about_customer && circumstances.restored.customer.is_none() {
        return Err(Obstacle::NotRecognised);
    }
    let change = |flip: Flip| FactChange {
        reference: flip.reference,
        name: Name::reference(circumstances.strategy(), flip.reference),
        from: flip.from,
        to: flip.to,
    };
    Ok(Change::Facts { facts: flips.into_iter().map(change).collect() })
}

fn value_unknowns(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    candidate: &Candidate,
) -> BTreeSet<AttributeIndex> {
    let action = &circumstances.strategy().actions[usize::from(candidate.action)];
    let moment = moment_of(circumstances);
    let reading = Reading { view: worked.permitted.view_or_empty(action.purpose), moment: &moment };
    let of = |rule: &Rule| rule.unknowns(&reading);
    let missing = [of(&action.value_for_customer), of(&action.value_for_organisation)].concat();
    missing
        .into_iter()
        .filter_map(|reference| match reference {
            Reference::Attribute(index) => Some(index),
            Reference::Context(_) => None,
        })
        .collect()
}

fn plain<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Value::Bool(flag) => serializer.serialize_bool(*flag),
        Value::Number(number) => serializer.serialize_f64(*number),
        Value::Text(text) => serializer.serialize_str(text),
        Value::Time(at) => serializer.collect_str(at),
    }
}

fn plain_option<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => plain(value, serializer),
        None => serializer.serialize_none(),
    }
}

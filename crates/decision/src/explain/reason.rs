//! Why was this candidate dropped, in the strategy's own names? The fate of the record with every
//! position looked up.

use super::{fact, moment, texts};
use crate::{
    Timestamp,
    candidate::{Candidate, Dropped},
    consent::{PermittedView, Withheld},
    decide::{Worked, spoken},
    profile::Source,
    reading::{Moment, Reading},
    replay::Circumstances,
    rules::{Layer, Reference, Rule},
    strategy::{Action, ActionIndex, AttributeIndex, PrincipleKind, PurposeIndex, Strategy, Texts},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Something with an id and a name in every language of the organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name {
    /// Id in the strategy.
    pub id: String,
    /// Name per language; empty when it has none.
    pub name: Texts,
}

impl Name {
    pub(super) fn new(id: &str, name: Texts) -> Self {
        Self { id: id.to_owned(), name }
    }
    pub(super) fn action(strategy: &Strategy, index: ActionIndex) -> Self {
        let action = &strategy.actions[usize::from(index)];
        Self::new(action.id.as_str(), action.name.clone())
    }
    pub(super) fn placement(strategy: &Strategy, index: u16) -> Self {
        let placement = &strategy.placements[usize::from(index)];
        Self::new(placement.id.as_str(), placement.name.clone())
    }
    pub(super) fn experiment(strategy: &Strategy, index: u16) -> Self {
        let experiment = &strategy.experiments[usize::from(index)];
        Self::new(experiment.id.as_str(), experiment.name.clone())
    }
    pub(super) fn purpose(strategy: &Strategy, index: PurposeIndex) -> Self {
        let purpose = &strategy.purposes[usize::from(index)];
        Self::new(purpose.id.as_str(), purpose.name.clone())
    }
    pub(super) fn attribute(strategy: &Strategy, index: AttributeIndex) -> Self {
        let attribute = &strategy.attributes[usize::from(index)];
        Self::new(attribute.name.as_str(), attribute.label.clone())
    }
    pub(super) fn reference(strategy: &Strategy, reference: Reference) -> Self {
        match reference {
            Reference::Attribute(index) => Self::attribute(strategy, index),
            Reference::Context(index) => {
                let name = &strategy.contexts[usize::from(index)].name;
                Self::new(&format!("context.{name}"), Texts::new())
            }
        }
    }
}

/// Why a candidate was dropped. Moments are in the organisation's zone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// Its purpose has no basis.
    NoBasis {
        /// The purpose.
        purpose: Name,
        /// Why not.
        because: Withheld,
    },
    /// Outside the dates it is published for.
    NotPublishedNow {
        /// From when on it is published.
        from: Option<String>,
        /// Until when.
        until: Option<String>,
    },
    /// Its total volume has been used.
    VolumeUsedUp,
    /// Its texts name something that is not known.
    TextUnknown {
        /// What.
        missing: Vec<Name>,
    },
    /// A condition does not hold.
    Rule {
        /// Which kind of rule.
        layer: Layer,
        /// The condition as it is written.
        condition: String,
        /// It is not known rather than false: because of these (`history` is one that is too long).
        missing: Vec<Name>,
        /// It is not known rather than false.
        unknown: bool,
    },
    /// A principle forbids it.
    Principle {
        /// Which.
        id: String,
        /// Who answers for it.
        owner: String,
        /// Why it exists, as one would tell a customer.
        reason: Texts,
        /// It forbids because something is not known.
        unknown: bool,
        /// What that is (`history` is one that is too long).
        missing: Vec<Name>,
        /// It rests on nothing but what the customer gave or can see, so it may be told to them.
        tellable: bool,
    },
    /// The channel needs a basis that is not there.
    Permission {
        /// The purpose whose basis is needed.
        purpose: Name,
        /// Why the basis is not there.
        because: Withheld,
        /// Where the rule comes from.
        source: String,
    },
    /// The hour is for rest.
    QuietHours {
        /// Until when.
        until: String,
    },
    /// The need is met.
    GoalReached {
        /// Since when.
        at: String,
        /// Until when it is left alone.
        until: String,
    },
    /// A question whose answer is known.
    AnswerKnown,
    /// A question that was put before.
    AskedBefore {
        /// Free again at.
        until: String,
    },
    /// Something asked for a pause.
    Paused {
        /// Id of the pause; `None` is the built-in pause after a rejection.
        pause: Option<String>,
        /// Free again at.
        until: String,
    },
    /// A complaint is open.
    ComplaintOpen {
        /// Since when.
        since: String,
    },
    /// A limit is reached.
    Limit {
        /// Which.
        id: String,
        /// Contacts counted.
        counted: u32,
        /// Contacts allowed.
        at_most: u32,
        /// In which window, in whole seconds.
        within_s: i64,
        /// Free again at; `None` when it allows nothing at all.
        until: Option<String>,
    },
    /// Its value cannot be known.
    ValueUnknown {
        /// Because of these.
        missing: Vec<Name>,
    },
    /// Too little in it for the customer.
    BelowFloor {
        /// Expected value for the customer in euro.
        expected: f32,
        /// What it should be at least.
        floor: f32,
    },
    /// Left out in the customer's arm of an experiment.
    LeftOut {
        /// Which experiment.
        experiment: Name,
    },
    /// The customer is in the silent control group.
    ControlGroup,
}

impl Reason {
    pub(super) fn new(
        circumstances: &Circumstances<'_>,
        worked: &Worked<'_>,
        candidate: &Candidate,
        why: Dropped,
    ) -> Self {
        let strategy = circumstances.strategy();
        let action = &strategy.actions[usize::from(candidate.action)];
        let zoned = |at: Timestamp| moment(strategy, at);
        match why {
            Dropped::NoBasis(because) => {
                Self::NoBasis { purpose: Name::purpose(strategy, action.purpose), because }
            }
            Dropped::NotPublishedNow => Self::NotPublishedNow {
                from: action.valid_from.map(zoned),
                until: action.valid_until.map(zoned),
            },
            Dropped::VolumeUsedUp => Self::VolumeUsedUp,
            Dropped::TextUnknown => Self::TextUnknown { missing: unsaid(circumstances, worked, candidate) },
            Dropped::Rule { layer, clause, unknown } => {
                let clause = strategy.rule_book.clause(clause);
                let view = worked.permitted.view_or_empty(clause.purpose);
                let missing = unknowns(circumstances, view, &clause.rule);
                let condition = clause.rule.source().trim().to_owned();
                Self::Rule { layer, condition, missing: if unknown { missing } else { Vec::new() }, unknown }
            }
            Dropped::Principle { principle, unknown } => {
                principle_reason(circumstances, worked, principle, unknown)
            }
            Dropped::Permission { permission, why } => {
                let permission = &strategy.permissions[usize::from(permission)];
                Self::Permission {
                    purpose: Name::purpose(strategy, permission.needs),
                    because: why,
                    source: permission.reason.clone(),
                }
            }
            Dropped::QuietHours => {
                Self::QuietHours { until: quiet_until(circumstances).map_or_else(String::new, zoned) }
            }
            Dropped::GoalReached { at } => {
                let until = at.saturating_add(action.goal.closed_for).unwrap_or(Timestamp::MAX);
                Self::GoalReached { at: zoned(at), until: zoned(until) }
            }
            Dropped::AnswerKnown => Self::AnswerKnown,
            Dropped::AskedBefore { until } => Self::AskedBefore { until: zoned(until) },
            Dropped::Paused { pause, until } => {
                let declared = pause.map(|pause| &strategy.contact_policy.pauses[usize::from(pause)]);
                Self::Paused { pause: declared.map(|pause| pause.id.to_string()), until: zoned(until) }
            }
            Dropped::ComplaintOpen { since } => Self::ComplaintOpen { since: zoned(since) },
            Dropped::Limit { limit, counted, until } => {
                let limit = &strategy.contact_policy.limits[usize::from(limit)];
                Self::Limit {
                    id: limit.id.to_string(),
                    counted,
                    at_most: limit.at_most,
                    within_s: limit.within.as_secs(),
                    until: (until < Timestamp::MAX).then(|| zoned(until)),
                }
            }
            Dropped::ValueUnknown => {
                Self::ValueUnknown { missing: value_unknowns(circumstances, worked, action) }
            }
            Dropped::BelowFloor { expected, floor } => Self::BelowFloor { expected, floor },
            Dropped::LeftOut { experiment } => {
                Self::LeftOut { experiment: Name::experiment(strategy, experiment) }
            }
            Dropped::ControlGroup => Self::ControlGroup,
        }
    }
}

fn principle_reason(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    index: u16,
    unknown: bool,
) -> Reason {
    let principle = &circumstances.strategy().principles[usize::from(index)];
    let (PrincipleKind::Veto { when: rule, .. }
    | PrincipleKind::Require { condition: rule, .. }
    | PrincipleKind::Weigh { when: rule, .. }) = &principle.kind;
    let recognised = circumstances.restored.customer.is_some();
    let theirs = |index: &AttributeIndex| {
        let source = fact::source(circumstances, *index);
        recognised && source.is_none_or(|source| matches!(source, Source::Provided | Source::Observed))
    };
    let missing = unknowns(circumstances, &worked.permitted.protection, rule);
    Reason::Principle {
        id: principle.id.to_string(),
        owner: principle.owner.clone(),
        reason: principle.reason.clone(),
        unknown,
        missing: if unknown { missing } else { Vec::new() },
        tellable: !unknown && rule.reads().attributes.iter().all(theirs),
    }
}

/// The end of the quiet hours that hold now.
pub(super) fn quiet_until(circumstances: &Circumstances<'_>) -> Option<Timestamp> {
    let strategy = circumstances.strategy();
    let (_, until) = strategy.channel(circumstances.request.channel.as_str())?.quiet_hours?;
    let now = circumstances.at.to_zoned(strategy.organisation.time_zone.clone());
    let today = now.date().to_datetime(until);
    let end = if now.datetime() < today { today } else { now.date().tomorrow().ok()?.to_datetime(until) };
    Some(end.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

/// Attributes that every form of the candidate needs, of which none is known: those of the first form.
fn unsaid(circumstances: &Circumstances<'_>, worked: &Worked<'_>, candidate: &Candidate) -> Vec<Name> {
    let strategy = circumstances.strategy();
    unsaid_attributes(circumstances, worked, candidate)
        .iter()
        .map(|index| Name::attribute(strategy, *index))
        .collect()
}

/// The attributes that the form with the fewest unknowns still needs.
pub(super) fn unsaid_attributes(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    candidate: &Candidate,
) -> BTreeSet<AttributeIndex> {
    let strategy = circumstances.strategy();
    let purpose = strategy.actions[usize::from(candidate.action)].purpose;
    let view = worked.permitted.view_or_empty(purpose);
    let language = spoken(strategy, &circumstances.request);
    let forms = strategy.forms.at(candidate.placement, candidate.action).iter();
    let unknown = |names: &[AttributeIndex]| -> BTreeSet<AttributeIndex> {
        names.iter().copied().filter(|index| view.fact(*index).is_none()).collect()
    };
    forms.filter_map(|form| form.names(language).map(unknown)).min_by_key(BTreeSet::len).unwrap_or_default()
}

/// What a rule lacks: values, and a history that is too long to be looked through.
fn unknowns(circumstances: &Circumstances<'_>, view: &PermittedView<'_>, rule: &Rule) -> Vec<Name> {
    let strategy = circumstances.strategy();
    let reading = Reading { view, moment: &moment_of(circumstances) };
    let values = rule.unknowns(&reading);
    let values = values.into_iter().map(|reference| Name::reference(strategy, reference));
    values.chain(rule.lacks_history(&reading).then(texts::long_history)).collect()
}

fn value_unknowns(circumstances: &Circumstances<'_>, worked: &Worked<'_>, action: &Action) -> Vec<Name> {
    let view = worked.permitted.view_or_empty(action.purpose);
    let of = |rule: &Rule| unknowns(circumstances, view, rule);
    let both: BTreeSet<Name> =
        [of(&action.value_for_customer), of(&action.value_for_organisation)].concat().into_iter().collect();
    both.into_iter().collect()
}

/// What rules read besides attributes, at the moment of the decision.
pub(super) fn moment_of<'c>(circumstances: &'c Circumstances<'_>) -> Moment<'c> {
    static NOTHING_YET: crate::profile::ContactHistory =
        crate::profile::ContactHistory { contacts: Vec::new(), outcomes: Vec::new() };
    let history = circumstances.restored.customer.as_ref().map_or(&NOTHING_YET, |customer| &customer.history);
    Moment::new(circumstances.strategy(), &circumstances.request, history, circumstances.at)
}

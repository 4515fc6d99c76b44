//! What must hold of every decision, whatever the strategy and the customer: promises with an id.
//!
//! Each is checked from the record by a second, slower way of counting than the one that decided, so
//! that a mistake there shows here. Used by tests, simulation and production counters. Promises about
//! storage, learning and concurrency (INV-3, 7, 9, 12) cannot be seen in one decision and are not here.

use crate::{
    Timestamp,
    candidate::{Fate, Step},
    catalogue,
    consent::{self, PermittedView},
    contact_policy::REJECTED_PAUSE,
    decide::Worked,
    inputs::Inputs,
    profile::{ContactHistory, Customer},
    record::{Decision, Slot},
    strategy::{
        Action, ActionIndex, AttributeIndex, Basis, Class, Limit, PolicyScope, PurposeIndex, Sensitivity,
        Strategy, Subject, applies,
    },
};
use std::{collections::BTreeSet, fmt};

/// A promise that was broken. Says what, never about whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise, for example `INV-5`.
    pub id: &'static str,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.id, self.what)
    }
}

impl std::error::Error for Violation {}

type Checked = Result<(), Violation>;

fn holds(id: &'static str, condition: bool, what: impl FnOnce() -> String) -> Checked {
    if condition { Ok(()) } else { Err(Violation { id, what: what() }) }
}

/// Everything that one record shows: INV-4, 5, 6, 10, 11 and 13.
pub fn check(strategy: &Strategy, decision: &Decision) -> Checked {
    one_fate_per_candidate(strategy, decision)?;
    dropped_stays_dropped(decision)?;
    probabilities_are_a_vector(decision)?;
    a_dry_run_has_no_effects(decision)?;
    let restored = decision.trace.restore(strategy, decision.customer, &decision.request);
    nothing_after_no(strategy, decision, restored.customer.as_ref())?;
    no_limit_is_passed(strategy, decision, restored.customer.as_ref())
}

/// INV-5: every action at every requested placement has one fate, and what is chosen fills a slot.
pub fn one_fate_per_candidate(strategy: &Strategy, decision: &Decision) -> Checked {
    let expected: Vec<_> = catalogue::candidates(strategy, &decision.request)
        .iter()
        .map(|candidate| (candidate.action, candidate.placement))
        .collect();
    let found: Vec<_> = decision.fates.iter().map(|fate| (fate.action, fate.placement)).collect();
    holds("INV-5", expected == found, || {
        format!("{} candidates have {} fates", expected.len(), found.len())
    })?;
    let picked: BTreeSet<(u16, u16)> =
        decision.slots.iter().filter_map(|slot| Some((slot.number, slot.pick?))).collect();
    let chosen: BTreeSet<(u16, u16)> = (0u16..)
        .zip(&decision.fates)
        .filter_map(|(index, candidate)| match candidate.fate {
            Fate::Chosen { slot, .. } => Some((slot, index)),
            _ => None,
        })
        .collect();
    holds("INV-5", picked == chosen, || "what is chosen is not what fills the slots".into())?;
    let actions: BTreeSet<ActionIndex> = picks(decision).map(|(_, action)| action).collect();
    holds("INV-5", actions.len() == picked.len(), || "an action is said twice".into())
}

/// INV-6: what a step removed is no arm of any slot.
pub fn dropped_stays_dropped(decision: &Decision) -> Checked {
    let dropped = |index: u16| matches!(decision.fates[usize::from(index)].fate, Fate::Dropped(_));
    let arms = decision.slots.iter().flat_map(|slot| {
        let contenders = slot.contenders.iter().map(|contender| contender.candidate);
        contenders.chain(slot.pick).chain(slot.preferred)
    });
    let back = arms.filter(|index| dropped(*index)).count();
    holds("INV-6", back == 0, || format!("{back} dropped candidates take part in selection"))
}

/// INV-13: recorded probabilities are positive and sum to one, and the pick is among them.
pub fn probabilities_are_a_vector(decision: &Decision) -> Checked {
    decision.slots.iter().try_for_each(|slot| {
        let all: f64 = slot.contenders.iter().map(|contender| f64::from(contender.probability)).sum();
        let total = all + f64::from(slot.silence);
        holds("INV-13", (total - 1.0).abs() < 1e-5, || {
            format!("the probabilities of a slot sum to {total}")
        })?;
        let positive =
            slot.contenders.iter().all(|contender| contender.probability > 0.0) && slot.silence >= 0.0;
        holds("INV-13", positive, || "a contender has no probability".into())?;
        let possible = match slot.pick {
            Some(pick) => slot.contenders.iter().any(|contender| contender.candidate == pick),
            None => slot.silence > 0.0,
        };
        holds("INV-13", possible, || "what was picked had no probability".into())
    })
}

/// INV-11, on one record: a dry run has nothing carried out.
pub fn a_dry_run_has_no_effects(decision: &Decision) -> Checked {
    holds("INV-11", !decision.request.dry_run || decision.effects.is_empty(), || {
        "a dry run has effects".into()
    })
}

/// INV-11, on two: a dry run decides what a real one would have decided.
pub fn a_dry_run_decides_the_same(dry: &Decision, wet: &Decision) -> Checked {
    a_dry_run_has_no_effects(dry)?;
    let same = dry.fates == wet.fates && dry.slots == wet.slots && dry.trace == wet.trace;
    holds("INV-11", same, || "a dry run decides something else".into())
}

/// INV-4: nothing is said without a basis, after a rejection, during an open complaint where that
/// silences, or once its goal is reached.
pub fn nothing_after_no(strategy: &Strategy, decision: &Decision, customer: Option<&Customer>) -> Checked {
    let Some(customer) = customer else {
        return Ok(());
    };
    let request = &decision.request;
    picks(decision).try_for_each(|(_, index)| {
        let action = &strategy.actions[usize::from(index)];
        let purpose = &strategy.purposes[usize::from(action.purpose)];
        let statements = &customer.profile.consents;
        let basis = consent::basis(
            purpose,
            statements,
            &request.channel,
            request.global_privacy_control,
            decision.at,
        );
        holds("INV-4", basis.is_ok(), || format!("{:?} is said without a basis", action.id))?;
        let no = said_no(strategy, action, &customer.history, decision.at);
        holds("INV-4", no.is_none(), || {
            format!("{:?} is said although {}", action.id, no.unwrap_or_default())
        })
    })
}

fn said_no(
    strategy: &Strategy,
    action: &Action,
    history: &ContactHistory,
    at: Timestamp,
) -> Option<&'static str> {
    let since = |moment: Timestamp| at.duration_since(moment);
    let past = || history.outcomes.iter();
    let rejected = past()
        .filter(|outcome| {
            outcome.outcome.as_str() == "rejected" && outcome.action.as_ref() == Some(&action.id)
        })
        .any(|outcome| since(outcome.at) < REJECTED_PAUSE);
    let goal = strategy.goal_event(action);
    let reached = past()
        .filter(|outcome| outcome.outcome.as_str() == "goal" && outcome.event.as_ref() == Some(&goal))
        .any(|outcome| since(outcome.at) < action.goal.closed_for);
    let latest = |name: &str| {
        past().filter(|outcome| outcome.outcome.as_str() == name).map(|outcome| outcome.at).max()
    };
    let open = latest("complaint").is_some_and(|complaint| latest("complaint_resolved") < Some(complaint));
    let silences = &strategy.contact_policy.complaint_silences;
    let silenced = !silences.is_empty() && applies(silences, &action.id) && action.class == Class::Normal;
    match (rejected, reached, open && silenced) {
        (true, ..) => Some("it was rejected"),
        (_, true, _) => Some("its goal is reached"),
        (.., true) => Some("a complaint is open"),
        _ => None,
    }
}

/// INV-10, within one decision: no pick goes past a limit, the earlier picks included.
pub fn no_limit_is_passed(strategy: &Strategy, decision: &Decision, customer: Option<&Customer>) -> Checked {
    let policy = &strategy.contact_policy;
    let outbound = decision.request.direction == crate::request::Direction::Outbound;
    if !outbound && !policy.inbound_counts {
        return Ok(());
    }
    let new: Vec<(&Slot, ActionIndex)> = picks(decision).filter(|(slot, _)| slot.reuses.is_none()).collect();
    for limit in &policy.limits {
        for (position, (_, index)) in new.iter().enumerate() {
            let action = &strategy.actions[usize::from(*index)];
            if action.class != Class::Normal {
                continue;
            }
            let said_now =
                new[..position].iter().map(|(_, earlier)| &strategy.actions[usize::from(*earlier)].id);
            let before = customer.map_or(0, |customer| {
                counted(decision, policy.inbound_counts, limit, action, &customer.history)
            });
            let now = said_now
                .filter(|id| same_key(limit, id, decision.request.channel.as_str(), action, decision))
                .count();
            let room = before + now < limit.at_most as usize
                || !concerns(limit, &action.id, decision.request.channel.as_str());
            holds("INV-10", room, || format!("limit {:?} is passed by {:?}", limit.id, action.id))?;
        }
    }
    Ok(())
}

fn concerns(limit: &Limit, action: &crate::id::ActionId, channel: &str) -> bool {
    let here = limit.channels.is_empty() || limit.channels.iter().any(|listed| listed.as_str() == channel);
    here && applies(&limit.applies_to, action)
}

/// Whether a contact of `other` on `channel` counts together with `action` in this decision.
fn same_key(
    limit: &Limit,
    other: &crate::id::ActionId,
    channel: &str,
    action: &Action,
    decision: &Decision,
) -> bool {
    concerns(limit, other, channel)
        && match limit.per {
            PolicyScope::All => true,
            PolicyScope::Channel => channel == decision.request.channel.as_str(),
            PolicyScope::Action => *other == action.id,
            PolicyScope::Group => other.group() == action.id.group(),
            PolicyScope::Issue => other.issue() == action.id.issue(),
        }
}

fn counted(
    decision: &Decision,
    inbound_counts: bool,
    limit: &Limit,
    action: &Action,
    history: &ContactHistory,
) -> usize {
    let in_window = |at: Timestamp| at <= decision.at && decision.at.duration_since(at) < limit.within;
    history
        .contacts
        .iter()
        .filter(|contact| in_window(contact.at) && contact.takes_attention(decision.at))
        .filter(|contact| inbound_counts || contact.direction == crate::request::Direction::Outbound)
        .filter(|contact| same_key(limit, &contact.action, contact.channel.as_str(), action, decision))
        .count()
}

fn picks(decision: &Decision) -> impl Iterator<Item = (&Slot, ActionIndex)> {
    let picked = |slot: &Slot| slot.pick.map(|pick| decision.fates[usize::from(pick)].action);
    decision.slots.iter().filter_map(move |slot| Some((slot, picked(slot)?)))
}

/// INV-2: every fact in every view is there for its purpose, on a basis, within its retention, reliable
/// enough, and special only with explicit consent; and the trace holds no value that no view shows.
pub fn only_what_is_permitted_is_read(
    strategy: &Strategy,
    inputs: &Inputs<'_>,
    worked: &Worked<'_>,
) -> Checked {
    let at = worked.decision.at;
    for (index, purpose) in (0u16..).zip(&strategy.purposes) {
        let Ok(view) = worked.permitted.view(index) else {
            continue;
        };
        let request = &worked.decision.request;
        let basis = inputs.customer.map_or(Ok(()), |customer| {
            consent::basis(
                purpose,
                &customer.profile.consents,
                &request.channel,
                request.global_privacy_control,
                at,
            )
        });
        holds("INV-2", basis.is_ok(), || format!("{:?} is read for without a basis", purpose.id))?;
        for (attribute, _) in view.iter() {
            let declared = &strategy.attributes[usize::from(attribute)];
            let special = declared.sensitivity == Sensitivity::Special && purpose.basis != Basis::Consent;
            let covered = declared.purposes.contains(&index) && !special;
            holds("INV-2", covered, || format!("{:?} is read for {:?}", declared.name, purpose.id))?;
        }
        view_is_fresh(strategy, inputs, view, at)?;
    }
    let protective = |index: &PurposeIndex| strategy.purposes[usize::from(*index)].protective;
    for (attribute, _) in worked.permitted.protection.iter() {
        let declared = &strategy.attributes[usize::from(attribute)];
        let covered = declared.purposes.iter().any(protective);
        holds("INV-2", covered, || format!("{:?} is read for protection", declared.name))?;
    }
    view_is_fresh(strategy, inputs, &worked.permitted.protection, at)?;
    let hidden = |attribute: AttributeIndex| !worked.permitted.visible_anywhere(attribute);
    let leaked = worked
        .decision
        .trace
        .attributes
        .iter()
        .find(|traced| traced.value.is_some() && hidden(traced.attribute));
    holds("INV-2", leaked.is_none(), || "the trace holds a value that no view shows".into())
}

fn view_is_fresh(
    strategy: &Strategy,
    inputs: &Inputs<'_>,
    view: &PermittedView<'_>,
    at: Timestamp,
) -> Checked {
    view.iter().try_for_each(|(index, fact)| {
        let declared = &strategy.attributes[usize::from(index)];
        let stored = match declared.subject {
            Subject::Customer => {
                inputs.customer.and_then(|customer| customer.profile.attributes.get(&declared.name))
            }
            Subject::Household => inputs.household.and_then(|household| household.get(&declared.name)),
        };
        let kept = stored.is_some_and(|value| {
            value.expires_at > at && at.duration_since(value.observed_at) < declared.retention
        });
        holds("INV-2", kept, || format!("{:?} is read past its retention", declared.name))?;
        let sure = fact.confidence >= strategy.organisation.confidence_floor;
        holds("INV-2", sure, || format!("{:?} is read without being reliable", declared.name))
    })
}

/// INV-8: with a consent withdrawn, nothing gets past principles and contact policy that did not before.
pub fn withdrawing_adds_nothing(before: &Decision, after: &Decision) -> Checked {
    let survives = |fate: &Fate| match fate {
        Fate::Dropped(why) => why.step() > Step::ContactPolicy,
        _ => true,
    };
    let added =
        before.fates.iter().zip(&after.fates).filter(|(was, is)| !survives(&was.fate) && survives(&is.fate));
    let added = added.count();
    let comparable = before.fates.len() == after.fates.len();
    holds("INV-8", added == 0 && comparable, || format!("{added} candidates appear after a withdrawal"))
}

//! What was a customer exposed to, as learning sees it?
//!
//! An exposure holds what was permitted at the decision, read back from the record's own trace, and
//! the outcomes that are awaited from now on.

use decision::{
    consent::{self, Known},
    id::{CustomerId, DecisionId},
    propensity::{GOAL, features},
    record::Decision,
    strategy::{Action, Strategy},
};
use learning::{Expected, Exposure, ExposureId};

/// The exposure of one slot at `at_ms`: `candidate` was said (`acted`), or withheld.
/// `None` when the decision has no such candidate.
pub fn exposure(
    strategy: &Strategy,
    decision: &Decision,
    slot: u16,
    candidate: u16,
    acted: bool,
    at_ms: i64,
) -> Option<Exposure> {
    let fate = decision.fates.get(usize::from(candidate))?;
    let action = strategy.actions.get(usize::from(fate.action))?;
    let restored = decision.trace.restore(strategy, decision.customer, &decision.request);
    let known = Known { customer: restored.customer.as_ref(), household: restored.household.as_ref() };
    let mut in_play = vec![false; strategy.purposes.len()];
    in_play[usize::from(action.purpose)] = true;
    let permitted = consent::mask(strategy, known, &decision.request, &in_play, decision.at);
    Some(Exposure {
        id: if acted {
            ExposureId { decision: decision.id.0, slot }
        } else {
            withheld(decision.id, candidate)
        },
        subject: subject(decision),
        purpose: strategy.purposes[usize::from(action.purpose)].id.shared(),
        at_ms,
        action: action.id.shared(),
        channel: decision.request.channel.shared(),
        acted,
        features: features(strategy, &permitted, action.purpose, &decision.request, decision.at),
        expected: expected(strategy, action),
    })
}

/// A slot tells about one action when something was said, and may tell about several when nothing was: those
/// are numbered from the other end.
fn withheld(decision: DecisionId, candidate: u16) -> ExposureId {
    ExposureId { decision: decision.0, slot: u16::MAX - candidate }
}

/// Whom learning attributes outcomes to; a decision without a customer stands for itself.
pub(crate) fn subject(decision: &Decision) -> u128 {
    decision.customer.map_or(decision.id.0, |CustomerId(id)| id)
}

pub(crate) fn expected(strategy: &Strategy, action: &Action) -> Vec<Expected> {
    let goal = Expected {
        outcome: GOAL.into(),
        event: strategy.goal_event(action).shared(),
        within_ms: millis(action.goal.within),
    };
    let sides = strategy.organisation.outcomes.iter().map(|side| Expected {
        outcome: side.outcome.shared(),
        event: side.event.shared(),
        within_ms: millis(side.within),
    });
    std::iter::once(goal).chain(sides).collect()
}

fn millis(duration: decision::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

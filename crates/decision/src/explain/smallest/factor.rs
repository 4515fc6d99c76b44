//! By how much must one factor of a priority change? Found by halving the interval between no change,
//! which does not reach the aim, and the largest change that is allowed, which does.

use super::{Aim, Change, Obstacle, Smallest, apply::neutral};
use crate::{
    arbitration::Priority,
    candidate::{Candidate, PassedOver},
    decide::Worked,
    inputs::{Adjustment, Factor},
    integrity,
    replay::Circumstances,
    strategy::Class,
};

const FACTORS: [Factor; 5] =
    [Factor::Propensity, Factor::Value, Factor::ContextWeight, Factor::Lever, Factor::Cost];
/// Weights and levers are changed by at most this ratio.
const RATIO_MAX: f64 = 1000.0;
/// Values and costs are changed by at most this many euro.
const AMOUNT_MAX: f64 = 100_000.0;
/// A cost so far out of the ordinary that only feasibility is left to decide.
const OVERWHELMING: f64 = 1e12;
/// Halvings of an interval: enough to reach two neighbouring numbers.
const HALVINGS: usize = 200;

#[derive(Clone, Copy)]
enum Towards {
    Better,
    Worse,
}

/// What would make this candidate the best of its slot, or no longer the best.
pub(super) fn for_rank(circumstances: &Circumstances<'_>, worked: &Worked<'_>, index: u16) -> Smallest {
    let candidate = &worked.candidates[usize::from(index)];
    let drawn =
        worked.decision.slots.iter().find(|slot| slot.placement == candidate.placement && !slot.fixed);
    let (Some(slot), Some(priority)) = (drawn, candidate.priority) else {
        return Smallest::none(Obstacle::NotDrawn);
    };
    let best_with_cost = |by: f64| {
        let probe = Change::Factor(adjustment(circumstances, candidate, Factor::Cost, by));
        let after = probe.apply(circumstances)?.decide();
        after.slots.iter().find(|after| after.number == slot.number)?.preferred
    };
    if best_with_cost(-OVERWHELMING) != Some(index) {
        let why = candidate.passed_over.unwrap_or(PassedOver::Outranked);
        return Smallest::none(Obstacle::OtherChoices(why));
    }
    let rival = best_with_cost(OVERWHELMING).map(|rival| {
        let total =
            worked.candidates[usize::from(rival)].priority.map_or(f64::NEG_INFINITY, |found| found.total);
        (rival, total)
    });
    let best = |changed: &Priority| {
        let beats =
            |(rival, total): (u16, f64)| changed.total > total || (changed.total == total && index < rival);
        above_floor(circumstances, worked, candidate, changed)
            && changed.total > 0.0
            && rival.is_none_or(beats)
    };
    let is_best = slot.preferred == Some(index);
    let (aim, towards) = if is_best {
        (Aim::NotPreferred { slot: slot.number }, Towards::Worse)
    } else {
        (Aim::Preferred { slot: slot.number }, Towards::Better)
    };
    let changes: Vec<Change> = FACTORS
        .into_iter()
        .filter_map(|factor| {
            let by = least(&priority, factor, towards, |changed| best(changed) != is_best)?;
            Some(Change::Factor(adjustment(circumstances, candidate, factor, by)))
        })
        .collect();
    let tie = rival.is_some_and(|(_, total)| total == priority.total);
    let obstacle = changes.is_empty().then_some(if tie { Obstacle::ExactTie } else { Obstacle::OutOfReach });
    Smallest { aim: obstacle.is_none().then_some(aim), changes, on_the_edge: false, next: None, obstacle }
}

/// The propensity from which on there is enough in it for the customer.
pub(super) fn over_the_floor(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    candidate: &Candidate,
) -> Option<Change> {
    let enough = |changed: &Priority| above_floor(circumstances, worked, candidate, changed);
    let priority = candidate.priority?;
    let by = [Towards::Better, Towards::Worse]
        .into_iter()
        .find_map(|towards| least(&priority, Factor::Propensity, towards, enough))?;
    Some(Change::Factor(adjustment(circumstances, candidate, Factor::Propensity, by)))
}

fn above_floor(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    candidate: &Candidate,
    priority: &Priority,
) -> bool {
    let strategy = circumstances.strategy();
    strategy.actions[usize::from(candidate.action)].class != Class::Normal
        || priority.gain_for_customer() >= integrity::floor(strategy, worked.vulnerable)
}

fn adjustment(
    circumstances: &Circumstances<'_>,
    candidate: &Candidate,
    factor: Factor,
    by: f64,
) -> Adjustment {
    let strategy = circumstances.strategy();
    Adjustment {
        action: strategy.actions[usize::from(candidate.action)].id.clone(),
        placement: strategy.placements[usize::from(candidate.placement)].id.clone(),
        factor,
        by,
    }
}

/// The least change of `factor` that reaches the aim while half of it does not; `None` when no allowed
/// change does.
fn least(
    priority: &Priority,
    factor: Factor,
    towards: Towards,
    reached: impl Fn(&Priority) -> bool,
) -> Option<f64> {
    let reaches = |by: f64| reached(&priority.adjusted(factor, by));
    let neutral = neutral(factor);
    let (mut short, mut enough) = (neutral, bound(priority, factor, towards));
    if reaches(short) || !reaches(enough) {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = short + (enough - short) / 2.0;
        if middle == short || middle == enough {
            break;
        }
        if reaches(middle) { enough = middle } else { short = middle }
    }
    (!reaches(neutral + (enough - neutral) / 2.0)).then_some(enough)
}

/// The largest change allowed: propensities stay within 0 and 1, costs do not become negative.
fn bound(priority: &Priority, factor: Factor, towards: Towards) -> f64 {
    match (factor, towards) {
        (Factor::Propensity, Towards::Better) => 1.0 / priority.propensity,
        (Factor::Propensity, Towards::Worse) => 0.0,
        (Factor::Value, Towards::Better) => AMOUNT_MAX,
        (Factor::Value, Towards::Worse) => -AMOUNT_MAX,
        (Factor::ContextWeight | Factor::Lever, Towards::Better) => RATIO_MAX,
        (Factor::ContextWeight | Factor::Lever, Towards::Worse) => 1.0 / RATIO_MAX,
        (Factor::Cost, Towards::Better) => -(priority.contact_cost + priority.fatigue).max(0.0),
        (Factor::Cost, Towards::Worse) => AMOUNT_MAX,
    }
}

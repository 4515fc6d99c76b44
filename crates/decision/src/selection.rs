//! Which of what is left is said, slot by slot?
//!
//! For every slot one probability vector over the contenders and silence is computed, and the pick is
//! sampled from that vector, so the recorded probability is the policy's own. Slots fill in the
//! strategy's placement order, each conditional on the picks before it.

use crate::{
    candidate::{Candidate, PassedOver},
    contact_policy::{Budget, Situation},
    inputs::Assignment,
    propensity::Estimates,
    record::{Contender, SilenceReason, Slot},
    strategy::{Action, ActionIndex, Class},
};
use learning::exploration::{
    Floor, THOMPSON_SCALE, Worth, keyed_uniform, pick, ramped, thompson, with_floor,
};
use std::collections::BTreeSet;

/// Draws per slot.
const DRAWS: usize = 128;
/// Only so many contenders with the highest priority are drawn for.
const CONTENDERS_MAX: usize = 16;
/// An arm is worth trying only when this many standard deviations of luck would beat silence.
const WORTH_TRYING_Z: f64 = 2.0;
/// The probability a new action may have at most, while a known one is worth saying.
const RAMP_START: f64 = 0.2;
/// How long an answered conversation keeps its group for itself.
const CONVERSATION_OPEN: crate::Duration = crate::Duration::from_hours(7 * 24);

/// What is said in a slot instead of what would be drawn, to see how likely a course of events is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Silence.
    Nothing,
    /// This action.
    Action(ActionIndex),
}

/// How selection treats this customer.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// By the strategy, by chance, or silent.
    pub assignment: Assignment,
    /// No exploration.
    pub vulnerable: bool,
    /// Key of all draws.
    pub seed: u64,
    /// What is said in each slot, by number; `None`, or beyond its end, is drawn. Empty for a decision that counts.
    pub course: &'a [Option<Said>],
}

impl Manner<'_> {
    /// Where in a vector the course of events goes, when it is laid down and can go there.
    fn laid_down(&self, position: usize, candidates: &[Candidate], contenders: &[u16]) -> Option<usize> {
        match self.course.get(position).copied()?? {
            Said::Nothing => Some(0),
            Said::Action(action) => contenders
                .iter()
                .position(|index| candidates[usize::from(*index)].action == action)
                .map(|place| place + 1),
        }
    }
}

/// Fills the slots and marks why the others were passed over.
pub fn select(
    situation: &Situation<'_>,
    candidates: &mut [Candidate],
    mut budget: Budget,
    estimates: &Estimates<'_>,
    manner: Manner<'_>,
) -> Vec<Slot> {
    let conversations = open_conversations(situation);
    let mut taken = Taken::default();
    let mut slots = Vec::new();
    for (placement, declared) in (0u16..).zip(&situation.strategy.placements) {
        let asked = situation.request.placements.iter().filter(|asked| asked.placement == declared.id);
        let count: u16 = asked.map(|asked| asked.slots).sum();
        for _ in 0..count {
            let feasible = feasible(situation, candidates, placement, &taken, &budget, &conversations);
            let slot = fill(situation, candidates, &feasible, placement, estimates, manner, slots.len());
            if let Some(pick) = slot.pick {
                let candidate = &mut candidates[usize::from(pick)];
                let action = action_of(situation, candidate);
                taken.candidates.insert(pick);
                taken.actions.insert(action.id.as_str().to_owned());
                taken.groups.insert(action.id.group().to_owned());
                if slot.reuses.is_none() {
                    budget.take(situation, action);
                }
            }
            slots.push(slot);
        }
    }
    pass_over_the_rest(candidates, &slots);
    slots
}

#[derive(Default)]
struct Taken {
    candidates: BTreeSet<u16>,
    actions: BTreeSet<String>,
    groups: BTreeSet<String>,
}

fn action_of<'s>(situation: &Situation<'s>, candidate: &Candidate) -> &'s Action {
    &situation.strategy.actions[usize::from(candidate.action)]
}

/// Candidates that may fill a slot of this placement now, best first; the others learn why not.
fn feasible(
    situation: &Situation<'_>,
    candidates: &mut [Candidate],
    placement: u16,
    taken: &Taken,
    budget: &Budget,
    conversations: &[(String, String)],
) -> Vec<u16> {
    let mut feasible = Vec::new();
    for (index, candidate) in (0u16..).zip(candidates.iter_mut()) {
        if !candidate.alive() || candidate.placement != placement || taken.candidates.contains(&index) {
            continue;
        }
        let action = action_of(situation, candidate);
        let group = action.id.group();
        let other_open =
            conversations.iter().any(|(open, about)| open == group && *about != action.id.as_str());
        let obstacle = if taken.actions.contains(action.id.as_str()) {
            Some(PassedOver::ActionTaken)
        } else if taken.groups.contains(group) && action.class == Class::Normal {
            Some(PassedOver::GroupTaken)
        } else if other_open && action.class == Class::Normal {
            Some(PassedOver::ConversationOpen)
        } else if candidate.reuses.is_none() && !budget.has_room(situation, candidate.action) {
            Some(PassedOver::CapacityTaken)
        } else {
            None
        };
        candidate.passed_over = obstacle;
        if obstacle.is_none() {
            feasible.push(index);
        }
    }
    feasible.sort_by(|a, b| {
        let total = |index: &u16| total(&candidates[usize::from(*index)]);
        total(b).total_cmp(&total(a)).then(a.cmp(b))
    });
    feasible
}

fn total(candidate: &Candidate) -> f64 {
    candidate.priority.map_or(f64::NEG_INFINITY, |priority| priority.total)
}

fn fill(
    situation: &Situation<'_>,
    candidates: &mut [Candidate],
    feasible: &[u16],
    placement: u16,
    estimates: &Estimates<'_>,
    manner: Manner<'_>,
    position: usize,
) -> Slot {
    let number = u16::try_from(position).unwrap_or(u16::MAX);
    let mut slot = Slot { placement, number, ..Slot::default() };
    let class = |index: &u16| action_of(situation, &candidates[usize::from(*index)]).class;
    let first = feasible
        .iter()
        .copied()
        .filter(|index| class(index) != Class::Normal)
        .min_by_key(|index| class(index));
    let again = feasible.iter().copied().find(|index| candidates[usize::from(*index)].reuses.is_some());
    if let Some(fixed) = first.or(again) {
        slot.fixed = true;
        slot.preferred = Some(fixed);
        slot.reuses = candidates[usize::from(fixed)].reuses;
        slot.contenders = vec![Contender { candidate: fixed, probability: 1.0 }];
        choose(&mut slot, candidates, Some(fixed));
        return slot;
    }
    let contenders: Vec<u16> = feasible
        .iter()
        .copied()
        .filter(|index| {
            let candidate = &candidates[usize::from(*index)];
            !action_of(situation, candidate).sensitive || total(candidate) > 0.0
        })
        .take(CONTENDERS_MAX)
        .collect();
    slot.preferred =
        contenders.first().copied().filter(|index| total(&candidates[usize::from(*index)]) > 0.0);
    let acting_preferred = slot.preferred.is_some();
    let vector = vector(situation, candidates, &contenders, acting_preferred, estimates, manner, number);
    slot.silence = vector[0] as f32;
    slot.contenders = contenders
        .iter()
        .zip(&vector[1..])
        .filter(|(_, probability)| **probability > 0.0)
        .map(|(&candidate, &probability)| Contender { candidate, probability: probability as f32 })
        .collect();
    let drawn = manner
        .laid_down(position, candidates, &contenders)
        .unwrap_or_else(|| pick(&vector, keyed_uniform(manner.seed, u64::from(number))));
    choose(&mut slot, candidates, drawn.checked_sub(1).map(|index| contenders[index]));
    if slot.pick.is_none() {
        slot.silence_reason = Some(silence_reason(candidates, &slot, feasible));
    }
    slot
}

/// Probabilities of silence (position 0) and of the contenders.
fn vector(
    situation: &Situation<'_>,
    candidates: &mut [Candidate],
    contenders: &[u16],
    acting_preferred: bool,
    estimates: &Estimates<'_>,
    manner: Manner<'_>,
    number: u16,
) -> Vec<f64> {
    let arms = contenders.len() + 1;
    let is_spared = |index: &u16| action_of(situation, &candidates[usize::from(*index)]).spared;
    let by_chance = !(acting_preferred && contenders.first().is_some_and(is_spared));
    if manner.assignment == Assignment::RandomRelevant && by_chance {
        return vec![1.0 / arms as f64; arms];
    }
    if manner.vulnerable || contenders.is_empty() {
        let best = usize::from(acting_preferred);
        return (0..arms).map(|arm| if arm == best { 1.0 } else { 0.0 }).collect();
    }
    estimates.doubt(candidates, contenders);
    let priority = |arm: usize| candidates[usize::from(contenders[arm - 1])].priority;
    let at = |arm: usize, z: f64| match arm {
        0 => 0.0,
        _ => priority(arm).map_or(f64::NEG_INFINITY, |priority| priority.at_deviation(z)),
    };
    let keyed = manner.seed ^ u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let drawn = thompson(arms, keyed, DRAWS, |arm, z| match arm {
        0 => [0.0; 2],
        _ => priority(arm)
            .map_or([f64::NEG_INFINITY; 2], |priority| priority.at_deviations(z * THOMPSON_SCALE)),
    });
    let explorable: Vec<bool> = (0..arms)
        .map(|arm| {
            let sensitive =
                arm > 0 && action_of(situation, &candidates[usize::from(contenders[arm - 1])]).sensitive;
            arm > 0 && !sensitive && at(arm, WORTH_TRYING_Z) > 0.0
        })
        .collect();
    let worth: Vec<Worth> =
        (0..arms).map(|arm| Worth { expected: at(arm, 0.0), hoped: at(arm, WORTH_TRYING_Z) }).collect();
    let exploration = situation.strategy.organisation.exploration;
    let floor = Floor { total: exploration.floor, arms: exploration.contenders, budget: exploration.budget };
    let floored = with_floor(&drawn, &explorable, &worth, floor);
    let evidence = |arm: usize| {
        let candidate = &candidates[usize::from(contenders[arm - 1])];
        candidate.predictions.first().map_or(0.0, |goal| f64::from(goal.evidence))
    };
    let known = |arm: usize| (evidence(arm) / f64::from(exploration.ramp)).min(1.0);
    let caps: Vec<f64> =
        (0..arms).map(|arm| if arm == 0 { 1.0 } else { RAMP_START.max(known(arm)) }).collect();
    let steady: Vec<bool> =
        (0..arms).map(|arm| arm > 0 && known(arm) >= 1.0 && worth[arm].expected > 0.0).collect();
    ramped(&floored, &caps, &steady)
}

/// Action first, then its best form: the cheapest that fits, in the order of the file on a tie.
fn choose(slot: &mut Slot, candidates: &[Candidate], picked: Option<u16>) {
    slot.pick = picked;
    slot.treatment = picked.and_then(|index| candidates[usize::from(index)].treatment);
}

/// `feasible` are the candidates that could still have filled the slot.
fn silence_reason(candidates: &[Candidate], slot: &Slot, feasible: &[u16]) -> SilenceReason {
    let here: Vec<&Candidate> =
        candidates.iter().filter(|candidate| candidate.placement == slot.placement).collect();
    if here.is_empty() {
        SilenceReason::NoCandidates
    } else if slot.preferred.is_some() {
        SilenceReason::Chance
    } else if !feasible.is_empty() {
        SilenceReason::WorthMore
    } else if here.iter().any(|candidate| candidate.alive()) {
        SilenceReason::SlotsTaken
    } else {
        let last = here.iter().filter_map(|candidate| candidate.dropped).map(|why| why.step()).max();
        last.map_or(SilenceReason::NoCandidates, SilenceReason::AllDropped)
    }
}

/// Groups in which the customer answered (clicked, accepted) lately, with the action they answered.
fn open_conversations(situation: &Situation<'_>) -> Vec<(String, String)> {
    let start = situation.at.saturating_sub(CONVERSATION_OPEN).unwrap_or(crate::Timestamp::MIN);
    let mut open: Vec<(String, String)> = Vec::new();
    for outcome in situation.history.outcomes.iter().filter(|outcome| outcome.at > start) {
        let Some(action) = &outcome.action else {
            continue;
        };
        let group = action.group();
        match outcome.outcome.as_str() {
            "clicked" | "accepted" => {
                open.retain(|(other, _)| other != group);
                open.push((group.to_owned(), action.as_str().to_owned()));
            }
            "goal" | "rejected" | "dismissed" => open.retain(|(_, about)| about != action.as_str()),
            _ => {}
        }
    }
    open
}

fn pass_over_the_rest(candidates: &mut [Candidate], slots: &[Slot]) {
    let picked = |index: u16| slots.iter().any(|slot| slot.pick == Some(index));
    for (index, candidate) in (0u16..).zip(candidates.iter_mut()) {
        if !candidate.alive() || picked(index) {
            continue;
        }
        let said_here = slots.iter().any(|slot| slot.placement == candidate.placement && slot.pick.is_some());
        let only_fixed =
            slots.iter().filter(|slot| slot.placement == candidate.placement).all(|slot| slot.fixed);
        let otherwise = match (said_here, only_fixed) {
            (true, true) => PassedOver::SlotsFilled,
            (true, false) => PassedOver::Outranked,
            (false, _) => PassedOver::SilenceWorthMore,
        };
        candidate.passed_over.get_or_insert(otherwise);
    }
}

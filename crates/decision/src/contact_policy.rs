//! May we contact this customer about this, here and now? Permissions, quiet hours, closed needs,
//! pauses, complaints and limits over one attention budget for all channels.
//!
//! Windows are exact and rolling. Reservations count like contacts, except that asking again for the
//! same action at the same placement reuses the open one. Slot filling takes from the [`Budget`].

use crate::{
    Duration, Timestamp,
    candidate::{Candidate, Dropped},
    consent::Permitted,
    experiment::Overlay,
    id::{ActionId, ChannelId},
    profile::{Contact, ContactHistory, ContactState},
    record::Reuse,
    request::{Direction, Request},
    strategy::{Action, ActionIndex, Class, Limit, PolicyScope, Scope, Strategy, applies},
};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// How long an action is left alone after it was rejected, on every channel, whatever the strategy says.
pub const REJECTED_PAUSE: Duration = Duration::from_hours(30 * 24);

/// Everything the policy looks at besides the candidate.
pub struct Situation<'a> {
    /// The strategy.
    pub strategy: &'a Strategy,
    /// The request.
    pub request: &'a Request,
    /// What has been said and what came of it.
    pub history: &'a ContactHistory,
    /// Whether somebody was recognised; permissions are about persons.
    pub recognised: bool,
    /// Basis per purpose.
    pub permitted: &'a Permitted<'a>,
    /// What is different in the arms of experiments that the customer is in.
    pub overlay: &'a Overlay<'a>,
    /// Now.
    pub at: Timestamp,
}

/// Drops what the policy forbids, and returns what is left of every limit.
pub fn apply(situation: &Situation<'_>, candidates: &mut [Candidate]) -> Budget {
    let budget = Budget::new(situation);
    let quiet = is_quiet(situation);
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let action = &situation.strategy.actions[usize::from(candidate.action)];
        candidate.reuses = open_contact(situation, action, candidate.placement);
        let scope = situation.strategy.scopes.concerning(candidate.action);
        let forbidden = permission(situation, scope)
            .or_else(|| (quiet && action.class != Class::Mandatory).then_some(Dropped::QuietHours))
            .or_else(|| closed(situation, action))
            .or_else(|| complaint(situation, action, scope))
            .or_else(|| paused(situation, action, scope))
            .or_else(|| match candidate.reuses {
                Some(_) => None,
                None => budget.reached(situation, candidate.action),
            });
        if let Some(why) = forbidden {
            candidate.drop_because(why);
        }
    }
    budget
}

fn permission(situation: &Situation<'_>, scope: &Scope) -> Option<Dropped> {
    if !situation.recognised {
        return None;
    }
    scope.permissions.iter().find_map(|&permission| {
        let rule = &situation.strategy.permissions[usize::from(permission)];
        let concerns = rule.channel == situation.request.channel
            && rule.direction == situation.request.direction
            && rule.from <= situation.at;
        let why = concerns.then(|| situation.permitted.view(rule.needs).err())??;
        Some(Dropped::Permission { permission, why })
    })
}

/// Whether this is an hour for rest, in which only what is mandatory may begin.
fn is_quiet(situation: &Situation<'_>) -> bool {
    let channel = situation.strategy.channel(situation.request.channel.as_str());
    let Some((from, until)) = channel.and_then(|channel| channel.quiet_hours) else {
        return false;
    };
    let zone: &TimeZone = &situation.strategy.organisation.time_zone;
    let clock = situation.at.to_zoned(zone.clone()).time();
    let quiet = if from <= until { from <= clock && clock < until } else { from <= clock || clock < until };
    quiet && situation.request.direction == Direction::Outbound
}

fn closed(situation: &Situation<'_>, action: &Action) -> Option<Dropped> {
    let goal = situation.strategy.goal_event(action);
    let reached = |outcome: &&crate::profile::Outcome| {
        outcome.outcome.as_str() == "goal" && outcome.event.as_ref() == Some(&goal)
    };
    let at = situation.history.outcomes.iter().filter(reached).map(|outcome| outcome.at).max()?;
    (after(at, action.goal.closed_for) > situation.at).then_some(Dropped::GoalReached { at })
}

fn complaint(situation: &Situation<'_>, action: &Action, scope: &Scope) -> Option<Dropped> {
    if !scope.silenced_by_complaint || action.class != Class::Normal {
        return None;
    }
    let since = situation.history.last_outcome("complaint", "")?;
    let resolved = situation.history.last_outcome("complaint_resolved", "");
    resolved.is_none_or(|resolved| resolved < since).then_some(Dropped::ComplaintOpen { since })
}

fn paused(situation: &Situation<'_>, action: &Action, scope: &Scope) -> Option<Dropped> {
    let built_in = situation
        .history
        .last_outcome("rejected", action.id.as_str())
        .map(|at| Dropped::Paused { pause: None, until: after(at, REJECTED_PAUSE) });
    let declared = scope.pauses.iter().filter_map(|&index| {
        let pause = &situation.strategy.contact_policy.pauses[usize::from(index)];
        let own = action.class == Class::Normal || pause.per == PolicyScope::Action;
        if !own {
            return None;
        }
        let key = scope_key(pause.per, &action.id, &situation.request.channel);
        let mut moments: Vec<Timestamp> = situation
            .history
            .outcomes
            .iter()
            .filter(|outcome| outcome.outcome == pause.outcome)
            .filter(|outcome| match pause.per {
                PolicyScope::All | PolicyScope::Channel => true,
                _ => outcome.action.as_ref().is_some_and(|action| action.within(key)),
            })
            .map(|outcome| outcome.at)
            .collect();
        moments.sort_unstable();
        let last = *moments.last()?;
        let window_start = before(last, pause.within);
        let times = moments.iter().filter(|moment| **moment > window_start).count();
        (times >= pause.times as usize)
            .then_some(Dropped::Paused { pause: Some(index), until: after(last, pause.pause_for) })
    });
    let until = |why: &Dropped| match why {
        Dropped::Paused { until, .. } => *until,
        _ => Timestamp::MIN,
    };
    built_in.into_iter().chain(declared).filter(|why| until(why) > situation.at).max_by_key(until)
}

/// A contact for the same action at the same placement that is still fresh: asking again shows it again.
fn open_contact(situation: &Situation<'_>, action: &Action, placement: u16) -> Option<Reuse> {
    let placement = &situation.strategy.placements[usize::from(placement)];
    let lifetime = situation.strategy.channel(placement.channel.as_str())?.reservation;
    situation
        .history
        .in_window(situation.at, lifetime)
        .filter(|contact| contact.action == action.id && contact.placement == placement.id)
        .last()
        .map(|contact| Reuse { decision: contact.decision, slot: contact.slot })
}

/// What is left of every limit, for slot filling.
pub struct Budget {
    /// Contacts in the window, per limit and key, as the moments at which they stop counting.
    taken: Vec<BTreeMap<String, Vec<Timestamp>>>,
    enforced: bool,
}

impl Budget {
    fn new(situation: &Situation<'_>) -> Self {
        let policy = &situation.strategy.contact_policy;
        let enforced = situation.request.direction == Direction::Outbound || policy.inbound_counts;
        let taken = policy
            .limits
            .iter()
            .map(|limit| {
                let mut by_key: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
                let counts = |contact: &&Contact| {
                    (policy.inbound_counts || contact.direction == Direction::Outbound)
                        && concerns(limit, &contact.action, &contact.channel)
                };
                for contact in situation.history.in_window(situation.at, limit.within).filter(counts) {
                    let key = scope_key(limit.per, &contact.action, &contact.channel).to_owned();
                    by_key.entry(key).or_default().push(stops_counting(contact, limit.within));
                }
                by_key.values_mut().for_each(|moments| moments.sort_unstable());
                by_key
            })
            .collect();
        Self { taken, enforced }
    }

    /// The first limit that has no room for this action; service and mandatory messages have always room.
    fn reached(&self, situation: &Situation<'_>, action: ActionIndex) -> Option<Dropped> {
        let limits = &situation.strategy.scopes.concerning(action).limits;
        let action = &situation.strategy.actions[usize::from(action)];
        if !self.enforced || action.class != Class::Normal {
            return None;
        }
        let channel = &situation.request.channel;
        limits.iter().find_map(|&index| {
            let limit = &situation.strategy.contact_policy.limits[usize::from(index)];
            let moments = self.taken[usize::from(index)].get(scope_key(limit.per, &action.id, channel));
            let moments = moments.map_or(&[][..], Vec::as_slice);
            let room_for = limit.at_most as usize;
            (covers(limit, channel) && moments.len() >= room_for).then(|| Dropped::Limit {
                limit: index,
                counted: u32::try_from(moments.len()).unwrap_or(u32::MAX),
                until: moments.get(moments.len() - room_for).copied().unwrap_or(Timestamp::MAX),
            })
        })
    }

    /// Whether slot filling may still choose this action.
    pub fn has_room(&self, situation: &Situation<'_>, action: ActionIndex) -> bool {
        self.reached(situation, action).is_none()
    }

    /// Takes one contact of this action from every limit it counts for.
    pub fn take(&mut self, situation: &Situation<'_>, action: &Action) {
        let channel = &situation.request.channel;
        for (limit, taken) in situation.strategy.contact_policy.limits.iter().zip(&mut self.taken) {
            if concerns(limit, &action.id, channel) {
                let key = scope_key(limit.per, &action.id, channel).to_owned();
                taken.entry(key).or_default().push(after(situation.at, limit.within));
            }
        }
    }
}

fn concerns(limit: &Limit, action: &ActionId, channel: &ChannelId) -> bool {
    covers(limit, channel) && applies(&limit.applies_to, action)
}

fn covers(limit: &Limit, channel: &ChannelId) -> bool {
    limit.channels.is_empty() || limit.channels.contains(channel)
}

fn scope_key<'k>(per: PolicyScope, action: &'k ActionId, channel: &'k ChannelId) -> &'k str {
    match per {
        PolicyScope::All => "",
        PolicyScope::Channel => channel.as_str(),
        PolicyScope::Action => action.as_str(),
        PolicyScope::Group => action.group(),
        PolicyScope::Issue => action.issue(),
    }
}

fn stops_counting(contact: &Contact, within: Duration) -> Timestamp {
    let leaves_window = after(contact.at, within);
    match contact.state {
        ContactState::Reserved { until } => leaves_window.min(until),
        ContactState::Counted { .. } => leaves_window,
    }
}

fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

fn before(at: Timestamp, duration: Duration) -> Timestamp {
    at.saturating_sub(duration).unwrap_or(Timestamp::MIN)
}

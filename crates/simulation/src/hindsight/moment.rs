//! One past decision: what came of it, and how likely each policy was to do the same.

use super::{Name, Yardstick, happenings::Happenings, report::LEDGERS};
use decision::{
    arbitration::Priority,
    decide::Worked,
    inputs::Assignment,
    record::{Decision, Slot},
    strategy::{Sensitivity, Strategy, Subject},
    value::Value,
    what_if::{Gaps, Past},
};
use learning::Prediction;
use std::collections::{BTreeMap, BTreeSet};

/// A policy that did not decide: a strategy, and which of its layers.
#[derive(Clone, Copy)]
pub(super) struct Contestant<'s> {
    pub strategy: &'s Strategy,
    pub assignment: Assignment,
}

/// What became of the attempt.
pub(super) enum Looked {
    Used(Box<Moment>),
    /// The customer was in a group that the strategy does not decide for.
    ControlGroup,
    /// Everything shown was fixed: required, or an open contact shown again.
    NothingDrawn,
    /// Outcomes may still come, until this moment.
    TooRecent {
        ready_ms: i64,
    },
}

/// One decision with everything its value takes.
pub(super) struct Moment {
    pub subject: u128,
    pub channel: Name,
    /// With which probability all drawn slots were filled as they were.
    pub propensity: f64,
    /// In each ledger, in euro.
    pub reward: [f64; LEDGERS],
    pub policies: Vec<Seen>,
    /// Attribute and value of the groups that the customer belongs to.
    pub groups: Vec<(Name, String)>,
    pub gaps: Gaps,
}

/// One policy at one decision.
pub(super) struct Seen {
    /// With which probability it would have filled all drawn slots the same way.
    pub probability: f64,
    /// What a model expects the policy to add to what the weighted outcome tells, per ledger; 0 on average.
    pub correction: [f64; LEDGERS],
    /// Probability of something that could not have been said then.
    pub unsupported: f64,
    /// Probability that something else is said than by the first policy.
    pub changed: f64,
    /// Expected number of times each action is said.
    pub said: BTreeMap<Name, f64>,
    /// Expected number of silent slots.
    pub silent: f64,
    pub slots: f64,
}

/// One slot as a policy sees it.
#[derive(Default, Clone)]
pub(super) struct View {
    silence: f64,
    pub arms: Vec<(Name, f64)>,
    pub pick: Option<Name>,
    pub fixed: bool,
}

/// A placement and the number of the slot within it.
pub(super) type Spot = (Name, usize);

/// What an action is worth and what is expected of it.
struct Prospect {
    event: Name,
    within_ms: i64,
    value: [f64; 2],
    cost: f64,
    predictions: Vec<Prediction>,
}

pub(super) fn look(
    past: &Past<'_>,
    decided_by: &Strategy,
    contestants: &[Option<Contestant<'_>>],
    yardstick: Yardstick,
    happenings: &Happenings,
    complete_until_ms: i64,
) -> Looked {
    let record = past.record();
    if !matches!(record.trace.assignment, Assignment::Strategy | Assignment::RandomRelevant) {
        return Looked::ControlGroup;
    }
    let logged: Vec<(Spot, View)> =
        views(decided_by, record).into_iter().filter(|(_, view)| !view.fixed).collect();
    if logged.is_empty() {
        return Looked::NothingDrawn;
    }
    let mut prospects = BTreeMap::new();
    let mut gaps = Gaps::default();
    let as_decided = Contestant { strategy: decided_by, assignment: Assignment::Strategy };
    let decided = past.under(decided_by, Assignment::Strategy, |worked| {
        learn(&mut prospects, decided_by, worked, false);
        views(decided_by, &worked.decision)
    });
    let mut seen = Vec::new();
    for contestant in contestants {
        let Contestant { strategy, assignment } = contestant.unwrap_or(as_decided);
        let other_values = contestant.is_some() && yardstick == Yardstick::Other;
        let along = match contestant {
            None => decided.clone(),
            Some(_) => past.under(strategy, assignment, |worked| {
                learn(&mut prospects, strategy, worked, other_values);
                gaps = past.gaps(strategy, worked);
                views(strategy, &worked.decision)
            }),
        };
        let freely = match logged.len() {
            1 => along.clone(),
            _ => past.freely_under(strategy, assignment, |worked| views(strategy, &worked.decision)),
        };
        seen.push((along, freely));
    }
    let judge = match (yardstick, contestants.last()) {
        (Yardstick::Other, Some(Some(contestant))) => contestant.strategy,
        _ => decided_by,
    };
    let named = named(&logged, &seen);
    prospects.retain(|action, _| named.contains(action));
    let sums = Sums { judge, record, prospects: &prospects, happenings };
    let ready_ms = record.at.as_millisecond().saturating_add(sums.longest_ms());
    if ready_ms > complete_until_ms {
        return Looked::TooRecent { ready_ms };
    }
    let policies: Vec<Seen> =
        seen.iter().map(|(along, freely)| sums.seen(&logged, along, freely, &seen[0].0)).collect();
    Looked::Used(Box::new(Moment {
        subject: subject(record),
        channel: record.request.channel.shared(),
        propensity: logged.iter().map(|(_, view)| view.of_pick(view)).product(),
        reward: sums.reward(&logged),
        policies,
        groups: groups(decided_by, record),
        gaps,
    }))
}

/// What is seen of each spot.
pub(super) type Views = BTreeMap<Spot, View>;

/// All actions that anybody might have said in a drawn slot.
fn named(logged: &[(Spot, View)], seen: &[(Views, Views)]) -> BTreeSet<Name> {
    let here = logged.iter().map(|(_, view)| view);
    let drawn: BTreeSet<&Spot> = logged.iter().map(|(spot, _)| spot).collect();
    let there = seen.iter().flat_map(|(along, freely)| along.iter().chain(freely));
    let there = there.filter(|(spot, _)| drawn.contains(spot)).map(|(_, view)| view);
    here.chain(there).flat_map(|view| view.arms.iter().map(|(action, _)| action.clone())).collect()
}

impl View {
    fn of(&self, action: Option<&Name>) -> f64 {
        match action {
            None => self.silence,
            Some(action) => {
                self.arms.iter().find(|(name, _)| name == action).map_or(0.0, |(_, chance)| *chance)
            }
        }
    }

    /// The probability of what `logged` picked.
    pub fn of_pick(&self, logged: &Self) -> f64 {
        self.of(logged.pick.as_ref())
    }

    pub fn nothing() -> Self {
        Self { silence: 1.0, ..Self::default() }
    }
}

fn subject(record: &Decision) -> u128 {
    record.customer.map_or(record.id.0, |customer| customer.0)
}

pub(super) fn views(strategy: &Strategy, decision: &Decision) -> Views {
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    let mut views = BTreeMap::new();
    for slot in &decision.slots {
        let number = counts.entry(slot.placement).or_default();
        if let Some(placement) = strategy.placements.get(usize::from(slot.placement)) {
            views.insert((placement.id.shared(), *number), view(strategy, decision, slot));
        }
        *number += 1;
    }
    views
}

fn view(strategy: &Strategy, decision: &Decision, slot: &Slot) -> View {
    let name = |candidate: u16| {
        let action = decision.fates.get(usize::from(candidate))?.action;
        Some(strategy.actions.get(usize::from(action))?.id.shared())
    };
    let arm = |contender: &decision::record::Contender| {
        Some((name(contender.candidate)?, f64::from(contender.probability)))
    };
    View {
        silence: f64::from(slot.silence),
        arms: slot.contenders.iter().filter_map(arm).collect(),
        pick: slot.pick.and_then(name),
        fixed: slot.fixed,
    }
}

/// Notes what each action is worth; the first to say so counts, unless `instead`.
fn learn(prospects: &mut BTreeMap<Name, Prospect>, strategy: &Strategy, worked: &Worked<'_>, instead: bool) {
    for candidate in &worked.candidates {
        let action = &strategy.actions[usize::from(candidate.action)];
        let Some(Priority { value_for_customer, value_for_organisation, contact_cost, .. }) =
            candidate.priority
        else {
            continue;
        };
        if instead || !prospects.contains_key(&action.id.shared()) {
            let prospect = Prospect {
                event: strategy.goal_event(action).shared(),
                within_ms: millis(action.goal.within),
                value: [value_for_customer, value_for_organisation],
                cost: contact_cost,
                predictions: candidate.predictions.clone(),
            };
            prospects.insert(action.id.shared(), prospect);
        }
    }
}

fn millis(duration: decision::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The arithmetic of one decision.
struct Sums<'a> {
    /// Whose weights and side outcomes count.
    judge: &'a Strategy,
    record: &'a Decision,
    prospects: &'a BTreeMap<Name, Prospect>,
    happenings: &'a Happenings,
}

impl Sums<'_> {
    /// How long outcomes may take.
    fn longest_ms(&self) -> i64 {
        let goals = self.prospects.values().map(|prospect| prospect.within_ms);
        let sides = self.judge.organisation.outcomes.iter().map(|side| millis(side.within));
        goals.chain(sides).max().unwrap_or(0)
    }

    fn followed(&self, event: &str, within_ms: i64) -> bool {
        let (decision, from_ms) = (self.record.id.0, self.record.at.as_millisecond());
        self.happenings.followed(decision, subject(self.record), event, from_ms, within_ms)
    }

    /// Customer, organisation after the cost of contacts, and both as the board weighs them.
    fn ledgers(&self, customer: f64, organisation: f64, cost: f64) -> [f64; LEDGERS] {
        let weights = self.judge.organisation.weights;
        let total = weights.customer * customer + weights.organisation * organisation - cost;
        [customer, organisation - cost, total]
    }

    /// The goals at stake: of what was said when it has that goal, else of the first that does.
    fn at_stake(&self, said: &[&Name]) -> BTreeMap<&str, &Prospect> {
        let first = said.iter().filter_map(|action| self.prospects.get(*action));
        let mut stakes: BTreeMap<&str, &Prospect> = BTreeMap::new();
        for prospect in first.chain(self.prospects.values()) {
            stakes.entry(&prospect.event).or_insert(prospect);
        }
        stakes
    }

    /// What came of it, whatever brought it about.
    fn reward(&self, logged: &[(Spot, View)]) -> [f64; LEDGERS] {
        let said: Vec<&Name> = logged.iter().filter_map(|(_, view)| view.pick.as_ref()).collect();
        let (mut customer, mut organisation) = (0.0, 0.0);
        for (event, prospect) in self.at_stake(&said) {
            if self.followed(event, prospect.within_ms) {
                customer += prospect.value[0];
                organisation += prospect.value[1];
            }
        }
        for side in &self.judge.organisation.outcomes {
            if self.followed(side.event.as_str(), millis(side.within)) {
                customer += side.value_for_customer;
                organisation += side.value_for_organisation;
            }
        }
        let cost =
            said.iter().filter_map(|action| self.prospects.get(*action)).map(|prospect| prospect.cost).sum();
        self.ledgers(customer, organisation, cost)
    }

    /// What a model expects to happen anyway.
    fn anyway(&self) -> [f64; LEDGERS] {
        let (mut customer, mut organisation) = (0.0, 0.0);
        for prospect in self.at_stake(&[]).values() {
            let baseline = baseline(prospect.predictions.first());
            customer += baseline * prospect.value[0];
            organisation += baseline * prospect.value[1];
        }
        if let Some(prospect) = self.prospects.values().next() {
            for (side, prediction) in
                self.judge.organisation.outcomes.iter().zip(prospect.predictions.iter().skip(1))
            {
                customer += baseline(Some(prediction)) * side.value_for_customer;
                organisation += baseline(Some(prediction)) * side.value_for_organisation;
            }
        }
        self.ledgers(customer, organisation, 0.0)
    }

    /// What a model expects that saying this adds; silence adds nothing.
    fn adds(&self, action: Option<&Name>) -> [f64; LEDGERS] {
        let Some(prospect) = action.and_then(|action| self.prospects.get(action)) else {
            return [0.0; LEDGERS];
        };
        let added = |prediction: &Prediction| f64::from(prediction.probability) - baseline(Some(prediction));
        let goal = prospect.predictions.first().map_or(0.0, added);
        let (mut customer, mut organisation) = (goal * prospect.value[0], goal * prospect.value[1]);
        for (side, prediction) in
            self.judge.organisation.outcomes.iter().zip(prospect.predictions.iter().skip(1))
        {
            customer += added(prediction) * side.value_for_customer;
            organisation += added(prediction) * side.value_for_organisation;
        }
        self.ledgers(customer, organisation, prospect.cost)
    }

    fn expected(&self, view: &View) -> [f64; LEDGERS] {
        let mut sum = [0.0; LEDGERS];
        for (action, probability) in &view.arms {
            let adds = self.adds(Some(action));
            (0..LEDGERS).for_each(|ledger| sum[ledger] += probability * adds[ledger]);
        }
        sum
    }

    /// One policy. The correction is the doubly robust one, slot by slot (Jiang, Li 2016, "Doubly robust
    /// off-policy value evaluation for reinforcement learning"): `Σ_j W_(j−1)·V_j − W_j·q_j`.
    fn seen(&self, logged: &[(Spot, View)], along: &Views, freely: &Views, first: &Views) -> Seen {
        let nothing = View::nothing();
        let (mut probability, mut weight) = (1.0, 1.0);
        let (mut supported, mut same) = (1.0, 1.0);
        let mut correction = [0.0; LEDGERS];
        let mut seen = Seen {
            probability,
            correction,
            unsupported: 0.0,
            changed: 0.0,
            said: BTreeMap::new(),
            silent: 0.0,
            slots: logged.len() as f64,
        };
        let mut constant = self.anyway();
        for (spot, then) in logged {
            let mine = along.get(spot).unwrap_or(&nothing);
            let (ours, theirs) = (mine.of_pick(then), then.of_pick(then));
            let (value, expected) = (self.expected(mine), self.adds(then.pick.as_ref()));
            let after = if theirs > 0.0 { weight * ours / theirs } else { 0.0 };
            for ledger in 0..LEDGERS {
                correction[ledger] += weight * (value[ledger] + constant[ledger])
                    - after * (expected[ledger] + constant[ledger]);
            }
            constant = [0.0; LEDGERS];
            (probability, weight) = (probability * ours, after);
            supported *= 1.0 - unsupported(mine, then);
            same *= 1.0 - distance(mine, first.get(spot).unwrap_or(&nothing));
            let view = freely.get(spot).unwrap_or(&nothing);
            seen.silent += view.silence;
            for (action, chance) in &view.arms {
                *seen.said.entry(action.clone()).or_default() += chance;
            }
        }
        (seen.probability, seen.correction) = (probability, correction);
        (seen.unsupported, seen.changed) =
            ((1.0_f64 - supported).clamp(0.0, 1.0), (1.0_f64 - same).clamp(0.0, 1.0));
        seen
    }
}

fn baseline(prediction: Option<&Prediction>) -> f64 {
    prediction.and_then(|prediction| prediction.baseline).map_or(0.0, f64::from)
}

/// Probability that `mine` gives to what `then` could not say.
pub(super) fn unsupported(mine: &View, then: &View) -> f64 {
    let silence = if then.silence > 0.0 { 0.0 } else { mine.silence };
    let arms = mine.arms.iter().filter(|(action, _)| then.of(Some(action)) == 0.0);
    (silence + arms.map(|(_, chance)| chance).sum::<f64>()).clamp(0.0, 1.0)
}

/// Total variation distance.
fn distance(one: &View, other: &View) -> f64 {
    let more = |a: f64, b: f64| (a - b).max(0.0);
    let arms: f64 = one.arms.iter().map(|(action, chance)| more(*chance, other.of(Some(action)))).sum();
    (arms + more(one.silence, other.silence)).clamp(0.0, 1.0)
}

/// The groups that the customer belongs to, by what was read then: declared yes-or-no and closed lists that
/// are not of a special category.
fn groups(strategy: &Strategy, record: &Decision) -> Vec<(Name, String)> {
    let group = |traced: &decision::trace::TracedAttribute| {
        let attribute = strategy.attributes.get(usize::from(traced.attribute))?;
        let tellable =
            attribute.subject == Subject::Customer && attribute.sensitivity != Sensitivity::Special;
        let value = traced.value.as_ref().filter(|_| tellable)?;
        match value {
            Value::Bool(_) => Some((attribute.name.shared(), value.to_string())),
            Value::Text(_) if !attribute.values.is_empty() => {
                Some((attribute.name.shared(), value.to_string()))
            }
            _ => None,
        }
    };
    record.trace.attributes.iter().filter_map(group).collect()
}

//! How do months pass through the real engine? Events go in, moments ask for decisions, what is said
//! reaches the simulated customer, and what comes of it returns as events, days to weeks later.

use super::policy::{Oracle, Policy};
use crate::{
    chance::Chance,
    energy::{Contact, Day, Happening, Ledger, Moment, Reaction, Topic, What, World},
    hindsight::diet::Truths,
};
use decision::{
    Timestamp,
    id::ActionId,
    profile::{About, ConsentStatus},
    record::Decision,
    request::{PlacementRequest, Request},
    strategy::{ContactReport, Strategy},
};
use engine::{
    Ask, CUSTOMER_UPDATED, ConsentReport, Engine, EngineError, EventReport, Identifier, OutcomeReport, Said,
};
use insight::{funnel::Funnel, quality::Observed};
use std::collections::BTreeMap;

/// Days after the last decision in which outcomes still come in.
pub const SETTLING_DAYS: Day = 28;
/// So many writes are queued before the store is waited for.
const WRITES_AHEAD: u32 = 256;
/// Seconds between a decision and the report that it reached the customer.
const REPORT_AFTER_S: i64 = 2;

/// What became of a world under one policy.
#[derive(Debug, Clone)]
pub struct Course {
    /// What became of each customer, by number.
    pub ledgers: Vec<Ledger>,
    /// What became of all candidates.
    pub funnel: Funnel,
    /// Estimated goals of what was said in the second half, and whether they happened.
    pub estimated: Vec<Observed>,
    /// The same with the true probabilities.
    pub true_odds: Vec<Observed>,
    /// Reports that the engine did not accept.
    pub refused: u64,
    /// What everything would truly have been worth at each decision; empty unless it was noted.
    pub truths: Truths,
}

/// One policy at work in one world.
pub struct Drive<'e> {
    engine: &'e Engine,
    world: World,
    policy: Policy,
    chance: Chance,
    funnel: Funnel,
    estimates: Vec<Estimate>,
    goals: BTreeMap<(usize, &'static str), Vec<Day>>,
    writes: u32,
    refused: u64,
    truths: Option<Truths>,
}

/// What was expected of one message.
struct Estimate {
    customer: usize,
    topic: Topic,
    day: Day,
    probability: f64,
    truth: f64,
}

impl<'e> Drive<'e> {
    /// A fresh world before an engine that has not met it.
    pub fn new(engine: &'e Engine, world: World, policy: Policy, seed: u64) -> Self {
        Self {
            engine,
            world,
            policy,
            chance: Chance::new(seed).about("decision"),
            funnel: Funnel::default(),
            estimates: Vec::new(),
            goals: BTreeMap::new(),
            writes: 0,
            refused: 0,
            truths: None,
        }
    }

    /// Notes what everything would truly have been worth at each decision.
    #[must_use]
    pub fn noting_truths(self) -> Self {
        Self { truths: Some(Truths::new()), ..self }
    }

    /// Lives through `days`, then lets outcomes come in; `each` hears of every day that has passed.
    pub fn run(mut self, days: Day, each: &dyn Fn(Day)) -> Result<Course, EngineError> {
        for happening in self.world.registrations() {
            self.happen(happening)?;
        }
        for day in 0..days {
            for happening in self.world.day(day) {
                self.happen(happening)?;
            }
            if self.policy == Policy::Shipped {
                self.engine.learn(self.world.clock().at(day + 1, 0))?;
            }
            each(day + 1);
        }
        self.engine.flush()?;
        for day in days..days + SETTLING_DAYS {
            for happening in self.world.day(day) {
                self.notice(&happening);
            }
        }
        Ok(self.course(days))
    }

    fn happen(&mut self, happening: Happening) -> Result<(), EngineError> {
        self.notice(&happening);
        let Happening { customer, at, what } = happening;
        match what {
            What::Event { name, properties } => self.ingest(customer, at, name, properties),
            What::Consent { purpose, given, objection } => {
                let status = match (given, objection) {
                    (true, _) => ConsentStatus::Given,
                    (false, true) => ConsentStatus::Objected,
                    (false, false) => ConsentStatus::Withdrawn,
                };
                let report = ConsentReport {
                    at: Some(at),
                    ..ConsentReport::new(identifiers(customer), About::Purpose(purpose.into()), status)
                };
                let taken = self.engine.consent(&report, "", at)?;
                self.count(taken)
            }
            What::Moment(moment) => self.meet(customer, at, &moment),
        }
    }

    /// Remembers goals, to see later which estimates came true.
    fn notice(&mut self, happening: &Happening) {
        if let What::Event { name, .. } = &happening.what {
            let day = self.world.clock().day_of(happening.at);
            self.goals.entry((happening.customer, name)).or_default().push(day);
        }
    }

    fn ingest(
        &mut self,
        customer: usize,
        at: Timestamp,
        name: &'static str,
        properties: BTreeMap<&'static str, decision::value::Value>,
    ) -> Result<(), EngineError> {
        let report = EventReport {
            id: format!("{name}-{}", at.as_millisecond()),
            event: name.to_owned(),
            identifiers: identifiers(customer),
            at: Some(at),
            properties: properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            attributes: BTreeMap::new(),
            source: None,
            household: None,
        };
        let taken = self.engine.ingest(&report, "", at)?;
        self.count(taken)
    }

    /// A moment to say something: decide, say it, report what the customer does with it.
    fn meet(&mut self, customer: usize, at: Timestamp, moment: &Moment) -> Result<(), EngineError> {
        let ask =
            Ask { identifiers: identifiers(customer), request: request(moment), adjustments: Vec::new() };
        let day = self.world.clock().day_of(at);
        let seed = self.chance.at(customer as u64).at(at.as_millisecond().cast_unsigned()).bits();
        let assignment = self.policy.assignment();
        let decided = match self.policy {
            Policy::Truth => {
                let oracle = Oracle { world: &self.world, customer, day };
                self.engine.decide_with(&ask, &oracle, assignment, at, seed)?
            }
            _ => self.engine.decide_with(&ask, &*self.engine.model(), assignment, at, seed)?,
        };
        self.pace(decided.ticket)?;
        self.funnel.add(&decided.decision);
        if let Some(truths) = &mut self.truths {
            let cost = decided.published.strategy.channel(moment.channel).map_or(0.0, |one| one.contact_cost);
            truths.insert(decided.decision.id.0, self.world.adds(customer, moment.channel, day, cost));
        }
        let strategy = &decided.published.strategy;
        for said in decided.answer.slots.iter().filter(|said| said.reuses.is_none()) {
            self.say(strategy, &decided.decision, said, customer, moment, at)?;
        }
        self.world.moment_over(customer, at);
        if let Some(visit) = self.world.visited(customer, moment.channel, later(at, 60)) {
            self.happen(visit)?;
        }
        Ok(())
    }

    fn say(
        &mut self,
        strategy: &Strategy,
        decision: &Decision,
        said: &Said,
        customer: usize,
        moment: &Moment,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let Some((action, topic)) =
            said.action.as_ref().and_then(|id| Some((id, Topic::of_action(id.as_str())?)))
        else {
            return Ok(());
        };
        let day = self.world.clock().day_of(at);
        if let (Some(probability), Some(truth)) =
            (estimate(decision, said), self.world.truth(customer, topic.action(), moment.channel, day))
        {
            self.estimates.push(Estimate { customer, topic, day, probability, truth: truth.goal_if_acted });
        }
        let cost = contact_cost(strategy, action, said, moment.channel);
        let reaction = self.world.say(Contact { customer, topic, channel: moment.channel, cost }, day);
        let reached = match strategy.channel(moment.channel).map(|channel| channel.counts_on) {
            Some(ContactReport::Delivered) => "delivered",
            _ => "displayed",
        };
        self.report(decision, said.slot, reached, later(at, REPORT_AFTER_S))?;
        match reaction {
            Reaction::Clicked => self.report(decision, said.slot, "clicked", later(at, 20)),
            Reaction::Rejected => self.report(decision, said.slot, "rejected", later(at, 20)),
            Reaction::Nothing => Ok(()),
        }
    }

    fn report(
        &mut self,
        decision: &Decision,
        slot: u16,
        outcome: &str,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let report = OutcomeReport { decision: decision.id, slot, outcome: outcome.to_owned(), at: Some(at) };
        let taken = self.engine.report(&report, "", at)?;
        self.count(taken)
    }

    fn count(
        &mut self,
        (verdict, ticket): (engine::Verdict, engine::storage::Ticket),
    ) -> Result<(), EngineError> {
        self.refused += u64::from(matches!(verdict, engine::Verdict::Rejected { .. }));
        self.pace(Some(ticket))
    }

    /// Keeps the queue of the store short.
    fn pace(&mut self, ticket: Option<engine::storage::Ticket>) -> Result<(), EngineError> {
        self.writes += 1;
        match ticket {
            Some(ticket) if self.writes.is_multiple_of(WRITES_AHEAD) => Ok(ticket.wait()?),
            _ => Ok(()),
        }
    }

    fn course(self, days: Day) -> Course {
        let mut estimated = Vec::new();
        let mut true_odds = Vec::new();
        for (position, estimate) in self.estimates.iter().enumerate() {
            if let Some(happened) = self.came_true(position).filter(|_| estimate.day >= days / 2) {
                estimated.push(Observed { probability: estimate.probability, happened });
                true_odds.push(Observed { probability: estimate.truth, happened });
            }
        }
        Course {
            estimated,
            true_odds,
            ledgers: self.world.ledgers().to_vec(),
            funnel: self.funnel,
            refused: self.refused,
            truths: self.truths.unwrap_or_default(),
        }
    }

    /// Whether the goal came within its window; `None` when it came after another message about the same,
    /// which then is the one it is credited to.
    fn came_true(&self, position: usize) -> Option<bool> {
        let estimate = &self.estimates[position];
        let reached = self.goals.get(&(estimate.customer, estimate.topic.event()));
        let until = estimate.day + Day::from(estimate.topic.within_days());
        let Some(goal) =
            reached.and_then(|days| days.iter().find(|day| (estimate.day..=until).contains(day)))
        else {
            return Some(false);
        };
        let superseded = self.estimates[position + 1..]
            .iter()
            .take_while(|later| later.day <= *goal)
            .any(|later| later.customer == estimate.customer && later.topic == estimate.topic);
        (!superseded).then_some(true)
    }
}

/// The event that makes customer 0 known.
pub(super) fn registration(at: Timestamp) -> EventReport {
    EventReport {
        id: "registration".to_owned(),
        event: CUSTOMER_UPDATED.to_owned(),
        identifiers: identifiers(0),
        at: Some(at),
        properties: BTreeMap::new(),
        attributes: BTreeMap::new(),
        source: None,
        household: None,
    }
}

/// The identifiers by which the supplier's systems know a customer.
pub fn identifiers(customer: usize) -> Vec<Identifier> {
    vec![Identifier::new("user_id", &World::user_id(customer))]
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond() + seconds * 1000).unwrap_or(at)
}

fn request(moment: &Moment) -> Request {
    Request {
        channel: moment.channel.into(),
        direction: moment.direction,
        placements: moment
            .placements
            .iter()
            .map(|(placement, slots)| PlacementRequest { placement: (*placement).into(), slots: *slots })
            .collect(),
        context: moment.context.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        language: None,
        global_privacy_control: false,
        dry_run: false,
    }
}

fn contact_cost(strategy: &Strategy, action: &ActionId, said: &Said, channel: &str) -> f64 {
    let own = strategy.action_index(action.as_str()).and_then(|index| {
        let treatments = &strategy.actions[usize::from(index)].treatments;
        treatments.iter().find(|treatment| Some(&treatment.id) == said.treatment.as_ref())?.contact_cost
    });
    own.unwrap_or_else(|| strategy.channel(channel).map_or(0.0, |channel| channel.contact_cost))
}

/// The goal's probability that the decision went by, read back from its record.
fn estimate(decision: &Decision, said: &Said) -> Option<f64> {
    let slot = decision.slots.iter().find(|slot| slot.number == said.slot)?;
    let fate = decision.fates.get(usize::from(slot.pick?))?;
    let goal = decision.estimates(fate.action)?.first()?;
    Some(f64::from(goal.probability))
}

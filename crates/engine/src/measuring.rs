//! What came of the customers of every group and arm, since they entered it?
//!
//! One observation per customer, group and arm, over the same length of time for everybody, whatever was
//! said in it. What was not said to somebody may happen all the same, and counts all the same. Deliberately
//! not here: what the observations prove (`insight`).

use crate::{
    Engine, EngineError, codec,
    control::{About, Enrolment},
    customer::Loaded,
    storage::{Batch, Read, Table, Write, key::CUSTOMER_BYTES},
};
use decision::{
    Duration, Timestamp,
    consent::{self, Known, Permitted},
    id::{CustomerId, EventName, OutcomeName},
    inputs::Assignment,
    profile::{Contact, ContactState, Outcome},
    propensity::GOAL,
    reading::{Moment, Reading},
    request::{Direction, Request},
    strategy::{Action, Strategy},
};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: usize = 4096;

/// What an observation is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The control groups; the one that the strategy decides for is one of them.
    Control(Assignment),
    /// An experiment of the strategy, and the arm, by position.
    Experiment {
        /// Position of the experiment.
        experiment: u16,
        /// Position of the arm.
        arm: u16,
    },
}

/// One customer in one group or arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// In which.
    pub subject: Subject,
    /// Their first decision in it.
    pub since: Timestamp,
    /// What came of it; `None` while the time they are looked at is not over.
    pub came_of: Option<CameOf>,
}

/// What came of one customer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CameOf {
    /// Value for the customer in euro, without goals.
    pub customer: f64,
    /// Value for the organisation in euro, after the cost of contacts, without goals.
    pub organisation: f64,
    /// Goals that were reached.
    pub goals: Vec<Reached>,
    /// Outcomes that happened at least once.
    pub happened: BTreeSet<OutcomeName>,
}

/// A goal that a customer reached, whatever was said to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// The event.
    pub event: EventName,
    /// How often; once while its need is met.
    pub times: f64,
    /// What it is worth each time, in euro, to this customer and to the organisation; `None` when that cannot
    /// be told.
    pub value: Option<(f64, f64)>,
}

impl Engine {
    /// Goes through all customers of all groups and arms of the published strategy, as of `at`, in the order
    /// of the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn observe(&self, at: Timestamp, each: &mut dyn FnMut(Observation)) -> Result<(), EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let mut after: Option<Vec<u8>> = None;
        let mut last: Option<Loaded> = None;
        loop {
            let page = self.store.scan(Table::Enrolment, &[], after.as_deref(), PAGE)?;
            let Some((key, _)) = page.last() else {
                return Ok(());
            };
            after = Some(key.clone());
            for (key, bytes) in &page {
                let enrolment: Enrolment = codec::decode("enrolment", bytes)?;
                let Some((subject, within)) = subject(strategy, &enrolment.about) else {
                    continue;
                };
                let customer = owner(key);
                let person = self.person(customer)?;
                let is_of_several = person.parts.len() > 1;
                if is_of_several && self.enrolled_first(&person, &key[CUSTOMER_BYTES..])? != Some(customer) {
                    continue;
                }
                let since = Timestamp::from_millisecond(enrolment.since_ms).unwrap_or_default();
                let until = since.saturating_add(within).unwrap_or(Timestamp::MAX);
                let came_of = match until <= at {
                    true => {
                        if last.as_ref().is_none_or(|last| last.customer.id != customer) {
                            last = Some(self.load(person)?);
                        }
                        last.as_ref().map(|loaded| came_of(strategy, loaded, since, until))
                    }
                    false => None,
                };
                each(Observation { subject, since, came_of });
            }
        }
    }

    /// How often a comparison has been looked at, this time included; the number is kept.
    ///
    /// # Errors
    /// The store fails.
    pub fn look(&self, name: &str) -> Result<u64, EngineError> {
        let read = Read::new(Table::Meta, format!("looks/{name}").into_bytes());
        let row = self.store.get(std::slice::from_ref(&read))?.remove(0);
        let before: u64 = row.value().map_or(Ok(0), |bytes| codec::decode("looks", bytes))?;
        let write = Write::put(Table::Meta, read.key, codec::encode(&(before + 1)));
        self.store.commit(Batch { writes: vec![write], ..Batch::default() })?.wait()?;
        Ok(before + 1)
    }
}

/// Whose row this is.
fn owner(key: &[u8]) -> CustomerId {
    let id = key.get(1..CUSTOMER_BYTES).and_then(|id| id.try_into().ok());
    CustomerId(u128::from_be_bytes(id.unwrap_or_default()))
}

/// What an enrolment belongs to in this strategy, and how long its customers are looked at.
fn subject(strategy: &Strategy, about: &About) -> Option<(Subject, Duration)> {
    match about {
        About::Control { group } => Some((Subject::Control(*group), strategy.organisation.control.within)),
        About::Experiment { id, arm } => {
            let position = strategy.experiments.iter().position(|found| found.id.as_str() == id)?;
            let experiment = &strategy.experiments[position];
            let arm = experiment.arms.iter().position(|found| found.id.as_str() == arm)?;
            let subject = Subject::Experiment {
                experiment: u16::try_from(position).ok()?,
                arm: u16::try_from(arm).ok()?,
            };
            Some((subject, experiment.metric.within))
        }
    }
}

/// What came of one customer from `since` to `until`, exclusive.
fn came_of(strategy: &Strategy, loaded: &Loaded, since: Timestamp, until: Timestamp) -> CameOf {
    let history = &loaded.seen().history;
    let inside = |at: Timestamp| since <= at && at < until;
    let outcomes: Vec<&Outcome> = history.outcomes.iter().filter(|found| inside(found.at)).collect();
    let mut came_of = CameOf {
        happened: outcomes.iter().map(|found| found.outcome.clone()).collect(),
        ..CameOf::default()
    };
    for contact in history.contacts.iter().filter(|contact| inside(contact.at)) {
        came_of.organisation -= contact_cost(strategy, contact);
    }
    for side in &strategy.organisation.outcomes {
        let moments = outcomes.iter().filter(|found| found.outcome == side.outcome).map(|found| found.at);
        let times = once_per(side.within, moments);
        came_of.customer += times * side.value_for_customer;
        came_of.organisation += times * side.value_for_organisation;
    }
    add_goals(strategy, loaded, &outcomes, until, &mut came_of);
    came_of
}

/// A goal counts once while its need is met, however many ways it was reported.
fn add_goals(
    strategy: &Strategy,
    loaded: &Loaded,
    outcomes: &[&Outcome],
    at: Timestamp,
    came_of: &mut CameOf,
) {
    let mut reached: BTreeMap<&EventName, Vec<Timestamp>> = BTreeMap::new();
    for found in outcomes.iter().filter(|found| found.outcome.as_str() == GOAL) {
        if let Some(event) = &found.event {
            reached.entry(event).or_default().push(found.at);
        }
    }
    if reached.is_empty() {
        return;
    }
    let request = no_request(strategy);
    let known = Known { customer: Some(loaded.seen()), household: loaded.household.as_ref() };
    let in_play = vec![true; strategy.purposes.len()];
    let permitted = consent::mask(strategy, known, &request, &in_play, at);
    let moment = Moment::new(strategy, &request, &loaded.seen().history, at);
    for (event, moments) in reached {
        let actions: Vec<&Action> =
            strategy.actions.iter().filter(|action| strategy.goal_event(action) == *event).collect();
        let Some(closed_for) = actions.iter().map(|action| action.goal.closed_for).min() else {
            continue;
        };
        let times = once_per(closed_for, moments.into_iter());
        let value = value(&actions, &permitted, &moment);
        came_of.goals.push(Reached { event: event.clone(), times, value });
    }
}

/// What a goal is worth to this customer and to the organisation: the mean over the actions that have it, as
/// far as their values are known.
fn value(actions: &[&Action], permitted: &Permitted<'_>, moment: &Moment<'_>) -> Option<(f64, f64)> {
    let values: Vec<(f64, f64)> = actions
        .iter()
        .filter_map(|action| {
            let facts = Reading { view: permitted.view_or_empty(action.purpose), moment };
            action.value_for_customer.number(&facts).zip(action.value_for_organisation.number(&facts))
        })
        .collect();
    let count = values.len() as f64;
    let sum = values.iter().fold((0.0, 0.0), |sum, value| (sum.0 + value.0, sum.1 + value.1));
    (count > 0.0).then(|| (sum.0 / count, sum.1 / count))
}

/// How often something happened, when it counts once within `within`; moments in order.
fn once_per(within: Duration, moments: impl Iterator<Item = Timestamp>) -> f64 {
    let mut times = 0.0;
    let mut free_at = Timestamp::MIN;
    for at in moments {
        if at >= free_at {
            times += 1.0;
            free_at = at.saturating_add(within).unwrap_or(Timestamp::MAX);
        }
    }
    times
}

/// What a contact cost: its cheapest form at the place, else the channel's cost. A reservation that came to
/// nothing cost nothing.
fn contact_cost(strategy: &Strategy, contact: &Contact) -> f64 {
    if matches!(contact.state, ContactState::Reserved { .. }) {
        return 0.0;
    }
    let action = strategy.action_index(contact.action.as_str());
    let forms = action.map_or(&[][..], |index| &strategy.actions[usize::from(index)].treatments);
    let own = forms.iter().filter(|form| form.placement == contact.placement).map(|form| form.contact_cost);
    let usual = strategy.channel(contact.channel.as_str()).map_or(0.0, |channel| channel.contact_cost);
    own.map(|cost| cost.unwrap_or(usual)).reduce(f64::min).unwrap_or(usual)
}

/// Nobody asks; values that depend on a request are not known.
pub(crate) fn no_request(strategy: &Strategy) -> Request {
    Request {
        channel: strategy.channels.first().map_or_else(|| "".into(), |channel| channel.id.clone()),
        direction: Direction::Inbound,
        placements: Vec::new(),
        context: BTreeMap::new(),
        language: None,
        global_privacy_control: false,
        dry_run: true,
    }
}

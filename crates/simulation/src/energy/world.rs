//! The energy world itself: days pass, customers live, react and are counted.
//!
//! A world stands alone: it knows no engine. Whoever drives it reads [`World::day`], may say something
//! at a moment through [`World::say`], and finds what came of it in later days and in the [`Ledger`].

use super::{
    happening::{Happening, Reaction, What},
    household::{Day, Heard, Household},
    life::Life,
    moments,
    topic::Topic,
    truth::{self, COMPLAINT, OPT_OUT, Truth, Worth},
};
use crate::{chance::Chance, clock::Clock};
use decision::{Timestamp, value::Value};
use std::{collections::BTreeMap, sync::Arc};

/// Chance that a moment is followed by a goal, and by a complaint, when outcomes are shuffled.
const SHUFFLED_GOAL: f64 = 0.03;
const SHUFFLED_COMPLAINT: f64 = 0.0008;

/// How outcomes follow from what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcomes {
    /// As the truth has it.
    True,
    /// By chance alone, whatever was said or not said; the number makes the luck another one.
    Shuffled(u64),
}

/// What became of one customer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ledger {
    /// Value for the customer of all that happened, in euro.
    pub customer: f64,
    /// Value for the organisation of all that happened, before the cost of contacts, in euro.
    pub organisation: f64,
    /// Cost of contacts, in euro.
    pub contact_cost: f64,
    /// Goals reached, with or without us.
    pub goals: u32,
    /// Messages received.
    pub contacts: u32,
    /// Complaints made.
    pub complaints: u32,
    /// Requests to stop.
    pub opt_outs: u32,
}

impl Ledger {
    fn add(&mut self, worth: Worth) {
        self.customer += worth.customer;
        self.organisation += worth.organisation;
    }
}

/// One message that reached a customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// The customer.
    pub customer: usize,
    /// What was said.
    pub topic: Topic,
    /// Over what.
    pub channel: &'static str,
    /// What the contact cost, in euro.
    pub cost: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Due {
    Goal(usize, Topic),
    Complaint(usize),
    Stop(usize),
}

/// A supplier's customers and their days.
#[derive(Debug, Clone)]
pub struct World {
    chance: Chance,
    clock: Clock,
    outcomes: Outcomes,
    households: Vec<Household>,
    ledgers: Vec<Ledger>,
    due: BTreeMap<Day, Vec<Due>>,
}

impl World {
    /// A world of `customers` people whose day 0 begins at `start`; the same arguments give the same world.
    pub fn new(seed: u64, customers: usize, start: Timestamp) -> Self {
        let chance = Chance::new(seed);
        let households = (0..customers).map(|number| Household::new(chance, number)).collect();
        Self {
            chance,
            clock: Clock::starting(start),
            outcomes: Outcomes::True,
            households,
            ledgers: vec![Ledger::default(); customers],
            due: BTreeMap::new(),
        }
    }

    /// The same world with outcomes that follow from nothing.
    #[must_use]
    pub fn with_outcomes(mut self, outcomes: Outcomes) -> Self {
        self.outcomes = outcomes;
        self
    }

    /// The calendar.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Everybody, by number.
    pub fn households(&self) -> &[Household] {
        &self.households
    }

    /// What became of everybody so far, by number.
    pub fn ledgers(&self) -> &[Ledger] {
        &self.ledgers
    }

    /// The customer number by which the supplier knows somebody.
    pub fn user_id(customer: usize) -> String {
        if customer == 0 { "fatima.de.vries".into() } else { format!("customer-{customer:05}") }
    }

    /// What the supplier's systems know and what customers agreed to, when the world begins.
    pub fn registrations(&self) -> Vec<Happening> {
        let customers = self.households.iter().enumerate();
        customers.flat_map(|(number, household)| registration(&self.clock, number, household)).collect()
    }

    /// The truth about saying `action` to `customer` on `channel` on `day`; `None` for an unknown action.
    pub fn truth(&self, customer: usize, action: &str, channel: &str, day: Day) -> Option<Truth> {
        let topic = Topic::of_action(action)?;
        Some(truth::truth(&self.households[customer], topic, channel, day))
    }

    /// What saying each action to `customer` on `channel` on `day` truly adds, after `cost`, in euro in both ledgers.
    pub fn adds(&self, customer: usize, channel: &str, day: Day, cost: f64) -> BTreeMap<Arc<str>, f64> {
        let household = &self.households[customer];
        let both = |worth: Worth| worth.customer + worth.organisation;
        let add = |topic: &Topic| {
            let Truth {
                goal_if_acted,
                goal_if_not,
                complaint_if_acted,
                complaint_if_not,
                opt_out_if_acted,
                ..
            } = truth::truth(household, *topic, channel, day);
            let goal = (goal_if_acted - goal_if_not) * both(truth::worth(household, *topic));
            let complaint = (complaint_if_acted - complaint_if_not) * both(COMPLAINT);
            (topic.action().into(), goal + complaint + opt_out_if_acted * both(OPT_OUT) - cost)
        };
        Topic::ALL.iter().map(add).collect()
    }

    /// Lives through `day`: everything that happens on it, in order. Days must be lived one after another.
    pub fn day(&mut self, day: Day) -> Vec<Happening> {
        let mut happenings = self.settle(day);
        for number in 0..self.households.len() {
            let chance = self.chance.about("life").at(number as u64);
            let complained = self.households[number].now.complaint_since;
            let life = Life { chance, clock: &self.clock, number, day };
            happenings.extend(life.live(&mut self.households[number]));
            if complained.is_none() && self.households[number].now.complaint_since.is_some() {
                self.count_complaint(number);
            }
            self.on_their_own(number, chance, day, &mut happenings);
            happenings.extend(moments::moments(&self.households[number], chance, &self.clock, number, day));
        }
        happenings.sort_by_key(|happening| (happening.at, happening.customer));
        happenings
    }

    /// The customer was on the website or in the app; to be called after the moment is over.
    pub fn visited(&mut self, customer: usize, channel: &str, at: Timestamp) -> Option<Happening> {
        let seen = matches!(channel, "web" | "app");
        seen.then(|| {
            self.households[customer].contract.last_visit = self.clock.day_of(at);
            Happening::event(customer, at, "visited")
        })
    }

    /// A message reaches a customer on `day`. What comes of it later appears in [`World::day`].
    pub fn say(&mut self, contact: Contact, day: Day) -> Reaction {
        let Contact { customer, topic, channel, cost } = contact;
        let reaction = match self.outcomes {
            Outcomes::True => self.respond(customer, topic, channel, day),
            Outcomes::Shuffled(_) => Reaction::Nothing,
        };
        let household = &mut self.households[customer];
        let relevant = truth::relevant(household, topic, day);
        household.heard.push(Heard { day, topic, relevant });
        self.ledgers[customer].contacts += 1;
        self.ledgers[customer].contact_cost += cost;
        reaction
    }

    /// A moment is over, whatever was said at it. Only shuffled outcomes follow from this.
    pub fn moment_over(&mut self, customer: usize, at: Timestamp) {
        let Outcomes::Shuffled(luck) = self.outcomes else {
            return;
        };
        let day = self.clock.day_of(at);
        let chance = self
            .chance
            .about("shuffled")
            .at(luck)
            .at(customer as u64)
            .at(at.as_millisecond().cast_unsigned());
        let household = &self.households[customer];
        let open: Vec<Topic> =
            Topic::ALL.iter().copied().filter(|topic| truth::open(household, *topic, day)).collect();
        if !open.is_empty() && chance.about("goal").happens(SHUFFLED_GOAL) {
            let topic = open[chance.about("topic").below(open.len() as u32) as usize];
            let delay = chance.about("delay").days(topic.mean_delay_days(), topic.within_days());
            self.schedule(day + Day::from(delay), Due::Goal(customer, topic));
        }
        if chance.about("complaint").happens(SHUFFLED_COMPLAINT) {
            self.schedule(day + 1, Due::Complaint(customer));
        }
    }

    fn respond(&mut self, customer: usize, topic: Topic, channel: &str, day: Day) -> Reaction {
        let chance = self.chance.about(topic.action()).at(customer as u64).at(day.cast_unsigned());
        let household = &self.households[customer];
        let brought = truth::brought_about(household, topic, channel, day);
        let complaint = truth::complaint_brought_about(household, topic, day);
        let opt_out = truth::opt_out_brought_about(household, topic, day);
        let rejected = truth::rejected(household, topic, day);
        let goal = chance.about("goal").happens(brought);
        if goal {
            let delay = chance.about("delay").days(topic.mean_delay_days(), topic.within_days());
            self.schedule(day + Day::from(delay), Due::Goal(customer, topic));
        }
        if chance.about("complaint").happens(complaint) {
            let delay = chance.about("complaint delay").days(3.0, 14);
            self.schedule(day + Day::from(delay), Due::Complaint(customer));
        }
        if chance.about("stop").happens(opt_out) {
            self.schedule(day + 1, Due::Stop(customer));
        }
        let can_answer = !matches!(channel, "email" | "letter");
        if can_answer && !goal && chance.about("reject").happens(rejected) {
            Reaction::Rejected
        } else if goal && chance.about("click").happens(0.7) || chance.about("look").happens(0.03) {
            Reaction::Clicked
        } else {
            Reaction::Nothing
        }
    }

    fn schedule(&mut self, day: Day, due: Due) {
        self.due.entry(day).or_default().push(due);
    }

    /// What earlier messages bring about today.
    fn settle(&mut self, day: Day) -> Vec<Happening> {
        let mut happenings = Vec::new();
        for (order, due) in (0..).zip(self.due.remove(&day).unwrap_or_default()) {
            let minute = 300 + order % 180;
            match due {
                Due::Goal(customer, topic) => happenings.extend(self.reach(customer, topic, day, minute)),
                Due::Complaint(customer) if self.households[customer].now.complaint_since.is_none() => {
                    let chance = self.chance.about("life").at(customer as u64);
                    let life = Life { chance, clock: &self.clock, number: customer, day };
                    happenings.push(life.complain(&mut self.households[customer]));
                    self.count_complaint(customer);
                }
                Due::Stop(customer) if !self.households[customer].now.stopped => {
                    self.households[customer].now.stopped = true;
                    self.ledgers[customer].add(OPT_OUT);
                    self.ledgers[customer].opt_outs += 1;
                    let at = self.clock.at(day, minute);
                    happenings.push(Happening::event(customer, at, "marketing_stopped"));
                    let what = What::Consent { purpose: "personal_offers", given: false, objection: false };
                    happenings.push(Happening { customer, at, what });
                }
                Due::Complaint(_) | Due::Stop(_) => {}
            }
        }
        happenings
    }

    fn count_complaint(&mut self, customer: usize) {
        self.ledgers[customer].add(COMPLAINT);
        self.ledgers[customer].complaints += 1;
    }

    fn on_their_own(&mut self, number: usize, chance: Chance, day: Day, happenings: &mut Vec<Happening>) {
        for (order, topic) in (0..).zip(Topic::ALL.iter().copied()) {
            let daily = truth::daily_chance(&self.households[number], topic, day);
            if daily > 0.0 && chance.about(topic.event()).at(day.cast_unsigned()).happens(daily) {
                happenings.extend(self.reach(number, topic, day, 400 + order));
            }
        }
    }

    /// The goal is reached, when the need is still open: counted, felt and noticed.
    fn reach(&mut self, customer: usize, topic: Topic, day: Day, minute: u32) -> Option<Happening> {
        let household = &mut self.households[customer];
        if !truth::open(household, topic, day) {
            return None;
        }
        self.ledgers[customer].add(truth::worth(household, topic));
        self.ledgers[customer].goals += 1;
        household.reached.insert(topic, day);
        let properties = change(household, topic, &self.clock, day);
        let at = self.clock.at(day, minute);
        Some(Happening { customer, at, what: What::Event { name: topic.event(), properties } })
    }
}

/// What a reached goal changes for the customer, and what the event tells about it.
fn change(household: &mut Household, topic: Topic, clock: &Clock, day: Day) -> BTreeMap<&'static str, Value> {
    let text = |word: &str| Value::Text(word.into());
    let mut properties = BTreeMap::new();
    match topic {
        Topic::FirstReminder => household.now.arrears_since = None,
        Topic::PaymentPlan => household.now.payment_plan = true,
        Topic::DebtHelp => household.now.debt_help = true,
        Topic::AdjustInstalment => {
            household.contract.monthly_amount = (household.contract.monthly_amount * 1.08).round();
            properties.insert("amount", Value::Number(household.contract.monthly_amount));
        }
        Topic::SendReading => household.now.reading_due = false,
        Topic::ReplaceMeter => household.now.recalled = false,
        Topic::RefundOwed => household.now.refund_owed = 0.0,
        Topic::Apologise => household.now.apology_owed = false,
        Topic::RenewFixed => {
            household.contract.ends = household.contract.ends.max(day) + 365;
            properties.insert("contract_type", text("fixed"));
            properties.insert("ends_at", Value::Time(clock.at(household.contract.ends, 0)));
        }
        Topic::KeepFlexible => household.contract.kind = "variable",
        Topic::DynamicTariff => household.contract.kind = "dynamic",
        Topic::AskHeating => {
            household.house.heating_told = true;
            properties.insert("heating_type", text(household.house.heating));
        }
        Topic::AskOwnership => {
            household.house.ownership_told = true;
            properties.insert("home_ownership", text(ownership(household)));
        }
        Topic::AskManaging => {
            household.now.worried = household.traits.means < 0.4;
            properties.insert("budget_worry", text(if household.now.worried { "yes" } else { "no" }));
        }
        Topic::InstallApp => household.contract.app_user = true,
        _ => {}
    }
    properties
}

fn ownership(household: &Household) -> &'static str {
    if household.house.owned { "owner" } else { "tenant" }
}

fn registration(clock: &Clock, number: usize, household: &Household) -> Vec<Happening> {
    let (house, contract, now) = (&household.house, &household.contract, &household.now);
    let text = |word: &str| Value::Text(word.into());
    let mut properties = BTreeMap::from([
        ("first_name", text(household.name)),
        ("customer_since", Value::Time(clock.at(contract.since, 0))),
        ("last_visit_at", Value::Time(clock.at(contract.last_visit, 0))),
        ("app_user", Value::Bool(contract.app_user)),
        ("contract_type", text(contract.kind)),
        ("monthly_amount", Value::Number(contract.monthly_amount)),
        ("bill_increase_percent", Value::Number(contract.bill_increase_percent)),
        ("smart_meter", Value::Bool(house.smart_meter)),
        ("solar_panels", Value::Bool(house.solar)),
        ("dwelling", text(house.dwelling)),
        ("boiler_year", Value::Number(f64::from(house.boiler_year_estimate))),
        ("yearly_gas_m3", Value::Number(house.gas_m3)),
        ("yearly_electricity_kwh", Value::Number(house.electricity_kwh)),
        ("usage_above_normal_percent", Value::Number(house.above_normal_percent)),
    ]);
    if contract.kind == "fixed" {
        properties.insert("contract_ends_at", Value::Time(clock.at(contract.ends, 0)));
    }
    if house.heating_told {
        properties.insert("heating_type", text(house.heating));
    }
    if house.ownership_told {
        properties.insert("home_ownership", text(ownership(household)));
    }
    let at = |minute: u32| clock.at(0, minute);
    let registered = What::Event { name: "customer_registered", properties };
    let mut told = vec![Happening { customer: number, at: at(0), what: registered }];
    let consents = [
        (contract.offers_agreed, "personal_offers", false),
        (contract.calls_agreed, "telemarketing", false),
        (now.medical_equipment, "outage_priority", false),
        (contract.advice_refused, "advice", true),
    ];
    for (_, purpose, objection) in consents.into_iter().filter(|(said, _, _)| *said) {
        let what = What::Consent { purpose, given: !objection, objection };
        told.push(Happening { customer: number, at: at(1), what });
    }
    let life = Life { chance: Chance::new(0), clock, number, day: 0 };
    if now.arrears_since.is_some() {
        told.push(life.overdue(household));
    }
    if now.refund_owed > 0.0 {
        told.push(Happening::event_with(
            number,
            at(2),
            "refund_found",
            [("amount", Value::Number(now.refund_owed))],
        ));
    }
    for (_, name) in [
        (now.reading_due, "meter_reading_asked"),
        (now.recalled, "meter_recall_announced"),
        (now.medical_equipment, "medical_equipment_told"),
    ]
    .into_iter()
    .filter(|(known, _)| *known)
    {
        told.push(Happening::event(number, at(2), name));
    }
    told
}

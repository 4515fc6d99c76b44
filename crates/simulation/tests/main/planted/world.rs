//! A shop with three audiences and two offers for each. What the offers do to people is drawn from a seed and
//! known to this module alone: one offer annoys, one is wanted far more than anybody thinks, all others do
//! what is declared.

use decision::{
    Duration, Timestamp,
    inputs::Assignment,
    record::Decision,
    request::{Direction, PlacementRequest, Request},
    strategy::{Files, Strategy},
    value::Value,
};
use engine::{Ask, CUSTOMER_UPDATED, Engine, EventReport, Identifier, storage::MemoryStore};
use simulation::chance::Chance;
use std::{collections::BTreeMap, sync::Arc};

pub const OFFERS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
const AUDIENCES: [&str; 3] = ["red", "green", "blue"];
const CUSTOMERS: u64 = 600;
const VISITS: i64 = 4;
const GOAL: f64 = 0.10;
const GOAL_WHEN_WANTED: f64 = 0.28;
const GOAL_ANYWAY: f64 = 0.02;
const COMPLAINT: f64 = 0.004;
const COMPLAINT_WHEN_ANNOYED: f64 = 0.09;
/// For the customer and the organisation.
const WORTH: (f64, f64) = (4.0, 6.0);
const COMPLAINT_WORTH: (f64, f64) = (-15.0, -40.0);
const COST: f64 = 0.05;

/// What nobody but the world knows.
struct Secret {
    annoying: usize,
    wanted: usize,
}

impl Secret {
    fn drawn(chance: Chance) -> Self {
        let audience = chance.about("annoyed audience").below(3) as usize;
        let other = (audience + 1 + chance.about("wanting audience").below(2) as usize) % 3;
        let member = |name: &str| chance.about(name).below(2) as usize;
        Self { annoying: 2 * audience + member("annoying"), wanted: 2 * other + member("wanted") }
    }
}

/// What a lever does in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It pushes what annoys, or away from what is wanted.
    Harm,
    /// It pushes what is wanted, or away from what annoys.
    Good,
    /// It moves people between offers that do the same.
    Nothing,
}

/// In total, for the customer, and for the organisation after the cost of contacts.
pub type Worth = [f64; 3];

/// What was lived, and what other strategies would truly have been worth per decision.
pub struct Lived {
    pub engine: Engine,
    pub effects: Vec<Effect>,
    /// Of the strategy that decided.
    pub then: Worth,
    /// Of each strategy with one lever.
    pub with_lever: Vec<Worth>,
    /// Of each layer asked for.
    pub layers: Vec<Worth>,
    /// Until when outcomes are complete.
    pub until: Timestamp,
}

struct World {
    chance: Chance,
    secret: Secret,
}

pub fn files(pushed: Option<usize>) -> Files {
    let mut files: BTreeMap<String, String> = [
        ("organisation.toml", ORGANISATION),
        ("purposes.toml", "[purposes.service]\nname.en = \"service\"\nbasis = \"contract\"\n"),
        ("channels.toml", CHANNELS),
        ("placements.toml", PLACEMENTS),
        ("inventory/all.toml", INVENTORY),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    for (index, offer) in OFFERS.iter().enumerate() {
        let lever = if pushed == Some(index) { 3.0 } else { 0.0 };
        let audience = AUDIENCES[index / 2];
        let text = ACTION.replace("{offer}", offer).replace("{audience}", audience);
        files.insert(
            format!("actions/sales/{offer}s/{offer}.toml"),
            text.replace("{lever}", &format!("{lever:.1}")),
        );
    }
    Files(files)
}

fn at(day: i64) -> Timestamp {
    let start: Timestamp = "2026-01-05T09:00:00Z".parse().expect("a moment");
    start + Duration::from_hours(24 * day)
}

fn open(files: &Files) -> Engine {
    Engine::open(Arc::new(MemoryStore::new()), files, [9; 32]).expect("the strategy checks")
}

fn who(customer: u64) -> Vec<Identifier> {
    vec![Identifier::new("user_id", &format!("customer-{customer}"))]
}

fn event(id: String, name: &str, customer: u64) -> EventReport {
    EventReport {
        id,
        event: name.into(),
        identifiers: who(customer),
        at: None,
        properties: BTreeMap::new(),
        attributes: BTreeMap::new(),
        source: None,
        household: None,
    }
}

fn register(engine: &Engine, world: &World) {
    for customer in 0..CUSTOMERS {
        let mut known = event(format!("known-{customer}"), CUSTOMER_UPDATED, customer);
        let loyal = Value::Bool(world.chance.about("loyal").at(customer).happens(0.5));
        known.attributes.insert("audience".into(), Value::Text(AUDIENCES[audience(customer)].into()));
        known.attributes.insert("loyal".into(), loyal);
        let _ticket = engine.ingest(&known, "", at(-1)).expect("the store works");
    }
}

fn audience(customer: u64) -> usize {
    (customer % 3) as usize
}

fn ask(customer: u64, dry_run: bool) -> Ask {
    let request = Request {
        channel: "web".into(),
        direction: Direction::Inbound,
        placements: vec![PlacementRequest { placement: "home".into(), slots: 1 }],
        context: BTreeMap::new(),
        language: None,
        global_privacy_control: false,
        dry_run,
    };
    Ask { identifiers: who(customer), request, adjustments: Vec::new() }
}

impl World {
    /// Some are twice as willing as others; on average nobody is more willing than declared.
    fn temper(&self, customer: u64) -> f64 {
        if self.chance.about("temper").at(customer).happens(0.5) { 0.7 } else { 1.3 }
    }

    /// Chance of a goal of each offer of the customer's audience, and of a complaint, when this is said.
    fn chances(&self, customer: u64, said: Option<usize>) -> ([f64; 2], f64) {
        let first = 2 * audience(customer);
        let goal = |offer: usize| match said {
            Some(said) if said == offer && offer == self.secret.wanted => GOAL_WHEN_WANTED,
            Some(said) if said == offer => GOAL,
            _ => GOAL_ANYWAY,
        };
        let complaint = if said == Some(self.secret.annoying) { COMPLAINT_WHEN_ANNOYED } else { COMPLAINT };
        let temper = self.temper(customer);
        ([goal(first) * temper, goal(first + 1) * temper], complaint)
    }

    fn worth(&self, customer: u64, said: Option<usize>) -> Worth {
        let (goals, complaint) = self.chances(customer, said);
        let goals: f64 = goals.iter().sum();
        let for_customer = goals * WORTH.0 + complaint * COMPLAINT_WORTH.0;
        let cost = if said.is_some() { COST } else { 0.0 };
        let for_organisation = goals * WORTH.1 + complaint * COMPLAINT_WORTH.1 - cost;
        [for_customer, for_organisation, for_customer + for_organisation]
    }

    /// The true worth of drawing from a decision's vector.
    fn worth_of(&self, strategy: &Strategy, decision: &Decision, customer: u64) -> Worth {
        let slot = &decision.slots[0];
        let mut sum = self.worth(customer, None).map(|worth| worth * f64::from(slot.silence));
        for arm in &slot.contenders {
            let said = offer_of(strategy, decision, arm.candidate);
            let worth = self.worth(customer, Some(said));
            (0..3).for_each(|ledger| sum[ledger] += f64::from(arm.probability) * worth[ledger]);
        }
        sum
    }

    fn react(&self, engine: &Engine, customer: u64, said: Option<usize>, day: i64) {
        let (goals, complaint) = self.chances(customer, said);
        let luck = self.chance.about("reaction").at(customer).at(day.unsigned_abs());
        let names = [2 * audience(customer), 2 * audience(customer) + 1]
            .map(|offer| format!("got_{}", OFFERS[offer]));
        for (name, goal) in names.iter().zip(goals) {
            if luck.about(name).happens(goal) {
                let happened = event(format!("{name}-{customer}-{day}"), name, customer);
                let _ticket = engine.ingest(&happened, "", at(day + 1)).expect("the store works");
            }
        }
        if luck.about("complaint").happens(complaint) {
            let happened = event(format!("complaint-{customer}-{day}"), "complained", customer);
            let _ticket = engine.ingest(&happened, "", at(day + 1)).expect("the store works");
        }
    }
}

fn offer_of(strategy: &Strategy, decision: &Decision, candidate: u16) -> usize {
    let action = decision.fates[usize::from(candidate)].action;
    let id = strategy.actions[usize::from(action)].id.as_str();
    OFFERS.iter().position(|offer| id.ends_with(&format!("/{offer}"))).expect("an offer")
}

/// Lives through the visits. Each decision is also put, as a dry run, to the strategies with a lever and to
/// the layers, whose probabilities and the truth give what they would really have been worth.
pub fn live(seed: u64, layers: &[Assignment]) -> Lived {
    let chance = Chance::new(seed);
    let world = World { chance, secret: Secret::drawn(chance.about("planted")) };
    let engine = open(&files(None));
    let others: Vec<Engine> = (0..OFFERS.len()).map(|pushed| open(&files(Some(pushed)))).collect();
    others.iter().chain([&engine]).for_each(|engine| register(engine, &world));
    let (mut then, mut with_lever, mut of_layers) =
        ([0.0; 3], vec![[0.0; 3]; OFFERS.len()], vec![[0.0; 3]; layers.len()]);
    let mut decisions = 0.0;
    let add = |sum: &mut Worth, worth: Worth| (0..3).for_each(|ledger| sum[ledger] += worth[ledger]);
    for visit in 0..VISITS {
        for customer in 0..CUSTOMERS {
            let day = visit * 7;
            let seed = chance.about("draw").at(customer).at(visit.unsigned_abs()).bits();
            let moment = at(day) + Duration::from_secs(customer as i64);
            let decided = engine.decide(&ask(customer, false), moment, seed).expect("the store works");
            let strategy = &decided.published.strategy;
            let said = decided.decision.slots[0].pick.map(|pick| offer_of(strategy, &decided.decision, pick));
            world.react(&engine, customer, said, day);
            if decided.decision.trace.assignment == Assignment::Silence {
                continue;
            }
            decisions += 1.0;
            let model = engine.model();
            let dry = |engine: &Engine, assignment| {
                let ask = ask(customer, true);
                let decided = engine.decide_with(&ask, &*model, Some(assignment), moment, seed);
                let decided = decided.expect("the store works");
                world.worth_of(&decided.published.strategy, &decided.decision, customer)
            };
            add(&mut then, dry(&engine, Assignment::Strategy));
            for (other, sum) in others.iter().zip(&mut with_lever) {
                add(sum, dry(other, Assignment::Strategy));
            }
            for (layer, sum) in layers.iter().zip(&mut of_layers) {
                add(sum, dry(&engine, *layer));
            }
        }
    }
    let mean = |sum: Worth| sum.map(|ledger| ledger / decisions);
    Lived {
        effects: (0..OFFERS.len()).map(|pushed| effect(&world.secret, pushed)).collect(),
        engine,
        then: mean(then),
        with_lever: with_lever.into_iter().map(mean).collect(),
        layers: of_layers.into_iter().map(mean).collect(),
        until: at(VISITS * 7),
    }
}

fn effect(secret: &Secret, pushed: usize) -> Effect {
    let partner = pushed ^ 1;
    match () {
        () if pushed == secret.annoying || partner == secret.wanted => Effect::Harm,
        () if pushed == secret.wanted || partner == secret.annoying => Effect::Good,
        () => Effect::Nothing,
    }
}

const ORGANISATION: &str = r#"
name = "Planted (simulated)"
time_zone = "Europe/Amsterdam"
languages = ["en"]
[exploration]
floor = 0.3
contenders = 4
[control]
silence_share = 0.05
random_share = 0.2
period = "365d"
[outcomes.complaint]
event = "complained"
within = "3d"
value = { customer = -15.0, organisation = -40.0 }
prior = 0.004
"#;

const CHANNELS: &str = r#"
[channels.web]
name.en = "web"
directions = ["inbound"]
counts_on = "decided"
reservation = "1m"
contact_cost = 0.05
"#;

const PLACEMENTS: &str = r#"
[placements.home]
channel = "web"
name.en = "home"
slots = 1
order = 1
neutral_default = "hello"
"#;

const INVENTORY: &str = r#"
[attributes.audience]
name.en = "audience"
type = "text"
values = ["red", "green", "blue"]
purposes = ["service"]
source = "observed"
owner = "team"
[attributes.loyal]
name.en = "loyal"
type = "bool"
purposes = ["service"]
source = "observed"
owner = "team"
[events.got_one]
[events.got_two]
[events.got_three]
[events.got_four]
[events.got_five]
[events.got_six]
[events.complained]
"#;

const ACTION: &str = r#"
name.en = "Offer {offer}"
intent.en = "something that helps"
owner = "team"
mandate = "board"
purpose = "service"
goal = { event = "got_{offer}", within = "3d", closed_for = "1s" }
value = { customer = 4.0, organisation = 6.0 }
prior = 0.1
lever = {lever}
eligibility = '''customer.audience == "{audience}"'''
[[treatments]]
id = "home"
placement = "home"
title.en = "Offer {offer}"
body.en = "For you."
"#;

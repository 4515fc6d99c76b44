//! A shop (simulated) that knows nobody's home. Asking costs a visit and drives some away, three in ten never answer;
//! knowing lets it offer what fits. Is it worth it, does it ask no more than that, and does it learn when not to?

use decision::{
    Duration, Timestamp,
    profile::Source,
    request::{Direction, PlacementRequest, Request},
    strategy::Files,
    value::Value,
};
use engine::{
    Ask, CUSTOMER_UPDATED, Decided, Engine, EventReport, Identifier, OutcomeReport, storage::MemoryStore,
};
use insight::interval::Interval;
use simulation::chance::Chance;
use std::{collections::BTreeMap, sync::Arc};

const HOMES: [&str; 3] = ["house", "flat", "boat"];
const QUESTION: &str = "questions/home/kind";
const VISITS: i64 = 8;
/// So many groups of customers come for the first time, one after another.
const ARRIVALS: u64 = 4;
const GOAL_WHEN_FITTING: f64 = 0.15;
const GOAL: f64 = 0.05;
const LEAVES: f64 = 0.01;
const ANSWERS: f64 = 0.7;
/// Euro, both ledgers: of a goal, and of somebody who leaves.
const WORTH: f64 = 12.0;
const LOST: f64 = -2.0;
const COST: f64 = 0.05;

/// What happens to customers of one strategy.
struct Life {
    /// Euro over all visits, per customer.
    worth: Vec<f64>,
    /// How often somebody was asked, per visit.
    asked: Vec<u32>,
    /// Who was asked more than once.
    again: usize,
}

fn files(question: bool, decisions_ahead: f64) -> Files {
    let organisation = ORGANISATION.replace("{ahead}", &format!("{decisions_ahead:.1}"));
    let mut files: BTreeMap<String, String> = [
        ("organisation.toml", organisation.as_str()),
        ("purposes.toml", "[purposes.service]\nname.en = \"service\"\nbasis = \"contract\"\n"),
        ("channels.toml", CHANNELS),
        ("placements.toml", PLACEMENTS),
        ("inventory/all.toml", INVENTORY),
        ("actions/sales/any/any.toml", &offer("any", 0.05, "")),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    for home in HOMES {
        let fits = format!("eligibility = '''customer.home == \"{home}\"'''");
        files.insert(format!("actions/sales/{home}s/{home}.toml"), offer(home, 0.15, &fits));
    }
    if question {
        files.insert(format!("actions/{QUESTION}.toml"), ASK.to_owned());
    }
    Files(files)
}

fn offer(name: &str, prior: f64, fits: &str) -> String {
    OFFER.replace("{name}", name).replace("{prior}", &prior.to_string()).replace("{fits}", fits)
}

fn at(day: i64) -> Timestamp {
    let start: Timestamp = "2026-01-05T09:00:00Z".parse().expect("a moment");
    start + Duration::from_hours(24 * day)
}

fn who(customer: u64) -> Vec<Identifier> {
    vec![Identifier::new("user_id", &format!("customer-{customer}"))]
}

fn happens(engine: &Engine, name: &str, customer: u64, day: i64, home: Option<&str>) {
    let home = home.map(|home| ("home".to_owned(), Value::Text(home.into())));
    let event = EventReport {
        id: format!("{name}-{customer}-{day}"),
        event: name.into(),
        identifiers: who(customer),
        at: None,
        properties: BTreeMap::new(),
        source: home.is_some().then_some(Source::Provided),
        attributes: home.into_iter().collect(),
        household: None,
    };
    let _taken = engine.ingest(&event, "", at(day)).expect("the store works");
}

fn visit(engine: &Engine, customer: u64, day: i64, chance: Chance) -> Decided {
    let request = Request {
        channel: "web".into(),
        direction: Direction::Inbound,
        placements: vec![PlacementRequest { placement: "home".into(), slots: 1 }],
        context: BTreeMap::new(),
        language: None,
        global_privacy_control: false,
        dry_run: false,
    };
    let ask = Ask { identifiers: who(customer), request, adjustments: Vec::new() };
    let seed = chance.about("draw").at(customer).at(day.unsigned_abs()).bits();
    engine.decide(&ask, at(day) + Duration::from_secs(customer as i64), seed).expect("the store works")
}

fn said(decided: &Decided) -> Option<String> {
    let pick = decided.decision.slots[0].pick?;
    let action = decided.decision.fates[usize::from(pick)].action;
    Some(decided.published.strategy.actions[usize::from(action)].id.to_string())
}

/// The same seed meets the same customers with the same luck, whatever is said to them.
fn live(files: &Files, seed: u64, customers: u64, answers: f64, leaves_when_asked: f64) -> Life {
    let chance = Chance::new(seed);
    let engine = Engine::open(Arc::new(MemoryStore::new()), files, [9; 32]).expect("the strategy checks");
    let mut life = Life { worth: vec![0.0; customers as usize], asked: Vec::new(), again: 0 };
    let mut times = vec![0; customers as usize];
    for customer in 0..customers {
        happens(&engine, CUSTOMER_UPDATED, customer, -1, None);
    }
    for round in 0..VISITS {
        let day = round * 7;
        let mut asked = 0;
        for customer in (0..customers).filter(|customer| customer % ARRIVALS <= round.unsigned_abs()) {
            let home = HOMES[chance.about("home").at(customer).below(3) as usize];
            let luck = chance.about("reaction").at(customer).at(day.unsigned_abs());
            let decided = visit(&engine, customer, day, chance);
            let Some(action) = said(&decided) else { continue };
            let worth = &mut life.worth[customer as usize];
            *worth -= COST;
            let (goal, leaves) = match action.as_str() {
                QUESTION => (0.0, leaves_when_asked),
                action if action.ends_with(home) => (GOAL_WHEN_FITTING, LEAVES),
                _ => (GOAL, LEAVES),
            };
            if action == QUESTION {
                asked += 1;
                times[customer as usize] += 1;
                if luck.about("answer").happens(answers) {
                    happens(&engine, CUSTOMER_UPDATED, customer, day + 1, Some(home));
                } else {
                    let refused = OutcomeReport {
                        decision: decided.decision.id,
                        slot: 0,
                        outcome: "rejected".into(),
                        at: None,
                    };
                    let _taken = engine.report(&refused, "", at(day + 1)).expect("the store works");
                }
            }
            if luck.about("goal").happens(goal) {
                *worth += WORTH;
                let name = action.rsplit('/').next().expect("a path");
                happens(&engine, &format!("got_{name}"), customer, day + 1, None);
            }
            if luck.about("leave").happens(leaves) {
                *worth += LOST;
                happens(&engine, "left", customer, day + 1, None);
            }
        }
        life.asked.push(asked);
        engine.learn(at(day + 4)).expect("the store works");
    }
    life.again = times.iter().filter(|times| **times > 1).count();
    life
}

#[test]
fn questions_are_worth_more_than_they_cost_although_three_in_ten_never_answer() {
    let customers = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 2_000 } else { 300 };
    let with = live(&files(true, 3.0), 1, customers, ANSWERS, 0.1);
    let without = live(&files(false, 3.0), 1, customers, ANSWERS, 0.1);
    let gained = Interval::of_difference(&with.worth, &without.worth);
    eprintln!(
        "simulated: asking is worth {:.2} [{:.2}, {:.2}] euro per customer",
        gained.mean, gained.low, gained.high
    );
    assert!(gained.low > 0.0, "{gained:?}");
    assert_eq!(with.again, 0, "nobody is asked twice");
    assert!(with.asked[0] > 0 && without.asked.iter().sum::<u32>() == 0);
}

#[test]
fn without_decisions_to_come_a_question_is_hardly_ever_the_best_thing_to_say() {
    let asked = |ahead| live(&files(true, ahead), 2, 100, ANSWERS, 0.1).asked.iter().sum::<u32>();
    let (never, always) = (asked(0.0), asked(3.0));
    assert!(2 * never < always, "{never} and {always}");
}

#[test]
fn where_asking_drives_people_away_it_stops() {
    let mild = live(&files(true, 3.0), 3, 300, ANSWERS, 0.0);
    let harsh = live(&files(true, 3.0), 3, 300, ANSWERS, 0.9);
    let sum = |life: &Life| life.asked.iter().sum::<u32>();
    eprintln!(
        "simulated: asked {:?} where nobody minds, {:?} where nine in ten leave",
        mild.asked, harsh.asked
    );
    assert!(2 * sum(&harsh) < sum(&mild), "{:?} {:?}", harsh.asked, mild.asked);
}

const ORGANISATION: &str = r#"
name = "Homes (simulated)"
time_zone = "Europe/Amsterdam"
languages = ["en"]
[questions]
decisions_ahead = {ahead}
[outcomes.abandoned]
event = "left"
within = "3d"
value = { customer = -1.0, organisation = -1.0 }
prior = 0.02
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
[attributes.home]
name.en = "the kind of home"
type = "text"
values = ["house", "flat", "boat"]
purposes = ["service"]
source = "provided"
owner = "team"
[events.got_any]
[events.got_house]
[events.got_flat]
[events.got_boat]
[events.left]
"#;

const OFFER: &str = r#"
name.en = "Offer {name}"
intent.en = "something that helps"
owner = "team"
mandate = "board"
purpose = "service"
goal = { event = "got_{name}", within = "3d", closed_for = "1s" }
value = { customer = 6.0, organisation = 6.0 }
prior = {prior}
{fits}
[[treatments]]
id = "home"
placement = "home"
title.en = "Offer {name}"
body.en = "For you."
"#;

const ASK: &str = r#"
name.en = "What is your home?"
intent.en = "offers that fit"
owner = "team"
mandate = "board"
purpose = "service"
goal = { attribute = "home", within = "3d", closed_for = "365d" }
value = { customer = 0.5, organisation = 0.0 }
prior = 0.5
[[treatments]]
id = "home"
placement = "home"
title.en = "What is your home?"
body.en = "One click."
"#;

//! The inventory counts what is there, says how sure it is, and names nobody.

use crate::openness::world_files;
use decision::{
    Timestamp,
    profile::{About, ConsentStatus, Source},
    strategy::load,
    value::Value,
};
use engine::{CUSTOMER_UPDATED, ConsentReport, Engine, EventReport, Identifier, storage::MemoryStore};
use insight::inventory::{Held, Inventory, Plan, look, proposals};
use std::{collections::BTreeMap, sync::Arc};

const CUSTOMERS: u32 = 600;

fn at(day: i64) -> Timestamp {
    let start: Timestamp = "2026-03-09T09:00:00Z".parse().unwrap();
    start + decision::Duration::from_hours(24 * day)
}

fn who(number: u32) -> Vec<Identifier> {
    vec![Identifier::new("user_id", &format!("customer-{number}"))]
}

fn told(engine: &Engine, number: u32, id: &str, name: &str, value: Value, source: Source, day: i64) {
    let report = EventReport {
        id: id.into(),
        event: CUSTOMER_UPDATED.into(),
        identifiers: who(number),
        at: Some(at(day)),
        properties: BTreeMap::new(),
        attributes: BTreeMap::from([(name.to_owned(), value)]),
        source: Some(source),
        household: None,
    };
    drop(engine.ingest(&report, "", at(day)).unwrap());
}

fn known() -> Engine {
    let engine = Engine::open(Arc::new(MemoryStore::new()), &world_files("energy"), [7; 32]).unwrap();
    let text = |text: &str| Value::Text(text.into());
    for number in 0..CUSTOMERS {
        told(&engine, number, "e1", "contract_type", text("fixed"), Source::Observed, 0);
        if number % 3 == 0 {
            told(&engine, number, "e2", "dwelling", text("terraced"), Source::Provided, 10);
        }
        if number % 6 == 0 {
            told(&engine, number, "e3", "dwelling", text("detached"), Source::ThirdParty, 20);
        }
    }
    told(&engine, 1, "e4", "shoe_size", Value::Number(43.0), Source::Provided, 20);
    let no = ConsentReport::new(who(0), About::Attribute("dwelling".into()), ConsentStatus::Objected);
    drop(engine.consent(&no, "", at(20)).unwrap());
    engine
}

fn held<'i>(inventory: &'i Inventory, name: &str) -> &'i Held {
    inventory.attributes.iter().find(|held| held.attribute == name).expect("declared")
}

#[test]
fn every_declared_attribute_has_its_coverage_age_contradictions_and_readers() {
    let engine = known();
    let mut steps = 0;
    let inventory = look(&engine, Plan::default(), at(30), &mut |done| steps = done).unwrap();
    assert!(
        !inventory.sampled && inventory.customers == f64::from(CUSTOMERS) && steps >= u64::from(CUSTOMERS)
    );
    assert_eq!(inventory.attributes.len(), engine.published().strategy.attributes.len());
    let contract = held(&inventory, "contract_type");
    assert_eq!((contract.known, contract.missing), (600, 0));
    assert_eq!(contract.age_days.map(|age| age.median), Some(30.0));
    let dwelling = held(&inventory, "dwelling");
    assert_eq!((dwelling.known, dwelling.missing, dwelling.contradicted), (200, 400, 100));
    let coverage = dwelling.coverage.unwrap();
    assert_eq!((coverage.share, coverage.low, coverage.high), (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0));
    assert!((dwelling.reliability.unwrap() - (0.9 + 0.45) / 2.0).abs() < 1e-6);
    assert_eq!(dwelling.withheld.get("attribute_objected"), Some(&1));
    assert_eq!(dwelling.withheld.get("no_consent"), Some(&200), "{:?}", dwelling.withheld);
    assert!(dwelling.obtain_by.contains(&"customer_registered".to_owned()), "{:?}", dwelling.obtain_by);
    let heating = held(&inventory, "heating_type");
    assert_eq!(heating.obtain_by, ["questions/home/heating_type"]);
    assert!(
        heating.read_by.iter().any(|reader| reader == "advice/heating/boiler_check"),
        "{:?}",
        heating.read_by
    );
    let page = inventory.to_string();
    assert!(page.contains("shoe_size: 1 times") && !page.contains("customer-"), "{page}");
}

#[test]
fn a_sample_of_a_large_store_has_intervals_that_hold_the_truth() {
    let engine = known();
    let mut held_it = 0;
    for seed in 0..40 {
        let plan = Plan { seed, customers: 150, ..Plan::default() };
        let inventory = look(&engine, plan, at(30), &mut |_| {}).unwrap();
        assert!(inventory.sampled && (150..300).contains(&inventory.customers_looked_at));
        let coverage = held(&inventory, "dwelling").coverage.unwrap();
        held_it += u32::from(coverage.low <= 1.0 / 3.0 && 1.0 / 3.0 <= coverage.high);
        assert!(coverage.low < coverage.share && coverage.share < coverage.high);
    }
    assert!(held_it >= 36, "{held_it} of 40 intervals hold the truth");
}

#[test]
fn candidates_that_fall_for_want_of_a_fact_are_counted_at_that_fact() {
    let engine = known();
    let published = engine.published();
    let strategy = &published.strategy;
    let index = strategy.action_index("advice/heating/boiler_check").expect("an action");
    let action = &strategy.actions[usize::from(index)];
    let placement = strategy.placement(action.treatments[0].placement.as_str()).expect("a placement");
    let channel = strategy.channel(placement.channel.as_str()).expect("a channel");
    let request = decision::request::Request {
        channel: channel.id.clone(),
        direction: channel.directions[0],
        placements: vec![decision::request::PlacementRequest { placement: placement.id.clone(), slots: 1 }],
        context: BTreeMap::new(),
        language: None,
        global_privacy_control: false,
        dry_run: false,
    };
    for number in 0..5 {
        let ask = engine::Ask { identifiers: who(number), request: request.clone(), adjustments: Vec::new() };
        engine.decide(&ask, at(30), u64::from(number)).unwrap();
    }
    let inventory = look(&engine, Plan::default(), at(30), &mut |_| {}).unwrap();
    assert_eq!(inventory.decisions_looked_at, 5);
    let heating = held(&inventory, "heating_type");
    let counted = (heating.decisions_read, heating.decisions_dropped, heating.decisions_dropped_unknown);
    assert_eq!(counted, (0, 5, 5));
}

#[test]
fn an_empty_store_tells_what_to_do() {
    let engine = Engine::open(Arc::new(MemoryStore::new()), &world_files("energy"), [7; 32]).unwrap();
    let page = look(&engine, Plan::default(), at(0), &mut |_| {}).unwrap().to_string();
    assert!(page.starts_with("Nobody is known yet. Send events"), "{page}");
}

#[test]
fn a_proposal_declares_the_name_once_somebody_says_what_for_and_who_answers() {
    let engine = known();
    let inventory = look(&engine, Plan::default(), at(30), &mut |_| {}).unwrap();
    let [proposal] = proposals(&engine.published().strategy, &inventory.undeclared).try_into().unwrap();
    assert_eq!((proposal.name.as_str(), proposal.times), ("shoe_size", 1));
    let with = |toml: String| {
        let mut files = world_files("energy");
        files.0.insert("inventory/proposed.toml".into(), toml);
        load(&files)
    };
    let problems = with(proposal.toml.clone()).expect_err("nobody said what for");
    assert!(problems.iter().all(|problem| problem.file == "inventory/proposed.toml"), "{problems:?}");
    let filled = proposal
        .toml
        .replace("purposes = []", "purposes = [\"advice\"]")
        .replace("owner = \"\"", "owner = \"advice\"");
    assert!(with(filled).expect("it checks").strategy.attribute_index("shoe_size").is_some());
}

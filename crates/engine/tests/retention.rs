//! What may no longer be kept is not kept: values go when their retention is over, and nothing else does.

use crate::shop::{IntoValue, Shop, at, event, files, jan, request};
use decision::{
    profile::{About, ConsentStatus},
    request::Direction,
    value::Value,
};
use engine::{
    Ask, CUSTOMER_UPDATED, ConsentReport, Engine, EventReport, Identifier, OutcomeReport,
    storage::{MemoryStore, Store, Table},
};
use std::{collections::BTreeMap, sync::Arc};

const START: &str = "2026-03-09T09:00:00Z";
const LATER: &str = "2026-09-09T09:00:00Z";
/// A year after the start and a moment; everything is kept for a year.
const YEAR_OVER: &str = "2027-03-09T09:00:01Z";

fn known(shop: &Shop, identifiers: &[Identifier]) -> Vec<String> {
    let customer = shop.engine.customer(identifiers).unwrap().unwrap().customer;
    customer.profile.attributes.keys().map(ToString::to_string).collect()
}

/// Goes round once, a profile or household at a time; returns how many values went.
fn round(shop: &Shop, moment: &str) -> u64 {
    (0..10).map(|_| shop.engine.expire_values(at(moment), 1).unwrap()).sum()
}

#[test]
fn values_go_when_their_retention_is_over_and_newer_ones_stay() {
    let shop = Shop::with_jan(START);
    shop.know("e2", LATER, &[("owns_heater", Value::Bool(true))]);
    assert_eq!(round(&shop, "2027-03-09T08:59:59Z"), 0);
    assert_eq!(known(&shop, &jan()), ["has_garden", "owns_heater", "town"]);
    assert_eq!(round(&shop, YEAR_OVER), 2);
    assert_eq!(known(&shop, &jan()), ["owns_heater"]);
    let profile = shop.engine.customer(&jan()).unwrap().unwrap().customer.profile;
    assert_eq!(profile.consents.len(), 1, "what was said about consent is no value");
}

#[test]
fn everybody_has_their_turn() {
    let shop = Shop::open();
    let person = |number: u32| [Identifier::new("user_id", &number.to_string())];
    for number in 0..8 {
        let moment = if number % 2 == 0 { START } else { LATER };
        let report = EventReport {
            identifiers: person(number).to_vec(),
            attributes: [("town".to_owned(), "Gouda".into_value())].into(),
            ..event("e", CUSTOMER_UPDATED)
        };
        drop(shop.engine.ingest(&report, "", at(moment)).unwrap());
    }
    assert_eq!(round(&shop, YEAR_OVER), 4);
    for number in 0..8 {
        assert_eq!(known(&shop, &person(number)).len(), number as usize % 2, "person {number}");
    }
}

#[test]
fn what_has_ended_is_read_by_nobody_although_nothing_was_removed_yet() {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::open(store.clone(), &files(), [7; 32]).unwrap();
    let moment = at("2026-03-09T09:00:00Z");
    let known = EventReport {
        attributes: BTreeMap::from([("has_garden".to_owned(), Value::Bool(true))]),
        ..event("e1", "customer_updated")
    };
    engine.ingest(&known, "{}", moment).unwrap().1.wait().unwrap();
    let about = About::Purpose("offers".into());
    let consent = ConsentReport::new(jan(), about, ConsentStatus::Given);
    engine.consent(&consent, "{}", moment).unwrap().1.wait().unwrap();
    engine.ingest(&event("e2", "nonsense"), "{}", moment).unwrap().1.wait().unwrap();
    let request = request("web", Direction::Inbound, "home", 1);
    let ask = Ask { identifiers: jan(), request, adjustments: Vec::new() };
    let decided = engine.decide(&ask, moment, 1).unwrap();
    let report =
        OutcomeReport { decision: decided.decision.id, slot: 0, outcome: "displayed".into(), at: None };
    engine.report(&report, "{}", moment).unwrap().1.wait().unwrap();
    let has_rows = |table: Table| !store.scan(table, &[], None, 1).unwrap().is_empty();
    let ends =
        [Table::Contacts, Table::Record, Table::DecisionIndex, Table::Event, Table::Outcome, Table::Reject];
    assert!(ends.into_iter().all(has_rows));
    let state = || engine.customer(&jan()).unwrap().unwrap();
    assert_eq!(state().at(moment).customer.profile.attributes.len(), 1);
    let over = moment + decision::Duration::from_hours(24 * 366);
    store.sweep(over.as_millisecond(), 0).unwrap();
    let left: Vec<Table> = ends.into_iter().filter(|table| has_rows(*table)).collect();
    assert_eq!(left, []);
    let state = state().at(over);
    assert!(state.customer.profile.attributes.is_empty() && state.customer.history.contacts.is_empty());
    assert!(
        engine.decision(decided.decision.id).unwrap().is_none() && engine.rejected(9).unwrap().is_empty()
    );
    assert_eq!(engine.verify(None, over).unwrap().findings, [], "what is over is not missing");
}

#[test]
fn somebody_about_whom_nothing_may_be_kept_goes_wholly_and_is_new_when_they_come_back() {
    let store = Arc::new(MemoryStore::new());
    let shop = Shop { engine: Engine::open(store.clone(), &files(), [7; 32]).unwrap() };
    shop.say(ConsentStatus::Given, START);
    shop.know("e1", START, &[("has_garden", Value::Bool(true))]);
    shop.engine.decide(&home_of_jan(), at(START), 1).unwrap().ticket.unwrap().wait().unwrap();
    let before = shop.engine.find(&jan()).unwrap();
    let sweep = |moment: &str| {
        store.sweep(at(moment).as_millisecond(), 0).unwrap();
        round(&shop, moment)
    };
    sweep("2027-03-10T09:00:00Z");
    assert_eq!(known(&shop, &jan()), Vec::<String>::new());
    sweep("2032-03-06T09:00:00Z");
    assert_eq!(
        shop.engine.find(&jan()).unwrap(),
        before,
        "the consent is proof for five years after its end"
    );
    sweep("2032-03-09T09:00:00Z");
    assert_eq!(shop.engine.find(&jan()).unwrap(), None);
    let of_a_person = Table::ALL.iter().filter(|table| {
        !matches!(table, Table::Meta | Table::Audit | Table::Quota)
            && !store.scan(**table, &[], None, 1).unwrap().is_empty()
    });
    assert_eq!(of_a_person.collect::<Vec<_>>(), Vec::<&Table>::new());
    let verified = shop.engine.verify(None, at("2032-03-10T09:00:00Z")).unwrap();
    assert_eq!(verified.findings, []);
    shop.know("e2", "2032-03-11T09:00:00Z", &[("has_garden", Value::Bool(true))]);
    let after = shop.engine.find(&jan()).unwrap();
    assert!(after.is_some() && after != before);
}

#[test]
fn who_said_stop_is_remembered_until_they_take_it_back() {
    let shop = Shop::open();
    shop.say(ConsentStatus::Objected, START);
    round(&shop, "2060-03-09T09:00:00Z");
    assert!(shop.engine.find(&jan()).unwrap().is_some());
    shop.say(ConsentStatus::Lifted, "2060-03-10T09:00:00Z");
    round(&shop, "2061-03-09T09:00:00Z");
    assert!(shop.engine.find(&jan()).unwrap().is_some(), "as proof");
    round(&shop, "2066-03-09T09:00:00Z");
    assert!(shop.engine.find(&jan()).unwrap().is_none());
}

fn home_of_jan() -> Ask {
    let request = request("web", Direction::Inbound, "home", 1);
    Ask { identifiers: jan(), request, adjustments: Vec::new() }
}

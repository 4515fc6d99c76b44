//! What becomes of what customers say, over and over, and of names that nobody declared.

use crate::shop::{Shop, at, event, files, jan};
use decision::{
    Duration,
    profile::{About, ConsentStatus},
    value::Value,
};
use engine::{ConsentReport, Engine, EventReport, Verdict, storage::MemoryStore};
use std::{collections::BTreeMap, sync::Arc};

const START: &str = "2026-03-09T09:00:00Z";

#[test]
fn who_changes_their_mind_a_thousand_times_has_a_short_profile_and_a_whole_ledger() {
    let shop = Shop::open();
    let statuses = [ConsentStatus::Given, ConsentStatus::Withdrawn];
    let report = |number: usize| ConsentReport {
        at: Some(at(START) + Duration::from_mins(number as i64)),
        ..ConsentReport::new(jan(), About::Purpose("offers".into()), statuses[number % 2])
    };
    let now = at(START) + Duration::from_hours(100);
    for number in 0..1_000 {
        assert_eq!(shop.engine.consent(&report(number), "", now).unwrap().0, Verdict::Accepted);
    }
    let profile = shop.engine.customer(&jan()).unwrap().unwrap().customer.profile;
    assert_eq!(profile.consents.len(), 2);
    assert_eq!(shop.engine.ledger(&jan()).unwrap().unwrap().entries.len(), 1_000);
    for number in [3, 500, 999] {
        assert_eq!(shop.engine.consent(&report(number), "", now).unwrap().0, Verdict::Duplicate, "{number}");
    }
    assert_eq!(shop.engine.ledger(&jan()).unwrap().unwrap().entries.len(), 1_000);
}

#[test]
fn statements_of_one_moment_all_stand_in_the_ledger() {
    let shop = Shop::open();
    for status in [ConsentStatus::Given, ConsentStatus::Withdrawn, ConsentStatus::Given] {
        shop.say(status, START);
    }
    let entries = shop.engine.ledger(&jan()).unwrap().unwrap().entries;
    let said: Vec<ConsentStatus> = entries.iter().map(|entry| entry.statement.status).collect();
    assert_eq!(said, [ConsentStatus::Given, ConsentStatus::Withdrawn, ConsentStatus::Given]);
}

#[test]
fn undeclared_names_are_counted_across_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let unheard = |id: &str| EventReport {
        attributes: BTreeMap::from([("shoe_size".to_owned(), Value::Number(43.0))]),
        ..event(id, "customer_updated")
    };
    let engine = Engine::open(store.clone(), &files(), [7; 32]).unwrap();
    for id in ["e1", "e2"] {
        drop(engine.ingest(&unheard(id), "", at(START)).unwrap());
    }
    engine.keep_dropped_names().unwrap();
    drop(engine);
    let engine = Engine::open(store, &files(), [7; 32]).unwrap();
    drop(engine.ingest(&unheard("e3"), "", at(START)).unwrap());
    assert_eq!(engine.dropped_names(), BTreeMap::from([("shoe_size".to_owned(), 3)]));
}

#[test]
fn a_decision_from_before_a_no_is_not_looked_back_at_and_one_from_after_a_new_yes_is() {
    let shop = Shop::with_jan(START);
    let may = |decision: &decision::record::Decision| {
        let decided_by = shop.engine.strategy_at(decision.strategy).unwrap();
        shop.engine.may_look_back(&decided_by.strategy, decision).unwrap()
    };
    let before = shop.home("2026-03-09T10:00:00Z", 1).decision;
    assert!(may(&before));
    shop.say(ConsentStatus::Withdrawn, "2026-03-09T11:00:00Z");
    assert!(!may(&before));
    shop.say(ConsentStatus::Given, "2026-03-09T12:00:00Z");
    assert!(!may(&before), "a new yes does not bring back what was read before");
    assert!(may(&shop.home("2026-03-09T13:00:00Z", 2).decision));
}

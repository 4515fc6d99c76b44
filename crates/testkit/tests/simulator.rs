//! The engine keeps its promises over simulated months, and the witness notices when it does not.

use decision::{profile::ConsentStatus, value::Value};
use engine::{Ask, Engine, EventReport, Identifier, storage::Table};
use std::collections::BTreeMap;
use testkit::simulator::{
    Plan, Report, STEPS, Wrong,
    dice::Dice,
    disk::{Disk, Flaw, SimulatedStore},
    letters::{self, Letter, Says},
    organisation::{self, VOUCHER, VOUCHERS},
    run,
};

/// Seeds that once broke a promise, with what was found.
const ONCE_RED: [(u64, &str); 6] = [
    (1, "a decision about nobody was learned from again with every report"),
    (11, "a withdrawal was older than the consent it withdrew, because the clock had stepped back"),
    (38, "the same, for another action"),
    (53, "a display reported after an objection was learned from"),
    (65, "a rejected input outlived its erased customer"),
    (69, "the same, after a crash"),
];

fn story(seed: u64, wrong: Option<Wrong>) -> Report {
    run(Plan { seed, steps: STEPS, wrong })
}

fn kept(seed: u64) {
    let report = story(seed, None);
    assert!(report.broken.is_none(), "{report}");
}

fn seeds_at_night() -> Option<u64> {
    std::env::var_os("ATTENT_NIGHTLY").map(|_| 1_000)
}

#[test]
fn every_promise_is_kept_over_months_of_trouble() {
    (1_000..1_000 + seeds_at_night().unwrap_or(20)).for_each(kept);
}

#[test]
fn seeds_that_once_broke_a_promise_keep_it() {
    ONCE_RED.iter().for_each(|(seed, _)| kept(*seed));
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let (first, again, other) = (story(7, None), story(7, None), story(8, None));
    assert_eq!((first.digest.as_str(), first.counts), (again.digest.as_str(), again.counts));
    assert_ne!(first.digest, other.digest);
    let [decisions, said, letters, crashes] = first.counts;
    assert!(first.days > 60 && decisions > 100 && said > 60 && letters > 60 && crashes > 2, "{first}");
}

#[test]
fn a_decision_that_is_refused_takes_nothing_from_a_volume() {
    let (mut dice, at) = (Dice::new(1), "2028-03-20T09:00:00Z".parse().unwrap());
    let store = SimulatedStore::open(Disk::default(), 1, None);
    let engine = Engine::open(store.clone(), &organisation::files(0), [7; 32]).unwrap();
    let jan = [Identifier::new("user_id", "noor")];
    let yes = Says::Statement { purpose: "offers", channel: None, status: ConsentStatus::Given };
    let garden = EventReport {
        id: "e".into(),
        event: "customer_updated".into(),
        identifiers: jan.to_vec(),
        at: None,
        properties: BTreeMap::new(),
        attributes: BTreeMap::from([("has_garden".to_owned(), Value::Bool(true))]),
        source: None,
        household: None,
    };
    for says in [yes, Says::Event(garden)] {
        Letter { number: 1, person: 0, says }.deliver(&engine, &jan, at).unwrap().1.wait().unwrap();
    }
    let mut ask = |seed, dry_run| {
        let request = letters::request(&mut dice, false, dry_run);
        engine.decide(&Ask { identifiers: jan.to_vec(), request, adjustments: Vec::new() }, at, seed)
    };
    store.trouble(1_000, 0);
    assert!((0..40).all(|seed| ask(seed, false).is_err()));
    store.trouble(0, 0);
    let dry: Vec<_> = (0..40).map(|seed| ask(seed, true).unwrap()).collect();
    let vouchers = |said: &engine::Said| said.action.as_ref().is_some_and(|id| id.as_str() == VOUCHER);
    assert!(dry.iter().any(|decided| decided.answer.slots.iter().any(vouchers)), "some take a voucher");
    assert!(
        dry.iter().all(|decided| decided.decision.trace.quotas.iter().all(|(_, left)| *left == VOUCHERS))
    );
}

/// Within so many seeds every deliberate fault must be noticed.
const NOTICED_WITHIN: u64 = 25;

fn noticed(wrong: Wrong, promises: &[&str]) {
    let broken = (1..=NOTICED_WITHIN).find_map(|seed| story(seed, Some(wrong)).broken);
    let (_, violation, _) = broken.unwrap_or_else(|| panic!("{wrong:?} goes unnoticed"));
    assert!(promises.contains(&violation.id), "{wrong:?} is noticed as {violation}");
}

#[test]
fn a_store_that_loses_an_acknowledged_batch_is_noticed() {
    noticed(Wrong::Store(Flaw::LosesAcknowledged), &["INV-3", "INV-4", "INV-12", "INV-10"]);
}

#[test]
fn a_store_that_acknowledges_before_it_is_durable_is_noticed() {
    noticed(Wrong::Store(Flaw::AcknowledgesEarly), &["INV-3", "INV-12"]);
}

#[test]
fn a_crash_that_keeps_half_a_batch_is_noticed() {
    noticed(Wrong::Store(Flaw::KeepsHalf), &["INV-3", "INV-4", "INV-10", "INV-12", "journal"]);
}

#[test]
fn a_journal_out_of_order_is_noticed() {
    noticed(Wrong::Store(Flaw::ReordersJournal), &["journal", "rebuild"]);
}

#[test]
fn an_erasure_that_leaves_rows_is_noticed() {
    noticed(Wrong::Store(Flaw::ErasesHalf), &["INV-9"]);
}

#[test]
fn a_clock_days_off_is_noticed() {
    noticed(Wrong::Clock, &["INV-4", "INV-10", "INV-12"]);
}

#[test]
fn a_lost_profile_is_noticed_as_a_no_that_is_not_heeded() {
    noticed(Wrong::Store(Flaw::Drops(Table::Profile)), &["INV-4", "INV-7"]);
}

#[test]
fn lost_contacts_are_noticed_as_limits_that_are_passed() {
    noticed(Wrong::Store(Flaw::Drops(Table::Contacts)), &["INV-4", "INV-10", "INV-12"]);
}

#[test]
fn lost_volumes_are_noticed() {
    noticed(Wrong::Store(Flaw::Drops(Table::Quota)), &["INV-10"]);
}

#[test]
fn events_and_outcomes_that_count_again_are_noticed() {
    noticed(Wrong::Store(Flaw::Drops(Table::Event)), &["INV-12"]);
    noticed(Wrong::Store(Flaw::Drops(Table::Outcome)), &["INV-12"]);
}

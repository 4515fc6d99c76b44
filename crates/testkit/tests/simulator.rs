//! The engine keeps its promises over simulated months, and the witness notices when it does not.

use engine::storage::Table;
use testkit::simulator::{Plan, Report, STEPS, Wrong, disk::Flaw, run};

/// Seeds that once broke a promise, with what was found.
const ONCE_RED: [(u64, &str); 7] = [
    (1, "a report weeks after an objection was learned from"),
    (3, "a decision about nobody was learned from with every report"),
    (9, "a display reported after an objection was learned from"),
    (13, "a refused decision kept its voucher"),
    (16, "a rejected input outlived its erased customer"),
    (45, "an erasure undone by a crash and done after a rebuild"),
    (60, "a withdrawal was older than the consent it withdrew, because the clock had stepped back"),
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
    noticed(Wrong::Store(Flaw::AcknowledgesEarly), &["INV-3"]);
}

#[test]
fn a_crash_that_keeps_half_a_batch_is_noticed() {
    noticed(Wrong::Store(Flaw::KeepsHalf), &["INV-3", "INV-4", "INV-10", "INV-12", "journal"]);
}

#[test]
fn a_journal_out_of_order_is_noticed() {
    noticed(Wrong::Store(Flaw::ReordersJournal), &["journal"]);
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

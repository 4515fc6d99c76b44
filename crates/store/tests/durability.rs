//! What the embedded store still knows after it was closed and opened again.

use crate::fixture::{EVA, JAN, batch, conflict, entries, entry, journal, open, profile, row, save, text};
use engine::storage::{Row, Store, Table, Write, key};

#[test]
fn acknowledged_rows_and_versions_are_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let version = save(&first, batch([profile(JAN, "jan"), Write::put(Table::Quota, "q", "12")]));
    save(&first, batch([profile(EVA, "eva")]));
    save(&first, batch([Write::delete(Table::Profile, key::customer(EVA))]));
    drop(first);
    let second = open(folder.path());
    assert_eq!(text(&row(&second, Table::Profile, key::customer(JAN))), Some("jan"));
    assert_eq!(row(&second, Table::Quota, "q").version(), version);
    assert_eq!(row(&second, Table::Profile, key::customer(EVA)), Row::Absent);
    let later = save(&second, batch([Write::put(Table::Quota, "q", "11").expecting(version)]));
    assert!(later > version);
    let stale = batch([Write::put(Table::Quota, "q", "11").expecting(version)]);
    assert_eq!(second.commit(stale).unwrap_err(), conflict(Table::Quota));
}

#[test]
fn journal_numbers_continue_without_gaps_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..4u64 {
        let store = open(folder.path());
        assert_eq!(store.health().journal_sequence, round * 50);
        for n in 1..=50 {
            drop(store.commit(entries([entry(&(round * 50 + n).to_string())])).unwrap());
        }
    }
    let expected: Vec<_> = (1..=200).map(|n| (n, Some(n.to_string()))).collect();
    assert_eq!(journal(&open(folder.path())), expected);
}

#[test]
fn numbering_does_not_start_again_when_the_whole_journal_expired() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let version = save(
        &first,
        entries(
            ["a", "b"].map(|value| engine::storage::JournalRow { expires_at_ms: Some(1), ..entry(value) }),
        ),
    );
    assert_eq!(first.expire(1).unwrap().journal, 2);
    drop(first);
    let second = open(folder.path());
    let ticket = second.commit(entries([entry("c")])).unwrap();
    assert_eq!(ticket.journal_sequence(), Some(3));
    assert!(ticket.version() > version);
    ticket.wait().unwrap();
}

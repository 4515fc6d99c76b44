//! What every store must do: each function is one promise, run on every adapter.

use crate::fixture::{EVA, JAN, batch, conflict, entries, entry, journal, profile, row, save, text};
use engine::storage::{
    Batch, Expired, JournalRow, MemoryStore, Row, Store, StoreError, Table, VALUE_BYTES_MAX, Version, Write,
    key,
};
use std::{collections::BTreeMap, sync::Mutex, thread};

macro_rules! promises {
    ($($promise:ident,)*) => {
        mod on_memory {
            use super::*;
            $(#[test] fn $promise() { super::$promise(&MemoryStore::new()); })*
        }
        mod on_the_simulated_disk {
            use testkit::simulator::disk::{Disk, SimulatedStore};
            $(#[test] fn $promise() { super::$promise(&*SimulatedStore::open(Disk::default(), 1, None)); })*
        }
        mod on_fjall_that_loads {
            use store::{FjallStore, Options};
            $(#[test] fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                super::$promise(&FjallStore::open(folder.path(), &Options::loading()).unwrap());
            })*
        }
        mod on_fjall {
            use crate::fixture;
            $(#[test] fn $promise() {
                let folder = tempfile::tempdir().unwrap();
                super::$promise(&fixture::open(folder.path()));
            })*
        }
    };
}

promises! {
    a_queued_write_is_read_back_at_once,
    every_batch_gives_its_rows_a_higher_version,
    the_last_of_two_writes_to_one_row_stays,
    a_row_that_changed_meanwhile_refuses_the_whole_batch,
    a_row_that_must_not_exist_is_created_only_once,
    the_journal_numbers_entries_in_the_order_queued,
    a_scan_pages_in_key_order_and_sees_queued_writes,
    a_scan_stays_within_its_prefix_and_table,
    an_erased_customer_is_gone_from_rows_scans_and_journal,
    an_erased_customer_can_begin_again,
    what_expired_goes_and_the_rest_stays,
    a_row_rewritten_with_a_later_end_does_not_expire,
    what_has_ended_cannot_be_read_before_it_is_removed,
    small_sweeps_come_round_although_rows_are_written_all_the_time,
    a_write_without_key_or_of_excessive_size_is_refused,
    every_ticket_of_sixteen_threads_resolves_and_no_increment_is_lost,
    a_closed_store_takes_nothing_more,
}

fn a_queued_write_is_read_back_at_once(store: &dyn Store) {
    let ticket = store.commit(batch([profile(JAN, "one"), Write::put(Table::Meta, "a", "two")])).unwrap();
    assert_eq!(text(&row(store, Table::Profile, key::customer(JAN))), Some("one"));
    assert_eq!(row(store, Table::Meta, "a").version(), ticket.version());
    ticket.wait().unwrap();
    assert_eq!(text(&row(store, Table::Profile, key::customer(JAN))), Some("one"));
    save(store, batch([Write::delete(Table::Meta, "a")]));
    assert_eq!(row(store, Table::Meta, "a"), Row::Absent);
    assert_eq!(row(store, Table::Contacts, key::customer(JAN)), Row::Absent);
}

fn every_batch_gives_its_rows_a_higher_version(store: &dyn Store) {
    let first = save(store, batch([Write::put(Table::Meta, "a", "1")]));
    save(store, batch([Write::delete(Table::Meta, "a")]));
    let third = save(store, batch([Write::put(Table::Meta, "a", "1")]));
    assert!(Version::ABSENT < first && first < third);
    assert_eq!(row(store, Table::Meta, "a").version(), third);
}

fn the_last_of_two_writes_to_one_row_stays(store: &dyn Store) {
    save(store, batch([Write::put(Table::Meta, "a", "1"), Write::put(Table::Meta, "a", "2")]));
    let tickets: Vec<_> = (0..100)
        .map(|n| store.commit(batch([Write::put(Table::Meta, "b", format!("{n}"))])).unwrap())
        .collect();
    tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(text(&row(store, Table::Meta, "a")), Some("2"));
    assert_eq!(text(&row(store, Table::Meta, "b")), Some("99"));
}

fn a_row_that_changed_meanwhile_refuses_the_whole_batch(store: &dyn Store) {
    let seen = save(store, batch([Write::put(Table::Contacts, "a", "1")]));
    let queued = store.commit(batch([Write::put(Table::Contacts, "a", "2").expecting(seen)])).unwrap();
    let stale = Batch {
        writes: vec![
            Write::put(Table::Meta, "m", "x"),
            Write::put(Table::Contacts, "a", "3").expecting(seen),
        ],
        journal: vec![entry("never")],
    };
    assert_eq!(store.commit(stale.clone()).unwrap_err(), conflict(Table::Contacts));
    queued.wait().unwrap();
    assert_eq!(store.commit(stale).unwrap_err(), conflict(Table::Contacts));
    assert_eq!(text(&row(store, Table::Contacts, "a")), Some("2"));
    assert_eq!(row(store, Table::Meta, "m"), Row::Absent);
    assert!(journal(store).is_empty());
}

fn a_row_that_must_not_exist_is_created_only_once(store: &dyn Store) {
    let create = || store.commit(batch([Write::put(Table::Identifier, "a", "1").expecting(Version::ABSENT)]));
    create().unwrap().wait().unwrap();
    assert_eq!(create().unwrap_err(), conflict(Table::Identifier));
    save(store, batch([Write::delete(Table::Identifier, "a")]));
    create().unwrap().wait().unwrap();
}

fn the_journal_numbers_entries_in_the_order_queued(store: &dyn Store) {
    let first = store.commit(entries([entry("a"), entry("b")])).unwrap();
    let empty = store.commit(Batch::default()).unwrap();
    let last = store.commit(entries([entry("c")])).unwrap();
    assert_eq!(
        [first.journal_sequence(), empty.journal_sequence(), last.journal_sequence()],
        [Some(1), None, Some(3)]
    );
    last.wait().unwrap();
    let expected = [(1, "a"), (2, "b"), (3, "c")].map(|(number, value)| (number, Some(value.to_owned())));
    assert_eq!(journal(store), expected);
    let page = store.journal(1, 1).unwrap();
    assert_eq!((page.len(), page[0].sequence), (1, 2));
    assert_eq!(store.health().journal_sequence, 3);
}

fn a_scan_pages_in_key_order_and_sees_queued_writes(store: &dyn Store) {
    let numbered = |n: u32| Write::put(Table::Event, format!("k{n:03}"), format!("{n}"));
    save(store, batch((0..50).map(|n| numbered(n * 2))));
    let odd = store.commit(batch((0..50).map(|n| numbered(n * 2 + 1)))).unwrap();
    let gone = store.commit(batch((0..10).map(|n| Write::delete(Table::Event, format!("k{n:03}"))))).unwrap();
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map(|(key, _): &(Vec<u8>, _)| key.clone());
        let page = store.scan(Table::Event, b"k", after.as_deref(), 7).unwrap();
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    let expected: Vec<_> = (10..100).map(|n| format!("k{n:03}").into_bytes()).collect();
    assert_eq!(seen.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(), expected);
    assert!(seen.iter().zip(10..).all(|((_, value), n)| **value == *n.to_string().as_bytes()));
    odd.wait().and(gone.wait()).unwrap();
    assert_eq!(store.scan(Table::Event, b"k", None, usize::MAX).unwrap(), seen);
}

fn a_scan_stays_within_its_prefix_and_table(store: &dyn Store) {
    let rows = ["a", "b", "ba", "bb", "c"].map(|key| Write::put(Table::Event, key, key));
    save(store, batch(rows));
    save(store, batch([Write::put(Table::Outcome, "bc", "other table")]));
    let keys = |prefix: &str, after: Option<&str>| {
        let found = store.scan(Table::Event, prefix.as_bytes(), after.map(str::as_bytes), 10).unwrap();
        found.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(keys("b", None), ["b", "ba", "bb"]);
    assert_eq!(keys("b", Some("ba")), ["bb"]);
    assert_eq!(keys("b", Some("a")), ["b", "ba", "bb"]);
    assert_eq!(keys("b", Some("c")), [""; 0]);
    assert_eq!(keys("", None).len(), 5);
}

fn an_erased_customer_is_gone_from_rows_scans_and_journal(store: &dyn Store) {
    let own = |value: &str| JournalRow { owner: Some(JAN), ..entry(value) };
    let record = Write::put(Table::Record, "d1", "to jan").owned_by(JAN);
    save(
        store,
        Batch { writes: vec![profile(JAN, "jan"), record, profile(EVA, "eva")], journal: vec![own("j1")] },
    );
    let queued = store
        .commit(Batch {
            writes: vec![
                Write::put(Table::Record, "d2", "to jan").owned_by(JAN),
                Write::put(Table::Outcome, key::customer_row(JAN, b"o"), "clicked"),
            ],
            journal: vec![own("j2"), entry("common")],
        })
        .unwrap();
    assert_eq!(text(&row(store, Table::Record, "d1")), Some("to jan"));
    let erasure = store.erase(JAN).unwrap();
    let check = || {
        assert_eq!(row(store, Table::Profile, key::customer(JAN)), Row::Absent);
        assert_eq!(row(store, Table::Outcome, key::customer_row(JAN, b"o")), Row::Absent);
        assert_eq!(row(store, Table::Record, "d1"), Row::Erased);
        assert_eq!(row(store, Table::Record, "d2"), Row::Erased);
        assert_eq!(store.scan(Table::Record, b"", None, 10).unwrap(), []);
        assert_eq!(store.scan(Table::Profile, &key::customer(JAN), None, 10).unwrap(), []);
        assert_eq!(text(&row(store, Table::Profile, key::customer(EVA))), Some("eva"));
    };
    check();
    queued.wait().and(erasure.wait()).unwrap();
    check();
    assert_eq!(journal(store), [(1, None), (2, None), (3, Some("common".into()))]);
}

fn an_erased_customer_can_begin_again(store: &dyn Store) {
    save(
        store,
        Batch {
            writes: vec![profile(JAN, "old")],
            journal: vec![JournalRow { owner: Some(JAN), ..entry("old") }],
        },
    );
    let erasure = store.erase(JAN).unwrap();
    let again = Batch {
        writes: vec![profile(JAN, "new").expecting(Version::ABSENT)],
        journal: vec![JournalRow { owner: Some(JAN), ..entry("new") }],
    };
    let begun = store.commit(again).unwrap();
    assert_eq!(text(&row(store, Table::Profile, key::customer(JAN))), Some("new"));
    erasure.wait().and(begun.wait()).unwrap();
    assert_eq!(text(&row(store, Table::Profile, key::customer(JAN))), Some("new"));
    assert_eq!(journal(store), [(1, None), (2, Some("new".into()))]);
}

fn what_expired_goes_and_the_rest_stays(store: &dyn Store) {
    let rows = [
        Write::put(Table::Event, "past", "x").until(1_000),
        Write::put(Table::Event, "future", "x").until(1_001),
        Write::put(Table::Event, "forever", "x"),
        profile(JAN, "jan").until(999),
        Write::put(Table::Record, "d1", "to eva").owned_by(EVA),
    ];
    let journal_rows =
        [Some(500), None, Some(2_000)].map(|until| JournalRow { expires_at_ms: until, ..entry("e") });
    save(store, Batch { writes: rows.to_vec(), journal: journal_rows.to_vec() });
    store.erase(EVA).unwrap().wait().unwrap();
    assert_eq!(store.expire(1_000).unwrap(), Expired { rows: 3, journal: 1 });
    assert_eq!(store.expire(1_000).unwrap(), Expired::default());
    let left = store.scan(Table::Event, b"", None, 10).unwrap();
    assert_eq!(left.iter().map(|(key, _)| key.as_slice()).collect::<Vec<_>>(), [&b"forever"[..], b"future"]);
    assert_eq!(row(store, Table::Profile, key::customer(JAN)), Row::Absent);
    assert_eq!(row(store, Table::Record, "d1"), Row::Absent);
    assert_eq!(journal(store).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3]);
}

fn a_row_rewritten_with_a_later_end_does_not_expire(store: &dyn Store) {
    save(store, batch([Write::put(Table::Event, "a", "old").until(1_000)]));
    save(store, batch([Write::put(Table::Event, "a", "new").until(3_000)]));
    assert_eq!(store.expire(2_000).unwrap().rows, 0);
    assert_eq!(text(&row(store, Table::Event, "a")), Some("new"));
}

fn what_has_ended_cannot_be_read_before_it_is_removed(store: &dyn Store) {
    let until = |key: &str, until| Write::put(Table::Event, key, "x").until(until);
    let entry_until = |until| JournalRow { expires_at_ms: Some(until), ..entry("e") };
    let rows = vec![until("a", 1_000), until("b", 1_001), until("c", 900)];
    let old = save(store, Batch { writes: rows, journal: vec![entry_until(1_000), entry_until(1_001)] });
    assert_eq!(row(store, Table::Event, "a").version(), old, "what time it is, nobody has said");
    store.sweep(1_000, 0).unwrap();
    assert_eq!([row(store, Table::Event, "a"), row(store, Table::Event, "c")], [Row::Absent, Row::Absent]);
    let left = store.scan(Table::Event, b"", None, 10).unwrap();
    assert_eq!(left.iter().map(|(key, _)| key.as_slice()).collect::<Vec<_>>(), [b"b"]);
    assert_eq!(journal(store).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2]);
    store.sweep(999, 0).unwrap();
    assert_eq!(row(store, Table::Event, "a"), Row::Absent, "a clock that steps back shows nothing again");
    save(store, batch([until("a", 2_000).expecting(Version::ABSENT)]));
    store.expire(1_000).unwrap();
    assert_eq!(text(&row(store, Table::Event, "a")), Some("x"));
    assert_eq!(row(store, Table::Event, "c"), Row::Absent);
}

/// Ten rows are written for each row that a call looks at; a round still ends after as many calls as there were rows.
fn small_sweeps_come_round_although_rows_are_written_all_the_time(store: &dyn Store) {
    const DUE: u32 = 40;
    let due = |n: u32| Write::put(Table::Contacts, format!("{n:03}"), "x").until(1_000);
    save(store, batch((0..DUE).map(due)));
    let mut removed = 0;
    for call in 0..DUE + 2 {
        removed += store.sweep(1_000, 1).unwrap().rows;
        save(store, batch((0..10).map(|n| Write::put(Table::Contacts, format!("~{call:03}{n}"), "new"))));
    }
    assert_eq!(removed, u64::from(DUE));
    assert_eq!(store.scan(Table::Contacts, b"~", None, usize::MAX).unwrap().len(), 42 * 10);
}

fn a_write_without_key_or_of_excessive_size_is_refused(store: &dyn Store) {
    for write in [
        Write::put(Table::Meta, "", "x"),
        Write::put(Table::Meta, vec![0; 1025], "x"),
        Write::put(Table::Meta, "a", vec![0; VALUE_BYTES_MAX + 1]),
    ] {
        assert_eq!(store.commit(batch([write])).unwrap_err(), StoreError::Unfit { table: "meta" });
    }
    save(store, batch([Write::put(Table::Meta, vec![0; 1024], vec![7; VALUE_BYTES_MAX])]));
    assert_eq!(row(store, Table::Meta, vec![0; 1024]).value().map(<[u8]>::len), Some(VALUE_BYTES_MAX));
}

fn every_ticket_of_sixteen_threads_resolves_and_no_increment_is_lost(store: &dyn Store) {
    const THREADS: u64 = 16;
    const ROUNDS: u64 = 30;
    let owned = |store: &dyn Store| {
        let row = row(store, Table::Quota, "shared");
        let count: u64 = text(&row).map_or(0, |text| text.parse().unwrap());
        let write = Write::put(Table::Quota, "shared", (count + 1).to_string()).expecting(row.version());
        store.commit(Batch { writes: vec![write], journal: vec![entry(&(count + 1).to_string())] })
    };
    let numbers = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let ticket = loop {
                        match owned(store) {
                            Ok(ticket) => break ticket,
                            Err(error) => assert_eq!(error, conflict(Table::Quota)),
                        }
                    };
                    numbers.lock().unwrap().insert(ticket.journal_sequence(), ticket.version());
                    ticket.wait().unwrap();
                }
            });
        }
    });
    assert_eq!(text(&row(store, Table::Quota, "shared")), Some((THREADS * ROUNDS).to_string().as_str()));
    let expected: Vec<_> = (1..=THREADS * ROUNDS).map(|n| (n, Some(n.to_string()))).collect();
    assert_eq!(journal(store), expected);
    let versions: Vec<_> = numbers.into_inner().unwrap().into_values().collect();
    assert_eq!(versions.len() as u64, THREADS * ROUNDS);
    assert!(versions.is_sorted());
}

fn a_closed_store_takes_nothing_more(store: &dyn Store) {
    let queued = store.commit(batch([profile(JAN, "jan")])).unwrap();
    store.close().unwrap();
    queued.wait().unwrap();
    let stopped = StoreError::Stopped { reason: "it was closed".into() };
    assert_eq!(store.commit(Batch::default()).unwrap_err(), stopped);
    assert_eq!(store.get(&[]).unwrap_err(), stopped);
    assert_eq!(store.scan(Table::Meta, b"", None, 1).unwrap_err(), stopped);
    assert_eq!(store.journal(0, 1).unwrap_err(), stopped);
    assert_eq!(store.erase(JAN).unwrap_err(), stopped);
    assert_eq!(store.expire(0).unwrap_err(), stopped);
    assert_eq!(store.health().stopped.as_deref(), Some("it was closed"));
    store.close().unwrap();
}

//! More work than the disk keeps up with is refused, never waited for.

use crate::fixture::{batch, entries, entry, row, save, text};
use engine::storage::{Store, StoreError, Table, Write};
use store::{FjallStore, Options};

#[test]
fn a_full_queue_answers_busy_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { queued_batches_max: 8, ..Options::default() };
    let store = FjallStore::open(folder.path(), &options).unwrap();
    let (mut tickets, mut accepted, mut busy) = (Vec::new(), 0u64, 0);
    while busy < 3 {
        match store.commit(entries([entry("x")])) {
            Ok(ticket) => {
                accepted += 1;
                tickets.push(ticket);
            }
            Err(error) => {
                assert_eq!(error, StoreError::Busy);
                busy += 1;
            }
        }
    }
    tickets.into_iter().for_each(|ticket| ticket.wait().unwrap());
    assert_eq!(store.health().journal_sequence, accepted);
    save(&store, batch([Write::put(Table::Meta, "a", "works again")]));
}

#[test]
fn a_batch_larger_than_the_queue_is_refused_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { queued_bytes_max: 1024, ..Options::default() };
    let store = FjallStore::open(folder.path(), &options).unwrap();
    let large = batch([Write::put(Table::Meta, "a", vec![0; 1024])]);
    assert_eq!(store.commit(large).unwrap_err(), StoreError::Unfit { table: "batch" });
}

#[test]
fn rows_pushed_out_of_a_small_cache_are_read_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { row_cache_bytes: 4096, ..Options::default() };
    let store = FjallStore::open(folder.path(), &options).unwrap();
    for round in 0..3 {
        for n in 0..200u32 {
            drop(
                store
                    .commit(batch([Write::put(Table::Event, n.to_be_bytes(), format!("{n} in {round}"))]))
                    .unwrap(),
            );
            let earlier = n / 2;
            let found = row(&store, Table::Event, earlier.to_be_bytes());
            assert_eq!(text(&found), Some(format!("{earlier} in {round}").as_str()));
        }
    }
}

#[test]
fn writes_far_ahead_of_the_files_are_refused_or_kept_and_none_hangs() {
    const WRITERS: u32 = 16;
    const EACH: u32 = 40;
    let folder = tempfile::tempdir().unwrap();
    let options = Options { memtable_bytes: 64 * 1024, queued_bytes_max: 1 << 20, ..Options::default() };
    let store = FjallStore::open(folder.path(), &options).unwrap();
    let value = |n: u32| vec![(n % 251) as u8; 16 * 1024];
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                for n in writer * EACH..(writer + 1) * EACH {
                    let ticket = loop {
                        match store.commit(batch([Write::put(Table::Event, n.to_be_bytes(), value(n))])) {
                            Ok(ticket) => break ticket,
                            Err(StoreError::Busy | StoreError::Stalled { .. }) => {
                                std::thread::sleep(std::time::Duration::from_millis(1));
                            }
                            Err(error) => panic!("{error}"),
                        }
                    };
                    ticket.wait().unwrap();
                }
            });
        }
    });
    drop(store);
    let again = FjallStore::open(folder.path(), &options).unwrap();
    for n in 0..WRITERS * EACH {
        assert_eq!(row(&again, Table::Event, n.to_be_bytes()).value(), Some(&value(n)[..]), "row {n}");
    }
}

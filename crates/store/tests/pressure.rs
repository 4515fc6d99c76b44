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

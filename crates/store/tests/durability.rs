//! What the embedded store still knows after it was closed and opened again.

use crate::fixture::{
    EVA, JAN, batch, conflict, entries, entry, files, journal, open, profile, row, save, text,
};
use engine::storage::{Batch, Read, Row, Store, StoreError, Table, Write, key};
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{FjallStore, Options};

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

/// Flips one bit at a time in what was written and opens the store again: what comes back is an error or
/// the truth.
#[test]
fn a_flipped_bit_on_disk_never_gives_a_wrong_answer() {
    const ROWS: u32 = 40;
    const FLIPS: usize = 24;
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original");
    let store = open(&original);
    for n in 0..ROWS {
        let writes = vec![profile(key_of(n), &value(n)), Write::put(Table::Quota, n.to_be_bytes(), value(n))];
        save(&store, Batch { writes, journal: vec![entry(&value(n))] });
    }
    drop(store);
    let written = written_files(&original);
    let (mut refused, mut damaged) = (0, 0);
    for flip in 0..FLIPS {
        let copy = folder.path().join(format!("copy-{flip}"));
        copy_with_flip(&written, &copy, flip, FLIPS);
        match FjallStore::open(&copy, &Options::default()) {
            Err(error) => {
                assert!(error.to_string().contains("copy-"), "{error}");
                refused += 1;
            }
            Ok(store) => damaged += damaged_rows(&store, ROWS),
        }
        fs::remove_dir_all(&copy).unwrap();
    }
    assert!(refused + damaged > 0, "no flip was noticed, so none hit anything");
}

fn key_of(n: u32) -> decision::id::CustomerId {
    decision::id::CustomerId(u128::from(n) + 1)
}

fn value(n: u32) -> String {
    format!("value {n} ").repeat(20)
}

fn damaged_rows(store: &FjallStore, rows: u32) -> usize {
    let mut damaged = 0;
    for n in 0..rows {
        let reads =
            [Read::new(Table::Profile, key::customer(key_of(n))), Read::new(Table::Quota, n.to_be_bytes())];
        match store.get(&reads) {
            Ok(found) => assert!(found.iter().all(|row| text(row) == Some(&value(n))), "row {n}: {found:?}"),
            Err(StoreError::Damaged { .. }) => damaged += 1,
            Err(error) => panic!("{error}"),
        }
    }
    match store.journal(0, usize::MAX) {
        Ok(entries) => assert_eq!(entries.len(), rows as usize),
        Err(error) => assert!(matches!(error, StoreError::Damaged { .. }), "{error}"),
    }
    damaged
}

/// A store's files by relative path, the log without the zeros allocated after its end.
fn written_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = files(folder);
    for (path, content) in &mut found {
        *path = path.strip_prefix(folder).unwrap().to_owned();
        if is_log(path) {
            let end = content.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            content.truncate(end);
        }
    }
    found
}

fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jnl")
}

/// Writes a store's files, with one bit of the log flipped at an even share of its length.
fn copy_with_flip(written: &[(PathBuf, Vec<u8>)], to: &Path, flip: usize, of: usize) {
    for (path, content) in written {
        let mut content = content.clone();
        if is_log(path) {
            let at = (content.len() * flip / of + flip % 7).min(content.len() - 1);
            content[at] ^= 1 << (flip % 8);
            content.resize(content.len() + 4096, 0);
        }
        let target = to.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, content).unwrap();
    }
}

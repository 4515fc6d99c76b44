//! What is left on disk of a customer who asked to be forgotten.

use crate::fixture::{JAN, batch, entry, files, journal, open, profile, row, save};
use engine::storage::{Batch, JournalRow, Row, Store, Table, Write, key};
use std::fs;

const SECRET: &str = "three months of arrears and a heat pump";

fn contains(content: &[u8], needle: &[u8]) -> bool {
    let written = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    content[..written].windows(needle.len()).any(|window| window == needle)
}

#[test]
fn personal_content_is_never_written_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let writes = vec![profile(JAN, SECRET), Write::put(Table::Quota, "q", "an open text")];
    save(&store, Batch { writes, journal: vec![JournalRow { owner: Some(JAN), ..entry(SECRET) }] });
    let open_files = files(folder.path());
    drop(store);
    for found in [open_files, files(folder.path())] {
        assert!(
            found.iter().any(|(_, content)| contains(content, b"an open text")),
            "the search finds what is there"
        );
        let leaks: Vec<_> =
            found.iter().filter(|(_, content)| contains(content, SECRET.as_bytes())).collect();
        assert!(leaks.is_empty(), "found in {:?}", leaks.iter().map(|(path, _)| path).collect::<Vec<_>>());
    }
}

#[test]
fn an_erasure_holds_after_reopening_and_against_rows_put_back_from_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let record = Write::put(Table::Record, "d1", SECRET).owned_by(JAN);
    save(
        &store,
        Batch {
            writes: vec![profile(JAN, SECRET), record],
            journal: vec![JournalRow { owner: Some(JAN), ..entry(SECRET) }],
        },
    );
    store.erase(JAN).unwrap().wait().unwrap();
    drop(store);
    let again = open(folder.path());
    assert_eq!(row(&again, Table::Profile, key::customer(JAN)), Row::Absent);
    assert_eq!(row(&again, Table::Record, "d1"), Row::Erased);
    assert_eq!(journal(&again), [(1, None)]);
    save(&again, batch([profile(JAN, "back again")]));
    assert_eq!(row(&again, Table::Record, "d1"), Row::Erased);
    assert_eq!(journal(&again), [(1, None)]);
}

#[test]
fn nothing_owned_can_be_read_without_the_master_key_it_was_written_with() {
    let folder = tempfile::tempdir().unwrap();
    save(&open(folder.path()), batch([profile(JAN, SECRET)]));
    fs::write(folder.path().join("master.key"), [7; 32]).unwrap();
    let error = store::FjallStore::open(folder.path(), &store::Options::default()).err().unwrap();
    assert!(matches!(error, store::OpenError::MasterKeyWrong { .. }), "{error}");
}

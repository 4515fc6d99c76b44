//! A store that is carried away and brought back, and one that gets another master key.

use crate::fixture::{EVA, JAN, batch, entry, files, open, profile, row, save, text};
use engine::storage::{Batch, JournalRow, Row, Store, Table, Version, Write, key};
use std::{fs, path::Path};
use store::{FjallStore, OpenError, Options};

/// A store with Jan and Eva, and a backup of it.
fn backed_up(folder: &Path, file: &Path) -> FjallStore {
    let store = open(folder);
    let journal = vec![JournalRow { owner: Some(JAN), ..entry("moved") }];
    let nobodys = Write::put(Table::Household, *b"house", *b"in the open");
    save(&store, Batch { writes: vec![profile(JAN, "jan"), profile(EVA, "eva"), nobodys], journal });
    store.backup(&mut fs::File::create(file).unwrap()).unwrap();
    store
}

fn known(store: &FjallStore) -> [Option<String>; 2] {
    [JAN, EVA].map(|id| text(&row(store, Table::Profile, key::customer(id))).map(str::to_owned))
}

#[test]
fn a_backup_holds_all_of_one_moment_and_is_brought_back_where_the_keys_are() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    let data = folder.path().join("store");
    let store = backed_up(&data, &backup);
    save(&store, batch([profile(EVA, "eva later")]));
    drop(store);
    let refused = FjallStore::restore(&data, &Options::default(), &backup).err().unwrap();
    assert!(refused.to_string().contains("move it away"), "{refused}");
    fs::remove_dir_all(data.join("data")).unwrap();
    assert!(FjallStore::restore(&data, &Options::default(), &backup).unwrap() > 3);
    let again = open(&data);
    assert_eq!(known(&again), [Some("jan".into()), Some("eva".into())]);
    assert_eq!(again.health().journal_sequence, 1);
    assert!(save(&again, batch([profile(JAN, "jan later")])) > Version(1), "numbering goes on");
}

#[test]
fn a_backup_tells_nothing_without_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    drop(backed_up(&folder.path().join("store"), &backup));
    let secrets = files(&folder.path().join("store")).into_iter().filter(|(path, _)| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("master."))
    });
    let bytes = fs::read(&backup).unwrap();
    for needle in secrets.map(|(_, content)| content).filter(|content| !content.is_empty()) {
        assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    }
    for needle in [&key::customer(JAN)[..], b"profile", b"in the open"] {
        assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    }
    let elsewhere = folder.path().join("elsewhere");
    let missing = FjallStore::restore(&elsewhere, &Options::default(), &backup).err().unwrap();
    assert!(matches!(missing, OpenError::MasterKeyMissing { .. }), "{missing}");
    drop(open(&elsewhere));
    fs::remove_dir_all(elsewhere.join("data")).unwrap();
    let wrong = FjallStore::restore(&elsewhere, &Options::default(), &backup).err().unwrap();
    assert!(matches!(wrong, OpenError::MasterKeyWrong { .. }), "{wrong}");
    assert!(!elsewhere.join("data").exists());
}

#[test]
fn a_backup_that_is_not_whole_brings_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("store"), folder.path().join("backup"));
    drop(backed_up(&data, &backup));
    fs::remove_dir_all(data.join("data")).unwrap();
    let whole = fs::read(&backup).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        for spoiled in [&whole[..at], &flipped] {
            fs::write(&backup, spoiled).unwrap();
            let refused = FjallStore::restore(&data, &Options::default(), &backup).err().unwrap();
            assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
            assert!(!data.join("data").exists());
        }
    }
}

#[test]
fn a_store_with_another_master_key_is_read_with_that_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    save(&store, batch([profile(JAN, "jan"), profile(EVA, "eva")]));
    drop(store);
    let key_file = folder.path().join("master.key");
    let old = fs::read(&key_file).unwrap();
    assert_eq!(FjallStore::rotate_master_key(folder.path(), &Options::default()).unwrap(), 2);
    let new = fs::read(&key_file).unwrap();
    assert_ne!(old, new);
    assert_eq!(known(&open(folder.path())), [Some("jan".into()), Some("eva".into())]);
    fs::write(&key_file, &old).unwrap();
    let wrong = FjallStore::open(folder.path(), &Options::default()).err().unwrap();
    assert!(matches!(wrong, OpenError::MasterKeyWrong { .. }), "{wrong}");
}

#[test]
fn a_rotation_that_was_cut_short_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    save(&store, batch([profile(JAN, "jan"), profile(EVA, "eva")]));
    drop(store);
    let (key_file, next) = (folder.path().join("master.key"), folder.path().join("master.next"));
    let old = fs::read(&key_file).unwrap();
    // Cut short before any key was wrapped anew.
    fs::write(&next, [5; 32]).unwrap();
    assert_eq!(known(&open(folder.path())), [Some("jan".into()), Some("eva".into())]);
    assert_eq!(fs::read(&key_file).unwrap(), [5; 32]);
    // Cut short after all were, and before the new key took its place.
    fs::write(&key_file, &old).unwrap();
    fs::write(&next, [5; 32]).unwrap();
    let again = open(folder.path());
    assert_eq!(known(&again), [Some("jan".into()), Some("eva".into())]);
    assert_ne!(row(&again, Table::Profile, key::customer(JAN)), Row::Absent);
    assert!(!next.exists());
}

//! A file that is not what was written: opening or reading names the damage, or the answer is right.
//!
//! A bit is flipped, or the end of a file cut off, at positions spread over all files of a closed store,
//! in which rows were overwritten, written out and merged, so that an older row could hide a newer one.

use crate::{
    fixture::{batch, entry, files, profile, save},
    ledger::rounds,
};
use decision::id::CustomerId;
use engine::storage::{Batch, Read, Store, StoreError, Table, Write, key};
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::{FjallStore, OpenError, Options};

const ROWS: u32 = 60;
const TIMES: u32 = 12;

#[test]
fn a_flipped_bit_is_named_or_changes_no_answer() {
    let original = original();
    let spoil = |content: &mut Vec<u8>, position: usize| content[position] ^= 1 << (position % 8);
    let seen = try_everywhere(&original, rounds(90, 6_000), spoil);
    assert!(seen.refused > 0 && seen.unreadable > 0, "{seen:?}");
}

#[test]
fn a_truncated_file_is_named_or_changes_no_answer() {
    let original = original();
    let seen = try_everywhere(&original, rounds(40, 1_500), Vec::truncate);
    assert!(seen.refused > 0, "{seen:?}");
}

#[derive(Debug, Default)]
struct Seen {
    refused: usize,
    unreadable: usize,
    unharmed: usize,
}

/// A closed store's files by relative path, logs without the zeros allocated after their end.
fn original() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fast_folder();
    let store = FjallStore::open(folder.path(), &options()).unwrap();
    for time in 1..=TIMES {
        for n in 0..ROWS {
            let writes = vec![
                profile(customer(n), &value(n, time)),
                Write::put(Table::Quota, n.to_be_bytes(), value(n, time)),
            ];
            drop(store.commit(Batch { writes, journal: vec![entry(&value(n, time))] }).unwrap());
        }
        save(&store, batch([]));
        store.expire(0).unwrap();
    }
    drop(store);
    let mut found = files(folder.path());
    for (path, content) in &mut found {
        *path = path.strip_prefix(folder.path()).unwrap().to_owned();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            content.truncate(end);
        }
    }
    found.sort_by_key(|(path, content)| (content.is_empty(), path.clone()));
    let tables = found.iter().filter(|(path, _)| path.components().any(|part| part.as_os_str() == "tables"));
    assert!(tables.count() > 4, "rows were written out");
    found
}

/// Spoils one position at a time: half of the tries equally over the files, half over their bytes.
fn try_everywhere(
    original: &[(PathBuf, Vec<u8>)],
    tries: usize,
    spoil: impl Fn(&mut Vec<u8>, usize),
) -> Seen {
    let bytes: usize = original.iter().map(|(_, content)| content.len()).sum();
    let filled = original.iter().filter(|(_, content)| !content.is_empty()).count();
    let mut seen = Seen::default();
    for number in 0..tries {
        let (file, position) = match number % 2 {
            0 => {
                let file = number / 2 % filled;
                let spread = (number * 7919 + 13) % original[file].1.len();
                (file, spread)
            }
            _ => place(original, (number * (bytes / tries.max(1)) + number * 31) % bytes),
        };
        let folder = copy(original);
        let (path, content) = &original[file];
        let mut content = content.clone();
        spoil(&mut content, position);
        fs::write(folder.path().join(path), content).unwrap();
        judge(folder.path(), &format!("{} at {position}", original[file].0.display()), &mut seen);
    }
    let mut untouched = Seen::default();
    judge(copy(original).path(), "nothing", &mut untouched);
    assert_eq!(untouched.unharmed, 1, "a copy without damage is right");
    eprintln!("{tries} tries over {} files of {bytes} bytes: {seen:?}", original.len());
    seen
}

fn copy(original: &[(PathBuf, Vec<u8>)]) -> tempfile::TempDir {
    let folder = fast_folder();
    for (path, content) in original {
        let target = folder.path().join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, content).unwrap();
    }
    folder
}

/// The file and the position in it of one of all bytes.
fn place(original: &[(PathBuf, Vec<u8>)], mut byte: usize) -> (usize, usize) {
    for (file, (_, content)) in original.iter().enumerate() {
        if byte < content.len() {
            return (file, byte);
        }
        byte -= content.len();
    }
    unreachable!("the byte is below the sum of all")
}

fn judge(folder: &Path, spoiled: &str, seen: &mut Seen) {
    match FjallStore::open(folder, &options()) {
        Err(error) => {
            assert!(!matches!(error, OpenError::InUse { .. }), "{spoiled}: {error}");
            let named = error.to_string();
            assert!(named.contains(folder.to_str().unwrap()), "{spoiled}: {named}");
            seen.refused += 1;
        }
        Ok(store) => match everything_is_right(&store, spoiled) {
            true => seen.unharmed += 1,
            false => seen.unreadable += 1,
        },
    }
}

/// Whether everything could be read; what could be read must be right.
fn everything_is_right(store: &FjallStore, spoiled: &str) -> bool {
    let named = |error: &StoreError| {
        let known = matches!(error, StoreError::Damaged { .. } | StoreError::Unreadable { .. });
        assert!(known, "{spoiled}: {error}");
    };
    let mut all = true;
    for n in 0..ROWS {
        let reads =
            [Read::new(Table::Profile, key::customer(customer(n))), Read::new(Table::Quota, n.to_be_bytes())];
        for read in reads {
            match store.get(&[read]) {
                Ok(rows) => {
                    assert_eq!(rows[0].value(), Some(value(n, TIMES).as_bytes()), "{spoiled}: row {n}");
                }
                Err(error) => {
                    named(&error);
                    all = false;
                }
            }
        }
    }
    match store.scan(Table::Quota, &[], None, usize::MAX) {
        Ok(rows) => assert!(
            rows.iter().map(|(_, value)| value.to_vec()).eq((0..ROWS).map(|n| value(n, TIMES).into_bytes())),
            "{spoiled}"
        ),
        Err(error) => {
            named(&error);
            all = false;
        }
    }
    match store.journal(0, usize::MAX) {
        Ok(entries) => assert_eq!(entries.len(), (ROWS * TIMES) as usize, "{spoiled}"),
        Err(error) => {
            named(&error);
            all = false;
        }
    }
    all
}

fn options() -> Options {
    Options { memtable_bytes: 32 * 1024, ..Options::default() }
}

fn customer(n: u32) -> CustomerId {
    CustomerId(u128::from(n) + 1)
}

fn value(n: u32, time: u32) -> String {
    format!("row {n} for the {time}. time ").repeat(4)
}

/// A folder in memory where there is one: these tests are about content, not about syncs.
fn fast_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

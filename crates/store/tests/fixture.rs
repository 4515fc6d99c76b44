//! Rows and customers the tests talk about.

use decision::id::CustomerId;
use engine::storage::{Batch, JournalRow, Read, Row, Store, StoreError, Table, Version, Write, key};
use std::{fs, path::Path};
use store::{FjallStore, Options};

pub const JAN: CustomerId = CustomerId(0x1a2b);
pub const EVA: CustomerId = CustomerId(0x3c4d);

pub fn open(folder: &Path) -> FjallStore {
    FjallStore::open(folder, &Options::default()).unwrap()
}

pub fn batch(writes: impl IntoIterator<Item = Write>) -> Batch {
    Batch { writes: writes.into_iter().collect(), journal: Vec::new() }
}

pub fn entry(value: &str) -> JournalRow {
    JournalRow { owner: None, value: value.into(), expires_at_ms: None }
}

pub fn entries(journal: impl IntoIterator<Item = JournalRow>) -> Batch {
    Batch { writes: Vec::new(), journal: journal.into_iter().collect() }
}

pub fn profile(customer: CustomerId, value: &str) -> Write {
    Write::put(Table::Profile, key::customer(customer), value).owned_by(customer)
}

/// Commits and waits until it is durable.
pub fn save(store: &dyn Store, batch: Batch) -> Version {
    let ticket = store.commit(batch).unwrap();
    let version = ticket.version();
    ticket.wait().unwrap();
    version
}

pub fn row(store: &dyn Store, table: Table, key: impl Into<Vec<u8>>) -> Row {
    store.get(&[Read::new(table, key)]).unwrap().remove(0)
}

pub fn text(row: &Row) -> Option<&str> {
    row.value().map(|value| std::str::from_utf8(value).unwrap())
}

/// The journal as numbers and texts; `None` for an erased entry.
pub fn journal(store: &dyn Store) -> Vec<(u64, Option<String>)> {
    let entries = store.journal(0, usize::MAX).unwrap().into_iter();
    entries
        .map(|entry| (entry.sequence, entry.value.map(|value| String::from_utf8(value.to_vec()).unwrap())))
        .collect()
}

pub fn conflict(table: Table) -> StoreError {
    StoreError::Conflict { table: table.name() }
}

/// Files under a folder, with their content.
pub fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => {
                let content = fs::read(&path).unwrap();
                found.push((path, content));
            }
        }
    }
    found
}

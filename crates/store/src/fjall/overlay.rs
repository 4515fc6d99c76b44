//! What has been queued but is not durable yet? Readers look here first.

use super::disk::Stored;
use decision::id::CustomerId;
use engine::storage::{Row, Table, Value, Version, key};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The latest queued state of every row with queued writes, per table in order of key.
pub(super) struct Overlay(Vec<Mutex<BTreeMap<Vec<u8>, Queued>>>);

/// A queued state: `value` is `None` when the row is deleted or erased.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    pub version: Version,
    pub value: Option<Value>,
    pub owner: Option<CustomerId>,
    pub expires_at_ms: Option<i64>,
    pub erased: bool,
}

impl Queued {
    pub fn stored(&self) -> Stored {
        let row = match &self.value {
            Some(value) => Row::Present { version: self.version, value: value.clone() },
            None if self.erased => Row::Erased,
            None => Row::Absent,
        };
        Stored { row, owner: self.owner, expires_at_ms: self.expires_at_ms }
    }
}

impl Overlay {
    pub fn new() -> Self {
        Self(Table::ALL.iter().map(|_| Mutex::default()).collect())
    }

    fn table(&self, table: Table) -> MutexGuard<'_, BTreeMap<Vec<u8>, Queued>> {
        self.0[table as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, table: Table, key: &[u8]) -> Option<Stored> {
        self.table(table).get(key).map(Queued::stored)
    }

    pub fn insert(&self, table: Table, key: Vec<u8>, queued: Queued) {
        self.table(table).insert(key, queued);
    }

    /// Whether this version is the latest queued one of the row.
    pub fn is_latest(&self, table: Table, key: &[u8], version: Version) -> bool {
        self.table(table).get(key).is_some_and(|queued| queued.version == version)
    }

    /// Drops the row unless a later version has been queued meanwhile.
    pub fn settle(&self, table: Table, key: &[u8], version: Version) {
        let mut rows = self.table(table);
        if rows.get(key).is_some_and(|queued| queued.version == version) {
            rows.remove(key);
        }
    }

    /// The queued rows from a key on that start with `prefix`.
    pub fn range(&self, table: Table, prefix: &[u8], from: Bound<&[u8]>) -> BTreeMap<Vec<u8>, Queued> {
        let rows = self.table(table);
        let within =
            rows.range::<[u8], _>((from, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        within.map(|(key, queued)| (key.clone(), queued.clone())).collect()
    }

    /// Hides every queued row of the customer behind `version`; returns which.
    pub fn erase(&self, customer: CustomerId, version: Version) -> Vec<(Table, Vec<u8>)> {
        let prefix = key::customer(customer);
        let mut hidden = Vec::new();
        for &table in Table::ALL {
            for (key, queued) in self.table(table).iter_mut() {
                let own = key.starts_with(&prefix);
                if own || queued.owner == Some(customer) {
                    *queued = Queued { version, value: None, owner: None, expires_at_ms: None, erased: !own };
                    hidden.push((table, key.clone()));
                }
            }
        }
        hidden
    }
}

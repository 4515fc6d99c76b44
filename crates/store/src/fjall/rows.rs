//! What does a reader see? Queued rows first, then cached ones, then those on disk.
//!
//! Three rules keep that right while batches settle. A durable row goes into the cache before it
//! leaves the overlay. Filling the cache from disk never overwrites a settled row (the cache gives
//! up a fill that was overtaken). And filling happens under the `reading` lock, which an erasure
//! takes for writing when it begins and when it ends.

use super::{
    disk::{Disk, Stored},
    overlay::Overlay,
    queue::Change,
};
use decision::id::CustomerId;
use engine::storage::{JournalEntry, Read, Row, StoreError, Table, Value, Version, key};
use quick_cache::{
    Weighter,
    sync::{Cache, GuardResult},
};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicI64, Ordering},
    },
};

/// All rows as readers see them.
pub(super) struct Rows {
    pub overlay: Overlay,
    cache: Cache<Read, Stored, Bytes>,
    reading: RwLock<Reading>,
    stopped: OnceLock<String>,
    /// What ends at or before this moment cannot be read; milliseconds since 1970 UTC.
    past_ms: AtomicI64,
}

/// What may be read from disk; without disk the store is closed.
struct Reading {
    disk: Option<Arc<Disk>>,
    /// Customers whose erasure is queued, and by which version: everything of theirs on disk is older.
    erasing: BTreeMap<CustomerId, Version>,
}

impl Reading {
    fn disk(&self) -> Result<&Disk, StoreError> {
        self.disk.as_deref().ok_or_else(|| StoreError::Stopped { reason: "it was closed".into() })
    }

    fn hide(&self, key: &[u8], stored: Stored) -> Stored {
        if self.erasing.is_empty() {
            return stored;
        }
        let under = |customer: &CustomerId| key.starts_with(&key::customer(*customer));
        if self.erasing.keys().any(under) {
            return Stored::ABSENT;
        }
        match self.hides(stored.owner) {
            true => Stored { row: Row::Erased, owner: None, expires_at_ms: None },
            false => stored,
        }
    }

    fn hides(&self, owner: Option<CustomerId>) -> bool {
        owner.is_some_and(|owner| self.erasing.contains_key(&owner))
    }
}

/// Weighs cached rows by their bytes.
#[derive(Clone)]
struct Bytes;

impl Weighter<Read, Stored> for Bytes {
    fn weight(&self, read: &Read, stored: &Stored) -> u64 {
        const ENTRY_BYTES: usize = 128;
        (ENTRY_BYTES + read.key.len() + stored.row.value().map_or(0, <[u8]>::len)) as u64
    }
}

impl Rows {
    pub fn new(disk: Arc<Disk>, cache_bytes: u64) -> Self {
        const ROW_BYTES_EXPECTED: u64 = 512;
        let entries = usize::try_from(cache_bytes / ROW_BYTES_EXPECTED).unwrap_or(usize::MAX);
        Self {
            overlay: Overlay::new(),
            cache: Cache::with_weighter(entries, cache_bytes, Bytes),
            reading: RwLock::new(Reading { disk: Some(disk), erasing: BTreeMap::new() }),
            stopped: OnceLock::new(),
            past_ms: AtomicI64::new(i64::MIN),
        }
    }

    fn reading(&self) -> RwLockReadGuard<'_, Reading> {
        self.reading.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> RwLockWriteGuard<'_, Reading> {
        self.reading.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing can be read or written any more.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.get().map(String::as_str)
    }

    /// Fails when the store has stopped.
    pub fn running(&self) -> Result<(), StoreError> {
        match self.stopped() {
            Some(reason) => Err(StoreError::Stopped { reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    /// Answers nothing from now on; the first reason stays.
    pub fn stop(&self, reason: String) {
        self.stopped.get_or_init(|| reason);
    }

    /// Lets go of the disk.
    pub fn close(&self) {
        self.changing().disk = None;
        self.cache.clear();
    }

    /// Hides from now on what ends at or before a moment.
    pub fn hide_until(&self, past_ms: i64) {
        self.past_ms.fetch_max(past_ms, Ordering::Relaxed);
    }

    fn past_ms(&self) -> i64 {
        self.past_ms.load(Ordering::Relaxed)
    }

    pub fn get(&self, read: &Read) -> Result<Row, StoreError> {
        Ok(self.stored(read)?.at(self.past_ms()))
    }

    /// A row, also when it has ended.
    pub fn stored(&self, read: &Read) -> Result<Stored, StoreError> {
        if let Some(stored) = self.overlay.get(read.table, &read.key) {
            return Ok(stored);
        }
        match self.cache.get_value_or_guard(read, None) {
            GuardResult::Value(stored) => Ok(stored),
            GuardResult::Guard(fill) => {
                let reading = self.reading();
                let stored = reading.hide(&read.key, reading.disk()?.read(read.table, &read.key)?);
                drop(fill.insert(stored.clone()));
                Ok(stored)
            }
            GuardResult::Timeout => unreachable!("no timeout was given"),
        }
    }

    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let past_ms = self.past_ms();
        let mut queued = self.overlay.range(table, prefix, from).into_iter().peekable();
        let reading = self.reading();
        let mut stored = reading.disk()?.rows(table, from.map(<[u8]>::to_vec)).peekable();
        let mut found = Vec::new();
        while found.len() < limit {
            let disk_key = match stored.peek() {
                Some(Err(_)) => {
                    return Err(stored.next().and_then(Result::err).expect("just seen"));
                }
                Some(Ok((key, _))) => Some(key).filter(|key| key.starts_with(prefix)),
                None => None,
            };
            let (key, stored) = match (queued.peek(), disk_key) {
                (None, None) => break,
                (Some((first, _)), second) if second.is_none_or(|second| first <= second) => {
                    if second == Some(first) {
                        stored.next();
                    }
                    let (key, queued) = queued.next().expect("just seen");
                    (key, queued.stored())
                }
                _ => {
                    let (key, row) = stored.next().expect("just seen")?;
                    let stored = reading.hide(&key, row);
                    (key, stored)
                }
            };
            if let Row::Present { value, .. } = stored.at(past_ms) {
                found.push((key, value));
            }
        }
        Ok(found)
    }

    pub fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        let reading = self.reading();
        let past_ms = self.past_ms();
        let is_over = |entry: &Result<(u64, Stored), StoreError>| {
            entry.as_ref().is_ok_and(|(_, stored)| stored.is_over(past_ms))
        };
        let entries = reading.disk()?.entries(after).filter(|entry| !is_over(entry)).take(limit);
        entries
            .map(|entry| {
                let (sequence, stored) = entry?;
                let value = match stored.row {
                    Row::Present { value, .. } if !reading.hides(stored.owner) => Some(value),
                    _ => None,
                };
                Ok(JournalEntry { sequence, value })
            })
            .collect()
    }

    /// Looks at what is on disk.
    pub fn on_disk<T>(&self, look: impl FnOnce(&Disk) -> Result<T, StoreError>) -> Result<T, StoreError> {
        look(self.reading().disk()?)
    }

    /// Hides everything the customer has on disk until [`Self::erased`].
    pub fn erase(&self, customer: CustomerId, version: Version) {
        let mut reading = self.changing();
        reading.erasing.insert(customer, version);
        let prefix = key::customer(customer);
        self.cache.retain(|read, stored| stored.owner != Some(customer) && !read.key.starts_with(&prefix));
    }

    /// The erasure with this version is durable.
    pub fn erased(&self, customers: &[CustomerId], version: Version, hidden: &[(Table, Vec<u8>)]) {
        let mut reading = self.changing();
        for customer in customers {
            if let Some(disk) = &reading.disk {
                disk.keyring.forgotten(*customer);
            }
            if reading.erasing.get(customer) == Some(&version) {
                reading.erasing.remove(customer);
            }
        }
        for (table, key) in hidden {
            self.cache.remove(&Read::new(*table, key.as_slice()));
            self.overlay.settle(*table, key, version);
        }
    }

    /// A write is durable: readers find it in the cache, if they looked there before, or on disk.
    pub fn settle(&self, change: Change, version: Version) {
        let Change { read, value, owner, expires_at_ms } = change;
        if !self.overlay.is_latest(read.table, &read.key, version) {
            return;
        }
        let (table, key) = (read.table, read.key.clone());
        if self.cache.contains_key(&read) {
            let row = value.map_or(Row::Absent, |value| Row::Present { version, value });
            self.cache.insert(read, Stored { row, owner, expires_at_ms });
        } else {
            self.cache.remove(&read);
        }
        self.overlay.settle(table, &key, version);
    }
}

//! What must every store do? This is the reference: the whole port in memory, without a disk.
//!
//! Used by tests, simulations and previews. Everything is "durable" at once and gone with the process.

use super::{
    Batch, Expired, Health, JournalEntry, MemoryVault, Progress, Read, Row, Store, StoreError, Table, Ticket,
    Value, Vault, Version, Write, key,
};
use decision::id::CustomerId;
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, PoisonError},
};

/// A store that lives as long as the process.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    progress: Arc<Progress>,
    vault: Arc<MemoryVault>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    version: Version,
    sequence: u64,
    /// What ends at or before this moment cannot be read.
    past_ms: Option<i64>,
    rows: BTreeMap<(Table, Vec<u8>), Kept>,
    journal: BTreeMap<u64, Kept>,
}

/// A row or journal entry; without value its owner has been erased.
#[derive(Debug)]
struct Kept {
    version: Version,
    value: Option<Value>,
    owner: Option<CustomerId>,
    expires_at_ms: Option<i64>,
}

impl Kept {
    fn row(&self) -> Row {
        match &self.value {
            Some(value) => Row::Present { version: self.version, value: value.clone() },
            None => Row::Erased,
        }
    }

    fn erase(&mut self, customer: CustomerId) {
        if self.owner == Some(customer) {
            self.value = None;
        }
    }

    fn goes(&self, at_ms: i64) -> bool {
        self.expires_at_ms.is_some_and(|expires| expires <= at_ms)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_vault(Arc::default())
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store beside a vault that was there before.
    pub fn with_vault(vault: Arc<MemoryVault>) -> Self {
        Self { state: Mutex::default(), progress: Progress::starting_at(Version::ABSENT), vault }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.closed {
            true => Err(StoreError::Stopped { reason: "it was closed".into() }),
            false => act(&mut state),
        }
    }

    fn done(&self, state: &mut State, first_entry: Option<u64>) -> Ticket {
        self.progress.advance(state.version);
        self.progress.ticket(state.version, first_entry)
    }
}

impl State {
    fn row(&self, table: Table, key: &[u8]) -> Row {
        let kept = self.rows.get(&(table, key.to_vec()));
        kept.filter(|kept| !self.hides(kept)).map_or(Row::Absent, Kept::row)
    }

    fn hides(&self, kept: &Kept) -> bool {
        self.past_ms.is_some_and(|past_ms| kept.goes(past_ms))
    }

    fn check(&self, write: &Write) -> Result<(), StoreError> {
        match write.expect {
            Some(version) if self.row(write.table, &write.key).version() != version => {
                Err(StoreError::Conflict { table: write.table.name() })
            }
            _ => Ok(()),
        }
    }

    /// Applies a checked batch; gives the number of its first journal entry.
    fn take(&mut self, batch: Batch) -> Option<u64> {
        self.version.0 += 1;
        batch.writes.into_iter().for_each(|write| self.apply(write));
        let first_entry = (!batch.journal.is_empty()).then_some(self.sequence + 1);
        for row in batch.journal {
            self.sequence += 1;
            let (version, value) = (self.version, Some(row.value.into()));
            let kept = Kept { version, value, owner: row.owner, expires_at_ms: row.expires_at_ms };
            self.journal.insert(self.sequence, kept);
        }
        first_entry
    }

    fn apply(&mut self, write: Write) {
        let Write { table, key, value, owner, expires_at_ms, .. } = write;
        match value {
            None => self.rows.remove(&(table, key)),
            Some(value) => self.rows.insert(
                (table, key),
                Kept { version: self.version, value: Some(value.into()), owner, expires_at_ms },
            ),
        };
    }
}

impl Store for MemoryStore {
    fn get(&self, reads: &[Read]) -> Result<Vec<Row>, StoreError> {
        self.with(|state| Ok(reads.iter().map(|read| state.row(read.table, &read.key)).collect()))
    }

    fn commit(&self, batch: Batch) -> Result<Ticket, StoreError> {
        batch.check()?;
        self.with(|state| {
            batch.writes.iter().try_for_each(|write| state.check(write))?;
            let first_entry = state.take(batch);
            Ok(self.done(state, first_entry))
        })
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded((table, after.to_vec())),
            _ => Bound::Included((table, prefix.to_vec())),
        };
        self.with(|state| {
            let rows = state.rows.range((start, Bound::Unbounded));
            let within = rows.take_while(|((of, key), _)| *of == table && key.starts_with(prefix));
            let within = within.filter(|(_, kept)| !state.hides(kept));
            let readable = within.filter_map(|((_, key), kept)| Some((key.clone(), kept.value.clone()?)));
            Ok(readable.take(limit).collect())
        })
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        self.with(|state| {
            let entries = state.journal.range((Bound::Excluded(after), Bound::Unbounded));
            let entries = entries.filter(|(_, kept)| !state.hides(kept));
            Ok(entries
                .take(limit)
                .map(|(&sequence, kept)| JournalEntry { sequence, value: kept.value.clone() })
                .collect())
        })
    }

    fn erase_with(&self, customers: &[CustomerId], batch: Batch) -> Result<Ticket, StoreError> {
        batch.check()?;
        self.with(|state| {
            batch.writes.iter().try_for_each(|write| state.check(write))?;
            for customer in customers {
                let prefix = key::customer(*customer);
                state.rows.retain(|(_, key), _| !key.starts_with(&prefix));
                let kept = state.rows.values_mut().chain(state.journal.values_mut());
                kept.for_each(|kept| kept.erase(*customer));
            }
            let first_entry = state.take(batch);
            Ok(self.done(state, first_entry))
        })
    }

    fn expire(&self, at_ms: i64) -> Result<Expired, StoreError> {
        self.with(|state| {
            state.past_ms = state.past_ms.max(Some(at_ms));
            let before = (state.rows.len(), state.journal.len());
            state.rows.retain(|_, kept| kept.value.is_some() && !kept.goes(at_ms));
            state.journal.retain(|_, kept| !kept.goes(at_ms));
            Ok(Expired {
                rows: (before.0 - state.rows.len()) as u64,
                journal: (before.1 - state.journal.len()) as u64,
            })
        })
    }

    fn vault(&self) -> Arc<dyn Vault> {
        self.vault.clone()
    }

    fn health(&self) -> Health {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Health {
            stopped: state.closed.then(|| "it was closed".into()),
            stalled: false,
            queued_batches: 0,
            queued_batches_max: usize::MAX,
            journal_sequence: state.sequence,
            expiry_lag_ms: 0,
            committing_for_ms: 0,
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        Ok(())
    }
}

//! Who was erased, and when? Kept in the vault, not in the data, so that it outlives every backup: hashes that need
//! both the store's secret and the vault's to be made, and customer keys that lead to nobody any more.
//!
//! What is dated at or before an erasure is refused for ever; what is newer is about somebody new. The list
//! is read whole when the store is opened: some 100 bytes of memory for each identifier that was erased.

use crate::{
    EngineError, codec,
    storage::{Read, Store, Table, Vault, Write},
};
use decision::id::CustomerId;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

/// Where the data says how many erasures were carried out in it.
const CARRIED_OUT: &str = "erasures_carried_out";

/// One erasure as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub at_ms: i64,
    /// The customers that the person was made of.
    pub customers: Vec<CustomerId>,
    /// The identifiers that led to them, hashed with the vault's secret.
    pub identifiers: Vec<[u8; 16]>,
}

/// The list, as it is asked.
pub(crate) struct Ledger {
    vault: Arc<dyn Vault>,
    secret: [u8; 32],
    known: RwLock<Known>,
    /// Lines that are written and not carried out yet.
    open: Mutex<Open>,
}

#[derive(Default)]
struct Known {
    erased_at: BTreeMap<[u8; 16], i64>,
    customers: BTreeSet<CustomerId>,
}

#[derive(Default)]
struct Open {
    lines: BTreeSet<u64>,
    newest: u64,
}

impl Ledger {
    /// Reads the list. What comes with it was written and is not carried out in this data: it was cut
    /// short, or the data is older than the list.
    pub fn open(store: &dyn Store) -> Result<(Self, Vec<(u64, Line)>), EngineError> {
        let vault = store.vault();
        let lines = vault.lines()?;
        let row = store.get(&[Read::new(Table::Meta, CARRIED_OUT)])?.remove(0);
        let done: u64 = row.value().map_or(Ok(0), |row| codec::decode("erasures", row))?;
        let count = lines.len() as u64;
        if done > count {
            return Err(EngineError::ErasuresMissing { done, count });
        }
        let secret = blake3::derive_key("attent 2026 erased identifiers", &vault.secret());
        let open = Mutex::new(Open { lines: BTreeSet::new(), newest: done });
        let ledger = Self { vault, secret, known: RwLock::default(), open };
        let mut left = Vec::new();
        for (number, line) in (1..).zip(lines) {
            let line: Line = codec::decode("erasure", &line)?;
            ledger.remember(&line);
            if number > done {
                ledger.opened().lines.insert(number);
                left.push((number, line));
            }
        }
        Ok((ledger, left))
    }

    /// How the vault knows an identifier by its key in the store.
    pub fn hash(&self, identifier: &[u8; 16]) -> [u8; 16] {
        blake3::keyed_hash(&self.secret, identifier).as_bytes()[..16].try_into().expect("16 of 32 bytes")
    }

    /// Writes a line; it is durable when this returns. Gives its number.
    pub fn write(&self, line: &Line) -> Result<u64, EngineError> {
        let number = self.vault.append(&codec::encode(line))?;
        self.opened().lines.insert(number);
        Ok(number)
    }

    /// From now on everybody heeds the line.
    pub fn remember(&self, line: &Line) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.customers.extend(&line.customers);
        for identifier in &line.identifiers {
            let at_ms = known.erased_at.entry(*identifier).or_insert(line.at_ms);
            *at_ms = (*at_ms).max(line.at_ms);
        }
    }

    /// Hands the write that notes how far erasures are carried out, with this one, to whoever commits it.
    pub fn carry_out<T>(
        &self,
        number: u64,
        commit: impl FnOnce(Write) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut open = self.opened();
        let newest = open.newest.max(number);
        let oldest_open = open.lines.iter().find(|line| **line != number).copied();
        let done = oldest_open.filter(|oldest| *oldest <= newest).map_or(newest, |oldest| oldest - 1);
        let committed = commit(Write::put(Table::Meta, CARRIED_OUT, codec::encode(&done)))?;
        open.lines.remove(&number);
        open.newest = newest;
        Ok(committed)
    }

    /// Whether one of these identifiers was erased at or after a moment.
    pub fn refuses(&self, identifiers: impl Iterator<Item = [u8; 16]>, at_ms: i64) -> bool {
        let known = self.known();
        let mut identifiers = identifiers;
        !known.erased_at.is_empty()
            && identifiers
                .any(|id| known.erased_at.get(&self.hash(&id)).is_some_and(|erased| at_ms <= *erased))
    }

    /// Whether anybody was ever erased.
    pub fn is_empty(&self) -> bool {
        self.known().erased_at.is_empty()
    }

    /// Whether a customer was erased; its key is never given again.
    pub fn has(&self, customer: CustomerId) -> bool {
        self.known().customers.contains(&customer)
    }

    /// How many erasures there were.
    pub fn newest(&self) -> u64 {
        self.opened().newest
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

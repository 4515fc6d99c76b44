//! Who may change a customer now? One at a time: striped locks, held until the write is queued.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

const STRIPES: usize = 1024;

/// A fixed number of locks, shared by all keys.
pub(crate) struct Striped(Vec<Mutex<()>>);

impl Striped {
    pub fn new() -> Self {
        Self((0..STRIPES).map(|_| Mutex::default()).collect())
    }

    /// Holds the lock of a key.
    pub fn guard(&self, key: &[u8]) -> MutexGuard<'_, ()> {
        self.hold(stripe(key))
    }

    /// Holds the locks of several keys, in one order for everybody; one lock for those that share it.
    pub fn guard_all<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Vec<MutexGuard<'_, ()>> {
        let stripes: BTreeSet<usize> = keys.into_iter().map(|key| stripe(key.as_ref())).collect();
        stripes.into_iter().map(|stripe| self.hold(stripe)).collect()
    }

    fn hold(&self, stripe: usize) -> MutexGuard<'_, ()> {
        self.0[stripe].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stripe(key: &[u8]) -> usize {
    let hash = blake3::hash(key);
    usize::from(u16::from_be_bytes([hash.as_bytes()[0], hash.as_bytes()[1]])) % STRIPES
}

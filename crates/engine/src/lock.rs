//! Who may change a customer now? One at a time: striped locks, held until the write is queued.

use std::sync::{Mutex, MutexGuard, PoisonError};

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

    /// Holds the locks of two keys, in one order for everybody; one lock when they share it.
    pub fn guard_both(&self, one: &[u8], other: &[u8]) -> (MutexGuard<'_, ()>, Option<MutexGuard<'_, ()>>) {
        let (one, other) = (stripe(one), stripe(other));
        let first = self.hold(one.min(other));
        (first, (one != other).then(|| self.hold(one.max(other))))
    }

    fn hold(&self, stripe: usize) -> MutexGuard<'_, ()> {
        self.0[stripe].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stripe(key: &[u8]) -> usize {
    let hash = blake3::hash(key);
    usize::from(u16::from_be_bytes([hash.as_bytes()[0], hash.as_bytes()[1]])) % STRIPES
}

//! Who can read a customer's rows? Only who holds the customer's key; forgetting it forgets the customer.
//!
//! A customer's key is random, kept in a keyspace of its own, wrapped by the master key that lives in a
//! file outside the data folder. Every key has an id, so that rows sealed with a forgotten key are told
//! apart from damaged ones.

use super::{
    cell::{NONCE_BYTES, Place},
    disk::{pairs, sound, unreadable},
};
use ::fjall::Keyspace;
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use decision::id::CustomerId;
use engine::storage::{StoreError, key};
use quick_cache::sync::Cache;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub(super) const KEY_BYTES: usize = 32;
const WRAP_NONCE_BYTES: usize = 24;
const CACHED_KEYS: usize = 65_536;
/// How long a compaction waits for what is in memory to be written out.
const COMPACTION_WAIT: Duration = Duration::from_secs(10);
/// The row that tells whether a master key is the right one; shorter than any customer's key.
const PROOF: &[u8] = b"proof";

/// A customer's own key.
pub(super) struct CustomerKey {
    id: u64,
    cipher: ChaCha20Poly1305,
}

impl CustomerKey {
    fn new(id: u64, secret: [u8; KEY_BYTES]) -> Self {
        Self { id, cipher: ChaCha20Poly1305::new(&secret.into()) }
    }

    #[cfg(test)]
    pub fn for_tests(id: u64) -> Self {
        Self::new(id, [id as u8; KEY_BYTES])
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn seal(&self, nonce: &[u8; NONCE_BYTES], associated: &[u8], content: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: content, aad: associated };
        self.cipher
            .encrypt(&(*nonce).into(), payload)
            .expect("content is far below the cipher's limit of 256 GiB")
    }

    pub fn open(&self, nonce: &[u8; NONCE_BYTES], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&(*nonce).into(), Payload { msg: sealed, aad: associated }).ok()
    }
}

/// The master key: wraps customer keys.
#[derive(Clone)]
pub(super) struct MasterKey(XChaCha20Poly1305);

impl MasterKey {
    pub fn new(secret: [u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(&secret.into()))
    }

    fn wrap(&self, place: &[u8], secret: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; WRAP_NONCE_BYTES] = random()?;
        let payload = Payload { msg: secret, aad: place };
        let sealed = self.0.encrypt(&nonce.into(), payload).expect("a key is far below the cipher's limit");
        Ok([&nonce[..], &sealed].concat())
    }

    fn unwrap(&self, place: &[u8], wrapped: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = wrapped.split_first_chunk::<WRAP_NONCE_BYTES>()?;
        self.0.decrypt(&(*nonce).into(), Payload { msg: sealed, aad: place }).ok()
    }
}

/// All customers' keys: on disk wrapped, in memory a bounded number ready for use.
pub(super) struct Keyring {
    keyspace: Keyspace,
    master: MasterKey,
    ready: Cache<CustomerId, Option<Arc<CustomerKey>>>,
    /// Whether keys may have been forgotten since the last compaction.
    forgetful: AtomicBool,
}

impl Keyring {
    pub fn new(keyspace: Keyspace, master: MasterKey) -> Self {
        Self { keyspace, master, ready: Cache::new(CACHED_KEYS), forgetful: AtomicBool::new(true) }
    }

    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// Whether this master key belongs to these keys; `None` when the store has never been used.
    pub fn proven(&self) -> Result<Option<bool>, StoreError> {
        let place = Place { table: "keys", key: PROOF };
        let proof = sound(place, || self.keyspace.get(PROOF))?.map_err(|error| unreadable(place, error))?;
        Ok(proof.map(|proof| self.master.unwrap(PROOF, &proof).as_deref() == Some(PROOF)))
    }

    /// The row that [`Self::proven`] looks for.
    pub fn proof(&self) -> Result<(&'static [u8], Vec<u8>), StoreError> {
        Ok((PROOF, self.master.wrap(PROOF, PROOF)?))
    }

    /// All wrapped keys, the proof among them.
    pub fn rows(&self) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> {
        pairs("keys", self.keyspace.iter()).map(|pair| pair.map(|(key, wrapped)| (key, wrapped.to_vec())))
    }

    /// How many customers have a key.
    pub fn count(&self) -> Result<u64, StoreError> {
        let customers = self.rows().filter(|row| row.as_ref().map_or(true, |(key, _)| key != PROOF));
        customers.map(|row| row.map(|_| 1)).sum()
    }

    /// A wrapped key as the new master key wraps it; `None` when it is wrapped so already.
    pub fn rewrapped(
        &self,
        key: &[u8],
        wrapped: &[u8],
        old: &MasterKey,
        new: &MasterKey,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if new.unwrap(key, wrapped).is_some() {
            return Ok(None);
        }
        let secret = old.unwrap(key, wrapped).ok_or_else(|| Place { table: "keys", key }.damaged())?;
        new.wrap(key, &secret).map(Some)
    }

    /// All keys are wrapped with another master key from now on.
    pub fn now_under(&mut self, master: MasterKey) {
        self.master = master;
    }

    /// The customer's present key.
    pub fn get(&self, customer: CustomerId) -> Result<Option<Arc<CustomerKey>>, StoreError> {
        self.ready.get_or_insert_with(&customer, || self.load(customer))
    }

    /// A new key for a customer without one, and its row on disk.
    pub fn create(&self, customer: CustomerId) -> Result<(Arc<CustomerKey>, Vec<u8>), StoreError> {
        let (id, secret) = (u64::from_le_bytes(random()?), random::<KEY_BYTES>()?);
        let row = [&id.to_le_bytes()[..], &secret].concat();
        let wrapped = self.master.wrap(&key::customer(customer), &row)?;
        let key = Arc::new(CustomerKey::new(id, secret));
        self.ready.insert(customer, Some(key.clone()));
        Ok((key, wrapped))
    }

    /// The row to remove on disk so that the customer's key is forgotten.
    pub fn forget(&self, customer: CustomerId) -> Vec<u8> {
        self.forgetful.store(true, Ordering::Relaxed);
        key::customer(customer)
    }

    /// Forgets the customer's key in memory.
    pub fn forgotten(&self, customer: CustomerId) {
        self.ready.remove(&customer);
    }

    /// Rewrites the keyspace without the keys that were forgotten, when there are any.
    pub fn compact(&self) -> Result<(), StoreError> {
        if !self.forgetful.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let compacted = self.keyspace.rotate_memtable().and_then(|_| {
            let start = Instant::now();
            while self.keyspace.sealed_memtable_count() > 0 && start.elapsed() < COMPACTION_WAIT {
                thread::sleep(Duration::from_millis(5));
            }
            self.keyspace.major_compact()
        });
        compacted.map_err(|error| {
            self.forgetful.store(true, Ordering::Relaxed);
            unreadable(Place { table: "keys", key: &[] }, error)
        })
    }

    fn load(&self, customer: CustomerId) -> Result<Option<Arc<CustomerKey>>, StoreError> {
        let row_key = key::customer(customer);
        let place = Place { table: "keys", key: &row_key };
        let read = sound(place, || self.keyspace.get(&row_key))?;
        let Some(wrapped) = read.map_err(|error| unreadable(place, error))? else {
            return Ok(None);
        };
        let row = self.master.unwrap(&row_key, &wrapped).ok_or_else(|| place.damaged())?;
        let (id, secret) = row.split_first_chunk::<8>().ok_or_else(|| place.damaged())?;
        let secret = secret.try_into().map_err(|_| place.damaged())?;
        Ok(Some(Arc::new(CustomerKey::new(u64::from_le_bytes(*id), secret))))
    }
}

/// Bytes from the operating system's source of entropy.
pub(super) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Stopped {
        reason: format!("the system gave no random bytes ({error})"),
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_opens_only_for_its_customer_under_its_master() {
        let (master, other) = (MasterKey::new([1; KEY_BYTES]), MasterKey::new([2; KEY_BYTES]));
        let wrapped = master.wrap(b"jan", b"secret").unwrap();
        assert_eq!(master.unwrap(b"jan", &wrapped).as_deref(), Some(&b"secret"[..]));
        assert_eq!(master.unwrap(b"eva", &wrapped), None);
        assert_eq!(other.unwrap(b"jan", &wrapped), None);
    }
}

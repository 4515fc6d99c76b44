//! Who is this? Typed identifiers lead to one customer, whose key is minted and says nothing.
//!
//! Identifiers are stored as keyed hashes only. Merging two customers is deliberately absent.

use crate::{
    Engine, EngineError, codec,
    storage::{Read, Table, Write},
};
use decision::{Timestamp, id::CustomerId};
use serde::{Deserialize, Serialize};

/// A typed key that points to a customer, for example kind `user_id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identifier {
    /// The kind, for example `email`, `user_id`, `anonymous_id`, `loyalty_card`.
    pub kind: String,
    /// The value.
    pub value: String,
}

impl Identifier {
    /// An identifier of a kind.
    pub fn new(kind: &str, value: &str) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}

/// A customer found or made, with the writes that make it so.
pub(crate) struct Known {
    pub id: CustomerId,
    pub writes: Vec<Write>,
}

impl Engine {
    /// The customer that any of these identifiers leads to; the first that is known counts.
    pub fn find(&self, identifiers: &[Identifier]) -> Result<Option<CustomerId>, EngineError> {
        for row in self.store.get(&self.identifier_reads(identifiers))? {
            if let Some(bytes) = row.value() {
                return Ok(Some(codec::decode("identifier", bytes)?));
            }
        }
        Ok(None)
    }

    /// Finds the customer or mints one, and links the identifiers that are new. Call under
    /// [`Engine::lock_identifiers`].
    pub(crate) fn find_or_mint(
        &self,
        identifiers: &[Identifier],
        at: Timestamp,
    ) -> Result<Known, EngineError> {
        let reads = self.identifier_reads(identifiers);
        let rows = self.store.get(&reads)?;
        let known = rows.iter().find_map(|row| row.value()).map(|bytes| codec::decode("identifier", bytes));
        let id = known.transpose()?.unwrap_or_else(|| self.mint(&reads, at));
        let missing = reads.into_iter().zip(&rows).filter(|(_, row)| row.value().is_none());
        let writes = missing
            .map(|(read, row)| {
                Write::put(Table::Identifier, read.key, codec::encode(&id))
                    .owned_by(id)
                    .expecting(row.version())
            })
            .collect();
        Ok(Known { id, writes })
    }

    fn identifier_reads(&self, identifiers: &[Identifier]) -> Vec<Read> {
        let read = |identifier| Read::new(Table::Identifier, self.identifier_key(identifier));
        identifiers.iter().map(read).collect()
    }

    fn mint(&self, reads: &[Read], at: Timestamp) -> CustomerId {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(b"customer");
        hasher.update(&at.as_nanosecond().to_be_bytes());
        reads.iter().for_each(|read| {
            hasher.update(&read.key);
        });
        let bytes = *hasher.finalize().as_bytes();
        CustomerId(u128::from_be_bytes(bytes[..16].try_into().expect("16 of 32 bytes")))
    }

    fn identifier_key(&self, identifier: &Identifier) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(&(identifier.kind.len() as u64).to_be_bytes());
        hasher.update(identifier.kind.as_bytes());
        hasher.update(identifier.value.as_bytes());
        hasher.finalize().as_bytes()[..16].to_vec()
    }

    /// Which lock guards the creation of these identifiers.
    pub(crate) fn lock_identifiers(&self, identifiers: &[Identifier]) -> std::sync::MutexGuard<'_, ()> {
        let first =
            identifiers.iter().map(|identifier| self.identifier_key(identifier)).min().unwrap_or_default();
        self.minting.guard(&first)
    }
}

//! What must outlive the data, and is therefore not in it or in its backup? One secret, and a list that only grows.
//!
//! The engine keeps in it who was erased, so that no old backup brings anybody back, and derives from the
//! secret what it signs with. What a line means is the engine's.

use super::StoreError;
use std::sync::{Mutex, PoisonError};

/// A place beside the master key.
pub trait Vault: Send + Sync {
    /// 32 random bytes, made with the store and never changed.
    fn secret(&self) -> [u8; 32];

    /// Every line, oldest first.
    ///
    /// [`StoreError::Damaged`] when a line is not what was written.
    fn lines(&self) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Adds a line; it is durable when this returns. Gives its number, from 1.
    fn append(&self, line: &[u8]) -> Result<u64, StoreError>;
}

/// A vault that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryVault {
    lines: Mutex<Vec<Vec<u8>>>,
}

impl Vault for MemoryVault {
    fn secret(&self) -> [u8; 32] {
        *blake3::hash(b"a store in memory keeps no secrets").as_bytes()
    }

    fn lines(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn append(&self, line: &[u8]) -> Result<u64, StoreError> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.to_vec());
        Ok(lines.len() as u64)
    }
}

//! Where does what must survive a restart live? Behind this port: bytes in, bytes out.
//!
//! The engine decides what a row means and encodes it; a [`Store`] keeps rows in [`Table`]s, applies
//! a [`Batch`] completely or not at all, and numbers the journal. An acknowledged batch
//! (its [`Ticket`] resolved without error) is durable. Rows and journal entries with an owner are
//! readable only while that customer has not been erased.
//!
//! The port does not know a clock, encodings, consent or retention rules: whoever writes a row says
//! when it expires, and whoever calls [`Store::expire`] says what time it is. It does not keep
//! two readers of one customer apart either; the engine holds the customer's lock for that.

pub mod key;
mod memory;
mod table;
mod ticket;
mod vault;

pub use memory::MemoryStore;
pub use table::Table;
pub use ticket::{Progress, Ticket};
pub use vault::{MemoryVault, Vault};

use decision::id::CustomerId;
use std::sync::Arc;

/// Longest row key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;
/// Longest row or journal value, in bytes.
pub const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A store of rows and one journal. Every call may come from any thread.
///
/// `get`, `scan`, `journal` and `expire` may read from disk: call them where blocking is allowed.
/// `commit` and `erase` return once the change is queued; only their ticket waits for the disk.
pub trait Store: Send + Sync + 'static {
    /// Looks up rows, answered in the order asked. Sees every batch queued before the call, durable or
    /// not; a batch queued during the call may be seen for some of the rows.
    fn get(&self, reads: &[Read]) -> Result<Vec<Row>, StoreError>;

    /// Queues a batch. When this returns `Ok`, the versions were as expected, the writes are visible to
    /// `get` and `scan`, and later batches come after it; the ticket resolves when it is durable.
    ///
    /// [`StoreError::Conflict`] when a row is not at its expected version, [`StoreError::Busy`] when the
    /// queue is full, [`StoreError::Stalled`] when the disk does not answer; nothing is written then.
    fn commit(&self, batch: Batch) -> Result<Ticket, StoreError>;

    /// At most `limit` rows of a table whose key starts with `prefix` and lies beyond `after`, in
    /// ascending order of key bytes. Includes queued writes; leaves out rows of erased customers.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Value)>, StoreError>;

    /// At most `limit` journal entries with a number above `after`, ascending. Durable entries only, so
    /// that nothing is passed on that a crash could take back. Numbers start at 1 and leave gaps only
    /// where entries expired.
    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError>;

    /// Forgets customers, see [`Store::erase_with`].
    fn erase(&self, customer: CustomerId) -> Result<Ticket, StoreError> {
        self.erase_with(&[customer], Batch::default())
    }

    /// Forgets customers and commits a batch, both or neither. Nothing in the batch is theirs. For each of them the rows under the customer's key prefix go, and everything else
    /// the customer owns (rows under other keys, journal entries) can never be read again. Visible at once; the ticket
    /// resolves when it is durable. Batches committed later for the same customer are kept.
    fn erase_with(&self, customers: &[CustomerId], batch: Batch) -> Result<Ticket, StoreError>;

    /// Removes what has been erased, deleted or replaced from the medium itself, as far as a program can: when this
    /// returns, no file of the store holds a key or unsealed content that was erased or removed before the call. May
    /// take long, and disturbs nobody. A store without files has nothing to do.
    fn purge(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Removes rows and journal entries whose `expires_at_ms` is at or before `at_ms`, and what is
    /// left of rows of erased customers. Walks the whole store in small batches. From the beginning of the call
    /// on, nothing that ends at or before `at_ms` can be read.
    fn expire(&self, at_ms: i64) -> Result<Expired, StoreError>;

    /// A part of what [`Store::expire`] does, bounded so that it can be called every second: hides at once what
    /// ends at or before `at_ms`, and goes on with a walk round the store where the call before stopped, over
    /// `rows_max` rows and as many as were written since that call. Whatever is written meanwhile, a round
    /// takes no more calls than the store has rows when it begins, divided by `rows_max`.
    ///
    /// With 0 it hides, and removes next to nothing. A store that is small may walk all of it.
    fn sweep(&self, at_ms: i64, rows_max: usize) -> Result<Expired, StoreError> {
        let _ = rows_max;
        self.expire(at_ms)
    }

    /// Writes a copy of everything that is durable now, of one moment, while work goes on; returns how many rows it
    /// has. What is sealed stays sealed; neither the master key nor the vault is in it.
    ///
    /// [`StoreError::Unreadable`] when `out` does not take it, or there is nothing to copy from.
    fn backup(&self, out: &mut dyn std::io::Write) -> Result<u64, StoreError> {
        let _ = out;
        Err(StoreError::Unreadable { reason: "this store is kept nowhere".into() })
    }

    /// What must outlive the data, and is not in its backup.
    fn vault(&self) -> Arc<dyn Vault>;

    /// How the store is doing now.
    fn health(&self) -> Health;

    /// Refuses new work, waits until everything queued is durable and lets go of the data folder. Later
    /// calls return [`StoreError::Stopped`]; closing twice is fine.
    fn close(&self) -> Result<(), StoreError>;
}

/// A row's content; cheap to clone.
pub type Value = Arc<[u8]>;

/// Which write a row comes from. Every batch gets a higher one than all batches before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

impl Version {
    /// The version of a row that does not exist: expect it to create a row only when there is none.
    pub const ABSENT: Self = Self(0);
}

/// A row to look up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Read {
    /// The table.
    pub table: Table,
    /// The row's key, see [`key`].
    pub key: Vec<u8>,
}

impl Read {
    /// Asks for the row of `table` under `key`.
    pub fn new(table: Table, key: impl Into<Vec<u8>>) -> Self {
        Self { table, key: key.into() }
    }
}

/// What a lookup found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// There is no such row.
    Absent,
    /// There was a row, of a customer who has been erased; may become `Absent` at any time.
    Erased,
    /// The row.
    Present {
        /// The batch that wrote it.
        version: Version,
        /// Its content.
        value: Value,
    },
}

impl Row {
    /// The version to expect when replacing what was found.
    pub fn version(&self) -> Version {
        match self {
            Self::Present { version, .. } => *version,
            Self::Absent | Self::Erased => Version::ABSENT,
        }
    }

    /// The content, when there is a readable row.
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Present { value, .. } => Some(value),
            Self::Absent | Self::Erased => None,
        }
    }
}

/// One change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: Table,
    /// The row's key, see [`key`]; at least 1 byte, at most [`KEY_BYTES_MAX`].
    pub key: Vec<u8>,
    /// The new content, or `None` to delete the row; at most [`VALUE_BYTES_MAX`].
    pub value: Option<Vec<u8>>,
    /// Whose data this is: the content is unreadable once this customer is erased. Keys are never
    /// encrypted, so a key holds no personal data in the clear.
    pub owner: Option<CustomerId>,
    /// The version the row must have now ([`Version::ABSENT`]: must not exist); `None` overwrites.
    pub expect: Option<Version>,
    /// When [`Store::expire`] may remove the row, in milliseconds since 1970 UTC; `None`: never.
    pub expires_at_ms: Option<i64>,
}

impl Write {
    /// Sets a row.
    pub fn put(table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self {
            table,
            key: key.into(),
            value: Some(value.into()),
            owner: None,
            expect: None,
            expires_at_ms: None,
        }
    }

    /// Deletes a row; deleting an absent row is fine.
    pub fn delete(table: Table, key: impl Into<Vec<u8>>) -> Self {
        Self { value: None, ..Self::put(table, key, Vec::new()) }
    }

    /// The same write, of data about `customer`.
    pub fn owned_by(self, customer: CustomerId) -> Self {
        Self { owner: Some(customer), ..self }
    }

    /// The same write, only if the row is at `version`.
    pub fn expecting(self, version: Version) -> Self {
        Self { expect: Some(version), ..self }
    }

    /// The same write, to be removed by [`Store::expire`] from `at_ms` on.
    pub fn until(self, at_ms: i64) -> Self {
        Self { expires_at_ms: Some(at_ms), ..self }
    }
}

/// One entry to append to the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Whose data this is, as in [`Write::owner`].
    pub owner: Option<CustomerId>,
    /// The content; at most [`VALUE_BYTES_MAX`].
    pub value: Vec<u8>,
    /// When [`Store::expire`] may remove it, in milliseconds since 1970 UTC; `None`: never.
    pub expires_at_ms: Option<i64>,
}

/// Changes that happen together or not at all. An empty batch is a barrier: its ticket resolves when
/// everything queued before it is durable. Of two writes to one row the later one stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Row changes.
    pub writes: Vec<Write>,
    /// Journal entries, numbered in this order.
    pub journal: Vec<JournalRow>,
}

impl Batch {
    /// Refuses empty keys, and keys and values above the limits.
    pub fn check(&self) -> Result<(), StoreError> {
        for write in &self.writes {
            let value_bytes = write.value.as_ref().map_or(0, Vec::len);
            if write.key.is_empty() || write.key.len() > KEY_BYTES_MAX || value_bytes > VALUE_BYTES_MAX {
                return Err(StoreError::Unfit { table: write.table.name() });
            }
        }
        match self.journal.iter().any(|row| row.value.len() > VALUE_BYTES_MAX) {
            true => Err(StoreError::Unfit { table: "journal" }),
            false => Ok(()),
        }
    }

    /// Bytes of keys and values together, with a fixed cost per row.
    pub fn bytes(&self) -> usize {
        const ROW_BYTES: usize = 64;
        let writes =
            self.writes.iter().map(|write| write.key.len() + write.value.as_ref().map_or(0, Vec::len));
        let journal = self.journal.iter().map(|row| row.value.len());
        writes.chain(journal).map(|bytes| bytes + ROW_BYTES).sum()
    }
}

/// One journal entry as read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its number: higher than that of every entry before it.
    pub sequence: u64,
    /// Its content, or `None` when the owner has been erased.
    pub value: Option<Value>,
}

/// What [`Store::expire`] removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// Rows.
    pub rows: u64,
    /// Journal entries.
    pub journal: u64,
}

/// How a store is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Why the store takes no more work; `None` while it does.
    pub stopped: Option<String>,
    /// Batches queued but not yet durable.
    pub queued_batches: usize,
    /// The disk has not answered for so long that `commit` answers [`StoreError::Stalled`].
    pub stalled: bool,
    /// Queued batches at which `commit` answers [`StoreError::Busy`].
    pub queued_batches_max: usize,
    /// The highest number whose journal entry is durable; 0 when there is none yet.
    pub journal_sequence: u64,
    /// At the last [`Store::sweep`]: how long ago the last complete round began, in milliseconds. What was due by
    /// then has been removed; what is due since cannot be read.
    pub expiry_lag_ms: u64,
    /// How long the disk has been busy with the present group of batches, in milliseconds; 0 when idle.
    pub committing_for_ms: u64,
}

/// Why a store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row was not at its expected version; nothing of the batch was written. Read again and retry.
    #[error("a row of `{table}` was changed by someone else first")]
    Conflict {
        /// The table's name.
        table: &'static str,
    },
    /// The queue of undurable batches is full; try again later.
    #[error("the store has more work queued than it may hold; try again in a moment")]
    Busy,
    /// The disk has not answered for longer than a commit may take. From `commit`: nothing was written. From
    /// an awaited ticket: the batch is kept once the disk answers, unless the process ends before. Recovers by itself.
    #[error("the disk has not answered for {for_ms} ms; try again in a moment")]
    Stalled {
        /// Since when, in milliseconds.
        for_ms: u64,
    },
    /// The store takes no more work: it was closed, or a write failed and what is on disk is no longer
    /// certain. Restarting reads back everything that was acknowledged.
    #[error("the store has stopped: {reason}")]
    Stopped {
        /// What happened.
        reason: String,
    },
    /// What is on disk is not what was written.
    #[error("a row of `{table}` is damaged (key hash `{key_hash}`); restore it from a backup")]
    Damaged {
        /// The table's name, or `journal` or `keys`.
        table: &'static str,
        /// A short hash that says which row without naming a customer, see [`key::short_hash`].
        key_hash: String,
    },
    /// Reading failed.
    #[error("the store could not be read: {reason}")]
    Unreadable {
        /// What the system said.
        reason: String,
    },
    /// A key is empty or longer than [`KEY_BYTES_MAX`], a value longer than [`VALUE_BYTES_MAX`], or a batch
    /// larger than the whole queue.
    #[error("a write to `{table}` has no key or is larger than the store accepts")]
    Unfit {
        /// The table's name, or `journal` or `batch`.
        table: &'static str,
    },
}

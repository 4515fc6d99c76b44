//! What is durable now? The keyspaces and how rows are read from and added to them.
//!
//! Knows nothing of queued writes or caches.

use super::{
    Options,
    cell::{Cell, NONCE_BYTES, Place, Seal, encode},
    keyring::{CustomerKey, Keyring, MasterKey, random},
};
use ::fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use decision::id::CustomerId;
use engine::storage::{Row, StoreError, Table, Version};
use std::{
    collections::BTreeMap,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

/// The journal's name in messages and on disk.
pub(super) const JOURNAL: &str = "journal";
const KEYS: &str = "keys";
/// The keyspace of the store's own rows.
pub(super) const SYSTEM: &str = "system";
/// The row that every group writes.
pub(super) const REACHED: &[u8] = b"reached";
/// Size of the logs at which rows that are only there are written out, so that old logs can go.
const LOG_BYTES: u64 = 128 * 1024 * 1024;
/// Threads that write out and merge tables. With two, the database keeps one free for writing out, and as long as
/// the other merges, the free one passes itself the merges that wait, without a pause: a tenth of all processor
/// time under load.
const WORKERS: usize = 1;
/// Full memtables of a keyspace that wait to be written out before commits wait for them. The database halts
/// in the middle of a commit at 4; one commit and one late rotation add one each.
const MEMTABLES_WAITING_MAX: usize = 2;
/// Tables of a keyspace that wait to be merged before commits wait for that. The database slows down at 20 and
/// halts at 30.
const TABLES_WAITING_MAX: usize = 20;

/// The open database.
pub(super) struct Disk {
    database: Database,
    tables: Vec<Keyspace>,
    journal: Keyspace,
    system: Keyspace,
    pub keyring: Keyring,
}

/// How far the numbering has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reached {
    pub version: Version,
    pub sequence: u64,
}

/// A row with what a cache needs to know about it.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub row: Row,
    pub owner: Option<CustomerId>,
    /// When the row ends; see [`Self::at`].
    pub expires_at_ms: Option<i64>,
}

impl Stored {
    /// No row.
    pub const ABSENT: Self = Self { row: Row::Absent, owner: None, expires_at_ms: None };

    /// The row as it can be read when everything up to `past_ms` is over.
    pub fn at(self, past_ms: i64) -> Row {
        match self.is_over(past_ms) {
            true => Row::Absent,
            false => self.row,
        }
    }

    /// Whether it has ended at `past_ms`.
    pub fn is_over(&self, past_ms: i64) -> bool {
        self.expires_at_ms.is_some_and(|expires| expires <= past_ms)
    }
}

/// A row or journal entry to write.
pub(super) struct Fresh<'a> {
    pub version: Version,
    pub owner: Option<CustomerId>,
    pub expires_at_ms: Option<i64>,
    pub content: &'a [u8],
}

impl Disk {
    pub fn open(folder: &Path, options: &Options, master: MasterKey) -> Result<Self, ::fjall::Error> {
        let database = Database::builder(folder)
            .cache_size(options.block_cache_bytes)
            .max_journaling_size(LOG_BYTES)
            .manual_journal_persist(true)
            .worker_threads(WORKERS)
            .open()?;
        let keyspace = |name: &str| {
            database
                .keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(options.memtable_bytes))
        };
        let tables = Table::ALL.iter().map(|table| keyspace(table.name())).collect::<Result<_, _>>()?;
        let (journal, system) = (keyspace(JOURNAL)?, keyspace(SYSTEM)?);
        let keyring = Keyring::new(keyspace(KEYS)?, master);
        Ok(Self { database, tables, journal, system, keyring })
    }

    fn table(&self, table: Table) -> &Keyspace {
        &self.tables[table as usize]
    }

    /// Whether so much waits to be written out or merged that the database might halt a commit.
    pub fn is_behind(&self) -> bool {
        self.keyspaces().any(|keyspace| {
            keyspace.sealed_memtable_count() >= MEMTABLES_WAITING_MAX
                || keyspace.l0_table_count() >= TABLES_WAITING_MAX
        })
    }

    /// Fails when the database no longer works, as after a failed write in its background.
    pub fn works(&self) -> Result<(), StoreError> {
        self.database.persist(PersistMode::Buffer).map_err(|error| write_failed(&error))
    }

    /// A view of everything at this moment.
    pub fn snapshot(&self) -> ::fjall::Snapshot {
        self.database.snapshot()
    }

    /// The keyspace of the store's own rows.
    pub fn system(&self) -> &Keyspace {
        &self.system
    }

    /// All keyspaces.
    pub fn keyspaces(&self) -> impl Iterator<Item = &Keyspace> {
        self.tables.iter().chain([&self.journal, &self.system, self.keyring.keyspace()])
    }

    /// A keyspace of rows.
    pub fn keyspace(&self, space: Space) -> &Keyspace {
        match space {
            Space::Table(table) => self.table(table),
            Space::Journal => &self.journal,
            Space::Keys => self.keyring.keyspace(),
        }
    }

    /// Where the numbering continues.
    pub fn reached(&self) -> Result<Reached, StoreError> {
        let reached = self.noted()?;
        match self.last_sequence()?.is_some_and(|last| last > reached.sequence) {
            true => Err(Place { table: SYSTEM, key: REACHED }.damaged()),
            false => Ok(reached),
        }
    }

    /// How far the last group says that the numbering has come.
    pub fn noted(&self) -> Result<Reached, StoreError> {
        let place = Place { table: SYSTEM, key: REACHED };
        let read = sound(place, || self.system.get(REACHED))?;
        let Some(bytes) = read.map_err(|error| unreadable(place, error))? else {
            return Ok(Reached::default());
        };
        let cell = Cell::read(place, &bytes)?;
        let content = cell.open(None)?.unwrap_or_default();
        let sequence = content.try_into().map_err(|_| place.damaged())?;
        Ok(Reached { version: cell.version, sequence: u64::from_be_bytes(sequence) })
    }

    fn last_sequence(&self) -> Result<Option<u64>, StoreError> {
        let place = Place { table: JOURNAL, key: b"last" };
        let Some(last) = sound(place, || self.journal.last_key_value().map(::fjall::Guard::key))? else {
            return Ok(None);
        };
        let key = last.map_err(|error| unreadable(place, error))?;
        let sequence = key.as_ref().try_into().map_err(|_| place.damaged())?;
        Ok(Some(u64::from_be_bytes(sequence)))
    }

    /// One row.
    pub fn read(&self, table: Table, key: &[u8]) -> Result<Stored, StoreError> {
        let place = Place { table: table.name(), key };
        match sound(place, || self.table(table).get(key))?.map_err(|error| unreadable(place, error))? {
            None => Ok(Stored::ABSENT),
            Some(bytes) => self.decode(place, &bytes),
        }
    }

    fn decode(&self, place: Place<'_>, bytes: &[u8]) -> Result<Stored, StoreError> {
        let cell = Cell::read(place, bytes)?;
        let row = match cell.open(self.key_of(&cell)?.as_deref())? {
            Some(content) => Row::Present { version: cell.version, value: content.into() },
            None => Row::Erased,
        };
        Ok(Stored { row, owner: cell.owner, expires_at_ms: cell.expires_at_ms() })
    }

    fn key_of(&self, cell: &Cell<'_>) -> Result<Option<Arc<CustomerKey>>, StoreError> {
        cell.owner.map_or(Ok(None), |owner| self.keyring.get(owner))
    }

    /// Rows of a table from a key on, ascending.
    pub fn rows(
        &self,
        table: Table,
        from: Bound<Vec<u8>>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Stored), StoreError>> {
        pairs(table.name(), self.table(table).range((from, Bound::Unbounded))).map(move |pair| {
            let (key, bytes) = pair?;
            let stored = self.decode(Place { table: table.name(), key: &key }, &bytes)?;
            Ok((key, stored))
        })
    }

    /// Keys of a table that start with `prefix`.
    pub fn keys(&self, table: Table, prefix: &[u8]) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> {
        pairs(table.name(), self.table(table).prefix(prefix)).map(|pair| Ok(pair?.0))
    }

    /// Looks at no more than `limit` rows with a key above `after` (without table: journal entries).
    /// `judge` hears whether nobody can read the row any more, and says which to report, with which version.
    pub fn cells(
        &self,
        table: Option<Table>,
        after: Option<&[u8]>,
        limit: usize,
        mut judge: impl FnMut(&Cell<'_>, bool) -> Option<Version>,
    ) -> Result<Page, StoreError> {
        let (keyspace, name) =
            table.map_or((&self.journal, JOURNAL), |table| (self.table(table), table.name()));
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.to_vec()));
        let mut page = Page { found: Vec::new(), looked: 0, last: None };
        for pair in pairs(name, keyspace.range((from, Bound::<Vec<u8>>::Unbounded))).take(limit) {
            let (key, bytes) = pair?;
            let place = Place { table: name, key: &key };
            let seen = Cell::glance(place, &bytes)?;
            if let Some(version) = judge(&seen, self.is_orphaned(&seen, &key)?) {
                Cell::read(place, &bytes)?;
                page.found.push((key.clone(), version));
            }
            page.looked += 1;
            page.last = Some(key);
        }
        Ok(page)
    }

    /// Whether the owner of a cell has been erased. Rows under the owner's own prefix went with the erasure.
    fn is_orphaned(&self, cell: &Cell<'_>, key: &[u8]) -> Result<bool, StoreError> {
        match cell.owner {
            Some(owner) if !key.starts_with(&engine::storage::key::customer(owner)) => {
                Ok(cell.orphaned(self.keyring.get(owner)?.as_deref()))
            }
            _ => Ok(false),
        }
    }

    /// Journal entries above a number.
    pub fn entries(&self, after: u64) -> impl Iterator<Item = Result<(u64, Stored), StoreError>> {
        let from = Bound::Excluded(after.to_be_bytes());
        pairs(JOURNAL, self.journal.range((from, Bound::Unbounded))).map(|pair| {
            let (key, bytes) = pair?;
            let place = Place { table: JOURNAL, key: &key };
            let sequence = key.as_slice().try_into().map(u64::from_be_bytes).map_err(|_| place.damaged())?;
            Ok((sequence, self.decode(place, &bytes)?))
        })
    }

    /// Makes changes durable through the log, with the numbering as far as it has come.
    pub fn commit(&self, changes: Vec<DiskChange>, reached: Reached) -> Result<(), StoreError> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for DiskChange { space, key, content } in changes {
            let keyspace = self.keyspace(space);
            match content {
                Some(content) => batch.insert(keyspace, key, content),
                None => batch.remove(keyspace, key),
            }
        }
        let place = Place { table: SYSTEM, key: REACHED };
        let cell = encode(place, reached.version, None, None, &reached.sequence.to_be_bytes());
        batch.insert(&self.system, REACHED, cell);
        batch.commit().map_err(|error| write_failed(&error))
    }

    /// An empty group of changes.
    pub fn group(&self) -> Group<'_> {
        Group { disk: self, changes: Vec::new(), nonces: Nonces::default(), created: BTreeMap::new() }
    }
}

/// Part of a walk over a table.
pub(super) struct Page {
    /// The rows reported.
    pub found: Vec<(Vec<u8>, Version)>,
    /// How many rows were looked at.
    pub looked: usize,
    /// The last key looked at; `None` at the end of the table.
    pub last: Option<Vec<u8>>,
}

/// A keyspace in which rows change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    Table(Table),
    Journal,
    Keys,
}

impl Space {
    /// Its name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table(table) => table.name(),
            Self::Journal => JOURNAL,
            Self::Keys => KEYS,
        }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Table::ALL.iter().map(|&table| Self::Table(table)).chain([Self::Journal, Self::Keys])
    }
}

/// One change as it will be on disk; without content the row goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiskChange {
    pub space: Space,
    pub key: Vec<u8>,
    pub content: Option<Vec<u8>>,
}

/// Changes that become durable together; at most one per row.
pub(super) struct Group<'a> {
    disk: &'a Disk,
    changes: Vec<DiskChange>,
    nonces: Nonces,
    /// Keys that exist in this group only; the keyring's cache may drop them before they are durable.
    created: BTreeMap<CustomerId, Arc<CustomerKey>>,
}

impl Group<'_> {
    pub fn put(&mut self, table: Table, key: &[u8], fresh: &Fresh<'_>) -> Result<(), StoreError> {
        let cell = self.cell(Place { table: table.name(), key }, fresh)?;
        self.change(Space::Table(table), key, Some(cell));
        Ok(())
    }

    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.change(Space::Table(table), key, None);
    }

    pub fn append(&mut self, sequence: u64, fresh: &Fresh<'_>) -> Result<(), StoreError> {
        let key = sequence.to_be_bytes();
        let cell = self.cell(Place { table: JOURNAL, key: &key }, fresh)?;
        self.change(Space::Journal, &key, Some(cell));
        Ok(())
    }

    pub fn trim(&mut self, entry: &[u8]) {
        self.change(Space::Journal, entry, None);
    }

    pub fn forget(&mut self, customer: CustomerId) {
        let key = self.disk.keyring.forget(customer);
        self.change(Space::Keys, &key, None);
    }

    pub fn prove(&mut self) -> Result<(), StoreError> {
        let (key, proof) = self.disk.keyring.proof()?;
        self.change(Space::Keys, key, Some(proof));
        Ok(())
    }

    fn change(&mut self, space: Space, key: &[u8], content: Option<Vec<u8>>) {
        self.changes.push(DiskChange { space, key: key.to_vec(), content });
    }

    /// Makes everything durable, with the numbering as far as it has come.
    pub fn commit(self, reached: Reached) -> Result<(), StoreError> {
        self.disk.commit(self.changes, reached)
    }

    /// The changes, for whoever makes them durable in another way.
    pub fn into_changes(self) -> Vec<DiskChange> {
        self.changes
    }

    fn owner_key(&mut self, owner: CustomerId) -> Result<Arc<CustomerKey>, StoreError> {
        if let Some(key) = self.created.get(&owner) {
            return Ok(key.clone());
        }
        if let Some(key) = self.disk.keyring.get(owner)? {
            return Ok(key);
        }
        let (key, wrapped) = self.disk.keyring.create(owner)?;
        self.change(Space::Keys, &engine::storage::key::customer(owner), Some(wrapped));
        self.created.insert(owner, key.clone());
        Ok(key)
    }

    fn cell(&mut self, place: Place<'_>, fresh: &Fresh<'_>) -> Result<Vec<u8>, StoreError> {
        let Some(owner) = fresh.owner else {
            return Ok(encode(place, fresh.version, fresh.expires_at_ms, None, fresh.content));
        };
        let key = self.owner_key(owner)?;
        let seal = Seal { owner, key: &key, nonce: self.nonces.next()? };
        Ok(encode(place, fresh.version, fresh.expires_at_ms, Some(seal), fresh.content))
    }
}

/// Random nonces, asked from the system many at a time.
#[derive(Default)]
struct Nonces(Vec<[u8; NONCE_BYTES]>);

impl Nonces {
    fn next(&mut self) -> Result<[u8; NONCE_BYTES], StoreError> {
        const AT_ONCE: usize = 64;
        if self.0.is_empty() {
            self.0 = random::<{ NONCE_BYTES * AT_ONCE }>()?.as_chunks().0.to_vec();
        }
        Ok(self.0.pop().expect("just filled"))
    }
}

/// Rows as the database gives them, and what it cannot give.
pub(super) fn pairs(
    table: &'static str,
    mut rows: ::fjall::Iter,
) -> impl Iterator<Item = Result<(Vec<u8>, ::fjall::Slice), StoreError>> {
    let place = Place { table, key: &[] };
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let pair = match sound(place, || rows.next().map(::fjall::Guard::into_inner)) {
            Ok(None) => return None,
            Ok(Some(pair)) => pair.map_err(|error| unreadable(place, error)),
            Err(error) => Err(error),
        };
        failed = pair.is_err();
        Some(pair.map(|(key, bytes)| (key.to_vec(), bytes)))
    })
}

/// What the database gives; it panics on some kinds of damage.
pub(super) fn sound<T>(place: Place<'_>, read: impl FnOnce() -> T) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| place.damaged())
}

pub(super) fn write_failed(error: &::fjall::Error) -> StoreError {
    stopped_by(&said(error))
}

/// After a failed write nothing more is written; `said` is what the system said.
pub(super) fn stopped_by(said: &str) -> StoreError {
    let reason = format!("a write to disk failed ({said}); what was acknowledged is safe, restart to go on");
    StoreError::Stopped { reason }
}

/// Input or output that failed, or else damage.
pub(super) fn unreadable(place: Place<'_>, error: ::fjall::Error) -> StoreError {
    match &error {
        ::fjall::Error::Io(_) | ::fjall::Error::Storage(::fjall::LsmError::Io(_)) => {
            StoreError::Unreadable { reason: said(&error) }
        }
        _ => place.damaged(),
    }
}

/// The system's own words where there are any.
pub(super) fn said(error: &::fjall::Error) -> String {
    match error {
        ::fjall::Error::Io(error) | ::fjall::Error::Storage(::fjall::LsmError::Io(error)) => {
            error.to_string()
        }
        ::fjall::Error::Poisoned => "an earlier write failed".into(),
        _ => "the files are not what was written".into(),
    }
}

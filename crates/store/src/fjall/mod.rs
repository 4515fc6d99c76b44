//! Where does one machine keep its customers? In one folder, through an embedded log-structured store.
//!
//! Batches are queued in one order and visible at once; a single thread makes all that wait durable with
//! one sync. Read the story in that order: [`FjallStore::commit`](Store::commit), `queue`, `committer`,
//! `disk`; and for readers `rows`. Content with an owner is sealed with that customer's key
//! (`keyring`, `cell`), so erasing a customer is forgetting a key.
//!
//! Several processes cannot share a folder, and the store does not replicate.

mod backup;
mod cell;
mod committer;
mod disk;
mod expire;
mod folder;
mod keyring;
mod load;
mod log;
mod manifest;
mod overlay;
mod purge;
mod queue;
mod rotation;
mod rows;
mod sealed;
mod vault;
mod watchdog;
mod watermark;

pub use folder::OpenError;

use committer::Shared;
use decision::id::CustomerId;
use engine::storage::{
    Batch, Expired, Health, JournalEntry, Progress, Read, Row, Store, StoreError, Table, Ticket, Value, Vault,
};
use expire::Round;
use folder::Folder;
use queue::{GroupLimits, Limits, OnConflict, Queue};
use rows::Rows;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};
use vault::FileVault;
use watchdog::Underway;

/// How long closing waits for the disk.
const CLOSE_WITHIN: Duration = Duration::from_secs(30);

/// How a [`FjallStore`] uses the machine. The defaults suit a laptop.
#[derive(Debug, Clone)]
pub struct Options {
    /// Memory for rows ready to be read, in bytes.
    pub row_cache_bytes: u64,
    /// Memory for blocks of the files, in bytes.
    pub block_cache_bytes: u64,
    /// Batches that may wait for the disk before [`StoreError::Busy`].
    pub queued_batches_max: usize,
    /// Bytes that may wait for the disk before [`StoreError::Busy`]; also the largest batch.
    pub queued_bytes_max: usize,
    /// Memory for the fresh rows of one table before they are written out sorted, in bytes.
    pub memtable_bytes: u64,
    /// How long a group of batches may take to become durable before the store refuses new ones with
    /// [`StoreError::Stalled`], and says the same to those who wait.
    pub commit_within: Duration,
    /// Gather what is queued into large groups and write those sorted, beside the log: for loading very many
    /// rows. Everything a store promises holds; a commit on its own takes longer. See [`Options::loading`].
    pub loads: bool,
    /// The master key's file; `None`: `master.key` in the store's folder. Created if there is no data yet.
    pub master_key: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            row_cache_bytes: 64 * 1024 * 1024,
            block_cache_bytes: 64 * 1024 * 1024,
            queued_batches_max: 32_768,
            queued_bytes_max: 64 * 1024 * 1024,
            memtable_bytes: 16 * 1024 * 1024,
            commit_within: Duration::from_secs(1),
            loads: false,
            master_key: None,
        }
    }
}

impl Options {
    /// For loading very many rows while nobody waits for an answer: large groups, written sorted. At most 128 MiB
    /// are queued.
    pub fn loading() -> Self {
        Self {
            queued_batches_max: 1 << 20,
            queued_bytes_max: 128 * 1024 * 1024,
            commit_within: Duration::from_secs(60),
            loads: true,
            ..Self::default()
        }
    }
}

/// The embedded store.
pub struct FjallStore {
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
    round: Mutex<Round>,
    expiry_lag_ms: AtomicU64,
    vault: Arc<FileVault>,
    /// The folder of the database.
    data: PathBuf,
}

/// What a store holds on to until it is closed.
struct Running {
    committer_ended: Receiver<()>,
    _watchdog: Sender<()>,
    _folder: Folder,
}

impl FjallStore {
    /// Opens the store in `folder`, or creates it there.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, OpenError> {
        let locked = Folder::lock(folder, options.master_key.as_deref())?;
        let (disk, watermark, reached, vault) = locked.open(options)?;
        let disk = Arc::new(disk);
        let limits = Limits {
            batches: options.queued_batches_max,
            bytes: options.queued_bytes_max,
            group: if options.loads { GroupLimits::LARGE } else { GroupLimits::PROMPT },
        };
        let shared = Arc::new(Shared {
            rows: Rows::new(disk.clone(), options.row_cache_bytes),
            queue: Queue::new(limits, reached),
            progress: Progress::starting_at(reached.version),
            durable_sequence: AtomicU64::new(reached.sequence),
            rows_written: AtomicU64::new(0),
            underway: Underway::default(),
            commit_within: options.commit_within,
            loader: options.loads.then(|| locked.loader()),
        });
        let started = committer::start(disk, watermark, shared.clone())
            .and_then(|ended| Ok((ended, watchdog::start(shared.clone())?)));
        let (committer_ended, watchdog) = started
            .map_err(|error| OpenError::Unavailable { file: folder.to_owned(), reason: error.to_string() })?;
        let running = Running { committer_ended, _watchdog: watchdog, _folder: locked };
        Ok(Self {
            shared,
            running: Mutex::new(Some(running)),
            round: Mutex::default(),
            expiry_lag_ms: AtomicU64::new(0),
            vault: Arc::new(vault),
            data: folder.join("data"),
        })
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for FjallStore {
    fn get(&self, reads: &[Read]) -> Result<Vec<Row>, StoreError> {
        self.shared.rows.running()?;
        reads.iter().map(|read| self.shared.rows.get(read)).collect()
    }

    fn commit(&self, batch: Batch) -> Result<Ticket, StoreError> {
        self.shared.admit()?;
        let entries = batch.journal.len() as u64;
        let (reached, _) =
            self.shared.queue.push(&self.shared.rows, batch, Vec::new(), OnConflict::Refuse)?;
        let first_entry = (entries > 0).then(|| reached.sequence - entries + 1);
        Ok(self.shared.progress.ticket(reached.version, first_entry))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        self.shared.rows.running()?;
        self.shared.rows.scan(table, prefix, after, limit)
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        self.shared.rows.running()?;
        self.shared.rows.journal(after, limit)
    }

    fn erase_with(&self, customers: &[CustomerId], batch: Batch) -> Result<Ticket, StoreError> {
        self.shared.admit()?;
        let entries = batch.journal.len() as u64;
        let reached = self.shared.queue.erase(&self.shared.rows, customers, batch)?;
        let first_entry = (entries > 0).then(|| reached.sequence - entries + 1);
        Ok(self.shared.progress.ticket(reached.version, first_entry))
    }

    fn purge(&self) -> Result<(), StoreError> {
        self.shared.rows.running()?;
        self.shared.rows.on_disk(|disk| disk.purge(&self.data))
    }

    fn backup(&self, out: &mut dyn std::io::Write) -> Result<u64, StoreError> {
        self.shared.rows.running()?;
        self.shared.rows.on_disk(|disk| disk.copy_to(out, &self.vault.secret()))
    }

    fn vault(&self) -> Arc<dyn Vault> {
        self.vault.clone()
    }

    fn expire(&self, at_ms: i64) -> Result<Expired, StoreError> {
        self.expire_all(at_ms)
    }

    fn sweep(&self, at_ms: i64, rows_max: usize) -> Result<Expired, StoreError> {
        self.sweep_on(at_ms, rows_max)
    }

    fn health(&self) -> Health {
        let committing = self.shared.underway.takes();
        Health {
            stopped: self.shared.rows.stopped().map(str::to_owned),
            stalled: committing > self.shared.commit_within,
            queued_batches: self.shared.queue.len(),
            queued_batches_max: self.shared.queue.limits.batches,
            journal_sequence: self.shared.durable_sequence.load(Ordering::Acquire),
            expiry_lag_ms: self.expiry_lag_ms.load(Ordering::Relaxed),
            committing_for_ms: committing.as_millis() as u64,
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        let Some(running) = self.running().take() else {
            return Ok(());
        };
        self.shared.queue.close();
        let ended = running.committer_ended.recv_timeout(CLOSE_WITHIN);
        let failed = self.shared.rows.running();
        self.shared.rows.stop("it was closed".into());
        self.shared.rows.close();
        match ended {
            Err(RecvTimeoutError::Timeout) => {
                Err(StoreError::Stopped { reason: "the disk did not answer while it was closed".into() })
            }
            _ => failed,
        }
    }
}

impl Drop for FjallStore {
    fn drop(&mut self) {
        drop(self.close());
    }
}

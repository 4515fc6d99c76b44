//! Which batches wait for the disk? They are numbered, checked and made visible here, in one order.

use super::{disk::Reached, overlay::Queued, rows::Rows};
use decision::id::CustomerId;
use engine::storage::{Batch, JournalRow, Read, StoreError, Table, Value, Version, Write};
use std::{
    collections::VecDeque,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// How long a queue that gathers looks whether more comes.
const GATHER_EVERY: Duration = Duration::from_millis(20);

/// One step for the committer.
pub(super) enum Step {
    Batch(QueuedBatch),
    /// Customers who go, and what is written with that.
    Erase {
        customers: Vec<CustomerId>,
        batch: QueuedBatch,
        hidden: Vec<(Table, Vec<u8>)>,
    },
}

impl Step {
    /// The numbering once this step is durable.
    pub fn reached(&self) -> Reached {
        self.batch().reached
    }

    /// What it writes.
    pub fn batch(&self) -> &QueuedBatch {
        match self {
            Self::Batch(batch) | Self::Erase { batch, .. } => batch,
        }
    }

    /// Rows and journal entries it adds or replaces.
    pub fn rows(&self) -> u64 {
        let batch = self.batch();
        let put = batch.writes.iter().filter(|change| change.value.is_some()).count();
        (put + batch.journal.len()) as u64
    }

    fn is_erasure(&self) -> bool {
        matches!(self, Self::Erase { .. })
    }

    fn bytes(&self) -> usize {
        self.batch().bytes
    }
}

/// A batch with its place in the order.
pub(super) struct QueuedBatch {
    pub writes: Vec<Change>,
    /// The last entries up to `reached.sequence`.
    pub journal: Vec<JournalRow>,
    /// Keys of expired journal entries.
    pub trimmed: Vec<Vec<u8>>,
    pub reached: Reached,
    bytes: usize,
}

/// A write that has been accepted.
pub(super) struct Change {
    pub read: Read,
    pub value: Option<Value>,
    pub owner: Option<CustomerId>,
    pub expires_at_ms: Option<i64>,
}

/// What to do when a row is not at its expected version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OnConflict {
    Refuse,
    LeaveOut,
}

/// How much may wait, and how much is made durable together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub batches: usize,
    pub bytes: usize,
    pub group: GroupLimits,
}

/// When a group of batches is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupLimits {
    pub batches: usize,
    pub bytes: usize,
    /// Whether to wait for more as long as more comes.
    pub gathers: bool,
}

impl GroupLimits {
    /// Waits for nobody: what is queued is made durable at once.
    pub const PROMPT: Self = Self { batches: 4096, bytes: 8 * 1024 * 1024, gathers: false };
    /// Large groups, for rows that are written sorted.
    pub const LARGE: Self = Self { batches: usize::MAX, bytes: 64 * 1024 * 1024, gathers: true };
}

/// The queue between callers and the committer.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    work: Condvar,
    undurable: AtomicUsize,
    pub limits: Limits,
}

struct Waiting {
    steps: VecDeque<Step>,
    bytes: usize,
    /// Steps handed to the committer and not yet durable.
    underway: usize,
    underway_bytes: usize,
    reached: Reached,
    closing: bool,
}

impl Queue {
    pub fn new(limits: Limits, reached: Reached) -> Self {
        let waiting = Waiting {
            steps: VecDeque::new(),
            bytes: 0,
            underway: 0,
            underway_bytes: 0,
            reached,
            closing: false,
        };
        Self { waiting: Mutex::new(waiting), work: Condvar::new(), undurable: AtomicUsize::new(0), limits }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps not yet durable. Never waits, also when somebody who queues does.
    pub fn len(&self) -> usize {
        self.undurable.load(Ordering::Relaxed)
    }

    /// Checks a batch against what is visible and queues it; returns its numbers and how many writes it kept.
    pub fn push(
        &self,
        rows: &Rows,
        mut batch: Batch,
        trimmed: Vec<Vec<u8>>,
        on_conflict: OnConflict,
    ) -> Result<(Reached, usize), StoreError> {
        batch.check()?;
        let bytes = batch.bytes();
        if bytes > self.limits.bytes {
            return Err(StoreError::Unfit { table: "batch" });
        }
        for write in batch.writes.iter().filter(|write| write.expect.is_some()) {
            rows.stored(&Read::new(write.table, write.key.as_slice()))?;
        }
        let mut waiting = self.waiting();
        waiting.admit(rows, bytes, self.limits)?;
        match on_conflict {
            OnConflict::Refuse => refuse_conflicts(rows, &batch.writes)?,
            OnConflict::LeaveOut => batch.writes = without_conflicts(rows, batch.writes)?,
        }
        let queued = waiting.number(rows, batch, trimmed, bytes);
        let (reached, kept) = (queued.reached, queued.writes.len());
        self.add(waiting, Step::Batch(queued));
        Ok((reached, kept))
    }

    /// Queues an erasure with what is written at the same moment, which is nobody's who goes; returns its numbers.
    pub fn erase(&self, rows: &Rows, customers: &[CustomerId], batch: Batch) -> Result<Reached, StoreError> {
        batch.check()?;
        let bytes = batch.bytes();
        let mut waiting = self.waiting();
        waiting.open(rows)?;
        refuse_conflicts(rows, &batch.writes)?;
        let version = Version(waiting.reached.version.0 + 1);
        let mut hidden = Vec::new();
        for customer in customers {
            hidden.extend(rows.overlay.erase(*customer, version));
            rows.erase(*customer, version);
        }
        let batch = waiting.number(rows, batch, Vec::new(), bytes);
        let reached = batch.reached;
        self.add(waiting, Step::Erase { customers: customers.to_vec(), batch, hidden });
        Ok(reached)
    }

    fn add(&self, mut waiting: MutexGuard<'_, Waiting>, step: Step) {
        waiting.bytes += step.bytes();
        waiting.steps.push_back(step);
        self.undurable.fetch_add(1, Ordering::Relaxed);
        drop(waiting);
        self.work.notify_one();
    }

    /// The next steps to make durable together, erasures apart from what is no erasure; blocks while there are none.
    /// `None` once the queue is closed and empty.
    pub fn take(&self) -> Option<Vec<Step>> {
        let mut waiting = self.waiting();
        while waiting.steps.is_empty() {
            if waiting.closing {
                return None;
            }
            waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let limits = self.limits.group;
        while limits.gathers && waiting.bytes < limits.bytes && !waiting.closing {
            let before = waiting.steps.len();
            drop(waiting);
            thread::sleep(GATHER_EVERY);
            waiting = self.waiting();
            if waiting.steps.len() == before {
                break;
            }
        }
        let (mut group, mut bytes) = (Vec::new(), 0);
        while let Some(step) = waiting.steps.front() {
            let differs = group.last().is_some_and(|last: &Step| last.is_erasure() != step.is_erasure());
            if differs || (!group.is_empty() && (group.len() >= limits.batches || bytes >= limits.bytes)) {
                break;
            }
            bytes += step.bytes();
            group.extend(waiting.steps.pop_front());
        }
        waiting.bytes -= bytes;
        (waiting.underway, waiting.underway_bytes) = (group.len(), bytes);
        Some(group)
    }

    /// The steps last taken are durable.
    pub fn settled(&self) {
        let mut waiting = self.waiting();
        self.undurable.fetch_sub(waiting.underway, Ordering::Relaxed);
        (waiting.underway, waiting.underway_bytes) = (0, 0);
    }

    /// Takes no more work; what is queued is still done.
    pub fn close(&self) {
        self.waiting().closing = true;
        self.work.notify_one();
    }
}

impl Waiting {
    /// Gives a batch its place in the order, and shows its writes.
    fn number(&mut self, rows: &Rows, batch: Batch, trimmed: Vec<Vec<u8>>, bytes: usize) -> QueuedBatch {
        self.reached.version.0 += 1;
        self.reached.sequence += batch.journal.len() as u64;
        let reached = self.reached;
        let writes = batch.writes.into_iter().map(|write| show(rows, write, reached.version)).collect();
        QueuedBatch { writes, journal: batch.journal, trimmed, reached, bytes }
    }

    fn open(&self, rows: &Rows) -> Result<(), StoreError> {
        rows.running()?;
        match self.closing {
            true => Err(StoreError::Stopped { reason: "it was closed".into() }),
            false => Ok(()),
        }
    }

    fn admit(&self, rows: &Rows, bytes: usize, limits: Limits) -> Result<(), StoreError> {
        self.open(rows)?;
        let (batches, queued) = (self.steps.len() + self.underway, self.bytes + self.underway_bytes);
        match batches >= limits.batches || queued + bytes > limits.bytes {
            true => Err(StoreError::Busy),
            false => Ok(()),
        }
    }
}

fn refuse_conflicts(rows: &Rows, writes: &[Write]) -> Result<(), StoreError> {
    for write in writes {
        let Some(expected) = write.expect else { continue };
        if rows.get(&Read::new(write.table, write.key.as_slice()))?.version() != expected {
            return Err(StoreError::Conflict { table: write.table.name() });
        }
    }
    Ok(())
}

/// The writes whose row is at the expected version, also when it has ended and cannot be read.
fn without_conflicts(rows: &Rows, writes: Vec<Write>) -> Result<Vec<Write>, StoreError> {
    let mut kept = Vec::with_capacity(writes.len());
    for write in writes {
        let stored = rows.stored(&Read::new(write.table, write.key.as_slice()))?;
        if write.expect.is_none_or(|expected| stored.row.version() == expected) {
            kept.push(write);
        }
    }
    Ok(kept)
}

fn show(rows: &Rows, write: Write, version: Version) -> Change {
    let Write { table, key, value, owner, expires_at_ms, .. } = write;
    let value: Option<Value> = value.map(Into::into);
    let queued = Queued { version, value: value.clone(), owner, expires_at_ms, erased: false };
    rows.overlay.insert(table, key.clone(), queued);
    Change { read: Read { table, key }, value, owner, expires_at_ms }
}

//! How do queued batches become durable? One thread takes all that wait, writes them as one group,
//! syncs once, and tells every waiter.
//!
//! It never guesses: after a failed write or sync it is unknown what is on disk, so the store stops and
//! all waiting tickets fail. A restart reads back what was acknowledged.
//!
//! It waits before a group while the database's files are behind, because the database itself would halt in
//! the middle of a commit, without looking whether there is still anyone who writes the files.

use super::{
    disk::{Disk, Fresh, Group, Reached},
    load::Loader,
    queue::{Change, Queue, QueuedBatch, Step},
    rows::Rows,
    watchdog::Underway,
    watermark::Watermark,
};
use decision::id::CustomerId;
use engine::storage::{Progress, StoreError, Table};
use std::{
    collections::{BTreeSet, HashMap},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

/// How often files that are behind are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What the committer and its callers share.
pub(super) struct Shared {
    pub rows: Rows,
    pub queue: Queue,
    pub progress: Arc<Progress>,
    pub durable_sequence: AtomicU64,
    /// Rows and journal entries written since the store was opened.
    pub rows_written: AtomicU64,
    /// The group that is being made durable.
    pub underway: Underway,
    /// How long that may take before the store counts as stalled.
    pub commit_within: Duration,
    /// Writes groups sorted instead of through the log.
    pub loader: Option<Loader>,
}

impl Shared {
    /// Fails when the store has stopped, the disk does not answer, or its files are behind.
    pub fn admit(&self) -> Result<(), StoreError> {
        self.rows.running()?;
        self.underway.admit(self.commit_within)
    }

    fn stop(&self, error: StoreError) {
        let reason = match error {
            StoreError::Stopped { reason } => reason,
            error => error.to_string(),
        };
        self.rows.stop(reason.clone());
        self.underway.ends();
        self.progress.fail(StoreError::Stopped { reason });
    }
}

/// Starts the thread; it ends when the queue is closed and empty, or after a failure. The receiver is
/// disconnected then.
pub(super) fn start(
    disk: Arc<Disk>,
    mut watermark: Watermark,
    shared: Arc<Shared>,
) -> io::Result<Receiver<()>> {
    let (ends, ended) = mpsc::channel();
    thread::Builder::new().name("store-committer".into()).spawn(move || {
        // Dropped in the opposite order: who waits for the end finds the disk released.
        let _ends: mpsc::Sender<()> = ends;
        let disk = disk;
        match catch_unwind(AssertUnwindSafe(|| run(&disk, &mut watermark, &shared))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => shared.stop(error),
            Err(_) => shared.stop(StoreError::Stopped { reason: "writing failed unexpectedly".into() }),
        }
    })?;
    Ok(ended)
}

fn run(disk: &Disk, watermark: &mut Watermark, shared: &Shared) -> Result<(), StoreError> {
    while let Some(steps) = shared.queue.take() {
        let Some(reached) = steps.last().map(Step::reached) else {
            continue;
        };
        shared.underway.begins();
        wait_for_files(disk, &shared.underway)?;
        write(disk, shared.loader.as_ref(), &steps, reached)?;
        watermark.note(reached)?;
        shared.rows_written.fetch_add(steps.iter().map(Step::rows).sum(), Ordering::Relaxed);
        shared.durable_sequence.store(reached.sequence, Ordering::Release);
        settle(&shared.rows, steps);
        shared.queue.settled();
        shared.underway.ends();
        shared.progress.advance(reached.version);
    }
    Ok(())
}

fn wait_for_files(disk: &Disk, underway: &Underway) -> Result<(), StoreError> {
    if !disk.is_behind() {
        return Ok(());
    }
    underway.waits(true);
    while disk.is_behind() {
        disk.works()?;
        thread::sleep(LOOK_EVERY);
    }
    underway.waits(false);
    Ok(())
}

fn write(disk: &Disk, loader: Option<&Loader>, steps: &[Step], reached: Reached) -> Result<(), StoreError> {
    let mut group = disk.group();
    add_writes(&mut group, steps)?;
    for step in steps {
        add_journal(&mut group, step.batch())?;
    }
    let erased = steps.iter().filter_map(|step| match step {
        Step::Erase { customers, .. } => Some(customers),
        Step::Batch(_) => None,
    });
    for customer in erased.flatten().collect::<BTreeSet<_>>() {
        add_erasure(&mut group, disk, *customer)?;
    }
    match loader {
        Some(loader) => loader.load(disk, group.into_changes(), reached),
        None => group.commit(reached),
    }
}

/// Of several writes to one row in the group only the last: a group is one atomic write.
fn add_writes(group: &mut Group<'_>, steps: &[Step]) -> Result<(), StoreError> {
    let mut last: HashMap<(Table, &[u8]), (&QueuedBatch, &Change)> = HashMap::new();
    for step in steps {
        let batch = step.batch();
        for change in &batch.writes {
            last.insert((change.read.table, &change.read.key), (batch, change));
        }
    }
    for ((table, key), (batch, change)) in last {
        match &change.value {
            None => group.delete(table, key),
            Some(content) => group.put(
                table,
                key,
                &Fresh {
                    version: batch.reached.version,
                    owner: change.owner,
                    expires_at_ms: change.expires_at_ms,
                    content,
                },
            )?,
        }
    }
    Ok(())
}

fn add_journal(group: &mut Group<'_>, batch: &QueuedBatch) -> Result<(), StoreError> {
    let before = batch.reached.sequence - batch.journal.len() as u64;
    for (sequence, row) in (before + 1..).zip(&batch.journal) {
        let (version, content) = (batch.reached.version, row.value.as_slice());
        let fresh = Fresh { version, owner: row.owner, expires_at_ms: row.expires_at_ms, content };
        group.append(sequence, &fresh)?;
    }
    batch.trimmed.iter().for_each(|entry| group.trim(entry));
    Ok(())
}

fn add_erasure(group: &mut Group<'_>, disk: &Disk, customer: CustomerId) -> Result<(), StoreError> {
    let prefix = engine::storage::key::customer(customer);
    for &table in Table::ALL {
        for key in disk.keys(table, &prefix) {
            group.delete(table, &key?);
        }
    }
    group.forget(customer);
    Ok(())
}

fn settle(rows: &Rows, steps: Vec<Step>) {
    for step in steps {
        let QueuedBatch { writes, reached, .. } = match step {
            Step::Batch(batch) => batch,
            Step::Erase { customers, batch, hidden } => {
                rows.erased(&customers, batch.reached.version, &hidden);
                batch
            }
        };
        for change in writes {
            rows.settle(change, reached.version);
        }
    }
}

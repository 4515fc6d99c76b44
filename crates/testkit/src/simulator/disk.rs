//! What if the disk is slow, full, or loses power? A store whose durability is an event of its own.
//!
//! What is queued is visible at once, in a [`MemoryStore`]; a step becomes durable when the simulator lets
//! it [`settle`](SimulatedStore::settle). The disk is nothing but the log of durable steps: opening a store
//! replays it. A crash keeps a prefix of what was queued, as a real disk may have written more than it said.
//!
//! A [`Flaw`] makes the store lie, to prove that the witness notices.

use super::dice::Dice;
use decision::id::CustomerId;
use engine::storage::{
    Batch, Expired, Health, JournalEntry, MemoryStore, MemoryVault, Progress, Read, Row, Store, StoreError,
    Table, Ticket, Value, Vault, Version, Write, key,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A way in which a store can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Says that a batch is durable and loses it in the next crash.
    LosesAcknowledged,
    /// Says that everything is durable while it is only queued.
    AcknowledgesEarly,
    /// A crash keeps the first half of a batch.
    KeepsHalf,
    /// Writes the journal entries of two batches the other way round.
    ReordersJournal,
    /// An erasure leaves the rows that are not under the customer's own prefix.
    ErasesHalf,
    /// Writes to this table are accepted and dropped.
    Drops(Table),
}

/// One thing the disk does completely or not at all.
#[derive(Debug, Clone)]
enum Step {
    Commit(Batch),
    Erase(Vec<CustomerId>, Batch),
    Expire(i64),
}

/// What survives: the durable steps in order.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    steps: Vec<Step>,
    vault: Arc<MemoryVault>,
}

/// A store that becomes durable when told to.
pub struct SimulatedStore {
    state: Mutex<State>,
    progress: Arc<Progress>,
    flaw: Option<Flaw>,
}

struct State {
    seen: MemoryStore,
    disk: Disk,
    queue: VecDeque<(Step, Version)>,
    /// The number of the last journal entry that is durable.
    durable_sequence: u64,
    prompt: bool,
    stopped: Option<StoreError>,
    dice: Dice,
    busy_in_thousand: usize,
    unreadable_in_thousand: usize,
}

impl SimulatedStore {
    /// Starts up on what a disk holds. `seed` decides which calls fail.
    pub fn open(disk: Disk, seed: u64, flaw: Option<Flaw>) -> Arc<Self> {
        let seen = MemoryStore::with_vault(disk.vault.clone());
        let mut last = Version::ABSENT;
        for step in &disk.steps {
            last = perform(&seen, step.clone()).expect("what was accepted once is accepted again").max(last);
        }
        let durable_sequence = seen.health().journal_sequence;
        let state = State {
            seen,
            disk,
            queue: VecDeque::new(),
            durable_sequence,
            prompt: true,
            stopped: None,
            dice: Dice::new(seed),
            busy_in_thousand: 0,
            unreadable_in_thousand: 0,
        };
        Arc::new(Self { state: Mutex::new(state), progress: Progress::starting_at(last), flaw })
    }

    /// Whether every step is durable at once, as callers need that wait for it on this thread.
    pub fn prompt(&self, prompt: bool) {
        let mut state = self.state();
        state.prompt = prompt;
        if prompt {
            self.settle_some(&mut state, usize::MAX);
        }
    }

    /// In how many of a thousand calls the queue is full, or reading fails.
    pub fn trouble(&self, busy_in_thousand: usize, unreadable_in_thousand: usize) {
        let mut state = self.state();
        (state.busy_in_thousand, state.unreadable_in_thousand) = (busy_in_thousand, unreadable_in_thousand);
    }

    /// How many steps are queued and not durable.
    pub fn queued(&self) -> usize {
        self.state().queue.len()
    }

    /// Makes the first `steps` queued steps durable and resolves their tickets.
    pub fn settle(&self, steps: usize) {
        self.settle_some(&mut self.state(), steps);
    }

    /// The power fails, or the disk does: `survivors` queued steps are on disk although nobody was told,
    /// the rest is gone, and every open ticket fails.
    pub fn crash(&self, survivors: usize) -> Disk {
        let mut state = self.state();
        let stopped = StoreError::Stopped { reason: "the power failed".into() };
        self.progress.fail(stopped.clone());
        state.stopped = Some(stopped);
        let survivors = survivors.min(state.queue.len());
        let kept: Vec<Step> = state.queue.drain(..survivors).map(|(step, _)| step).collect();
        state.disk.steps.extend(kept);
        if self.flaw == Some(Flaw::KeepsHalf)
            && let Some((Step::Commit(batch), _)) = state.queue.pop_front()
        {
            let half = batch.writes.len() / 2;
            let writes = batch.writes[..half].to_vec();
            state.disk.steps.push(Step::Commit(Batch { writes, journal: Vec::new() }));
        }
        state.queue.clear();
        let vault = state.disk.vault.clone();
        Disk { steps: std::mem::take(&mut state.disk.steps), vault }
    }

    /// Journal entries with a number above `after`, durable or not.
    pub fn queued_journal(&self, after: u64) -> Vec<JournalEntry> {
        self.state().seen.journal(after, usize::MAX).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle_some(&self, state: &mut State, steps: usize) {
        let steps = steps.min(state.queue.len());
        let mut settled: Vec<(Step, Version)> = state.queue.drain(..steps).collect();
        let Some((_, last)) = settled.last().cloned() else {
            return;
        };
        if self.flaw == Some(Flaw::ReordersJournal) {
            reorder(&mut settled);
        }
        let loses = self.flaw == Some(Flaw::LosesAcknowledged) && state.dice.in_thousand(150);
        let kept = settled.into_iter().skip(usize::from(loses)).map(|(step, _)| step);
        state.disk.steps.extend(kept);
        let waiting = state.queue.iter().map(|(step, _)| match step {
            Step::Commit(batch) => batch.journal.len() as u64,
            Step::Erase(_, batch) => batch.journal.len() as u64,
            Step::Expire(_) => 0,
        });
        state.durable_sequence = state.seen.health().journal_sequence - waiting.sum::<u64>();
        self.progress.advance(last);
    }

    fn read<T>(&self, look: impl FnOnce(&MemoryStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = self.state();
        if let Some(stopped) = &state.stopped {
            return Err(stopped.clone());
        }
        let unreadable_in_thousand = state.unreadable_in_thousand;
        match state.dice.in_thousand(unreadable_in_thousand) {
            true => Err(StoreError::Unreadable { reason: "the disk did not answer".into() }),
            false => look(&state.seen),
        }
    }

    fn queue(&self, step: Step) -> Result<Ticket, StoreError> {
        let mut state = self.state();
        if let Some(stopped) = &state.stopped {
            return Err(stopped.clone());
        }
        let busy_in_thousand = state.busy_in_thousand;
        if state.dice.in_thousand(busy_in_thousand) {
            return Err(StoreError::Busy);
        }
        let step = self.flawed(&state.seen, step);
        let first_entry = match &step {
            Step::Commit(batch) | Step::Erase(_, batch) if !batch.journal.is_empty() => {
                Some(state.seen.health().journal_sequence + 1)
            }
            _ => None,
        };
        let version = perform(&state.seen, step.clone())?;
        state.queue.push_back((accepted(step), version));
        if state.prompt {
            self.settle_some(&mut state, usize::MAX);
        } else if self.flaw == Some(Flaw::AcknowledgesEarly) {
            self.progress.advance(version);
        }
        Ok(self.progress.ticket(version, first_entry))
    }

    fn flawed(&self, seen: &MemoryStore, step: Step) -> Step {
        match (self.flaw, step) {
            (Some(Flaw::Drops(table)), Step::Commit(mut batch)) => {
                batch.writes.retain(|write| write.table != table);
                Step::Commit(batch)
            }
            (Some(Flaw::ErasesHalf), Step::Erase(customers, batch)) => {
                let deleted = customers.into_iter().flat_map(|customer| own_rows_deleted(seen, customer));
                Step::Commit(Batch { writes: deleted.chain(batch.writes).collect(), journal: batch.journal })
            }
            (_, step) => step,
        }
    }
}

fn own_rows_deleted(seen: &MemoryStore, customer: CustomerId) -> Vec<Write> {
    let prefix = key::customer(customer);
    let rows = |table| seen.scan(table, &prefix, None, usize::MAX).unwrap_or_default();
    let deleted = |table| rows(table).into_iter().map(move |(key, _)| Write::delete(table, key));
    Table::ALL.iter().flat_map(|table| deleted(*table)).collect()
}

/// A step that was accepted: what it expected has been checked.
fn accepted(step: Step) -> Step {
    match step {
        Step::Commit(mut batch) => {
            batch.writes.iter_mut().for_each(|write| write.expect = None);
            Step::Commit(batch)
        }
        Step::Erase(customers, mut batch) => {
            batch.writes.iter_mut().for_each(|write| write.expect = None);
            Step::Erase(customers, batch)
        }
        step => step,
    }
}

/// Lets the memory store do one step; the version it then has.
fn perform(store: &MemoryStore, step: Step) -> Result<Version, StoreError> {
    match step {
        Step::Commit(batch) => Ok(store.commit(batch)?.version()),
        Step::Erase(customers, batch) => Ok(store.erase_with(&customers, batch)?.version()),
        Step::Expire(at_ms) => store.expire(at_ms).map(|_| Version::ABSENT),
    }
}

fn reorder(settled: &mut [(Step, Version)]) {
    for pair in settled.chunks_exact_mut(2) {
        if let [(Step::Commit(first), _), (Step::Commit(second), _)] = pair {
            second.journal.append(&mut first.journal);
        }
    }
}

impl Store for SimulatedStore {
    fn get(&self, reads: &[Read]) -> Result<Vec<Row>, StoreError> {
        self.read(|seen| seen.get(reads))
    }

    fn commit(&self, batch: Batch) -> Result<Ticket, StoreError> {
        self.queue(Step::Commit(batch))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Value)>, StoreError> {
        self.read(|seen| seen.scan(table, prefix, after, limit))
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        let durable = self.state().durable_sequence;
        let mut entries = self.read(|seen| seen.journal(after, limit))?;
        entries.retain(|entry| entry.sequence <= durable);
        Ok(entries)
    }

    fn erase_with(&self, customers: &[CustomerId], batch: Batch) -> Result<Ticket, StoreError> {
        self.queue(Step::Erase(customers.to_vec(), batch))
    }

    fn vault(&self) -> Arc<dyn Vault> {
        self.state().disk.vault.clone()
    }

    fn expire(&self, at_ms: i64) -> Result<Expired, StoreError> {
        let expired = self.read(|seen| seen.expire(at_ms))?;
        let mut state = self.state();
        let version = state.queue.back().map_or_else(|| self.progress.durable(), |(_, version)| *version);
        state.queue.push_back((Step::Expire(at_ms), version));
        Ok(expired)
    }

    fn health(&self) -> Health {
        let state = self.state();
        Health {
            expiry_lag_ms: 0,
            stopped: state.stopped.as_ref().map(|stopped| match stopped {
                StoreError::Stopped { reason } => reason.clone(),
                other => other.to_string(),
            }),
            queued_batches: state.queue.len(),
            journal_sequence: state.durable_sequence,
            ..state.seen.health()
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        self.settle_some(&mut state, usize::MAX);
        state.stopped.get_or_insert(StoreError::Stopped { reason: "it was closed".into() });
        Ok(())
    }
}

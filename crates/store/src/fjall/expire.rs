//! What may go? Rows and journal entries past their time, and rows nobody can read any more.
//!
//! What has ended cannot be read from the moment somebody says what time it is; a walk over what is on disk, a
//! page at a time, removes it later. A row that is written meanwhile stays. There is no index by due time: every
//! write would pay for it, and a walk that is as fast as the writes and a little faster always comes round.

use super::{FjallStore, cell::Cell, queue::OnConflict};
use engine::storage::{Batch, Expired, StoreError, Table, Version, Write};
use std::sync::{PoisonError, atomic::Ordering};

/// Rows looked at before the next deletes are committed.
const PAGE_ROWS: usize = 1024;

/// How far the walk round the store is.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Tables walked; after the last one comes the journal.
    tables_done: usize,
    /// The last key looked at in the present table.
    after: Option<Vec<u8>>,
    /// The moments at which this round and the last complete one began.
    began_at_ms: Option<i64>,
    complete_until_ms: Option<i64>,
    /// Rows written before the last call.
    written: u64,
}

/// What a part of a walk did.
struct Walked {
    removed: u64,
    looked: usize,
    /// Where to go on; `None` at the end of the table.
    last: Option<Vec<u8>>,
}

impl FjallStore {
    pub(super) fn expire_all(&self, at_ms: i64) -> Result<Expired, StoreError> {
        self.shared.rows.running()?;
        self.shared.rows.hide_until(at_ms);
        let mut expired = Expired::default();
        for table in (0..=Table::ALL.len()).map(|index| Table::ALL.get(index).copied()) {
            let mut after = None;
            loop {
                let walked = self.walk(table, after.as_deref(), PAGE_ROWS, at_ms)?;
                count(&mut expired, table, walked.removed);
                after = match walked.last {
                    Some(last) => Some(last),
                    None => break,
                };
            }
        }
        self.shared.rows.on_disk(|disk| disk.keyring.compact())?;
        Ok(expired)
    }

    pub(super) fn sweep_on(&self, at_ms: i64, rows_max: usize) -> Result<Expired, StoreError> {
        self.shared.rows.running()?;
        self.shared.rows.hide_until(at_ms);
        let mut round = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.shared.rows_written.load(Ordering::Relaxed);
        let mut left = rows_max.saturating_add((written - round.written) as usize);
        round.written = written;
        let first = *round.began_at_ms.get_or_insert(at_ms);
        let mut expired = Expired::default();
        while left > 0 {
            let table = Table::ALL.get(round.tables_done).copied();
            let walked = self.walk(table, round.after.as_deref(), left.min(PAGE_ROWS), at_ms)?;
            count(&mut expired, table, walked.removed);
            left -= walked.looked;
            let at_end = walked.last.is_none();
            round.after = walked.last;
            round.tables_done += usize::from(at_end);
            if round.tables_done > Table::ALL.len() {
                self.shared.rows.on_disk(|disk| disk.keyring.compact())?;
                let complete_until_ms = round.began_at_ms;
                *round = Round { complete_until_ms, written, ..Round::default() };
                break;
            }
        }
        let since = round.complete_until_ms.unwrap_or(first);
        self.expiry_lag_ms.store(u64::try_from(at_ms - since).unwrap_or(0), Ordering::Relaxed);
        Ok(expired)
    }

    /// Looks at rows of a table (without table: of the journal) beyond a key, and deletes those that may go.
    fn walk(
        &self,
        table: Option<Table>,
        after: Option<&[u8]>,
        rows_max: usize,
        at_ms: i64,
    ) -> Result<Walked, StoreError> {
        let judge = |cell: &Cell<'_>, orphaned: bool| match orphaned && table.is_some() {
            true => Some(Version::ABSENT),
            false => cell.expired(at_ms).then_some(cell.version),
        };
        let page = self.shared.rows.on_disk(|disk| disk.cells(table, after, rows_max, judge))?;
        let removed = if page.found.is_empty() { 0 } else { self.delete(table, page.found)? };
        Ok(Walked { removed, looked: page.looked, last: page.last })
    }

    fn delete(&self, table: Option<Table>, found: Vec<(Vec<u8>, Version)>) -> Result<u64, StoreError> {
        let (mut batch, mut trimmed) = (Batch::default(), Vec::new());
        for (key, version) in found {
            match table {
                Some(table) => batch.writes.push(Write::delete(table, key).expecting(version)),
                None => trimmed.push(key),
            }
        }
        let entries = trimmed.len();
        self.shared.admit()?;
        let (reached, rows) =
            self.shared.queue.push(&self.shared.rows, batch, trimmed, OnConflict::LeaveOut)?;
        self.shared.progress.ticket(reached.version, None).wait()?;
        Ok((rows + entries) as u64)
    }
}

fn count(expired: &mut Expired, table: Option<Table>, removed: u64) {
    match table {
        Some(_) => expired.rows += removed,
        None => expired.journal += removed,
    }
}

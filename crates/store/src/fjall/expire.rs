//! What may go? Rows and journal entries past their time, and rows nobody can read any more.
//!
//! The walk goes over what is on disk, a page at a time; a row that is written meanwhile stays.

use super::{FjallStore, cell::Cell, keyring::CustomerKey, queue::OnConflict};
use engine::storage::{Batch, Expired, StoreError, Table, Version, Write};

/// Rows looked at before the next deletes are committed.
const PAGE_ROWS: usize = 1024;

impl FjallStore {
    pub(super) fn expire_all(&self, at_ms: i64) -> Result<Expired, StoreError> {
        self.shared.rows.running()?;
        let mut expired = Expired::default();
        for &table in Table::ALL {
            let judge = |cell: &Cell<'_>, key: Option<&CustomerKey>| match cell.orphaned(key) {
                true => Some(Version::ABSENT),
                false => cell.expired(at_ms).then_some(cell.version),
            };
            expired.rows += self.walk(Some(table), judge)?;
        }
        expired.journal = self.walk(None, |cell, _| cell.expired(at_ms).then_some(cell.version))?;
        self.shared.rows.on_disk(|disk| disk.keyring.compact())?;
        Ok(expired)
    }

    /// Deletes what `judge` reports of a table (without table: the journal), and counts it.
    fn walk(
        &self,
        table: Option<Table>,
        judge: impl Fn(&Cell<'_>, Option<&CustomerKey>) -> Option<Version>,
    ) -> Result<u64, StoreError> {
        let (mut after, mut deleted) = (None::<Vec<u8>>, 0);
        loop {
            let page =
                self.shared.rows.on_disk(|disk| disk.cells(table, after.as_deref(), PAGE_ROWS, &judge))?;
            if !page.found.is_empty() {
                deleted += self.delete(table, page.found)?;
            }
            match page.last {
                Some(last) => after = Some(last),
                None => return Ok(deleted),
            }
        }
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

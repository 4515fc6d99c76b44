//! When is something erased gone from the medium? When neither the tables' files nor the logs hold it any more.
//!
//! What belongs to a customer is sealed, so it is enough that the wrapped keys go, and the few rows without an
//! owner. The database keeps a log until it is 64 MB long; so it is filled up here, which costs
//! that much writing. What the medium itself keeps of deleted files is beyond a program.

use super::{
    disk::{Disk, Space, unreadable, write_failed},
    log::logs,
};
use crate::fjall::cell::Place;
use engine::storage::{StoreError, Table};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// The log is replaced when it is longer than 64 million bytes.
const FILL_BYTES: usize = 65 * 1024 * 1024;
const PART_BYTES: usize = 1024 * 1024;
/// So many parts are written before they have to be in tables, so that no commit waits behind them.
const PARTS_AT_ONCE: usize = 8;
/// The key of no row.
const NEVER: &[u8] = b"\xff\xffpurged";
/// How long the old logs may take to go.
const WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often tables are written out anew while old logs wait for one.
const AGAIN_EVERY: Duration = Duration::from_millis(500);

/// The tables with rows that are not sealed and may be about somebody, also by their keys.
const UNSEALED: &[Space] = &[
    Space::Keys,
    Space::Table(Table::Identifier),
    Space::Table(Table::Household),
    Space::Table(Table::Member),
    Space::Table(Table::Reject),
    Space::Table(Table::Meta),
];

impl Disk {
    /// Lets everything that was removed go from the files in the database's folder.
    pub fn purge(&self, folder: &Path) -> Result<(), StoreError> {
        let unreadable = |error: std::io::Error| StoreError::Unreadable { reason: error.to_string() };
        let newest = logs(folder).map_err(unreadable)?.last().map_or(0, |(number, _)| *number);
        self.fill_log()?;
        self.write_out()?;
        let begun = Instant::now();
        let mut again = Instant::now();
        while logs(folder).map_err(unreadable)?.first().is_some_and(|(number, _)| *number <= newest) {
            if begun.elapsed() > WITHIN {
                return Err(StoreError::Unreadable { reason: "an old log is still in use".into() });
            }
            if again.elapsed() > AGAIN_EVERY {
                self.write_out()?;
                again = Instant::now();
            }
            thread::sleep(LOOK_EVERY);
        }
        self.merge()
    }

    fn fill_log(&self) -> Result<(), StoreError> {
        let part = vec![0; PART_BYTES];
        for count in 0..FILL_BYTES / PART_BYTES {
            self.system().insert("filler", &part[..]).map_err(|error| write_failed(&error))?;
            if count % PARTS_AT_ONCE == PARTS_AT_ONCE - 1 {
                self.system().rotate_memtable().map_err(|error| write_failed(&error))?;
                self.await_tables();
            }
        }
        self.system().remove("filler").map_err(|error| write_failed(&error))
    }

    /// Writes every table out. A log goes when each table's files are newer than it; where the newest row was merged
    /// away they would seem older, so each gets the removal of a row that there never was.
    fn write_out(&self) -> Result<(), StoreError> {
        for keyspace in self.keyspaces() {
            keyspace.remove(NEVER).map_err(|error| write_failed(&error))?;
            keyspace.rotate_memtable().map_err(|error| write_failed(&error))?;
            self.await_tables();
        }
        Ok(())
    }

    fn await_tables(&self) {
        let begun = Instant::now();
        while self.keyspaces().any(|keyspace| keyspace.sealed_memtable_count() > 0)
            && begun.elapsed() < WITHIN
        {
            thread::sleep(LOOK_EVERY);
        }
    }

    fn merge(&self) -> Result<(), StoreError> {
        let spaces = UNSEALED.iter().map(|space| self.keyspace(*space)).chain([self.system()]);
        for keyspace in spaces {
            keyspace.major_compact().map_err(|error| unreadable(Place { table: "keys", key: &[] }, error))?;
        }
        // Files that were merged go when the next table is written.
        self.write_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FjallStore, Options};
    use decision::id::CustomerId;
    use engine::storage::{Batch, Store, Write, key};
    use std::fs;

    fn found(folder: &Path, needle: &[u8]) -> bool {
        fs::read_dir(folder).unwrap().any(|item| {
            let path = item.unwrap().path();
            match path.is_dir() {
                true => found(&path, needle),
                false => fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle),
            }
        })
    }

    #[test]
    fn a_forgotten_key_and_a_deleted_text_are_in_no_file_after_a_purge() {
        let folder = tempfile::tempdir().unwrap();
        let store = FjallStore::open(folder.path(), &Options::default()).unwrap();
        let jan = CustomerId(7);
        let text = b"the learner knows where jan lives";
        let writes = vec![
            Write::put(Table::Profile, key::customer(jan), "lives alone").owned_by(jan),
            Write::put(Table::Meta, "learner", text.as_slice()),
        ];
        store.commit(Batch { writes, ..Batch::default() }).unwrap().wait().unwrap();
        let wrapped = |store: &FjallStore| {
            store.shared.rows.on_disk(|disk| {
                let rows: Result<Vec<_>, _> = disk.keyring.rows().collect();
                Ok(rows?.into_iter().find(|(of, _)| *of == key::customer(jan)).map(|(_, wrapped)| wrapped))
            })
        };
        let kept = wrapped(&store).unwrap().expect("jan has a key");
        assert!(found(folder.path(), &kept) && found(folder.path(), text), "the search finds what is there");
        let deleted = Batch { writes: vec![Write::delete(Table::Meta, "learner")], ..Batch::default() };
        store.erase_with(&[jan], deleted).unwrap().wait().unwrap();
        assert!(found(folder.path(), &kept), "the log still has it");
        store.purge().unwrap();
        assert!(!found(folder.path(), &kept) && !found(folder.path(), text));
        drop(store);
        let again = FjallStore::open(folder.path(), &Options::default()).unwrap();
        assert_eq!(wrapped(&again).unwrap(), None);
        assert!(!found(folder.path(), &kept) && !found(folder.path(), text));
    }
}

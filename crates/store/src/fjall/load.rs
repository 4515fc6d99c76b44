//! How do very many rows become durable at once? Sorted, straight into the tables' files, beside the log.
//!
//! The database takes sorted rows one keyspace at a time. So that a group stays complete or absent, all of it is
//! written to one file first; when the work is cut short, the next start finishes it from there. The rows in that
//! file are sealed as they are in the tables, and it goes as soon as they have them.
//!
//! Knows nothing of queued batches, and does not compare versions: whoever queues has done that.

use super::{
    disk::{Disk, DiskChange, Reached, Space, stopped_by, write_failed},
    folder::{remove_durably, replace_durably},
};
use engine::storage::{StoreError, Version};
use std::{
    fs,
    io::{self, BufWriter, ErrorKind, Write},
    path::PathBuf,
};

const BEGIN: &[u8; 8] = b"attent01";
const CHECKSUM_BYTES: usize = 32;
/// The length that stands for "the row goes".
const GONE: u32 = u32::MAX;

/// Writes groups sorted; one at a time.
pub(super) struct Loader {
    file: PathBuf,
}

impl Loader {
    /// `file` holds the group that is being written.
    pub fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// Makes changes durable, with the numbering as far as it has come. At most one change per row.
    pub fn load(
        &self,
        disk: &Disk,
        mut changes: Vec<DiskChange>,
        reached: Reached,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return disk.commit(changes, reached);
        }
        changes.sort_unstable_by(|one, other| (one.space, &one.key).cmp(&(other.space, &other.key)));
        replace_durably(&self.file, |out| write(out, &changes, reached))
            .map_err(|error| stopped_by(&error.to_string()))?;
        self.apply(disk, changes, reached)
    }

    /// Finishes a group whose writing was cut short.
    pub fn finish(&self, disk: &Disk) -> Result<(), StoreError> {
        let bytes = match fs::read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return self.clear(),
            Err(error) => return Err(StoreError::Unreadable { reason: error.to_string() }),
        };
        let damaged = || StoreError::Unreadable { reason: "it is not what was written".into() };
        let (changes, reached) = read(&bytes).ok_or_else(damaged)?;
        match reached.version > disk.noted()?.version {
            true => self.apply(disk, changes, reached),
            false => self.clear(),
        }
    }

    fn apply(&self, disk: &Disk, changes: Vec<DiskChange>, reached: Reached) -> Result<(), StoreError> {
        let mut changes = changes.into_iter().peekable();
        while let Some(space) = changes.peek().map(|change| change.space) {
            let of_space = std::iter::from_fn(|| changes.next_if(|change| change.space == space));
            ingest(disk, space, of_space).map_err(|error| write_failed(&error))?;
        }
        disk.commit(Vec::new(), reached)?;
        self.clear()
    }

    fn clear(&self) -> Result<(), StoreError> {
        remove_durably(&self.file).map_err(|error| stopped_by(&error.to_string()))
    }
}

/// Gives sorted changes to a keyspace.
/// Adds sorted changes of one keyspace.
pub(super) fn ingest(
    disk: &Disk,
    space: Space,
    changes: impl Iterator<Item = DiskChange>,
) -> Result<(), ::fjall::Error> {
    let mut ingestion = disk.keyspace(space).start_ingestion()?;
    for change in changes {
        match change.content {
            Some(content) => ingestion.write(change.key, content)?,
            None => ingestion.write_tombstone(change.key)?,
        }
    }
    ingestion.finish()
}

/// Begin, numbering, per change space, lengths, key and content, and a checksum of all that. Little-endian.
fn write(out: &mut fs::File, changes: &[DiskChange], reached: Reached) -> io::Result<()> {
    let mut out = Hashed { out: BufWriter::with_capacity(1 << 20, out), hasher: blake3::Hasher::new() };
    out.put(BEGIN)?;
    out.put(&reached.version.0.to_le_bytes())?;
    out.put(&reached.sequence.to_le_bytes())?;
    for change in changes {
        let position = Space::all().position(|space| space == change.space);
        let length = change.content.as_ref().map_or(GONE, |content| content.len() as u32);
        out.put(&[position.expect("every space is one of all") as u8])?;
        out.put(&(change.key.len() as u32).to_le_bytes())?;
        out.put(&length.to_le_bytes())?;
        out.put(&change.key)?;
        out.put(change.content.as_deref().unwrap_or_default())?;
    }
    let checksum = out.hasher.finalize();
    out.put(checksum.as_bytes())?;
    out.out.flush()
}

struct Hashed<W> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Hashed<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }
}

/// Reads what [`write`] wrote.
fn read(bytes: &[u8]) -> Option<(Vec<DiskChange>, Reached)> {
    let (written, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
    if blake3::hash(written).as_bytes() != checksum {
        return None;
    }
    let mut rest = written.strip_prefix(BEGIN)?;
    let version = Version(u64::from_le_bytes(take(&mut rest)?));
    let reached = Reached { version, sequence: u64::from_le_bytes(take(&mut rest)?) };
    let spaces: Vec<Space> = Space::all().collect();
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let [position] = take(&mut rest)?;
        let key_bytes = u32::from_le_bytes(take(&mut rest)?);
        let content_bytes = u32::from_le_bytes(take(&mut rest)?);
        let key = part(&mut rest, key_bytes)?;
        let content = match content_bytes {
            GONE => None,
            bytes => Some(part(&mut rest, bytes)?),
        };
        changes.push(DiskChange { space: *spaces.get(usize::from(position))?, key, content });
    }
    Some((changes, reached))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn part(rest: &mut &[u8], bytes: u32) -> Option<Vec<u8>> {
    let (taken, left) = rest.split_at_checked(bytes as usize)?;
    *rest = left;
    Some(taken.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FjallStore, Options,
        fjall::{disk::Fresh, folder::Folder},
    };
    use decision::id::CustomerId;
    use engine::storage::{Read, Store, Table, key};

    const JAN: CustomerId = CustomerId(7);

    fn group() -> (Vec<DiskChange>, Reached) {
        let change = |space, key: &[u8], content: Option<&[u8]>| DiskChange {
            space,
            key: key.to_vec(),
            content: content.map(<[u8]>::to_vec),
        };
        let changes = vec![
            change(Space::Table(Table::Profile), b"jan", Some(b"sealed")),
            change(Space::Table(Table::Meta), b"old", None),
            change(Space::Journal, &7u64.to_be_bytes(), Some(b"")),
            change(Space::Keys, b"jan", Some(b"wrapped")),
        ];
        (changes, Reached { version: Version(9), sequence: 7 })
    }

    #[test]
    fn a_group_is_read_back_as_it_was_written_and_not_at_all_when_a_bit_flipped() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("load");
        let (changes, reached) = group();
        replace_durably(&file, |out| write(out, &changes, reached)).unwrap();
        let bytes = fs::read(&file).unwrap();
        assert_eq!(read(&bytes), Some((changes, reached)));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&flipped), None, "bit {bit}");
        }
        assert_eq!(read(&bytes[..bytes.len() - 1]), None);
    }
    /// Rows of a customer, whose key is made with them.
    fn rows_of_jan(disk: &Disk) -> Vec<DiskChange> {
        let mut group = disk.group();
        for (table, content) in [(Table::Profile, "lives alone"), (Table::Event, "moved")] {
            let (version, owner, content) = (Version(1), Some(JAN), content.as_bytes());
            group
                .put(table, &key::customer(JAN), &Fresh { version, owner, expires_at_ms: None, content })
                .unwrap();
        }
        group.into_changes()
    }

    fn read_back(folder: &std::path::Path) -> Vec<Option<String>> {
        let store = FjallStore::open(folder, &Options::default()).unwrap();
        let reads = [Table::Profile, Table::Event].map(|table| Read::new(table, key::customer(JAN)));
        let rows = store.get(&reads).unwrap();
        rows.iter().map(|row| row.value().map(|value| String::from_utf8(value.to_vec()).unwrap())).collect()
    }

    #[test]
    fn a_group_cut_short_after_any_of_its_tables_is_complete_after_the_next_start() {
        for tables_done in 0..=3 {
            let folder = tempfile::tempdir().unwrap();
            let locked = Folder::lock(folder.path(), None).unwrap();
            let (disk, watermark, _, _) = locked.open(&Options::default()).unwrap();
            let mut changes = rows_of_jan(&disk);
            changes.sort_by_key(|change| change.space);
            let reached = Reached { version: Version(1), sequence: 0 };
            let file = folder.path().join("load");
            replace_durably(&file, |out| write(out, &changes, reached)).unwrap();
            for change in changes.into_iter().take(tables_done) {
                ingest(&disk, change.space, std::iter::once(change)).unwrap();
            }
            drop((disk, watermark, locked));
            let expected = ["lives alone", "moved"].map(|text| Some(text.to_owned()));
            assert_eq!(read_back(folder.path()), expected, "cut short after {tables_done} tables");
            assert!(!file.exists());
        }
    }

    #[test]
    fn a_group_that_was_completed_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let locked = Folder::lock(folder.path(), None).unwrap();
        let (disk, watermark, _, _) = locked.open(&Options::default()).unwrap();
        let changes = rows_of_jan(&disk);
        let reached = Reached { version: Version(1), sequence: 0 };
        let file = folder.path().join("load");
        replace_durably(&file, |out| write(out, &changes, reached)).unwrap();
        let left_behind = fs::read(&file).unwrap();
        Loader::new(file.clone()).load(&disk, changes, reached).unwrap();
        drop((disk, watermark, locked));
        let store = FjallStore::open(folder.path(), &Options::default()).unwrap();
        store.erase(JAN).unwrap().wait().unwrap();
        drop(store);
        fs::write(&file, left_behind).unwrap();
        assert_eq!(read_back(folder.path()), [None, None]);
        assert!(!file.exists());
    }
}

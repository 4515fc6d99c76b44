//! Is everything that was acknowledged still there? A small file beside the data says how far it went.
//!
//! The embedded database ends its log at the first entry it cannot parse, as after a crash in the middle of
//! an entry, so a flipped bit there would drop later batches without a word. The watermark is written
//! after every durable group, without a sync of its own: it can lag behind the data, never lead it.

use super::{
    cell::{Cell, Place, encode},
    disk::Reached,
};
use engine::storage::StoreError;
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek, SeekFrom, Write},
    path::Path,
};

const PLACE: Place<'static> = Place { table: "watermark", key: b"reached" };

/// The open file.
pub(super) struct Watermark(File);

impl Watermark {
    /// Opens the file, and reads what it says; `None` when it is new or unreadable.
    pub fn open(path: &Path) -> io::Result<(Self, Option<Reached>)> {
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((Self(file), parse(&bytes)))
    }

    /// Notes what is durable now.
    pub fn note(&mut self, reached: Reached) -> Result<(), StoreError> {
        let cell = encode(PLACE, reached.version, None, None, &reached.sequence.to_be_bytes());
        let noted = self.0.seek(SeekFrom::Start(0)).and_then(|_| self.0.write_all(&cell));
        noted.map_err(|error| StoreError::Stopped { reason: format!("a write to disk failed ({error})") })
    }
}

fn parse(bytes: &[u8]) -> Option<Reached> {
    let cell = Cell::read(PLACE, bytes).ok()?;
    let sequence = cell.open(None).ok()??.try_into().ok()?;
    Some(Reached { version: cell.version, sequence: u64::from_be_bytes(sequence) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::storage::Version;

    #[test]
    fn the_last_note_is_read_back_and_a_torn_one_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reached");
        let (mut watermark, before) = Watermark::open(&path).unwrap();
        assert_eq!(before, None);
        let [first, last] =
            [(7, 3), (8, 300)].map(|(version, sequence)| Reached { version: Version(version), sequence });
        watermark.note(first).unwrap();
        watermark.note(last).unwrap();
        assert_eq!(Watermark::open(&path).unwrap().1, Some(last));
        std::fs::write(&path, [0; 12]).unwrap();
        assert_eq!(Watermark::open(&path).unwrap().1, None);
    }
}

//! Is the database's log what was written? Looked at before the database reads it.
//!
//! The embedded database checks the content of a batch in its log, but not the batch's number, by which
//! newer rows hide older ones; it ends a log quietly where it cannot read on; and it refuses a log whose
//! last batch was torn by a power loss. So every batch is read here first. Damage is named. A torn end,
//! which nobody was told about, is cut off: only the last group of a log can be torn, because the next one
//! is not begun before it is synced.
//!
//! Knows the log's format (three kinds of entries, little-endian numbers), never what a row means.

use super::{
    cell::{Cell, Place},
    disk::{REACHED, SYSTEM},
    folder::{OpenError, unavailable},
};
use engine::storage::Version;
use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::Xxh3;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const TRAILER: &[u8] = b"FJL\x03";

/// Checks all logs under the database's folder; `noted` is how far writes were acknowledged at least.
///
/// # Errors
/// [`OpenError::Damaged`] names the log and the byte; [`OpenError::Unavailable`] when one cannot be read.
pub(super) fn check(folder: &Path, noted: Option<Version>) -> Result<(), OpenError> {
    let logs = logs(folder).map_err(|error| unavailable(folder, &error))?;
    let mut walk = Walk::default();
    for (index, (_, file)) in logs.iter().enumerate() {
        let bytes = fs::read(file).map_err(|error| unavailable(file, &error))?;
        let whole = walk.through(&bytes);
        let rest = &bytes[whole..];
        let is_last = index + 1 == logs.len();
        if is_empty(rest) && (whole > 0 || is_last) {
            continue;
        }
        let lost = walk.reached.zip(noted).is_some_and(|(reached, noted)| noted > reached);
        if !is_last || lost || goes_on(rest) {
            let reason = format!("the batch at byte {whole} is not what was written");
            return Err(OpenError::Damaged { file: file.clone(), reason });
        }
        cut(file, whole as u64).map_err(|error| unavailable(file, &error))?;
    }
    Ok(())
}

/// The logs with their numbers, oldest first.
pub(super) fn logs(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut logs = Vec::new();
    for item in fs::read_dir(folder)? {
        let file = item?.path();
        let number = file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (Some(number), true) = (number, file.extension().is_some_and(|extension| extension == "jnl")) {
            logs.push((number, file));
        }
    }
    logs.sort();
    Ok(logs)
}

/// Whether there are zeros only, as in what is allocated but not written yet.
fn is_empty(rest: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    rest.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

/// Whether another batch begins somewhere in the rest: then it is not a torn end.
fn goes_on(rest: &[u8]) -> bool {
    let next = [TRAILER, &[START]].concat();
    rest.windows(next.len()).any(|window| window == next)
}

fn cut(file: &Path, bytes: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(file)?;
    file.set_len(bytes)?;
    file.sync_all()
}

/// What has been seen of all logs so far.
#[derive(Default)]
struct Walk {
    /// The number of the batch before.
    number: Option<u64>,
    /// How far our own numbering had come with it.
    reached: Option<Version>,
}

impl Walk {
    /// Reads batches as long as they are right; returns where the last one ends.
    fn through(&mut self, bytes: &[u8]) -> usize {
        let mut whole = 0;
        while let Some(batch) = Batch::read(&bytes[whole..]) {
            if self.number.is_some_and(|before| batch.number <= before) {
                break;
            }
            self.number = Some(batch.number);
            self.reached = batch.reached.or(self.reached);
            whole += batch.bytes;
        }
        whole
    }
}

struct Batch {
    number: u64,
    reached: Option<Version>,
    bytes: usize,
}

impl Batch {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [START] = take(&mut rest)? else { return None };
        let items = u32::from_le_bytes(take(&mut rest)?);
        let number = u64::from_le_bytes(take(&mut rest)?);
        let (mut checksum, mut reached) = (Xxh3::new(), None);
        for _ in 0..items {
            let begin = rest;
            let (key, value) = item(&mut rest)?;
            checksum.update(&begin[..begin.len() - rest.len()]);
            if key == REACHED {
                let cell = Cell::read(Place { table: SYSTEM, key }, value).ok();
                reached = cell.map(|cell| cell.version).or(reached);
            }
        }
        let [END] = take(&mut rest)? else { return None };
        let told = u64::from_le_bytes(take(&mut rest)?);
        let trailer: [u8; TRAILER.len()] = take(&mut rest)?;
        let right = told == checksum.digest() && trailer == TRAILER;
        right.then_some(Self { number, reached, bytes: bytes.len() - rest.len() })
    }
}

/// Reads one item: kind of entry and of value, compression (none), keyspace, lengths, key, value.
fn item<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let [ITEM, _, 0] = take(rest)? else { return None };
    let _keyspace: [u8; 8] = take(rest)?;
    let key_bytes = u16::from_le_bytes(take(rest)?);
    let value_bytes = u32::from_le_bytes(take(rest)?);
    let stored_bytes = u32::from_le_bytes(take(rest)?);
    if value_bytes != stored_bytes {
        return None;
    }
    Some((slice(rest, usize::from(key_bytes))?, slice(rest, value_bytes as usize)?))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

fn slice<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(bytes)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::fjall::{Database, KeyspaceCreateOptions};

    /// A log of ten batches as the database writes it, without the zeros allocated after its end.
    fn written() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::builder(folder.path()).open().unwrap();
        let keyspace = database.keyspace("a", KeyspaceCreateOptions::default).unwrap();
        for n in 0..10u8 {
            let mut batch = database.batch();
            batch.insert(&keyspace, [n], vec![n + 1; 50]);
            batch.remove(&keyspace, [n.saturating_sub(1)]);
            batch.commit().unwrap();
        }
        drop(database);
        let (_, log) = logs(folder.path()).unwrap().remove(0);
        let bytes = fs::read(log).unwrap();
        let whole = Walk::default().through(&bytes);
        bytes[..whole].to_vec()
    }

    fn ends(bytes: &[u8]) -> Vec<usize> {
        let mut ends = vec![0];
        while let Some(batch) = Batch::read(&bytes[*ends.last().unwrap()..]) {
            ends.push(ends.last().unwrap() + batch.bytes);
        }
        ends
    }

    fn checked(sealed: &[u8], last: &[u8]) -> (Result<(), OpenError>, usize) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("0.jnl"), sealed).unwrap();
        fs::write(folder.path().join("1.jnl"), last).unwrap();
        let result = check(folder.path(), None);
        (result, fs::read(folder.path().join("1.jnl")).unwrap().len())
    }

    #[test]
    fn every_batch_of_a_log_is_read_and_zeros_after_it_are_fine() {
        let log = written();
        let ends = ends(&log);
        assert_eq!(ends.len(), 11);
        let (first, second) = log.split_at(ends[6]);
        let zeros = [second, &[0; 4096]].concat();
        assert!(matches!(checked(first, &zeros), (Ok(()), bytes) if bytes == zeros.len()));
    }

    #[test]
    fn a_torn_end_is_cut_off_wherever_it_was_torn() {
        let log = written();
        let ends = ends(&log);
        let (first, second) = log.split_at(ends[6]);
        let last_whole = ends[9] - ends[6];
        for torn in last_whole + 1..second.len() {
            let mut bytes = second.to_vec();
            bytes[torn..].fill(0);
            if bytes == second {
                continue;
            }
            let (result, left) = checked(first, &bytes);
            assert!(result.is_ok() && left == last_whole, "torn at {torn}: {result:?}, {left} bytes left");
        }
    }

    #[test]
    fn a_flipped_bit_before_the_last_batch_is_damage_that_names_the_log() {
        let log = written();
        let ends = ends(&log);
        let (first, second) = log.split_at(ends[6]);
        for bit in (0..(ends[8] - ends[6]) * 8).step_by(5) {
            let mut bytes = second.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (result, _) = checked(first, &bytes);
            let number_still_rises = Walk::default().through(&bytes) == bytes.len();
            match result {
                Err(OpenError::Damaged { file, .. }) => assert!(file.ends_with("1.jnl")),
                Ok(()) if number_still_rises => {}
                other => panic!("bit {bit}: {other:?}"),
            }
            let (result, _) = checked(&bytes, second);
            assert!(result.is_err(), "bit {bit} of a log that is not the last, and the same batches again");
        }
    }

    #[test]
    fn a_log_that_ends_before_what_was_acknowledged_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let log = written();
        fs::write(folder.path().join("0.jnl"), &log[..log.len() - 1]).unwrap();
        assert!(check(folder.path(), Some(Version(0))).is_ok());
        assert_eq!(fs::read(folder.path().join("0.jnl")).unwrap().len(), ends(&log)[9]);
    }
}

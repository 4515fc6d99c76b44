//! Do the lists of table files say what was written?
//!
//! For every keyspace the database keeps such a list in a file `vN`, and in `current` the number and checksum
//! of the valid one. It does not compare the checksum itself, and deletes tables that the list does not name.

use super::folder::{OpenError, unavailable};
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::xxh3_128;

/// `current`: number, checksum, kind of checksum (0).
const CURRENT_BYTES: usize = 8 + 16 + 1;

/// Checks the lists of all keyspaces under the database's folder.
///
/// # Errors
/// [`OpenError::Damaged`] names the file; [`OpenError::Unavailable`] when one cannot be read.
pub(super) fn check(folder: &Path) -> Result<(), OpenError> {
    let keyspaces = folder.join("keyspaces");
    for keyspace in fs::read_dir(&keyspaces).map_err(|error| unavailable(&keyspaces, &error))? {
        let keyspace = keyspace.map_err(|error| unavailable(&keyspaces, &error))?.path();
        let current = keyspace.join("current");
        let Some(told) = there(&current)? else { continue };
        let (list, checksum) = read(&keyspace, &told).ok_or_else(|| damaged(&current))?;
        let content = fs::read(&list).map_err(|error| unavailable(&list, &error))?;
        if xxh3_128(&content) != checksum {
            return Err(damaged(&list));
        }
    }
    Ok(())
}

/// Which list is valid, and its checksum.
fn read(keyspace: &Path, current: &[u8]) -> Option<(PathBuf, u128)> {
    let current: [u8; CURRENT_BYTES] = current.try_into().ok()?;
    let (number, rest) = current.split_first_chunk()?;
    let (checksum, kind) = rest.split_first_chunk()?;
    let list = keyspace.join(format!("v{}", u64::from_le_bytes(*number)));
    (kind == [0] && list.exists()).then_some((list, u128::from_le_bytes(*checksum)))
}

/// A file's content; `None` when it is not there, as after a keyspace's making was cut short.
fn there(file: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    let read: io::Result<_> = fs::read(file);
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|error| unavailable(file, &error)),
    }
}

fn damaged(file: &Path) -> OpenError {
    OpenError::Damaged { file: file.to_owned(), reason: "it is not what was written".into() }
}

//! How is all of a store carried away, and brought back? As one file, of one moment, while the store goes on working.
//!
//! The file is sealed with the vault's secret, and in it are rows as they are on disk: what belongs to a customer
//! sealed with the customer's key, and the customers' keys wrapped. The master key and the vault are deliberately not
//! in it: without them it tells nothing of anybody, and who was erased since stays erased when it is brought back.
//!
//! ```text
//! version u64 · sequence u64 · sections · 0 u8
//! section: length u8 · name · rows · 0 u32
//! row: key length u32 · content length u32 · key · content
//! ```
//! Little-endian; how it is sealed says `sealed`.

use super::{
    FjallStore, OpenError, Options,
    cell::{Cell, Place},
    disk::{Disk, DiskChange, REACHED, Reached, SYSTEM, Space, sound, unreadable},
    folder::{Folder, unavailable},
    keyring::KEY_BYTES,
    load::ingest,
    sealed::{Opening, Sealing},
    vault,
};
use ::fjall::Readable;
use engine::storage::{StoreError, Version};
use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Write},
    path::Path,
};

/// No row is longer.
const ROW_BYTES_MAX: u32 = 64 * 1024 * 1024;

impl FjallStore {
    /// Makes the store's data anew from a backup, in a folder that has the master key and the vault and no data.
    /// Returns how many rows it has. Nothing is there unless all of it is.
    ///
    /// # Errors
    /// The folder has data or lacks a key, the file is not a whole backup, or it belongs to another master key or
    /// vault.
    pub fn restore(folder: &Path, options: &Options, backup: &Path) -> Result<u64, OpenError> {
        let damaged = |error: io::Error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                OpenError::Damaged { file: backup.to_owned(), reason: "it is not a whole backup".into() }
            }
            _ => unavailable(backup, &error),
        };
        let locked = Folder::lock(folder, options.master_key.as_deref())?;
        let secret = vault::secret(locked.master_key_file())?;
        let other = || OpenError::MasterKeyWrong { file: vault::secret_file(locked.master_key_file()) };
        walk(backup, &secret, &mut |_, _, _| Ok(())).map_err(damaged)?.ok_or_else(other)?;
        locked.fill(options, &mut |disk| {
            let mut rows = 0;
            let reached = fill(disk, backup, &secret, &mut rows).map_err(damaged)?.ok_or_else(other)?;
            disk.commit(Vec::new(), reached).map_err(|error| OpenError::Unavailable {
                file: folder.to_owned(),
                reason: error.to_string(),
            })?;
            Ok(rows)
        })
    }
}

impl Disk {
    /// Writes a copy of everything that is durable now; returns how many rows it has.
    pub fn copy_to(&self, out: &mut dyn Write, secret: &[u8; KEY_BYTES]) -> Result<u64, StoreError> {
        let snapshot = self.snapshot();
        let failed = |error: io::Error| StoreError::Unreadable { reason: error.to_string() };
        let mut out = Sealing::new(out, secret).map_err(failed)?;
        let place = Place { table: SYSTEM, key: REACHED };
        let row = sound(place, || snapshot.get(self.system(), REACHED))?;
        let row = row.map_err(|error| unreadable(place, error))?.ok_or_else(|| place.damaged())?;
        let cell = Cell::read(place, &row)?;
        let sequence: [u8; 8] =
            cell.open(None)?.unwrap_or_default().try_into().map_err(|_| place.damaged())?;
        out.write_all(&cell.version.0.to_le_bytes()).map_err(failed)?;
        out.write_all(&u64::from_be_bytes(sequence).to_le_bytes()).map_err(failed)?;
        let mut rows = 0;
        for space in Space::all() {
            let name = space.name();
            out.write_all(&[name.len() as u8]).map_err(failed)?;
            out.write_all(name.as_bytes()).map_err(failed)?;
            let place = Place { table: name, key: &[] };
            let mut pairs = snapshot.iter(self.keyspace(space));
            while let Some(pair) = sound(place, || pairs.next().map(::fjall::Guard::into_inner))? {
                let (key, content) = pair.map_err(|error| unreadable(place, error))?;
                write_row(&mut out, &key, &content).map_err(failed)?;
                rows += 1;
            }
            out.write_all(&0u32.to_le_bytes()).map_err(failed)?;
        }
        out.write_all(&[0]).and_then(|()| out.finish()).map_err(failed)?;
        Ok(rows)
    }
}

fn write_row(out: &mut impl Write, key: &[u8], content: &[u8]) -> io::Result<()> {
    out.write_all(&(key.len() as u32).to_le_bytes())?;
    out.write_all(&(content.len() as u32).to_le_bytes())?;
    out.write_all(key)?;
    out.write_all(content)
}

/// Puts the rows of a backup into an empty database; `None` when it is of another vault.
fn fill(disk: &Disk, backup: &Path, secret: &[u8; KEY_BYTES], rows: &mut u64) -> io::Result<Option<Reached>> {
    const AT_ONCE: usize = 65_536;
    let mut waiting: Vec<DiskChange> = Vec::new();
    let add = |changes: &mut Vec<DiskChange>| match changes.first().map(|change| change.space) {
        Some(space) => ingest(disk, space, changes.drain(..)).map_err(io::Error::other),
        None => Ok(()),
    };
    let reached = walk(backup, secret, &mut |space, key, content| {
        if waiting.len() == AT_ONCE || waiting.first().is_some_and(|first| first.space != space) {
            add(&mut waiting)?;
        }
        waiting.push(DiskChange { space, key, content: Some(content) });
        *rows += 1;
        Ok(())
    })?;
    add(&mut waiting)?;
    Ok(reached)
}

/// Reads a backup from start to end, and fails when it is not whole; `None` when it is of another vault.
fn walk(
    backup: &Path,
    secret: &[u8; KEY_BYTES],
    each: &mut dyn FnMut(Space, Vec<u8>, Vec<u8>) -> io::Result<()>,
) -> io::Result<Option<Reached>> {
    let file = BufReader::with_capacity(1 << 20, File::open(backup)?);
    let Some(mut from) = Opening::new(file, secret)? else {
        return Ok(None);
    };
    let version = Version(u64::from_le_bytes(array(&mut from)?));
    let reached = Reached { version, sequence: u64::from_le_bytes(array(&mut from)?) };
    loop {
        let [length] = array(&mut from)?;
        if length == 0 {
            break;
        }
        let name = take(&mut from, usize::from(length))?;
        let space = Space::all().find(|space| space.name().as_bytes() == name);
        let space = space.ok_or(ErrorKind::InvalidData)?;
        loop {
            let key_bytes = u32::from_le_bytes(array(&mut from)?);
            if key_bytes == 0 {
                break;
            }
            let content_bytes = u32::from_le_bytes(array(&mut from)?);
            if key_bytes.max(content_bytes) > ROW_BYTES_MAX {
                return Err(ErrorKind::InvalidData.into());
            }
            let key = take(&mut from, key_bytes as usize)?;
            let content = take(&mut from, content_bytes as usize)?;
            each(space, key, content)?;
        }
    }
    match from.read(&mut [0])? {
        0 => Ok(Some(reached)),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}

fn take(from: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut taken = vec![0; bytes];
    from.read_exact(&mut taken)?;
    Ok(taken)
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut array = [0; N];
    from.read_exact(&mut array)?;
    Ok(array)
}

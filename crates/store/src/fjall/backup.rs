//! How is all of a store carried away, and brought back? As one file, of one moment, while the store goes on working.
//!
//! The file holds rows as they are on disk: what belongs to a customer stays sealed, and the customers' keys stay
//! wrapped. The master key and the vault are deliberately not in it: without them it tells nothing of anybody, and
//! who was erased since stays erased when it is brought back.
//!
//! ```text
//! "attentb1" · version u64 · sequence u64 · sections · 0 u8 · checksum 32
//! section: length u8 · name · rows · 0 u32
//! row: key length u32 · content length u32 · key · content
//! ```
//! Little-endian; the checksum is the BLAKE3 hash of everything before it.

use super::{
    FjallStore, OpenError, Options,
    cell::{Cell, Place},
    disk::{Disk, DiskChange, REACHED, Reached, SYSTEM, Space, sound, unreadable},
    folder::{Folder, unavailable},
    load::ingest,
};
use ::fjall::Readable;
use engine::storage::{StoreError, Version};
use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read, Write},
    path::Path,
};

const BEGIN: &[u8; 8] = b"attentb1";
const CHECKSUM_BYTES: usize = 32;
/// No row is longer.
const ROW_BYTES_MAX: u32 = 64 * 1024 * 1024;

impl FjallStore {
    /// Makes the store's data anew from a backup, in a folder that has the master key and the vault and no data.
    /// Returns how many rows it has. Nothing is there unless all of it is.
    ///
    /// # Errors
    /// The folder has data or lacks a key, the file is not a whole backup, or it belongs to another master key.
    pub fn restore(folder: &Path, options: &Options, backup: &Path) -> Result<u64, OpenError> {
        let damaged = |error: io::Error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                OpenError::Damaged { file: backup.to_owned(), reason: "it is not a whole backup".into() }
            }
            _ => unavailable(backup, &error),
        };
        walk(backup, &mut |_, _, _| Ok(())).map_err(damaged)?;
        let locked = Folder::lock(folder, options.master_key.as_deref())?;
        locked.fill(options, &mut |disk| {
            let mut rows = 0;
            let reached = fill(disk, backup, &mut rows).map_err(damaged)?;
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
    pub fn copy_to(&self, out: &mut dyn Write) -> Result<u64, StoreError> {
        let snapshot = self.snapshot();
        let failed = |error: io::Error| StoreError::Unreadable { reason: error.to_string() };
        let mut out = Hashed { inner: out, hasher: blake3::Hasher::new() };
        out.put(BEGIN).map_err(failed)?;
        let place = Place { table: SYSTEM, key: REACHED };
        let row = sound(place, || snapshot.get(self.system(), REACHED))?;
        let row = row.map_err(|error| unreadable(place, error))?.ok_or_else(|| place.damaged())?;
        let cell = Cell::read(place, &row)?;
        let sequence: [u8; 8] =
            cell.open(None)?.unwrap_or_default().try_into().map_err(|_| place.damaged())?;
        out.put(&cell.version.0.to_le_bytes()).map_err(failed)?;
        out.put(&u64::from_be_bytes(sequence).to_le_bytes()).map_err(failed)?;
        let mut rows = 0;
        for space in Space::all() {
            let name = space.name();
            out.put(&[name.len() as u8]).and_then(|()| out.put(name.as_bytes())).map_err(failed)?;
            let place = Place { table: name, key: &[] };
            let mut pairs = snapshot.iter(self.keyspace(space));
            while let Some(pair) = sound(place, || pairs.next().map(::fjall::Guard::into_inner))? {
                let (key, content) = pair.map_err(|error| unreadable(place, error))?;
                out.row(&key, &content).map_err(failed)?;
                rows += 1;
            }
            out.put(&0u32.to_le_bytes()).map_err(failed)?;
        }
        out.put(&[0]).map_err(failed)?;
        let checksum = *out.hasher.finalize().as_bytes();
        out.inner.write_all(&checksum).and_then(|()| out.inner.flush()).map_err(failed)?;
        Ok(rows)
    }
}

/// Puts the rows of a backup into an empty database.
fn fill(disk: &Disk, backup: &Path, rows: &mut u64) -> io::Result<Reached> {
    const AT_ONCE: usize = 65_536;
    let mut waiting: Vec<DiskChange> = Vec::new();
    let add = |changes: &mut Vec<DiskChange>| match changes.first().map(|change| change.space) {
        Some(space) => ingest(disk, space, changes.drain(..)).map_err(io::Error::other),
        None => Ok(()),
    };
    let reached = walk(backup, &mut |space, key, content| {
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

/// Reads a backup from start to end, and fails when it is not whole.
fn walk(
    backup: &Path,
    each: &mut dyn FnMut(Space, Vec<u8>, Vec<u8>) -> io::Result<()>,
) -> io::Result<Reached> {
    let inner = BufReader::with_capacity(1 << 20, File::open(backup)?);
    let mut from = Hashed { inner, hasher: blake3::Hasher::new() };
    if from.take(BEGIN.len())? != BEGIN {
        return Err(ErrorKind::InvalidData.into());
    }
    let version = Version(u64::from_le_bytes(from.array()?));
    let reached = Reached { version, sequence: u64::from_le_bytes(from.array()?) };
    loop {
        let [length] = from.array()?;
        if length == 0 {
            break;
        }
        let name = from.take(usize::from(length))?;
        let space = Space::all().find(|space| space.name().as_bytes() == name);
        let space = space.ok_or(ErrorKind::InvalidData)?;
        loop {
            let key_bytes = u32::from_le_bytes(from.array()?);
            if key_bytes == 0 {
                break;
            }
            let content_bytes = u32::from_le_bytes(from.array()?);
            if key_bytes.max(content_bytes) > ROW_BYTES_MAX {
                return Err(ErrorKind::InvalidData.into());
            }
            let key = from.take(key_bytes as usize)?;
            let content = from.take(content_bytes as usize)?;
            each(space, key, content)?;
        }
    }
    let checksum = *from.hasher.finalize().as_bytes();
    let mut told = Vec::new();
    from.inner.by_ref().take(CHECKSUM_BYTES as u64 + 1).read_to_end(&mut told)?;
    if told == checksum { Ok(reached) } else { Err(ErrorKind::InvalidData.into()) }
}

/// Bytes that pass by, and their hash.
struct Hashed<T> {
    inner: T,
    hasher: blake3::Hasher,
}

impl Hashed<&mut dyn Write> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.inner.write_all(bytes)
    }

    fn row(&mut self, key: &[u8], content: &[u8]) -> io::Result<()> {
        self.put(&(key.len() as u32).to_le_bytes())?;
        self.put(&(content.len() as u32).to_le_bytes())?;
        self.put(key)?;
        self.put(content)
    }
}

impl<R: Read> Hashed<R> {
    fn take(&mut self, bytes: usize) -> io::Result<Vec<u8>> {
        let mut taken = vec![0; bytes];
        self.inner.read_exact(&mut taken)?;
        self.hasher.update(&taken);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| ErrorKind::InvalidData.into())
    }
}

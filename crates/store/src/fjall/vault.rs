//! What stays beside the master key and out of every backup of the data: a secret, and a list that only grows.
//!
//! ```text
//! master.secret   32 random bytes, made with the store
//! master.erased   lines: length u32, content, checksum 8; little-endian
//! ```
//! Named after the master key's file, and in its folder. A last line that was cut short was promised to nobody
//! and is cut off; any other line that is not what was written is damage.

use super::{
    folder::{OpenError, replace_durably, unavailable},
    keyring::{KEY_BYTES, random},
};
use engine::storage::{StoreError, Vault};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

const CHECKSUM_BYTES: usize = 8;

/// The vault in two files.
pub(super) struct FileVault {
    secret: [u8; KEY_BYTES],
    file: PathBuf,
    writing: Mutex<Writing>,
    /// Lines written, durable or not.
    written: AtomicU64,
    /// Lines that are durable.
    durable: Mutex<u64>,
}

struct Writing {
    out: File,
    bytes: u64,
}

impl FileVault {
    /// Opens the vault beside a master key. Without data a new one is made.
    pub fn open(master_key: &Path, has_data: bool) -> Result<Self, OpenError> {
        let secret = match secret(master_key) {
            Err(OpenError::MasterKeyMissing { file }) if !has_data => made(&file)?,
            read => read?,
        };
        let file = master_key.with_extension("erased");
        let unavailable = |error: io::Error| unavailable(&file, &error);
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let out = options.open(&file).map_err(unavailable)?;
        let content = fs::read(&file).map_err(unavailable)?;
        let (lines, whole) = read(&content);
        if whole < content.len() {
            if !is_torn(&content[whole..]) {
                let reason = format!("the line at byte {whole} is not what was written");
                return Err(OpenError::Damaged { file, reason });
            }
            out.set_len(whole as u64).and_then(|()| out.sync_all()).map_err(unavailable)?;
        }
        let count = lines.len() as u64;
        Ok(Self {
            secret,
            writing: Mutex::new(Writing { out, bytes: whole as u64 }),
            file,
            written: AtomicU64::new(count),
            durable: Mutex::new(count),
        })
    }
}

/// Where the secret beside a master key is.
pub(super) fn secret_file(master_key: &Path) -> PathBuf {
    master_key.with_extension("secret")
}

/// The secret beside a master key.
pub(super) fn secret(master_key: &Path) -> Result<[u8; KEY_BYTES], OpenError> {
    let file = secret_file(master_key);
    match fs::read(&file) {
        Ok(bytes) => bytes.as_slice().try_into().map_err(|_| OpenError::Damaged {
            file,
            reason: format!("it has {} bytes instead of {KEY_BYTES}", bytes.len()),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(OpenError::MasterKeyMissing { file }),
        Err(error) => Err(unavailable(&file, &error)),
    }
}

fn made(file: &Path) -> Result<[u8; KEY_BYTES], OpenError> {
    let refused = |reason: String| OpenError::Unavailable { file: file.to_owned(), reason };
    let secret = random::<KEY_BYTES>().map_err(|error| refused(error.to_string()))?;
    replace_durably(file, |out| out.write_all(&secret)).map_err(|error| refused(error.to_string()))?;
    Ok(secret)
}

/// The lines from the start, and how many bytes they take.
fn read(content: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (mut lines, mut rest) = (Vec::new(), content);
    while let Some((line, after)) = next(rest) {
        lines.push(line.to_vec());
        rest = after;
    }
    (lines, content.len() - rest.len())
}

fn next(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = content.split_first_chunk()?;
    let (line, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let (sum, rest) = rest.split_first_chunk::<CHECKSUM_BYTES>()?;
    (checksum(line) == *sum).then_some((line, rest))
}

/// Whether the rest is the beginning of one line.
fn is_torn(rest: &[u8]) -> bool {
    match rest.split_first_chunk() {
        None => true,
        Some((length, after)) => after.len() < u32::from_le_bytes(*length) as usize + CHECKSUM_BYTES,
    }
}

fn checksum(line: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&blake3::hash(line).as_bytes()[..CHECKSUM_BYTES]);
    sum
}

fn failed(error: &io::Error) -> StoreError {
    StoreError::Unreadable { reason: error.to_string() }
}

impl Vault for FileVault {
    fn secret(&self) -> [u8; 32] {
        self.secret
    }

    fn lines(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let content = fs::read(&self.file).map_err(|error| failed(&error))?;
        Ok(read(&content).0)
    }

    fn append(&self, line: &[u8]) -> Result<u64, StoreError> {
        let number = {
            let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let row = [&(line.len() as u32).to_le_bytes()[..], line, &checksum(line)].concat();
            if let Err(error) = writing.out.write_all(&row) {
                let undone = writing.out.set_len(writing.bytes);
                return Err(failed(&undone.err().unwrap_or(error)));
            }
            writing.bytes += row.len() as u64;
            self.written.fetch_add(1, Ordering::SeqCst) + 1
        };
        // Who waited here while another synced finds the line durable already.
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if *durable < number {
            let written = self.written.load(Ordering::SeqCst);
            let out = OpenOptions::new().append(true).open(&self.file);
            out.and_then(|out| out.sync_data()).map_err(|error| failed(&error))?;
            *durable = written;
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_back_and_a_torn_one_was_promised_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("master.key");
        let vault = FileVault::open(&key, false).unwrap();
        assert_eq!((vault.append(b"jan").unwrap(), vault.append(b"eva").unwrap()), (1, 2));
        drop(vault);
        let file = key.with_extension("erased");
        let whole = fs::read(&file).unwrap();
        for torn in 1..15 {
            fs::write(&file, &whole[..whole.len() - torn]).unwrap();
            let vault = FileVault::open(&key, true).unwrap();
            assert_eq!(vault.lines().unwrap(), [b"jan"], "{torn} bytes are missing");
            assert_eq!(vault.append(b"mia").unwrap(), 2);
        }
        fs::write(&file, &whole).unwrap();
        assert_eq!(FileVault::open(&key, true).unwrap().lines().unwrap(), [b"jan", b"eva"]);
    }

    #[test]
    fn a_line_that_was_changed_is_damage_and_a_missing_secret_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("master.key");
        let vault = FileVault::open(&key, false).unwrap();
        vault.append(b"jan").unwrap();
        drop(vault);
        let file = key.with_extension("erased");
        let mut bytes = fs::read(&file).unwrap();
        bytes[5] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(matches!(FileVault::open(&key, true), Err(OpenError::Damaged { .. })));
        fs::remove_file(key.with_extension("secret")).unwrap();
        assert!(matches!(FileVault::open(&key, true), Err(OpenError::MasterKeyMissing { .. })));
    }
}

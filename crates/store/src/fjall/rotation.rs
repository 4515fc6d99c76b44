//! How does a store get another master key? All customers' keys are wrapped anew, then the new key takes the old
//! one's place. Cut short anywhere, the next start goes on.
//!
//! The new key waits as `master.next` beside the old one. Whatever was wrapped with the old key is worthless from the
//! moment that key is gone: also in old logs, and in backups from before. To bring such a backup back, its
//! master key is needed.

use super::{
    FjallStore, OpenError, Options,
    disk::{Disk, DiskChange, Space},
    folder::{Folder, replace_durably, sync_folder_of, unavailable},
    keyring::{KEY_BYTES, MasterKey, random},
};
use engine::storage::StoreError;
use std::{fs, io::Write, path::Path};

/// Keys wrapped anew with one commit.
const AT_ONCE: usize = 4096;

impl FjallStore {
    /// Gives the store in a folder that nobody uses another master key; returns how many keys were wrapped anew.
    ///
    /// # Errors
    /// The store cannot be opened, or a key cannot be read; then both master keys are kept.
    pub fn rotate_master_key(folder: &Path, options: &Options) -> Result<u64, OpenError> {
        let locked = Folder::lock(folder, options.master_key.as_deref())?;
        drop(locked.open(options)?);
        let secret = random::<KEY_BYTES>()
            .map_err(|error| OpenError::Unavailable { file: folder.to_owned(), reason: error.to_string() })?;
        let next = locked.next_master_key();
        replace_durably(&next, |out| out.write_all(&secret)).map_err(|error| unavailable(&next, &error))?;
        let (disk, ..) = locked.open(options)?;
        let keys = disk.keyring.count().map_err(|error| locked.damaged(&error.to_string()))?;
        Ok(keys)
    }
}

impl Folder {
    /// Where a new master key waits until all keys are wrapped with it.
    pub(super) fn next_master_key(&self) -> std::path::PathBuf {
        self.master_key_file().with_extension("next")
    }

    /// Goes on with a rotation that was begun; `old` opens what is not wrapped anew yet.
    pub(super) fn finish_rotation(&self, disk: &mut Disk, old: &MasterKey) -> Result<(), OpenError> {
        let file = self.next_master_key();
        let Ok(bytes) = fs::read(&file) else { return Ok(()) };
        let secret: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| OpenError::Damaged {
            file: file.clone(),
            reason: format!("it has {} bytes instead of {KEY_BYTES}", bytes.len()),
        })?;
        let new = MasterKey::new(secret);
        rewrap(disk, old, &new).map_err(|error| self.damaged(&error.to_string()))?;
        fs::rename(&file, self.master_key_file())
            .and_then(|()| sync_folder_of(self.master_key_file()))
            .map_err(|error| unavailable(&file, &error))?;
        disk.keyring.now_under(new);
        Ok(())
    }
}

fn rewrap(disk: &Disk, old: &MasterKey, new: &MasterKey) -> Result<(), StoreError> {
    let reached = disk.noted()?;
    let mut changes = Vec::new();
    for row in disk.keyring.rows() {
        let (key, wrapped) = row?;
        if let Some(content) = disk.keyring.rewrapped(&key, &wrapped, old, new)? {
            changes.push(DiskChange { space: Space::Keys, key, content: Some(content) });
        }
        if changes.len() == AT_ONCE {
            disk.commit(std::mem::take(&mut changes), reached)?;
        }
    }
    disk.commit(changes, reached)
}

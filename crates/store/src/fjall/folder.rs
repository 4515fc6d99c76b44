//! What is in a store's folder, and may we open it?
//!
//! ```text
//! DIR/format.toml   layout version
//! DIR/lock          held by the process that uses the folder
//! DIR/master.key    unwraps the customers' keys; back it up apart from the data
//! DIR/master.secret, DIR/master.erased   see `vault`; they stay with the master key
//! DIR/data/         rows and journal; made under another name, so that it is there completely or not at all
//! DIR/reached       how far the data has come, to notice when some of it is gone
//! DIR/load          a group that is being written sorted, to finish it when that was cut short
//! ```

use super::{
    Options,
    disk::{Disk, Reached, said},
    keyring::{KEY_BYTES, MasterKey, random},
    load::Loader,
    log, manifest,
    vault::FileVault,
    watermark::Watermark,
};
use engine::storage::StoreError;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// The layout this version writes.
const LAYOUT: i64 = 3;

/// Why a store's folder was not opened. The messages say what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "the data folder `{folder}` is already in use by another process; stop that one or choose another folder"
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Written by a newer version of the product.
    #[error(
        "the data folder `{folder}` has layout {found}, and this version knows layouts up to {known}; use the newer version that wrote it"
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The layout in the folder.
        found: i64,
        /// The highest layout known here.
        known: i64,
    },
    /// Written by an older version of the product.
    #[error(
        "the data folder `{folder}` has layout {found}, and this version needs layout {known}; start with a new folder"
    )]
    Older {
        /// The folder.
        folder: PathBuf,
        /// The layout in the folder.
        found: i64,
        /// The layout needed.
        known: i64,
    },
    /// Data without the key to read it.
    #[error(
        "the master key `{file}` is missing, and without it the data cannot be read; put the file back, or remove the data to start empty"
    )]
    MasterKeyMissing {
        /// Where the key was looked for.
        file: PathBuf,
    },
    /// Data of another key.
    #[error(
        "the master key `{file}` does not belong to this data; put back the key that was backed up with it"
    )]
    MasterKeyWrong {
        /// The key file.
        file: PathBuf,
    },
    /// Files that are not what was written.
    #[error("`{file}` is damaged: {reason}; restore the folder from a backup")]
    Damaged {
        /// The file or folder.
        file: PathBuf,
        /// What was wrong.
        reason: String,
    },
    /// The system refused.
    #[error("`{file}` could not be opened: {reason}")]
    Unavailable {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// A store's folder, locked for this process.
pub(super) struct Folder {
    path: PathBuf,
    master_key: PathBuf,
    _lock: File,
}

impl Folder {
    pub fn lock(path: &Path, master_key: Option<&Path>) -> Result<Self, OpenError> {
        create_durably(path).map_err(|error| unavailable(path, &error))?;
        let lock = path.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(|error| unavailable(&lock, &error))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse { folder: path.to_owned() },
            TryLockError::Error(error) => unavailable(&lock, &error),
        })?;
        let master_key = master_key.map_or_else(|| path.join("master.key"), Path::to_owned);
        let folder = Self { path: path.to_owned(), master_key, _lock: file };
        folder.check_layout()?;
        Ok(folder)
    }

    /// Opens the data, or creates it in a new folder.
    pub fn open(&self, options: &Options) -> Result<(Disk, Watermark, Reached, FileVault), OpenError> {
        let data = self.path.join("data");
        let is_new = !data.exists();
        let master = self.master_key(!is_new)?;
        let vault = FileVault::open(&self.master_key, !is_new)?;
        if is_new {
            self.create(&data, options, &master)?;
        }
        let (watermark, noted) = self.watermark()?;
        manifest::check(&data)?;
        log::check(&data, noted.map(|noted| noted.version))?;
        let mut disk = self.disk(&data, options, master.clone())?;
        self.finish_load(&disk)?;
        self.finish_rotation(&mut disk, &master)?;
        let reached = disk.reached().map_err(|error| self.damaged(&error.to_string()))?;
        match disk.keyring.proven().map_err(|error| self.damaged(&error.to_string()))? {
            Some(true) => {}
            Some(false) => {
                return Err(OpenError::MasterKeyWrong { file: self.master_key.clone() });
            }
            None => return Err(self.damaged("its keys are gone")),
        }
        if noted.is_some_and(|noted| noted.version > reached.version) {
            return Err(self.damaged("writes that were acknowledged are missing at its end"));
        }
        self.write_layout()?;
        Ok((disk, watermark, reached, vault))
    }

    /// Makes the data from what `fill` puts into it: completely, or not at all.
    pub fn fill<T>(
        &self,
        options: &Options,
        fill: &mut dyn FnMut(&Disk) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        let data = self.path.join("data");
        let has = |file: PathBuf| match file.exists() {
            true => Ok(()),
            false => Err(OpenError::MasterKeyMissing { file }),
        };
        if data.exists() {
            let reason = "it is there already; move it away to restore a backup in its place".into();
            return Err(OpenError::Unavailable { file: data, reason });
        }
        let kept = ["key", "secret", "erased"].map(|name| self.master_key.with_extension(name));
        has(self.master_key.clone())?;
        kept.into_iter().skip(1).try_for_each(has)?;
        let master = self.master_key(true)?;
        let fresh = self.empty()?;
        let disk = self.disk(&fresh, options, master)?;
        let filled = fill(&disk)?;
        match disk.keyring.proven().map_err(|error| self.damaged(&error.to_string()))? {
            Some(true) => {}
            _ => return Err(OpenError::MasterKeyWrong { file: self.master_key.clone() }),
        }
        drop(disk);
        for left in ["reached", "load"] {
            remove_durably(&self.path.join(left)).map_err(|error| unavailable(&self.path, &error))?;
        }
        self.write_layout()?;
        self.put_in_place(&fresh, &data)?;
        Ok(filled)
    }

    /// The file of the master key.
    pub fn master_key_file(&self) -> &Path {
        &self.master_key
    }

    /// What writes groups sorted.
    pub fn loader(&self) -> Loader {
        Loader::new(self.path.join("load"))
    }

    fn finish_load(&self, disk: &Disk) -> Result<(), OpenError> {
        let file = self.path.join("load");
        Loader::new(file.clone()).finish(disk).map_err(|error| match error {
            StoreError::Unreadable { reason } => OpenError::Damaged { file, reason },
            error => OpenError::Unavailable { file, reason: error.to_string() },
        })
    }

    fn disk(&self, data: &Path, options: &Options, master: MasterKey) -> Result<Disk, OpenError> {
        catch_unwind(AssertUnwindSafe(|| Disk::open(data, options, master)))
            .map_err(|_| self.damaged("it could not be recovered"))?
            .map_err(|error| self.refused(&error))
    }

    fn create(&self, data: &Path, options: &Options, master: &MasterKey) -> Result<(), OpenError> {
        let fresh = self.empty()?;
        let disk = self.disk(&fresh, options, master.clone())?;
        self.begin(&disk).map_err(|error| self.damaged(&error.to_string()))?;
        drop(disk);
        self.put_in_place(&fresh, data)
    }

    /// A name for data that is being made, with nothing there.
    fn empty(&self) -> Result<PathBuf, OpenError> {
        let fresh = self.path.join("data.new");
        match fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(unavailable(&fresh, &error)),
            _ => Ok(fresh),
        }
    }

    fn put_in_place(&self, fresh: &Path, data: &Path) -> Result<(), OpenError> {
        fs::rename(fresh, data)
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| unavailable(data, &error))
    }

    fn watermark(&self) -> Result<(Watermark, Option<Reached>), OpenError> {
        let file = self.path.join("reached");
        Watermark::open(&file).map_err(|error| unavailable(&file, &error))
    }

    fn begin(&self, disk: &Disk) -> Result<(), StoreError> {
        let mut group = disk.group();
        group.prove()?;
        group.commit(Reached::default())
    }

    fn check_layout(&self) -> Result<(), OpenError> {
        let file = self.format();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unavailable(&file, &error)),
        };
        let table = text.parse::<toml::Table>().ok();
        match table.and_then(|table| table.get("layout")?.as_integer()) {
            Some(LAYOUT) => Ok(()),
            Some(found) if found > LAYOUT => {
                Err(OpenError::Newer { folder: self.path.clone(), found, known: LAYOUT })
            }
            Some(found) => Err(OpenError::Older { folder: self.path.clone(), found, known: LAYOUT }),
            _ => Err(OpenError::Damaged { file, reason: "it does not name a layout".into() }),
        }
    }

    fn write_layout(&self) -> Result<(), OpenError> {
        let file = self.format();
        match file.exists() {
            true => Ok(()),
            false => write_whole(&file, format!("layout = {LAYOUT}\n").as_bytes()),
        }
    }

    fn master_key(&self, has_data: bool) -> Result<MasterKey, OpenError> {
        let file = &self.master_key;
        match fs::read(file) {
            Ok(bytes) => {
                let reason = || format!("it has {} bytes instead of {KEY_BYTES}", bytes.len());
                let secret = bytes.as_slice().try_into();
                secret
                    .map(MasterKey::new)
                    .map_err(|_| OpenError::Damaged { file: file.clone(), reason: reason() })
            }
            Err(error) if error.kind() == ErrorKind::NotFound && has_data => {
                Err(OpenError::MasterKeyMissing { file: file.clone() })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let secret = random::<KEY_BYTES>().map_err(|error| OpenError::Unavailable {
                    file: file.clone(),
                    reason: error.to_string(),
                })?;
                write_whole(file, &secret)?;
                Ok(MasterKey::new(secret))
            }
            Err(error) => Err(unavailable(file, &error)),
        }
    }

    fn format(&self) -> PathBuf {
        self.path.join("format.toml")
    }

    pub fn damaged(&self, reason: &str) -> OpenError {
        OpenError::Damaged { file: self.path.join("data"), reason: reason.to_owned() }
    }

    fn refused(&self, error: &::fjall::Error) -> OpenError {
        match error {
            ::fjall::Error::Locked => OpenError::InUse { folder: self.path.clone() },
            ::fjall::Error::Io(error) => unavailable(&self.path.join("data"), error),
            error => self.damaged(&said(error)),
        }
    }
}

pub(super) fn unavailable(file: &Path, error: &io::Error) -> OpenError {
    OpenError::Unavailable { file: file.to_owned(), reason: error.to_string() }
}

fn write_whole(file: &Path, content: &[u8]) -> Result<(), OpenError> {
    replace_durably(file, |out| out.write_all(content)).map_err(|error| unavailable(file, &error))
}

/// Writes a file readable by its owner only: after a crash it is there completely or not at all.
pub(super) fn replace_durably(
    file: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let fresh = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&fresh)?;
    write(&mut out)?;
    out.sync_all()?;
    fs::rename(&fresh, file)?;
    sync_folder(folder_of(file))
}

/// Removes a file, and what is left of one that was not completed; it does not come back after a power loss.
pub(super) fn remove_durably(file: &Path) -> io::Result<()> {
    let mut removed = false;
    for name in [file.to_owned(), file.with_extension("new")] {
        match fs::remove_file(name) {
            Ok(()) => removed = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    if removed { sync_folder(folder_of(file)) } else { Ok(()) }
}

/// Creates a folder whose name survives power loss, with the folders it is in.
fn create_durably(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(path)?;
    missing.into_iter().try_for_each(|folder| sync_folder(folder_of(folder)))
}

/// Makes a file's name, or that it has gone, survive a power loss.
pub(super) fn sync_folder_of(file: &Path) -> io::Result<()> {
    sync_folder(folder_of(file))
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

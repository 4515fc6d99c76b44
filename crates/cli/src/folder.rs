//! Which files does a strategy folder hold?
//!
//! What is in them is deliberately not looked at; see [`decision::strategy::load`].

use decision::strategy::{Files, Problem};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Deepest folder that is read; a strategy needs four levels.
const DEPTH_MAX: usize = 8;
/// Largest file that is read, in bytes; the loader has a stricter limit of its own.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A strategy folder as it is on disk.
#[derive(Debug)]
pub struct Folder {
    /// Where it is, as the user wrote it.
    pub path: PathBuf,
    /// Every readable `*.toml` below it; files and folders whose name begins with a dot are skipped.
    pub files: Files,
    /// Files that are not text.
    pub problems: Vec<Problem>,
}

/// Reads a folder.
///
/// # Errors
/// A sentence for the user when the folder or one of its files cannot be read.
pub fn read(path: &Path) -> Result<Folder, String> {
    let mut folder = Folder { path: path.to_owned(), files: Files::default(), problems: Vec::new() };
    if !path.is_dir() {
        let what = if path.exists() { "is not a folder" } else { "does not exist" };
        return Err(format!("`{}` {what}", path.display()));
    }
    read_level(path, "", 0, &mut folder)?;
    Ok(folder)
}

fn read_level(path: &Path, prefix: &str, depth: usize, folder: &mut Folder) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("`{}` lies more than {DEPTH_MAX} folders deep", path.display()));
    }
    let cannot_read = |path: &Path, error: &io::Error| format!("cannot read `{}`: {error}", path.display());
    for entry in fs::read_dir(path).map_err(|error| cannot_read(path, &error))? {
        let entry = entry.map_err(|error| cannot_read(path, &error))?.path();
        let Some(name) = entry.file_name().and_then(|name| name.to_str()) else {
            return Err(format!("`{}` has a name that is not UTF-8", entry.display()));
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = format!("{prefix}{name}");
        if entry.is_dir() {
            read_level(&entry, &format!("{relative}/"), depth + 1, folder)?;
        } else if relative.ends_with(".toml") {
            let bytes = read_file(&entry).map_err(|error| cannot_read(&entry, &error))?;
            folder.add(relative, bytes);
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    fs::read(path)
}

impl Folder {
    fn add(&mut self, file: String, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) => {
                self.files.0.insert(file, text);
            }
            Err(_) => self.problems.push(Problem {
                file,
                span: None,
                message: "the file is not UTF-8 text".to_owned(),
                hint: Some("save it as UTF-8".to_owned()),
            }),
        }
    }
}

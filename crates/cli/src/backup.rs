//! `attent backup`: how is all of a store carried away while it works?

use crate::{
    check::report_trouble,
    client::{CallError, Client},
    opening,
};
use engine::storage::Store as _;
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Write a backup of a store to one file
///
/// It holds everything of one moment. What belongs to customers stays sealed: the master key, and the files
/// master.secret and master.erased beside it, are deliberately not in it. Keep those three apart from the backups, and
/// always the newest of them.
///
/// Exit code 0: written. 2: not written; there is no file then.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file to write; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder of the store; no server may be using it
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Ask the server at this address instead
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// API key for the server
    #[arg(long, value_name = "KEY", env = "ATTENT_KEY", hide_env_values = true)]
    key: Option<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let file = &arguments.file;
    if file.exists() {
        return report_trouble(&format!("`{}` exists already", file.display()));
    }
    let fresh = file.with_extension("new");
    let written = write(arguments, &fresh)
        .and_then(|()| fs::rename(&fresh, file).map_err(|error| format!("`{}`: {error}", file.display())));
    match written {
        Ok(()) => {
            eprintln!("written; keep it apart from the master key and the files beside that");
            ExitCode::SUCCESS
        }
        Err(trouble) => {
            drop(fs::remove_file(&fresh));
            report_trouble(&trouble)
        }
    }
}

fn write(arguments: &Arguments, fresh: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("`{}`: {error}", fresh.display());
    let mut out = BufWriter::new(File::create(fresh).map_err(told)?);
    match &arguments.url {
        Some(url) => {
            let client = Client::new(url, arguments.key.as_deref())?;
            client.download("/v1/backup", &mut out).map_err(|error| match error {
                CallError::No(trouble) | CallError::Trouble(trouble) => trouble,
            })?;
        }
        None => {
            let store = opening::on_disk_existing(&arguments.data)?;
            store.backup(&mut out).map_err(|error| error.to_string())?;
            store.close().map_err(|error| error.to_string())?;
        }
    }
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(told)
}

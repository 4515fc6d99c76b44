//! `attent rotate-master-key`: how does a store get another master key?

use crate::{check::report_trouble, opening};
use engine::audit::{Kind, Note};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use store::{FjallStore, Options};

/// Give a store another master key
///
/// Every customer's key is wrapped anew. The old master key is gone afterwards, and with it everything that was wrapped
/// by it in old files. A backup from before needs the old one: keep a copy apart if you want to bring it back.
/// Cut short, the next start goes on.
///
/// Exit code 0: done. 2: not done; the store works with the old key.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the store; no server may be using it
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    if !arguments.data.join("format.toml").is_file() {
        return report_trouble(&format!("there is no store in `{}`", arguments.data.display()));
    }
    match FjallStore::rotate_master_key(&arguments.data, &Options::default()) {
        Ok(keys) => note(&arguments.data, keys),
        Err(error) => report_trouble(&error.to_string()),
    }
}

/// Adds to the audit that it was done.
fn note(data: &Path, keys: u64) -> ExitCode {
    let engine = match opening::existing(data) {
        Ok(opened) => opened.engine,
        Err(error) => return error.report(),
    };
    let note = Note::new(Kind::Rotation, format!("{keys} keys wrapped anew"));
    let noted = engine.note(note, jiff::Timestamp::now());
    match noted.and_then(|ticket| Ok(ticket.wait()?)).and_then(|()| engine.close()) {
        Ok(()) => {
            println!("{keys} keys wrapped anew");
            ExitCode::SUCCESS
        }
        Err(error) => {
            report_trouble(&format!("{keys} keys are wrapped anew, but the audit does not say so: {error}"))
        }
    }
}

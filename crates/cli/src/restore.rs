//! `attent restore`: how does a store come back from a backup?

use crate::{check::report_trouble, opening};
use std::{path::PathBuf, process::ExitCode};
use store::{FjallStore, Options};

/// Bring a store back from a backup
///
/// The folder has the master key with the files beside it (master.secret, master.erased), and no data: move an old data
/// folder away first. Whoever was erased since the backup was made is erased again before anybody can read anything,
/// and what was learned from them goes too.
///
/// Exit code 0: restored. 2: not restored; then there is no data.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder of the store
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let rows = match FjallStore::restore(&arguments.data, &Options::default(), &arguments.file) {
        Ok(rows) => rows,
        Err(error) => return report_trouble(&error.to_string()),
    };
    let opened = match opening::existing(&arguments.data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let erased = opened.engine.unfinished_erasures();
    let finished = opened.engine.finish_erasures(jiff::Timestamp::now());
    let closed = opened.engine.close();
    match erased.and_then(|erased| finished.and(closed).map(|()| erased)) {
        Ok(erased) => {
            println!("{rows} rows restored; {erased} erasures carried out again");
            ExitCode::SUCCESS
        }
        Err(error) => report_trouble(&error.to_string()),
    }
}

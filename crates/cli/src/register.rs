//! `attent register`: which processing does this strategy amount to?

use crate::check::{open, report, report_trouble};
use decision::explain::Tongue;
use insight::register::register;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Make the register of processing activities (GDPR article 30) from a strategy
///
/// Prints Markdown. Exit code 0: printed. 1: the strategy has problems. 2: it cannot be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the strategy
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let (folder, loaded) = match open(&arguments.folder) {
        Ok(opened) => opened,
        Err(trouble) => return report_trouble(&trouble),
    };
    let register = match loaded {
        Ok(loaded) => register(&loaded.strategy, Tongue::English),
        Err(problems) => return report(&problems, &folder, arguments.json),
    };
    match arguments.json {
        true => println!("{:#}", json!(register)),
        false => print!("{register}"),
    }
    ExitCode::SUCCESS
}

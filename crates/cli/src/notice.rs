//! `attent notice`: what does this strategy tell the public about the data it keeps?

use crate::check::{open, report, report_trouble};
use decision::{explain::Tongue, id::Language};
use insight::notice::notice;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Make the privacy notice from a strategy: what is kept, how, for what, on which ground, for how long, and rights
///
/// Prints a page of HTML that needs nothing else. Exit code 0: printed. 1: the strategy has problems. 2: it cannot
/// be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the strategy
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// `nl` or `en`; the organisation's first when left out
    #[arg(long, value_name = "LANGUAGE", value_parser = ["nl", "en"])]
    language: Option<String>,
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
    let strategy = match loaded {
        Ok(loaded) => loaded.strategy,
        Err(problems) => return report(&problems, &folder, arguments.json),
    };
    let asked = arguments.language.as_deref().map(Language::from);
    let language = asked.or_else(|| strategy.organisation.languages.first().cloned());
    let notice = notice(&strategy, language.map_or(Tongue::English, |language| Tongue::of(&language)));
    match arguments.json {
        true => println!("{:#}", json!(notice)),
        false => print!("{}", notice.html(None)),
    }
    if notice.contact.is_none() {
        eprintln!("the notice names nobody to turn to: write `contact` in `[privacy]` of organisation.toml");
    }
    ExitCode::SUCCESS
}

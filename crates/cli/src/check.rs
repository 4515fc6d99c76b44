//! `attent check`: is this folder a strategy, and if not, what is wrong with it?

use crate::{
    diagnostics::{self, count},
    folder::{self, Folder},
    models,
};
use decision::strategy::{Loaded, Problem, load};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Check a strategy: report every problem with its file, line and a hint
///
/// Exit code 0: the strategy can be used. 1: it has problems. 2: the folder cannot be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the strategy
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Also refuse facts that give a protected group away, by the customers in this store
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
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
    match loaded {
        Ok(loaded) => {
            if let Some(data) = &arguments.data {
                return models::gate(data, Some(&loaded.strategy), arguments.json);
            }
            println!("{}", if arguments.json { found_json(&loaded) } else { found(&loaded) });
            ExitCode::SUCCESS
        }
        Err(problems) => report(&problems, &folder, arguments.json),
    }
}

/// Reads and loads a strategy folder.
///
/// # Errors
/// A sentence for the user when the folder cannot be read. Problems in the files are the inner result.
pub fn open(path: &std::path::Path) -> Result<(Folder, Result<Loaded, Vec<Problem>>), String> {
    let folder = folder::read(path)?;
    let loaded = match (load(&folder.files), folder.problems.as_slice()) {
        (Ok(loaded), []) => Ok(loaded),
        (loaded, unreadable) => {
            let mut problems = loaded.err().unwrap_or_default();
            problems.retain(|problem| unreadable.iter().all(|other| other.file != problem.file));
            problems.extend_from_slice(unreadable);
            problems.sort_by(|one, other| one.file.cmp(&other.file));
            Err(problems)
        }
    };
    Ok((folder, loaded))
}

/// Prints why nothing could be done; exit code 2.
pub fn report_trouble(trouble: &str) -> ExitCode {
    eprintln!("attent: {trouble}");
    ExitCode::from(2)
}

/// Prints the problems of a strategy; exit code 1.
pub fn report(problems: &[Problem], folder: &Folder, json: bool) -> ExitCode {
    if json {
        println!("{:#}", json!({ "ok": false, "problems": diagnostics::to_json(problems, &folder.files) }));
    } else {
        print!(
            "{}",
            diagnostics::render(problems, &folder.files, &folder.path, diagnostics::wants_colours())
        );
        println!("{}", diagnostics::summary(problems));
    }
    ExitCode::from(1)
}

fn numbers(loaded: &Loaded) -> [(usize, &'static str); 8] {
    let strategy = &loaded.strategy;
    [
        (strategy.actions.len(), "action"),
        (strategy.principles.len(), "principle"),
        (strategy.attributes.len(), "attribute"),
        (strategy.events.len(), "event"),
        (strategy.purposes.len(), "purpose"),
        (strategy.channels.len(), "channel"),
        (strategy.placements.len(), "placement"),
        (loaded.tests.len(), "test"),
    ]
}

fn found(loaded: &Loaded) -> String {
    let counts: Vec<String> = numbers(loaded).into_iter().map(|(number, noun)| count(number, noun)).collect();
    let strategy = &loaded.strategy;
    format!(
        "the strategy of {} checks: {}\nversion {}",
        strategy.organisation.name,
        counts.join(", "),
        strategy.version
    )
}

fn found_json(loaded: &Loaded) -> String {
    let counts: serde_json::Map<String, serde_json::Value> =
        numbers(loaded).into_iter().map(|(number, noun)| (format!("{noun}s"), number.into())).collect();
    let strategy = &loaded.strategy;
    let found = json!({
        "ok": true,
        "organisation": strategy.organisation.name,
        "version": strategy.version.to_string(),
        "found": counts,
    });
    format!("{found:#}")
}

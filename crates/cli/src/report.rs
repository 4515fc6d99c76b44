//! `attent report`: does the customer brain have manners?

use crate::{check::report_trouble, opening, simulate::moment};
use insight::report::{Period, Report, evidence::Evidence, make, page};
use jiff::Timestamp;
use std::{
    fs,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// One page for a board: value in both ledgers, silence, vetoes, complaints, consent, data, fairness, owners
///
/// Every figure is added up from the log; `--export` writes that log, a JSON object per line, so that anybody can add it
/// up again. An export holds which customers are in which protected group, by numbers without meaning elsewhere: it is
/// personal data, for who audits. No server may be using the store.
///
/// Exit code 0: made. 2: it could not be made.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// From this date or moment on, or for so long (`90d`); the whole history when not given
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Before this date or moment; all that is there when not given
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Write the page to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Language of the page
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = ["en", "nl"])]
    language: String,
    /// Write the log that the figures come from to this file
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Folder of the store
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
}

/// Runs the command: JSON on standard output, unless a file was asked for.
pub fn run(arguments: &Arguments) -> ExitCode {
    let when = |text: &Option<String>, otherwise| text.as_deref().map_or(Ok(otherwise), moment);
    let (since, until) =
        match (when(&arguments.since, Timestamp::UNIX_EPOCH), when(&arguments.until, Timestamp::MAX)) {
            (Ok(since), Ok(until)) => (since, until),
            (Err(trouble), _) | (_, Err(trouble)) => return report_trouble(&trouble),
        };
    let opened = match opening::existing(&arguments.data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let made = make(&opened.engine, Period { since, until }, Timestamp::now());
    let closed = opened.engine.close();
    let (report, evidence) = match made.and_then(|made| closed.map(|()| made)) {
        Ok(made) => made,
        Err(error) => return report_trouble(&error.to_string()),
    };
    match write(arguments, &report, &evidence) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => report_trouble(&trouble),
    }
}

fn write(arguments: &Arguments, report: &Report, evidence: &Evidence) -> Result<(), String> {
    let trouble = |path: &Path, error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    if let Some(path) = &arguments.html {
        fs::write(path, page(report, &arguments.language)).map_err(|error| trouble(path, error))?;
        println!("the report is in `{}`", path.display());
    }
    if let Some(path) = &arguments.export {
        export(path, evidence).map_err(|error| trouble(path, error))?;
    }
    if arguments.html.is_none() {
        println!("{:#}", serde_json::json!(report));
    }
    Ok(())
}

fn export(path: &Path, evidence: &Evidence) -> std::io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(path)?);
    for line in &evidence.lines {
        serde_json::to_writer(&mut file, line)?;
        file.write_all(b"\n")?;
    }
    file.flush()
}

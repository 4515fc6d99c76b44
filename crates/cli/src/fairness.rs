//! `attent fairness`: are groups treated alike?

use crate::{check::report_trouble, opening, simulate::moment};
use insight::fairness::{Fairness, look};
use jiff::Timestamp;
use std::{path::PathBuf, process::ExitCode};

/// Compare how many customers of each protected group hear something, and how many it does good
///
/// Groups are the values of attributes whose purpose is `audit_only`: no decision can read those. A customer counts
/// once; an alarm means a difference that chance would hardly bring about, also with so many comparisons, and rates
/// of which one is less than four fifths of the other. No server may be using the store.
///
/// Exit code 0: no alarm. 1: an alarm. 2: nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// From this date or moment on, or for so long (`90d`); the whole history when not given
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Before this date or moment; all that is there when not given
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Folder of the store
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
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
    let fairness = look(&opened.engine, since, until, Timestamp::now());
    let closed = opened.engine.close();
    match fairness.and_then(|fairness| closed.map(|()| fairness)) {
        Ok(fairness) => tell(&fairness, arguments.json),
        Err(error) => report_trouble(&error.to_string()),
    }
}

fn tell(fairness: &Fairness, json: bool) -> ExitCode {
    match json {
        true => println!("{:#}", serde_json::json!(fairness)),
        false => print!("{fairness}"),
    }
    ExitCode::from(u8::from(fairness.alarms().next().is_some()))
}

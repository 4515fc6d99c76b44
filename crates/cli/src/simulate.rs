//! `attent simulate`: what would a changed strategy have been worth on the decisions that were really made?

use crate::{
    check::report_trouble,
    opening::{self, NotOpened},
};
use decision::{Duration, Timestamp, strategy::load};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use simulation::hindsight::{self, Hindsight, Plan, Verdict, Yardstick};
use std::{fmt::Display, path::PathBuf, process::ExitCode};

/// Value a changed strategy, or the layers of the present one, on the store's own history
///
/// Every recorded decision is put to the changed strategy with what its record says was read. The outcomes that
/// followed, and the probabilities with which everything was chosen, tell what it would have been worth, with
/// 95 % intervals over customers. Nothing is decided, sent or learned. No server may be using the store.
///
/// Exit code 0: valued. 1: the changed strategy is worth less, or there is too little evidence to say. 2: nothing
/// could be valued.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the changed strategy
    #[arg(long, value_name = "DIR", required_unless_present = "layers", conflicts_with = "layers")]
    strategy: Option<PathBuf>,
    /// Value each layer of the strategy that decides now: chance, eligibility only, propensity only, without
    /// levers, all of it
    #[arg(long)]
    layers: bool,
    /// From this date or moment on, or for so long (`90d`); the whole history when not given
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Before this date or moment; all that is there when not given
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// By whose values outcomes count: `then`, of the strategies that decided, or `changed`, of the changed one
    #[arg(long, value_name = "WHOSE", default_value = "then", value_parser = ["then", "changed"])]
    values: String,
    /// Folder of the store
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    match simulate(arguments) {
        Ok(code) => code,
        Err(error) => error.report(),
    }
}

fn simulate(arguments: &Arguments) -> Result<ExitCode, NotOpened> {
    let plan = plan(arguments).map_err(NotOpened::Trouble)?;
    let files = arguments.strategy.as_deref().map(opening::checked).transpose()?;
    let opened = opening::existing(&arguments.data)?;
    let told = match files {
        None => hindsight::layers(&opened.engine, plan, &mut progress()).map(|layers| {
            tell(&layers, arguments.json);
            layers.decisions > 0
        }),
        Some(files) => {
            let strategy = load(&files).expect("it has been checked").strategy;
            hindsight::value(&opened.engine, plan, &strategy, &mut progress()).map(|hindsight| {
                tell(&hindsight, arguments.json);
                is_fine(&hindsight)
            })
        }
    };
    let closed = opened.engine.close();
    match told.and_then(|fine| closed.map(|()| fine)) {
        Ok(fine) => Ok(ExitCode::from(u8::from(!fine))),
        Err(error) => Ok(report_trouble(&error.to_string())),
    }
}

fn is_fine(hindsight: &Hindsight) -> bool {
    !matches!(hindsight.verdict, Verdict::Worse | Verdict::TooLittle(_))
}

fn tell(told: &(impl Display + Serialize), json: bool) {
    match json {
        true => println!(
            "{:#}",
            serde_json::to_value(told).expect("a report holds nothing that cannot be written")
        ),
        false => print!("{told}"),
    }
}

fn progress() -> impl FnMut(u64) {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {human_pos} decisions read, {per_sec}");
    bar.set_style(style.expect("the template is written here"));
    move |read| bar.set_position(read)
}

fn plan(arguments: &Arguments) -> Result<Plan, String> {
    let moment = |text: &Option<String>, otherwise| text.as_deref().map_or(Ok(otherwise), moment);
    Ok(Plan {
        since: moment(&arguments.since, Timestamp::UNIX_EPOCH)?,
        until: moment(&arguments.until, Timestamp::MAX)?,
        yardstick: if arguments.values == "changed" { Yardstick::Other } else { Yardstick::Decided },
    })
}

/// A moment (`2026-03-09T10:00:00Z`), a date (its midnight, UTC), or so long ago (`90d`).
pub fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|error| error.to_string())?;
        return Ok(midnight.timestamp());
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    let ago = days.map(|days| Duration::from_hours(24 * i64::from(days)));
    let moment = ago.and_then(|ago| Timestamp::now().checked_sub(ago).ok());
    moment
        .ok_or_else(|| format!("`{text}` is no moment; write `2026-03-09`, `2026-03-09T10:00:00Z` or `90d`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_a_time_or_so_long_ago() {
        assert_eq!(moment("2026-03-09"), Ok("2026-03-09T00:00:00Z".parse().unwrap()));
        assert_eq!(moment("2026-03-09T10:00:00Z"), Ok("2026-03-09T10:00:00Z".parse().unwrap()));
        assert!(moment("90d").unwrap() < Timestamp::now());
        assert!(moment("last week").unwrap_err().contains("`last week` is no moment"));
    }
}

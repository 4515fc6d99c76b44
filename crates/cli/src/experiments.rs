//! `attent experiments`: is one way to decide better than another, as far as can be told now?

use crate::{
    check::report_trouble,
    client::{CallError, Client},
    opening,
};
use insight::experiment::{
    power::Design,
    report::{Report, look},
    sequence::ALPHA,
};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Look at the experiments and control groups: differences per customer, and what to do
///
/// Every look is counted, and the bounds hold for all looks together: look as often as you like. With
/// `--deviation` nothing is looked at, and an experiment is planned instead.
///
/// Exit code 0: shown. 1: there is no such experiment, or none at all. 2: nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// One experiment, or `control`; all of them when left out
    #[arg(value_name = "ID", conflicts_with = "deviation")]
    experiment: Option<String>,
    /// Folder of the store; no server may be using it
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Ask the server at this address instead
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// API key for the server
    #[arg(long, value_name = "KEY", env = "ATTENT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Plan two arms: standard deviation of the value between customers
    #[arg(long, value_name = "X", value_parser = above_zero)]
    deviation: Option<f64>,
    /// Plan: the smallest difference per customer that matters
    #[arg(long, value_name = "X", value_parser = above_zero, requires = "deviation")]
    effect: Option<f64>,
    /// Plan: customers that come a day
    #[arg(long, value_name = "N", value_parser = above_zero, requires = "deviation")]
    per_day: Option<f64>,
    /// Plan: days until it has to be known
    #[arg(long, value_name = "N", value_parser = above_zero, requires = "per_day")]
    days: Option<f64>,
    /// Plan: share of these customers in the first arm
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = inner_share)]
    share: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| "a number above 0 is expected".to_owned())
}

fn inner_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "a number above 0 and below 1 is expected".to_owned())
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    if let Some(deviation) = arguments.deviation {
        return plan(arguments, deviation);
    }
    if let Some(url) = &arguments.url {
        return match over_http(arguments, url) {
            Ok(text) => print(&text),
            Err(CallError::No(no)) => refuse(&no),
            Err(CallError::Trouble(trouble)) => report_trouble(&trouble),
        };
    }
    let opened = match opening::existing(&arguments.data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let looked = look(&opened.engine, arguments.experiment.as_deref(), jiff::Timestamp::now());
    let closed = opened.engine.close();
    match looked.and_then(|reports| closed.map(|()| reports)) {
        Ok(reports) if reports.is_empty() => refuse(&match &arguments.experiment {
            Some(id) => format!("no experiment here is called `{id}`"),
            None => "the strategy has no experiments and no control groups".to_owned(),
        }),
        Ok(reports) if arguments.json => print(&format!("{:#}", json!({ "experiments": reports }))),
        Ok(reports) => print(&reports.iter().map(Report::to_string).collect::<Vec<_>>().join("\n")),
        Err(error) => report_trouble(&error.to_string()),
    }
}

fn over_http(arguments: &Arguments, url: &str) -> Result<String, CallError> {
    let client = Client::new(url, arguments.key.as_deref()).map_err(CallError::Trouble)?;
    let plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let path = match arguments.experiment.as_deref() {
        Some(id) if !plain(id) => return Err(CallError::No(format!("no experiment is called `{id}`"))),
        Some(id) => format!("/v1/experiments?id={id}"),
        None => "/v1/experiments".to_owned(),
    };
    match arguments.json {
        true => client.get(&path).map(|json| format!("{json:#}")),
        false => client.get_text(&path),
    }
}

fn plan(arguments: &Arguments, deviation: f64) -> ExitCode {
    let design = Design { deviation, share: arguments.share, alpha: ALPHA };
    let needed = arguments.effect.and_then(|effect| design.customers_for(effect));
    let days_needed = needed.zip(arguments.per_day).map(|(needed, per_day)| (needed as f64 / per_day).ceil());
    let by_then = arguments.per_day.zip(arguments.days).map(|(per_day, days)| per_day * days);
    let detectable = by_then.map(|customers| design.detectable(customers));
    if arguments.json {
        return print(&format!(
            "{:#}",
            json!({ "customers": needed, "days": days_needed, "detectable": detectable })
        ));
    }
    let mut lines = Vec::new();
    if let (Some(effect), Some(needed)) = (arguments.effect, needed) {
        let days = days_needed.map_or_else(String::new, |days| format!(", {days} days at this pace"));
        lines.push(format!(
            "a difference of {effect} is seen, four times in five, by {needed} customers{days}"
        ));
    }
    if let (Some(days), Some(detectable)) = (arguments.days, detectable) {
        lines.push(format!("in {days} days a difference of {detectable:.3} is seen, four times in five"));
    }
    match lines.is_empty() {
        true => report_trouble("say which --effect matters, or --per-day and --days there are"),
        false => {
            print(&format!("{}\nthe days in which every customer is looked at come on top", lines.join("\n")))
        }
    }
}

fn print(text: &str) -> ExitCode {
    println!("{}", text.trim_end());
    ExitCode::SUCCESS
}

fn refuse(no: &str) -> ExitCode {
    eprintln!("attent: {no}");
    ExitCode::from(1)
}

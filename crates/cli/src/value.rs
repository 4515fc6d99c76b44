//! `attent value`: what is everybody worth, and what goes with what they bought?

use crate::opening::{self, NotOpened, Opened};
use insight::{
    lifetime::{Fit, NotFitted},
    worth::{self, Worth},
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// Work out what customers are worth, and what goes with what they bought
///
/// Fits how often and for how much customers buy to everybody who permits it, and writes for each of them the
/// attributes that `[purchases]` in the strategy's inventory names: the probability that they are customers still,
/// purchases and value to be expected, a suggestion and the choice that speaks for it. Who does not permit it gets
/// none and loses what was there. No server may be using the store; one that runs does the same once a day.
///
/// Exit code 0: done. 1: nothing could be fitted. 2: it could not run.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the store
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// The day for which it is worked out, for data that end in the past, such as 2011-12-10
    #[arg(long, value_name = "DATE")]
    as_of: Option<Date>,
    /// Say what would come of it and keep nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let worth = match work_out(arguments) {
        Ok(worth) => worth,
        Err(error) => return error.report(),
    };
    if arguments.json {
        println!("{:#}", as_json(&worth, arguments.dry_run));
    } else {
        print!("{}", as_text(&worth));
        if arguments.dry_run {
            println!("nothing was kept: this was a dry run");
        }
    }
    ExitCode::from(u8::from(worth.valued == 0 && worth.suggested == 0))
}

fn work_out(arguments: &Arguments) -> Result<Worth, NotOpened> {
    let trouble = |error: &dyn std::fmt::Display| NotOpened::Trouble(error.to_string());
    let Opened { engine, .. } = opening::existing(&arguments.data)?;
    let zone = engine.published().strategy.organisation.time_zone.clone();
    let at = match arguments.as_of {
        None => Timestamp::now(),
        Some(day) => day.to_zoned(zone).map_err(|error| trouble(&error))?.timestamp(),
    };
    let worth = worth::run(&engine, at, !arguments.dry_run);
    engine.close().map_err(|error| trouble(&error))?;
    worth.map_err(|error| trouble(&error))
}

fn as_json(worth: &Worth, dry_run: bool) -> Value {
    json!({
        "dry_run": dry_run,
        "customers": worth.customers,
        "purchasing": fit_json(worth.purchasing.as_ref()),
        "spending": fit_json(worth.spending.as_ref()),
        "within_days": worth.within_days,
        "valued": worth.valued,
        "alive": worth.alive,
        "value": worth.value,
        "not_valued": worth.not_valued,
        "items": worth.items,
        "suggested": worth.suggested,
        "not_suggested": worth.not_suggested,
    })
}

fn fit_json<Model: serde::Serialize>(fit: Option<&Result<Fit<Model>, NotFitted>>) -> Value {
    match fit {
        None => Value::Null,
        Some(Ok(fit)) => json!(fit),
        Some(Err(why)) => json!({ "not_fitted": why.to_string() }),
    }
}

fn as_text(worth: &Worth) -> String {
    let mut text = format!("{} customers\n", worth.customers);
    if let Some(purchasing) = &worth.purchasing {
        text += &fitted("how often", purchasing, |model| {
            format!("r {:.4}, alpha {:.4} days, a {:.4}, b {:.4}", model.r, model.alpha, model.a, model.b)
        });
    }
    if let Some(spending) = &worth.spending {
        text += &fitted("for how much", spending, |model| {
            format!("p {:.4}, q {:.4}, v {:.4}", model.p, model.q, model.v)
        });
        text += &format!(
            "\n{} have an expectation for {:.0} days: {:.0} of them are customers still, {:.2} in all, {:.2} each\n",
            worth.valued,
            worth.within_days,
            worth.alive,
            worth.value,
            worth.value / worth.valued.max(1) as f64
        );
        text += &without(&worth.not_valued);
    }
    text += &format!("\n{} have a suggestion, from {} items\n", worth.suggested, worth.items);
    text + &without(&worth.not_suggested)
}

fn fitted<Model>(
    what: &str,
    fit: &Result<Fit<Model>, NotFitted>,
    written: impl Fn(&Model) -> String,
) -> String {
    match fit {
        Ok(fit) => format!(
            "{what:<13} {}; log-likelihood {:.2} over {} customers\n",
            written(&fit.model),
            fit.log_likelihood,
            fit.customers
        ),
        Err(why) => format!("{what:<13} not fitted: {why}\n"),
    }
}

fn without(reasons: &BTreeMap<&'static str, u64>) -> String {
    reasons
        .iter()
        .map(|(reason, count)| format!("{count:>9} have none: {}\n", reason.replace('_', " ")))
        .collect()
}

//! `attent diet`: which attributes could we do without?

use crate::{
    check::report_trouble,
    opening::{self, NotOpened},
};
use decision::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};
use insight::diet::{Diet, NotWeighed, Plan, Study, mailing::Mailing, weigh};
use simulation::{
    hindsight::diet::{OwnLog, Sample},
    import::mailed,
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Weigh every attribute by what decisions are worth without it, and propose what to stop collecting
///
/// The learner is taught on part of the customers, with and without an attribute, and what it would decide for the
/// others is valued by the outcomes and probabilities of the store's own log, with 95 % intervals over customers. Rules
/// and texts do without the attribute too. With `--mail`, the same for one mailing in a table: the profit of mailing
/// whoever is expected to bring more than the mail costs. Nothing is changed. No server may be using the store.
///
/// Exit code 0: weighed, and something can go. 1: nothing can go, or there is too little to tell. 2: it could not run.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the store
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// At most about so many decisions are made again
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    decisions: usize,
    /// A mailing to everybody instead: a table with a row per person, packed with gzip or not
    #[arg(long, value_name = "FILE", requires_all = ["bought", "gain", "cost"])]
    mail: Option<PathBuf>,
    /// The column that says who bought, and the word for yes: `Purchase=Yes`
    #[arg(long, value_name = "COLUMN=WORD", requires = "mail")]
    bought: Option<String>,
    /// Columns that might go begin with this; all of them when not given
    #[arg(long, value_name = "TEXT", default_value = "", requires = "mail")]
    columns: String,
    /// What a purchase brings, in euro
    #[arg(long, value_name = "EUR", requires = "mail")]
    gain: Option<f64>,
    /// What a mail costs, in euro
    #[arg(long, value_name = "EUR", requires = "mail")]
    cost: Option<f64>,
    /// Parts that customers are dealt into
    #[arg(long, value_name = "N", default_value_t = Plan::default().folds)]
    folds: usize,
    /// Deals them; the same seed weighs the same
    #[arg(long, value_name = "SEED", default_value_t = Plan::default().seed)]
    seed: u64,
    /// Largest part of the value that may be lost, by the upper end of the interval
    #[arg(long, value_name = "SHARE", default_value_t = Plan::default().tolerance)]
    tolerance: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let weighed = match &arguments.mail {
        Some(table) => {
            mailing(arguments, table).map_err(NotOpened::Trouble).map(|study| weighed(arguments, &study))
        }
        None => own_log(arguments).map(|study| weighed(arguments, &study)),
    };
    match weighed {
        Ok(Ok(diet)) => {
            match arguments.json {
                true => println!("{:#}", serde_json::json!(diet)),
                false => print!("{diet}"),
            }
            ExitCode::from(u8::from(diet.proposal.attributes.is_empty()))
        }
        Ok(Err(why @ NotWeighed::FewFolds)) => report_trouble(&why.to_string()),
        Ok(Err(why)) => {
            eprintln!("attent: {why}");
            ExitCode::from(1)
        }
        Err(error) => error.report(),
    }
}

fn weighed(arguments: &Arguments, study: &dyn Study) -> Result<Diet, NotWeighed> {
    let Arguments { folds, seed, tolerance, .. } = *arguments;
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} models taught, {eta} left");
    bar.set_style(style.expect("the template is written here"));
    weigh(study, &Plan { folds, seed, tolerance }, &mut |taught, of| {
        bar.set_length(of as u64);
        bar.set_position(taught as u64);
    })
}

fn own_log(arguments: &Arguments) -> Result<OwnLog, NotOpened> {
    let opened = opening::existing(&arguments.data)?;
    let sample = Sample {
        since: Timestamp::UNIX_EPOCH,
        until: Timestamp::MAX,
        decisions_max: arguments.decisions,
        seed: arguments.seed,
    };
    let log = OwnLog::of(&opened.engine, sample, None);
    let closed = opened.engine.close();
    let trouble = |error: engine::EngineError| NotOpened::Trouble(error.to_string());
    let log = log.map_err(trouble)?;
    closed.map_err(trouble).map(|()| log)
}

fn mailing(arguments: &Arguments, path: &Path) -> Result<Mailing, String> {
    let (gain, cost) = (arguments.gain.unwrap_or_default(), arguments.cost.unwrap_or_default());
    if !(gain.is_finite() && cost > 0.0 && gain > cost) {
        return Err("a mail costs more than nothing, and a purchase brings more than a mail costs".into());
    }
    let bought = arguments.bought.as_deref().and_then(|bought| bought.split_once('='));
    let bought = bought.ok_or("write who bought as `COLUMN=WORD`, for example `--bought Purchase=Yes`")?;
    let (people, attributes) = mailed(path, bought, &arguments.columns)?;
    Ok(Mailing::new(people, attributes, gain, cost))
}

//! `attent replay`: would the same inputs give the same decisions again?

use crate::{check::report_trouble, opening};
use decision::id::DecisionId;
use engine::{Engine, EngineError, ReplayFailure, Replayed};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Replay decisions from their records and compare byte for byte
///
/// Each decision is made again from what it read then, and its estimates from the model it names while
/// that is kept. No server may be using the store.
///
/// Exit code 0: all are equal. 1: some differ; each is named. 2: nothing could be replayed.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id of one decision
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    decision: Option<DecisionId>,
    /// Replay every decision
    #[arg(long)]
    all: bool,
    /// Folder of the store
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Default)]
struct Found {
    deep: u64,
    record_only: u64,
    differ: Vec<(DecisionId, String)>,
}

impl Found {
    fn add(&mut self, id: DecisionId, replayed: &Result<Replayed, ReplayFailure>) {
        match replayed {
            Ok(Replayed::Deep) => self.deep += 1,
            Ok(Replayed::Record) => self.record_only += 1,
            Err(failure) => self.differ.push((id, failure.why.clone())),
        }
    }

    fn equal(&self) -> u64 {
        self.deep + self.record_only
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let opened = match opening::existing(&arguments.data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let found = match arguments.decision {
        Some(id) => one(&opened.engine, id),
        None => all(&opened.engine),
    };
    let closed = opened.engine.close();
    match found.and_then(|found| closed.map(|()| found)) {
        Ok(Some(found)) => {
            if arguments.json {
                println!("{:#}", to_json(&found));
            } else {
                print!("{}", render(&found));
            }
            ExitCode::from(u8::from(!found.differ.is_empty()))
        }
        Ok(None) => report_trouble("there is no such decision here, or its customer has been erased"),
        Err(error) => report_trouble(&error.to_string()),
    }
}

fn one(engine: &Engine, id: DecisionId) -> Result<Option<Found>, EngineError> {
    let mut found = Found::default();
    Ok(engine.replay(id)?.map(|replayed| {
        found.add(id, &replayed);
        found
    }))
}

fn all(engine: &Engine) -> Result<Option<Found>, EngineError> {
    let progress = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {human_pos} decisions replayed, {per_sec}");
    progress.set_style(style.expect("the template is written here"));
    progress.enable_steady_tick(Duration::from_millis(200));
    let mut found = Found::default();
    engine.replay_all(&mut |id, replayed| {
        found.add(id, replayed);
        progress.inc(1);
    })?;
    progress.finish_and_clear();
    Ok(Some(found))
}

fn render(found: &Found) -> String {
    let mut text: String = found.differ.iter().map(|(id, why)| format!("{id} differs: {why}\n")).collect();
    text += &format!(
        "{} equal byte for byte ({} also with the model they name), {} differ\n",
        found.equal(),
        found.deep,
        found.differ.len()
    );
    text
}

fn to_json(found: &Found) -> Value {
    let differ: Vec<Value> =
        found.differ.iter().map(|(id, why)| json!({ "decision": id.to_string(), "why": why })).collect();
    json!({ "equal": found.equal(), "equal_with_model": found.deep, "differ": differ })
}

//! `attent inventory`: what is known, of how many, how well, and what is it good for?

use crate::{
    check::report_trouble,
    client::{CallError, Client},
    import::bar,
    opening,
};
use engine::{Engine, EngineError};
use insight::inventory::{Inventory, Plan, look, proposals, undeclared};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Look at what is known per attribute: coverage, age, reliability, contradictions, readers, use, and what is missing
///
/// Exit code 0: shown. 2: nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only names that came in undeclared, each with the TOML that would declare it
    #[arg(long)]
    proposals: bool,
    /// So many customers are enough; more are sampled
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    customers: u64,
    /// Picks the sample
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Folder of the store; no server may be using it
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Ask the server at this address instead
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// API key for the server
    #[arg(long, value_name = "KEY", env = "ATTENT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let found = match &arguments.url {
        Some(url) => over_http(arguments, url),
        None => {
            let opened = match opening::existing(&arguments.data) {
                Ok(opened) => opened,
                Err(error) => return error.report(),
            };
            let told = tell(&opened.engine, arguments);
            let closed = opened.engine.close();
            told.and_then(|told| closed.map(|()| told)).map_err(|error| CallError::Trouble(error.to_string()))
        }
    };
    match found {
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(CallError::No(trouble) | CallError::Trouble(trouble)) => report_trouble(&trouble),
    }
}

fn tell(engine: &Engine, arguments: &Arguments) -> Result<String, EngineError> {
    let published = engine.published();
    if arguments.proposals {
        let proposals = proposals(&published.strategy, &undeclared(engine));
        return Ok(match arguments.json {
            true => format!("{:#}", json!(proposals)),
            false => {
                let told = proposals
                    .iter()
                    .map(|proposal| format!("# dropped {} times\n{}", proposal.times, proposal.toml));
                proposed(told.collect())
            }
        });
    }
    let plan = Plan { customers: arguments.customers, seed: arguments.seed, ..Plan::default() };
    let bar = bar("looked at");
    bar.set_length(arguments.customers.saturating_mul(2).saturating_add(plan.decisions as u64));
    let found: Inventory = look(engine, plan, Timestamp::now(), &mut |done| {
        if done % 1024 == 0 {
            bar.set_position(done);
        }
    })?;
    bar.finish_and_clear();
    Ok(if arguments.json { format!("{:#}", json!(found)) } else { found.to_string() })
}

fn proposed(proposals: Vec<String>) -> String {
    match proposals.is_empty() {
        true => "Everything that came in is declared; there is nothing to propose.".to_owned(),
        false => proposals.join("\n"),
    }
}

fn over_http(arguments: &Arguments, url: &str) -> Result<String, CallError> {
    let client = Client::new(url, arguments.key.as_deref()).map_err(CallError::Trouble)?;
    if arguments.proposals {
        let proposals = client.get("/v1/inventory")?["proposals"].take();
        let toml = |proposal: &Value| proposal["toml"].as_str().unwrap_or_default().to_owned();
        return Ok(match arguments.json {
            true => format!("{proposals:#}"),
            false => proposed(proposals.as_array().into_iter().flatten().map(toml).collect()),
        });
    }
    match arguments.json {
        true => client.get("/v1/inventory").map(|json| format!("{json:#}")),
        false => client.get_text("/v1/inventory"),
    }
}

//! `attent models`: what does the model know, and how well does it foresee?

use crate::{
    check::report_trouble,
    client::{CallError, Client},
    opening,
};
use decision::strategy::Strategy;
use engine::{Engine, EngineError};
use insight::{
    models::{Models, report, tried},
    proxies,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

const THIRTY_DAYS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Look at what has been learned: how well each action is foreseen on each channel, and by which attributes
///
/// With `--gate`, whether a fact that decisions read gives a protected group away instead.
///
/// Exit code 0: shown. 1: the gate does not let the model through. 2: nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// One action, `issue/group/action`; all of them when left out
    #[arg(value_name = "ACTION")]
    action: Option<String>,
    /// Show instead what the facts that decisions read tell about protected attributes, and refuse a proxy
    #[arg(long, conflicts_with_all = ["action", "url"])]
    gate: bool,
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
    if arguments.gate {
        return gate(&arguments.data, None, arguments.json);
    }
    let found = match &arguments.url {
        Some(url) => over_http(arguments, url),
        None => {
            let opened = match opening::existing(&arguments.data) {
                Ok(opened) => opened,
                Err(error) => return error.report(),
            };
            let named = arguments.action.as_deref();
            let strategy = opened.engine.published();
            if let Some(action) = named.filter(|action| strategy.strategy.action_index(action).is_none()) {
                return report_trouble(&format!("no action is called `{action}`"));
            }
            let models = with_what_was_tried(&opened.engine, named);
            let closed = opened.engine.close();
            match models.and_then(|models| closed.map(|()| models)) {
                Ok(models) if arguments.json => Ok(format!("{:#}", json!(models))),
                Ok(models) => Ok(models.to_string()),
                Err(error) => return report_trouble(&error.to_string()),
            }
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

/// Whether a fact that a strategy's decisions read, the published one's without `strategy`, gives a protected group of
/// the customers in a store away.
pub fn gate(data: &Path, strategy: Option<&Strategy>, json: bool) -> ExitCode {
    let opened = match opening::existing(data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let published = opened.engine.published();
    let strategy = strategy.unwrap_or(&published.strategy);
    let proxies = proxies::look(&opened.engine, strategy, Timestamp::now());
    let closed = opened.engine.close();
    match proxies.and_then(|proxies| closed.map(|()| proxies)) {
        Ok(proxies) => {
            match json {
                true => println!("{:#}", json!(proxies)),
                false => print!("{proxies}"),
            }
            ExitCode::from(u8::from(!proxies.passes()))
        }
        Err(error) => report_trouble(&error.to_string()),
    }
}

/// The last thirty days of decisions tell what was tried.
fn with_what_was_tried(engine: &Engine, action: Option<&str>) -> Result<Models, EngineError> {
    let mut models = report(&engine.model(), action);
    if let Some(last) = engine.last_decided()? {
        let since = last.saturating_sub(THIRTY_DAYS).unwrap_or(Timestamp::MIN);
        models.tried = Some(tried(engine, since, Timestamp::MAX)?);
    }
    Ok(models)
}

fn over_http(arguments: &Arguments, url: &str) -> Result<String, CallError> {
    let client = Client::new(url, arguments.key.as_deref()).map_err(CallError::Trouble)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
    let path = match arguments.action.as_deref() {
        Some(action) if !action.bytes().all(plain) => {
            return Err(CallError::No(format!("no action is called `{action}`")));
        }
        Some(action) => format!("/v1/models?action={action}"),
        None => "/v1/models".to_owned(),
    };
    match arguments.json {
        true => client.get(&path).map(|json| format!("{json:#}")),
        false => client.get_text(&path),
    }
}

//! `attent explain`: why did a decision come out as it did?

use crate::{
    check::report_trouble,
    client::{CallError, Client},
    opening,
};
use decision::{
    explain::{Explanation, explain},
    id::{DecisionId, Language},
};
use engine::Engine;
use serde_json::Value;
use std::{path::PathBuf, process::ExitCode};

/// Explain a decision: why this and not that
///
/// Exit code 0: explained. 1: there is no such decision, or it cannot be made again from its record.
/// 2: nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id of the decision
    #[arg(value_name = "ID")]
    decision: DecisionId,
    /// For whom: the customer in plain words, an employee with the arithmetic, an auditor with everything
    #[arg(long, default_value = "employee", value_parser = ["customer", "employee", "auditor"])]
    reading: String,
    /// Language of the text, for example nl; the language of the decision when left out
    #[arg(long)]
    language: Option<String>,
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
    let id = arguments.decision;
    if let Some(url) = &arguments.url {
        return match over_http(arguments, url, id) {
            Ok(text) => print(&text),
            Err(CallError::No(no)) => refuse(&no),
            Err(CallError::Trouble(trouble)) => report_trouble(&trouble),
        };
    }
    let opened = match opening::existing(&arguments.data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let told = here(arguments, &opened.engine, id);
    if let Err(error) = opened.engine.close() {
        return report_trouble(&error.to_string());
    }
    match told {
        Ok(Ok(text)) => print(&text),
        Ok(Err(no)) => refuse(&no),
        Err(error) => report_trouble(&error.to_string()),
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

fn over_http(arguments: &Arguments, url: &str, id: DecisionId) -> Result<String, CallError> {
    let client = Client::new(url, arguments.key.as_deref()).map_err(CallError::Trouble)?;
    let mut path = format!("/v1/decisions/{id}?reading={}", arguments.reading);
    if let Some(language) = &arguments.language {
        let plain: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
        path += &format!("&language={plain}");
    }
    match arguments.json || arguments.reading == "auditor" {
        true => client.get(&path).map(|json| format!("{json:#}")),
        false => client.get_text(&path),
    }
}

type Told = Result<Result<String, String>, engine::EngineError>;

fn here(arguments: &Arguments, engine: &Engine, id: DecisionId) -> Told {
    let Some(record) = engine.decision(id)? else {
        return Ok(Err(format!("no decision here is `{id}`, or its customer has been erased")));
    };
    let published = engine.strategy_at(record.strategy)?;
    let strategy = &published.strategy;
    let asked = arguments.language.as_deref().and_then(|tag| strategy.spoken(tag));
    let language = asked.unwrap_or_else(|| decision::decide::language(strategy, &record.request).clone());
    Ok(explain(strategy, &record)
        .map(|explanation| read(arguments, &explanation, &language))
        .map_err(|error| error.to_string()))
}

fn read(arguments: &Arguments, explanation: &Explanation, language: &Language) -> String {
    let json = |read: Result<Value, serde_json::Error>| format!("{:#}", read.unwrap_or(Value::Null));
    match (arguments.reading.as_str(), arguments.json) {
        ("customer", false) => explanation.customer(language).text(),
        ("customer", true) => json(serde_json::to_value(explanation.customer(language))),
        ("employee", false) => explanation.employee(language).text(),
        ("employee", true) => json(serde_json::to_value(explanation.employee(language))),
        _ => json(serde_json::to_value(explanation.auditor())),
    }
}

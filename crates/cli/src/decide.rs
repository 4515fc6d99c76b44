//! `attent decide`: what would be said to this customer now?

use crate::{
    check::report_trouble,
    client::{CallError, Client},
    opening::{self, Opened},
};
use serde_json::{Map, Value};
use server::{App, Settings};
use std::{
    fs,
    io::{self, Read},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

/// Time for a decision without a server; there is nobody else to wait for.
const DECIDE_WITHIN: Duration = Duration::from_secs(30);

/// Ask for one decision
///
/// REQUEST is the body of POST /v1/decide, for example
/// {"channel": "web", "placements": [{"placement": "web_home"}]}.
/// Ask a running server with --url, a store with --data, or a strategy alone with --strategy; a strategy
/// alone knows no customers.
///
/// Exit code 0: decided, which may be silence. 1: the question names what the strategy does not have, or
/// a neutral default was given. 2: nothing could be asked.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// JSON, or a file with it, or - for standard input
    #[arg(value_name = "REQUEST", default_value = "-")]
    request: String,
    /// Ask the server at this address
    #[arg(long, value_name = "URL", env = "ATTENT_URL", conflicts_with_all = ["data", "strategy"])]
    url: Option<String>,
    /// API key for the server
    #[arg(long, value_name = "KEY", env = "ATTENT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Ask the store in this folder; no server may be using it
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Decide by the strategy in this folder
    #[arg(long, value_name = "DIR")]
    strategy: Option<PathBuf>,
    /// Preview: leave no trace in history, budgets or learning
    #[arg(long)]
    dry_run: bool,
    /// Add the explanation for this reader
    #[arg(long, value_name = "READING", value_parser = ["customer", "employee", "auditor"])]
    explain: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let answer = question(arguments).and_then(|question| ask(arguments, &question));
    let answer = match answer {
        Ok(answer) => answer,
        Err(Refusal::No(message)) => {
            eprintln!("attent: {message}");
            return ExitCode::from(1);
        }
        Err(Refusal::Trouble(trouble)) => return report_trouble(&trouble),
        Err(Refusal::Shown(code)) => return code,
    };
    if arguments.json {
        println!("{answer:#}");
    } else {
        print!("{}", render(&answer));
    }
    ExitCode::from(u8::from(answer["default"] == true))
}

/// Why there is no answer.
enum Refusal {
    /// The question cannot be asked of this strategy.
    No(String),
    /// Nothing could be asked.
    Trouble(String),
    /// The user has been told already.
    Shown(ExitCode),
}

impl From<opening::NotOpened> for Refusal {
    fn from(error: opening::NotOpened) -> Self {
        Self::Shown(error.report())
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        match error {
            CallError::No(message) => Self::No(message),
            CallError::Trouble(message) => Self::Trouble(message),
        }
    }
}

fn question(arguments: &Arguments) -> Result<String, Refusal> {
    let text = text(&arguments.request).map_err(Refusal::Trouble)?;
    let parsed = serde_json::from_str::<Map<String, Value>>(&text);
    let mut question =
        parsed.map_err(|error| Refusal::Trouble(format!("the request is not a JSON object: {error}")))?;
    if arguments.dry_run {
        question.insert("dry_run".into(), Value::Bool(true));
    }
    if let Some(reading) = &arguments.explain {
        question.insert("explain".into(), Value::String(reading.clone()));
    }
    Ok(Value::Object(question).to_string())
}

fn text(request: &str) -> Result<String, String> {
    if request.trim_start().starts_with('{') {
        return Ok(request.to_owned());
    }
    if request == "-" {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| format!("cannot read standard input: {error}"))?;
        return Ok(text);
    }
    fs::read_to_string(request).map_err(|error| format!("cannot read `{request}`: {error}"))
}

fn ask(arguments: &Arguments, question: &str) -> Result<Value, Refusal> {
    if let Some(url) = &arguments.url {
        let client = Client::new(url, arguments.key.as_deref()).map_err(Refusal::Trouble)?;
        return client.post("/v1/decide", question).map_err(Refusal::from);
    }
    let opened = match (&arguments.strategy, &arguments.data) {
        (Some(strategy), data) => opening::with_strategy(strategy, data.as_deref())?,
        (None, Some(data)) => opening::existing(data)?,
        (None, None) => {
            return Err(Refusal::Trouble("say whom to ask: --url, --data or --strategy".into()));
        }
    };
    ask_here(opened, question)
}

fn ask_here(Opened { engine, store }: Opened, question: &str) -> Result<Value, Refusal> {
    let trouble = |error: &dyn std::fmt::Display| Refusal::Trouble(error.to_string());
    let settings = Settings { decide_within: DECIDE_WITHIN, ..Settings::default() };
    let app = Arc::new(App::new(engine.clone(), store, settings).map_err(|error| trouble(&error))?);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| trouble(&error))?;
    let answered = runtime.block_on(server::answer(&app, question.as_bytes(), false, true));
    engine.close().map_err(|error| trouble(&error))?;
    let answer = answered.map_err(|problem| Refusal::No(problem.message().to_owned()))?;
    serde_json::to_value(answer).map_err(|error| trouble(&error))
}

fn render(answer: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut text = match answer["default"] == true {
        true => format!("no decision ({}); the neutral default:\n", word(&answer["reason"])),
        false if answer["dry_run"] == true => {
            format!("{} (a preview, not recorded)\n", word(&answer["decision"]))
        }
        false => format!("{}\n", word(&answer["decision"])),
    };
    for slot in answer["slots"].as_array().into_iter().flatten() {
        let place = format!("{} · slot {}", word(&slot["placement"]), slot["slot"]);
        let chance = slot["probability"]
            .as_f64()
            .map_or(String::new(), |chance| format!(" · picked with {:.0} %", chance * 100.0));
        match slot["action"].as_str() {
            Some(action) => text += &format!("{place} · {action}{chance}\n"),
            None if slot["silence"].is_object() => {
                text += &format!("{place} · silence: {}{chance}\n", word(&slot["silence"]["sentence"]))
            }
            None => text += &format!("{place}\n"),
        }
        for part in [&slot["title"], &slot["body"]] {
            if let Some(line) = part.as_str() {
                text += &format!("    {line}\n");
            }
        }
    }
    if let Some(explanation) = answer["explanation_text"].as_str() {
        text += &format!("\n{}\n", explanation.trim_end());
    } else if answer["explanation"].is_object() {
        text += &format!("\n{:#}\n", answer["explanation"]);
    }
    text
}

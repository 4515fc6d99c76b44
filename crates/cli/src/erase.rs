//! `attent erase`: how is a person forgotten?

use crate::{
    check::report_trouble,
    client::{CallError, Client, report},
    opening, whom,
};
use engine::{EngineError, Identifier};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode};

/// Erase a person, by identifiers
///
/// Everything that the identifiers lead to goes at once, with all identifiers of the same person, and what was learned
/// from the person with it. Old events about them are refused from then on; newer ones are about somebody
/// new. A running server is asked with --url, and learns again within a day.
///
/// Exit code 0: erased, or nobody was known; the certificate says what went. 1: the identifiers lead to several
/// persons. 2: nothing was erased for another reason.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What is known of the person, for example user_id=42; at least one
    #[arg(long = "identifier", value_name = "KIND=VALUE", required = true, value_parser = whom::identifier)]
    identifiers: Vec<Identifier>,
    /// Folder of the store; no server may be using it
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Ask the server at this address instead
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// API key for the server
    #[arg(long, value_name = "KEY", env = "ATTENT_KEY", hide_env_values = true)]
    key: Option<String>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let erased = match &arguments.url {
        Some(url) => over_http(arguments, url),
        None => match opening::existing(&arguments.data) {
            Ok(opened) => {
                let erased = here(arguments, &opened.engine);
                match opened.engine.close() {
                    Ok(()) => erased,
                    Err(error) => return report_trouble(&error.to_string()),
                }
            }
            Err(error) => return error.report(),
        },
    };
    report(erased.map(|certificate| println!("{certificate:#}")))
}

fn over_http(arguments: &Arguments, url: &str) -> Result<Value, CallError> {
    let client = Client::new(url, arguments.key.as_deref()).map_err(CallError::Trouble)?;
    let identifiers = whom::json(&arguments.identifiers);
    client.post("/v1/customers/erase", &json!({ "identifiers": identifiers }).to_string())
}

fn here(arguments: &Arguments, engine: &engine::Engine) -> Result<Value, CallError> {
    let erased = || {
        let at = jiff::Timestamp::now();
        let (certificate, ticket) = engine.erase(&arguments.identifiers, None, at)?;
        ticket.wait()?;
        engine.finish_erasures(at)?;
        Ok(certificate)
    };
    match erased() {
        Ok(certificate) => Ok(serde_json::to_value(certificate).unwrap_or(Value::Null)),
        Err(error @ EngineError::SeveralPersons) => Err(CallError::No(error.to_string())),
        Err(error) => Err(CallError::Trouble(error.to_string())),
    }
}

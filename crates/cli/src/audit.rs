//! `attent audit`: what was done, and whose data did a key read?

use crate::{
    check::report_trouble,
    client::{CallError, Client},
    opening,
};
use engine::{
    Engine,
    audit::{Filter, Kind, Place},
};
use jiff::Timestamp;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

/// Entries read at once.
const PAGE: usize = 1_000;

/// Read what was done, and by which key
///
/// `attent audit --kind read --api-key atk_… --from … --until …` tells whose data a key read between two moments.
/// One entry per line, as JSON.
///
/// Exit code 0: read. 2: nothing could be read.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only this kind, for example read, erasure or publication
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Only what was done with the API key of this prefix
    #[arg(long, value_name = "PREFIX")]
    api_key: Option<String>,
    /// From this moment on (RFC 3339)
    #[arg(long, value_name = "MOMENT")]
    from: Option<Timestamp>,
    /// Before this moment (RFC 3339)
    #[arg(long, value_name = "MOMENT")]
    until: Option<Timestamp>,
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

fn kind(word: &str) -> Result<Kind, String> {
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| format!("a kind is {}", words.join(", ")))
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let read = match &arguments.url {
        Some(url) => over_http(arguments, url),
        None => match opening::existing(&arguments.data) {
            Ok(opened) => {
                let read = here(arguments, &opened.engine);
                opened.engine.close().and(read).map_err(|error| CallError::Trouble(error.to_string()))
            }
            Err(error) => return error.report(),
        },
    };
    match read {
        Ok(()) => ExitCode::SUCCESS,
        Err(CallError::No(trouble) | CallError::Trouble(trouble)) => report_trouble(&trouble),
    }
}

fn here(arguments: &Arguments, engine: &Engine) -> Result<(), engine::EngineError> {
    let filter = Filter {
        kind: arguments.kind,
        by: arguments.api_key.clone(),
        from: arguments.from,
        until: arguments.until,
    };
    let mut after: Option<Place> = None;
    loop {
        let page = engine.audit(&filter, after, PAGE)?;
        for noted in &page {
            let entry = &noted.entry;
            let line = json!({
                "place": { "chain": noted.place.chain, "number": noted.place.number },
                "at_ms": entry.at_ms,
                "kind": entry.kind.as_str(),
                "key": entry.by,
                "about": entry.about,
                "customer": noted.customer.map(|customer| customer.to_string()),
            });
            println!("{line}");
        }
        match page.last().filter(|_| page.len() == PAGE) {
            Some(last) => after = Some(last.place),
            None => return Ok(()),
        }
    }
}

fn over_http(arguments: &Arguments, url: &str) -> Result<(), CallError> {
    let client = Client::new(url, arguments.key.as_deref()).map_err(CallError::Trouble)?;
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let fields = [
        ("kind", arguments.kind.map(|kind| kind.as_str().to_owned())),
        ("key", arguments.api_key.clone()),
        ("from", moment(arguments.from)),
        ("until", moment(arguments.until)),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", plain(&value?))));
    let asked: Vec<String> = given.collect();
    let mut after = String::new();
    loop {
        let page = client.get(&format!("/v1/audit?{}{after}", asked.join("&")))?;
        for entry in page["entries"].as_array().into_iter().flatten() {
            println!("{entry}");
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={}", plain(next)),
            None => return Ok(()),
        }
    }
}

/// Text as it may stand in a query.
fn plain(text: &str) -> String {
    let escaped = |byte: u8| match byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}

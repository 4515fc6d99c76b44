//! How does a command talk to a running server? Over its public API, as any other client.

use crate::check::report_trouble;
use serde_json::Value;
use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

/// Time for a whole call.
const WITHIN: Duration = Duration::from_secs(30);
/// What is sent and wanted.
const ACCEPTED: &str = "application/json";

/// Where a server is, and the key to it.
#[derive(Debug, clap::Args)]
pub struct ServerAt {
    /// Address of the server
    #[arg(long, value_name = "URL", global = true, default_value = "http://127.0.0.1:7878")]
    url: String,
    /// API key for the server
    #[arg(long, value_name = "KEY", env = "ATTENT_KEY", hide_env_values = true, global = true)]
    key: Option<String>,
}

impl ServerAt {
    /// The server.
    ///
    /// # Errors
    /// As for [`Client::new`].
    pub fn client(&self) -> Result<Client, CallError> {
        Client::new(&self.url, self.key.as_deref()).map_err(CallError::Trouble)
    }
}

/// Says what went wrong, and ends with 0, 1 for "no" or 2 for trouble.
pub fn report(done: Result<(), CallError>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(CallError::No(no)) => {
            eprintln!("attent: {no}");
            ExitCode::from(1)
        }
        Err(CallError::Trouble(trouble)) => report_trouble(&trouble),
    }
}

/// Why there is no answer.
pub enum CallError {
    /// The server says that this cannot be asked, or is not there.
    No(String),
    /// The server cannot be reached, does not know the key, or is in trouble.
    Trouble(String),
}

/// A server and the key to it.
pub struct Client {
    url: String,
    key: String,
    agent: ureq::Agent,
}

impl Client {
    /// A server by the address of its page.
    ///
    /// # Errors
    /// A sentence when there is no key, or the address is not one that can be called from here.
    pub fn new(url: &str, key: Option<&str>) -> Result<Self, String> {
        let key = key.ok_or("a server wants a key: give it with --key or in ATTENT_KEY")?;
        if !url.starts_with("http://") {
            return Err(format!(
                "`{url}` must start with http://; over https use curl, which `attent serve` shows on its page"
            ));
        }
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(WITHIN)).build();
        Ok(Self { url: url.trim_end_matches('/').to_owned(), key: key.to_owned(), agent: config.into() })
    }

    /// Sends JSON and gives what came back.
    ///
    /// # Errors
    /// A sentence when the server cannot be reached or refuses.
    pub fn post(&self, path: &str, body: &str) -> Result<Value, CallError> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        read(request.header("Content-Type", ACCEPTED).send(body).map_err(|error| self.unreachable(&error))?)
    }

    /// Sends JSON and gives the text that came back.
    ///
    /// # Errors
    /// As for [`Client::post`].
    pub fn post_text(&self, path: &str, body: &str) -> Result<String, CallError> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        let sent = request.header("Content-Type", ACCEPTED).send(body);
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return response.body_mut().read_to_string().map_err(|error| broke_off(&error));
        }
        read(response).map(|json| json.to_string())
    }

    /// Deletes.
    ///
    /// # Errors
    /// As for [`Client::post`].
    pub fn delete(&self, path: &str) -> Result<(), CallError> {
        let request = self.agent.delete(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        read(request.call().map_err(|error| self.unreachable(&error))?).map(drop)
    }

    /// Gets JSON.
    ///
    /// # Errors
    /// As for [`Client::post`].
    pub fn get(&self, path: &str) -> Result<Value, CallError> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        read(request.header("Accept", ACCEPTED).call().map_err(|error| self.unreachable(&error))?)
    }

    /// Gets plain text, or JSON where there is no text.
    ///
    /// # Errors
    /// As for [`Client::post`].
    pub fn get_text(&self, path: &str) -> Result<String, CallError> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        let mut response =
            request.header("Accept", "text/plain").call().map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return response.body_mut().read_to_string().map_err(|error| broke_off(&error));
        }
        read(response).map(|json| json.to_string())
    }

    /// Passes what comes back on to `out`, however long that takes.
    ///
    /// # Errors
    /// As for [`Client::post`], or `out` does not take it.
    pub fn download(&self, path: &str, out: &mut dyn Write) -> Result<(), CallError> {
        let request = self.agent.get(format!("{}{path}", self.url)).config().timeout_global(None).build();
        let sent = request.header("X-API-Key", &self.key).call();
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return read(response).map(drop);
        }
        let copied = io::copy(&mut response.body_mut().as_reader(), out);
        copied.map(drop).map_err(|error| CallError::Trouble(format!("the answer broke off: {error}")))
    }

    fn unreachable(&self, error: &ureq::Error) -> CallError {
        CallError::Trouble(format!("no server answers at `{}`: {error}", self.url))
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Value, CallError> {
    let status = response.status();
    let text = response.body_mut().read_to_string().map_err(|error| broke_off(&error))?;
    let json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(json);
    }
    let said = json.get("message").and_then(Value::as_str);
    let message = format!("the server refuses: {}", said.unwrap_or(status.as_str()));
    Err(match status.as_u16() {
        400 | 404 | 409 | 413 | 422 => CallError::No(message),
        _ => CallError::Trouble(message),
    })
}

fn broke_off(error: &ureq::Error) -> CallError {
    CallError::Trouble(format!("the answer broke off: {error}"))
}

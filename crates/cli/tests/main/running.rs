//! A server with its usual deadline, asked by many at once.

use crate::ENERGY;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use ureq::Agent;

/// The server's usual time for a decision.
pub const DEADLINE: Duration = Duration::from_millis(100);

/// A running server.
pub struct Running {
    pub child: Child,
    pub url: String,
    pub key: String,
}

/// A status and a body.
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub retry_after: bool,
}

impl Running {
    /// Starts a server on this folder, under another program when `wrapper` is not empty. `key` is one made
    /// before in this folder.
    pub fn start(data: &Path, wrapper: &[&str], key: Option<&str>) -> Self {
        let attent = [env!("CARGO_BIN_EXE_attent"), "serve", "--json", "--listen", "127.0.0.1:0"];
        let arguments = [wrapper, &attent, &["--learn-every", "2", "--strategy", ENERGY, "--data"]].concat();
        let mut child = Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(data)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("the server tells where it is");
        let key = told["key"].as_str().or(key).expect("a key").to_owned();
        Self { child, url: told["url"].as_str().unwrap().to_owned(), key }
    }

    /// Somebody who asks over connections of their own.
    pub fn client(&self) -> Client {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Client { agent: config.into(), url: self.url.clone(), key: self.key.clone() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Somebody who asks.
pub struct Client {
    agent: Agent,
    url: String,
    key: String,
}

impl Client {
    /// `None` when there was no answer.
    pub fn post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        read(request.send(body.to_string()))
    }

    pub fn get(&self, path: &str) -> Option<Answer> {
        read(self.agent.get(format!("{}{path}", self.url)).header("X-API-Key", &self.key).call())
    }

    pub fn decide(&self, user: u64) -> Option<Answer> {
        let user = user.to_string();
        let asked = json!({"identifiers": {"user_id": user}, "channel": "web", "placements": [{"placement": "web_home"}]});
        self.post("/v1/decide", &asked)
    }
}

fn read(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Option<Answer> {
    let mut answer = answer.ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some(Answer {
        status: answer.status().as_u16(),
        json: serde_json::from_str(&text).unwrap_or_default(),
        retry_after: answer.headers().contains_key("retry-after"),
    })
}

/// One decision as its asker saw it.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub took: Duration,
    pub is_default: bool,
}

/// Asks with that many clients, each pausing between questions, for as long as `goes_on`.
pub fn ask(
    running: &Running,
    clients: u64,
    pause: Duration,
    goes_on: &(dyn Fn(Duration) -> bool + Sync),
) -> Vec<Asked> {
    let begin = Instant::now();
    let one = |user: u64| {
        let client = running.client();
        let mut seen = Vec::new();
        while goes_on(begin.elapsed()) {
            let start = Instant::now();
            let answer = client.decide(user).expect("every question gets an answer");
            assert_eq!(answer.status, 200, "{}", answer.json);
            let is_default = answer.json["default"].as_bool().expect("a decision or a default");
            seen.push(Asked { took: start.elapsed(), is_default });
            std::thread::sleep(pause);
        }
        seen
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..clients).map(|user| scope.spawn(move || one(user))).collect();
        asking.into_iter().flat_map(|asked| asked.join().unwrap()).collect()
    })
}

/// Prints what was seen, and returns how many were decided and how many got the default.
pub fn tell(what: &str, asked: &[Asked]) -> (usize, usize) {
    let defaults = asked.iter().filter(|asked| asked.is_default).count();
    let mut took: Vec<Duration> = asked.iter().map(|asked| asked.took).collect();
    took.sort();
    let at = |share: f64| took.get(((took.len() - 1) as f64 * share) as usize).copied().unwrap_or_default();
    let in_time = took.iter().filter(|took| **took <= DEADLINE + Duration::from_millis(10)).count();
    eprintln!(
        "{what}: {} questions, {defaults} defaults, {:.3} % within the deadline and 10 ms; p50 {:.1?}, p99 {:.1?}, p99.9 {:.1?}, longest {:.1?}",
        asked.len(),
        100.0 * in_time as f64 / took.len() as f64,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
    );
    (asked.len() - defaults, defaults)
}

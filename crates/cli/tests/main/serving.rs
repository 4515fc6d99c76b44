//! A server as a user starts and stops it, and the commands that ask it or read what it left.

use crate::{ENERGY, attent, fresh_folder, stderr, stdout};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

pub struct Serving {
    child: Child,
    pub url: String,
    pub key: Option<String>,
}

impl Serving {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    fn start_with(data: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_attent"))
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--deadline-ms", "60000"])
            .args(["--strategy", ENERGY, "--data"])
            .arg(data)
            .args(more)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("the server tells where it is");
        let key = told["key"].as_str().map(str::to_owned);
        Self { child, url: told["url"].as_str().unwrap().to_owned(), key }
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        let request =
            ureq::post(format!("{}{path}", self.url)).header("X-API-Key", self.key.as_ref().unwrap());
        let mut answer = request.send(body.to_string()).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    pub fn decide(&self) -> String {
        let asked = json!({"identifiers": {"user_id": "42"}, "channel": "web", "placements": [{"placement": "web_home"}]});
        let answer = self.post("/v1/decide", &asked);
        assert_eq!(answer["default"], false, "{answer}");
        answer["decision"].as_str().unwrap().to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn what_was_answered_survives_a_sudden_death_and_is_equal_in_a_fresh_process() {
    let data = fresh_folder("sudden_death");
    let mut serving = Serving::start(&data);
    let known = json!({"id": "1", "event": "customer_registered", "identifiers": {"user_id": "42"},
        "properties": {"first_name": "Noor", "monthly_amount": 180, "bill_increase_percent": 30}});
    assert_eq!(serving.post("/v1/events", &known)["accepted"], 1);
    let decisions: Vec<String> = (0..5).map(|_| serving.decide()).collect();
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();

    let folder = data.to_str().unwrap();
    let replayed = attent(&["replay", "--all", "--json", "--data", folder]);
    assert_eq!(replayed.status.code(), Some(0), "{}", stderr(&replayed));
    let found: Value = serde_json::from_str(&stdout(&replayed)).unwrap();
    assert_eq!((&found["equal"], &found["equal_with_model"]), (&json!(5), &json!(5)));
    for id in &decisions {
        assert_eq!(attent(&["replay", id, "--data", folder]).status.code(), Some(0));
    }
    let told =
        attent(&["explain", &decisions[0], "--reading", "customer", "--language", "nl", "--data", folder]);
    assert!(stdout(&told).contains("Morgenlicht"), "{}", stdout(&told));
    let again = Serving::start(&data);
    assert_eq!(again.key, None, "a key is shown once");
}

#[test]
fn a_decision_can_be_asked_and_explained_from_the_command_line() {
    let data = fresh_folder("asked");
    let serving = Serving::start(&data);
    let key = serving.key.clone().unwrap();
    let ask = |request: &str| attent(&["decide", request, "--url", &serving.url, "--key", &key, "--json"]);
    let answer = ask(r#"{"channel": "web", "placements": [{"placement": "web_home"}]}"#);
    assert_eq!(answer.status.code(), Some(0), "{}", stderr(&answer));
    let answer: Value = serde_json::from_str(&stdout(&answer)).unwrap();
    let id = answer["decision"].as_str().unwrap();
    let told = attent(&["explain", id, "--url", &serving.url, "--key", &key]);
    assert!(stdout(&told).contains(id), "{}", stderr(&told));
    let refused = ask(r#"{"channel": "wbe", "placements": [{"placement": "web_home"}]}"#);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("did you mean `web`?"), "{}", stderr(&refused));
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_stop_closes_its_store_and_says_it_is_done() {
    let data = fresh_folder("asked_to_stop");
    let mut serving = Serving::start(&data);
    serving.decide();
    let id = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert_eq!(attent(&["replay", "--all", "--data", data.to_str().unwrap()]).status.code(), Some(0));
}

#[test]
fn a_strategy_alone_can_be_asked_what_it_says_to_somebody_unknown() {
    let request = r#"{"channel": "web", "placements": [{"placement": "web_home"}], "language": "en"}"#;
    let answer = attent(&["decide", request, "--strategy", ENERGY, "--dry-run", "--explain", "employee"]);
    assert_eq!(answer.status.code(), Some(0), "{}", stderr(&answer));
    let text = stdout(&answer);
    assert!(text.contains("a preview, not recorded") && text.contains("web_home · slot 0"), "{text}");
    assert_eq!(attent(&["decide", "{", "--strategy", ENERGY]).status.code(), Some(2));
    assert_eq!(attent(&["decide", request]).status.code(), Some(2));
}

#[test]
fn a_lost_key_is_replaced_by_whoever_can_start_the_server() {
    let folder = fresh_folder("lost-key");
    let data = folder.join("data");
    let first = Serving::start(&data);
    assert!(first.key.is_some());
    drop(first);
    let again = Serving::start(&data);
    assert_eq!(again.key, None);
    drop(again);
    let replaced = Serving::start_with(&data, &["--new-key"]);
    assert!(replaced.key.is_some());
    replaced.decide();
}

#[test]
fn what_stands_in_the_way_of_starting_gets_a_sentence_that_helps() {
    let data = fresh_folder("in_the_way");
    let serving = Serving::start(&data);
    let (folder, other) = (data.to_str().unwrap(), fresh_folder("in_the_way_too"));
    let taken = serving.url.strip_prefix("http://").unwrap();
    let table: [(&[&str], &str); 6] = [
        (&["serve", "--strategy", ENERGY, "--memory", "--listen", taken], "is in use already"),
        (
            &["serve", "--strategy", ENERGY, "--data", folder, "--listen", "127.0.0.1:0"],
            "already in use by another process",
        ),
        (
            &["serve", "--strategy", "nowhere", "--memory"],
            "`nowhere` does not exist; name a strategy folder with --strategy",
        ),
        (&["replay", "--all", "--data", other.to_str().unwrap()], "there is no store in"),
        (&["explain", "17", "--data", folder], "an id here is `d_` followed by 32 hexadecimal digits"),
        (&["decide", "{}", "--url", "http://127.0.0.1:1", "--key", "k"], "no server answers at"),
    ];
    for (arguments, sentence) in table {
        let output = attent(arguments);
        assert!(stderr(&output).contains(sentence), "{arguments:?}: {}", stderr(&output));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

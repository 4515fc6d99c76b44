//! Forget me: whatever a client can fill in about a person is nowhere any more after an erasure, not in a file, not
//! in an answer, not after the old events came again, and not after yesterday's backup was brought back.

use crate::{ENERGY, attent, fresh_folder, stderr, stdout};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// Begins every text that only this person's data holds.
const CANARY: &str = "kanarie7f3a";
/// The household of this person and somebody else.
const HOUSEHOLD: &str = "house 9";

struct Serving {
    child: Child,
    url: String,
    key: String,
}

impl Serving {
    fn start(data: &Path, log: &Path, key: Option<String>) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_attent"))
            .args([
                "serve",
                "--json",
                "--listen",
                "127.0.0.1:0",
                "--deadline-ms",
                "60000",
                "--learn-every",
                "1",
            ])
            .args(["--strategy", ENERGY, "--data"])
            .arg(data)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("the server tells where it is");
        let key = key.unwrap_or_else(|| told["key"].as_str().unwrap().to_owned());
        Self { child, url: told["url"].as_str().unwrap().to_owned(), key }
    }

    fn post(&self, path: &str, body: &Value) -> (u16, String) {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent: ureq::Agent = config.into();
        let request = agent.post(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        let mut answer = request.send(body.to_string()).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    fn get(&self, path: &str) -> String {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent: ureq::Agent = config.into();
        let request = agent.get(format!("{}{path}", self.url)).header("X-API-Key", &self.key);
        request.call().unwrap().body_mut().read_to_string().unwrap()
    }

    /// Tells everything that can be told of the person; what is accepted and what is not.
    fn tell_all(&self, at: &str) -> Vec<String> {
        let who = identifiers();
        let event = |id: &str, body: Value| {
            let mut event = json!({"id": format!("{CANARY}-{id}"), "identifiers": who, "at": at});
            event.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            self.post("/v1/events", &event).1
        };
        let registered = json!({"first_name": format!("{CANARY}-name"), "monthly_amount": 180,
            "bill_increase_percent": 30, format!("{CANARY}@property"): format!("{CANARY}-undeclared")});
        let before_known = event("e3", json!({"event": format!("{CANARY}-no-event")}));
        let before_moving =
            event("e0", json!({"event": "customer_updated", "household": format!("{CANARY}-home")}));
        let attributes = json!({"first_name": format!("{CANARY}-other"), "nobody_declares": format!("{CANARY}-x"),
            "people_at_home": 7});
        let mut answers = vec![
            event(
                "e1",
                json!({"event": "customer_registered", "properties": registered, "household": HOUSEHOLD}),
            ),
            event("e2", json!({"event": "customer_updated", "attributes": attributes})),
            before_known,
            event("e4", json!({"event": "customer_registered", "evnt": format!("{CANARY}-malformed")})),
        ];
        answers.push(before_moving);
        for purpose in ["personal_offers", &format!("{CANARY}-purpose")] {
            let consent = json!({"identifiers": who, "purpose": purpose, "status": "given", "at": at});
            answers.push(self.post("/v1/consents", &consent).1);
        }
        answers
    }

    /// Somebody else of the household; returns what is known of them.
    fn housemate(&self) -> Value {
        let who = json!({"user_id": "eva"});
        let event =
            json!({"id": "eva", "event": "customer_updated", "identifiers": who, "household": HOUSEHOLD});
        self.post("/v1/events", &event);
        let known = self.post("/v1/customers/lookup", &json!({"identifiers": who})).1;
        serde_json::from_str(&known).unwrap()
    }

    fn decide(&self) -> String {
        let asked = json!({"identifiers": identifiers(), "channel": "web", "language": "en",
            "context": {format!("{CANARY}"): format!("{CANARY}-context")},
            "placements": [{"placement": "web_home"}]});
        let plain = json!({"identifiers": identifiers(), "channel": "web", "placements": [{"placement": "web_home"}]});
        self.post("/v1/decide", &asked);
        let answer: Value = serde_json::from_str(&self.post("/v1/decide", &plain).1).unwrap();
        let decision = answer["decision"].as_str().unwrap().to_owned();
        for outcome in ["displayed", "clicked", &format!("{CANARY}-outcome")] {
            let report = json!({"decision": decision, "slot": 0, "outcome": outcome});
            self.post("/v1/outcomes", &report);
        }
        decision
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn identifiers() -> Value {
    json!({"user_id": format!("{CANARY}-user"), "email": format!("{CANARY}@example.org")})
}

/// The files under a folder in which the canary, or one of these clues, is found.
fn singing(folder: &Path, clues: &[Vec<u8>]) -> Vec<String> {
    singing_of(folder, &[&[CANARY.as_bytes().to_vec()], clues].concat())
}

fn singing_of(folder: &Path, needles: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(singing_of(&path, needles));
            continue;
        }
        let content = fs::read(&path).unwrap();
        let written = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if needles.iter().any(|needle| memmem(&content[..written], needle)) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// What leads to, or opens, anybody's data in a store that nobody uses: hashes of identifiers, and customers' keys
/// as they are wrapped.
fn clues(data: &Path) -> BTreeSet<Vec<u8>> {
    let copy = fresh_folder("forget_me_copy");
    for item in fs::read_dir(data.join("data")).unwrap() {
        copy_all(&item.unwrap().path(), &copy);
    }
    let database = fjall::Database::builder(&copy).open().unwrap();
    let rows = |name: &str| {
        let keyspace = database.keyspace(name, fjall::KeyspaceCreateOptions::default).unwrap();
        let rows = keyspace.iter().map(|row| row.into_inner().unwrap());
        rows.map(|(key, value)| (key.to_vec(), value.to_vec())).collect::<Vec<_>>()
    };
    let keys = rows("keys").into_iter().filter(|(key, _)| key != b"proof").map(|(_, wrapped)| wrapped);
    keys.chain(rows("identifier").into_iter().map(|(hash, _)| hash)).collect()
}

fn copy_all(from: &Path, folder: &Path) {
    let to = folder.join(from.file_name().unwrap());
    if from.is_dir() {
        fs::create_dir_all(&to).unwrap();
        fs::read_dir(from).unwrap().for_each(|item| copy_all(&item.unwrap().path(), &to));
    } else {
        fs::copy(from, to).unwrap();
    }
}

fn memmem(content: &[u8], needle: &[u8]) -> bool {
    let mut rest = content;
    while let Some(at) = rest.iter().position(|byte| *byte == needle[0]) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

const READINGS: [&str; 13] = [
    "/v1/rejects",
    "/v1/audit",
    "/v1/audit/head",
    "/v1/experiments",
    "/v1/models",
    "/v1/strategy",
    "/v1/keys",
    "/metrics",
    "/v1/customers/conflicts",
    "/v1/audit/reads?key=atk_",
    "/v1/queue",
    "/v1/contested",
    "/v1/token-keys",
];

fn hears_nothing(serving: &Serving, decision: &str) {
    for path in READINGS {
        assert!(!serving.get(path).contains(CANARY), "{path}");
    }
    assert!(serving.get(&format!("/v1/decisions/{decision}")).contains("unknown_decision"));
    let (status, _) = serving.post("/v1/customers/lookup", &json!({"identifiers": identifiers()}));
    assert_eq!(status, 404);
}

fn verified(data: &str) {
    let verified = attent(&["verify", "--data", data]);
    assert_eq!(verified.status.code(), Some(0), "{}{}", stdout(&verified), stderr(&verified));
}

#[cfg(unix)]
#[test]
fn who_is_forgotten_is_found_nowhere_again() {
    let folder = fresh_folder("forget_me");
    let (data, log, backup) = (folder.join("data"), folder.join("log"), folder.join("backup"));
    let (data_text, backup_text) = (data.to_str().unwrap(), backup.to_str().unwrap());
    let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1)).to_string();
    let serving = Serving::start(&data, &log, None);
    let key = serving.key.clone();
    let told = serving.tell_all(&at);
    assert!(told[0].contains("\"accepted\":1") && told[2].contains("unknown_event"), "{told:?}");
    let decision = serving.decide();
    assert!(serving.get("/v1/rejects").contains(CANARY), "the search finds what is there");
    let looked = serving.post("/v1/customers/lookup", &json!({"identifiers": identifiers()})).1;
    assert!(looked.contains(CANARY), "{looked}");
    assert_eq!(serving.housemate()["household"]["people_at_home"]["value"], 7.0);
    let saved = attent(&["backup", backup_text, "--url", &serving.url, "--key", &key]);
    assert_eq!(saved.status.code(), Some(0), "{}", stderr(&saved));

    serving.stop();
    assert_ne!(singing(&data, &[]), Vec::<String>::new(), "rejected input is there in plain words");
    let before = clues(&data);
    assert_eq!(before.len(), 2 + 3, "two customers' keys, three identifiers");
    for clue in &before {
        let found = singing_of(&data, std::slice::from_ref(clue));
        assert_ne!(found, Vec::<String>::new(), "the search finds what is there");
    }
    let serving = Serving::start(&data, &log, Some(key.clone()));

    let whom: Vec<String> = vec![format!("user_id={CANARY}-user")];
    let erased = attent(&["erase", "--identifier", &whom[0], "--url", &serving.url, "--key", &key]);
    assert_eq!(erased.status.code(), Some(0), "{}", stderr(&erased));
    let certificate: Value = serde_json::from_str(&stdout(&erased)).unwrap();
    assert_eq!(certificate["identifiers"], 2, "{certificate}");
    assert!(certificate["rows"]["record"].as_u64().unwrap() >= 1, "{certificate}");
    hears_nothing(&serving, &decision);
    let replayed = serving.tell_all(&at);
    assert!(replayed.iter().all(|answer| answer.contains("rejected\":1")), "{replayed:?}");
    hears_nothing(&serving, &decision);
    assert!(
        serving.housemate()["household"]["people_at_home"].is_null(),
        "what only they told went with them"
    );
    serving.stop();

    // What a running server does within the hour, done now by erasing once more.
    let again = attent(&["erase", "--identifier", &whom[0], "--data", data_text]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let gone: Vec<Vec<u8>> = before.difference(&clues(&data)).cloned().collect();
    assert_eq!(gone.len(), 1 + 2, "a key and two identifiers; the housemate's are there");
    assert_eq!(singing(&folder, &gone), Vec::<String>::new(), "data, log, and the backup of before");
    verified(data_text);

    fs::remove_dir_all(data.join("data")).unwrap();
    let restored = attent(&["restore", backup_text, "--data", data_text]);
    assert_eq!(restored.status.code(), Some(0), "{}", stderr(&restored));
    assert!(stdout(&restored).contains("erasures carried out again"), "{}", stdout(&restored));
    assert_eq!(singing(&folder, &gone), Vec::<String>::new(), "after yesterday's backup was brought back");
    verified(data_text);
    let serving = Serving::start(&data, &log, Some(key));
    hears_nothing(&serving, &decision);
    assert!(serving.tell_all(&at).iter().all(|answer| answer.contains("rejected\":1")));
    let newer = json!({"id": "newer", "event": "customer_registered", "identifiers": identifiers(),
        "properties": {"first_name": "Noor"}});
    assert!(
        serving.post("/v1/events", &newer).1.contains("\"accepted\":1"),
        "newer data is about somebody new"
    );
    serving.stop();
    assert_eq!(singing(&folder, &[]), Vec::<String>::new());
    verified(data_text);
}

#[test]
fn a_store_gets_another_master_key_and_the_audit_says_who_read_what() {
    let folder = fresh_folder("rotated");
    let (data, log) = (folder.join("data"), folder.join("log"));
    let data_text = data.to_str().unwrap();
    let serving = Serving::start(&data, &log, None);
    serving.tell_all(&jiff::Timestamp::now().to_string());
    serving.post("/v1/customers/lookup", &json!({"identifiers": identifiers()}));
    let prefix = serving.key[..12].to_owned();
    let over_http = attent(&[
        "audit",
        "--kind",
        "read",
        "--api-key",
        &prefix,
        "--url",
        &serving.url,
        "--key",
        &serving.key,
    ]);
    drop(serving);
    let rotated = attent(&["rotate-master-key", "--data", data_text]);
    assert_eq!(stdout(&rotated), "1 keys wrapped anew\n", "{}", stderr(&rotated));
    let done = stdout(&attent(&["audit", "--kind", "rotation", "--data", data_text]));
    assert!(done.lines().count() == 1 && done.contains("1 keys wrapped anew"), "{done}");
    let here = attent(&["audit", "--kind", "read", "--api-key", &prefix, "--data", data_text]);
    let entries: Vec<Value> = stdout(&here).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let same: Vec<Value> =
        stdout(&over_http).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries, same, "{}", stderr(&over_http));
    assert_eq!(entries.len(), 1);
    assert!(
        entries[0]["customer"].is_string() && entries[0]["about"] == "/v1/customers/lookup",
        "{entries:?}"
    );
    verified(data_text);
}

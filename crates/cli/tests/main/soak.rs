//! Minutes of mixed load on a server that is killed again and again: nothing acknowledged is lost, every
//! decision replays equal, and memory and disk stay bounded. `SOAK_MINUTES` says for how long.

use crate::{
    attent, fresh_folder,
    running::{Client, Running},
    stderr, stdout,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

const CLIENTS: u64 = 8;
const CUSTOMERS_PER_CLIENT: u64 = 200;
/// Decisions looked up after every kill.
const LOOKED_UP: usize = 100;
const MEMORY_BYTES_MAX: u64 = 1 << 30;
/// Logs and freed tables, whatever the load.
const DISK_BYTES_BASE: u64 = 1 << 30;
const DISK_BYTES_PER_DECISION: u64 = 32 * 1024;

/// What one client was told.
struct Ledger {
    first_customer: u64,
    steps: u64,
    random: u64,
    decisions: Vec<String>,
    defaults: u64,
    /// The last statement acknowledged per customer; none while one is uncertain.
    consents: BTreeMap<u64, &'static str>,
    events: Vec<Value>,
}

#[test]
fn a_server_killed_again_and_again_keeps_what_it_acknowledged() {
    let minutes = std::env::var("SOAK_MINUTES").ok().and_then(|minutes| minutes.parse::<f64>().ok());
    let for_so_long = Duration::from_secs_f64(60.0 * minutes.unwrap_or(0.1));
    let data = fresh_folder("soak");
    let mut ledgers: Vec<Ledger> = (0..CLIENTS).map(Ledger::new).collect();
    let (begin, mut key, mut kills, mut memory_max) = (Instant::now(), None::<String>, 0, 0);
    while begin.elapsed() < for_so_long {
        let mut running = Running::start(&data, &[], key.as_deref());
        key = Some(running.key.clone());
        ledgers.iter_mut().for_each(|ledger| ledger.look_back(&running.client()));
        let alive_for =
            Duration::from_millis(1_500 + ledgers[0].next() % if minutes.is_some() { 20_000 } else { 1_000 });
        let until = Instant::now() + alive_for;
        thread::scope(|scope| {
            for ledger in &mut ledgers {
                let client = running.client();
                scope.spawn(move || while ledger.step(&client) {});
            }
            thread::sleep(until.saturating_duration_since(Instant::now()));
            memory_max = memory_max.max(memory_bytes(running.child.id()));
            running.child.kill().unwrap();
        });
        running.child.wait().unwrap();
        kills += 1;
    }
    let decisions: usize = ledgers.iter().map(|ledger| ledger.decisions.len()).sum();
    let defaults: u64 = ledgers.iter().map(|ledger| ledger.defaults).sum();
    let disk = disk_bytes(&data);
    let replayed = replayed(&data, decisions as u64);
    eprintln!(
        "{:.1} minutes, {kills} kills: {decisions} decisions acknowledged and kept, {replayed} replayed equal, {defaults} defaults; memory at most {} MiB, disk {} MiB",
        begin.elapsed().as_secs_f64() / 60.0,
        memory_max >> 20,
        disk >> 20,
    );
    assert!(decisions > 0);
    assert!(memory_max < MEMORY_BYTES_MAX, "{memory_max} bytes of memory");
    assert!(disk < DISK_BYTES_BASE + DISK_BYTES_PER_DECISION * decisions as u64, "{disk} bytes on disk");
}

/// Replays everything; returns how many were equal.
fn replayed(data: &Path, acknowledged: u64) -> u64 {
    let replayed = attent(&["replay", "--all", "--json", "--data", data.to_str().unwrap()]);
    assert_eq!(replayed.status.code(), Some(0), "{}{}", stdout(&replayed), stderr(&replayed));
    let found: Value = serde_json::from_str(&stdout(&replayed)).unwrap();
    let equal = found["equal"].as_u64().unwrap();
    assert!(equal >= acknowledged, "{equal} replayed, {acknowledged} acknowledged");
    equal
}

impl Ledger {
    fn new(client: u64) -> Self {
        Self {
            first_customer: client * CUSTOMERS_PER_CLIENT,
            steps: 0,
            random: client + 1,
            decisions: Vec::new(),
            defaults: 0,
            consents: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// A number that looks random, the same in every run: Knuth's linear congruential generator.
    fn next(&mut self) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    /// Does one thing; `false` when the server is gone.
    fn step(&mut self, client: &Client) -> bool {
        self.steps += 1;
        let customer = self.first_customer + self.next() % CUSTOMERS_PER_CLIENT;
        match self.next() % 20 {
            _ if self.steps <= CUSTOMERS_PER_CLIENT => {
                self.event(client, self.first_customer + self.steps - 1)
            }
            0..13 => self.decide(client, customer),
            13..16 => self.event(client, customer),
            16..18 => self.outcome(client),
            _ => self.consent(client, customer),
        }
    }

    fn decide(&mut self, client: &Client, customer: u64) -> bool {
        let Some(answer) = client.decide(customer) else { return false };
        assert_eq!(answer.status, 200, "{}", answer.json);
        match answer.json["decision"].as_str() {
            Some(id) => self.decisions.push(id.to_owned()),
            None => self.defaults += 1,
        }
        true
    }

    fn event(&mut self, client: &Client, customer: u64) -> bool {
        let id = format!("{}-{}", self.first_customer, self.steps);
        let properties = json!({"first_name": "Noor", "monthly_amount": 50 + self.next() % 300});
        let event = json!({"id": id, "event": "customer_registered", "properties": properties,
            "identifiers": {"user_id": customer.to_string()}});
        let Some(answer) = client.post("/v1/events", &event) else { return false };
        assert!([200, 503].contains(&answer.status), "{}", answer.json);
        if answer.status == 200 {
            assert_eq!(answer.json["accepted"], 1, "{}", answer.json);
            self.events.push(event);
        }
        true
    }

    fn outcome(&mut self, client: &Client) -> bool {
        let Some(decision) = self.decisions.last() else { return true };
        let outcome = json!({"decision": decision, "slot": 0, "outcome": "displayed"});
        client.post("/v1/outcomes", &outcome).is_some()
    }

    fn consent(&mut self, client: &Client, customer: u64) -> bool {
        let status = ["given", "withdrawn"][(self.next() % 2) as usize];
        self.consents.remove(&customer);
        let said = json!({"identifiers": {"user_id": customer.to_string()}, "purpose": "personal_offers", "status": status});
        let Some(answer) = client.post("/v1/consents", &said) else { return false };
        if answer.status == 200 && answer.json["accepted"] == 1 {
            self.consents.insert(customer, status);
        }
        true
    }

    /// After a restart everything acknowledged is there.
    fn look_back(&mut self, client: &Client) {
        for id in self.decisions.iter().rev().take(LOOKED_UP) {
            let found = client.get(&format!("/v1/decisions/{id}")).expect("an answer");
            assert_eq!(found.status, 200, "decision {id} was acknowledged: {}", found.json);
        }
        for (customer, status) in &self.consents {
            let whom = json!({"identifiers": {"user_id": customer.to_string()}});
            let found = client.post("/v1/customers/lookup", &whom).expect("an answer");
            let last = found.json["consents"].as_array().and_then(|said| said.last()).cloned();
            let last = last.unwrap_or_default();
            assert_eq!(last["status"], *status, "customer {customer}: {}", found.json["consents"]);
        }
        if let Some(event) = self.events.last() {
            let again = client.post("/v1/events", event).expect("an answer");
            assert_eq!(again.json["duplicates"], 1, "an acknowledged event counts once: {}", again.json);
        }
    }
}

/// Memory in use by a process, in bytes; 0 where the system does not tell.
fn memory_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Bytes that the files under a folder take up.
fn disk_bytes(folder: &Path) -> u64 {
    let Ok(items) = fs::read_dir(folder) else { return 0 };
    let bytes = |item: fs::DirEntry| match item.metadata() {
        Ok(data) if data.is_dir() => disk_bytes(&item.path()),
        Ok(data) => allocated(&data),
        Err(_) => 0,
    };
    items.flatten().map(bytes).sum()
}

#[cfg(unix)]
fn allocated(data: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(data) * 512
}

#[cfg(not(unix))]
fn allocated(data: &fs::Metadata) -> u64 {
    data.len()
}

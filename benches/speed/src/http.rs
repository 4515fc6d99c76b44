//! What does a complete decision over HTTP cost: authentication, consent, contact policy, rules, the
//! learned model, reasons, a durable record? Beside it, in the same run, a bare route that reads and
//! writes the same JSON and decides nothing.

use crate::{
    data,
    load::{self, Load, Question, Seen},
};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

const CUSTOMERS: usize = 2_000;
/// Known where durable decisions are made.
pub const CUSTOMERS_OF_DURABLE: usize = 1_000_000;
const ACTIONS_OF_DURABLE: usize = 100;
/// In one request.
const EVENTS: usize = 500;
const ROUNDS: usize = 5;
const CONNECTIONS: usize = 16;
const ROUND: Duration = Duration::from_secs(4);

/// A program that answers, stopped when dropped.
pub struct Answering {
    child: Child,
    pub address: String,
    pub key: String,
}

impl Answering {
    /// The bare route, in a process of its own.
    pub fn bare() -> Self {
        let program = env::current_exe().expect("this program has a path");
        Self::start(Command::new(program).arg("bare"))
    }

    /// The product on a folder that [`data::write`] has filled.
    pub fn product(attent: &Path, folder: &Path) -> Self {
        let mut command = Command::new(attent);
        command
            .arg("serve")
            .arg("--strategy")
            .arg(folder.join("strategy"))
            .arg("--data")
            .arg(folder.join("data"));
        Self::start(command.args([
            "--listen",
            "127.0.0.1:0",
            "--json",
            "--new-key",
            "--learn-every",
            "86400",
        ]))
    }

    fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("its output is read");
        BufReader::new(output).read_line(&mut line).expect("it says where it is");
        let told: serde_json::Value = serde_json::from_str(&line).expect("it speaks JSON");
        let address = told["url"].as_str().expect("a URL").trim_start_matches("http://").to_owned();
        Self { child, address, key: told["key"].as_str().unwrap_or_default().to_owned() }
    }

    /// Processor time of the process so far, in seconds.
    pub fn cpu_s(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it is alive");
        let fields: Vec<&str> = text.rsplit_once(')').expect("a name").1.split_whitespace().collect();
        let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) / 100.0
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One server under the same load as the other.
pub struct Figure {
    pub name: String,
    /// Per round.
    pub cpu_us: Vec<f64>,
    pub seen: Seen,
}

/// Rounds of the bare route and of the product in turn.
pub fn run(attent: &Path, folder: &Path, actions: usize) -> [Figure; 2] {
    prepare(folder, actions, CUSTOMERS);
    let servers = [Answering::bare(), Answering::product(attent, folder)];
    let mut figures = ["bare axum route", "Attent"].map(|name| Figure {
        name: name.to_owned(),
        cpu_us: Vec::new(),
        seen: Seen::default(),
    });
    let load = Load {
        question: Question::Decide,
        connections: CONNECTIONS,
        customers: CUSTOMERS,
        within: ROUND,
        per_second: None,
    };
    for round in 0..=ROUNDS {
        for (server, figure) in servers.iter().zip(&mut figures) {
            let before = server.cpu_s();
            let seen = load::run(&server.address, &server.key, load);
            if round > 0 {
                figure.cpu_us.push((server.cpu_s() - before) * 1e6 / seen.answers() as f64);
                figure.seen.add(seen);
            }
        }
    }
    figures
}

fn prepare(folder: &Path, actions: usize, customers: usize) {
    if !folder.join("data").exists() {
        data::write(folder, actions, customers, (actions * 20).clamp(2_000, 40_000));
    }
}

/// What the product makes durable in a second, and how fast it answers when it is not pressed.
pub struct Durable {
    pub pressed: Seen,
    /// Four times as many connections as that.
    pub overloaded: Seen,
    pub paced: Seen,
    pub events_per_s: f64,
}

/// Decisions of 64 connections, as fast as they come and at 2,000 a second; then events.
pub fn durable(attent: &Path, folder: &Path) -> Durable {
    prepare(folder, ACTIONS_OF_DURABLE, CUSTOMERS_OF_DURABLE);
    let server = Answering::product(attent, folder);
    let ask = |load: Load| load::run(&server.address, &server.key, load);
    let load = Load {
        question: Question::Decide,
        connections: 64,
        customers: CUSTOMERS_OF_DURABLE,
        within: Duration::from_secs(3),
        per_second: None,
    };
    ask(load);
    let pressed = ask(Load { within: Duration::from_secs(15), ..load });
    let overloaded = ask(Load { connections: 256, within: Duration::from_secs(10), ..load });
    let paced = ask(Load { within: Duration::from_secs(16), per_second: Some(2_000.0), ..load });
    let events = ask(Load {
        question: Question::Events(EVENTS),
        connections: 8,
        within: Duration::from_secs(10),
        ..load
    });
    Durable { events_per_s: (events.answers() * EVENTS) as f64 / events.seconds, pressed, overloaded, paced }
}

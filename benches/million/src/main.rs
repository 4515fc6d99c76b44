//! What does a million customers take? Import, disk, memory, restart, decisions, erasure and expiry, measured with
//! the real command and printed as a table.
//!
//! `attent-million ATTENT [CUSTOMERS]`: the `attent` binary to measure. Everything is made in a temporary folder.

mod measure;
mod people;
mod server;
mod upkeep;

use serde_json::Value;
use server::Server;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use upkeep::Open;

const KILLS: usize = 5;
const COLD_DECISIONS: u64 = 2_000;

struct Bench {
    attent: PathBuf,
    folder: PathBuf,
    customers: u64,
    rows: Vec<(String, String, String)>,
}

fn main() {
    let mut arguments = env::args().skip(1);
    let attent = PathBuf::from(arguments.next().expect("usage: attent-million ATTENT [CUSTOMERS]"));
    let customers = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number of customers"));
    let folder = env::temp_dir().join(format!("attent-million-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    let mut bench = Bench { attent, folder: folder.clone(), customers, rows: Vec::new() };
    bench.import();
    bench.serve();
    bench.upkeep();
    bench.print();
    fs::remove_dir_all(folder).expect("the temporary folder goes");
}

impl Bench {
    fn import(&mut self) {
        let csv = people::write(&self.folder, self.customers).expect("there is room");
        self.row("file", format!("{} rows, {:.0} MB", self.customers, csv as f64 / 1e6), "");
        let (told, memory) = self.run_import();
        let seconds = told["seconds"].as_f64().expect("seconds");
        let bytes = told["store_bytes"].as_f64().expect("bytes");
        assert!(told["tally"]["rejects"].as_array().is_some_and(Vec::is_empty), "{told}");
        self.row("import", format!("{seconds:.1} s, {:.0} rows/s", self.customers as f64 / seconds), "");
        self.row("memory of the import, at most", megabytes(memory), "");
        self.row(
            "store after the import",
            format!("{}, {:.0} B per customer", megabytes(bytes), bytes / self.customers as f64),
            "",
        );
        let (again, _) = self.run_import();
        let duplicates = again["tally"]["sources"]["customers"]["duplicates"].as_u64().expect("a count");
        let seconds = again["seconds"].as_f64().expect("seconds");
        self.row(
            "the same import again",
            format!("{seconds:.1} s, {duplicates} things known already"),
            "nothing changes",
        );
    }

    /// Runs the import; returns its report and its largest memory in bytes.
    fn run_import(&self) -> (Value, f64) {
        let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping.toml");
        let child = Command::new(&self.attent)
            .args(["import", "--json", "--mapping"])
            .arg(mapping)
            .arg("--data")
            .arg(&self.folder)
            .arg("--into")
            .arg(self.data())
            .stdout(fs::File::create(self.folder.join("report.json")).expect("there is room"))
            .spawn();
        let mut child = child.expect("attent starts");
        let status = format!("/proc/{}/status", child.id());
        let mut memory: f64 = 0.0;
        while child.try_wait().expect("it is ours").is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            memory = memory.max(kibibytes.unwrap_or(0.0) * 1024.0);
            std::thread::sleep(Duration::from_millis(200));
        }
        let report = fs::read_to_string(self.folder.join("report.json")).expect("a report");
        (serde_json::from_str(&report).expect("a report"), memory)
    }

    fn serve(&mut self) {
        let server = self.start(None);
        let key = server.key.clone();
        drop(server);
        let (server, seconds, memory) = self.first_answer(&key);
        self.row("start after a clean stop, until the first answer", format!("{seconds:.2} s"), "≤ 2 s");
        let per_customer = memory as f64 / self.customers as f64;
        self.row(
            "memory then",
            format!("{}, {per_customer:.0} B per customer", megabytes(memory as f64)),
            "≤ 1 KB",
        );
        let step = 499_979;
        let customers = self.customers;
        let cold = server.decide((1..=COLD_DECISIONS).map(|number| number * step % customers));
        self.row("decide over HTTP, customers not in memory: p50 / p99 / longest", cold.to_string(), "");
        let again = server.decide((1..=COLD_DECISIONS).map(|number| number * step % customers));
        self.row("the same customers again", again.to_string(), "");
        let (mut server, mut longest, mut answered) = (server, 0f64, 0);
        for _ in 0..KILLS {
            answered += server.kill_under_load(32, self.customers, Duration::from_secs(8));
            let (next, seconds, _) = self.first_answer(&key);
            longest = longest.max(seconds);
            server = next;
        }
        self.row(
            &format!("start after kill -9 under load ({KILLS} times, {answered} decisions in all), slowest"),
            format!("{longest:.2} s"),
            "≤ 2 s",
        );
        self.row(
            "memory after the last start",
            megabytes(server.memory_bytes() as f64),
            "≤ 1 KB per customer",
        );
        server.stop();
    }

    fn first_answer(&self, key: &str) -> (Server, f64, u64) {
        let start = Instant::now();
        let server = self.start(Some(key));
        server.decide([self.customers / 3].into_iter());
        let seconds = start.elapsed().as_secs_f64();
        let memory = server.memory_bytes();
        (server, seconds, memory)
    }

    fn upkeep(&mut self) {
        let open = Open::new(&self.data(), self.customers);
        let alone = open.alone();
        self.row("decide, durable, in process, 2,000/s at most: p50 / p99 / longest", alone.to_string(), "");
        let erasing = open.erasing();
        self.row(
            "erasures one by one beside it, each durable",
            format!("{:.0}/s, {}", erasing.times as f64 / 10.0, erasing.took),
            "",
        );
        self.row(
            "decide meanwhile",
            format!("{} ({} decisions)", erasing.decisions, erasing.decisions.count()),
            "",
        );
        let sweeping = open.sweeping();
        self.row(
            "sweeps of 4,096 rows without pause beside it",
            format!("{:.0} rows/s, {}", sweeping.times as f64 * 409.6, sweeping.took),
            "≥ 4,096 rows/s",
        );
        self.row(
            "decide meanwhile",
            format!("{} ({} decisions)", sweeping.decisions, sweeping.decisions.count()),
            "",
        );
        let round = open.round_when_all_is_due();
        self.row(
            "a round of sweeps when all that ends is due",
            format!(
                "{} rows removed in {} sweeps, {:.0} s; one sweep {}",
                round.removed, round.calls, round.seconds, round.longest
            ),
            "",
        );
    }

    fn start(&self, key: Option<&str>) -> Server {
        let strategy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/energy/strategy");
        Server::start(&self.attent, &strategy, &self.data(), key)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("store")
    }

    fn row(&mut self, what: &str, figure: String, goal: &str) {
        eprintln!("{what}: {figure}");
        self.rows.push((what.to_owned(), figure, goal.to_owned()));
    }

    fn print(&self) {
        println!("| what | figure | goal |\n|---|---|---|");
        for (what, figure, goal) in &self.rows {
            println!("| {what} | {figure} | {goal} |");
        }
    }
}

fn megabytes(bytes: f64) -> String {
    format!("{:.0} MB", bytes / 1e6)
}

//! Clients that ask over kept connections, as fast as they get answers or at a given pace. Latency is
//! counted from when a question was due, not from when the client came to ask it.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

/// What a client sends.
#[derive(Clone, Copy)]
pub enum Question {
    /// One decision.
    Decide,
    /// So many events at once.
    Events(usize),
}

#[derive(Clone, Copy)]
pub struct Load {
    pub question: Question,
    pub connections: usize,
    /// Asked about in turn.
    pub customers: usize,
    pub within: Duration,
    /// Questions per second of all connections together; `None` asks as fast as it is answered.
    pub per_second: Option<f64>,
}

/// What the clients saw.
#[derive(Default)]
pub struct Seen {
    pub latencies_us: Vec<u32>,
    pub defaults: usize,
    pub seconds: f64,
}

impl Seen {
    pub fn answers(&self) -> usize {
        self.latencies_us.len()
    }

    pub fn add(&mut self, other: Self) {
        self.latencies_us.extend(other.latencies_us);
        self.defaults += other.defaults;
        self.seconds += other.seconds;
    }

    /// Which part of all answers came within so many milliseconds.
    pub fn part_within_ms(&self, ms: u32) -> f64 {
        let in_time = self.latencies_us.iter().filter(|latency| **latency <= ms * 1_000).count();
        in_time as f64 / self.answers() as f64
    }

    /// Of all answers this part was at least as fast, in milliseconds.
    pub fn percentile_ms(&self, part: f64) -> f64 {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_unstable();
        let index = ((sorted.len() as f64 * part) as usize).min(sorted.len() - 1);
        f64::from(sorted[index]) / 1_000.0
    }
}

pub fn run(address: &str, key: &str, load: Load) -> Seen {
    let start = Instant::now();
    let mut seen = Seen::default();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..load.connections)
            .map(|number| scope.spawn(move || client(address, key, load, number)))
            .collect();
        clients.into_iter().for_each(|client| seen.add(client.join().expect("a client ends well")));
    });
    seen.seconds = start.elapsed().as_secs_f64();
    seen
}

fn client(address: &str, key: &str, load: Load, number: usize) -> Seen {
    let mut writer = TcpStream::connect(address).expect("it listens");
    writer.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(writer.try_clone().expect("a socket"));
    let mut seen = Seen::default();
    let start = Instant::now();
    let pace = load.per_second.map(|all| Duration::from_secs_f64(load.connections as f64 / all));
    let offset = pace.map_or(Duration::ZERO, |pace| pace * number as u32 / load.connections as u32);
    let mut body = Vec::new();
    for turn in 0u32.. {
        let due = pace.map_or_else(Instant::now, |pace| start + offset + pace * turn);
        if due.duration_since(start) >= load.within {
            return seen;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let customer = (number + turn as usize * load.connections) % load.customers;
        let (path, question) = match load.question {
            Question::Decide => ("decide", decide(customer)),
            Question::Events(count) => ("events", events(load, number, turn, count)),
        };
        let request = format!(
            "POST /v1/{path} HTTP/1.1\r\nhost: attent\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{question}",
            question.len()
        );
        writer.write_all(request.as_bytes()).expect("it reads");
        read_answer(&mut reader, &mut body);
        seen.latencies_us.push(due.elapsed().as_micros() as u32);
        let text = String::from_utf8_lossy(&body);
        match load.question {
            Question::Decide => assert!(text.contains("\"slots\""), "an answer is a decision: {text}"),
            Question::Events(count) => {
                assert!(text.contains(&format!("\"accepted\":{count}")), "all are taken in");
            }
        }
        seen.defaults += usize::from(text.contains("\"default\":true"));
    }
    seen
}

fn decide(customer: usize) -> String {
    format!(
        "{{\"customer\":{{\"identifiers\":{{\"user_id\":\"u{customer}\"}}}},\"channel\":\"web\",\
         \"placements\":[{{\"placement\":\"home\"}}]}}"
    )
}

/// Events with ids of their own, each of another customer.
fn events(load: Load, number: usize, turn: u32, count: usize) -> String {
    let event = |index: usize| {
        let customer = (number + index * load.connections) % load.customers;
        let id = format!("{}-{number}-{turn}-{index}", std::process::id());
        format!("{{\"id\":\"{id}\",\"event\":\"bought\",\"identifiers\":{{\"user_id\":\"u{customer}\"}}}}")
    };
    format!("[{}]", (0..count).map(event).collect::<Vec<_>>().join(","))
}

/// Reads one answer with a known length.
fn read_answer(reader: &mut impl BufRead, body: &mut Vec<u8>) {
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line).expect("it answers");
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a length");
        }
    }
    body.resize(length, 0);
    reader.read_exact(body).expect("it answers whole");
}

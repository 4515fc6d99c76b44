//! A real `attent serve` process, asked over its own port.

use crate::measure::Times;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// A running server.
pub struct Server {
    child: Child,
    address: String,
    pub key: String,
}

/// One connection that stays open.
struct Connection {
    stream: BufReader<TcpStream>,
    key: String,
}

impl Server {
    /// Starts a server on a store; returns it when it listens. `key` is one made before in this store.
    pub fn start(attent: &Path, strategy: &Path, data: &Path, key: Option<&str>) -> Self {
        let mut child = Command::new(attent)
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--deadline-ms", "10000", "--strategy"])
            .arg(strategy)
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("attent starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it tells");
        let told: Value = serde_json::from_str(&line).expect("the server tells where it is");
        let address = told["url"].as_str().expect("an address").trim_start_matches("http://").to_owned();
        let key = told["key"].as_str().or(key).expect("a key").to_owned();
        Self { child, address, key }
    }

    /// Memory in use, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or(0) * 1024
    }

    /// Asks about customers one after the other; every answer must be a decision, not the default.
    pub fn decide(&self, customers: impl Iterator<Item = u64>) -> Times {
        let mut connection = self.connect();
        let mut times = Times::default();
        for customer in customers {
            let start = Instant::now();
            let answer = connection.decide(customer).expect("an answer");
            times.add(start.elapsed());
            assert_eq!(answer["default"], false, "a default was given: {answer}");
        }
        times
    }

    /// Asks with that many connections until the process is killed after `time`; returns how many were answered.
    pub fn kill_under_load(mut self, connections: u64, customers: u64, time: Duration) -> u64 {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let asking: Vec<_> = (0..connections)
                .map(|number| {
                    let (mut connection, stop) = (self.connect(), &stop);
                    scope.spawn(move || {
                        let mut answered = 0;
                        while !stop.load(Ordering::Relaxed) {
                            let customer = (number * 7_919 + answered * 104_729) % customers;
                            if connection.decide(customer).is_none() {
                                break;
                            }
                            answered += 1;
                        }
                        answered
                    })
                })
                .collect();
            thread::sleep(time);
            self.child.kill().expect("it is ours");
            stop.store(true, Ordering::Relaxed);
            asking.into_iter().map(|asked| asked.join().expect("no client fails")).sum()
        })
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()));
        self.child.wait().expect("it ends");
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_nodelay(true).expect("the system allows it");
        Connection { stream: BufReader::new(stream), key: self.key.clone() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Connection {
    /// `None` when the server is gone.
    fn decide(&mut self, customer: u64) -> Option<Value> {
        let body = json!({
            "identifiers": {"user_id": customer.to_string()},
            "channel": "web",
            "placements": [{"placement": "web_home"}],
        })
        .to_string();
        let request = format!(
            "POST /v1/decide HTTP/1.1\r\nhost: attent\r\nx-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).ok()?;
        serde_json::from_slice(&answer).ok()
    }
}

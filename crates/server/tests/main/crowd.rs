//! Very many clients that mean no good, while good ones keep working.

use crate::harness::{Server, patient, question};
use server::Settings;
use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Clients of each bad kind; the files of both ends count.
fn crowd() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    match files.and_then(|files| files.parse::<usize>().ok()) {
        Some(files) if files < 4_096 => {
            eprintln!("only {files} open files are allowed: a smaller crowd");
            files / 8
        }
        _ => 1_000,
    }
}

fn request(server: &Server) -> Vec<u8> {
    let body = question("web", "inbound", "web_home").to_string();
    let head = format!(
        "POST /v1/decide HTTP/1.1\r\nHost: a\r\nX-API-Key: {}\r\nContent-Length: {}\r\n\r\n",
        server.key,
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// Sends one request on an open connection and reads the answer: its first line.
fn ask(stream: &mut BufReader<TcpStream>, request: &[u8]) -> String {
    stream.get_mut().write_all(request).unwrap();
    let mut status = String::new();
    stream.read_line(&mut status).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    status
}

/// What answering good clients took.
#[derive(Clone, Copy)]
struct Answering {
    /// The slowest of a hundred answers.
    p99: Duration,
    /// Processor time per request, of clients and server together; 0 where the system does not tell.
    processor: Duration,
}

/// Processor time of this process until now, in steps of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

/// Four good clients that each ask this often; all are answered.
fn good_clients(server: &Server, each: usize) -> Answering {
    let before = processor_time();
    let request = request(server);
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let client = || {
            let mut stream = BufReader::new(connect(server.address));
            let one = |_| {
                let asked = Instant::now();
                let status = ask(&mut stream, &request);
                assert!(status.starts_with("HTTP/1.1 200"), "{status}");
                asked.elapsed()
            };
            (0..each).map(one).collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    took.sort_unstable();
    let processor = (processor_time() - before) / u32::try_from(took.len()).unwrap();
    Answering { p99: took[took.len() * 99 / 100], processor }
}

/// Connections that stop in the middle: before, in and after the head of a request.
fn half_open(server: &Server) -> Vec<TcpStream> {
    let whole = request(server);
    let open = |index| {
        let mut stream = connect(server.address);
        let sent = [0, 20, whole.len() - 10][index % 3];
        stream.write_all(&whole[..sent]).unwrap();
        stream
    };
    (0..crowd()).map(open).collect()
}

/// One line: without and among the crowd, and the ratio of the medians over all rounds.
fn compare(what: &str, alone: &[Duration], among: &[Duration]) {
    let median = |rounds: &[Duration]| {
        let mut rounds = rounds.to_vec();
        rounds.sort_unstable();
        rounds[rounds.len() / 2]
    };
    let (alone, among) = (median(alone), median(among));
    let ratio = among.as_secs_f64() / alone.as_secs_f64();
    eprintln!("{what}: median {alone:?} alone, {among:?} among half-open connections ({ratio:.2}×)");
}

/// Whether the other side has closed, after what it still had to say.
fn is_closed(mut stream: TcpStream) -> bool {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_thousand_half_open_connections_leave_good_clients_answered_and_are_closed_in_time() {
    let nightly = std::env::var_os("ATTENT_NIGHTLY").is_some();
    let (within_s, rounds, each) = if nightly { (20, 15, 1_000) } else { (3, 2, 100) };
    let within = Duration::from_secs(within_s);
    let server =
        Server::with(Settings { head_within: within, body_within: within, ..patient() }).with_customer();
    good_clients(&server, each);
    let (mut alone, mut among) = (Vec::new(), Vec::new());
    let mut crowd = Vec::new();
    for _ in 0..rounds {
        drop(crowd);
        alone.push(good_clients(&server, each));
        crowd = half_open(&server);
        among.push(good_clients(&server, each));
    }
    let each_p99 = |rounds: &[Answering]| rounds.iter().map(|round| round.p99).collect::<Vec<_>>();
    let each_processor =
        |rounds: &[Answering]| rounds.iter().map(|round| round.processor).collect::<Vec<_>>();
    compare("p99 per round", &each_p99(&alone), &each_p99(&among));
    compare("processor time per good request", &each_processor(&alone), &each_processor(&among));
    assert!(crowd.into_iter().all(is_closed));
    good_clients(&server, 5);
}

#[test]
fn a_client_that_never_reads_its_answers_is_closed_in_time() {
    let server = Server::with(Settings { read_within: Duration::from_millis(300), ..patient() });
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut stream = connect(server.address);
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let questions = request.repeat(1_000);
    let kind = loop {
        if let Err(refused) = stream.write_all(&questions) {
            break refused.kind();
        }
    };
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind:?}");
    good_clients(&server.with_customer(), 5);
}

#[test]
fn more_connections_than_there_are_places_wait_and_then_have_their_turn() {
    let few = Settings { connections_max: 8, head_within: Duration::from_millis(300), ..patient() };
    let server = Server::with(few).with_customer();
    let crowd: Vec<TcpStream> = (0..64).map(|_| connect(server.address)).collect();
    good_clients(&server, 5);
    assert!(crowd.into_iter().all(is_closed));
}

#[test]
fn methods_that_a_client_makes_up_are_counted_as_one() {
    let server = Server::start();
    for index in 0..20 {
        server.call(&format!("MADEUP{index}"), "/livez", &[], b"");
    }
    let counted = server.get("/metrics").text;
    assert!(!counted.contains("MADEUP"), "{counted}");
}

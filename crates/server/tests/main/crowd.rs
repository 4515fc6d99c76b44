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

/// Four good clients that each ask this often; all are answered. The slowest of a hundred answers.
fn good_clients(server: &Server, each: usize) -> Duration {
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
    took[took.len() * 99 / 100]
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
    let within = Duration::from_secs(3);
    let server =
        Server::with(Settings { head_within: within, body_within: within, ..patient() }).with_customer();
    let rounds = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 2_500 } else { 250 };
    good_clients(&server, rounds);
    let alone = good_clients(&server, rounds);
    let whole = request(&server);
    let crowd: Vec<TcpStream> = (0..crowd())
        .map(|index| {
            let mut stream = connect(server.address);
            let sent = match index % 3 {
                0 => 0,
                1 => 20,
                _ => whole.len() - 10,
            };
            stream.write_all(&whole[..sent]).unwrap();
            stream
        })
        .collect();
    let among = good_clients(&server, rounds);
    let ratio = among.as_secs_f64() / alone.as_secs_f64();
    eprintln!(
        "p99 of good clients: {alone:?} alone, {among:?} among {} half-open ({ratio:.2}×)",
        crowd.len()
    );
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

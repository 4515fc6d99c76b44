//! When time runs out: a neutral default instead of a decision, and connections that do not wait for ever.

use crate::harness::{Server, patient, question};
use engine::storage::Table;
use serde_json::json;
use server::Settings;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

#[test]
fn a_decision_that_takes_too_long_becomes_the_neutral_default_and_leaves_no_trace() {
    let one_at_a_time =
        Settings { decide_within: Duration::from_millis(500), requests_at_once: 1, ..patient() };
    let server = Server::with(one_at_a_time);
    server.store.hold();
    let answer = server.decide("web", "inbound", "web_home");
    assert_eq!(answer.json["default"], true);
    assert_eq!(answer.json["reason"], "deadline");
    assert!(answer.json["decision"].is_null());
    let slot = &answer.json["slots"][0];
    assert_eq!((slot["body"].as_str(), &slot["action"]), (Some("How can we help?"), &json!(null)));
    server.store.release();
    let mut preview = question("web", "inbound", "web_home");
    preview["dry_run"] = json!(true);
    let after_the_worker = || server.post("/v1/decide", &preview).json["default"] == json!(false);
    assert!((0..20).any(|_| after_the_worker()), "the next one has its turn");
    assert_eq!(server.store.rows(Table::Record), 0);
    assert!(server.get("/metrics").text.contains("attent_decisions_total{kind=\"default\"} 1"));
}

#[test]
fn a_store_that_hangs_holds_nobody_up_and_all_is_well_when_it_answers_again() {
    let impatient = Settings {
        decide_within: Duration::from_millis(400),
        work_within: Duration::from_millis(400),
        requests_at_once: 2,
        ..patient()
    };
    let server = Server::with(impatient);
    server.store.hold();
    let reasons: Vec<String> = std::thread::scope(|scope| {
        let ask = || server.decide("web", "inbound", "web_home").json["reason"].as_str().unwrap().to_owned();
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let count = |reason: &str| reasons.iter().filter(|found| *found == reason).count();
    assert_eq!((count("deadline"), count("busy")), (2, 6), "two had their turn: {reasons:?}");
    let lookup = || server.post("/v1/customers/lookup", &json!({"identifiers": {"user_id": "42"}}));
    assert_eq!((lookup().status, lookup().retry_after.as_deref()), (503, Some("1")));
    server.store.release();
    let answers = (0..20).map(|_| server.decide("web", "inbound", "web_home").json["default"].clone());
    assert!(answers.into_iter().any(|default| default == json!(false)), "decisions are made again");
}

#[test]
fn a_full_store_gives_defaults_to_channels_and_asks_senders_to_come_back() {
    let server = Server::start().with_customer();
    server.store.fill();
    let answer = server.decide("web", "inbound", "web_home");
    assert_eq!((&answer.json["default"], &answer.json["reason"]), (&json!(true), &json!("busy")));
    for (path, body) in [
        ("/v1/events", json!({"id": "e", "event": "complaint_opened", "identifiers": {"user_id": "42"}})),
        (
            "/v1/consents",
            json!({"identifiers": {"user_id": "42"}, "purpose": "personal_offers", "status": "withdrawn"}),
        ),
        ("/v1/outcomes", json!({"decision": format!("d_{}", "0".repeat(32)), "outcome": "displayed"})),
    ] {
        let answer = server.post(path, &body);
        assert_eq!(
            (answer.status, answer.retry_after.as_deref()),
            (503, Some("1")),
            "{path}: {}",
            answer.text
        );
    }
}

#[test]
fn a_stopped_store_gives_defaults_and_says_it_is_not_ready() {
    let server = Server::start();
    server.app.engine.close().unwrap();
    let answer = server.decide("web", "inbound", "web_home");
    assert_eq!((&answer.json["default"], &answer.json["reason"]), (&json!(true), &json!("stopped")));
    assert_eq!(server.get("/readyz").status, 503);
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn a_connection_that_never_finishes_its_request_is_closed() {
    let server = Server::with(Settings { head_within: Duration::from_millis(200), ..patient() });
    let mut half_open = TcpStream::connect(server.address).unwrap();
    half_open.write_all(b"POST /v1/decide HTTP/1.1\r\nHost: ").unwrap();
    half_open.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    half_open.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn a_body_that_never_arrives_is_given_up() {
    let server = Server::with(Settings { body_within: Duration::from_millis(200), ..patient() });
    let mut slow = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /v1/decide HTTP/1.1\r\nHost: a\r\nX-API-Key: {}\r\nContent-Length: 100\r\n\r\n{{",
        server.key
    );
    slow.write_all(head.as_bytes()).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_too_slow"), "{answer}");
}

#[test]
fn a_server_that_stops_finishes_what_it_began() {
    let mut server = Server::start().with_customer();
    server.store.hold();
    let (address, key) = (server.address, server.key.clone());
    let asking = std::thread::spawn(move || {
        let body = question("web", "inbound", "web_home").to_string();
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /v1/decide HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    server.store.until_somebody_waits();
    server.ask_to_stop();
    while !server.app.is_draining() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(TcpStream::connect(server.address).is_err());
    server.store.release();
    let answer = asking.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("sales/contract/renew"), "{answer}");
    server.stopped().unwrap();
    assert_eq!(server.store.rows(Table::Record), 1);
}

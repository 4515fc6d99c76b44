//! Input that is wrong: always a problem that says what is wrong, never a lost server.

use crate::harness::{Answer, Server, question};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;

fn is_a_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.json["code"].as_str()), (status, Some(code)), "{}", answer.text);
    assert_eq!(answer.content_type, "application/problem+json");
    for member in ["type", "title", "detail", "message"] {
        assert!(!answer.json[member].as_str().unwrap().is_empty(), "{member}: {}", answer.text);
    }
    assert_eq!(answer.json["status"], status);
    let message = answer.json["message"].as_str().unwrap();
    assert!(!message.ends_with('.') && !message.contains("::") && !message.contains("u16"), "{message}");
}

/// The usual question with one member replaced.
fn with(member: &str, value: Value) -> Value {
    let mut question = question("web", "inbound", "web_home");
    question[member] = value;
    question
}

#[test]
fn names_that_do_not_exist_are_answered_with_those_that_do() {
    let server = Server::start();
    let table = [
        (
            with("channel", json!("wbe")),
            "unknown_channel",
            "there is `call_centre`, `email`, `web`; did you mean `web`?",
        ),
        (with("channel", json!("fax")), "unknown_channel", "there is `call_centre`, `email`, `web`"),
        (
            with("placements", json!([{"placement": "web_hom"}])),
            "unknown_placement",
            "did you mean `web_home`?",
        ),
        (
            with("placements", json!([{"placement": "email_hero"}])),
            "placement_elsewhere",
            "is on channel `email`",
        ),
        (with("placements", json!([])), "placement_count", "1 to 32 placements"),
        (
            with("placements", json!([{"placement": "web_home", "slots": 9}])),
            "slots_out_of_range",
            "1 to 1 slots",
        ),
        (
            with("placements", json!([{"placement": "web_home", "slots": 0}])),
            "slots_out_of_range",
            "1 to 1 slots",
        ),
        (
            with("placements", json!([{"placement": "web_home"}, {"placement": "web_home"}])),
            "placement_twice",
            "asked for twice",
        ),
        (with("context", json!({"pag": "home"})), "unknown_context", "did you mean `page`?"),
        (with("context", json!({"page": 3})), "context_type", "context `page` is a text"),
        (with("context", json!({"basket": "3"})), "context_type", "context `basket` is a number"),
        (with("context", json!({"page": "checkout"})), "context_value", "one of `home`, `bill`"),
        (with("context", json!({"page": ["home"]})), "wrong_shape", "not a list"),
        (with("direction", json!("outbound")), "direction_elsewhere", "channel `web` is inbound only"),
        (with("direction", json!("sideways")), "wrong_shape", "`direction` must be `inbound` or `outbound`"),
        (with("placements", json!("web_home")), "wrong_shape", "`placements` must be a list"),
        (
            with("placements", json!([{"placement": "web_home", "slots": "one"}])),
            "wrong_shape",
            "`placements[0].slots` must be a whole number",
        ),
        (with("placments", json!([])), "wrong_shape", "`placments`, which does not exist"),
        (with("identifiers", json!({"user_id": {"a": 1}})), "identifier", "text or a whole number"),
        (with("identifiers", json!({"user_id": "x".repeat(600)})), "identifier", "1 to 512"),
        (with("explain", json!("boss")), "wrong_shape", "one of `customer`, `employee`, `auditor`"),
    ];
    for (question, code, said) in table {
        let answer = server.post("/v1/decide", &question);
        is_a_problem(&answer, 422, code);
        assert!(answer.json["message"].as_str().unwrap().contains(said), "{said}: {}", answer.text);
    }
}

#[test]
fn a_channel_with_two_directions_wants_to_know_which() {
    let server = Server::start();
    let mut question = question("call_centre", "inbound", "agent_suggestion");
    question.as_object_mut().unwrap().remove("direction");
    is_a_problem(&server.post("/v1/decide", &question), 422, "direction_missing");
    let mut question = crate::harness::question("web", "inbound", "web_home");
    question.as_object_mut().unwrap().remove("direction");
    assert_eq!(server.post("/v1/decide", &question).status, 200);
}

#[test]
fn a_message_never_repeats_what_somebody_typed_about_a_customer() {
    let server = Server::start();
    for body in [
        json!({"channel": "web", "placements": "noor@example.org"}),
        with("context", json!({"page": "noor@example.org"})),
    ] {
        let answer = server.post("/v1/decide", &body);
        assert_eq!(answer.status, 422);
        assert!(!answer.text.contains("noor"), "{}", answer.text);
    }
}

/// What is wrong, the body, its headers, and the status and code of the answer.
type Broken = (&'static str, Vec<u8>, Vec<(&'static str, &'static str)>, u16, &'static str);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn broken_bodies_are_refused_and_the_server_lives_on() {
    let server = Server::start();
    let in_context = |value: &str| {
        format!(
            r#"{{"channel":"web","placements":[{{"placement":"web_home"}}],"context":{{"basket":{value}}}}}"#
        )
        .into_bytes()
    };
    let table: Vec<Broken> = vec![
        ("nothing", b"".to_vec(), vec![], 400, "not_json"),
        ("half", b"{\"channel\":".to_vec(), vec![], 400, "not_json"),
        ("a list", b"[]".to_vec(), vec![], 422, "wrong_shape"),
        ("a word", b"hello".to_vec(), vec![], 400, "not_json"),
        ("not a number", in_context("NaN"), vec![], 400, "not_json"),
        ("infinity", in_context("1e999"), vec![], 400, "not_json"),
        ("depth", in_context(&"[".repeat(100_000)), vec![], 400, "too_deep"),
        (
            "closed depth",
            in_context(&format!("{}{}", "[".repeat(5_000), "]".repeat(5_000))),
            vec![],
            400,
            "too_deep",
        ),
        ("not UTF-8", b"{\"channel\":\"w\xff\xfeb\"}".to_vec(), vec![], 400, "not_json"),
        ("ten megabytes", vec![b' '; 10_000_000], vec![], 413, "body_too_large"),
        (
            "a gzip bomb",
            gzip(&vec![b' '; 50_000_000]),
            vec![("content-encoding", "gzip")],
            413,
            "body_too_large",
        ),
        ("not gzip", b"{}".to_vec(), vec![("content-encoding", "gzip")], 400, "not_gzip"),
        ("cut gzip", gzip(b"{\"channel\": \"web\"}")[..20].to_vec(), vec![], 400, "not_gzip"),
        ("another encoding", b"{}".to_vec(), vec![("content-encoding", "br")], 415, "unknown_encoding"),
    ];
    for (what, body, headers, status, code) in table {
        let key = ("x-api-key", server.key.as_str());
        let headers: Vec<(&str, &str)> = headers.into_iter().chain([key]).collect();
        for path in ["/v1/decide", "/v1/events", "/v1/outcomes", "/v1/consents"] {
            if what != "a list" || path == "/v1/decide" {
                let answer = server.call("POST", path, &headers, &body);
                assert_eq!(answer.status, status, "{what} to {path}: {}", answer.text);
                is_a_problem(&answer, status, code);
            }
        }
        for path in ["/v1/customers/lookup", "/v1/keys"] {
            let answer = server.call("POST", path, &headers, &body);
            assert!((400..500).contains(&answer.status), "{what} to {path}: {}", answer.text);
        }
    }
    assert_eq!(server.get("/livez").text, "ok\n");
}

#[test]
fn the_content_type_is_not_believed_and_gzip_is_recognised() {
    let server = Server::start();
    let body = question("web", "inbound", "web_home").to_string();
    let key = ("x-api-key", server.key.as_str());
    assert_eq!(
        server.call("POST", "/v1/decide", &[key, ("content-type", "text/plain")], body.as_bytes()).status,
        200
    );
    let packed = gzip(body.as_bytes());
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(server.call("POST", "/v1/decide", &[key, form], &packed).status, 200);
    assert_eq!(server.call("POST", "/v1/decide", &[key, ("content-encoding", "gzip")], &packed).status, 200);
}

#[test]
fn too_many_items_are_refused_as_a_whole() {
    let server = Server::start();
    let answer = server.post("/v1/outcomes", &json!(vec![json!({}); 1_001]));
    is_a_problem(&answer, 413, "too_many_items");
    let answer = server.post("/v1/events", &json!(vec![json!({}); 2_501]));
    is_a_problem(&answer, 413, "too_many_items");
    assert_eq!(server.get("/v1/rejects").json["rejects"], json!([]));
}

#[test]
fn moments_ahead_of_the_clock_or_unreadable_are_rejected() {
    let server = Server::start();
    let event =
        |at: &str| json!({"id": at, "event": "complaint_opened", "identifiers": {"user_id": "42"}, "at": at});
    let answer = server.post(
        "/v1/events",
        &json!([event("2027-01-01T00:00:00Z"), event("yesterday"), event("2026-03-09T07:00:30Z")]),
    );
    let codes: Vec<Value> =
        answer.json["verdicts"].as_array().unwrap().iter().map(|item| item["code"].clone()).collect();
    assert_eq!(codes, [json!("in_the_future"), json!("moment"), Value::Null], "{}", answer.text);
}

#[test]
fn paths_and_methods_that_do_not_exist_are_problems_too() {
    let server = Server::start();
    is_a_problem(&server.get("/v1/nothing"), 404, "no_route");
    is_a_problem(&server.call("PUT", "/v1/decide", &[], b""), 405, "wrong_method");
    is_a_problem(&server.get("/v1/decisions/17"), 404, "unknown_decision");
    is_a_problem(&server.get("/v1/decisions/%ff%fe"), 400, "wrong_path");
    is_a_problem(
        &server.get(&format!("/v1/decisions/d_{}?reading=boss", "0".repeat(32))),
        422,
        "wrong_query",
    );
}

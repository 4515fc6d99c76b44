//! Reports: a verdict per item, each counted once, nothing lost.

use crate::harness::Server;
use serde_json::{Value, json};

fn verdicts(answer: &Value) -> Vec<&str> {
    answer["verdicts"].as_array().unwrap().iter().map(|item| item["verdict"].as_str().unwrap()).collect()
}

fn outcome(decision: &Value, outcome: &str) -> Value {
    json!({"decision": decision, "slot": 0, "outcome": outcome})
}

#[test]
fn one_bad_event_leaves_the_others_alone_and_is_kept_with_its_reason() {
    let server = Server::start();
    let event = |id: &str, event: &str| json!({"id": id, "event": event, "identifiers": {"user_id": "42"}});
    let mut large = event("large", "complaint_opened");
    large["properties"] = json!({"text": "x".repeat(40_000)});
    let mut nobody = event("nobody", "complaint_opened");
    nobody["identifiers"] = json!({});
    let batch = json!([event("a", "complaint_opened"), event("b", "complaint_opend"), large, nobody, {"id": "c"}, 7, event("d", "complaint_solved")]);
    let answer = server.post("/v1/events", &batch);
    assert_eq!(answer.status, 200);
    let expected = ["accepted", "rejected", "rejected", "rejected", "rejected", "rejected", "accepted"];
    assert_eq!(verdicts(&answer.json), expected, "{}", answer.text);
    let codes: Vec<&str> =
        server.get("/v1/rejects").json["rejects"].as_array().unwrap().iter().map(code).collect::<Vec<_>>();
    assert_eq!(
        codes,
        ["wrong_shape", "wrong_shape", "no_identifier", "item_too_large", "unknown_event"],
        "newest first"
    );
}

fn code(reject: &Value) -> &'static str {
    let known = ["unknown_event", "item_too_large", "no_identifier", "wrong_shape", "unknown_decision"];
    known.into_iter().find(|known| reject["code"] == *known).unwrap_or("another")
}

#[test]
fn what_is_sent_twice_counts_once() {
    let server = Server::start().with_customer();
    let event = json!({"id": "e", "event": "complaint_solved", "identifiers": {"user_id": "42"}});
    assert_eq!(verdicts(&server.post("/v1/events", &json!([event, event])).json), ["accepted", "duplicate"]);
    assert_eq!(verdicts(&server.post("/v1/events", &json!({"events": [event]})).json), ["duplicate"]);
    let decision = server.decide("web", "inbound", "web_home").json["decision"].clone();
    let displayed = outcome(&decision, "displayed");
    assert_eq!(verdicts(&server.post("/v1/outcomes", &displayed).json), ["accepted"]);
    assert_eq!(verdicts(&server.post("/v1/outcomes", &displayed).json), ["duplicate"]);
    let statement = json!({"identifiers": {"user_id": "42"}, "purpose": "personal_offers", "status": "withdrawn", "at": "2026-03-09T07:59:00+01:00"});
    assert_eq!(verdicts(&server.post("/v1/consents", &statement).json), ["accepted"]);
    assert_eq!(verdicts(&server.post("/v1/consents", &statement).json), ["duplicate"]);
    let customer = server.post("/v1/customers/lookup", &json!({"identifiers": {"user_id": "42"}})).json;
    assert_eq!(customer["contacts"].as_array().unwrap().len(), 1);
    assert_eq!(customer["contacts"][0]["state"], "counted");
}

#[test]
fn a_rejection_on_the_web_is_heeded_by_e_mail() {
    let server = Server::start().with_customer();
    let decision = server.decide("web", "inbound", "web_home").json["decision"].clone();
    let reports = json!([outcome(&decision, "rejected"), outcome(&decision, "displayed")]);
    assert_eq!(verdicts(&server.post("/v1/outcomes", &reports).json), ["accepted", "accepted"]);
    server.at("2026-03-10T12:00:00+01:00");
    assert!(server.decide("email", "outbound", "email_hero").json["slots"][0]["action"].is_null());
}

#[test]
fn an_outcome_of_an_unknown_decision_is_kept_as_a_reject() {
    let server = Server::start();
    let unknown = outcome(&json!(format!("d_{}", "0".repeat(32))), "displayed");
    let mistyped = outcome(&json!("17"), "displayed");
    let answer = server.post("/v1/outcomes", &json!([unknown, mistyped]));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["rejected"], 2);
    let rejects = server.get("/v1/rejects").json["rejects"].clone();
    assert!(rejects.as_array().unwrap().iter().all(|reject| code(reject) == "unknown_decision"), "{rejects}");
    assert!(rejects[0]["input"].as_str().unwrap().contains("displayed"));
}

#[test]
fn undeclared_names_are_dropped_and_counted_by_name() {
    let server = Server::start();
    let event = json!({"id": "e", "event": "complaint_opened", "identifiers": {"user_id": "42"},
        "properties": {"mood": "angry"}, "attributes": {"shoe_size": 98765, "first_name": "Noor"}});
    assert_eq!(server.post("/v1/events", &event).json["accepted"], 1);
    let dropped = server.get("/v1/rejects").json["dropped_names"].clone();
    assert_eq!(dropped, json!({"complaint_opened.mood": 1, "shoe_size": 1}));
    let customer = server.post("/v1/customers/lookup", &json!({"identifiers": {"user_id": "42"}}));
    assert_eq!(customer.json["attributes"]["first_name"]["value"], "Noor");
    assert!(!customer.text.contains("angry") && !customer.text.contains("98765"));
}

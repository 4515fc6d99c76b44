//! One conversation over several channels: what one desk hears, every channel heeds at once.

use crate::harness::{Server, question};
use serde_json::json;

const CHANNELS: [(&str, &str, &str); 3] = [
    ("email", "outbound", "email_hero"),
    ("web", "inbound", "web_home"),
    ("call_centre", "inbound", "agent_suggestion"),
];

const OFFER: &str = "sales/contract/renew";

#[test]
fn a_complaint_at_the_desk_at_nine_silences_sales_on_every_channel_at_noon() {
    let server = Server::start().with_customer();
    server.at("2026-03-09T08:30:00+01:00");
    for (channel, direction, placement) in CHANNELS {
        let mut preview = question(channel, direction, placement);
        preview["dry_run"] = json!(true);
        let answer = server.post("/v1/decide", &preview);
        assert_eq!(answer.json["slots"][0]["action"], OFFER, "{channel}: {}", answer.text);
    }

    server.at("2026-03-09T09:00:00+01:00");
    let complaint = json!({"id": "desk-7", "event": "complaint_opened", "identifiers": {"user_id": "42"}});
    assert_eq!(server.post("/v1/events", &complaint).json["accepted"], 1);

    server.at("2026-03-09T12:00:00+01:00");
    for (channel, direction, placement) in CHANNELS {
        let answer = server.decide(channel, direction, placement);
        let slot = &answer.json["slots"][0];
        assert!(slot["action"].is_null(), "{channel}: {}", answer.text);
        assert_eq!(slot["silence"]["code"], "all_dropped");
        assert_eq!(slot["silence"]["step"], "contact_policy");
        let id = answer.json["decision"].as_str().unwrap();
        let told = server.get_text(&format!("/v1/decisions/{id}?reading=employee&language=en"));
        assert!(told.contains(OFFER) && told.contains("complaint"), "{channel}: {told}");
        let told = server.get_text(&format!("/v1/decisions/{id}?reading=customer&language=nl"));
        assert!(told.contains("klacht"), "{channel}: {told}");
    }
}

#[test]
fn withdrawing_consent_holds_for_the_very_next_decision() {
    let server = Server::start().with_customer();
    assert_eq!(server.decide("web", "inbound", "web_home").json["slots"][0]["title"], "Certainty, Noor");
    server.at("2026-03-09T08:00:01+01:00");
    assert_eq!(server.consent("withdrawn").json["accepted"], 1);
    let answer = server.decide("web", "inbound", "web_home");
    assert!(answer.json["slots"][0]["action"].is_null(), "{}", answer.text);
    assert_eq!(answer.json["slots"][0]["silence"]["step"], "consent");
}

#[test]
fn somebody_unknown_gets_a_decision_that_knows_nobody() {
    let server = Server::start();
    let answer = server.decide("web", "inbound", "web_home");
    assert_eq!(answer.json["default"], false);
    assert!(answer.json["slots"][0]["action"].is_null(), "{}", answer.text);
    assert_eq!(server.post("/v1/customers/lookup", &json!({"identifiers": {"user_id": "42"}})).status, 404);
}

#[test]
fn a_dry_run_decides_the_same_and_leaves_no_trace() {
    let server = Server::start().with_customer();
    let mut preview = question("web", "inbound", "web_home");
    preview["dry_run"] = json!(true);
    let previewed = server.post("/v1/decide", &preview);
    assert_eq!(previewed.json["slots"][0]["action"], OFFER);
    let id = previewed.json["decision"].as_str().unwrap();
    assert_eq!(server.get(&format!("/v1/decisions/{id}")).status, 404);
    let customer = || server.post("/v1/customers/lookup", &json!({"identifiers": {"user_id": "42"}})).json;
    assert_eq!(customer()["contacts"], json!([]));
    server.decide("web", "inbound", "web_home");
    assert_eq!(customer()["contacts"][0]["state"], "reserved");
}

#[test]
fn asking_again_shows_the_open_contact_again() {
    let server = Server::start().with_customer();
    let first = server.decide("web", "inbound", "web_home");
    server.at("2026-03-09T08:01:00+01:00");
    let again = server.decide("web", "inbound", "web_home");
    assert_eq!(again.json["slots"][0]["action"], OFFER);
    assert_eq!(again.json["slots"][0]["reuses"], first.json["decision"]);
}

#[test]
fn an_explanation_can_come_with_the_answer_but_not_every_reading_for_every_key() {
    let server = Server::start().with_customer();
    let mut asked = question("web", "inbound", "web_home");
    asked["explain"] = json!("employee");
    let answer = server.post("/v1/decide", &asked);
    assert!(answer.json["explanation_text"].as_str().unwrap().contains(OFFER), "{}", answer.text);
    let made = server.post("/v1/keys", &json!({"name": "web", "scopes": ["decide"]}));
    let key = made.json["key"].as_str().unwrap();
    let refused = server.call("POST", "/v1/decide", &[("x-api-key", key)], asked.to_string().as_bytes());
    assert_eq!((refused.status, refused.json["code"].as_str()), (403, Some("scope_missing")));
    asked["explain"] = json!("customer");
    let told = server.call("POST", "/v1/decide", &[("x-api-key", key)], asked.to_string().as_bytes());
    assert!(told.json["explanation"]["headline"].is_string(), "{}", told.text);
}

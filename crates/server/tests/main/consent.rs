//! The consent ledger over HTTP: what shows a statement, which text it was said to, what the customer keeps of it,
//! and that a withdrawal is heeded by whoever asks after its answer.

use crate::harness::{Server, question};
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

const MORNING: &str = "2026-03-09T08:00:00+01:00";
/// Version 2 of the framework, platform 31, list 150, last changed 2023-11-14, purposes 1 and 3.
const STRING: &str = "CP1R2oAP1R2oBAfABAAACWEAAKAAAA";

fn about(purpose: &str, status: &str) -> Value {
    json!({"identifiers": {"user_id": "42"}, "purpose": purpose, "status": status})
}

fn ledger(server: &Server) -> Value {
    server.post("/v1/consents/lookup", &json!({"identifiers": {"user_id": "42"}})).json
}

/// Purpose, status and kind of evidence of everything said, oldest first.
fn said(ledger: &Value) -> Vec<String> {
    let one = |entry: &Value| {
        let evidence = entry["evidence"]["kind"].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {evidence}",
            entry["purpose"].as_str().unwrap_or("?"),
            entry["status"].as_str().unwrap()
        )
    };
    ledger["statements"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn a_statement_keeps_its_evidence_and_the_text_it_was_said_to_and_gives_a_receipt() {
    let server = Server::start();
    server.at(MORNING);
    let mut yes = about("advertising", "given");
    yes["evidence"] = json!({"kind": "form", "reference": "cookie-bar-7"});
    assert_eq!(server.post("/v1/consents", &yes).json["accepted"], 1);
    let ledger = ledger(&server);
    let entry = &ledger["statements"][0];
    assert_eq!(entry["evidence"], json!({"kind": "form", "reference": "cookie-bar-7"}));
    assert_eq!(entry["expires_at"], "2026-09-05T07:00:00Z", "180 days, as the purpose says");
    let text = entry["text"].as_str().expect("the present text");
    let record = &ledger["receipts"][0]["dpv:hasRecordOfActivity"];
    assert_eq!(record["dpv:hasNotice"]["dct:hasVersion"], text);
    assert_eq!(record["dpv:hasConsentStatus"]["@type"], "dpv:ConsentGiven");
    assert_eq!(record["dpv:hasProcess"]["dpv:hasLegalBasis"], "eu-gdpr:A6-1-a");
    let told = record["dpv:hasNotice"]["dct:description"].to_string();
    assert!(told.contains("elsewhere") && told.contains("elders"), "{told}");
    server.at("2026-10-01T00:00:00Z");
    let record = &self::ledger(&server)["receipts"][0]["dpv:hasRecordOfActivity"];
    assert_eq!(record["dpv:hasConsentStatus"]["@type"], "dpv:ConsentExpired");
}

#[test]
fn what_cannot_be_said_or_shown_is_rejected_with_a_reason() {
    let server = Server::start();
    server.at(MORNING);
    let with = |member: &str, value: Value| {
        let mut statement = about("advertising", "given");
        statement[member] = value;
        statement
    };
    let form = |reference: &str| json!({"kind": "form", "reference": reference});
    for (statement, code) in [
        (about("world_domination", "given"), "unknown_purpose"),
        (with("at", json!("2026-03-10T08:00:00+01:00")), "in_the_future"),
        (about("research", "given"), "no_text_version"),
        (with("text", json!("0".repeat(32))), "unknown_text_version"),
        (with("text", json!("latest")), "text"),
        (with("channel", json!("email")), "channel_not_covered"),
        (with("evidence", form(&"x".repeat(65))), "evidence"),
        (with("evidence", form("Jan said yes")), "evidence"),
        (with("status", json!("restricted")), "unfit_status"),
        (with("topic", json!("sales")), "about"),
        (json!({"identifiers": {"user_id": "42"}, "tcf": "nonsense"}), "tcf_string"),
        (json!({"identifiers": {"user_id": "42"}, "everything": true, "status": "given"}), "unfit_status"),
    ] {
        let answer = server.post("/v1/consents", &statement);
        assert_eq!(answer.json["verdicts"][0]["code"], code, "{statement}: {}", answer.text);
    }
    let refused = server.post("/v1/consents/lookup", &json!({"identifiers": {"user_id": "42"}}));
    assert_eq!(refused.status, 404, "a rejected statement makes nobody known: {}", refused.text);
}

#[test]
fn consent_to_the_text_of_now_can_be_named_and_stays_known_when_the_text_changes() {
    let server = Server::start();
    server.at(MORNING);
    let asked = server.post("/v1/consents", &about("research", "given"));
    let message = asked.json["verdicts"][0]["message"].as_str().unwrap().to_owned();
    let version = message.rsplit(' ').next().unwrap();
    let mut yes = about("research", "given");
    yes["text"] = json!(version);
    let mut files = crate::harness::files();
    let purposes = files.0.get_mut("purposes.toml").unwrap();
    *purposes = purposes.replace("\"Research\"", "\"Research and more\"");
    server.app.engine.publish(&files).unwrap();
    assert_eq!(server.post("/v1/consents", &yes).json["accepted"], 1, "what was published once is known");
    let receipt = ledger(&server)["receipts"][0].to_string();
    assert!(receipt.contains("\"@value\":\"Research\""), "the receipt tells what was agreed to: {receipt}");
}

#[test]
fn a_consent_object_counts_once_and_a_browsers_objection_until_a_yes() {
    let server = Server::start();
    server.at(MORNING);
    let event = |id: &str, advertising: bool| {
        json!({"id": id, "event": "contract_renewed", "identifiers": {"user_id": "42"},
               "context": {"consent": {"categoryPreferences": {"Advertising": advertising, "Other": true}}}})
    };
    for (number, yes) in [true, true, false, false, true].into_iter().enumerate() {
        server.at(&format!("2026-03-09T08:00:0{number}+01:00"));
        assert_eq!(server.post("/v1/events", &event(&format!("e{number}"), yes)).json["accepted"], 1);
    }
    let seen = ["given", "withdrawn", "given"].map(|status| format!("advertising {status} segment_consent"));
    assert_eq!(said(&ledger(&server)), seen);

    server.at("2026-03-09T09:00:00+01:00");
    let browser = [("x-api-key", &*server.key), ("sec-gpc", "1")];
    let visit = |id: &str| json!({"id": id, "event": "contract_renewed", "identifiers": {"user_id": "43"}});
    for id in ["v1", "v2"] {
        server.call("POST", "/v1/events", &browser, visit(id).to_string().as_bytes());
    }
    let other = server.post("/v1/consents/lookup", &json!({"identifiers": {"user_id": "43"}})).json;
    assert_eq!(said(&other), ["advertising objected global_privacy_control"]);
    server.call("POST", "/v1/events", &browser, event("v3", true).to_string().as_bytes());
    assert_eq!(said(&ledger(&server)).len(), 3, "who said yes expressly is not overruled by the browser");
}

#[test]
fn a_consent_string_speaks_for_the_purposes_that_declare_one_as_of_its_last_change() {
    let server = Server::start();
    server.at(MORNING);
    let statement = json!({"identifiers": {"user_id": "42"}, "tcf": STRING});
    assert_eq!(server.post("/v1/consents", &statement).json["accepted"], 1);
    assert_eq!(server.post("/v1/consents", &statement).json["duplicates"], 1);
    let ledger = ledger(&server);
    assert_eq!(said(&ledger), ["advertising refused tcf_string"]);
    let entry = &ledger["statements"][0];
    assert!(entry["evidence"]["reference"].as_str().unwrap().starts_with("cmp:31/list:150/"));
    assert!(entry["at"].as_str().unwrap().starts_with("2023-11-14"), "{entry}");
    assert!(!ledger.to_string().contains(STRING), "the string itself is a fingerprint and is not kept");
}

#[test]
fn nothing_is_said_to_anybody_whose_withdrawal_has_been_answered_while_everybody_asks() {
    let rounds: u64 = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 400 } else { 25 };
    let server = Server::start().with_customer();
    let mut longest = Duration::ZERO;
    for round in 0..rounds {
        server.at(&format!("2026-03-09T08:{:02}:{:02}+01:00", 1 + round / 60, round % 60));
        server.consent("given");
        let (withdrawn, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let (asked, late) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut preview = question("web", "inbound", "web_home");
                    preview["dry_run"] = json!(true);
                    while !over.load(Ordering::SeqCst) {
                        let after = withdrawn.load(Ordering::SeqCst);
                        let answer = server.post("/v1/decide", &preview);
                        let said = answer.json["slots"][0]["action"].is_string();
                        asked.fetch_add(u64::from(after), Ordering::SeqCst);
                        late.fetch_add(u64::from(after && said), Ordering::SeqCst);
                    }
                });
            }
            let began = Instant::now();
            assert_eq!(server.consent("withdrawn").json["accepted"], 1);
            withdrawn.store(true, Ordering::SeqCst);
            longest = longest.max(began.elapsed());
            while asked.load(Ordering::SeqCst) < 8 {
                thread::yield_now();
            }
            over.store(true, Ordering::SeqCst);
        });
        assert_eq!(late.load(Ordering::SeqCst), 0, "said after the withdrawal was answered, round {round}");
    }
    eprintln!(
        "{rounds} withdrawals under four askers: effective when answered, at most {longest:?} after being sent"
    );
}

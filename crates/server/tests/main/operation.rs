//! What an operator and a newcomer see.

use crate::harness::{Server, files};
use serde_json::json;
use server::{Background, ReadFolder};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[test]
fn the_page_shows_whose_brain_this_is_and_what_to_try() {
    let server = Server::start();
    let page = server.call("GET", "/", &[], b"");
    assert!(page.content_type.starts_with("text/html"));
    assert!(
        page.text.contains("Corner shop &lt;&amp; sons&gt;") && page.text.contains("curl"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("{organisation}") && !page.text.contains("{channel}"));
}

#[test]
fn the_strategy_tells_callers_which_names_exist() {
    let server = Server::start();
    let summary = server.get("/v1/strategy").json;
    assert_eq!(summary["counts"]["actions"], 1);
    assert_eq!(summary["channels"][0]["channel"], "call_centre");
    assert_eq!(summary["channels"][0]["placements"], json!([{"placement": "agent_suggestion", "slots": 2}]));
    assert_eq!(summary["contexts"][1]["values"], json!(["home", "bill"]));
    assert_eq!(summary["events"][0]["event"], "complaint_opened");
}

#[test]
fn model_cards_are_told_once_something_was_learned_and_refused_about_what_does_not_exist() {
    let server = Server::start();
    let models = server.get("/v1/models");
    assert_eq!((models.status, models.json["outcomes"].clone()), (200, json!([])));
    let unknown = server.get("/v1/models?action=no/such/one");
    assert_eq!((unknown.status, unknown.json["code"].clone()), (404, json!("unknown_action")));
    let misspelt = server.get("/v1/models?actoin=no/such/one");
    assert_eq!((misspelt.status, misspelt.json["code"].clone()), (422, json!("wrong_query")));
}

#[test]
fn the_metrics_count_and_name_no_customer() {
    let server = Server::start().with_customer();
    server.decide("web", "inbound", "web_home");
    let known = server.post("/v1/customers/lookup", &json!({"identifiers": {"user_id": "42"}}));
    let customer = known.json["customer"].as_str().unwrap().to_owned();
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains("attent_decisions_total{kind=\"said\"} 1"), "{metrics}");
    assert!(metrics.contains("attent_verdicts_total{report=\"events\",verdict=\"accepted\"} 1"), "{metrics}");
    assert!(metrics.contains("route=\"/v1/decide\"") && metrics.contains("attent_store_queued_batches"));
    assert!(
        !metrics.contains(&customer) && !metrics.contains("Noor") && !metrics.contains("user_id"),
        "{metrics}"
    );
}

#[test]
fn a_changed_folder_decides_once_it_checks_and_until_then_the_one_before() {
    let server = Server::start();
    let folder = Arc::new(Mutex::new(files()));
    let read = folder.clone();
    let read: ReadFolder = Box::new(move || Ok((read.lock().unwrap().clone(), Vec::new())));
    let background =
        Background::start(&server.app, server.store.clone(), Duration::from_secs(3600), Some(read)).unwrap();
    let version = || server.get("/v1/strategy").json["version"].clone();
    let first = version();

    let broken = |text: &mut String| *text = text.replace("time_zone", "timezone");
    broken(folder.lock().unwrap().0.get_mut("organisation.toml").unwrap());
    let pending = eventually(|| {
        Some(server.get("/readyz").json["pending_problems"].clone()).filter(|found| *found != json!([]))
    });
    assert_eq!(pending[0]["file"], "organisation.toml");
    assert_eq!(version(), first);

    let mut repaired = files();
    let organisation = repaired.0.get_mut("organisation.toml").unwrap();
    *organisation = organisation.replace("Corner shop", "Market stall");
    *folder.lock().unwrap() = repaired;
    eventually(|| (version() != first).then_some(()));
    let summary = server.get("/v1/strategy").json;
    assert_eq!(summary["organisation"], "Market stall <& sons>");
    assert_eq!(summary["pending_problems"], json!([]));
    background.stop();
}

#[test]
fn what_is_new_is_learned_from_in_the_background() {
    let server = Server::start().with_customer();
    let before = server.app.engine.model().encode();
    let decision = server.decide("web", "inbound", "web_home").json["decision"].clone();
    for outcome in ["displayed", "contract_renewed"] {
        server.post("/v1/outcomes", &json!({"decision": decision, "slot": 0, "outcome": outcome}));
    }
    server.at("2026-06-09T08:00:00+01:00");
    let background =
        Background::start(&server.app, server.store.clone(), Duration::from_millis(20), None).unwrap();
    eventually(|| (server.app.engine.model().encode() != before).then_some(()));
    background.stop();
}

/// What becomes true within a generous time.
fn eventually<T>(found: impl Fn() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(found) = found() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not happen in a minute");
}

#[test]
fn anybody_may_read_the_notice_as_a_page_or_as_data_in_two_languages() {
    let server = Server::start();
    let notice = server.call("GET", "/v1/notice?language=nl", &[("Accept", "text/html")], b"");
    assert_eq!((notice.status, notice.content_type.as_str()), (200, "text/html; charset=utf-8"));
    assert!(notice.text.contains("lang=\"nl\"") && notice.text.contains("Corner shop &lt;&amp; sons&gt;"));
    let data = server.call("GET", "/v1/notice", &[("Accept-Language", "en-GB,en;q=0.9")], b"").json;
    assert_eq!(data["language"], "en");
    let purposes = data["purposes"].as_array().expect("purposes");
    assert!(!purposes.is_empty() && purposes.iter().all(|one| one["text"].as_str().unwrap().len() == 32));
    assert_eq!(server.call("GET", "/v1/notice?lingo=nl", &[], b"").status, 422);
}

//! Keys that lie open in a page: for whom they speak, what they learn, and what a storm of bots can do with them.

use crate::{
    desk::token,
    harness::{Answer, Server, files, patient},
};
use serde_json::{Value, json};
use server::{Settings, keys::Scope};

struct Page {
    server: Server,
    key: String,
}

impl Page {
    fn open() -> Self {
        let server = Server::start().with_customer().with_tokens();
        let key = server.app.keys.create("page", &[Scope::Browser], jiff::Timestamp::UNIX_EPOCH).unwrap().0;
        Self { server, key }
    }

    fn send(&self, path: &str, customer: Option<&str>, body: &Value) -> Answer {
        let mut headers = vec![("x-api-key", self.key.as_str())];
        headers.extend(customer.map(|token| ("x-customer-token", token)));
        self.server.call("POST", path, &headers, body.to_string().as_bytes())
    }

    fn ask(&self, identifiers: &Value, customer: Option<&str>) -> Answer {
        let question = json!({
            "identifiers": identifiers, "channel": "web", "direction": "inbound",
            "placements": [{"placement": "web_home"}], "language": "en",
        });
        self.send("/v1/decide", customer, &question)
    }

    /// Tells that Noor is at this browser.
    fn logs_in(&self, browser: &str) {
        let event = json!({
            "id": format!("login {browser}"), "event": "customer_updated",
            "identifiers": {"user_id": "42", "anonymous_id": browser},
        });
        assert_eq!(self.server.post("/v1/events", &event).json["accepted"], 1);
    }
}

fn names(json: &Value) -> Vec<String> {
    json.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_page_speaks_for_a_device_or_for_whoever_proved_to_be_there() {
    let page = Page::open();
    page.logs_in("noors");
    let (noor, piet) = (token("42"), token("43"));
    for (identifiers, customer, status, title) in [
        (json!({}), None, 200, Value::Null),
        (json!({"anonymous_id": "a"}), None, 200, Value::Null),
        (json!({"anonymous_id": "noors"}), None, 200, Value::Null),
        (json!({"user_id": "42"}), None, 403, Value::Null),
        (json!({"email": "n@example.org"}), None, 403, Value::Null),
        (json!({"user_id": "42"}), Some(&piet), 403, Value::Null),
        (json!({"user_id": "42"}), Some(&noor), 200, json!("Certainty, Noor")),
        (json!({}), Some(&noor), 200, json!("Certainty, Noor")),
        (json!({"anonymous_id": "a"}), Some(&noor), 200, json!("Certainty, Noor")),
        (json!({"anonymous_id": "noors"}), Some(&piet), 200, Value::Null),
        (json!({}), Some(&"forged".to_owned()), 401, Value::Null),
    ] {
        let asked = page.ask(&identifiers, customer.map(String::as_str));
        assert_eq!(asked.status, status, "{identifiers} {}", asked.text);
        assert_eq!(asked.json["slots"][0]["title"], title, "{identifiers}");
        for path in ["/v1/events", "/v1/outcomes"] {
            let item = json!({"id": "e", "event": "customer_updated", "identifiers": identifiers,
                "decision": "d_0", "outcome": "displayed", "token": "t"});
            let told = page.send(path, customer.map(String::as_str), &item);
            assert_eq!(told.status, status, "{path} {identifiers} {}", told.text);
        }
    }
    for path in
        ["/v1/consents", "/v1/customers/lookup", "/v1/customers/export", "/v1/customers/merge", "/v1/keys"]
    {
        assert_eq!(page.send(path, Some(&noor), &json!({})).status, 403, "{path}");
    }
}

#[test]
fn a_page_cannot_tell_who_is_known() {
    let page = Page::open();
    page.logs_in("noors");
    let told = json!({"id": "e1", "event": "customer_updated", "identifiers": {"anonymous_id": "visitor"}});
    page.send("/v1/events", None, &told);
    let shapes: Vec<(u16, String, Vec<String>, Vec<String>)> = ["noors", "visitor", "nobody"]
        .iter()
        .map(|browser| {
            let answer = page.ask(&json!({"anonymous_id": browser}), None);
            (answer.status, answer.content_type, names(&answer.json), names(&answer.json["slots"][0]))
        })
        .collect();
    assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]), "{shapes:?}");
    let same = |path: &str, items: &[Value]| {
        let texts: Vec<String> = items.iter().map(|item| page.send(path, None, item).text).collect();
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    };
    same(
        "/v1/events",
        &[
            told.clone(),
            json!({"id": "n", "event": "never heard of", "identifiers": {"anonymous_id": "noors"}}),
            told,
        ],
    );
    let outcome = |browser: &str| json!({"decision": "d_0", "token": "guess", "outcome": "displayed", "identifiers": {"anonymous_id": browser}});
    same("/v1/outcomes", &[outcome("noors"), outcome("nobody")]);
    assert_eq!(page.server.get("/v1/rejects").json["rejects"], json!([]), "nothing of it is kept");
    let question = json!({"identifiers": {"anonymous_id": "a"}, "channel": "web", "direction": "inbound",
        "placements": [{"placement": "web_home"}], "explain": "customer"});
    assert_eq!(page.send("/v1/decide", None, &question).status, 403);
}

#[test]
fn a_storm_of_bots_moves_no_model() {
    let page = Page::open();
    let noor = token("42");
    let asked = page.ask(&json!({}), Some(&noor));
    let (decision, own) = (asked.json["decision"].clone(), asked.json["token"].clone());
    let report = |token: &Value, outcome: &str, identifiers: Value| json!({"decision": decision, "token": token, "outcome": outcome, "identifiers": identifiers});
    let shown = page.send("/v1/outcomes", Some(&noor), &report(&own, "displayed", json!({})));
    assert_eq!(shown.json["received"], 1);
    let learned = |page: &Page| page.server.app.engine.learn((page.server.app.clock)()).unwrap();
    let before = learned(&page);
    assert_eq!(before.rows, 3, "the name, the exposure and its display were learned from");
    let other = page.ask(&json!({"anonymous_id": "bot"}), None).json["token"].clone();
    for storm in 0..100 {
        let items: Vec<Value> = (0..100)
            .map(|number| match number % 4 {
                0 => report(
                    &json!(format!("guess {storm} {number}")),
                    "accepted",
                    json!({"anonymous_id": "bot"}),
                ),
                1 => report(&other, "accepted", json!({"anonymous_id": "bot"})),
                2 => report(&own, "accepted", json!({"anonymous_id": "thief"})),
                _ => json!({"decision": format!("d_{number:032x}"), "token": own, "outcome": "accepted"}),
            })
            .collect();
        assert_eq!(page.send("/v1/outcomes", None, &json!(items)).json["received"], 100);
    }
    for _ in 0..3 {
        page.send("/v1/outcomes", Some(&noor), &json!(vec![report(&own, "displayed", json!({})); 100]));
    }
    let events: Vec<Value> = (0..100)
        .map(|number| json!({"id": format!("b{number}"), "event": "contract_renewed", "identifiers": {"anonymous_id": "bot"}}))
        .collect();
    page.send("/v1/events", None, &json!(events));
    let after = learned(&page);
    assert_eq!((after.rows, after.model), (1, before.model), "nothing but that a model was published before");
}

/// What models expect of an offer to anybody, a month and a half after a storm of so many visitors.
fn expected_after(storm: usize, lessons_per_minute: u32) -> (f32, Page) {
    let settings = Settings { browser_lessons_per_minute: lessons_per_minute, ..patient() };
    let server = Server::with(settings);
    let mut files = files();
    let offer = &files.0["actions/sales/contract/renew.toml"];
    let offer = offer.replace("personal_offers", "contract").replace(", {first_name}", "");
    files.0.insert("actions/sales/contract/renew.toml".into(), offer);
    server.app.engine.publish(&files).unwrap();
    let key = server.app.keys.create("page", &[Scope::Browser], jiff::Timestamp::UNIX_EPOCH).unwrap().0;
    let page = Page { server, key };
    for visitor in 0..100 {
        let asked = page
            .server
            .post("/v1/decide", &json!({"channel": "web", "placements": [{"placement": "web_home"}]}));
        let shown = json!({"decision": asked.json["decision"], "outcome": "displayed"});
        assert_eq!(page.server.post("/v1/outcomes", &shown).json["accepted"], 1, "{visitor} {}", asked.text);
    }
    for bot in 0..storm {
        let whom = json!({"anonymous_id": format!("bot {bot}")});
        let asked = page.ask(&whom, None);
        assert_eq!(asked.json["slots"][0]["title"], "Certainty", "{}", asked.text);
        let shown = json!({"decision": asked.json["decision"], "token": asked.json["token"], "outcome": "displayed", "identifiers": whom});
        assert_eq!(page.send("/v1/outcomes", None, &shown).json["received"], 1);
    }
    page.server.at("2026-04-24T08:00:00Z");
    page.server.app.engine.learn((page.server.app.clock)()).unwrap();
    let asked = page.server.post("/v1/decide", &json!({"channel": "web", "placements": [{"placement": "web_home"}], "dry_run": true, "explain": "auditor"}));
    let candidates = asked.json["explanation"]["candidates"].as_array().unwrap();
    let expected = candidates.iter().find_map(|found| found["waterfall"]["propensity"].as_f64());
    (expected.unwrap_or_else(|| panic!("{}", asked.text)) as f32, page)
}

#[test]
fn visitors_of_a_bots_own_making_teach_no_more_than_a_minute_holds() {
    let storm = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 10_000 } else { 400 };
    let (quiet, _) = expected_after(0, 60);
    let (bounded, page) = expected_after(storm, 60);
    let (unbounded, _) = expected_after(storm, u32::MAX);
    let moved = [bounded, unbounded].map(|expected| (expected - quiet).abs());
    eprintln!("expected {quiet} without a storm, {bounded} with it, {unbounded} with nothing bounded");
    assert!(moved[0] < 0.005, "{moved:?}");
    assert!(moved[1] > 2.0 * moved[0], "the storm would have moved more: {moved:?}");
    let metrics = page.server.get("/metrics").text;
    assert!(metrics.contains("attent_browser_slots_total{kind=\"learned\"} 60"), "{metrics}");
    let left_out = format!("attent_browser_slots_total{{kind=\"left_out\"}} {}", storm - 60);
    assert!(metrics.contains(&left_out), "{metrics}");
}

//! The customer's own desk: who gets in, what they see, and what they change.

use crate::harness::{Answer, Server};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::BTreeSet;

/// 2026-03-09T07:00:00Z, when the server's clock stands.
const NOW: i64 = 1_773_039_600;
const SECRET: [u8; 32] = [5; 32];

fn signing() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn encoded(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn by_ed25519(header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signature = signing().sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

fn by_hmac(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(&signed).finalize();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
}

/// A token of a device, as the organisation signs it.
pub fn device_token(device: &str) -> String {
    by_hmac(&json!({"alg": "HS256", "kid": "shared"}), &claims(device), &SECRET)
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "web", "typ": "JWT"})
}

pub fn claims(subject: &str) -> Value {
    json!({"sub": subject, "aud": "attent", "iat": NOW, "exp": NOW + 600})
}

/// A token of a user, as the organisation signs it.
pub fn token(subject: &str) -> String {
    by_ed25519(&header(), &claims(subject))
}

impl Server {
    /// Registers the keys that sign tokens: of users, and of devices.
    pub fn with_tokens(self) -> Self {
        let public = URL_SAFE_NO_PAD.encode(signing().verifying_key().to_bytes());
        let keys = [
            json!({"id": "web", "algorithm": "EdDSA", "key": public, "audience": "attent", "identifies": "user_id"}),
            json!({"id": "shared", "algorithm": "HS256", "key": URL_SAFE_NO_PAD.encode(SECRET),
                "audience": "attent", "identifies": "anonymous_id"}),
        ];
        for key in keys {
            let made = self.post("/v1/token-keys", &key);
            assert_eq!(made.status, 201, "{}", made.text);
            assert!(made.json.get("key").is_none());
        }
        self.at("2026-03-09T07:00:00Z");
        self
    }

    pub fn as_customer(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        self.call(
            method,
            path,
            &[("authorization", &bearer), ("accept-language", "nl")],
            body.to_string().as_bytes(),
        )
    }
}

#[test]
fn a_token_that_does_not_hold_gets_one_answer_whatever_is_wrong_with_it() {
    let server = Server::start().with_customer().with_tokens();
    let good = token("42");
    assert_eq!(server.as_customer("GET", "/v1/me", &good, &json!({})).status, 200);
    let changed = |name: &str, value: Value| {
        let mut claims = claims("42");
        claims[name] = value;
        by_ed25519(&header(), &claims)
    };
    let without = |name: &str| {
        let mut claims = claims("42");
        claims.as_object_mut().unwrap().remove(name);
        by_ed25519(&header(), &claims)
    };
    let parts: Vec<&str> = good.split('.').collect();
    let public = signing().verifying_key().to_bytes();
    let wrong = [
        String::new(),
        "x".into(),
        "a.b.c".into(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], encoded(&claims("43")), parts[2]),
        format!("{}.{}.", encoded(&json!({"alg": "none", "kid": "web"})), parts[1]),
        by_hmac(&json!({"alg": "HS256", "kid": "web"}), &claims("42"), &public),
        by_ed25519(&json!({"alg": "HS256", "kid": "web"}), &claims("42")),
        by_ed25519(&json!({"alg": "none", "kid": "web"}), &claims("42")),
        by_ed25519(&json!({"alg": "EdDSA", "kid": "shared"}), &claims("42")),
        by_ed25519(&json!({"alg": "EdDSA", "kid": "other"}), &claims("42")),
        by_ed25519(&json!({"alg": "EdDSA"}), &claims("42")),
        by_ed25519(&json!({"alg": "EdDSA", "kid": "web", "crit": ["b64"]}), &claims("42")),
        by_hmac(&json!({"alg": "HS256", "kid": "shared"}), &claims("42"), &[6; 32]),
        changed("aud", json!("another tenant")),
        changed("aud", json!(["another", "tenant"])),
        changed("exp", json!(NOW)),
        changed("exp", json!(NOW + 3601)),
        changed("iat", json!(NOW + 120)),
        changed("nbf", json!(NOW + 120)),
        changed("sub", json!("")),
        changed("sub", json!(42)),
        without("aud"),
        without("exp"),
        without("iat"),
        without("sub"),
        server.key.clone(),
        "x".repeat(5_000),
    ];
    let answers: BTreeSet<(u16, String)> = wrong
        .iter()
        .map(|token| server.as_customer("GET", "/v1/me", token, &json!({})))
        .map(|answer| (answer.status, answer.text))
        .collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.first().unwrap().0, 401);
    assert_eq!(server.call("DELETE", "/v1/token-keys/web", &[("x-api-key", &server.key)], b"").status, 204);
    assert_eq!(server.as_customer("GET", "/v1/me", &good, &json!({})).status, 401, "its key was removed");
}

#[test]
fn a_customer_sees_corrects_and_forbids_and_the_next_decision_heeds_it() {
    let server = Server::start().with_customer().with_tokens();
    let token = token("42");
    let said = server.decide("web", "inbound", "web_home");
    assert_eq!(said.json["slots"][0]["title"], "Certainty, Noor");
    let me = server.as_customer("GET", "/v1/me", &token, &json!({}));
    let fact = &me.json["facts"][0];
    assert_eq!((&fact["label"], &fact["value"]), (&json!("uw voornaam"), &json!("Noor")), "{}", me.text);
    assert_eq!(fact["from"], "dat vertelde u ons zelf");
    assert_eq!(fact["purposes"][1], "Aanbiedingen die bij u passen");
    assert_eq!(me.json["contacts"][0]["about"], "Verleng uw contract");
    let corrected = json!({"attribute": "first_name", "value": "Nora"});
    assert_eq!(server.as_customer("POST", "/v1/me/corrections", &token, &corrected).status, 200);
    let nonsense = json!({"attribute": "first_name", "value": 7});
    assert_eq!(server.as_customer("POST", "/v1/me/corrections", &token, &nonsense).status, 422);
    assert_eq!(server.decide("web", "inbound", "web_home").json["slots"][0]["title"], "Certainty, Nora");
    let decisions = server.as_customer("GET", "/v1/me/decisions?limit=1&language=en", &token, &json!({}));
    assert_eq!(decisions.json["decisions"][0]["decision"], said.json["decision"]);
    assert!(decisions.json["decisions"][0]["text"].as_str().unwrap().contains("chose this for you"));
    let next = decisions.json["next"].as_str().unwrap();
    let rest = server.as_customer("GET", &format!("/v1/me/decisions?after={next}"), &token, &json!({}));
    assert_eq!(rest.json["decisions"].as_array().unwrap().len(), 1, "{}", rest.text);
    let pause = json!({"topic": "sales/contract", "status": "objected"});
    assert_eq!(server.as_customer("POST", "/v1/me/statements", &token, &pause).status, 200);
    assert_eq!(server.decide("web", "inbound", "web_home").json["slots"][0]["action"], Value::Null);
}

#[test]
fn a_customer_contests_a_decision_and_a_human_answers() {
    let server = Server::start().with_customer().with_tokens();
    let decision = server.decide("web", "inbound", "web_home").json["decision"].clone();
    let contest = json!({"decision": decision, "words": "this is not for me"});
    let stranger = server.as_customer("POST", "/v1/me/contest", &token("43"), &contest);
    assert_eq!(stranger.status, 404, "it is about somebody else");
    assert_eq!(server.as_customer("POST", "/v1/me/contest", &token("42"), &contest).status, 202);
    let wrong = json!({"decision": decision, "slot": 3, "words": ""});
    assert_eq!(
        server.as_customer("POST", "/v1/me/contest", &token("42"), &wrong).json["code"],
        "unknown_slot"
    );
    let employee = format!("/v1/decisions/{}?reading=employee", decision.as_str().unwrap());
    let review = &server.get(&employee).json["reviews"][0];
    assert_eq!((&review["why"], &review["settled"]), (&json!("contested"), &Value::Null));
    assert!(server.get_text(&employee).contains("contested · slot 0 · waiting · this is not for me"));
    let waiting = server.get("/v1/contested");
    assert_eq!(waiting.json[0]["words"], "this is not for me");
    let path = format!("/v1/queue/{}", decision.as_str().unwrap());
    let answer =
        json!({"why": "contested", "approve": true, "by": "Piet of service", "reason": "fair point"});
    let settled = server.post(&path, &answer);
    assert_eq!(settled.status, 200, "{}", settled.text);
    assert!(settled.json["by"].as_str().unwrap().starts_with("Piet of service, test (atk_"));
    assert_eq!(server.post(&path, &answer).status, 409);
    assert_eq!(server.get("/v1/contested").json, json!([]));
    assert_eq!(server.get(&employee).json["reviews"][0]["settled"]["approved"], true);
}

#[test]
fn a_link_opens_the_preferences_and_nothing_else_for_thirty_days() {
    let server = Server::start().with_customer().with_tokens();
    let made = server.post("/v1/preference-links", &json!({"identifiers": {"user_id": "42"}}));
    assert_eq!(made.status, 201, "{}", made.text);
    let link = made.json["token"].as_str().unwrap();
    let open = |link: &str, path: &str| server.as_customer("GET", path, link, &json!({})).status;
    assert_eq!(open(link, "/v1/me"), 403);
    assert_eq!(open(link, "/v1/me/export"), 403);
    assert_eq!(open(&link[..link.len() - 2], "/v1/me/preferences"), 401);
    let seen = server.as_customer("GET", "/v1/me/preferences", link, &json!({}));
    assert_eq!(seen.json["purposes"][1]["allowed"]["web"], true, "{}", seen.text);
    let no = json!({"purpose": "personal_offers", "status": "withdrawn"});
    assert_eq!(server.as_customer("POST", "/v1/me/statements", link, &no).status, 200);
    assert_eq!(server.decide("web", "inbound", "web_home").json["slots"][0]["action"], Value::Null);
    server.at("2026-04-09T07:00:00Z");
    assert_eq!(open(link, "/v1/me/preferences"), 401, "it has run out");
}

#[test]
fn a_device_sees_its_choices_and_not_whom_it_belongs_to() {
    let server = Server::start().with_tokens();
    let device = device_token("browser-7");
    assert_eq!(server.as_customer("GET", "/v1/me/preferences", &device, &json!({})).status, 200);
    assert_eq!(server.as_customer("GET", "/v1/me", &device, &json!({})).status, 403);
    let no = json!({"purpose": "personal_offers", "status": "refused"});
    assert_eq!(server.as_customer("POST", "/v1/me/statements", &device, &no).status, 200);
}

#[test]
fn what_a_customer_takes_along_gives_the_same_decisions_elsewhere() {
    let here = Server::start().with_customer().with_tokens();
    let decided = here.decide("web", "inbound", "web_home");
    let outcomes = ["displayed", "rejected"]
        .map(|outcome| json!({"decision": decided.json["decision"], "outcome": outcome}));
    assert_eq!(here.post("/v1/outcomes", &json!(outcomes)).json["accepted"], 2);
    let export = here.as_customer("GET", "/v1/me/export", &token("42"), &json!({}));
    assert_eq!(export.content_type, "application/x-ndjson");
    let lines: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let elsewhere = Server::start();
    let body = json!({"identifiers": {"user_id": "42"}, "lines": lines});
    let brought = elsewhere.post("/v1/customers/import", &body);
    assert_eq!(brought.json["lines"], lines.len(), "{}", brought.text);
    assert_eq!(elsewhere.post("/v1/customers/import", &body).status, 200, "twice is once");
    let again = elsewhere.post("/v1/customers/export", &json!({"identifiers": {"user_id": "42"}}));
    assert_eq!(again.text, export.text);
    for moment in ["2026-03-10T10:00:00Z", "2026-05-10T10:00:00Z", "2026-09-10T10:00:00Z"] {
        let slots = [&here, &elsewhere].map(|server| {
            server.at(moment);
            let slot = server.decide("web", "inbound", "web_home").json["slots"][0].clone();
            [slot["action"].clone(), slot["title"].clone(), slot["silence"].clone()]
        });
        assert_eq!(slots[0], slots[1], "{moment}");
    }
    assert_eq!(
        elsewhere
            .post("/v1/customers/import", &json!({"identifiers": {"user_id": "1"}, "lines": [7]}))
            .status,
        422
    );
}

#[test]
fn two_customers_are_merged_and_parted_by_a_human_with_a_reason() {
    let server = Server::start().with_customer();
    let other = json!({"id": "e", "event": "customer_updated", "identifiers": {"email": "n@example.org"}, "attributes": {}});
    server.post("/v1/events", &other);
    let merge = json!({"from": {"identifiers": {"email": "n@example.org"}}, "into": {"identifiers": {"user_id": "42"}}, "reason": "same passport"});
    let merged = server.post("/v1/customers/merge", &merge);
    assert_eq!((merged.status, &merged.json["identifiers"]), (200, &json!(["email"])), "{}", merged.text);
    assert_eq!(server.post("/v1/customers/merge", &merge).json["code"], "merged_already");
    let seen = server.post("/v1/customers/lookup", &json!({"identifiers": {"email": "n@example.org"}}));
    assert_eq!(seen.json["attributes"]["first_name"]["value"], "Noor");
    assert_eq!(seen.json["merges"][0]["reason"], "same passport");
    let part = json!({"customer": {"identifiers": {"email": "n@example.org"}}, "reason": "a mistake"});
    assert_eq!(server.post("/v1/customers/unmerge", &part).status, 200);
    assert_eq!(server.post("/v1/customers/unmerge", &part).json["code"], "not_merged");
    let seen = server.post("/v1/customers/lookup", &json!({"identifiers": {"email": "n@example.org"}}));
    assert_eq!(seen.json["attributes"], json!({}));
    assert_eq!(seen.json["undone_merges"][0]["undone_because"], "a mistake");
    assert_eq!(server.get("/v1/customers/conflicts").json, json!([]));
}

#[test]
fn a_customer_who_asks_to_be_forgotten_is_nobody_from_then_on() {
    let server = Server::start().with_customer().with_tokens();
    let certificate = server.as_customer("DELETE", "/v1/me", &token("42"), &json!({}));
    assert_eq!(certificate.status, 200, "{}", certificate.text);
    assert!(!certificate.text.contains("Noor"));
    let me = server.as_customer("GET", "/v1/me", &token("42"), &json!({}));
    assert_eq!(me.json["known"], false);
    assert_eq!(server.decide("web", "inbound", "web_home").json["slots"][0]["action"], Value::Null);
}

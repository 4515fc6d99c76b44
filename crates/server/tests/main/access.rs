//! Who may do what: every route, with every kind of key.

use crate::{
    desk::{device_token, token},
    harness::Server,
};
use base64::Engine as _;
use serde_json::{Value, json};
use server::{access::ACCESS, keys::Scope};
use std::collections::BTreeSet;

/// A path that fits the route.
fn path(route: &str) -> String {
    route
        .replace("{id}", &format!("d_{}", "0".repeat(32)))
        .replace("{prefix}", "atk_00000000")
        .replace("{decision}", "d_0")
}

/// Who may use each route, written down once more: `*` everybody; keys with the scope `d`ecide, `i`ngest, `r`ead or
/// `b`rowser, and always those of administrators; tokens of a `P`erson or a `D`evice, or a `L`ink to preferences.
const MAY: &[(&str, &str)] = &[
    ("GET /", "*"),
    ("GET /livez", "*"),
    ("GET /readyz", "*"),
    ("GET /openapi.json", "*"),
    ("GET /metrics", "r"),
    ("POST /v1/decide", "db"),
    ("POST /v1/outcomes", "dib"),
    ("POST /v1/events", "ib"),
    ("POST /v1/consents", "i"),
    ("POST /v1/consents/lookup", "r"),
    ("POST /v1/customers/lookup", "r"),
    ("POST /v1/customers/merge", ""),
    ("POST /v1/customers/unmerge", ""),
    ("GET /v1/customers/conflicts", ""),
    ("POST /v1/customers/erase", ""),
    ("POST /v1/customers/export", ""),
    ("POST /v1/customers/import", ""),
    ("GET /v1/decisions/{id}", "r"),
    ("GET /v1/experiments", "r"),
    ("GET /v1/models", "r"),
    ("GET /v1/strategy", "dir"),
    ("GET /v1/fairness", "r"),
    ("GET /v1/inventory", "r"),
    ("GET /v1/notice", "*"),
    ("GET /v1/report", "r"),
    ("GET /v1/audit", ""),
    ("GET /v1/audit/head", "r"),
    ("GET /v1/audit/reads", ""),
    ("GET /v1/backup", ""),
    ("GET /v1/rejects", ""),
    ("GET /v1/me", "P"),
    ("DELETE /v1/me", "P"),
    ("GET /v1/me/decisions", "P"),
    ("GET /v1/me/export", "P"),
    ("POST /v1/me/corrections", "P"),
    ("POST /v1/me/contest", "P"),
    ("GET /v1/me/preferences", "PDL"),
    ("POST /v1/me/statements", "PDL"),
    ("POST /v1/preference-links", "i"),
    ("GET /v1/contested", "r"),
    ("GET /v1/queue", "r"),
    ("POST /v1/queue/{decision}", ""),
    ("GET /v1/token-keys", ""),
    ("POST /v1/token-keys", ""),
    ("DELETE /v1/token-keys/{id}", ""),
    ("GET /v1/keys", ""),
    ("POST /v1/keys", ""),
    ("DELETE /v1/keys/{prefix}", ""),
];

#[test]
fn every_route_is_listed_with_who_may_use_it() {
    let document = serde_json::to_value(server::openapi()).unwrap();
    let mut served = BTreeSet::from(["GET /".to_owned(), "GET /openapi.json".to_owned()]);
    for (route, methods) in document["paths"].as_object().unwrap() {
        served.extend(
            methods.as_object().unwrap().keys().map(|method| format!("{} {route}", method.to_uppercase())),
        );
    }
    let guarded: BTreeSet<String> =
        ACCESS.iter().map(|(method, route, _)| format!("{method} {route}")).collect();
    let written: BTreeSet<String> = MAY.iter().map(|(route, _)| (*route).to_owned()).collect();
    assert_eq!((guarded.len(), written.len()), (ACCESS.len(), MAY.len()));
    assert_eq!(guarded, served);
    assert_eq!(written, served);
}

/// Something that a caller presents: its letter in [`MAY`], and how it is sent.
struct Presented {
    letter: char,
    header: &'static str,
    value: String,
}

fn all_presented(server: &Server) -> Vec<Presented> {
    let key = |letter, scope| {
        let value = server.app.keys.create("test", &[scope], jiff::Timestamp::UNIX_EPOCH).unwrap().0;
        Presented { letter, header: "x-api-key", value }
    };
    let bearer =
        |letter, token: &str| Presented { letter, header: "authorization", value: format!("Bearer {token}") };
    let link = server.post("/v1/preference-links", &json!({"identifiers": {"user_id": "42"}}));
    let person = token("42");
    let mut presented: Vec<Presented> = ['d', 'i', 'r', 'a', 'b']
        .into_iter()
        .zip(Scope::ALL)
        .map(|(letter, scope)| key(letter, scope))
        .collect();
    presented.push(Presented { letter: '-', header: "x-api-key", value: "atk_not-one-of-ours".into() });
    presented.push(Presented { letter: '-', header: "x-api-key", value: person.clone() });
    presented.extend([
        bearer('P', &person),
        bearer('P', &token("nobody knows them")),
        bearer('D', &device_token("browser-7")),
        bearer('L', link.json["token"].as_str().unwrap()),
        bearer('-', &person[..person.len() - 4]),
        bearer('-', "x"),
    ]);
    presented
}

#[test]
fn each_key_and_each_token_opens_its_routes_and_no_others() {
    for (route, may) in MAY {
        // A server of its own where somebody may be forgotten, so that the others still find them.
        let server = Server::start().with_customer().with_tokens();
        let (method, route) = route.split_once(' ').unwrap();
        let is_desk = may.contains('P');
        for Presented { letter, header, value } in all_presented(&server) {
            let answer = server.call(method, &path(route), &[(header, &value)], b"{}");
            let is_key = "diarb".contains(letter);
            let opens = *may == "*" || may.contains(letter) || (letter == 'a' && !is_desk);
            let refused = match (is_desk, is_key, "DL".contains(letter)) {
                (false, true, _) | (true, _, true) => 403,
                _ => 401,
            };
            let seen =
                format!("{method} {route} with `{letter}` in {header}: {} {}", answer.status, answer.text);
            match opens {
                true => assert!(![401, 403].contains(&answer.status), "{seen}"),
                false => assert_eq!(answer.status, refused, "{seen}"),
            }
        }
        let bare = server.call(method, &path(route), &[], b"{}");
        assert_eq!(bare.status, if *may == "*" { 200 } else { 401 }, "{method} {route} with nothing");
    }
}

#[test]
fn a_page_may_speak_for_whom_it_proves_and_hears_the_same_whoever_is_known() {
    let server = Server::start().with_customer().with_tokens();
    let event = |id: &str, identifiers: Value| json!({"id": id, "event": "customer_updated", "identifiers": identifiers});
    server.post("/v1/events", &event("1", json!({"user_id": "42", "anonymous_id": "noors"})));
    server.post("/v1/events", &event("2", json!({"anonymous_id": "visitor"})));
    let key = server.app.keys.create("page", &[Scope::Browser], jiff::Timestamp::UNIX_EPOCH).unwrap().0;
    let link =
        server.post("/v1/preference-links", &json!({"identifiers": {"user_id": "42"}})).json["token"].clone();
    let tokens = [
        ("no token", None),
        ("the person's", Some(token("42"))),
        ("another's", Some(token("43"))),
        ("a device's", Some(device_token("visitor"))),
        ("a link", Some(link.as_str().unwrap().to_owned())),
        ("a forged one", Some("a.b.c".to_owned())),
    ];
    let subjects = [
        ("nobody", json!({})),
        ("a new device", json!({"anonymous_id": "new"})),
        ("a known device", json!({"anonymous_id": "visitor"})),
        ("the person's device", json!({"anonymous_id": "noors"})),
        ("the person", json!({"user_id": "42"})),
        ("another person", json!({"user_id": "43"})),
        ("somebody nobody knows", json!({"user_id": "44"})),
    ];
    for route in ["/v1/decide", "/v1/events", "/v1/outcomes"] {
        for (whose, token) in &tokens {
            let mut heard = BTreeSet::new();
            for (who, identifiers) in &subjects {
                let body = match route {
                    "/v1/decide" => {
                        json!({"identifiers": identifiers, "channel": "web", "placements": [{"placement": "web_home"}]})
                    }
                    "/v1/events" => event("e", identifiers.clone()),
                    _ => {
                        json!({"identifiers": identifiers, "decision": "d_0", "token": "t", "outcome": "displayed"})
                    }
                };
                let mut headers = vec![("x-api-key", key.as_str())];
                headers.extend(token.as_deref().map(|token| ("x-customer-token", token)));
                let mut answer = server.call("POST", route, &headers, body.to_string().as_bytes());
                let expected = match (*whose, *who) {
                    ("a link" | "a forged one", _) => 401,
                    ("the person's", "the person") | ("another's", "another person") => 200,
                    (_, "the person" | "another person" | "somebody nobody knows") => 403,
                    _ => 200,
                };
                assert_eq!(answer.status, expected, "{route} for {who} with {whose}: {}", answer.text);
                for own in ["decision", "token"] {
                    if let Some(field) = answer.json.get_mut(own) {
                        *field = Value::Null;
                    }
                }
                if expected != 200 || matches!(*whose, "no token" | "a device's") {
                    heard.insert((answer.status, answer.json.to_string()));
                }
            }
            let kinds: BTreeSet<u16> = heard.iter().map(|(status, _)| *status).collect();
            assert_eq!(heard.len(), kinds.len(), "{route} with {whose}: one answer of each kind, {heard:?}");
        }
    }
}

#[test]
fn a_key_may_come_as_bearer_as_header_or_as_user() {
    let server = Server::start();
    let basic =
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{}:", server.key)));
    for header in [
        ("x-api-key", server.key.clone()),
        ("authorization", format!("Bearer {}", server.key)),
        ("authorization", basic),
    ] {
        assert_eq!(
            server.call("GET", "/v1/strategy", &[(header.0, &header.1)], b"").status,
            200,
            "{}",
            header.0
        );
    }
    for wrong in ["Bearer", "Basic %%%", "Basic", "Negotiate abc", "bearer "] {
        assert_eq!(
            server.call("GET", "/v1/strategy", &[("authorization", wrong)], b"").status,
            401,
            "{wrong}"
        );
    }
}

#[test]
fn a_key_is_shown_once_and_useless_once_revoked() {
    let server = Server::start();
    let made = server.post("/v1/keys", &json!({"name": "web shop", "scopes": ["decide", "read"]}));
    assert_eq!(made.status, 201);
    let (key, prefix) = (made.json["key"].as_str().unwrap(), made.json["prefix"].as_str().unwrap());
    assert!(key.starts_with(prefix) && prefix.starts_with("atk_") && key.len() > 40);
    let listed = server.get("/v1/keys").text;
    assert!(listed.contains(prefix) && !listed.contains(key));
    assert_eq!(server.call("GET", "/v1/strategy", &[("x-api-key", key)], b"").status, 200);
    assert_eq!(
        server.call("DELETE", &format!("/v1/keys/{prefix}"), &[("x-api-key", &server.key)], b"").status,
        204
    );
    assert_eq!(server.call("GET", "/v1/strategy", &[("x-api-key", key)], b"").status, 401);
    assert_eq!(
        server.call("DELETE", &format!("/v1/keys/{prefix}"), &[("x-api-key", &server.key)], b"").status,
        404
    );
}

#[test]
fn a_browser_may_ask_first_without_a_key_and_can_read_a_refusal() {
    let server = Server::start();
    let asking = [
        ("origin", "https://shop.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    assert_eq!(server.call("OPTIONS", "/v1/decide", &asking, b"").status, 200);
}

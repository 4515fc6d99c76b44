//! Who may do what: every route, with every kind of key.

use crate::harness::Server;
use base64::Engine as _;
use serde_json::json;
use server::{
    access::{ACCESS, Access},
    keys::Scope,
};
use std::collections::BTreeSet;

/// A path that fits the route.
fn path(route: &str) -> String {
    route
        .replace("{id}", &format!("d_{}", "0".repeat(32)))
        .replace("{prefix}", "atk_00000000")
        .replace("{decision}", "d_0")
}

#[test]
fn every_route_is_listed_with_who_may_use_it() {
    let listed: BTreeSet<(String, String)> =
        ACCESS.iter().map(|(method, route, _)| (method.to_string(), (*route).to_owned())).collect();
    assert_eq!(listed.len(), ACCESS.len());
    let document = serde_json::to_value(server::openapi()).unwrap();
    let mut served =
        BTreeSet::from([("GET".to_owned(), "/".to_owned()), ("GET".to_owned(), "/openapi.json".to_owned())]);
    for (route, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            served.insert((method.to_uppercase(), route.clone()));
        }
    }
    assert_eq!(listed, served);
}

#[test]
fn each_key_opens_the_routes_of_its_scopes_and_no_others() {
    let server = Server::start();
    let mut keys: Vec<(Option<Scope>, String)> = Scope::ALL
        .iter()
        .map(|scope| {
            (Some(*scope), server.app.keys.create("test", &[*scope], jiff::Timestamp::UNIX_EPOCH).unwrap().0)
        })
        .collect();
    keys.push((None, "atk_not-one-of-ours".into()));
    for (method, route, access) in ACCESS {
        let bare = server.call(method.as_str(), &path(route), &[], b"{}");
        let expected = if *access == Access::Open { 200 } else { 401 };
        assert_eq!(bare.status, expected, "{method} {route} without a key: {}", bare.text);
        for (scope, key) in &keys {
            let answer = server.call(method.as_str(), &path(route), &[("x-api-key", key)], b"{}");
            if matches!(access, Access::Customer | Access::Preferences) {
                assert_eq!(answer.status, 401, "{method} {route} is for customers, not for {scope:?}");
                continue;
            }
            let opens = match (access, scope) {
                (Access::Customer | Access::Preferences, _) => unreachable!("looked at above"),
                (Access::Open, _) | (Access::Scoped(_), Some(Scope::Admin)) => true,
                (Access::Scoped(_), None) => false,
                (Access::Scoped(scopes), Some(scope)) => scopes.contains(scope),
            };
            let refused = if scope.is_none() { 401 } else { 403 };
            assert_eq!(answer.status != refused, opens, "{method} {route} with {scope:?}: {}", answer.status);
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

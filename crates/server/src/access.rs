//! May this caller use this route? Every route is listed here with who may; a route that is not listed
//! is closed to everybody.

use crate::{
    app::App,
    keys::{
        KeyInfo,
        Scope::{self, Admin, Browser, Decide, Ingest, Read},
    },
    problem::Problem,
    tokens::{Caller, May},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use decision::strategy::Identifies;
use std::sync::Arc;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody; nothing here is about a customer.
    Open,
    /// Keys with one of these scopes, and keys with [`Scope::Admin`].
    Scoped(&'static [Scope]),
    /// Customers themselves, with a token that was signed for them.
    Customer,
    /// The same, and those who were sent a link to their preferences, or are known by their device only.
    Preferences,
}

/// Every route of the server.
pub const ACCESS: &[(Method, &str, Access)] = &[
    (Method::GET, "/", Access::Open),
    (Method::GET, "/livez", Access::Open),
    (Method::GET, "/readyz", Access::Open),
    (Method::GET, "/openapi.json", Access::Open),
    (Method::GET, "/v1/notice", Access::Open),
    (Method::GET, "/metrics", Access::Scoped(&[Read])),
    (Method::POST, "/v1/decide", Access::Scoped(&[Decide, Browser])),
    (Method::POST, "/v1/outcomes", Access::Scoped(&[Decide, Ingest, Browser])),
    (Method::POST, "/v1/events", Access::Scoped(&[Ingest, Browser])),
    (Method::POST, "/v1/consents", Access::Scoped(&[Ingest])),
    (Method::POST, "/v1/consents/lookup", Access::Scoped(&[Read])),
    (Method::POST, "/v1/customers/lookup", Access::Scoped(&[Read])),
    (Method::POST, "/v1/customers/merge", Access::Scoped(&[Admin])),
    (Method::POST, "/v1/customers/unmerge", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/customers/conflicts", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/decisions/{id}", Access::Scoped(&[Read])),
    (Method::GET, "/v1/experiments", Access::Scoped(&[Read])),
    (Method::GET, "/v1/models", Access::Scoped(&[Read])),
    (Method::GET, "/v1/inventory", Access::Scoped(&[Read])),
    (Method::GET, "/v1/fairness", Access::Scoped(&[Read])),
    (Method::GET, "/v1/report", Access::Scoped(&[Read])),
    (Method::GET, "/v1/strategy", Access::Scoped(&[Decide, Ingest, Read])),
    (Method::POST, "/v1/customers/erase", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/audit", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/audit/head", Access::Scoped(&[Read])),
    (Method::GET, "/v1/audit/reads", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/backup", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/rejects", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/me", Access::Customer),
    (Method::DELETE, "/v1/me", Access::Customer),
    (Method::GET, "/v1/me/decisions", Access::Customer),
    (Method::GET, "/v1/me/export", Access::Customer),
    (Method::POST, "/v1/me/corrections", Access::Customer),
    (Method::POST, "/v1/me/contest", Access::Customer),
    (Method::GET, "/v1/me/preferences", Access::Preferences),
    (Method::POST, "/v1/me/statements", Access::Preferences),
    (Method::POST, "/v1/customers/export", Access::Scoped(&[Admin])),
    (Method::POST, "/v1/customers/import", Access::Scoped(&[Admin])),
    (Method::POST, "/v1/preference-links", Access::Scoped(&[Ingest])),
    (Method::GET, "/v1/contested", Access::Scoped(&[Read])),
    (Method::GET, "/v1/queue", Access::Scoped(&[Read])),
    (Method::POST, "/v1/queue/{decision}", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/token-keys", Access::Scoped(&[Admin])),
    (Method::POST, "/v1/token-keys", Access::Scoped(&[Admin])),
    (Method::DELETE, "/v1/token-keys/{id}", Access::Scoped(&[Admin])),
    (Method::GET, "/v1/keys", Access::Scoped(&[Admin])),
    (Method::POST, "/v1/keys", Access::Scoped(&[Admin])),
    (Method::DELETE, "/v1/keys/{prefix}", Access::Scoped(&[Admin])),
];

/// Lets a request through when its caller may use the route, and says with which key.
pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match check(&app, request.method(), path, request.headers()) {
        Ok(Who::Anybody) => next.run(request).await,
        Ok(Who::Key(key, caller)) => {
            request.extensions_mut().insert(key);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(Who::Customer(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Who calls.
enum Who {
    Anybody,
    /// Somebody with a key, and the customer whose token came along.
    Key(KeyInfo, Option<Caller>),
    Customer(Caller),
}

fn check(app: &App, method: &Method, path: &str, headers: &HeaderMap) -> Result<Who, Problem> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let listed = ACCESS.iter().find(|(listed, route, _)| listed == method && *route == path);
    let scopes = match listed {
        Some((_, _, Access::Open)) => return Ok(Who::Anybody),
        Some((_, _, Access::Customer)) => return customer(app, headers, false),
        Some((_, _, Access::Preferences)) => return customer(app, headers, true),
        Some((_, _, Access::Scoped(scopes))) => *scopes,
        None => {
            return Err(Problem::new(StatusCode::FORBIDDEN, "closed", "this route is open to nobody"));
        }
    };
    let unauthorized = |code, message| Problem::new(StatusCode::UNAUTHORIZED, code, message);
    let Some(key) = presented(headers) else {
        let how = "send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`";
        return Err(unauthorized("no_key", how));
    };
    let Some(info) = app.keys.find(&key) else {
        return Err(unauthorized("unknown_key", "this API key is not known here; it may have been revoked"));
    };
    if info.allows(scopes) {
        let caller = match headers.get(TOKEN_HEADER) {
            Some(token) => {
                let caller = token.to_str().ok().and_then(|token| app.tokens.caller(token, (app.clock)()));
                Some(caller.filter(|caller| caller.may == May::Everything).ok_or_else(no_customer)?)
            }
            None => None,
        };
        return Ok(Who::Key(info, caller));
    }
    let needed: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let message = format!("API key `{}…` lacks the scope `{}`", info.prefix, needed.join("` or `"));
    Err(Problem::new(StatusCode::FORBIDDEN, "scope_missing", message))
}

/// Where a browser sends the token of its customer, next to its own key.
const TOKEN_HEADER: &str = "x-customer-token";

/// The customer who calls. Whatever is wrong with a token, the answer is the same.
fn customer(app: &App, headers: &HeaderMap, preferences: bool) -> Result<Who, Problem> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, token) = token.split_once(' ').unwrap_or_default();
    let caller =
        scheme.eq_ignore_ascii_case("bearer").then(|| app.tokens.caller(token.trim(), (app.clock)()));
    let caller = caller.flatten().ok_or_else(no_customer)?;
    let strategy = &app.engine.published().strategy;
    let by_person = strategy.identifier_kind(&caller.identifier.kind).identifies == Identifies::Person;
    if preferences || (caller.may == May::Everything && by_person) {
        return Ok(Who::Customer(caller));
    }
    let message = "this needs the token of a person; this one opens the preferences only";
    Err(Problem::new(StatusCode::FORBIDDEN, "preferences_only", message))
}

fn no_customer() -> Problem {
    let message = "this needs a token that was signed for a customer and still holds";
    Problem::new(StatusCode::UNAUTHORIZED, "no_customer", message)
}

/// The key as a bearer token, in `X-API-Key`, or as the user of basic authentication.
fn presented(headers: &HeaderMap) -> Option<String> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok().map(str::to_owned);
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(token.trim().to_owned());
    }
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(token.trim()).ok())??;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split_once(':').map_or(text.as_str(), |(user, _)| user).to_owned())
}

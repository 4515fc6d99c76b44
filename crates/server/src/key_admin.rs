//! `/v1/keys`: who may call, and how does one more, or one less, get in?

use crate::{
    app::App,
    body,
    keys::{KeyError, KeyInfo, Scope},
    problem::{Details, Problem},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};
use engine::audit::{Kind, Note};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 16 * 1024;
const NAME_CHARACTERS_MAX: usize = 100;

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// What it is for, 1 to 100 characters.
    #[schema(example = "web shop")]
    name: String,
    /// What it may be used for; at least one.
    scopes: Vec<Scope>,
}

/// A key just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyMade {
    /// The key; shown now and never again.
    key: String,
    /// What one may see of it later.
    #[serde(flatten)]
    info: KeyInfo,
}

/// List the keys
#[utoipa::path(
    get, path = "/v1/keys", tag = "administration",
    responses((status = 200, description = "All keys, oldest first", body = Vec<KeyInfo>)),
)]
pub async fn keys(State(app): State<Arc<App>>) -> Json<Vec<KeyInfo>> {
    Json(app.keys.list())
}

/// Make a key
#[utoipa::path(
    post, path = "/v1/keys", tag = "administration", request_body = KeyRequest,
    responses((status = 201, description = "The key, shown once", body = KeyMade)),
)]
pub async fn make_key(
    State(app): State<Arc<App>>,
    Extension(by): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<KeyMade>), Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: KeyRequest = body::parse(&bytes)?;
    if asked.name.is_empty() || asked.name.chars().count() > NAME_CHARACTERS_MAX {
        let message = format!("a key has a name of 1 to {NAME_CHARACTERS_MAX} characters");
        return Err(Problem::unfit("key_name", "name", message));
    }
    if asked.scopes.is_empty() {
        return Err(Problem::unfit("no_scope", "scopes", "a key needs at least one scope"));
    }
    if asked.scopes.contains(&Scope::Browser) && asked.scopes.len() > 1 {
        let message = "a key for browsers lies open in a page: it has the scope `browser` and no other";
        return Err(Problem::unfit("browser_scope", "scopes", message));
    }
    let making = tokio::task::spawn_blocking(move || {
        let at = (app.clock)();
        let made = app.keys.create(&asked.name, &asked.scopes, at)?;
        let scopes: Vec<&str> = made.1.scopes.iter().map(|scope| scope.as_str()).collect();
        let note = Note::new(Kind::KeyMade, format!("{} {}", made.1.prefix, scopes.join(" ")));
        app.engine.note(note.by(by.prefix), at).map_err(Problem::from)?.wait()?;
        Ok::<_, Problem>(made)
    });
    let (key, info) = making.await.map_err(|_| failed("making the key failed unexpectedly"))??;
    Ok((StatusCode::CREATED, Json(KeyMade { key, info })))
}

/// Revoke a key
#[utoipa::path(
    delete, path = "/v1/keys/{prefix}", tag = "administration",
    params(("prefix" = String, Path, description = "The first characters of the key, as listed")),
    responses(
        (status = 204, description = "The key can no longer be used"),
        (status = 404, description = "There is no such key", body = Details),
    ),
)]
pub async fn revoke_key(
    State(app): State<Arc<App>>,
    Extension(by): Extension<KeyInfo>,
    prefix: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(prefix) = prefix.map_err(|_| Problem::unreadable("wrong_path", "the path is not UTF-8"))?;
    let revoking = tokio::task::spawn_blocking(move || {
        let revoked = app.keys.revoke(&prefix)?;
        if revoked {
            let note = Note::new(Kind::KeyRevoked, prefix).by(by.prefix);
            app.engine.note(note, (app.clock)()).map_err(Problem::from)?.wait()?;
        }
        Ok::<_, Problem>(revoked)
    });
    match revoking.await.map_err(|_| failed("revoking the key failed unexpectedly"))?? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found("unknown_key", "there is no key with this prefix")),
    }
}

fn failed(message: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", message)
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            other => failed(&other.to_string()),
        }
    }
}

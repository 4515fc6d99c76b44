//! `/v1/token-keys` and `/v1/preference-links`: whose tokens let customers in, and how does a customer without an
//! account get to their own choices?

use crate::{
    app::App,
    body,
    identifiers::{self, Identifiers},
    keys::KeyInfo,
    problem::{Details, Problem},
    tokens::{Algorithm, LINK_HOLDS_SECONDS, TokenKeyError, TokenKeyInfo},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::audit::{Kind, Note};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 16 * 1024;

/// A key whose tokens let customers in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenKeyRequest {
    /// Its name, which tokens give as `kid`: 1 to 64 letters, digits, `-` and `_`.
    #[schema(example = "web-2026")]
    id: String,
    /// With what it signs; tokens that say something else are refused.
    algorithm: Algorithm,
    /// The public key (`EdDSA`) or the shared secret (`HS256`), in base64url without padding.
    key: String,
    /// Which `aud` its tokens must have.
    #[schema(example = "attent")]
    audience: String,
    /// Which kind of identifier `sub` is.
    #[schema(example = "user_id")]
    identifies: String,
}

/// Whom a link is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// The one identifier that the link was sent to, for example an e-mail address.
    #[schema(value_type = Object)]
    identifiers: Identifiers,
}

/// A link to the preference centre.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkMade {
    /// The token: sent as `Authorization: Bearer TOKEN`, it opens the preferences and nothing else.
    token: String,
    /// Until when it holds.
    expires_at: String,
}

/// List the token keys
#[utoipa::path(
    get, path = "/v1/token-keys", tag = "administration",
    responses((status = 200, description = "All token keys, by name; never the keys themselves", body = Vec<TokenKeyInfo>)),
)]
pub async fn token_keys(State(app): State<Arc<App>>) -> Json<Vec<TokenKeyInfo>> {
    Json(app.tokens.list())
}

/// Register or replace a token key
#[utoipa::path(
    post, path = "/v1/token-keys", tag = "administration", request_body = TokenKeyRequest,
    responses((status = 201, description = "Tokens of this key let customers in", body = TokenKeyInfo)),
)]
pub async fn register_token_key(
    State(app): State<Arc<App>>,
    Extension(by): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<TokenKeyInfo>), Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: TokenKeyRequest = body::parse(&bytes)?;
    let plain = |text: &str| {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        (1..=64).contains(&text.len()) && text.chars().all(fits)
    };
    if !plain(&asked.id) || !plain(&asked.identifies) {
        let message = "`id` and `identifies` are 1 to 64 letters, digits, `-` and `_`";
        return Err(Problem::unfit("token_key", "id", message));
    }
    if asked.audience.is_empty() || asked.audience.len() > 256 {
        return Err(Problem::unfit("token_key", "audience", "an audience has 1 to 256 bytes"));
    }
    let secret = URL_SAFE_NO_PAD.decode(asked.key.trim_end_matches('='));
    let secret = secret.map_err(|_| Problem::unfit("token_key", "key", "`key` must be base64url"))?;
    let info = TokenKeyInfo {
        id: asked.id,
        algorithm: asked.algorithm,
        audience: asked.audience,
        identifies: asked.identifies,
        created_at_ms: (app.clock)().as_millisecond(),
    };
    let registering = tokio::task::spawn_blocking(move || {
        let info = app.tokens.register(info, &secret)?;
        let note = Note::new(Kind::KeyMade, format!("token key {}", info.id)).by(by.prefix);
        app.engine.note(note, (app.clock)()).map_err(Problem::from)?.wait()?;
        Ok::<_, Problem>(info)
    });
    let info = registering.await.map_err(|_| failed("registering the key failed unexpectedly"))??;
    Ok((StatusCode::CREATED, Json(info)))
}

/// Remove a token key
#[utoipa::path(
    delete, path = "/v1/token-keys/{id}", tag = "administration",
    params(("id" = String, Path, description = "The name of the key")),
    responses(
        (status = 204, description = "Its tokens no longer let anybody in"),
        (status = 404, description = "There is no such key", body = Details),
    ),
)]
pub async fn remove_token_key(
    State(app): State<Arc<App>>,
    Extension(by): Extension<KeyInfo>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(|_| Problem::unreadable("wrong_path", "the path is not UTF-8"))?;
    let removing = tokio::task::spawn_blocking(move || {
        let removed = app.tokens.remove(&id)?;
        if removed {
            let note = Note::new(Kind::KeyRevoked, format!("token key {id}")).by(by.prefix);
            app.engine.note(note, (app.clock)()).map_err(Problem::from)?.wait()?;
        }
        Ok::<_, Problem>(removed)
    });
    match removing.await.map_err(|_| failed("removing the key failed unexpectedly"))?? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found("unknown_key", "there is no token key of this name")),
    }
}

/// Make a link to somebody's preferences
///
/// For a letter or e-mail: it holds 30 days, opens `/v1/me/preferences` and `/v1/me/statements` and nothing else, and
/// says who it is about to nobody.
#[utoipa::path(
    post, path = "/v1/preference-links", tag = "data", request_body = LinkRequest,
    responses((status = 201, description = "The token of the link", body = LinkMade)),
)]
pub async fn preference_link(
    State(app): State<Arc<App>>,
    Extension(by): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<LinkMade>), Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: LinkRequest = body::parse(&bytes)?;
    let identifiers = identifiers::read(None, asked.identifiers)?;
    let [identifier] = identifiers.as_slice() else {
        return Err(Problem::unfit("one_identifier", "identifiers", "a link is for exactly one identifier"));
    };
    let (at, linked) = ((app.clock)(), identifier.clone());
    let token = app.tokens.link(identifier, at);
    let noting = app.blocking(move |app| {
        let note = Note::new(Kind::KeyMade, "preference link").by(by.prefix);
        let whom = app.engine.find(&[linked])?;
        Ok(app.engine.note(whom.into_iter().fold(note, Note::of), at)?.wait()?)
    });
    noting.await?;
    let until = jiff::Timestamp::from_second(at.as_second() + LINK_HOLDS_SECONDS).unwrap_or(at);
    Ok((StatusCode::CREATED, Json(LinkMade { token, expires_at: until.to_string() })))
}

fn failed(message: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", message)
}

impl From<TokenKeyError> for Problem {
    fn from(error: TokenKeyError) -> Self {
        match error {
            TokenKeyError::Store(error) => error.into(),
            TokenKeyError::Unfit(message) => Self::unfit("token_key", "key", message),
            TokenKeyError::Damaged => failed("a token key row is damaged; restore it from a backup"),
        }
    }
}

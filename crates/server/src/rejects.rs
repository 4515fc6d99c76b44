//! `GET /v1/rejects`: what was sent and not accepted, and why?

use crate::{app::App, audit::note_read, keys::KeyInfo, problem::Problem};
use axum::{Extension, Json, extract::State};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// Most rejects in one answer.
const REJECTS_MAX: usize = 1_000;

/// What was not accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejects {
    /// Inputs kept with their reason, newest first, at most 1,000.
    rejects: Vec<Rejected>,
    /// How often each undeclared name was dropped; values are never kept.
    dropped_names: BTreeMap<String, u64>,
}

/// One input that was not accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejected {
    /// When it arrived, in milliseconds since 1970 UTC.
    at_ms: i64,
    /// Stable code of the reason.
    code: String,
    /// The reason.
    message: String,
    /// The input as it came; may be about a person.
    input: String,
}

/// Read what was not accepted
#[utoipa::path(
    get, path = "/v1/rejects", tag = "administration",
    responses((status = 200, description = "Rejects and dropped names", body = Rejects)),
)]
pub async fn rejects(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
) -> Result<Json<Rejects>, Problem> {
    let found = app
        .blocking(move |app| {
            note_read(app, &key.prefix, "/v1/rejects", None)?;
            app.engine.rejected(REJECTS_MAX)
        })
        .await?;
    let rejects = found.into_iter().map(|reject| Rejected {
        at_ms: reject.at_ms,
        code: reject.code,
        message: reject.message,
        input: reject.input,
    });
    Ok(Json(Rejects { rejects: rejects.collect(), dropped_names: app.engine.dropped_names() }))
}

//! `/v1/me/export`, `/v1/customers/export`, `/v1/customers/import`: what may a customer take along, and how does it
//! come in elsewhere? One fact, statement, contact or outcome per line of JSON.

use crate::{
    app::App,
    audit::note_read,
    body,
    identifiers::{self, CustomerRef, Identifiers},
    keys::KeyInfo,
    problem::{Details, Problem},
    tokens::Caller,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use engine::{Identifier, Portable};
use serde::{Deserialize, Serialize};
use serde_json::Value as AnyJson;
use std::sync::Arc;
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 4_000_000;
/// The format of an export.
const LINES: &str = "application/x-ndjson";

/// Whose data to export.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Who.
    customer: Option<CustomerRef>,
    /// Who, at the top.
    #[serde(default)]
    #[schema(value_type = Object)]
    identifiers: Identifiers,
}

/// What a customer brings along.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// Who.
    customer: Option<CustomerRef>,
    /// Who, at the top.
    #[serde(default)]
    #[schema(value_type = Object)]
    identifiers: Identifiers,
    /// The lines of an export, as they are.
    #[schema(value_type = Vec<Object>)]
    lines: Vec<AnyJson>,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// The minted key of the customer.
    customer: String,
    /// How many lines were read.
    lines: usize,
}

/// Take my data along
///
/// What you gave us and what we observed, one JSON value per line: facts, statements, contacts and outcomes.
#[utoipa::path(
    get, path = "/v1/me/export", tag = "desk",
    responses((status = 200, description = "Lines of JSON; none when nothing is known", content_type = "application/x-ndjson", body = String)),
)]
pub async fn my_export(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    lines(&app, vec![caller.identifier], None).await.map(Option::unwrap_or_default).map(answer)
}

/// Export what a customer may take along
#[utoipa::path(
    post, path = "/v1/customers/export", tag = "data", request_body = ExportRequest,
    responses(
        (status = 200, description = "Lines of JSON", content_type = "application/x-ndjson", body = String),
        (status = 404, description = "Nobody is known by these identifiers", body = Details),
    ),
)]
pub async fn export(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: ExportRequest = body::parse(&bytes)?;
    let identifiers = identifiers::read(asked.customer, asked.identifiers)?;
    let unknown = || Problem::not_found("unknown_customer", "nobody is known by these identifiers");
    lines(&app, identifiers, Some(key.prefix)).await?.ok_or_else(unknown).map(answer)
}

/// Import what a customer brings along
///
/// The lines of an export of another instance. What is known already is not doubled; nothing is learned from it.
#[utoipa::path(
    post, path = "/v1/customers/import", tag = "data", request_body = ImportRequest,
    responses((status = 200, description = "Taken in", body = Imported)),
)]
pub async fn import(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Imported>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: ImportRequest = body::parse(&bytes)?;
    let identifiers = identifiers::read(asked.customer, asked.identifiers)?;
    if identifiers.is_empty() {
        return Err(Problem::unfit("no_identifier", "identifiers", "say whose these are"));
    }
    let mut brought: Vec<Portable> = Vec::new();
    for (number, line) in asked.lines.into_iter().enumerate() {
        let unfit = |_| {
            let message = "this is not a line of an export of this version";
            Problem::unfit("no_line", format!("lines[{number}]"), message)
        };
        brought.push(serde_json::from_value(line).map_err(unfit)?);
    }
    let at = (app.clock)();
    let lines = brought.len();
    let taking = app.blocking(move |app| app.engine.bring_in(&identifiers, &brought, at));
    let (customer, ticket) = taking.await?;
    ticket.await?;
    Ok(Json(Imported { customer: customer.to_string(), lines }))
}

/// The lines of a person's export; `key` is that of the member of staff who reads them, if it is one.
async fn lines(
    app: &Arc<App>,
    identifiers: Vec<Identifier>,
    key: Option<String>,
) -> Result<Option<String>, Problem> {
    let at = (app.clock)();
    let found = app.blocking(move |app| {
        let Some(id) = app.engine.find(&identifiers)? else {
            return Ok(None);
        };
        let portable = app.engine.portable(id, at)?;
        if let Some(key) = key {
            note_read(app, &key, "/v1/customers/export", Some(id))?;
        }
        Ok(Some((portable, app.engine.note_right(id, "portability", at)?)))
    });
    let Some((portable, ticket)) = found.await? else {
        return Ok(None);
    };
    ticket.await?;
    let line = |one: &Portable| serde_json::to_string(one).map(|line| line + "\n").unwrap_or_default();
    Ok(Some(portable.iter().map(line).collect()))
}

fn answer(lines: String) -> Response {
    ([(header::CONTENT_TYPE, LINES)], lines).into_response()
}

//! `GET /v1/report`: does the customer brain have manners?

use crate::{app::App, problem::Problem};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use decision::Timestamp;
use insight::report::{Period, make, page};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// About which time, in which language.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// From this moment on; from the beginning when left out.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Before this moment; until now when left out.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// `nl` or `en`, for the page.
    language: Option<String>,
}

/// The integrity report
///
/// One page for a board: value in both ledgers against the control groups, silence, vetoes per principle, complaints,
/// opt-outs, consent month by month, fairness, what humans decided, what is kept, and who answers for it. `Accept:
/// text/html` gives a page to print.
#[utoipa::path(
    get, path = "/v1/report", tag = "explanation", params(Wanted),
    responses((status = 200, description = "The report", body = serde_json::Value)),
)]
pub async fn report(
    State(app): State<Arc<App>>,
    query: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(wanted) = query.map_err(|_| {
        Problem::unfit(
            "wrong_query",
            "query",
            "`since` and `until` are moments such as `2026-03-09T10:00:00Z`",
        )
    })?;
    let period = Period {
        since: wanted.since.unwrap_or(Timestamp::UNIX_EPOCH),
        until: wanted.until.unwrap_or(Timestamp::MAX),
    };
    let at = (app.clock)();
    let (report, _) = app.blocking(move |app| make(&app.engine, period, at)).await?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if !accept.is_some_and(|accept| accept.starts_with("text/html")) {
        return Ok(axum::Json(report).into_response());
    }
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    let page = page(&report, wanted.language.as_deref().unwrap_or("en"));
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}

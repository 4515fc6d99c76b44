//! Is the server alive, can it work, and how is it doing? For whoever operates it.

use crate::app::{App, PendingProblem};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Whether the server can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// It can.
    ready: bool,
    /// Why it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The strategy version that decides.
    strategy: String,
    /// What is wrong with the strategy folder as it is now; the version above keeps deciding.
    pending_problems: Vec<PendingProblem>,
}

/// Is the process alive
#[utoipa::path(get, path = "/livez", tag = "operation", security(()), responses((status = 200, description = "It is", body = String)))]
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Can the server work
#[utoipa::path(
    get, path = "/readyz", tag = "operation", security(()),
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "It cannot, and why", body = Readiness),
    ),
)]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let health = app.engine.health();
    let reason = if app.is_draining() {
        Some("stopping")
    } else if health.stopped.is_some() {
        Some("the store has stopped")
    } else if health.queued_batches >= health.queued_batches_max {
        Some("the store has more work queued than it may hold")
    } else if health.stalled {
        Some("the disk does not answer")
    } else {
        None
    };
    let readiness = Readiness {
        ready: reason.is_none(),
        reason,
        strategy: app.engine.published().strategy.version.to_string(),
        pending_problems: app.pending_problems(),
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

/// Counters and times as Prometheus text
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, description = "Prometheus text", body = String)))]
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], app.telemetry.render(&app)).into_response()
}

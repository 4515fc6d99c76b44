//! `POST /v1/outcomes`: what came of a decision? Late, twice and out of order are welcome.

use crate::{
    app::App,
    batch::{self, Item, Limits, Verdicts},
    body, browser,
    keys::KeyInfo,
    problem::Problem,
    scalar,
    tokens::Caller,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use decision::id::InvalidId;
use engine::{EngineError, OutcomeReport, Verdict, storage::Ticket};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIMITS: Limits = Limits { body_bytes: 1_000_000, item_bytes: 32 * 1024, items: 1_000 };

/// One outcome of one slot of a decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The decision, from the answer of `/v1/decide`.
    #[schema(example = "d_0198c2f1a4e07b1c2d3e4f5061728394")]
    decision: String,
    /// The slot; 0 when left out.
    #[serde(default)]
    slot: u16,
    /// `delivered`, `displayed`, `clicked`, `accepted`, `dismissed`, `rejected`, `disqualified`, or a declared event.
    #[schema(example = "displayed")]
    outcome: String,
    /// When it happened (RFC 3339); the moment of arrival when left out.
    at: Option<String>,
    /// The decision's own token, which a browser must send along with the identifier that it asked for.
    #[serde(rename = "token")]
    _token: Option<String>,
}

/// One outcome, a list, or an object with a list.
#[derive(Debug, ToSchema)]
#[schema(as = OutcomesBody)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub enum Outcomes {
    /// One.
    One(Outcome),
    /// At most 1,000.
    List(Vec<Outcome>),
    /// At most 1,000 under `outcomes`.
    Named {
        /// The outcomes.
        outcomes: Vec<Outcome>,
    },
}

/// Report what came of decisions
///
/// Each outcome of a slot counts once, however often it is sent. An outcome that cannot be used is kept
/// as a reject with its reason.
#[utoipa::path(
    post, path = "/v1/outcomes", tag = "channels", request_body = Outcomes,
    responses((status = 200, description = "A verdict per outcome", body = Verdicts)),
)]
pub async fn outcomes(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    Extension(caller): Extension<Option<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if key.is_browser() {
        let bytes = body::read(&headers, body, LIMITS.body_bytes, app.settings.body_within).await?;
        return browser::outcomes(app, caller, &bytes).await;
    }
    batch::take_in(app, (headers, body), "outcomes", LIMITS, take_in).await.map(Json::into_response)
}

fn take_in(app: &App, item: &Item<'_>) -> Result<Result<(Verdict, Ticket), EngineError>, Problem> {
    let outcome: Outcome = body::fit(item.json)?;
    let report = OutcomeReport {
        decision: outcome
            .decision
            .parse()
            .map_err(|error: InvalidId| Problem::unfit("unknown_decision", "decision", error.to_string()))?,
        slot: outcome.slot,
        outcome: outcome.outcome,
        at: scalar::moment("at", outcome.at.as_deref())?,
    };
    Ok(app.engine.report(&report, item.input, item.at))
}

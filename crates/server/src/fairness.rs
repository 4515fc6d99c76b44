//! `GET /v1/fairness`: are groups treated alike?

use crate::{app::App, problem::Problem};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use decision::Timestamp;
use insight::fairness::{Compared, look};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How groups are treated.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fairness {
    /// Customers about whom something was decided.
    customers: usize,
    /// Protected attributes, by name; empty when none is declared.
    protected: Vec<String>,
    /// Protected attributes that do not split customers into two groups large enough to tell of.
    not_compared: Vec<String>,
    /// Each group against everybody else, per issue and over all: share of customers who heard something, and whose
    /// goal was reached then, with 95 % intervals, the probability that this is chance, and whether it is an alarm.
    #[schema(value_type = Vec<Object>)]
    compared: Vec<Compared>,
}

/// Compare how groups are treated
///
/// Groups are the values of attributes whose purpose is `audit_only`; decisions cannot read those. Nothing is told of
/// groups of fewer than 30 customers. `Accept: text/plain` gives the same for people.
#[utoipa::path(
    get, path = "/v1/fairness", tag = "explanation",
    responses((status = 200, description = "How groups are treated", body = Fairness)),
)]
pub async fn fairness(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let at = (app.clock)();
    let found = app.blocking(move |app| look(&app.engine, Timestamp::UNIX_EPOCH, Timestamp::MAX, at)).await?;
    let wants_text = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(match wants_text.is_some_and(|accept| accept.starts_with("text/plain")) {
        true => found.to_string().into_response(),
        false => axum::Json(Fairness {
            customers: found.customers,
            protected: found.protected,
            not_compared: found.not_compared,
            compared: found.compared,
        })
        .into_response(),
    })
}

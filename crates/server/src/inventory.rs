//! `GET /v1/inventory`: what is known, of how many, how well, and what is it good for?

use crate::{app::App, problem::Problem};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use insight::inventory::{Held, Plan, Proposal, look, proposals};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is known.
#[derive(Debug, Serialize, ToSchema)]
pub struct Inventory {
    /// Customers there are, as their identifiers came in; estimated when sampled.
    customers: f64,
    /// Customers looked at.
    customers_looked_at: u64,
    /// Households looked at.
    households_looked_at: u64,
    /// Not everybody was looked at: shares have an interval.
    sampled: bool,
    /// Newest decisions looked at.
    decisions_looked_at: usize,
    /// Per declared attribute: coverage, age, reliability, contradictions, what is withheld and why, who reads it, in
    /// how many decisions it was read and a candidate fell at a rule that reads it, and how to get what is missing.
    #[schema(value_type = Vec<Object>)]
    attributes: Vec<Held>,
    /// Names that came in undeclared and were dropped, with what would declare them.
    #[schema(value_type = Vec<Object>)]
    proposals: Vec<Proposal>,
}

/// Read the inventory
///
/// Looks at up to 20,000 customers and the 10,000 newest decisions; nobody is named. `Accept: text/plain` gives the
/// same for people.
#[utoipa::path(
    get, path = "/v1/inventory", tag = "explanation",
    responses((status = 200, description = "What is known", body = Inventory)),
)]
pub async fn inventory(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let at = (app.clock)();
    let found = app.blocking(move |app| look(&app.engine, Plan::default(), at, &mut |_| {})).await?;
    let wants_text = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(match wants_text.is_some_and(|accept| accept.starts_with("text/plain")) {
        true => found.to_string().into_response(),
        false => axum::Json(Inventory {
            customers: found.customers,
            customers_looked_at: found.customers_looked_at,
            households_looked_at: found.households_looked_at,
            sampled: found.sampled,
            decisions_looked_at: found.decisions_looked_at,
            proposals: proposals(&app.engine.published().strategy, &found.undeclared),
            attributes: found.attributes,
        })
        .into_response(),
    })
}

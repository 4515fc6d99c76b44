//! `GET /v1/experiments`: is one way to decide better than another, as far as can be told now?

use crate::{
    app::App,
    problem::{Details, Problem},
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use insight::experiment::report::{Report, look};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Id of one experiment, or `control`; all of them when left out.
    id: Option<String>,
}

/// Every experiment and the control groups, at this look.
#[derive(Debug, Serialize, ToSchema)]
pub struct Experiments {
    /// Arms, differences per customer with bounds that hold for all looks together, and what to do; a bound that
    /// is not known yet is null.
    #[schema(value_type = Vec<Object>)]
    experiments: Vec<Report>,
}

/// Look at the experiments and control groups
///
/// Every call is a look, and is counted; the bounds hold however often one looks. `Accept: text/plain` gives the
/// same for people.
#[utoipa::path(
    get, path = "/v1/experiments", tag = "explanation", params(Which),
    responses(
        (status = 200, description = "How they stand", body = Experiments),
        (status = 404, description = "No such experiment", body = Details),
    ),
)]
pub async fn experiments(
    State(app): State<Arc<App>>,
    query: Result<Query<Which>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(which) =
        query.map_err(|_| Problem::unfit("wrong_query", "query", "`id` is the name of an experiment"))?;
    let at = (app.clock)();
    let only = which.id.clone();
    let experiments = app.blocking(move |app| look(&app.engine, only.as_deref(), at)).await?;
    if let Some(id) = which.id.filter(|_| experiments.is_empty()) {
        return Err(Problem::not_found("unknown_experiment", format!("no experiment is called `{id}`")));
    }
    let wants_text = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(match wants_text.is_some_and(|accept| accept.starts_with("text/plain")) {
        true => experiments.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").into_response(),
        false => axum::Json(Experiments { experiments }).into_response(),
    })
}

//! `GET /v1/models`: what does the model know, and how well does it foresee?

use crate::{
    app::App,
    problem::{Details, Problem},
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use insight::models::report;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// About what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// One action, `issue/group/action`; all of them when left out.
    action: Option<String>,
}

/// Model cards.
#[derive(Debug, Serialize, ToSchema)]
pub struct Models {
    /// The model that decides now: a hash of its content.
    version: String,
    /// Per outcome, the goal first: how well it was foreseen (AUC, log-loss, calibration, drift), the experts
    /// believed, the attributes that matter, and a card per action and channel.
    #[schema(value_type = Vec<Object>)]
    outcomes: Vec<insight::models::OutcomeModel>,
}

/// Read what the model knows
///
/// `Accept: text/plain` gives the same for people.
#[utoipa::path(
    get, path = "/v1/models", tag = "explanation", params(About),
    responses(
        (status = 200, description = "Model cards; no outcomes before anything was learned", body = Models),
        (status = 404, description = "No such action", body = Details),
    ),
)]
pub async fn models(
    State(app): State<Arc<App>>,
    query: Result<Query<About>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(about) =
        query.map_err(|_| Problem::unfit("wrong_query", "query", "`action` is `issue/group/action`"))?;
    let strategy = &app.engine.published().strategy;
    if let Some(action) = about.action.as_deref().filter(|action| strategy.action_index(action).is_none()) {
        return Err(Problem::not_found("unknown_action", format!("no action is called `{action}`")));
    }
    let models = app.blocking(move |app| Ok(report(&app.engine.model(), about.action.as_deref()))).await?;
    let wants_text = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(match wants_text.is_some_and(|accept| accept.starts_with("text/plain")) {
        true => models.to_string().into_response(),
        false => axum::Json(Models { version: models.version, outcomes: models.outcomes }).into_response(),
    })
}

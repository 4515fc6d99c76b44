//! `GET /v1/notice`: what does the organisation tell everybody about the data it keeps? Open to all, about nobody.

use crate::{app::App, problem::Problem};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use decision::{explain::Tongue, id::Language};
use insight::notice::Notice;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// In which language.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct In {
    /// `nl` or `en`; `Accept-Language`, or the organisation's first, when left out.
    language: Option<String>,
}

/// Read the privacy notice
///
/// Made from the strategy that decides now: what is kept, how it is collected, for what, on which ground, for how
/// long, and what people can do. `text` of a purpose is the version of its texts that a consent names.
/// `Accept: text/html` gives a page.
#[utoipa::path(
    get, path = "/v1/notice", tag = "data", security(()), params(In),
    responses((status = 200, description = "The notice", body = Object)),
)]
pub async fn notice(
    State(app): State<Arc<App>>,
    query: Result<Query<In>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(asked) = query.map_err(|_| {
        Problem::unfit("wrong_query", "query", "`language` is a language such as `nl` or `en`")
    })?;
    let published = app.engine.published();
    let strategy = &published.strategy;
    let said = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let language = asked
        .language
        .as_deref()
        .or_else(|| {
            said(header::ACCEPT_LANGUAGE).map(|languages| languages.split([',', ';']).next().unwrap_or(""))
        })
        .filter(|language| !language.is_empty() && *language != "*")
        .map(Language::from);
    let language = language.or_else(|| strategy.organisation.languages.first().cloned());
    let tongue = language.map_or(Tongue::English, |language| Tongue::of(&language));
    let notice: Notice = insight::notice::notice(strategy, tongue);
    let mut response = match said(header::ACCEPT).is_some_and(|accept| accept.contains("text/html")) {
        true => {
            let other = tongue.say("/v1/notice?language=en", "/v1/notice?language=nl");
            let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(notice.html(Some(other)))).into_response()
        }
        false => axum::Json(notice).into_response(),
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, accept-language"));
    Ok(response)
}

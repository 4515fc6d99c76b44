//! `GET /v1/decisions/{id}`: why this and not that? One decision in three readings.

use crate::{
    app::App,
    audit::note_read,
    keys::KeyInfo,
    problem::{Details, Problem},
    reviews::{self, ReviewView},
};
use axum::{
    Extension,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use decision::{
    explain::{Explanation, explain},
    id::{DecisionId, InvalidId, Language},
    record::Decision,
};
use engine::Published;
use serde::Deserialize;
use serde_json::Value as AnyJson;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Who reads the explanation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadingName {
    /// The customer: plain words, only what they gave or can see.
    #[default]
    Customer,
    /// An employee: funnel and arithmetic.
    Employee,
    /// An auditor: everything.
    Auditor,
}

/// How a decision is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReadingQuery {
    /// For whom; the customer when left out.
    #[serde(default)]
    #[param(inline)]
    reading: ReadingName,
    /// Language of the texts, for example `nl`; the language of the decision when left out.
    language: Option<String>,
}

/// Explain a decision
///
/// JSON, or plain text with `Accept: text/plain` (for an auditor always JSON). An employee also reads in `reviews`
/// what the customer contests and what humans decided.
#[utoipa::path(
    get, path = "/v1/decisions/{id}", tag = "explanation",
    params(("id" = String, Path, description = "The decision"), ReadingQuery),
    responses(
        (status = 200, description = "The explanation", body = Object),
        (status = 404, description = "No such decision, or its customer has been erased", body = Details),
    ),
)]
pub async fn decision(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<ReadingQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|_| Problem::unreadable("wrong_path", "the path is not UTF-8"))?;
    let Query(query) = query.map_err(|_| {
        let message =
            "`reading` is `customer`, `employee` or `auditor`; `language` is a language such as `nl`";
        Problem::unfit("wrong_query", "query", message)
    })?;
    let id: DecisionId =
        id.parse().map_err(|error: InvalidId| Problem::not_found("unknown_decision", error.to_string()))?;
    let found = app
        .blocking(move |app| {
            let found = app.engine.decision(id)?;
            if let Some(record) = &found {
                note_read(app, &key.prefix, "/v1/decisions/{id}", record.customer)?;
            }
            let for_employee = query.reading == ReadingName::Employee;
            let reviews = if for_employee { app.engine.reviews_of(id)? } else { Vec::new() };
            Ok(found.map(|record| (record, reviews)))
        })
        .await?;
    let unknown =
        || Problem::not_found("unknown_decision", "no decision has this id, or its customer has been erased");
    let (record, reviews) = found.ok_or_else(unknown)?;
    let version = record.strategy;
    let published = app.blocking(move |app| app.engine.strategy_at(version)).await?;
    let mut told = tell(published, record, query.reading, query.language).await?;
    if query.reading == ReadingName::Employee {
        told.add(reviews.into_iter().map(reviews::view).collect());
    }
    let wants_text = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    Ok(match (wants_text.is_some_and(|accept| accept.starts_with("text/plain")), told.text) {
        (true, Some(text)) => text.into_response(),
        _ => axum::Json(told.json).into_response(),
    })
}

/// An explanation for one reader.
pub struct Told {
    /// As structure.
    pub json: AnyJson,
    /// As text, for readers who are people.
    pub text: Option<String>,
}

impl Told {
    /// Adds what humans were asked about the decision.
    fn add(&mut self, reviews: Vec<ReviewView>) {
        if let Some(text) = self.text.as_mut().filter(|_| !reviews.is_empty()) {
            text.push('\n');
            reviews.iter().for_each(|review| text.extend(["  ", &review.line(), "\n"]));
        }
        self.json["reviews"] = serde_json::to_value(reviews).unwrap_or(AnyJson::Null);
    }
}

/// Explains a decision; the language is that of the decision when not given.
///
/// # Errors
/// 500 when the decision cannot be made again from its record.
pub async fn tell(
    published: Arc<Published>,
    record: Decision,
    reading: ReadingName,
    language: Option<String>,
) -> Result<Told, Problem> {
    let telling = tokio::task::spawn_blocking(move || {
        let strategy = &published.strategy;
        let asked = language.as_deref().and_then(|tag| strategy.spoken(tag));
        let language = asked.unwrap_or_else(|| decision::decide::language(strategy, &record.request).clone());
        explain(strategy, &record).map(|explanation| read(&explanation, reading, &language))
    });
    let failed = |message: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not_explained", message);
    telling
        .await
        .map_err(|_| failed("explaining failed unexpectedly".into()))?
        .map_err(|error| failed(error.to_string()))
}

fn read(explanation: &Explanation, reading: ReadingName, language: &Language) -> Told {
    let json = |read: Result<AnyJson, serde_json::Error>| read.unwrap_or(AnyJson::Null);
    match reading {
        ReadingName::Customer => {
            let read = explanation.customer(language);
            Told { text: Some(read.text()), json: json(serde_json::to_value(&read)) }
        }
        ReadingName::Employee => {
            let read = explanation.employee(language);
            Told { text: Some(read.text()), json: json(serde_json::to_value(&read)) }
        }
        ReadingName::Auditor => Told { text: None, json: json(serde_json::to_value(explanation.auditor())) },
    }
}

//! `/v1/customers/merge`, `unmerge`, `conflicts`: are two customers one person? A human says so, with a reason,
//! and can take it back.

use crate::{
    app::App,
    body,
    identifiers::{self, Identifiers},
    keys::KeyInfo,
    problem::{Details, Problem},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use decision::id::CustomerId;
use engine::{Because, Engine, EngineError, Merge, NotMerged, Undone};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 32 * 1024;
const REASON_CHARACTERS_MAX: usize = 500;
const CONFLICTS_MAX: usize = 1_000;

/// A customer, by key or by identifiers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Whom {
    /// The minted key, as listed among the conflicts.
    #[schema(example = "c_0198c2f1a4e07b1c2d3e4f5061728394")]
    customer: Option<String>,
    /// Typed keys that lead to the customer.
    #[serde(default)]
    #[schema(value_type = Object)]
    identifiers: Identifiers,
}

/// Two customers who are one person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// Who is taken in.
    from: Whom,
    /// Who takes in the other.
    into: Whom,
    /// Why they are one person, 1 to 500 characters.
    reason: String,
}

/// A merge that was a mistake.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmergeRequest {
    /// Who was taken in.
    customer: Whom,
    /// Why they are not that person, 1 to 500 characters.
    reason: String,
}

/// A merge, or one that was undone.
#[derive(Debug, Serialize, ToSchema)]
pub struct MergeView {
    /// Who was taken in.
    from: String,
    /// Who took in the other.
    into: String,
    /// When.
    at: String,
    /// By which key.
    by: String,
    /// Why.
    reason: String,
    /// The kinds of identifiers that led to the one that was taken in.
    identifiers: Vec<String>,
    /// When it was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_at: Option<String>,
    /// By which key it was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_by: Option<String>,
    /// Why it was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_because: Option<String>,
}

/// An identifier of one customer that leads to another one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictView {
    /// The customer that counted.
    customer: String,
    /// The other one.
    other: String,
    /// The kind of identifier.
    kind: String,
    /// When it was last seen.
    at: String,
}

/// Merge two customers
///
/// They are one person from now on: the stricter of two consents counts, contacts and limits are those of both.
/// Nothing is moved, so that the merge can be undone.
#[utoipa::path(
    post, path = "/v1/customers/merge", tag = "data", request_body = MergeRequest,
    responses(
        (status = 200, description = "The merge", body = MergeView),
        (status = 404, description = "One of them is not known", body = Details),
        (status = 409, description = "They are one already, or the merge would go round", body = Details),
    ),
)]
pub async fn merge(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<MergeView>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: MergeRequest = body::parse(&bytes)?;
    let reason = reason(asked.reason)?;
    let (from, into) = (asked.from.read("from")?, asked.into.read("into")?);
    let at = (app.clock)();
    let merging = app.blocking(move |app| {
        let (Some(from), Some(into)) = (from.find(&app.engine)?, into.find(&app.engine)?) else {
            return Ok(None);
        };
        app.engine.merge(from, into, Because { by: &key.prefix, reason: &reason }, at).map(Some)
    });
    let (merge, ticket) = merging.await?.ok_or_else(unknown)??;
    ticket.await?;
    Ok(Json(MergeView::of(&merge)))
}

/// Undo a merge
///
/// Both are again what they would have been without it, with what came in since by their own identifiers.
#[utoipa::path(
    post, path = "/v1/customers/unmerge", tag = "data", request_body = UnmergeRequest,
    responses(
        (status = 200, description = "The merge that no longer holds", body = MergeView),
        (status = 404, description = "The customer is not known", body = Details),
        (status = 409, description = "The customer was not merged into another one", body = Details),
    ),
)]
pub async fn unmerge(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<MergeView>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: UnmergeRequest = body::parse(&bytes)?;
    let reason = reason(asked.reason)?;
    let customer = asked.customer.read("customer")?;
    let at = (app.clock)();
    let parting = app.blocking(move |app| {
        let Some(customer) = customer.find(&app.engine)? else {
            return Ok(None);
        };
        app.engine.unmerge(customer, Because { by: &key.prefix, reason: &reason }, at).map(Some)
    });
    let (undone, ticket) = parting.await?.ok_or_else(unknown)??;
    ticket.await?;
    Ok(Json(MergeView::of_undone(&undone)))
}

/// List what customers seem to share
///
/// Two customers who are both identified as persons are never merged by themselves. An identifier of one that leads
/// to the other is listed here until somebody merges them, for at most a year.
#[utoipa::path(
    get, path = "/v1/customers/conflicts", tag = "data",
    responses((status = 200, description = "At most 1,000", body = Vec<ConflictView>)),
)]
pub async fn conflicts(State(app): State<Arc<App>>) -> Result<Json<Vec<ConflictView>>, Problem> {
    let found = app.blocking(|app| app.engine.conflicts(CONFLICTS_MAX)).await?;
    let view = |conflict: engine::Conflict| ConflictView {
        customer: conflict.customer.to_string(),
        other: conflict.other.to_string(),
        kind: conflict.kind,
        at: moment(conflict.at_ms),
    };
    Ok(Json(found.into_iter().map(view).collect()))
}

/// A customer by key or identifiers, as read from a body.
enum Read {
    Key(CustomerId),
    Identifiers(Vec<engine::Identifier>),
}

impl Read {
    fn find(&self, engine: &Engine) -> Result<Option<CustomerId>, EngineError> {
        match self {
            Self::Key(id) => Ok(engine.is_known(*id)?.then_some(*id)),
            Self::Identifiers(identifiers) => engine.find(identifiers),
        }
    }
}

impl Whom {
    fn read(self, field: &str) -> Result<Read, Problem> {
        match self.customer {
            Some(key) => {
                let id = key.parse().map_err(|_| {
                    let message = "a customer key is `c_` followed by 32 hexadecimal digits";
                    Problem::unfit("customer_key", format!("{field}.customer"), message)
                })?;
                Ok(Read::Key(id))
            }
            None => Ok(Read::Identifiers(identifiers::read(None, self.identifiers)?)),
        }
    }
}

impl MergeView {
    /// A merge that holds.
    pub fn of(merge: &Merge) -> Self {
        Self {
            from: merge.from.to_string(),
            into: merge.into.to_string(),
            at: moment(merge.at_ms),
            by: merge.by.clone(),
            reason: merge.reason.clone(),
            identifiers: merge.kinds.clone(),
            undone_at: None,
            undone_by: None,
            undone_because: None,
        }
    }

    /// A merge that no longer holds.
    pub fn of_undone(undone: &Undone) -> Self {
        Self {
            undone_at: Some(moment(undone.at_ms)),
            undone_by: Some(undone.by.clone()),
            undone_because: Some(undone.reason.clone()),
            ..Self::of(&undone.merge)
        }
    }
}

impl From<NotMerged> for Problem {
    fn from(refused: NotMerged) -> Self {
        Self::new(StatusCode::CONFLICT, refused.code(), refused.to_string())
    }
}

fn reason(reason: String) -> Result<String, Problem> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > REASON_CHARACTERS_MAX {
        let message = format!("give a reason of 1 to {REASON_CHARACTERS_MAX} characters");
        return Err(Problem::unfit("reason", "reason", message));
    }
    Ok(reason)
}

fn moment(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string()
}

fn unknown() -> Problem {
    Problem::not_found("unknown_customer", "nobody is known by these identifiers")
}

//! How are many reports taken in at once? One by one: each gets a verdict, and one that does not fit
//! leaves the others alone. The answer leaves when all are durable.

use crate::{app::App, body, problem::Problem};
use axum::{Json, body::Body, http::HeaderMap};
use engine::{EngineError, Verdict, storage::Ticket};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// How much fits in one request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The whole body, in bytes.
    pub body_bytes: usize,
    /// One item, in bytes.
    pub item_bytes: usize,
    /// Items.
    pub items: usize,
}

/// What became of every item.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Verdicts {
    /// How many were taken in.
    pub accepted: usize,
    /// How many were known already.
    pub duplicates: usize,
    /// How many were kept as rejects.
    pub rejected: usize,
    /// One per item, in the order sent.
    pub verdicts: Vec<ItemVerdict>,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct ItemVerdict {
    /// `accepted`, `duplicate` or `rejected`.
    pub verdict: &'static str,
    /// Stable code of a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One item on its way in.
pub struct Item<'a> {
    /// The item.
    pub json: &'a Value,
    /// The item as text, kept when it is rejected.
    pub input: &'a str,
    /// When it arrived.
    pub at: Timestamp,
    /// It came with `Sec-GPC: 1`.
    pub refuses_sharing: bool,
}

/// Takes in one kind of report; an [`Err`] keeps the item as a reject.
pub type TakeIn = fn(&App, &Item<'_>) -> Result<Result<(Verdict, Ticket), EngineError>, Problem>;

/// Reads a body of one item, a list of items, or an object with the list under `list_name`, and takes in each.
///
/// # Errors
/// The body cannot be read, or the store cannot take it now. Sending the same again is safe.
pub async fn take_in(
    app: Arc<App>,
    (headers, body): (HeaderMap, Body),
    list_name: &'static str,
    limits: Limits,
    take_in: TakeIn,
) -> Result<Json<Verdicts>, Problem> {
    let refuses_sharing = body::refuses_sharing(&headers);
    let bytes = body::read(&headers, body, limits.body_bytes, app.settings.body_within).await?;
    let items = items(&bytes, list_name, limits.items)?;
    let at = (app.clock)();
    let work = async {
        let turn = app.turns.clone().acquire_owned().await;
        let worker = app.clone();
        let taken = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            items
                .iter()
                .map(|json| one(&worker, json, (at, refuses_sharing), limits.item_bytes, take_in))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut verdicts = Verdicts::default();
        for (verdict, ticket) in taken.await.map_err(|_| crashed())?? {
            ticket.await?;
            app.telemetry.verdict(list_name, &verdict);
            verdicts.add(verdict);
        }
        Ok(Json(verdicts))
    };
    let too_slow =
        |_| Problem::unavailable("busy", "the server could not take this in in time; send it again");
    tokio::time::timeout(app.settings.work_within, work).await.map_err(too_slow)?
}

fn crashed() -> Problem {
    Problem::new(
        axum::http::StatusCode::INTERNAL_SERVER_ERROR,
        "failed",
        "taking this in failed unexpectedly",
    )
}

fn items(bytes: &[u8], list_name: &str, items_max: usize) -> Result<Vec<Value>, Problem> {
    let items = match body::parse::<Value>(bytes)? {
        Value::Array(items) => items,
        Value::Object(mut object) => match object.remove(list_name) {
            Some(Value::Array(items)) => items,
            Some(_) => {
                return Err(Problem::unfit(
                    "wrong_shape",
                    list_name,
                    format!("`{list_name}` must be a list"),
                ));
            }
            None => vec![Value::Object(object)],
        },
        _ => {
            return Err(Problem::unfit("wrong_shape", "", "the body must be an object or a list"));
        }
    };
    if items.len() > items_max {
        let message = format!("send at most {items_max} {list_name} at once");
        return Err(Problem::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "too_many_items", message));
    }
    Ok(items)
}

fn one(
    app: &App,
    json: &Value,
    (at, refuses_sharing): (Timestamp, bool),
    bytes_max: usize,
    take_in: TakeIn,
) -> Result<(Verdict, Ticket), EngineError> {
    let input = json.to_string();
    if input.len() > bytes_max {
        let message = format!("one item may have {bytes_max} bytes");
        let kept = input[..input.floor_char_boundary(bytes_max)].to_owned();
        return app.engine.keep_reject("item_too_large", message, kept, at);
    }
    match take_in(app, &Item { json, input: &input, at, refuses_sharing }) {
        Ok(taken) => taken,
        Err(problem) => app.engine.keep_reject(problem.code, problem.message().to_owned(), input, at),
    }
}

impl Verdicts {
    fn add(&mut self, verdict: Verdict) {
        let plain = |verdict| ItemVerdict { verdict, code: None, message: None };
        self.verdicts.push(match verdict {
            Verdict::Accepted => {
                self.accepted += 1;
                plain("accepted")
            }
            Verdict::Duplicate => {
                self.duplicates += 1;
                plain("duplicate")
            }
            Verdict::Rejected { code, message } => {
                self.rejected += 1;
                ItemVerdict { verdict: "rejected", code: Some(code), message: Some(message) }
            }
        });
    }
}

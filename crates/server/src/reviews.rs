//! `/v1/queue` and `/v1/contested`: what waits for a human, and what did the human decide?

use crate::{
    app::App,
    audit::note_of,
    body,
    keys::KeyInfo,
    problem::{Details, Problem},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};
use decision::id::DecisionId;
use engine::{AskedWhy, Review, Settled};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::Arc};
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 16 * 1024;
const REASON_CHARACTERS_MAX: usize = 1_000;
const LISTED_MAX: usize = 1_000;
const PAGE: usize = 1_000;

/// Something that a human is asked to decide.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewView {
    /// `legal_effect` or `contested`.
    #[schema(value_type = String)]
    why: AskedWhy,
    /// The decision.
    decision: String,
    /// The slot of it.
    slot: u16,
    /// What would be, or was, said or done.
    action: Option<String>,
    /// About whom.
    customer: Option<String>,
    /// Since when it waits.
    asked_at: String,
    /// What the customer says about it.
    words: String,
    /// What a human decided; left out while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<SettledView>,
}

impl ReviewView {
    /// In one line.
    pub fn line(&self) -> String {
        let why = match self.why {
            AskedWhy::LegalEffect => "legal_effect",
            AskedWhy::Contested => "contested",
        };
        let state = match &self.settled {
            None => "waiting".to_owned(),
            Some(settled) if settled.approved => format!("approved, {}: {}", settled.by, settled.reason),
            Some(settled) => format!("refused, {}: {}", settled.by, settled.reason),
        };
        [why, &format!("slot {}", self.slot), &state, &self.words].join(" · ")
    }
}

/// What a human decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// `legal_effect` or `contested`.
    #[schema(value_type = String)]
    why: AskedWhy,
    /// The slot; 0 when left out.
    #[serde(default)]
    slot: u16,
    /// A legal effect may happen; a contested decision is taken back.
    approve: bool,
    /// Who decides, as people know them, 1 to 100 characters.
    by: String,
    /// Why, 1 to 1,000 characters.
    reason: String,
}

/// What was decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettledView {
    /// The decision.
    decision: String,
    /// Whether it may happen, or is taken back.
    approved: bool,
    /// Who decided, and with which key.
    by: String,
    /// Why.
    reason: String,
}

/// List what waits for a human
///
/// Actions with a legal effect never run by themselves: they wait here, oldest first.
#[utoipa::path(
    get, path = "/v1/queue", tag = "explanation",
    responses((status = 200, description = "At most 1,000", body = Vec<ReviewView>)),
)]
pub async fn queue(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
) -> Result<Json<Vec<ReviewView>>, Problem> {
    waiting(&app, key, "/v1/queue", AskedWhy::LegalEffect).await
}

/// List the decisions that customers contest
#[utoipa::path(
    get, path = "/v1/contested", tag = "explanation",
    responses((status = 200, description = "At most 1,000 that nobody has decided about", body = Vec<ReviewView>)),
)]
pub async fn contested(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
) -> Result<Json<Vec<ReviewView>>, Problem> {
    waiting(&app, key, "/v1/contested", AskedWhy::Contested).await
}

/// Decide what waits for a human
#[utoipa::path(
    post, path = "/v1/queue/{decision}", tag = "explanation", request_body = SettleRequest,
    params(("decision" = String, Path, description = "The decision")),
    responses(
        (status = 200, description = "Decided and kept", body = SettledView),
        (status = 404, description = "Nothing waits there", body = Details),
        (status = 409, description = "Somebody decided before", body = Details),
    ),
)]
pub async fn settle(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    decision: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<SettledView>, Problem> {
    let nothing = || Problem::not_found("nothing_waits", "nothing of this decision waits for a human");
    let Path(decision) = decision.map_err(|_| Problem::unreadable("wrong_path", "the path is not UTF-8"))?;
    let decision: DecisionId = decision.parse().map_err(|_| nothing())?;
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: SettleRequest = body::parse(&bytes)?;
    let fits = |text: &str, most: usize| (1..=most).contains(&text.trim().chars().count());
    if !fits(&asked.by, 100) || !fits(&asked.reason, REASON_CHARACTERS_MAX) {
        let message = "say who decides and why, in at most 100 and 1,000 characters";
        return Err(Problem::unfit("reason", "reason", message));
    }
    let at = (app.clock)();
    let settled = Settled {
        approved: asked.approve,
        by: format!("{}, {}", asked.by.trim(), key.named()),
        reason: asked.reason.trim().to_owned(),
        at_ms: at.as_millisecond(),
    };
    let about = (decision, asked.slot, asked.why);
    let done = app
        .blocking(move |app| app.engine.settle(about, settled, &key.prefix, at))
        .await?
        .ok_or_else(nothing)?;
    let before =
        || Problem::new(StatusCode::CONFLICT, "settled_already", "somebody decided about this before");
    let (review, ticket) = done.ok_or_else(before)?;
    ticket.await?;
    view(review).settled.ok_or_else(nothing).map(Json)
}

async fn waiting(
    app: &Arc<App>,
    key: KeyInfo,
    route: &'static str,
    why: AskedWhy,
) -> Result<Json<Vec<ReviewView>>, Problem> {
    let found = app.blocking(move |app| {
        let mut waiting: Vec<Review> = Vec::new();
        let mut after = None;
        while waiting.len() < LISTED_MAX {
            let page = app.engine.reviews(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some((last.decision, last.slot, last.why));
            waiting.extend(page.into_iter().filter(|review| review.why == why && review.settled.is_none()));
        }
        waiting.truncate(LISTED_MAX);
        let whom: BTreeSet<_> = waiting.iter().filter_map(|review| review.customer).collect();
        let noted =
            whom.into_iter().map(|id| app.engine.note(note_of(&key.prefix, route).of(id), (app.clock)()));
        let tickets = noted.collect::<Result<Vec<_>, _>>()?;
        tickets.into_iter().try_for_each(engine::storage::Ticket::wait)?;
        Ok(waiting)
    });
    Ok(Json(found.await?.into_iter().map(view).collect()))
}

/// A question to a human, as one sees it.
pub fn view(review: Review) -> ReviewView {
    let settled = |settled: Settled| SettledView {
        decision: review.decision.to_string(),
        approved: settled.approved,
        by: settled.by,
        reason: settled.reason,
    };
    ReviewView {
        settled: review.settled.map(settled),
        why: review.why,
        decision: review.decision.to_string(),
        slot: review.slot,
        action: review.action.map(|action| action.to_string()),
        customer: review.customer.map(|customer| customer.to_string()),
        asked_at: jiff::Timestamp::from_millisecond(review.asked_at_ms).unwrap_or_default().to_string(),
        words: review.words,
    }
}

//! `POST /v1/consents`: what does the customer allow? It holds from the next decision on.

use crate::{
    app::App,
    batch::{self, Item, Limits, Verdicts},
    body,
    identifiers::{self, CustomerRef, Identifiers},
    problem::Problem,
    scalar,
};
use axum::{Json, body::Body, extract::State, http::HeaderMap};
use decision::profile::{About, ConsentStatus};
use engine::{ConsentReport, EngineError, Verdict, storage::Ticket};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIMITS: Limits = Limits { body_bytes: 1_000_000, item_bytes: 32 * 1024, items: 1_000 };

/// One statement about one purpose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Who said it.
    customer: Option<CustomerRef>,
    /// Who said it, at the top.
    #[serde(default)]
    #[schema(value_type = Object)]
    identifiers: Identifiers,
    /// About which use of data; or give `topic`, `attribute` or `everything`.
    #[schema(example = "personal_offers")]
    purpose: Option<String>,
    /// About which issue, group or action: an objection to hear of it, for good or `until` a moment.
    topic: Option<String>,
    /// About the use of which attribute.
    attribute: Option<String>,
    /// About everything: restriction of processing.
    #[serde(default)]
    everything: bool,
    /// On which channel; on every channel when left out.
    channel: Option<String>,
    /// What was said.
    #[schema(value_type = StatementStatus)]
    status: ConsentStatus,
    /// Until when an objection to a topic holds (RFC 3339); until it is lifted when left out.
    until: Option<String>,
    /// When it was said (RFC 3339); the moment of arrival when left out.
    at: Option<String>,
}

/// What a customer can say. `given`, `refused`, `withdrawn`, `objected` and `lifted` are about a purpose,
/// `objected` and `lifted` about a topic or attribute, `restricted` and `lifted` about everything.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes a word in the OpenAPI document")]
pub enum StatementStatus {
    /// Yes, for at most a year.
    Given,
    /// No, when asked.
    Refused,
    /// No longer.
    Withdrawn,
    /// Objection to the use, or to the topic.
    Objected,
    /// Nothing may be done with the data but keep it, protect, and what the law requires.
    Restricted,
    /// An objection or restriction is taken back; it grants nothing.
    Lifted,
}

/// One statement, a list, or an object with a list.
#[derive(Debug, ToSchema)]
#[schema(as = ConsentsBody)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the body in the OpenAPI document")]
pub enum Consents {
    /// One.
    One(Consent),
    /// At most 1,000.
    List(Vec<Consent>),
    /// At most 1,000 under `consents`.
    Named {
        /// The statements.
        consents: Vec<Consent>,
    },
}

/// Report what customers allow
///
/// A withdrawal holds for the very next decision, on every channel, also for learning.
#[utoipa::path(
    post, path = "/v1/consents", tag = "data", request_body = Consents,
    responses((status = 200, description = "A verdict per statement", body = Verdicts)),
)]
pub async fn consents(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Verdicts>, Problem> {
    batch::take_in(app, (headers, body), "consents", LIMITS, take_in).await
}

/// What a statement is about: exactly one of the four.
fn what(
    purpose: Option<String>,
    topic: Option<String>,
    attribute: Option<String>,
    everything: bool,
) -> Result<About, Problem> {
    match (purpose, topic, attribute, everything) {
        (Some(purpose), None, None, false) => Ok(About::Purpose(purpose.into())),
        (None, Some(topic), None, false) => Ok(About::Topic(topic.into())),
        (None, None, Some(attribute), false) => Ok(About::Attribute(attribute.into())),
        (None, None, None, true) => Ok(About::Everything),
        _ => {
            let message = "a statement is about one of `purpose`, `topic`, `attribute` or `everything`";
            Err(Problem::unfit("about", "purpose", message))
        }
    }
}

fn take_in(app: &App, item: &Item<'_>) -> Result<Result<(Verdict, Ticket), EngineError>, Problem> {
    let consent: Consent = body::fit(item.json)?;
    let report = ConsentReport {
        identifiers: identifiers::read(consent.customer, consent.identifiers)?,
        about: what(consent.purpose, consent.topic, consent.attribute, consent.everything)?,
        until: scalar::moment("until", consent.until.as_deref())?,
        channel: consent.channel.map(Into::into),
        status: consent.status,
        at: scalar::moment("at", consent.at.as_deref())?,
    };
    Ok(app.engine.consent(&report, item.input, item.at))
}

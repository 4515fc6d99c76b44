//! `POST /v1/events`: what happened, and what became known with it?

use crate::{
    app::App,
    batch::{self, Item, Limits, Verdicts},
    body, browser,
    identifiers::{self, CustomerRef, Identifiers},
    keys::KeyInfo,
    problem::Problem,
    scalar, signals,
    tokens::Caller,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use decision::profile::Source;
use engine::{EngineError, EventReport, Verdict, storage::Ticket};
use serde::Deserialize;
use serde_json::Value as AnyJson;
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

const LIMITS: Limits = Limits { body_bytes: 500_000, item_bytes: 32 * 1024, items: 2_500 };

/// Something that happened to or because of a customer.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Event {
    /// The sender's id of this event; the same id counts once per customer.
    #[schema(example = "e-1001")]
    pub id: String,
    /// A declared event, or `customer_updated` for attributes only.
    #[schema(example = "complaint_opened")]
    pub event: String,
    /// Whose event.
    pub customer: Option<CustomerRef>,
    /// Whose event, at the top.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub identifiers: Identifiers,
    /// When it happened (RFC 3339); the moment of arrival when left out.
    at: Option<String>,
    /// Declared properties; others are dropped and counted by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub properties: BTreeMap<String, AnyJson>,
    /// Declared attributes; others are dropped and counted by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<String, AnyJson>,
    /// Where the attributes come from; each attribute's own source when left out.
    #[schema(value_type = Option<AttributeSource>)]
    source: Option<Source>,
    /// The household the customer belongs to from now on; an empty name is none.
    household: Option<String>,
    /// What an SDK sends along; only the consent object is read.
    #[serde(default)]
    pub context: Along,
}

/// What an SDK sends along with an event.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Along {
    /// The consent object: purposes that declare a `segment_category` hear what it says.
    #[serde(default)]
    pub consent: ConsentObject,
}

/// What the customer chose on a consent platform.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ConsentObject {
    /// Category to yes or no.
    #[serde(default, rename = "categoryPreferences")]
    #[schema(value_type = Object)]
    pub category_preferences: BTreeMap<String, bool>,
}

/// Where a value came from, the strongest first.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes a word in the OpenAPI document")]
pub enum AttributeSource {
    /// The customer said so.
    Provided,
    /// Seen on our own channels.
    Observed,
    /// Computed by us.
    Derived,
    /// Received from somebody else.
    ThirdParty,
}

/// One event, a list, or an object with a list.
#[derive(Debug, ToSchema)]
#[schema(as = EventsBody)]
#[serde(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "describes the body in the OpenAPI document")]
pub enum Events {
    /// One.
    One(Event),
    /// At most 2,500.
    List(Vec<Event>),
    /// At most 2,500 under `events`.
    Named {
        /// The events.
        events: Vec<Event>,
    },
}

/// Report what happened
///
/// At most 2,500 events and 500 KB at once, 32 KB each; with a key for browsers at most 100, about an anonymous id or
/// the customer whose token comes along as `X-Customer-Token`, answered with `{"received": 1}` whatever they were. One bad event does not fail the others: it is
/// kept as a reject with its reason.
#[utoipa::path(
    post, path = "/v1/events", tag = "data", request_body = Events,
    responses((status = 200, description = "A verdict per event", body = Verdicts)),
)]
pub async fn events(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    Extension(caller): Extension<Option<Caller>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if key.is_browser() {
        let bytes = body::read(&headers, body, LIMITS.body_bytes, app.settings.body_within).await?;
        return browser::events(app, caller, body::refuses_sharing(&headers), &bytes).await;
    }
    batch::take_in(app, (headers, body), "events", LIMITS, take_in).await.map(Json::into_response)
}

fn take_in(app: &App, item: &Item<'_>) -> Result<Result<(Verdict, Ticket), EngineError>, Problem> {
    let event: Event = body::fit(item.json)?;
    if event.id.is_empty() {
        return Err(Problem::unfit("no_id", "id", "an event needs an id, so that it counts once"));
    }
    let report = EventReport {
        id: event.id,
        event: event.event,
        identifiers: identifiers::read(event.customer, event.identifiers)?,
        at: scalar::moment("at", event.at.as_deref())?,
        properties: known(app, &event.properties),
        attributes: known(app, &event.attributes),
        source: event.source,
        household: event.household,
    };
    let preferences = &event.context.consent.category_preferences;
    let taken = app.engine.ingest(&report, item.input, item.at);
    Ok(signals::taken_with(app, item, &report.identifiers, preferences, report.at, taken))
}

/// Text, numbers and truths. SDKs also send lists and objects, which are no values here: they are
/// dropped and counted by name.
pub fn known(app: &App, object: &BTreeMap<String, AnyJson>) -> BTreeMap<String, decision::value::Value> {
    let value = |(name, json): (&String, &AnyJson)| {
        let value = scalar::from_json(json);
        if value.is_none() && !json.is_null() {
            app.engine.count_dropped(name);
        }
        Some((name.clone(), value?))
    };
    object.iter().filter_map(value).collect()
}

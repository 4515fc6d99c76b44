//! `POST /v1/consents`: what does the customer allow? It holds from the next decision on.

use crate::{
    app::App,
    audit::note_read,
    batch::{self, Item, Limits, Verdicts},
    body,
    customers::Lookup,
    identifiers::{self, CustomerRef, Identifiers},
    keys::KeyInfo,
    problem::{Details, Problem},
    receipts::receipt,
    scalar, signals,
};
use axum::{Extension, Json, body::Body, extract::State, http::HeaderMap};
use decision::{
    profile::{About, ConsentStatus},
    strategy::TextVersion,
};
use engine::{
    ConsentReport, Engine, EngineError, Evidence, EvidenceKind, Identifier, LedgerEntry, Verdict,
    storage::Ticket,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value as AnyJson, json};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

const LOOKUP_BYTES_MAX: usize = 32 * 1024;
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
    /// What was said; required, but for a TCF string.
    #[schema(value_type = Option<StatementStatus>)]
    status: Option<ConsentStatus>,
    /// Instead of all these: a TCF string, which speaks for every purpose with a `tcf_purpose`, as of its
    /// own last change.
    tcf: Option<String>,
    /// The version of the purpose's texts that it was said to; `GET /v1/notice` tells the present one.
    text: Option<String>,
    /// What shows it.
    evidence: Option<Shown>,
    /// Until when an objection to a topic holds (RFC 3339); until it is lifted when left out.
    until: Option<String>,
    /// When it was said (RFC 3339); the moment of arrival when left out.
    at: Option<String>,
}

/// What shows that something was said: a kind, and the id under which it is kept elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// `form`, `call` or `letter`; `segment_consent`, `global_privacy_control` and `tcf_string` where a channel
    /// read the signal itself.
    #[schema(value_type = String, example = "form")]
    kind: EvidenceKind,
    /// At most 64 letters, digits and `_.:/-`.
    #[schema(example = "newsletter-form-7")]
    reference: Option<String>,
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
#[expect(dead_code, clippy::large_enum_variant, reason = "describes the body in the OpenAPI document")]
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
pub fn what(
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
    if let Some(string) = &consent.tcf {
        let (said, at) = signals::of_string(&app.engine.published().strategy, string)?;
        let identifiers = identifiers::read(consent.customer, consent.identifiers)?;
        return Ok(app.engine.signals(&identifiers, &said, Some(at), item.input, item.at));
    }
    let no_status = || Problem::unfit("no_status", "status", "a statement needs a `status`");
    let report = ConsentReport {
        identifiers: identifiers::read(consent.customer, consent.identifiers)?,
        about: what(consent.purpose, consent.topic, consent.attribute, consent.everything)?,
        until: scalar::moment("until", consent.until.as_deref())?,
        channel: consent.channel.map(Into::into),
        status: consent.status.ok_or_else(no_status)?,
        text: consent.text.as_deref().map(text_version).transpose()?,
        evidence: consent.evidence.map(evidence).transpose()?,
        at: scalar::moment("at", consent.at.as_deref())?,
    };
    let taken = app.engine.consent(&report, item.input, item.at);
    Ok(signals::taken_with(app, item, &report.identifiers, &BTreeMap::new(), None, taken))
}

fn text_version(text: &str) -> Result<TextVersion, Problem> {
    let unfit = || Problem::unfit("text", "text", "a version has 32 hexadecimal digits");
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| plain).ok_or_else(unfit)?;
    Ok(TextVersion(number.to_be_bytes()))
}

fn evidence(shown: Shown) -> Result<Evidence, Problem> {
    Evidence::new(shown.kind, shown.reference.as_deref())
        .map_err(|unfit| Problem::unfit("evidence", "evidence.reference", unfit.to_string()))
}

/// What a customer ever said about the use of their data.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerView {
    /// The minted key; says nothing about the person.
    customer: String,
    /// Everything that was said, oldest first: `purpose`, `topic`, `attribute` or `everything`, `channel`, `status`,
    /// `at`, `expires_at`, `received_at`, `text`, `evidence`.
    #[schema(value_type = Vec<Object>)]
    statements: Vec<AnyJson>,
    /// A receipt per statement about a purpose: ISO/IEC TS 27560 as JSON-LD.
    #[schema(value_type = Vec<Object>)]
    receipts: Vec<AnyJson>,
}

/// Read what a customer said about the use of their data, with receipts
#[utoipa::path(
    post, path = "/v1/consents/lookup", tag = "data", request_body = Lookup,
    responses(
        (status = 200, description = "The ledger and its receipts", body = LedgerView),
        (status = 404, description = "Nobody is known by these identifiers", body = Details),
    ),
)]
pub async fn consent_ledger(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<LedgerView>, Problem> {
    let bytes = body::read(&headers, body, LOOKUP_BYTES_MAX, app.settings.body_within).await?;
    let lookup: Lookup = body::parse(&bytes)?;
    let identifiers = lookup.identifiers()?;
    let reading = app.blocking(move |app| {
        let whom = app.engine.find(&identifiers)?;
        note_read(app, &key.prefix, "/v1/consents/lookup", whom)?;
        ledger(&app.engine, &identifiers, (app.clock)())
    });
    let view = reading.await?;
    let unknown = || Problem::not_found("unknown_customer", "nobody is known by these identifiers");
    view.map(Json).ok_or_else(unknown)
}

/// The ledger of a customer as people read it; `None` when nobody is known by these identifiers.
///
/// # Errors
/// The store cannot be read.
pub fn ledger(
    engine: &Engine,
    identifiers: &[Identifier],
    now: Timestamp,
) -> Result<Option<LedgerView>, EngineError> {
    let Some(ledger) = engine.ledger(identifiers)? else {
        return Ok(None);
    };
    let published = engine.published();
    let customer = ledger.customer.to_string();
    let mut receipts = Vec::new();
    for entry in &ledger.entries {
        let text = match (&entry.statement.about, entry.text) {
            (About::Purpose(id), Some(version)) => engine.purpose_text(id, version)?,
            _ => None,
        };
        receipts.extend(receipt(&published.strategy, &customer, entry, text.as_ref(), now));
    }
    let statements = ledger.entries.iter().map(statement).collect();
    Ok(Some(LedgerView { customer, statements, receipts }))
}

fn statement(entry: &LedgerEntry) -> AnyJson {
    let (kind, name) = entry.statement.about.named();
    json!({
        kind: name.map_or(AnyJson::Bool(true), AnyJson::from),
        "channel": entry.statement.channel,
        "status": entry.statement.status,
        "at": entry.statement.at.to_string(),
        "expires_at": entry.statement.expires_at.map(|end| end.to_string()),
        "received_at": Timestamp::from_millisecond(entry.received_at_ms).unwrap_or_default().to_string(),
        "text": entry.text.map(|version| version.to_string()),
        "evidence": entry.evidence.as_ref().map(|evidence| json!({
            "kind": evidence.kind().as_str(),
            "reference": evidence.reference(),
        })),
    })
}

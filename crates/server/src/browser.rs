//! What may a page do with a key that everybody can read? Speak for an anonymous id, or for the customer whose token
//! comes along, and for nobody else.
//!
//! Its answers say nothing about who is known: they look the same for everybody, and a device that leads to somebody
//! who is identified counts as nobody until their token comes along. What it reports is learned from only with the
//! token of a decision, which cannot be guessed and belongs to who asked; and of what nobody in particular sees on a
//! page, only so much a minute, for whoever has the key can ask as often as they like. Whatever does not fit is thrown away:
//! nothing that a page sends fills the store with rejects.

use crate::{
    app::App,
    body,
    events::{self, Event},
    identifiers::{self, CustomerRef, Identifiers},
    problem::Problem,
    signals,
    tokens::Caller,
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use decision::{id::DecisionId, request::Request, strategy::Identifies};
use engine::{
    CUSTOMER_UPDATED, EngineError, EventReport, Identifier, OutcomeReport, REPORTED, Signalled,
    storage::Ticket,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as AnyJson;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use utoipa::ToSchema;

/// Most items of a page at once.
const ITEMS_MAX: usize = 100;
/// Most reports about one decision.
const REPORTS_PER_TOKEN_MAX: u16 = 16;
/// So many tokens are remembered; then those before them are forgotten together.
const TOKENS_REMEMBERED: usize = 50_000;

/// What a page gets to hear, whatever became of what it sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Received {
    /// How many items arrived.
    received: usize,
}

/// One outcome as a page reports it.
#[derive(Debug, Deserialize)]
struct BrowserOutcome {
    decision: String,
    token: String,
    #[serde(default)]
    slot: u16,
    outcome: String,
    customer: Option<CustomerRef>,
    #[serde(default)]
    identifiers: Identifiers,
}

/// How often each token was used of late, and how much each key taught in its last minute.
#[derive(Debug, Default)]
pub struct Caps {
    used: Mutex<(BTreeMap<String, u16>, BTreeMap<String, u16>)>,
    taught: Mutex<BTreeMap<String, (i64, u32)>>,
}

impl Caps {
    /// Whether models may learn from `slots` more of a key in a minute; they then count.
    fn may_teach(&self, key: &str, minute: i64, slots: u32, slots_max: u32) -> bool {
        let mut taught = self.taught.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = taught.entry(key.to_owned()).or_default();
        if of_key.0 != minute {
            *of_key = (minute, 0);
        }
        let fits = of_key.1.saturating_add(slots) <= slots_max;
        of_key.1 += if fits { slots } else { 0 };
        fits
    }

    /// Counts one more use; `false` when there were enough.
    fn allow(&self, token: &str) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.0.len() >= TOKENS_REMEMBERED {
            used.1 = std::mem::take(&mut used.0);
        }
        let before = used.1.get(token).copied().unwrap_or(0);
        let times = used.0.entry(token.to_owned()).or_insert(before);
        *times = times.saturating_add(1);
        *times <= REPORTS_PER_TOKEN_MAX
    }
}

/// Whom a page speaks for, the one that tells best who it is first.
///
/// # Errors
/// 403 when it names somebody whose token did not come along.
pub fn speaks_for(
    app: &App,
    caller: Option<&Caller>,
    named: Vec<Identifier>,
) -> Result<Vec<Identifier>, Problem> {
    let published = app.engine.published();
    let is_device =
        |found: &Identifier| published.strategy.identifier_kind(&found.kind).identifies == Identifies::Device;
    let own = caller.map(|caller| &caller.identifier);
    if named.iter().any(|found| Some(found) != own && !is_device(found)) {
        let message = "a browser speaks for an anonymous id, or for the customer whose token comes along";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_yours", message));
    }
    let mut whom: Vec<Identifier> = own.cloned().into_iter().collect();
    whom.extend(named.into_iter().filter(|found| Some(found) != own));
    Ok(whom)
}

/// Whom to decide for: nobody, when a device leads to somebody who is identified and whose token is not there.
pub fn decides_for(
    app: &App,
    caller: Option<&Caller>,
    whom: Vec<Identifier>,
) -> Result<Vec<Identifier>, EngineError> {
    let hides = !is_person(app, caller) && app.engine.is_identified(&whom)?;
    Ok(if hides { Vec::new() } else { whom })
}

/// Whether models learn from what a page asks: for a person whose token came along they do, for nobody in particular
/// as long as the key has not taught enough this minute.
pub fn teaches(app: &App, key: &str, caller: Option<&Caller>, request: &Request) -> bool {
    if request.dry_run || is_person(app, caller) {
        return true;
    }
    let slots = request.placements.iter().map(|asked| u32::from(asked.slots)).sum();
    let minute = (app.clock)().as_second().div_euclid(60);
    let teaches = app.browser_caps.may_teach(key, minute, slots, app.settings.browser_lessons_per_minute);
    app.telemetry.browser_slots(teaches, slots);
    teaches
}

/// Whether the token that came along is that of a person, and not only of a device.
fn is_person(app: &App, caller: Option<&Caller>) -> bool {
    let published = app.engine.published();
    let identifies = |caller: &Caller| published.strategy.identifier_kind(&caller.identifier.kind).identifies;
    caller.is_some_and(|caller| identifies(caller) == Identifies::Person)
}

/// The token of a decision that a page asked for.
pub fn token(app: &App, decision: &str, whom: &[Identifier], teaches: bool) -> String {
    let nobody = Identifier::new("", "");
    app.tokens.of_decision(decision, whom.first().unwrap_or(&nobody), teaches)
}

/// Takes in what a page says happened. No model learns from it.
///
/// # Errors
/// The body cannot be read, or names somebody whose token did not come along.
pub async fn events(
    app: Arc<App>,
    caller: Option<Caller>,
    refuses_sharing: bool,
    bytes: &[u8],
) -> Result<Response, Problem> {
    let at = (app.clock)();
    let items = items(bytes, "events")?;
    let received = items.len();
    let published = app.engine.published();
    let mut reports = Vec::new();
    for item in &items {
        let event: Event = body::fit(item)?;
        let named = identifiers::read(event.customer.clone(), event.identifiers.clone())?;
        let whom = speaks_for(&app, caller.as_ref(), named)?;
        let mut said =
            signals::of_categories(&published.strategy, &event.context.consent.category_preferences);
        if refuses_sharing {
            said.extend(signals::of_browser(&published.strategy));
        }
        reports.extend(report(&app, event, whom).map(|report| (report, said)));
    }
    let is_known = is_person(&app, caller.as_ref());
    take_in(&app, reports, move |app, (mut report, mut said)| {
        if !is_known && app.engine.is_identified(&report.identifiers)? {
            report.attributes.clear();
            said.retain(|signal| signal.says != Signalled::Yes);
        }
        let (_, ticket) = app.engine.ingest_untrusted(&report, "", at)?;
        match said.is_empty() {
            true => Ok(ticket),
            false => app.engine.signals(&report.identifiers, &said, None, "", at).map(|(_, ticket)| ticket),
        }
    })
    .await?;
    Ok(Json(Received { received }).into_response())
}

/// Takes in what a page says came of decisions: what carries the decision's own token, once per kind.
///
/// # Errors
/// The body cannot be read, or names somebody whose token did not come along.
pub async fn outcomes(app: Arc<App>, caller: Option<Caller>, bytes: &[u8]) -> Result<Response, Problem> {
    let at = (app.clock)();
    let items = items(bytes, "outcomes")?;
    let received = items.len();
    let mut reports = Vec::new();
    for item in &items {
        let outcome: BrowserOutcome = body::fit(item)?;
        let named = identifiers::read(outcome.customer, outcome.identifiers)?;
        let whom = speaks_for(&app, caller.as_ref(), named)?;
        let fits = |teaches: &bool| token(&app, &outcome.decision, &whom, *teaches) == outcome.token;
        let theirs = [true, false].into_iter().find(fits);
        let is_reported = REPORTED.contains(&outcome.outcome.as_str());
        let decision: Option<DecisionId> = outcome.decision.parse().ok();
        if let Some((decision, teaches)) = decision.zip(theirs).filter(|_| is_reported)
            && app.browser_caps.allow(&outcome.token)
        {
            let report = OutcomeReport { decision, slot: outcome.slot, outcome: outcome.outcome, at: None };
            reports.push((report, teaches));
        }
    }
    take_in(&app, reports, move |app, (report, teaches)| {
        let taken = match teaches {
            true => app.engine.report(&report, "", at),
            false => app.engine.report_untaught(&report, "", at),
        };
        taken.map(|(_, ticket)| ticket)
    })
    .await?;
    Ok(Json(Received { received }).into_response())
}

/// An event that can be taken in; `None` for one that is not declared, or about nobody.
fn report(app: &App, event: Event, whom: Vec<Identifier>) -> Option<EventReport> {
    let published = app.engine.published();
    let is_declared = event.event == CUSTOMER_UPDATED || published.strategy.event(&event.event).is_some();
    let fits = is_declared && !whom.is_empty() && !event.id.is_empty();
    fits.then(|| EventReport {
        id: event.id,
        event: event.event,
        identifiers: whom,
        at: None,
        properties: events::known(app, &event.properties),
        attributes: events::known(app, &event.attributes),
        source: Some(decision::profile::Source::Observed),
        household: None,
    })
}

fn items(bytes: &[u8], list_name: &str) -> Result<Vec<AnyJson>, Problem> {
    let items = match body::parse::<AnyJson>(bytes)? {
        AnyJson::Array(items) => items,
        AnyJson::Object(mut object) => match object.remove(list_name) {
            Some(AnyJson::Array(items)) => items,
            _ => vec![AnyJson::Object(object)],
        },
        _ => return Err(Problem::unfit("wrong_shape", "", "the body must be an object or a list")),
    };
    if items.len() > ITEMS_MAX {
        let message = format!("a browser sends at most {ITEMS_MAX} {list_name} at once");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_items", message));
    }
    Ok(items)
}

async fn take_in<T: Send + 'static>(
    app: &Arc<App>,
    reports: Vec<T>,
    one: impl Fn(&App, T) -> Result<Ticket, EngineError> + Send + 'static,
) -> Result<(), Problem> {
    let taking = app.blocking(move |app| reports.into_iter().map(|report| one(app, report)).collect());
    let tickets: Vec<Ticket> = taking.await?;
    for ticket in tickets {
        ticket.await?;
    }
    Ok(())
}

//! `POST /v1/customers/lookup`: what is known about a customer? By identifiers in the body, so that they
//! do not end up in the logs of what stands in between.

use crate::{
    app::App,
    audit::note_read,
    body,
    identifiers::{self, CustomerRef, Identifiers},
    keys::KeyInfo,
    merging::MergeView,
    problem::{Details, Problem},
    scalar,
};
use axum::{Extension, Json, body::Body, extract::State, http::HeaderMap};
use decision::{
    id::CustomerId,
    profile::{Attributes, ConsentStatement, Contact, ContactState, Outcome},
};
use engine::CustomerState;
use serde::{Deserialize, Serialize};
use serde_json::{Value as AnyJson, json};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 32 * 1024;

/// Whom to look up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// Who.
    customer: Option<CustomerRef>,
    /// Who, at the top.
    #[serde(default)]
    #[schema(value_type = Object)]
    identifiers: Identifiers,
}

impl Lookup {
    /// The identifiers of both forms together.
    ///
    /// # Errors
    /// As for [`identifiers::read`].
    pub fn identifiers(self) -> Result<Vec<engine::Identifier>, Problem> {
        identifiers::read(self.customer, self.identifiers)
    }
}

/// What is known about a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerView {
    /// The minted key; says nothing about the person.
    customer: String,
    /// Facts: value, source, confidence, `observed_at`, `expires_at`.
    #[schema(value_type = Object)]
    attributes: BTreeMap<String, AnyJson>,
    /// Facts of the household, when there is one.
    #[schema(value_type = Option<Object>)]
    household: Option<BTreeMap<String, AnyJson>>,
    /// The minted keys of everybody in that household, this customer's among them.
    household_members: Vec<String>,
    /// Statements about purposes, oldest first.
    #[schema(value_type = Vec<Object>)]
    consents: Vec<AnyJson>,
    /// Contacts, oldest first.
    #[schema(value_type = Vec<Object>)]
    contacts: Vec<AnyJson>,
    /// Outcomes, oldest first.
    #[schema(value_type = Vec<Object>)]
    outcomes: Vec<AnyJson>,
    /// The merges that made this person of several customers.
    merges: Vec<MergeView>,
    /// The merges that were undone.
    undone_merges: Vec<MergeView>,
}

/// Read what is known about a customer
#[utoipa::path(
    post, path = "/v1/customers/lookup", tag = "data", request_body = Lookup,
    responses(
        (status = 200, description = "The customer", body = CustomerView),
        (status = 404, description = "Nobody is known by these identifiers", body = Details),
    ),
)]
pub async fn lookup(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<CustomerView>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let lookup: Lookup = body::parse(&bytes)?;
    let identifiers = lookup.identifiers()?;
    let found = app
        .blocking(move |app| {
            let state = app.engine.customer(&identifiers)?.map(|state| state.at((app.clock)()));
            let whom = state.as_ref().map(|state| state.customer.id);
            note_read(app, &key.prefix, "/v1/customers/lookup", whom)?;
            let members = whom.map(|id| app.engine.housemates(id)).transpose()?.unwrap_or_default();
            Ok(state.map(|state| view(&state, &members)))
        })
        .await?;
    let unknown = || Problem::not_found("unknown_customer", "nobody is known by these identifiers");
    found.ok_or_else(unknown).map(Json)
}

fn view(state: &CustomerState, household_members: &[CustomerId]) -> CustomerView {
    let customer = &state.customer;
    CustomerView {
        customer: customer.id.to_string(),
        attributes: facts(&customer.profile.attributes),
        household: state.household.as_ref().map(facts),
        household_members: household_members.iter().map(ToString::to_string).collect(),
        consents: customer.profile.consents.iter().map(consent).collect(),
        contacts: customer.history.contacts.iter().map(contact).collect(),
        outcomes: customer.history.outcomes.iter().map(outcome).collect(),
        merges: state.merges.iter().map(MergeView::of).collect(),
        undone_merges: state.undone.iter().map(MergeView::of_undone).collect(),
    }
}

fn facts(attributes: &Attributes) -> BTreeMap<String, AnyJson> {
    let fact = |(name, fact): (&decision::id::AttributeName, &decision::profile::AttributeValue)| {
        let json = json!({
            "value": scalar::to_json(&fact.value),
            "source": fact.source,
            "confidence": fact.confidence,
            "observed_at": fact.observed_at.to_string(),
            "expires_at": fact.expires_at.to_string(),
        });
        (name.to_string(), json)
    };
    attributes.iter().map(fact).collect()
}

fn consent(statement: &ConsentStatement) -> AnyJson {
    let (kind, name) = statement.about.named();
    json!({
        kind: name.map_or(AnyJson::Bool(true), AnyJson::from),
        "channel": statement.channel,
        "status": statement.status,
        "at": statement.at.to_string(),
        "expires_at": statement.expires_at.map(|moment| moment.to_string()),
    })
}

fn contact(contact: &Contact) -> AnyJson {
    let (state, until) = match contact.state {
        ContactState::Reserved { until } => ("reserved", Some(until.to_string())),
        ContactState::Counted { late: false } => ("counted", None),
        ContactState::Counted { late: true } => ("counted_late", None),
    };
    json!({
        "decision": contact.decision.to_string(),
        "slot": contact.slot,
        "action": contact.action,
        "channel": contact.channel,
        "placement": contact.placement,
        "direction": contact.direction,
        "at": contact.at.to_string(),
        "state": state,
        "reserved_until": until,
    })
}

fn outcome(outcome: &Outcome) -> AnyJson {
    json!({
        "outcome": outcome.outcome,
        "event": outcome.event,
        "action": outcome.action,
        "at": outcome.at.to_string(),
    })
}

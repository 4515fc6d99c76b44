//! `GET /v1/strategy`: which names exist here? So that callers learn channels, placements, contexts,
//! events and purposes without opening the files.

use crate::app::{App, PendingProblem};
use axum::{Json, extract::State};
use decision::strategy::Strategy;
use serde::Serialize;
use serde_json::{Value as AnyJson, json};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

/// The strategy that decides now.
#[derive(Debug, Serialize, ToSchema)]
pub struct StrategySummary {
    /// Its version: a hash of its files.
    version: String,
    /// Whose it is.
    organisation: String,
    /// Languages of the texts, the default first.
    languages: Vec<String>,
    /// How many there are of each kind of thing.
    counts: BTreeMap<&'static str, usize>,
    /// Channels with their directions and placements.
    #[schema(value_type = Vec<Object>)]
    channels: Vec<AnyJson>,
    /// Context values that a question may carry, with their types.
    #[schema(value_type = Vec<Object>)]
    contexts: Vec<AnyJson>,
    /// Events with their properties.
    #[schema(value_type = Vec<Object>)]
    events: Vec<AnyJson>,
    /// Purposes with their lawful basis.
    #[schema(value_type = Vec<Object>)]
    purposes: Vec<AnyJson>,
    /// What is wrong with the folder as it is now; while there is anything, the version above keeps deciding.
    pending_problems: Vec<PendingProblem>,
}

/// Read which names the strategy knows
#[utoipa::path(
    get, path = "/v1/strategy", tag = "channels",
    responses((status = 200, description = "The strategy that decides now", body = StrategySummary)),
)]
pub async fn strategy(State(app): State<Arc<App>>) -> Json<StrategySummary> {
    let published = app.engine.published();
    let strategy = &published.strategy;
    Json(StrategySummary {
        version: strategy.version.to_string(),
        organisation: strategy.organisation.name.clone(),
        languages: strategy.organisation.languages.iter().map(ToString::to_string).collect(),
        counts: counts(strategy),
        channels: channels(strategy),
        contexts: contexts(strategy),
        events: events(strategy),
        purposes: strategy
            .purposes
            .iter()
            .map(|found| json!({ "purpose": found.id, "basis": found.basis }))
            .collect(),
        pending_problems: app.pending_problems(),
    })
}

/// How many there are of each kind of thing.
pub fn counts(strategy: &Strategy) -> BTreeMap<&'static str, usize> {
    BTreeMap::from([
        ("actions", strategy.actions.len()),
        ("attributes", strategy.attributes.len()),
        ("channels", strategy.channels.len()),
        ("events", strategy.events.len()),
        ("experiments", strategy.experiments.len()),
        ("placements", strategy.placements.len()),
        ("principles", strategy.principles.len()),
        ("purposes", strategy.purposes.len()),
    ])
}

fn channels(strategy: &Strategy) -> Vec<AnyJson> {
    let placements = |channel: &decision::id::ChannelId| -> Vec<AnyJson> {
        let here = strategy.placements.iter().filter(|placement| placement.channel == *channel);
        here.map(|placement| json!({ "placement": placement.id, "slots": placement.slots })).collect()
    };
    let channel = |found: &decision::strategy::Channel| json!({ "channel": found.id, "directions": found.directions, "placements": placements(&found.id) });
    strategy.channels.iter().map(channel).collect()
}

fn contexts(strategy: &Strategy) -> Vec<AnyJson> {
    let context = |found: &decision::strategy::Context| json!({ "context": found.name, "type": found.value_type, "values": found.values });
    strategy.contexts.iter().map(context).collect()
}

fn events(strategy: &Strategy) -> Vec<AnyJson> {
    let event =
        |found: &decision::strategy::Event| json!({ "event": found.name, "properties": found.properties });
    strategy.events.iter().map(event).collect()
}

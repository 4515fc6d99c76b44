//! What a channel asks: for whom, where, and what it knows about this moment.

use crate::{
    id::{ChannelId, ContextName, Language, PlacementId},
    value::Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who starts the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The customer comes to us.
    Inbound,
    /// We go to the customer.
    Outbound,
}

/// One place to fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacementRequest {
    /// Which place.
    pub placement: PlacementId,
    /// How many messages fit, 1 to 16.
    pub slots: u16,
}

/// One question to the engine, with every name already checked against the strategy
/// (see [`crate::strategy::Strategy::accept`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Over which channel.
    pub channel: ChannelId,
    /// Who starts.
    pub direction: Direction,
    /// Places to fill.
    pub placements: Vec<PlacementRequest>,
    /// Declared values of this moment.
    pub context: BTreeMap<ContextName, Value>,
    /// Language of the texts; `None` means the organisation's first.
    pub language: Option<Language>,
    /// The browser sent `Sec-GPC: 1`.
    pub global_privacy_control: bool,
    /// A preview: the same decision, without a trace in history, budgets or learning.
    pub dry_run: bool,
}

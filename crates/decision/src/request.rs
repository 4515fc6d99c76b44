//! What a channel asks: where, and what it knows about this moment; and does the strategy know those names?
//!
//! For whom it asks is the shell's business.

use crate::{
    id::{ChannelId, ContextName, Language, PlacementId},
    strategy::{Channel, Context, Placement, Strategy, did_you_mean},
    value::{Value, ValueType},
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

/// Most placements in one request.
pub const PLACEMENTS_MAX: usize = 32;

/// A question as a channel put it: no name checked yet, no value typed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Asked {
    /// Over which channel.
    pub channel: String,
    /// Who starts; `None` when the channel has one direction only.
    pub direction: Option<Direction>,
    /// Places to fill, each with its slots.
    pub placements: Vec<(String, u16)>,
    /// Values of this moment; a moment may come as text.
    pub context: BTreeMap<String, Value>,
    /// A language tag such as `nl` or `nl-BE`; one that the organisation does not speak means its first.
    pub language: Option<String>,
    /// The browser sent `Sec-GPC: 1`.
    pub global_privacy_control: bool,
    /// A preview.
    pub dry_run: bool,
}

/// Why a question cannot be asked of this strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotAccepted {
    /// Stable code, for example `unknown_channel`.
    pub code: &'static str,
    /// Which part, for example `placements[1].slots`.
    pub field: String,
    /// What is wrong and what exists instead; never a value of the request's context.
    pub message: String,
}

impl Strategy {
    /// Checks every name of a question against this strategy and types its values.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the fields.
    pub fn accept(&self, asked: &Asked) -> Result<Request, Vec<NotAccepted>> {
        let mut refusals = Vec::new();
        let channel = self.channel(&asked.channel);
        if channel.is_none() {
            refusals.push(unknown(
                "channel",
                "channel",
                &asked.channel,
                self.channels.iter().map(|found| found.id.as_str()),
            ));
        }
        let direction = channel.and_then(|channel| match direction(channel, asked.direction) {
            Ok(direction) => Some(direction),
            Err(refusal) => {
                refusals.push(refusal);
                None
            }
        });
        let placements = self.accept_placements(asked, channel, &mut refusals);
        let context = self.accept_context(&asked.context, &mut refusals);
        let (Some(direction), true) = (direction, refusals.is_empty()) else {
            return Err(refusals);
        };
        Ok(Request {
            channel: asked.channel.as_str().into(),
            direction,
            placements,
            context,
            language: asked.language.as_deref().and_then(|tag| self.spoken(tag)),
            global_privacy_control: asked.global_privacy_control,
            dry_run: asked.dry_run,
        })
    }

    /// The organisation's language that a tag asks for, by its first part.
    pub fn spoken(&self, tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        let spoken = |language: &&Language| language.as_str().eq_ignore_ascii_case(primary);
        self.organisation.languages.iter().find(spoken).cloned()
    }

    fn accept_placements(
        &self,
        asked: &Asked,
        channel: Option<&Channel>,
        refusals: &mut Vec<NotAccepted>,
    ) -> Vec<PlacementRequest> {
        let count = asked.placements.len();
        if count == 0 || count > PLACEMENTS_MAX {
            let message = format!("ask for 1 to {PLACEMENTS_MAX} placements");
            refusals.push(NotAccepted { code: "placement_count", field: "placements".into(), message });
            return Vec::new();
        }
        let mut accepted: Vec<PlacementRequest> = Vec::new();
        for (index, (name, slots)) in asked.placements.iter().enumerate() {
            let seen = accepted.iter().any(|earlier| earlier.placement.as_str() == name);
            match self.accept_placement(index, name, *slots, channel, seen) {
                Ok(placement) => accepted.push(placement),
                Err(refusal) => refusals.push(refusal),
            }
        }
        accepted
    }

    fn accept_placement(
        &self,
        index: usize,
        name: &str,
        slots: u16,
        channel: Option<&Channel>,
        seen: bool,
    ) -> Result<PlacementRequest, NotAccepted> {
        let field = format!("placements[{index}]");
        let here = |placement: &&Placement| channel.is_none_or(|channel| placement.channel == channel.id);
        let Some(placement) = self.placement(name) else {
            let names = self.placements.iter().filter(here).map(|found| found.id.as_str());
            return Err(unknown("placement", &field, name, names));
        };
        let refuse = |code, message| Err(NotAccepted { code, field: field.clone(), message });
        if !here(&placement) {
            let message = format!("placement `{name}` is on channel `{}`", placement.channel);
            return refuse("placement_elsewhere", message);
        }
        if seen {
            return refuse(
                "placement_twice",
                format!("placement `{name}` is asked for twice; ask for more slots"),
            );
        }
        if slots == 0 || slots > placement.slots {
            return refuse(
                "slots_out_of_range",
                format!("placement `{name}` has 1 to {} slots", placement.slots),
            );
        }
        Ok(PlacementRequest { placement: placement.id.clone(), slots })
    }

    fn accept_context(
        &self,
        asked: &BTreeMap<String, Value>,
        refusals: &mut Vec<NotAccepted>,
    ) -> BTreeMap<ContextName, Value> {
        let mut accepted = BTreeMap::new();
        for (name, value) in asked {
            let field = format!("context.{name}");
            let Some(index) = self.context_index(name) else {
                let names = self.contexts.iter().map(|context| context.name.as_str());
                refusals.push(unknown("context", &field, name, names));
                continue;
            };
            match typed(&self.contexts[usize::from(index)], value) {
                Ok(value) => {
                    accepted.insert(name.as_str().into(), value);
                }
                Err((code, message)) => refusals.push(NotAccepted { code, field, message }),
            }
        }
        accepted
    }
}

fn direction(channel: &Channel, asked: Option<Direction>) -> Result<Direction, NotAccepted> {
    let name = &channel.id;
    let refuse = |code, message| Err(NotAccepted { code, field: "direction".into(), message });
    match (asked, channel.directions.as_slice()) {
        (None, [only]) => Ok(*only),
        (None, _) => {
            refuse("direction_missing", format!("channel `{name}` is inbound and outbound; say which"))
        }
        (Some(asked), known) if known.contains(&asked) => Ok(asked),
        (Some(Direction::Inbound), _) => {
            refuse("direction_elsewhere", format!("channel `{name}` is outbound only"))
        }
        (Some(Direction::Outbound), _) => {
            refuse("direction_elsewhere", format!("channel `{name}` is inbound only"))
        }
    }
}

fn typed(context: &Context, value: &Value) -> Result<Value, (&'static str, String)> {
    let name = &context.name;
    let typed = match (context.value_type, value) {
        (ValueType::Time, Value::Text(text)) => text.parse().ok().map(Value::Time),
        (wanted, value) => (value.value_type() == wanted).then(|| value.clone()),
    };
    let Some(typed) = typed else {
        return Err(("context_type", format!("context `{name}` is a {}", context.value_type.as_str())));
    };
    match &typed {
        Value::Text(text)
            if !context.values.is_empty() && !context.values.iter().any(|known| **known == **text) =>
        {
            let known = listed(context.values.iter().map(String::as_str));
            Err(("context_value", format!("context `{name}` is one of {known}")))
        }
        _ => Ok(typed),
    }
}

fn unknown<'a>(kind: &str, field: &str, asked: &str, known: impl Iterator<Item = &'a str>) -> NotAccepted {
    let known: Vec<&str> = known.collect();
    let code = match kind {
        "channel" => "unknown_channel",
        "placement" => "unknown_placement",
        _ => "unknown_context",
    };
    let shown: String = asked.chars().take(80).collect();
    let exists = match known.as_slice() {
        [] => "none is declared".to_owned(),
        known => format!("there is {}", listed(known.iter().copied())),
    };
    let hint = did_you_mean(asked, known.iter().copied()).map_or(String::new(), |hint| format!("; {hint}"));
    NotAccepted {
        code,
        field: field.to_owned(),
        message: format!("no {kind} is called `{shown}`; {exists}{hint}"),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

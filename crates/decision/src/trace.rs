//! What a decision read, and no more: enough to make it again, without what it was not allowed to see.
//!
//! A withheld attribute is traced without its value. Names are positions in the strategy, whose
//! version the record carries.

use crate::{
    Timestamp,
    consent::{Known, Permitted, stored},
    id::{ActionId, CustomerId, DecisionId, OutcomeName, Topic},
    inputs::{Assignment, Inputs},
    profile::{
        About, AttributeValue, Attributes, ConsentStatement, ConsentStatus, Contact, ContactHistory,
        ContactState, Customer, Outcome, Profile, Source,
    },
    request::{Direction, Request},
    strategy::{ActionIndex, AttributeIndex, PurposeIndex, Strategy, Subject},
    value::{Value, ValueType},
};
use jiff::fmt::serde::timestamp::millisecond::{optional as optional_ms, required as ms};
use learning::Prediction;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The read trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Attributes of the customer and household.
    pub attributes: Vec<TracedAttribute>,
    /// A household was known.
    pub household: bool,
    /// Statements about the purposes in play.
    pub consents: Vec<TracedConsent>,
    /// Contacts, oldest first.
    pub contacts: Vec<TracedContact>,
    /// Outcomes, oldest first.
    pub outcomes: Vec<TracedOutcome>,
    /// Remaining volume of limited actions.
    pub quotas: Vec<(ActionIndex, u64)>,
    /// Control group.
    pub assignment: Assignment,
    /// Estimates of the actions that got so far, each action once, in order.
    #[serde(with = "crate::estimate")]
    pub predictions: Vec<Prediction>,
    /// What knowing the answers to questions was worth, in euro, by action.
    pub worth: Vec<(ActionIndex, f32)>,
}

/// One attribute as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedAttribute {
    /// Which.
    pub attribute: AttributeIndex,
    /// The value; `None` when it was withheld from every view.
    pub value: Option<Value>,
    /// Where it came from.
    pub source: Source,
    /// Confidence when it was observed.
    pub confidence: f32,
    /// When it was true.
    #[serde(with = "ms")]
    pub observed_at: Timestamp,
    /// Until when it may be read.
    #[serde(with = "ms")]
    pub expires_at: Timestamp,
}

/// What a statement is about, by position in the strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TracedAbout {
    /// A purpose in play.
    Purpose(PurposeIndex),
    /// An issue, group or action.
    Topic(Topic),
    /// An attribute.
    Attribute(AttributeIndex),
    /// Everything.
    Everything,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedConsent {
    /// About what.
    pub about: TracedAbout,
    /// Whether it is about the channel of the request only.
    pub this_channel: bool,
    /// What was said.
    pub status: ConsentStatus,
    /// When.
    #[serde(with = "ms")]
    pub at: Timestamp,
    /// Until when it holds.
    #[serde(with = "optional_ms")]
    pub expires_at: Option<Timestamp>,
}

/// An action, also one that is no longer in the strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TracedAction {
    /// In this strategy.
    Known(ActionIndex),
    /// From an earlier one.
    Gone(ActionId),
}

/// One contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedContact {
    /// The decision and slot that led to it, while asking again would show it again.
    pub open: Option<(DecisionId, u16)>,
    /// What was said.
    pub action: TracedAction,
    /// Position of the placement in the strategy; `None` when it is gone.
    pub placement: Option<u16>,
    /// Position of the channel in the strategy; `None` when it is gone.
    pub channel: Option<u16>,
    /// Who started.
    pub direction: Direction,
    /// When.
    #[serde(with = "ms")]
    pub at: Timestamp,
    /// End of the reservation; `None` when counted.
    #[serde(with = "optional_ms")]
    pub reserved_until: Option<Timestamp>,
}

/// One outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TracedOutcome {
    /// Which.
    pub outcome: OutcomeName,
    /// The event, for a goal.
    pub event: Option<crate::id::EventName>,
    /// About which action.
    pub action: Option<TracedAction>,
    /// When.
    #[serde(with = "ms")]
    pub at: Timestamp,
}

/// Writes down what was read, but for what was estimated. `in_play` are the purposes whose views were built.
pub fn capture(
    strategy: &Strategy,
    inputs: &Inputs<'_>,
    request: &Request,
    permitted: &Permitted<'_>,
    in_play: &[bool],
    at: Timestamp,
) -> Trace {
    let mut trace = Trace {
        household: inputs.household.is_some(),
        assignment: inputs.assignment,
        quotas: quotas(strategy, inputs.quotas),
        ..Trace::default()
    };
    trace.attributes = attributes(strategy, inputs, permitted, in_play);
    let Some(customer) = inputs.customer else {
        return trace;
    };
    trace.consents = customer
        .profile
        .consents
        .iter()
        .filter(|statement| statement.channel.as_ref().is_none_or(|channel| *channel == request.channel))
        .filter_map(|statement| {
            Some(TracedConsent {
                about: traced_about(strategy, &statement.about, in_play)?,
                this_channel: statement.channel.is_some(),
                status: statement.status,
                at: statement.at,
                expires_at: statement.expires_at,
            })
        })
        .collect();
    let contacts = customer.history.contacts.iter().filter(|contact| contact.takes_attention(at));
    trace.contacts = contacts.map(|contact| traced_contact(strategy, contact, request, at)).collect();
    trace.outcomes = customer
        .history
        .outcomes
        .iter()
        .map(|outcome| TracedOutcome {
            outcome: outcome.outcome.clone(),
            event: outcome.event.clone(),
            action: outcome.action.as_ref().map(|action| traced_action(strategy, action)),
            at: outcome.at,
        })
        .collect();
    trace
}

/// `None` when nothing in this strategy, or in this decision, is concerned.
fn traced_about(strategy: &Strategy, about: &About, in_play: &[bool]) -> Option<TracedAbout> {
    match about {
        About::Purpose(id) => {
            let purpose = strategy.purpose_index(id.as_str())?;
            in_play[usize::from(purpose)].then_some(TracedAbout::Purpose(purpose))
        }
        About::Topic(topic) => {
            let concerned = strategy.actions.iter().any(|action| action.id.within(topic.as_str()));
            concerned.then(|| TracedAbout::Topic(topic.clone()))
        }
        About::Attribute(name) => strategy.attribute_index(name.as_str()).map(TracedAbout::Attribute),
        About::Everything => Some(TracedAbout::Everything),
    }
}

fn quotas(strategy: &Strategy, quotas: &BTreeMap<ActionId, u64>) -> Vec<(ActionIndex, u64)> {
    quotas
        .iter()
        .filter_map(|(action, left)| Some((strategy.action_index(action.as_str())?, *left)))
        .collect()
}

fn attributes(
    strategy: &Strategy,
    inputs: &Inputs<'_>,
    permitted: &Permitted<'_>,
    in_play: &[bool],
) -> Vec<TracedAttribute> {
    let concerns = |purpose: &PurposeIndex| {
        in_play[usize::from(*purpose)] || strategy.purposes[usize::from(*purpose)].protective
    };
    let stored = stored(strategy, Known { customer: inputs.customer, household: inputs.household });
    (0u16..)
        .zip(strategy.attributes.iter().zip(stored))
        .filter(|(_, (attribute, _))| attribute.purposes.iter().any(concerns))
        .filter_map(|(index, (_, stored))| {
            let stored = stored?;
            Some(TracedAttribute {
                attribute: index,
                value: permitted.visible_anywhere(index).then(|| stored.value.clone()),
                source: stored.source,
                confidence: stored.confidence,
                observed_at: stored.observed_at,
                expires_at: stored.expires_at,
            })
        })
        .collect()
}

fn traced_action(strategy: &Strategy, action: &ActionId) -> TracedAction {
    strategy
        .action_index(action.as_str())
        .map_or_else(|| TracedAction::Gone(action.clone()), TracedAction::Known)
}

fn traced_contact(strategy: &Strategy, contact: &Contact, request: &Request, at: Timestamp) -> TracedContact {
    let position = |mut ids: Box<dyn Iterator<Item = &str> + '_>, wanted: &str| {
        ids.position(|id| id == wanted).and_then(|index| u16::try_from(index).ok())
    };
    let placements = strategy.placements.iter().map(|placement| placement.id.as_str());
    let channels = strategy.channels.iter().map(|channel| channel.id.as_str());
    let asked_again = request.placements.iter().any(|asked| asked.placement == contact.placement);
    let lifetime = strategy
        .placement(contact.placement.as_str())
        .and_then(|placement| strategy.channel(placement.channel.as_str()))
        .map(|channel| channel.reservation);
    let fresh =
        lifetime.is_some_and(|lifetime| contact.at.saturating_add(lifetime).is_ok_and(|end| end > at));
    TracedContact {
        open: (asked_again && fresh).then_some((contact.decision, contact.slot)),
        action: traced_action(strategy, &contact.action),
        placement: position(Box::new(placements), contact.placement.as_str()),
        channel: position(Box::new(channels), contact.channel.as_str()),
        direction: contact.direction,
        at: contact.at,
        reserved_until: match contact.state {
            ContactState::Reserved { until } => Some(until),
            ContactState::Counted { .. } => None,
        },
    }
}

/// The inputs of a decision, brought back from its trace.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The customer, with what was read and nothing else.
    pub customer: Option<Customer>,
    /// The household's attributes.
    pub household: Option<Attributes>,
    /// Remaining volumes.
    pub quotas: BTreeMap<ActionId, u64>,
}

impl Trace {
    /// Brings the inputs back. Positions that the strategy does not have are left out: replaying with
    /// another strategy is refused before.
    pub fn restore(&self, strategy: &Strategy, customer: Option<CustomerId>, request: &Request) -> Restored {
        let of = |subject: Subject| {
            self.attributes
                .iter()
                .filter_map(|traced| {
                    let attribute = strategy.attributes.get(usize::from(traced.attribute))?;
                    let value = traced.value.clone().unwrap_or_else(|| placeholder(attribute.value_type));
                    let restored = AttributeValue {
                        value,
                        source: traced.source,
                        confidence: traced.confidence,
                        observed_at: traced.observed_at,
                        expires_at: traced.expires_at,
                    };
                    (attribute.subject == subject).then(|| (attribute.name.clone(), restored))
                })
                .collect::<Attributes>()
        };
        Restored {
            customer: customer.map(|id| Customer {
                id,
                profile: Profile {
                    attributes: of(Subject::Customer),
                    consents: self.consents(strategy, request),
                },
                history: self.history(strategy),
            }),
            household: self.household.then(|| of(Subject::Household)),
            quotas: self
                .quotas
                .iter()
                .filter_map(|(action, left)| {
                    Some((strategy.actions.get(usize::from(*action))?.id.clone(), *left))
                })
                .collect(),
        }
    }

    fn consents(&self, strategy: &Strategy, request: &Request) -> Vec<ConsentStatement> {
        let statement = |traced: &TracedConsent| {
            let about = match &traced.about {
                TracedAbout::Purpose(index) => {
                    About::Purpose(strategy.purposes.get(usize::from(*index))?.id.clone())
                }
                TracedAbout::Topic(topic) => About::Topic(topic.clone()),
                TracedAbout::Attribute(index) => {
                    About::Attribute(strategy.attributes.get(usize::from(*index))?.name.clone())
                }
                TracedAbout::Everything => About::Everything,
            };
            Some(ConsentStatement {
                about,
                channel: traced.this_channel.then(|| request.channel.clone()),
                status: traced.status,
                at: traced.at,
                expires_at: traced.expires_at,
            })
        };
        self.consents.iter().filter_map(statement).collect()
    }

    fn history(&self, strategy: &Strategy) -> ContactHistory {
        let contact = |traced: &TracedContact| {
            let channel = traced.channel.and_then(|index| strategy.channels.get(usize::from(index)));
            let placement = traced.placement.and_then(|index| strategy.placements.get(usize::from(index)));
            let (decision, slot) = traced.open.unwrap_or((DecisionId(0), 0));
            Contact {
                decision,
                slot,
                action: action_id(strategy, &traced.action),
                channel: channel.map_or_else(|| "".into(), |channel| channel.id.clone()),
                placement: placement.map_or_else(|| "".into(), |placement| placement.id.clone()),
                direction: traced.direction,
                at: traced.at,
                state: traced
                    .reserved_until
                    .map_or(ContactState::Counted { late: false }, |until| ContactState::Reserved { until }),
            }
        };
        let outcome = |traced: &TracedOutcome| Outcome {
            outcome: traced.outcome.clone(),
            event: traced.event.clone(),
            action: traced.action.as_ref().map(|action| action_id(strategy, action)),
            at: traced.at,
        };
        ContactHistory {
            contacts: self.contacts.iter().map(contact).collect(),
            outcomes: self.outcomes.iter().map(outcome).collect(),
        }
    }
}

fn action_id(strategy: &Strategy, action: &TracedAction) -> ActionId {
    match action {
        TracedAction::Gone(id) => id.clone(),
        TracedAction::Known(index) => {
            strategy.actions.get(usize::from(*index)).map_or_else(|| "".into(), |action| action.id.clone())
        }
    }
}

/// Stands for a withheld value: present, of the right type, never read.
fn placeholder(value_type: ValueType) -> Value {
    match value_type {
        ValueType::Bool => Value::Bool(false),
        ValueType::Number => Value::Number(0.0),
        ValueType::Text => Value::Text("".into()),
        ValueType::Time => Value::Time(Timestamp::UNIX_EPOCH),
    }
}

//! What is known about one customer: attributes, consents, contacts and outcomes.
//!
//! This is the raw state. Nothing but [`crate::consent`] may read attributes from it; every later
//! step sees a permitted view only.

use crate::{
    Duration, Timestamp,
    id::{
        ActionId, AttributeName, ChannelId, CustomerId, DecisionId, EventName, OutcomeName, PlacementId,
        PurposeId, Topic,
    },
    request::Direction,
    value::Value,
};
use jiff::fmt::serde::timestamp::millisecond::{optional as optional_ms, required as ms};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a value came from, the strongest first: provided beats observed beats derived beats third party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The customer said so.
    Provided,
    /// Seen on our own channels.
    Observed,
    /// Computed by us.
    Derived,
    /// Received from somebody else.
    ThirdParty,
}

/// One value of an attribute, with what makes it trustworthy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeValue {
    /// The value.
    pub value: Value,
    /// Where it came from.
    pub source: Source,
    /// How sure we were when it was observed, 0 to 1.
    pub confidence: f32,
    /// When it was true.
    #[serde(with = "ms")]
    pub observed_at: Timestamp,
    /// From when on it may no longer be read.
    #[serde(with = "ms")]
    pub expires_at: Timestamp,
}

/// The attributes of one customer or household.
pub type Attributes = BTreeMap<AttributeName, AttributeValue>;

/// What a customer speaks about when they allow or forbid something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A use of data.
    Purpose(PurposeId),
    /// Everything that is said about an issue, a group or an action.
    Topic(Topic),
    /// Any use of one fact, except where the law requires it or where it protects.
    Attribute(AttributeName),
    /// Everything there is: restriction of processing, GDPR article 18.
    Everything,
}

/// What a customer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentStatus {
    /// Yes, until it expires.
    Given,
    /// No, when asked.
    Refused,
    /// No longer.
    Withdrawn,
    /// Objection to a purpose, a topic or the use of an attribute; absolute for marketing.
    Objected,
    /// Nothing may be done with the data but keep it, protect, and what the law requires.
    Restricted,
    /// An objection or restriction is taken back. It grants nothing: consent has to be given anew.
    Lifted,
}

impl About {
    /// Its kind (`purpose`, `topic`, `attribute` or `everything`) and its name.
    pub fn named(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Purpose(id) => ("purpose", Some(id.as_str())),
            Self::Topic(topic) => ("topic", Some(topic.as_str())),
            Self::Attribute(name) => ("attribute", Some(name.as_str())),
            Self::Everything => ("everything", None),
        }
    }
}

impl ConsentStatus {
    /// Whether this can be said about `about`: consent is about purposes, restriction about everything.
    pub fn fits(self, about: &About) -> bool {
        match about {
            About::Purpose(_) => self != Self::Restricted,
            About::Topic(_) | About::Attribute(_) => matches!(self, Self::Objected | Self::Lifted),
            About::Everything => matches!(self, Self::Restricted | Self::Lifted),
        }
    }
}

/// One statement; the latest per subject and channel counts, a refusal on any wider scope counts too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsentStatement {
    /// About what.
    pub about: About,
    /// On which channel; `None` means on every channel.
    pub channel: Option<ChannelId>,
    /// What was said.
    pub status: ConsentStatus,
    /// When it was said.
    #[serde(with = "ms")]
    pub at: Timestamp,
    /// Until when a `given`, or an objection to a topic, holds.
    #[serde(with = "optional_ms")]
    pub expires_at: Option<Timestamp>,
}

/// Whether a contact is only intended or has really taken the customer's attention.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ContactState {
    /// Decided, not yet reported; counts until the reservation ends.
    Reserved {
        /// End of the reservation.
        #[serde(with = "ms")]
        until: Timestamp,
    },
    /// Delivered or displayed.
    Counted {
        /// Reported after its reservation had ended.
        late: bool,
    },
}

/// One contact with the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The decision that led to it.
    pub decision: DecisionId,
    /// The slot of that decision.
    pub slot: u16,
    /// What was said.
    pub action: ActionId,
    /// On which channel.
    pub channel: ChannelId,
    /// In which place.
    pub placement: PlacementId,
    /// Who started.
    pub direction: Direction,
    /// When: the moment of the decision, or of the report once counted.
    #[serde(with = "ms")]
    pub at: Timestamp,
    /// Reserved or counted.
    pub state: ContactState,
}

/// Something that happened after (or without) a contact and that later decisions must know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// `goal`, `rejected`, `complaint`, `complaint_resolved`, `accepted`, ….
    pub outcome: OutcomeName,
    /// The event that was the outcome, for a goal.
    pub event: Option<EventName>,
    /// The action it is about; `None` when it is about the relation as a whole.
    pub action: Option<ActionId>,
    /// When.
    #[serde(with = "ms")]
    pub at: Timestamp,
}

/// The small state that is written with every decision, kept apart from the large profile.
/// Both lists are in order of `at`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactHistory {
    /// Contacts, oldest first.
    pub contacts: Vec<Contact>,
    /// Outcomes, oldest first.
    pub outcomes: Vec<Outcome>,
}

/// The large state that is written only when something becomes known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Facts.
    pub attributes: Attributes,
    /// What was said about the use of data and decisions need, oldest first; see [`Profile::says`].
    pub consents: Vec<ConsentStatement>,
}

/// One customer as the engine hands them to a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// Minted key.
    pub id: CustomerId,
    /// Facts and consents.
    pub profile: Profile,
    /// Contacts and outcomes.
    pub history: ContactHistory,
}

impl Profile {
    /// Adds a statement in its place in time, and lets go of what no decision can tell apart any more: per subject
    /// and channel the latest of each status is kept.
    pub fn says(&mut self, statement: ConsentStatement) {
        let position = self.consents.partition_point(|known| known.at <= statement.at);
        let same = |one: &ConsentStatement, other: &ConsentStatement| {
            one.status == other.status && one.channel == other.channel && one.about == other.about
        };
        if self.consents[position..].iter().any(|later| same(later, &statement)) {
            return;
        }
        let mut earlier = 0;
        self.consents.retain(|known| {
            earlier += 1;
            earlier > position || !same(known, &statement)
        });
        let position = self.consents.partition_point(|known| known.at <= statement.at);
        self.consents.insert(position, statement);
    }
}

impl Contact {
    /// Takes attention at `at`: counted, or reserved and not yet ended.
    pub fn takes_attention(&self, at: Timestamp) -> bool {
        match self.state {
            ContactState::Reserved { until } => until > at,
            ContactState::Counted { .. } => true,
        }
    }
}

impl ContactHistory {
    /// Contacts that take attention at `at` and are less than `within` old. What another clock dated a
    /// little later than `at` happened before this decision all the same, and counts.
    pub fn in_window(&self, at: Timestamp, within: Duration) -> impl Iterator<Item = &Contact> {
        let start = at.saturating_sub(within).unwrap_or(Timestamp::MIN);
        self.contacts.iter().filter(move |contact| contact.at > start && contact.takes_attention(at))
    }

    /// How many contacts in a scope: "" is all, `channel:ID` a channel, anything else a path of actions.
    pub fn contacts(&self, scope: &str, at: Timestamp, within: Duration) -> u32 {
        let in_scope = |contact: &&Contact| match scope.strip_prefix("channel:") {
            Some(channel) => contact.channel.as_str() == channel,
            None => scope.is_empty() || contact.action.within(scope),
        };
        u32::try_from(self.in_window(at, within).filter(in_scope).count()).unwrap_or(u32::MAX)
    }

    /// The moment of the last such outcome in a scope ("" is any).
    pub fn last_outcome(&self, outcome: &str, scope: &str) -> Option<Timestamp> {
        self.outcomes
            .iter()
            .filter(|found| found.outcome.as_str() == outcome)
            .filter(|found| {
                scope.is_empty() || found.action.as_ref().is_some_and(|action| action.within(scope))
            })
            .map(|found| found.at)
            .max()
    }
}

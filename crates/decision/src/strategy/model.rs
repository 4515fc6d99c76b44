//! The compiled strategy: plain data, indexed, with every rule typed.

mod action;
mod attribute;
mod experiment;
mod purpose;

use super::{forms::Forms, purchases::Purchases, scopes::Scopes};
use crate::{
    Duration, Timestamp,
    id::{ChannelId, ContextName, EventName, Language, OutcomeName, PlacementId, PolicyId, PrincipleId},
    request::Direction,
    rules::{Rule, RuleBook},
    value::ValueType,
};
use jiff::{civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

pub use action::{Action, Class, Content, Goal, GoalTarget, Template, TemplatePart, Treatment};
pub use attribute::{Attribute, Event, IdentifierKind, Identifies, Obtain, Sensitivity, Setting, Subject};
pub use experiment::{Arm, Experiment, Guard, Metric};
pub use purpose::{Basis, Purpose, Reviewed, TextVersion};

/// A text per language.
pub type Texts = BTreeMap<Language, String>;
/// Position of an attribute in [`Strategy::attributes`].
pub type AttributeIndex = u16;
/// Position of a context value in [`Strategy::contexts`].
pub type ContextIndex = u16;
/// Position of a purpose in [`Strategy::purposes`].
pub type PurposeIndex = u16;
/// Position of an action in [`Strategy::actions`].
pub type ActionIndex = u16;

/// The first half of the blake3 hash over all files of a strategy, by path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
pub struct StrategyVersion(pub [u8; 16]);

impl fmt::Display for StrategyVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
impl fmt::Debug for StrategyVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The whole set of files at one version, compiled once. Lists are sorted by id.
#[derive(Debug)]
pub struct Strategy {
    /// Which files these are.
    pub version: StrategyVersion,
    /// The organisation as a whole.
    pub organisation: Organisation,
    /// For which uses data may serve.
    pub purposes: Vec<Purpose>,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Placements, in filling order.
    pub placements: Vec<Placement>,
    /// Declared request values.
    pub contexts: Vec<Context>,
    /// Declared facts.
    pub attributes: Vec<Attribute>,
    /// Declared events.
    pub events: Vec<Event>,
    /// Kinds of identifiers by name, the usual ones too.
    pub identifiers: BTreeMap<String, IdentifierKind>,
    /// What a purchase is and leaves behind.
    pub purchases: Option<Purchases>,
    /// Principles, in their order.
    pub principles: Vec<Principle>,
    /// Experiments, by id.
    pub experiments: Vec<Experiment>,
    /// Limits and pauses.
    pub contact_policy: ContactPolicy,
    /// Dated permissions per channel.
    pub permissions: Vec<Permission>,
    /// The catalogue.
    pub actions: Vec<Action>,
    /// Where and how each action can be said.
    pub forms: Forms,
    /// What concerns each action.
    pub scopes: Scopes,
    /// All allow rules of all actions, compiled together.
    pub rule_book: RuleBook,
}

/// What holds for the whole organisation.
#[derive(Debug)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Where questions about personal data go: an address, a telephone number or a page.
    pub contact: Option<String>,
    /// How the data protection officer is reached, where there is one.
    pub data_protection_officer: Option<String>,
    /// Where days begin and end.
    pub time_zone: TimeZone,
    /// Languages of the texts, the default first.
    pub languages: Vec<Language>,
    /// How the two ledgers are weighed, decided by the board.
    pub weights: Weights,
    /// Least expected value for the customer of anything said, in euro.
    pub customer_floor: f64,
    /// The same for a vulnerable customer; at least `customer_floor`.
    pub customer_floor_vulnerable: f64,
    /// When a customer is vulnerable: read in the protection view; unknown counts as vulnerable.
    pub vulnerable: Option<Rule>,
    /// What is offered is meant for people under age.
    pub directed_at_minors: bool,
    /// When a customer is known to be under age: read in the protection view; unknown counts as grown up.
    pub minor_when: Option<Rule>,
    /// Least confidence at which a value is read, 0 to 1.
    pub confidence_floor: f32,
    /// Exploration.
    pub exploration: Exploration,
    /// What a recent contact costs in attention.
    pub attention: Attention,
    /// How many coming decisions the answer to a question is expected to serve, 0 or more.
    pub decisions_ahead: f64,
    /// Control groups.
    pub control: Control,
    /// How much of what is not known of a protected attribute a fact that decisions read may tell, 0 to 1; more, and
    /// it is a proxy.
    pub proxy_threshold: f64,
    /// Levers per issue or group path; the action's own lever is in [`Action::lever`].
    pub levers: BTreeMap<String, f64>,
    /// Outcomes besides the goal, mostly negative.
    pub outcomes: Vec<SideOutcome>,
}

/// Weights of the two ledgers; both at least 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of a euro for the customer.
    pub customer: f64,
    /// Of a euro for the organisation.
    pub organisation: f64,
}

/// How much is tried to learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exploration {
    /// Probability spread evenly over contenders, 0 to 0.5.
    pub floor: f64,
    /// Over at most this many contenders.
    pub contenders: usize,
    /// Exposures after which an action may be picked as often as it looks best; before, its probability is held
    /// back while a known action is worth saying; at least 1.
    pub ramp: u32,
    /// Expected value that may be given up for it, as a part of what the most promising contender may be
    /// worth, 0 to 1.
    pub budget: f64,
}

/// The attention of a customer: each counted or reserved contact in the window makes the next one cost more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attention {
    /// Euro per contact in the window.
    pub fatigue: f64,
    /// The window.
    pub within: Duration,
}

/// Control groups: stable per customer within a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Share of customers who get silence, 0 to 0.5.
    pub silence_share: f64,
    /// Share of customers who get chance among what is relevant, 0 to 0.5.
    pub random_share: f64,
    /// Share of customers who get what the strategy of before gives, 0 to 0.5.
    pub today_share: f64,
    /// The variant that is the strategy of before; `None` when nobody gets it.
    pub today: Option<String>,
    /// Length of a period.
    pub period: Duration,
    /// How long after their first decision of a period customers are looked at.
    pub within: Duration,
    /// Smallest difference per customer that matters, in euro.
    pub minimum_effect: f64,
    /// Scopes of actions that are never withheld to measure something, besides service and mandatory.
    pub spares: Vec<String>,
}

/// An outcome besides the goal, expected of every action.
#[derive(Debug)]
pub struct SideOutcome {
    /// For example `complaint`.
    pub outcome: OutcomeName,
    /// The event that is this outcome.
    pub event: EventName,
    /// Within which time after the contact.
    pub within: Duration,
    /// Value for the customer in euro, mostly negative.
    pub value_for_customer: f64,
    /// Value for the organisation in euro, mostly negative.
    pub value_for_organisation: f64,
    /// Base rate to start from, in (0, 1).
    pub prior: f64,
    /// Whether it is a sign that comes before the goal, from which the goal can be foreseen.
    pub early: bool,
}

/// A channel.
#[derive(Debug)]
pub struct Channel {
    /// Id.
    pub id: ChannelId,
    /// Name per language.
    pub name: Texts,
    /// Which directions exist.
    pub directions: Vec<Direction>,
    /// What one contact costs, in euro.
    pub contact_cost: f64,
    /// From which report on a contact counts and its outcomes are awaited.
    pub counts_on: ContactReport,
    /// How long a decision reserves attention before it is reported.
    pub reservation: Duration,
    /// When an outbound contact may not happen, in the organisation's time zone; may pass midnight.
    pub quiet_hours: Option<(Time, Time)>,
}

/// Reports about a contact, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactReport {
    /// The decision itself.
    Decided,
    /// It reached the customer's device or letterbox.
    Delivered,
    /// It was on the screen, or was said.
    Displayed,
}

/// A place where something can be said.
#[derive(Debug)]
pub struct Placement {
    /// Id.
    pub id: PlacementId,
    /// On which channel.
    pub channel: ChannelId,
    /// Name per language.
    pub name: Texts,
    /// Most slots a request may ask for.
    pub slots: u16,
    /// It is meant for people under age.
    pub directed_at_minors: bool,
    /// Shown when no decision can be made in time.
    pub neutral_default: String,
}

/// A declared request value.
#[derive(Debug)]
pub struct Context {
    /// Name.
    pub name: ContextName,
    /// Type.
    pub value_type: ValueType,
    /// Closed list of texts; empty means any.
    pub values: Vec<String>,
    /// Models may use it.
    pub learn: bool,
}

/// An organisation-wide rule.
#[derive(Debug)]
pub struct Principle {
    /// Id.
    pub id: PrincipleId,
    /// Who answers for it.
    pub owner: String,
    /// Why, per language, as one would tell a customer.
    pub reason: Texts,
    /// Scopes of actions it is about; empty means all.
    pub applies_to: Vec<String>,
    /// What it does.
    pub kind: PrincipleKind,
}

/// What a principle does.
#[derive(Debug)]
pub enum PrincipleKind {
    /// Drops when true; reads the protection view.
    Veto {
        /// When.
        when: Rule,
        /// Whether not knowing vetoes too.
        when_unknown: WhenUnknown,
    },
    /// Drops unless true; reads the protection view.
    Require {
        /// What must hold.
        condition: Rule,
        /// Whether not knowing vetoes too.
        when_unknown: WhenUnknown,
    },
    /// Adds to the context weight when true; reads the action's permitted view; unknown adds nothing.
    Weigh {
        /// When.
        when: Rule,
        /// Added to 1; the sum over all principles stays above -1.
        weight: f64,
    },
}

/// What not knowing means for a veto or requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnknown {
    /// Better not.
    Veto,
    /// As if it did not hold.
    Pass,
}

/// Limits and pauses.
#[derive(Debug, Default)]
pub struct ContactPolicy {
    /// Limits, in the order of their file.
    pub limits: Vec<Limit>,
    /// Pauses, in the order of their file.
    pub pauses: Vec<Pause>,
    /// Scopes that are silent from a `complaint` until `complaint_resolved`.
    pub complaint_silences: Vec<String>,
    /// Inbound contacts take from the same budget as outbound ones.
    pub inbound_counts: bool,
}

/// Over which contacts a limit or pause counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyScope {
    /// All contacts together.
    All,
    /// Per channel.
    Channel,
    /// Per action.
    Action,
    /// Per group.
    Group,
    /// Per issue.
    Issue,
}

/// At most so many contacts in an exact rolling window.
#[derive(Debug)]
pub struct Limit {
    /// Id.
    pub id: PolicyId,
    /// Counted per what.
    pub per: PolicyScope,
    /// Only these channels; empty means all.
    pub channels: Vec<ChannelId>,
    /// Only actions in these scopes; empty means all.
    pub applies_to: Vec<String>,
    /// Most contacts in the window.
    pub at_most: u32,
    /// The window: a contact counts while `at > now - within`.
    pub within: Duration,
}

/// After so many outcomes, be silent for a while.
#[derive(Debug)]
pub struct Pause {
    /// Id.
    pub id: PolicyId,
    /// Which outcome.
    pub outcome: OutcomeName,
    /// How many of them…
    pub times: u32,
    /// …in this window.
    pub within: Duration,
    /// Silent per what.
    pub per: PolicyScope,
    /// Only actions in these scopes; empty means all.
    pub applies_to: Vec<String>,
    /// For how long after the last of them.
    pub pause_for: Duration,
}

/// From a date on, a channel may be used for some actions only with a purpose's basis.
#[derive(Debug)]
pub struct Permission {
    /// Which channel.
    pub channel: ChannelId,
    /// In which direction.
    pub direction: Direction,
    /// Scopes of actions; empty means all.
    pub applies_to: Vec<String>,
    /// From when on.
    pub from: Timestamp,
    /// The purpose whose basis must hold.
    pub needs: PurposeIndex,
    /// Where this comes from, for people.
    pub reason: String,
}

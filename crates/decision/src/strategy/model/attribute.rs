//! What may be known: declared facts, identifiers, and the events that tell of them.

use super::{AttributeIndex, PurposeIndex, Texts};
use crate::{
    Duration, Timestamp,
    id::{AttributeName, EventName, OutcomeName},
    profile::Source,
    value::{Value, ValueType},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose fact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// One person.
    Customer,
    /// A group of persons.
    Household,
}

/// How careful one must be with a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Ordinary.
    Ordinary,
    /// Tells of money trouble; may only restrict or switch to care.
    FinancialDistress,
    /// Special category, GDPR article 9: visible only with explicit consent.
    Special,
}

/// A declared fact.
#[derive(Debug)]
pub struct Attribute {
    /// Name.
    pub name: AttributeName,
    /// Whose.
    pub subject: Subject,
    /// Name per language, as a customer would say it.
    pub label: Texts,
    /// Type.
    pub value_type: ValueType,
    /// Closed list of texts; empty means any.
    pub values: Vec<String>,
    /// Texts and numbers that mean "unknown" and become missing.
    pub treat_as_unknown: Vec<Value>,
    /// Uses it may serve.
    pub purposes: Vec<PurposeIndex>,
    /// Where values normally come from.
    pub source: Source,
    /// Confidence of a value that arrives without one, 0 to 1.
    pub confidence: f32,
    /// Time after which confidence has halved.
    pub half_life: Option<Duration>,
    /// How long a value is kept and read.
    pub retention: Duration,
    /// Sensitivity.
    pub sensitivity: Sensitivity,
    /// W3C Data Privacy Vocabulary id, see [`crate::strategy::category`].
    pub category: Option<String>,
    /// Why it is kept for more than a year.
    pub retention_reason: Option<String>,
    /// Numbers outside of this range mean that nothing is known.
    pub plausible: (Option<f64>, Option<f64>),
    /// Moments before this mean that nothing is known.
    pub implausible_before: Option<Timestamp>,
    /// What a value costs to get, in euro.
    pub cost: f64,
    /// The cheapest way to get it.
    pub obtain: Option<Obtain>,
    /// The customer can see it with us, for example on a bill.
    pub shown: bool,
    /// The special category that it would give away.
    pub proxy_for: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Models may use it.
    pub learn: bool,
}

/// What an identifier points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identifies {
    /// One person, for example a user or an e-mail address.
    Person,
    /// A device or browser, which several persons may share; says who it is until one of them is known.
    Device,
    /// A group of persons, for example a contract of a household; never says which of them it is.
    Account,
}

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifierKind {
    /// What it points to.
    pub identifies: Identifies,
    /// How many a person may have, at least 1. The fewer, the better it tells persons apart.
    pub at_most: u32,
}

/// How a missing value is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obtain {
    /// Ask the customer.
    Ask,
    /// See it on our own channels.
    Observe,
    /// Take it from a system that has it.
    Import,
}

impl Attribute {
    /// An observed fact about a customer about which nothing else is declared.
    pub fn new(name: &str, value_type: ValueType, purposes: Vec<PurposeIndex>) -> Self {
        Self {
            name: name.into(),
            subject: Subject::Customer,
            label: Texts::new(),
            value_type,
            values: Vec::new(),
            treat_as_unknown: Vec::new(),
            purposes,
            source: Source::Observed,
            confidence: 0.9,
            half_life: None,
            retention: Duration::from_hours(24 * 365),
            retention_reason: None,
            sensitivity: Sensitivity::Ordinary,
            category: None,
            plausible: (None, None),
            implausible_before: None,
            cost: 0.0,
            obtain: None,
            shown: false,
            proxy_for: None,
            owner: String::new(),
            learn: true,
        }
    }

    /// Whether this value only says that nothing is known: one of the declared dirty ones, or beyond what is
    /// plausible.
    pub fn means_unknown(&self, value: &Value) -> bool {
        let dirty = self.treat_as_unknown.iter().any(|dirty| match (dirty, value) {
            (Value::Text(dirty), Value::Text(text)) => dirty.trim().eq_ignore_ascii_case(text.trim()),
            _ => dirty == value,
        });
        let (least, most) = self.plausible;
        dirty
            || match value {
                Value::Number(number) => {
                    least.is_some_and(|least| *number < least) || most.is_some_and(|most| *number > most)
                }
                Value::Time(at) => self.implausible_before.is_some_and(|first| *at < first),
                _ => false,
            }
    }
}

/// A declared event.
#[derive(Debug)]
pub struct Event {
    /// Name.
    pub name: EventName,
    /// Declared properties.
    pub properties: BTreeMap<String, ValueType>,
    /// Attributes it sets.
    pub sets: Vec<(AttributeIndex, Setting)>,
    /// Outcome it is for the relation as a whole, for example `complaint` or `complaint_resolved`.
    pub outcome: Option<OutcomeName>,
}

/// What an event sets an attribute to.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    /// This value.
    Literal(Value),
    /// The value of this property.
    Property(String),
    /// The moment of the event.
    Moment,
    /// Nothing: the value is removed.
    Clear,
}

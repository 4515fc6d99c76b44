//! A generated organisation and its customers, and how they look through a permitted view.

use decision::{
    Duration, Timestamp,
    rules::{Environment, Fact, Facts, Position, View},
    strategy::{Attribute, AttributeIndex, Basis, Context, ContextIndex, Purpose, PurposeIndex, Subject},
    value::{Value, ValueType},
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Purposes, attributes and context values, with the clock on UTC.
#[derive(Debug)]
pub struct Inventory {
    /// Purposes; the last one is protective.
    pub purposes: Vec<Purpose>,
    /// Attributes, by name.
    pub attributes: Vec<Attribute>,
    /// Context values, by name.
    pub contexts: Vec<Context>,
    time_zone: TimeZone,
}

/// A customer with one request, as the oracle reads it: by full names such as `customer.bill`.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Known attributes, with confidence.
    pub attributes: BTreeMap<String, (Value, f32)>,
    /// Known context values.
    pub contexts: BTreeMap<String, Value>,
    /// Purposes without a basis at the moment.
    pub withheld: BTreeSet<PurposeIndex>,
    /// Contacts.
    pub contacts: Vec<Contact>,
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// The moment of the decision, in seconds since 1970.
    pub now_s: i64,
}

/// One contact.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Path of the action.
    pub action: String,
    /// Channel.
    pub channel: String,
    /// When, in seconds since 1970.
    pub at_s: i64,
}

/// One outcome.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its name.
    pub outcome: String,
    /// Path of the action.
    pub action: String,
    /// When, in seconds since 1970.
    pub at_s: i64,
}

/// What an attribute is declared as.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Name without subject.
    pub name: String,
    /// Type.
    pub value_type: ValueType,
    /// Closed list; empty means any.
    pub values: Vec<String>,
    /// Belongs to the household.
    pub household: bool,
    /// Purposes it may serve.
    pub purposes: Vec<PurposeIndex>,
}

impl Declared {
    /// The name in rules.
    pub fn full_name(&self) -> String {
        let subject = if self.household { "household" } else { "customer" };
        format!("{subject}.{}", self.name)
    }
}

impl Inventory {
    /// An inventory of `purposes` purposes, the last one protective.
    pub fn new(purposes: u16, attributes: &[Declared], contexts: &[Declared]) -> Self {
        Self {
            purposes: (0..purposes).map(|index| purpose(index, index + 1 == purposes)).collect(),
            attributes: attributes.iter().map(attribute).collect(),
            contexts: contexts
                .iter()
                .map(|declared| Context {
                    name: declared.name.as_str().into(),
                    value_type: declared.value_type,
                    values: declared.values.clone(),
                    learn: true,
                })
                .collect(),
            time_zone: TimeZone::UTC,
        }
    }

    /// What a rule in this place may name.
    pub fn environment(&self, view: View, position: Position) -> Environment<'_> {
        Environment {
            purposes: &self.purposes,
            attributes: &self.attributes,
            contexts: &self.contexts,
            time_zone: &self.time_zone,
            view,
            position,
        }
    }

    /// The customer as seen for a purpose.
    pub fn shown<'a>(&'a self, customer: &'a Customer, purpose: PurposeIndex) -> Shown<'a> {
        Shown { inventory: self, customer, purpose }
    }
}

fn purpose(index: u16, protective: bool) -> Purpose {
    Purpose { protective, ..Purpose::new(&format!("purpose_{index}"), Basis::Consent) }
}

fn attribute(declared: &Declared) -> Attribute {
    Attribute {
        subject: if declared.household { Subject::Household } else { Subject::Customer },
        values: declared.values.clone(),
        ..Attribute::new(&declared.name, declared.value_type, declared.purposes.clone())
    }
}

/// A customer through the permitted view of one purpose.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    inventory: &'a Inventory,
    customer: &'a Customer,
    purpose: PurposeIndex,
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("generated moments can be represented")
}

impl Facts for Shown<'_> {
    fn attribute(&self, index: AttributeIndex) -> Option<Fact<'_>> {
        if self.customer.withheld.contains(&self.purpose) {
            return None;
        }
        let attribute = &self.inventory.attributes[usize::from(index)];
        let subject = if attribute.subject == Subject::Household { "household" } else { "customer" };
        let (value, confidence) = self.customer.attributes.get(&format!("{subject}.{}", attribute.name))?;
        Some(Fact { value, confidence: *confidence })
    }

    fn context(&self, index: ContextIndex) -> Option<&Value> {
        let name = &self.inventory.contexts[usize::from(index)].name;
        self.customer.contexts.get(&format!("context.{name}"))
    }

    fn history_is_readable(&self) -> bool {
        true
    }

    fn now(&self) -> Timestamp {
        moment(self.customer.now_s)
    }

    fn contacts(&self, scope: &str, within: Duration) -> Option<u32> {
        let since = self.now() - within;
        let counted = self.customer.contacts.iter().filter(|contact| {
            let in_scope = match scope.strip_prefix("channel:") {
                Some(channel) => contact.channel == channel,
                None => within_scope(&contact.action, scope),
            };
            in_scope && moment(contact.at_s) > since
        });
        u32::try_from(counted.count()).ok()
    }

    fn last_outcome(&self, outcome: &str, scope: &str) -> Option<Timestamp> {
        let matching = self
            .customer
            .outcomes
            .iter()
            .filter(|happened| happened.outcome == outcome && within_scope(&happened.action, scope));
        matching.map(|happened| moment(happened.at_s)).max()
    }
}

fn within_scope(action: &str, scope: &str) -> bool {
    scope.is_empty() || decision::id::ActionId::from(action).within(scope)
}

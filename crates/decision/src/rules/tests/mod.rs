//! A small inventory and customers to try rules on.

mod book;
mod cost;
mod door;
mod flips;
mod meaning;
mod mistakes;

use super::*;
use crate::{
    Duration,
    strategy::{Basis, Sensitivity, Subject},
    value::ValueType,
};
use std::collections::BTreeMap;

const OFFERS: PurposeIndex = 0;
const CARE: PurposeIndex = 1;
const PROTECTION: PurposeIndex = 2;

struct World {
    purposes: Vec<Purpose>,
    attributes: Vec<Attribute>,
    contexts: Vec<Context>,
    time_zone: TimeZone,
}

fn purpose(id: &str, basis: Basis, protective: bool) -> Purpose {
    Purpose { protective, ..Purpose::new(id, basis) }
}

fn attribute(name: &str, value_type: ValueType, purposes: &[PurposeIndex]) -> Attribute {
    Attribute { owner: "data".into(), ..Attribute::new(name, value_type, purposes.to_vec()) }
}

fn context(name: &str, value_type: ValueType, values: &[&str]) -> Context {
    Context {
        name: name.into(),
        value_type,
        values: values.iter().map(|value| value.to_string()).collect(),
        learn: true,
    }
}

impl World {
    fn new() -> Self {
        use ValueType::*;
        let mut attributes = vec![
            attribute("arrears", Number, &[CARE, PROTECTION]),
            attribute("bill", Number, &[OFFERS, CARE]),
            attribute("complaint_open", Bool, &[CARE, PROTECTION]),
            attribute("faith", Text, &[OFFERS, CARE, PROTECTION]),
            attribute("heating", Text, &[OFFERS]),
            attribute("moved_at", Time, &[OFFERS]),
            attribute("newsletter", Bool, &[OFFERS]),
            attribute("persons", Number, &[OFFERS]),
            attribute("town", Text, &[OFFERS]),
        ];
        attributes[3].sensitivity = Sensitivity::Special;
        attributes[4].values = vec!["gas".into(), "heat_pump".into()];
        attributes[7].subject = Subject::Household;
        Self {
            purposes: vec![
                purpose("offers", Basis::Consent, false),
                purpose("care", Basis::Contract, false),
                purpose("protection", Basis::LegalObligation, true),
            ],
            attributes,
            contexts: vec![context("page", Text, &["home", "prices"]), context("visits", Number, &[])],
            time_zone: TimeZone::get("Europe/Amsterdam").expect("the zone is bundled"),
        }
    }

    fn environment(&self, view: View, position: Position) -> Environment<'_> {
        Environment {
            purposes: &self.purposes,
            attributes: &self.attributes,
            contexts: &self.contexts,
            time_zone: &self.time_zone,
            view,
            position,
        }
    }

    fn attribute(&self, name: &str) -> AttributeIndex {
        let found = self.attributes.iter().position(|attribute| attribute.name.as_str() == name);
        found.expect("the attribute is declared") as AttributeIndex
    }

    /// A rule in a place where everything may be said.
    fn condition(&self, source: &str) -> Rule {
        let environment = self.environment(View::Purpose(OFFERS), Position::Restrict);
        Rule::condition(source, &environment).unwrap_or_else(|problems| panic!("`{source}`: {problems:?}"))
    }

    fn amount(&self, source: &str) -> Rule {
        let environment = self.environment(View::Purpose(OFFERS), Position::Value);
        Rule::amount(source, &environment).unwrap_or_else(|problems| panic!("`{source}`: {problems:?}"))
    }

    fn nobody(&self) -> Person<'_> {
        Person {
            world: self,
            attributes: BTreeMap::new(),
            contexts: BTreeMap::new(),
            contacts: Vec::new(),
            outcomes: Vec::new(),
            now: "2026-03-09T10:00:00Z".parse().expect("a moment"),
        }
    }
}

struct Person<'w> {
    world: &'w World,
    attributes: BTreeMap<AttributeIndex, (Value, f32)>,
    contexts: BTreeMap<ContextIndex, Value>,
    contacts: Vec<(String, Timestamp)>,
    outcomes: Vec<(String, String, Timestamp)>,
    now: Timestamp,
}

impl Person<'_> {
    fn with(mut self, name: &str, value: impl Into<Written>) -> Self {
        let index = self.world.attribute(name);
        self.attributes.insert(index, (value.into().0, 0.9));
        self
    }
    fn changed(mut self, flips: &[Flip]) -> Self {
        for flip in flips {
            match flip.reference {
                Reference::Attribute(index) => _ = self.attributes.insert(index, (flip.to.clone(), 0.9)),
                Reference::Context(index) => _ = self.contexts.insert(index, flip.to.clone()),
            }
        }
        self
    }
}

/// A value as tests write it.
struct Written(Value);

impl From<f64> for Written {
    fn from(number: f64) -> Self {
        Self(Value::Number(number))
    }
}
impl From<bool> for Written {
    fn from(truth: bool) -> Self {
        Self(Value::Bool(truth))
    }
}
impl From<&str> for Written {
    fn from(text: &str) -> Self {
        Self(text.parse().map_or_else(|_| Value::Text(text.into()), Value::Time))
    }
}

impl Facts for Person<'_> {
    fn attribute(&self, index: AttributeIndex) -> Option<Fact<'_>> {
        let (value, confidence) = self.attributes.get(&index)?;
        Some(Fact { value, confidence: *confidence })
    }
    fn context(&self, index: ContextIndex) -> Option<&Value> {
        self.contexts.get(&index)
    }
    fn history_is_readable(&self) -> bool {
        true
    }
    fn now(&self) -> Timestamp {
        self.now
    }
    fn contacts(&self, scope: &str, within: Duration) -> Option<u32> {
        let counted = |(of, at): &&(String, Timestamp)| of.starts_with(scope) && *at > self.now - within;
        Some(self.contacts.iter().filter(counted).count() as u32)
    }
    fn last_outcome(&self, outcome: &str, scope: &str) -> Option<Timestamp> {
        let matching = self.outcomes.iter().filter(|(name, of, _)| name == outcome && of.starts_with(scope));
        matching.map(|(_, _, at)| *at).max()
    }
}

//! How often did something happen before? Counts kept as rows pass, written as attributes once the moment
//! at which they changed is over: who is contacted twice at one moment is the same customer both times.

use super::mapping::Fact;
use decision::{Timestamp, profile::Source, value::Value};
use engine::{CUSTOMER_UPDATED, EventReport, Identifier};
use std::collections::{BTreeMap, BTreeSet};

/// The name under which contacts are counted.
pub const CONTACT: &str = "contact";

/// Counts of everybody.
pub struct Facts<'a> {
    facts: &'a [Fact],
    counts: BTreeMap<Identifier, BTreeMap<String, f64>>,
    answered: BTreeSet<(Identifier, String, String)>,
    changed: BTreeMap<Identifier, (String, Timestamp)>,
}

impl<'a> Facts<'a> {
    /// Nothing has been counted.
    pub fn new(facts: &'a [Fact]) -> Self {
        Self { facts, counts: BTreeMap::new(), answered: BTreeSet::new(), changed: BTreeMap::new() }
    }

    /// Counts a contact or event; `row` names the row.
    pub fn count(&mut self, who: &Identifier, what: &str, row: &str, at: Timestamp) {
        let of = |fact: &Fact| fact.count == what || fact.per.as_deref() == Some(what);
        if !self.facts.iter().any(of) {
            return;
        }
        let counts = self.counts.entry(who.clone()).or_default();
        *counts.entry(what.to_owned()).or_default() += 1.0;
        self.changed.insert(who.clone(), (row.to_owned(), at));
    }

    /// Counts an outcome, once per contact.
    pub fn count_outcome(&mut self, who: &Identifier, contact: &str, event: &str, row: &str, at: Timestamp) {
        let once = (who.clone(), contact.to_owned(), event.to_owned());
        if self.answered.insert(once) {
            self.count(who, event, row, at);
        }
    }

    /// What to write about everybody for whom something changed. The same rows give the same ids.
    pub fn changed(&mut self) -> Vec<EventReport> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .map(|(who, (row, at))| EventReport {
                id: format!("facts after {row}"),
                event: CUSTOMER_UPDATED.into(),
                properties: BTreeMap::new(),
                attributes: self.attributes(&who),
                identifiers: vec![who],
                at: Some(at),
                source: Some(Source::Derived),
                household: None,
            })
            .collect()
    }

    fn attributes(&self, who: &Identifier) -> BTreeMap<String, Value> {
        let counted = |what: &str| {
            let counts = self.counts.get(who);
            counts.and_then(|counts| counts.get(what)).copied().unwrap_or(0.0)
        };
        let value = |fact: &Fact| match &fact.per {
            None => counted(&fact.count),
            Some(per) => (counted(&fact.count) + fact.start * fact.weight) / (counted(per) + fact.weight),
        };
        self.facts
            .iter()
            .filter_map(|fact| Some((fact.attribute.clone(), Value::number(value(fact))?)))
            .collect()
    }
}

//! What happened? Events change what is known, reach goals and open or resolve complaints.
//!
//! Undeclared attributes and properties are dropped and counted by name. Where values disagree, what the
//! customer provided beats what was observed, derived or received, and newer beats older.

use crate::{
    Engine, EngineError, Identifier, Verdict,
    audit::{Kind, Note},
    codec,
    customer::{HISTORY_MS, Loaded},
    journal::Entry,
    reporting::remember,
    storage::{Batch, Read, Table, Ticket, Version, Write, key},
};
use decision::{
    Timestamp,
    profile::{AttributeValue, Attributes, Source},
    strategy::{Attribute, Event, Setting, Strategy, Subject, provided_event},
    value::Value,
};
use learning::Row;
use std::collections::BTreeMap;

/// The event that only sets attributes and needs no declaration.
pub const CUSTOMER_UPDATED: &str = "customer_updated";
/// How far ahead of us another clock may be before a moment is taken as "now", in milliseconds.
const CLOCK_SKEW_MS: i64 = 5 * 60_000;
/// What is left of the confidence in a value that another source contradicts.
pub const CONTRADICTED: f32 = 0.5;

/// One event as it came in. Values are still untyped; unknown ones are absent.
#[derive(Debug, Clone, PartialEq)]
pub struct EventReport {
    /// The sender's id of the event; the same id counts once per customer.
    pub id: String,
    /// A declared event, or [`CUSTOMER_UPDATED`].
    pub event: String,
    /// Whose event; at least one. Somebody not known yet becomes known.
    pub identifiers: Vec<Identifier>,
    /// When it happened; the moment of arrival when unknown.
    pub at: Option<Timestamp>,
    /// Properties of the event.
    pub properties: BTreeMap<String, Value>,
    /// Attributes stated with it.
    pub attributes: BTreeMap<String, Value>,
    /// Where those attributes come from; `None` means the source each attribute declares.
    pub source: Option<Source>,
    /// The household the customer belongs to from now on; an empty name is none, `None` says nothing about it.
    pub household: Option<String>,
}

impl Engine {
    /// Takes in one event that arrived at `at`. `input` is kept when it is rejected.
    pub fn ingest(
        &self,
        report: &EventReport,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        self.take_in(report, input, at, (true, None))
    }

    /// Takes in one event from somebody who may send whatever they like, such as a browser: it becomes known like
    /// any other, but no model learns from it.
    pub fn ingest_untrusted(
        &self,
        report: &EventReport,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        self.take_in(report, input, at, (false, None))
    }

    /// Takes in what customers correct about themselves; that they did is noted in the audit.
    pub fn correct(&self, report: &EventReport, at: Timestamp) -> Result<(Verdict, Ticket), EngineError> {
        self.take_in(report, "a correction", at, (true, Some("rectification")))
    }

    fn take_in(
        &self,
        report: &EventReport,
        input: &str,
        at: Timestamp,
        (learn, right): (bool, Option<&str>),
    ) -> Result<(Verdict, Ticket), EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let reject = |code, message: String| {
            let owner = self.find(&report.identifiers)?;
            self.keep_reject_of(owner, code, message, input.to_owned(), at)
        };
        if self.is_erased(&report.identifiers, report.at.unwrap_or(at)) {
            return self.refuse_erased(at);
        }
        let declared = strategy.event(&report.event);
        if declared.is_none() && report.event != CUSTOMER_UPDATED {
            return reject(
                "unknown_event",
                format!("event `{}` is not declared in the inventory", report.event),
            );
        }
        if report.identifiers.is_empty() {
            return reject("no_identifier", "an event needs at least one identifier".into());
        }
        let happened = report.at.unwrap_or(at);
        if happened.as_millisecond() > at.as_millisecond() + CLOCK_SKEW_MS {
            return reject("in_the_future", "the event lies in the future".into());
        }
        let happened = happened.min(at);
        if happened.as_millisecond() + HISTORY_MS <= at.as_millisecond() {
            return reject("too_old", "the event is older than anything is kept".into());
        }
        let _minting = self.lock_identifiers(&report.identifiers);
        let known = self.recognise(strategy, &report.identifiers, at)?;
        let (_guard, person) = self.hold(known.id)?;
        let seen = Read::new(Table::Event, key::customer_row(known.id, &event_key(&report.id)));
        if self.store.get(std::slice::from_ref(&seen))?.remove(0).value().is_some() {
            return Ok((Verdict::Duplicate, self.store.commit(Batch::default())?));
        }
        let once =
            Write::put(Table::Event, seen.key, []).owned_by(known.id).until(at.as_millisecond() + HISTORY_MS);
        let mut batch = Batch { writes: known.writes, ..Batch::default() };
        batch.writes.push(once);
        let mut loaded = self.load(person)?;
        let before = (loaded.customer.profile.clone(), loaded.household_id.clone(), loaded.cleared.clone());
        let household = Self::household_after(strategy, report, loaded.household_id.as_ref());
        let _together = self.hold_households([loaded.household_id.as_ref(), household.as_ref()]);
        self.move_to(household, &mut loaded, &mut batch)?;
        let household_before = loaded.household.clone();
        let settings = self.settings(strategy, declared, report, happened);
        let provided = self.apply(strategy, settings, report.source, &mut loaded, happened);
        self.purchased(strategy, report, &mut loaded, happened);
        self.happened(strategy, declared, &provided, &mut loaded, &mut batch, happened);
        if !learn {
            batch.journal.clear();
        }
        let moved = loaded.household_id != before.1;
        if loaded.profile_version == Version::ABSENT
            || moved
            || (&loaded.customer.profile, &loaded.cleared) != (&before.0, &before.2)
        {
            loaded.write_profile(&mut batch);
        }
        if let (Some(id), Some(household)) = (&loaded.household_id, &loaded.household)
            && (moved || loaded.household != household_before)
        {
            let before = household_before.unwrap_or_default();
            self.tells((id, known.id), (&before, household), &mut batch)?;
            batch.writes.push(Write::put(Table::Household, self.household_key(id), codec::encode(household)));
        }
        let ticket = match right {
            Some(right) => self.commit_noted(batch, Note::new(Kind::Right, right).of(known.id), at)?,
            None => self.store.commit(batch)?,
        };
        Ok((Verdict::Accepted, ticket))
    }

    /// What the event sets and what came with it, by attribute name; `None` clears.
    fn settings(
        &self,
        strategy: &Strategy,
        declared: Option<&Event>,
        report: &EventReport,
        at: Timestamp,
    ) -> BTreeMap<String, Option<Value>> {
        let no_properties = BTreeMap::new();
        let declared_properties = declared.map_or(&no_properties, |event| &event.properties);
        for name in report.properties.keys().filter(|name| !declared_properties.contains_key(*name)) {
            self.count_dropped(&format!("{}.{name}", report.event));
        }
        let mut settings: BTreeMap<String, Option<Value>> =
            report.attributes.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        for (index, setting) in declared.map_or(&[][..], |event| &event.sets) {
            let value = match setting {
                Setting::Literal(value) => Some(value.clone()),
                Setting::Moment => Some(Value::Time(at)),
                Setting::Clear => None,
                Setting::Property(name) => match report.properties.get(name) {
                    Some(value) => Some(value.clone()),
                    None => continue,
                },
            };
            settings.insert(strategy.attributes[usize::from(*index)].name.as_str().to_owned(), value);
        }
        settings
    }

    /// Writes values where they beat what is known; returns which attributes the customer provided.
    fn apply(
        &self,
        strategy: &Strategy,
        settings: BTreeMap<String, Option<Value>>,
        source: Option<Source>,
        loaded: &mut Loaded,
        at: Timestamp,
    ) -> Vec<String> {
        let mut provided = Vec::new();
        for (name, value) in settings {
            let Some(index) = strategy.attribute_index(&name) else {
                self.count_dropped(&name);
                continue;
            };
            let attribute = &strategy.attributes[usize::from(index)];
            let values = match (attribute.subject, &mut loaded.household) {
                (Subject::Customer, _) => &mut loaded.customer.profile.attributes,
                (Subject::Household, Some(household)) => household,
                (Subject::Household, None) => {
                    self.count_dropped(&name);
                    continue;
                }
            };
            let source = source.unwrap_or(attribute.source);
            match value {
                None => {
                    values.remove(name.as_str());
                    if attribute.subject == Subject::Customer && loaded.person.parts.len() > 1 {
                        loaded.cleared.insert(attribute.name.clone(), at.as_millisecond());
                    }
                }
                Some(value) if attribute.means_unknown(&value) => {}
                Some(value) => match typed(attribute, value) {
                    Some(value) if attribute.means_unknown(&value) => {}
                    Some(value) => {
                        set(values, attribute, value, source, at);
                        if source == Source::Provided {
                            provided.push(name);
                        }
                    }
                    None => self.count_dropped(&name),
                },
            }
        }
        provided
    }

    /// Reaches goals, notes what the event means for the relation, and tells learning.
    fn happened(
        &self,
        strategy: &Strategy,
        declared: Option<&Event>,
        provided: &[String],
        loaded: &mut Loaded,
        batch: &mut Batch,
        at: Timestamp,
    ) {
        let events = declared.map(|event| event.name.clone());
        let events = events.into_iter().chain(provided.iter().map(|name| provided_event(name)));
        let mut noted = false;
        for event in events {
            let outcomes = &mut loaded.customer.history.outcomes;
            if strategy.actions.iter().any(|action| strategy.goal_event(action) == event) {
                remember(outcomes, "goal", Some(event.as_str()), None, at);
                noted = true;
            }
            for part in loaded.person.ids() {
                let row = Row::Outcome {
                    at_ms: at.as_millisecond(),
                    subject: part.0,
                    event: event.shared(),
                    exposure: None,
                };
                batch.journal.push(Entry::Learn(row).row(Some(loaded.customer.id), at.as_millisecond()));
            }
        }
        if let Some(outcome) = declared.and_then(|event| event.outcome.as_ref()) {
            remember(&mut loaded.customer.history.outcomes, outcome.as_str(), None, None, at);
            noted = true;
        }
        if noted {
            loaded.write_contacts(batch, at);
        }
    }
}

fn event_key(id: &str) -> [u8; 16] {
    blake3::hash(id.as_bytes()).as_bytes()[..16].try_into().expect("16 of 32 bytes")
}

/// The value in the attribute's type; text that reads as a moment is one. `None` when it does not fit.
pub fn typed(attribute: &Attribute, value: Value) -> Option<Value> {
    use decision::value::ValueType;
    match (attribute.value_type, value) {
        (ValueType::Time, Value::Text(text)) => text.parse().ok().map(Value::Time),
        (ValueType::Text, Value::Text(text)) => {
            let listed = attribute.values.is_empty() || attribute.values.iter().any(|known| **known == *text);
            listed.then_some(Value::Text(text))
        }
        (wanted, value) => (value.value_type() == wanted).then_some(value),
    }
}

/// Sets a value unless it is beaten by what is known. What a weaker source later says differently, and what the
/// same source says differently about the same moment, is a contradiction: what stands is then trusted at most
/// half as much as declared, until it is said again.
pub(crate) fn set(
    values: &mut Attributes,
    attribute: &Attribute,
    value: Value,
    source: Source,
    at: Timestamp,
) {
    let contradicted = attribute.confidence * CONTRADICTED;
    let known = values.get_mut(&attribute.name).filter(|known| known.expires_at > at);
    let mut confidence = attribute.confidence;
    if let Some(known) = known {
        let differs = known.value != value;
        let beaten = known.source < source || (known.source == source && known.observed_at > at);
        if beaten && known.observed_at <= at {
            known.confidence = match differs {
                true => known.confidence.min(contradicted),
                false => known.confidence.max(attribute.confidence),
            };
        }
        if beaten {
            return;
        }
        if differs && known.source == source && known.observed_at == at {
            confidence = contradicted;
        }
    }
    let expires_at = at.saturating_add(attribute.retention).unwrap_or(Timestamp::MAX);
    let stored = AttributeValue { value, source, confidence, observed_at: at, expires_at };
    values.insert(attribute.name.clone(), stored);
}

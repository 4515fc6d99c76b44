//! What does one row say happened? Its fields become an event, a contact that was made, an outcome, or
//! a reason why it cannot be used.
//!
//! Reasons name the column and never the value: values are personal.

use super::{
    exclusion,
    mapping::{Chosen, Source, When},
    table::{Fields, translate},
};
use decision::{
    Timestamp,
    id::{ActionId, ContextName, EventName},
    profile::About,
    request::{PlacementRequest, Request},
    strategy::{Strategy, Subject},
    value::{Value, ValueType},
};
use engine::{
    CUSTOMER_UPDATED, ConsentReport, EventReport, Identifier, PastContact, PastOutcome, PastSilence, typed,
};
use jiff::civil::{Date, DateTime, Time};
use std::collections::{BTreeMap, BTreeSet};

/// The event of rows that only state attributes.
const STATED: &str = CUSTOMER_UPDATED;

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// An event, or attributes alone.
    Event(EventReport),
    /// What the customer allowed or refused.
    Consent(ConsentReport),
    /// A contact that was really made.
    Contact(PastContact),
    /// A silence that was kept on purpose.
    Silence(PastSilence),
    /// What came of a contact.
    Outcome(PastOutcome),
}

/// A row that was read, with what was found unknown in it.
#[derive(Debug, Default)]
pub struct Said {
    /// When, by whom it was said.
    pub happened: Vec<(Timestamp, Happened)>,
    /// Attributes that are set.
    pub set: Vec<String>,
    /// Attributes whose word means "unknown", with the word as the rule writes it.
    pub unknown: Vec<(String, String)>,
}

/// Reads rows of one source.
pub struct Reader<'a> {
    source: &'a Source,
    strategy: &'a Strategy,
    table: Option<&'a BTreeMap<String, Fields>>,
}

impl<'a> Reader<'a> {
    /// `tables` holds every table of the mapping.
    pub fn new(
        source: &'a Source,
        strategy: &'a Strategy,
        tables: &'a BTreeMap<String, BTreeMap<String, Fields>>,
    ) -> Self {
        let table = source.lookup.as_ref().and_then(|lookup| tables.get(&lookup.table));
        Self { source, strategy, table }
    }

    /// What a row says; `None` when the mapping leaves it out. `id` names the row.
    pub fn read(&self, mut fields: Fields, id: &str) -> Result<Option<Said>, String> {
        if let Some(lookup) = &self.source.lookup {
            let found =
                self.table.and_then(|table| table.get(fields.get(&lookup.column).map_or("", String::as_str)));
            let row = found
                .ok_or_else(|| format!("`{}` is not found in table `{}`", lookup.column, lookup.table))?;
            for (column, field) in row {
                fields.entry(column.clone()).or_insert_with(|| field.clone());
            }
        }
        for (column, words) in &self.source.only {
            if !words.contains(field(&fields, column)?) {
                return Ok(None);
            }
        }
        translate(&mut fields, &self.source.values);
        exclusion::multiply(&mut fields, &self.source.products)?;
        let at = moment(&self.source.at, &fields, self.strategy)?;
        let identifiers = self.identifiers(&fields)?;
        let mut said = Said::default();
        self.event(&fields, id, at, &identifiers, &mut said)?;
        self.consents(&fields, at, &identifiers, &mut said)?;
        self.contact(&fields, at, &identifiers, &mut said)?;
        if let Some(outcome) = &self.source.outcome {
            let outcome = PastOutcome {
                contact: field(&fields, &outcome.contact)?.clone(),
                identifiers,
                outcome: EventName::from(outcome.event.as_str()),
                at,
            };
            said.happened.push((at, Happened::Outcome(outcome)));
        }
        Ok(Some(said))
    }

    fn identifiers(&self, fields: &Fields) -> Result<Vec<Identifier>, String> {
        let mut identifiers = Vec::new();
        for (kind, column) in &self.source.identifiers {
            let value = field(fields, column)?.trim();
            if !value.is_empty() {
                identifiers.push(Identifier::new(kind, value));
            }
        }
        match identifiers.is_empty() {
            true => Err("the row does not say whose it is".into()),
            false => Ok(identifiers),
        }
    }

    fn event(
        &self,
        fields: &Fields,
        id: &str,
        at: Timestamp,
        identifiers: &[Identifier],
        said: &mut Said,
    ) -> Result<(), String> {
        if self.source.event.is_none() && self.source.attributes.is_empty() {
            return Ok(());
        }
        let mut attributes = BTreeMap::new();
        for (name, column) in &self.source.attributes {
            let field = field(fields, column)?;
            match self.attribute(name, column, field)? {
                Ok(value) => {
                    said.set.push(name.clone());
                    attributes.insert(name.clone(), value);
                }
                Err(rule) => said.unknown.push((name.clone(), rule)),
            }
        }
        let properties = self.properties(fields)?;
        let event = self.source.event.as_deref().unwrap_or(STATED);
        let household =
            self.source.household.as_ref().map(|column| field(fields, column).cloned()).transpose()?;
        let report = EventReport {
            id: id.to_owned(),
            event: event.to_owned(),
            identifiers: identifiers.to_vec(),
            at: Some(at),
            properties,
            attributes,
            source: None,
            household: household.filter(|household| !household.is_empty()),
        };
        said.happened.push((at, Happened::Event(report)));
        Ok(())
    }

    fn consents(
        &self,
        fields: &Fields,
        at: Timestamp,
        identifiers: &[Identifier],
        said: &mut Said,
    ) -> Result<(), String> {
        for consent in &self.source.consents {
            let word = field(fields, &consent.column)?;
            if word.trim().is_empty() {
                continue;
            }
            let status = consent.status(word).ok_or_else(|| {
                format!("column `{}` holds a word that the mapping does not list", consent.column)
            })?;
            let when = consent.at.as_ref().map(|when| moment(when, fields, self.strategy)).transpose()?;
            let at = when.unwrap_or(at);
            let report = ConsentReport {
                channel: consent.channel.as_deref().map(Into::into),
                at: Some(at),
                ..ConsentReport::new(
                    identifiers.to_vec(),
                    About::Purpose(consent.purpose.as_str().into()),
                    status,
                )
            };
            said.happened.push((at, Happened::Consent(report)));
        }
        Ok(())
    }

    /// The typed value, or the rule by which it is unknown.
    fn attribute(&self, name: &str, column: &str, field: &str) -> Result<Result<Value, String>, String> {
        if let Some(rule) = self.means_nothing(column, field) {
            return Ok(Err(rule));
        }
        let index = self
            .strategy
            .attribute_index(name)
            .ok_or_else(|| format!("attribute `{name}` is not declared"))?;
        let attribute = &self.strategy.attributes[usize::from(index)];
        if attribute.subject == Subject::Household && self.source.household.is_none() {
            return Err(format!("`{name}` belongs to a household, and the source names none"));
        }
        let text = Value::Text(field.into());
        if attribute.means_unknown(&text) {
            return Ok(Err(format!("the inventory: \"{field}\"")));
        }
        let value = self.value(column, field, attribute.value_type)?;
        if attribute.means_unknown(&value) {
            return Ok(Err(format!("the inventory: {field}")));
        }
        typed(attribute, value)
            .map(Ok)
            .ok_or_else(|| format!("column `{column}` holds a word that `{name}` does not list"))
    }

    fn properties(&self, fields: &Fields) -> Result<BTreeMap<String, Value>, String> {
        let declared = self.source.event.as_deref().and_then(|event| self.strategy.event(event));
        let mut properties = BTreeMap::new();
        for (name, column) in &self.source.properties {
            let field = field(fields, column)?;
            let wanted = declared.and_then(|event| event.properties.get(name));
            if let Some(wanted) = wanted.filter(|_| self.means_nothing(column, field).is_none()) {
                properties.insert(name.clone(), self.value(column, field, *wanted)?);
            }
        }
        Ok(properties)
    }

    fn means_nothing(&self, column: &str, field: &str) -> Option<String> {
        if field.trim().is_empty() {
            return Some("empty".into());
        }
        let words = self.source.unknown.get(column)?;
        words
            .iter()
            .find(|word| word.trim().eq_ignore_ascii_case(field.trim()))
            .map(|word| format!("the mapping: \"{word}\""))
    }

    fn value(&self, column: &str, field: &str, wanted: ValueType) -> Result<Value, String> {
        let field = field.trim();
        let read = match wanted {
            ValueType::Text => Some(Value::Text(field.into())),
            ValueType::Number if self.source.written.decimal_comma => {
                number(&field.replace('.', "").replace(',', "."))
            }
            ValueType::Number => number(field),
            ValueType::Bool => truth(field).map(Value::Bool),
            ValueType::Time => self.time(field).map(Value::Time),
        };
        read.ok_or_else(|| format!("column `{column}` does not hold a {}", wanted.as_str()))
    }

    fn time(&self, field: &str) -> Option<Timestamp> {
        let midnight = || {
            let date = Date::strptime("%Y-%m-%d", field).ok()?;
            zoned(date.at(0, 0, 0, 0), self.strategy)
        };
        field.parse().ok().or_else(midnight)
    }

    fn contact(
        &self,
        fields: &Fields,
        at: Timestamp,
        identifiers: &[Identifier],
        said: &mut Said,
    ) -> Result<(), String> {
        let Some(columns) = &self.source.contact else {
            return Ok(());
        };
        let actions = columns.action.iter().chain(&columns.withheld);
        let actions: Vec<ActionId> =
            actions.map(|action| self.action(action, fields)).collect::<Result<_, String>>()?;
        let id = field(fields, &columns.id)?.clone();
        let identifiers = identifiers.to_vec();
        let request = Request {
            channel: columns.channel.as_str().into(),
            direction: columns.direction,
            placements: vec![PlacementRequest { placement: columns.placement.as_str().into(), slots: 1 }],
            context: context(&columns.context, fields, self.strategy)?,
            language: None,
            global_privacy_control: false,
            dry_run: false,
        };
        let probability =
            columns.probability.as_ref().map(|chosen| probability(chosen, fields)).transpose()?;
        let happened = match (&columns.action, &actions[..]) {
            (Some(_), [action, ..]) => {
                let action = action.clone();
                Happened::Contact(PastContact { id, identifiers, action, request, at, probability })
            }
            _ => {
                let withheld = actions;
                Happened::Silence(PastSilence { id, identifiers, withheld, request, at, probability })
            }
        };
        said.happened.push((at, happened));
        Ok(())
    }

    fn action(&self, pattern: &str, fields: &Fields) -> Result<ActionId, String> {
        let action = filled(pattern, fields)?;
        match self.strategy.action_index(&action) {
            Some(_) => Ok(action.as_str().into()),
            None => Err("the row names an action that the strategy does not have".into()),
        }
    }
}

fn probability(chosen: &Chosen, fields: &Fields) -> Result<f32, String> {
    let value = match &chosen.column {
        Some(column) => field(fields, column)?.trim().parse().ok(),
        None => chosen.value,
    };
    value
        .filter(|value| *value > 0.0 && *value <= 1.0)
        .ok_or_else(|| "the row's probability is not above 0 and at most 1".into())
}

/// Declared context values of a row.
pub fn context(
    columns: &BTreeMap<String, String>,
    fields: &Fields,
    strategy: &Strategy,
) -> Result<BTreeMap<ContextName, Value>, String> {
    let mut context = BTreeMap::new();
    for (name, column) in columns {
        let field = field(fields, column)?;
        let index =
            strategy.context_index(name).ok_or_else(|| format!("context value `{name}` is not declared"))?;
        let declared = &strategy.contexts[usize::from(index)];
        let value = match declared.value_type {
            ValueType::Text => Some(Value::Text(field.as_str().into())),
            ValueType::Number => number(field),
            ValueType::Bool => truth(field).map(Value::Bool),
            ValueType::Time => field.parse().ok().map(Value::Time),
        };
        let listed = declared.values.is_empty() || declared.values.contains(field);
        let value = value
            .filter(|_| listed)
            .ok_or_else(|| format!("column `{column}` does not hold a value of context `{name}`"))?;
        context.insert(ContextName::from(name.as_str()), value);
    }
    Ok(context)
}

/// The moment of a row.
pub fn moment(when: &When, fields: &Fields, strategy: &Strategy) -> Result<Timestamp, String> {
    let (text, name) = match (&when.column, &when.date) {
        (Some(column), _) => (field(fields, column)?.as_str(), column.as_str()),
        (None, Some(date)) => (date.as_str(), "date"),
        (None, None) => return Err("the mapping does not say when".into()),
    };
    let wrong = || format!("`{name}` is not a moment written as `{}`", when.format);
    let civil = match &when.time {
        Some(time) => {
            let time = Time::strptime("%H:%M", time)
                .map_err(|_| format!("`time = \"{time}\"` is not a time of day such as `09:00`"))?;
            Date::strptime(&when.format, text).map_err(|_| wrong())?.to_datetime(time)
        }
        None => DateTime::strptime(&when.format, text)
            .or_else(|_| Date::strptime(&when.format, text).map(DateTime::from))
            .map_err(|_| wrong())?,
    };
    zoned(civil, strategy).ok_or_else(wrong)
}

fn zoned(civil: DateTime, strategy: &Strategy) -> Option<Timestamp> {
    let zoned = civil.to_zoned(strategy.organisation.time_zone.clone());
    zoned.ok().map(|zoned| zoned.timestamp())
}

fn field<'f>(fields: &'f Fields, column: &str) -> Result<&'f String, String> {
    fields.get(column).ok_or_else(|| format!("there is no column `{column}`"))
}

/// The columns between braces, filled in.
fn filled(pattern: &str, fields: &Fields) -> Result<String, String> {
    let names: BTreeSet<&str> =
        pattern.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
    let mut text = pattern.to_owned();
    for name in names {
        text = text.replace(&format!("{{{name}}}"), field(fields, name)?);
    }
    Ok(text)
}

fn number(text: &str) -> Option<Value> {
    text.trim().parse().ok().and_then(Value::number)
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

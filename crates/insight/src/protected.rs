//! Which groups are customers in, by what is kept for audits only? And what do decisions know of them besides?
//!
//! Reads through the consent mask, for the audit-only purposes here and for all others there; values leave this
//! module only as counts over groups. Groups are values of a yes-or-no or text attribute, and halves of a number.

use crate::fairness::GROUP_CUSTOMERS_MIN;
use decision::{
    Timestamp,
    consent::{Known, Permitted, mask},
    id::CustomerId,
    profile::Customer,
    request::{Direction, Request},
    strategy::{AttributeIndex, PurposeIndex, Strategy},
    value::Value,
};
use engine::{Engine, EngineError};
use std::collections::{BTreeMap, BTreeSet};

/// Customers that are read at a time.
const PAGE: usize = 1_000;
/// Parts that numbers are cut into, each with about as many customers.
const PARTS: usize = 8;
/// Words that are told apart, the most frequent ones; the rest is one.
const WORDS_MAX: usize = 20;

/// A table of customers by attribute: for each customer, in which part they are.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Who.
    pub customers: Vec<CustomerId>,
    /// Protected attributes, by name.
    pub protected: BTreeMap<String, Column>,
    /// What models, rules or texts can read, by name.
    pub readable: BTreeMap<String, Column>,
}

/// One attribute of all customers, in parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Column {
    /// What each part is called.
    pub parts: Vec<String>,
    /// The part of each customer; `None` where nothing may be read.
    pub of: Vec<Option<usize>>,
}

/// Whether an attribute is kept for audits only.
pub fn is_protected(strategy: &Strategy, attribute: AttributeIndex) -> bool {
    let purposes = &strategy.attributes[usize::from(attribute)].purposes;
    purposes.iter().any(|purpose| strategy.purposes[usize::from(*purpose)].audit_only)
}

/// Reads everybody, as the given strategy permits at `at`.
///
/// # Errors
/// The store cannot be read.
pub fn read(engine: &Engine, strategy: &Strategy, at: Timestamp) -> Result<Table, EngineError> {
    let declared = || (0_u16..).zip(&strategy.attributes);
    let protected: Vec<AttributeIndex> =
        declared().map(|(index, _)| index).filter(|index| is_protected(strategy, *index)).collect();
    let readable = crate::reading::read_by_decisions(strategy);
    let readers = Readers::new(strategy, at);
    let mut values: BTreeMap<AttributeIndex, Vec<Option<Value>>> = BTreeMap::new();
    let mut table = Table::default();
    let mut after = None;
    loop {
        let page = engine.customers_after(after, PAGE)?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id);
        for customer in &page {
            table.customers.push(customer.id);
            let views = readers.views(customer);
            for index in protected.iter().chain(&readable) {
                let purposes = &strategy.attributes[usize::from(*index)].purposes;
                values.entry(*index).or_default().push(seen(&views, purposes, *index));
            }
        }
    }
    let column = |index: &AttributeIndex| {
        let name = strategy.attributes[usize::from(*index)].name.to_string();
        let values = values.get(index).map_or(&[][..], Vec::as_slice);
        let parts = if protected.contains(index) { 2 } else { PARTS };
        (name, Column::of(values, parts))
    };
    table.protected = protected.iter().map(column).collect();
    table.readable = readable.iter().map(column).collect();
    Ok(table)
}

/// What some purpose of an attribute may see on some channel.
fn seen(views: &[Permitted<'_>], purposes: &[PurposeIndex], index: AttributeIndex) -> Option<Value> {
    let views = views
        .iter()
        .flat_map(|permitted| purposes.iter().filter_map(|purpose| permitted.view(*purpose).ok()));
    views.filter_map(|view| view.fact(index)).map(|fact| fact.value.clone()).next()
}

/// Asks on every channel.
struct Readers<'s> {
    strategy: &'s Strategy,
    at: Timestamp,
    requests: Vec<Request>,
}

impl<'s> Readers<'s> {
    fn new(strategy: &'s Strategy, at: Timestamp) -> Self {
        let request = |channel: &decision::strategy::Channel| Request {
            channel: channel.id.clone(),
            direction: Direction::Outbound,
            placements: Vec::new(),
            context: BTreeMap::new(),
            language: None,
            global_privacy_control: false,
            dry_run: true,
        };
        Self { strategy, at, requests: strategy.channels.iter().map(request).collect() }
    }

    fn views<'c>(&self, customer: &'c Customer) -> Vec<Permitted<'c>> {
        let known = Known { customer: Some(customer), household: None };
        let in_play = vec![true; self.strategy.purposes.len()];
        let view = |request| mask(self.strategy, known, request, &in_play, self.at);
        self.requests.iter().map(view).collect()
    }
}

impl Column {
    /// Cuts values into parts: words and flags as they are, numbers and moments into `parts` with about as many each.
    pub fn of(values: &[Option<Value>], parts: usize) -> Self {
        let mut numbers: Vec<f64> = values.iter().flatten().filter_map(number).collect();
        numbers.sort_by(f64::total_cmp);
        let mut cuts: Vec<f64> =
            (1..parts).filter_map(|part| numbers.get(part * numbers.len() / parts)).copied().collect();
        cuts.dedup();
        let words = words(values);
        let part = |value: &Value| match number(value) {
            Some(number) => cuts.partition_point(|cut| *cut <= number),
            None => {
                let word = value.to_string();
                words.iter().position(|known| *known == word).unwrap_or(words.len())
            }
        };
        let of: Vec<Option<usize>> = values.iter().map(|value| value.as_ref().map(part)).collect();
        let parts = match numbers.is_empty() {
            true => words.into_iter().chain([String::from("other")]).collect(),
            false => named(&cuts),
        };
        Self { parts, of }
    }

    /// How many customers are in each part.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.parts.len()];
        self.of.iter().flatten().for_each(|part| sizes[*part] += 1);
        sizes
    }

    /// Parts with enough customers to tell about.
    pub fn tellable(&self) -> BTreeSet<usize> {
        let sizes = self.sizes().into_iter().enumerate();
        sizes.filter(|(_, size)| *size >= GROUP_CUSTOMERS_MIN).map(|(part, _)| part).collect()
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Time(moment) => Some(moment.as_millisecond() as f64),
        Value::Bool(_) | Value::Text(_) => None,
    }
}

/// The most frequent words, by name.
fn words(values: &[Option<Value>]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in values.iter().flatten().filter(|value| number(value).is_none()) {
        *counts.entry(value.to_string()).or_default() += 1;
    }
    let mut frequent: Vec<(String, usize)> = counts.into_iter().collect();
    frequent.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    frequent.truncate(WORDS_MAX);
    let mut words: Vec<String> = frequent.into_iter().map(|(word, _)| word).collect();
    words.sort();
    words
}

fn named(cuts: &[f64]) -> Vec<String> {
    let below = cuts.first().map(|first| format!("below {first}"));
    let from = cuts.iter().map(|cut| format!("from {cut}"));
    let names: Vec<String> = below.into_iter().chain(from).collect();
    if names.is_empty() { vec![String::from("all")] } else { names }
}

//! What is everybody worth, and what goes with what they bought? Reads all customers of an engine, fits the models
//! to those who permit it, and writes what follows for each as attributes.
//!
//! Only values that a purpose of the attribute may see on some channel at this moment are read, for the models as
//! for the customer's own expectation; who permits nothing gets nothing, and loses what was there. Memory is bounded:
//! the models of purchases are fitted to at most [`FITTED_MAX`] customers, the first in the order of their random keys.

use crate::{
    lifetime::{Fit, History, NotFitted, Purchasing, Spending, Spent},
    similar::{Chosen, Similar, Together},
};
use decision::{
    Timestamp,
    consent::{Known, Permitted, Withheld, mask},
    id::CustomerId,
    profile::Customer,
    request::{Direction, Request},
    rules::Fact,
    strategy::{AttributeIndex, Expected, Items, Purchases, Strategy},
    value::Value,
};
use engine::{Engine, EngineError, WorkedOut, storage::StoreError};
use std::{collections::BTreeMap, thread, time::Duration};

/// Most customers that the models of purchases are fitted to.
pub const FITTED_MAX: usize = 200_000;
/// Customers that are read at a time.
const PAGE: usize = 1_000;
/// How long to wait for a store that takes no more.
const BUSY_WAIT: Duration = Duration::from_millis(10);
const DAY_S: f64 = 86_400.0;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Worth {
    /// Customers that were looked at.
    pub customers: u64,
    /// How often they buy; `None` when nothing of the kind is declared.
    pub purchasing: Option<Result<Fit<Purchasing>, NotFitted>>,
    /// For how much.
    pub spending: Option<Result<Fit<Spending>, NotFitted>>,
    /// Time for which value is expected, in days.
    pub within_days: f64,
    /// Customers with an expectation.
    pub valued: u64,
    /// Of these, how many are expected to be customers still.
    pub alive: f64,
    /// What all of them are expected to buy for.
    pub value: f64,
    /// Why the others have none; with `valued` these add up to `customers`.
    pub not_valued: BTreeMap<&'static str, u64>,
    /// Items that are compared.
    pub items: usize,
    /// Customers with a suggestion.
    pub suggested: u64,
    /// Why the others have none; with `suggested` these add up to `customers`.
    pub not_suggested: BTreeMap<&'static str, u64>,
}

/// Why nothing was worked out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The strategy does not say what a purchase is.
    #[error("the strategy declares no `[purchases]`; say in its inventory what a purchase is")]
    NotDeclared,
    /// The store failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Works out what everybody is worth at `at`, and what goes with what they bought; writes it when `keep` is set.
///
/// # Errors
/// The strategy declares no purchases, or the store failed.
pub fn run(engine: &Engine, at: Timestamp, keep: bool) -> Result<Worth, Error> {
    let published = engine.published();
    let strategy = &published.strategy;
    let purchases = strategy.purchases.as_ref().ok_or(Error::NotDeclared)?;
    let reader = Reader::new(strategy, purchases, at);
    let (mut known, mut chosen) = (Vec::new(), Chosen::default());
    everybody(engine, |customer| {
        let views = reader.views(customer);
        if let Ok(bought) = reader.bought(&views)
            && known.len() < FITTED_MAX
        {
            known.push(bought);
        }
        if let Ok(items) = reader.items(&views) {
            chosen.count(Items::read(&items.0));
        }
        Ok(())
    })?;
    let mut together = Together::new(&chosen);
    if !chosen.most_chosen().is_empty() {
        everybody(engine, |customer| {
            if let Ok(items) = reader.items(&reader.views(customer)) {
                together.count(Items::read(&items.0));
            }
            Ok(())
        })?;
    }
    let models = Models::of(purchases, &known, together.similar());
    drop(known);
    let mut worth = models.reported(purchases);
    everybody(engine, |customer| {
        worth.customers += 1;
        match keep {
            false => drop(models.about(&reader, customer, &mut worth)),
            true => write(engine, customer.id, at, |fresh| models.about(&reader, fresh, &mut worth))?,
        }
        Ok(())
    })?;
    engine.flush()?;
    Ok(worth)
}

fn everybody(
    engine: &Engine,
    mut each: impl FnMut(&Customer) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut after = None;
    loop {
        let page = engine.customers_after(after, PAGE)?;
        page.iter().try_for_each(&mut each)?;
        match page.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(()),
        }
    }
}

/// Writes, as soon as the store takes more.
fn write(
    engine: &Engine,
    id: CustomerId,
    at: Timestamp,
    mut work_out: impl FnMut(&Customer) -> Vec<WorkedOut>,
) -> Result<(), EngineError> {
    let mut made = None;
    loop {
        match engine.write_worked_out(id, at, |fresh| made.get_or_insert_with(|| work_out(fresh)).clone()) {
            Err(EngineError::Store(StoreError::Busy)) => thread::sleep(BUSY_WAIT),
            written => return written.map(drop),
        }
    }
}

/// What one customer bought, with how sure that is.
#[derive(Debug, Clone, Copy)]
struct Bought {
    history: History,
    spent: Spent,
    confidence: f32,
}

/// Why a customer has no expectation or suggestion.
type Without = &'static str;

const NOTHING_BOUGHT: Without = "nothing_bought";
const NO_MODEL: Without = "no_model";
const NOTHING_SIMILAR: Without = "nothing_similar";
const NOT_DECLARED: Without = "not_declared";

/// Reads what is permitted, on every channel.
struct Reader<'a> {
    strategy: &'a Strategy,
    purchases: &'a Purchases,
    at: Timestamp,
    requests: Vec<Request>,
    in_play: Vec<bool>,
}

impl<'a> Reader<'a> {
    fn new(strategy: &'a Strategy, purchases: &'a Purchases, at: Timestamp) -> Self {
        let request = |channel: &decision::strategy::Channel| Request {
            channel: channel.id.clone(),
            direction: Direction::Outbound,
            placements: Vec::new(),
            context: BTreeMap::new(),
            language: None,
            global_privacy_control: false,
            dry_run: true,
        };
        let requests = strategy.channels.iter().map(request).collect();
        Self { strategy, purchases, at, requests, in_play: vec![true; strategy.purposes.len()] }
    }

    fn views<'c>(&self, customer: &'c Customer) -> Vec<Permitted<'c>> {
        let known = Known { customer: Some(customer), household: None };
        self.requests
            .iter()
            .map(|request| mask(self.strategy, known, request, &self.in_play, self.at))
            .collect()
    }

    fn bought(&self, views: &[Permitted<'_>]) -> Result<Bought, Without> {
        let expected = self.purchases.expected.as_ref().ok_or(NOT_DECLARED)?;
        let held = [expected.value, expected.purchases, expected.alive].into_iter().flatten().next();
        let facts = self.visible(views, held.ok_or(NOT_DECLARED)?, &self.purchases.kept())?;
        let (Value::Time(first), Value::Time(last)) = (facts[0].value, facts[1].value) else {
            return Err(NOTHING_BOUGHT);
        };
        let (Value::Number(days), Value::Number(total)) = (facts[2].value, facts[3].value) else {
            return Err(NOTHING_BOUGHT);
        };
        let (age, last) = (self.days(*first, self.at), self.days(*first, *last));
        // Who bought on one day only has no repeats, whatever was counted.
        let repeats = if last > 0.0 { (days - 1.0).max(1.0) as u32 } else { 0 };
        let confidence = facts.iter().fold(1.0, |least: f32, fact| least.min(fact.confidence));
        Ok(Bought {
            history: History { repeats, last, age: age.max(last) },
            spent: Spent { purchases: repeats + 1, average: total / f64::from(repeats + 1) },
            confidence,
        })
    }

    fn items(&self, views: &[Permitted<'_>]) -> Result<(String, f32), Without> {
        let items = self.purchases.items.as_ref().ok_or(NOT_DECLARED)?;
        let facts = self.visible(views, items.similar.ok_or(NOT_DECLARED)?, &[items.chosen])?;
        Ok((facts[0].value.to_string(), facts[0].confidence))
    }

    /// The sources as one purpose of what is worked out may see them all.
    fn visible<'c>(
        &self,
        views: &[Permitted<'c>],
        worked_out: AttributeIndex,
        sources: &[AttributeIndex],
    ) -> Result<Vec<Fact<'c>>, Without> {
        let purposes = &self.strategy.attributes[usize::from(worked_out)].purposes;
        let mut why = NOTHING_BOUGHT;
        for permitted in views {
            for purpose in purposes {
                match permitted.view(*purpose) {
                    Err(withheld) => why = word(withheld),
                    Ok(view) => {
                        let facts: Option<Vec<Fact<'c>>> =
                            sources.iter().map(|source| view.fact(*source)).collect();
                        if let Some(facts) = facts {
                            return Ok(facts);
                        }
                        let hidden = |found: &&decision::consent::WithheldAttribute| {
                            found.purpose == *purpose && sources.contains(&found.attribute)
                        };
                        let hidden = permitted.withheld.iter().find(hidden);
                        why = hidden.map_or(NOTHING_BOUGHT, |found| word(found.why));
                    }
                }
            }
        }
        Err(why)
    }

    /// Whole days from one moment to another, as the organisation counts them.
    fn days(&self, from: Timestamp, to: Timestamp) -> f64 {
        let zone = &self.strategy.organisation.time_zone;
        let date = |at: Timestamp| at.to_zoned(zone.clone()).date();
        f64::from((date(to) - date(from)).get_days())
    }
}

fn word(why: Withheld) -> Without {
    match why {
        Withheld::NoConsent => "no_consent",
        Withheld::Refused => "refused",
        Withheld::Withdrawn => "withdrawn",
        Withheld::ConsentExpired => "consent_expired",
        Withheld::Objected => "objected",
        Withheld::RetentionOver => "retention_over",
        Withheld::Unreliable => "unreliable",
        Withheld::SpecialCategory => "special_category",
        Withheld::Restricted => "restricted",
        Withheld::TopicObjected => "topic_objected",
        Withheld::AttributeObjected => "attribute_objected",
        Withheld::Minor => "minor",
    }
}

/// What was fitted, and what it says about one customer.
struct Models {
    purchasing: Option<Result<Fit<Purchasing>, NotFitted>>,
    spending: Option<Result<Fit<Spending>, NotFitted>>,
    similar: Similar,
}

impl Models {
    fn of(purchases: &Purchases, known: &[Bought], similar: Similar) -> Self {
        let declared = purchases.expected.as_ref();
        let histories: Vec<History> = known.iter().map(|bought| bought.history).collect();
        let spent: Vec<Spent> = known.iter().map(|bought| bought.spent).collect();
        Self {
            purchasing: declared.map(|_| Purchasing::fit(&histories)),
            spending: declared.map(|_| Spending::fit(&spent)),
            similar,
        }
    }

    fn reported(&self, purchases: &Purchases) -> Worth {
        let within = purchases.expected.as_ref().map(|expected| expected.within.as_secs_f64() / DAY_S);
        Worth {
            customers: 0,
            purchasing: self.purchasing,
            spending: self.spending,
            within_days: within.unwrap_or_default(),
            valued: 0,
            alive: 0.0,
            value: 0.0,
            not_valued: BTreeMap::new(),
            items: self.similar.items(),
            suggested: 0,
            not_suggested: BTreeMap::new(),
        }
    }

    fn about(&self, reader: &Reader<'_>, customer: &Customer, worth: &mut Worth) -> Vec<WorkedOut> {
        let views = reader.views(customer);
        let mut held: Vec<WorkedOut> = Vec::new();
        if let Some(expected) = &reader.purchases.expected {
            match reader.bought(&views).and_then(|bought| self.expect(expected, &bought, worth)) {
                Ok(values) => held.extend(values),
                Err(why) => {
                    *worth.not_valued.entry(why).or_default() += 1;
                    let all = [expected.alive, expected.purchases, expected.value];
                    held.extend(all.into_iter().flatten().map(|index| (index, None)));
                }
            }
        }
        if let Some(items) = &reader.purchases.items {
            match reader.items(&views).and_then(|kept| self.suggest(items, &kept)) {
                Ok(values) => {
                    worth.suggested += 1;
                    held.extend(values);
                }
                Err(why) => {
                    *worth.not_suggested.entry(why).or_default() += 1;
                    let all = [items.similar, items.because];
                    held.extend(all.into_iter().flatten().map(|index| (index, None)));
                }
            }
        }
        held
    }

    /// The confidence is that of the least sure source, and half of it after one purchase, two thirds after two.
    fn expect(
        &self,
        expected: &Expected,
        bought: &Bought,
        worth: &mut Worth,
    ) -> Result<Vec<WorkedOut>, Without> {
        let (Some(Ok(purchasing)), Some(Ok(spending))) = (&self.purchasing, &self.spending) else {
            return Err(NO_MODEL);
        };
        let alive = purchasing.model.alive(&bought.history);
        let within = expected.within.as_secs_f64() / DAY_S;
        let purchases = purchasing.model.expected(&bought.history, within);
        let average = spending.model.expected(&bought.spent).ok_or(NO_MODEL)?;
        let value = purchases * average;
        worth.valued += 1;
        worth.alive += alive;
        worth.value += value;
        let evidence = f64::from(bought.spent.purchases);
        let confidence = bought.confidence * (evidence / (evidence + 1.0)) as f32;
        let held = [
            (expected.alive, rounded(alive, 1e3)),
            (expected.purchases, rounded(purchases, 1e2)),
            (expected.value, rounded(value, 1e2)),
        ];
        let sure = |number: f64| Value::number(number).map(|value| (value, confidence));
        Ok(held.into_iter().filter_map(|(index, number)| Some((index?, sure(number)))).collect())
    }

    fn suggest(&self, items: &Items, kept: &(String, f32)) -> Result<Vec<WorkedOut>, Without> {
        let (chosen, confidence) = kept;
        let choices: Vec<&str> = Items::read(chosen).collect();
        let found = self.similar.suggest(&choices, 1);
        let best = found.first().ok_or(NOTHING_SIMILAR)?;
        let held = [(items.similar, best.item), (items.because, best.because)];
        let text = |item: &str| Some((Value::Text(item.into()), *confidence));
        Ok(held.into_iter().filter_map(|(index, item)| Some((index?, text(item)))).collect())
    }
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

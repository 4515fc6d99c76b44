//! What do we know, of how many, how well, and what is it good for? Per declared attribute: coverage, freshness,
//! reliability, contradictions, what is withheld and why, who reads it, what it did in recent decisions, and how what
//! is missing could be got.
//!
//! Nobody is named. Large stores are sampled, and shares then have an interval. Deliberately not here: what an
//! attribute is worth ([`crate::diet`]).

mod page;
mod proposals;

use crate::reading::readers;
use decision::{
    Timestamp,
    candidate::{Dropped, Fate},
    consent::{Withheld, confidence_now},
    id::AttributeName,
    profile::{Attributes, Source},
    record::Decision,
    rules::Reads,
    strategy::{
        Attribute, AttributeIndex, GoalTarget, Obtain, PrincipleKind, Sensitivity, Setting, Strategy, Subject,
    },
};
use engine::{CONTRADICTED, Engine, EngineError, Walked};
pub use proposals::{Proposal, proposals};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// 97.5 % point of the standard normal distribution.
const Z95: f64 = 1.959_963_984_540_054;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Picks the sample of a large store.
    pub seed: u64,
    /// So many customers, and households, are enough.
    pub customers: u64,
    /// At most so many of the newest decisions.
    pub decisions: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { seed: 1, customers: 20_000, decisions: 10_000 }
    }
}

/// What is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// Customers there are, as their identifiers came in; estimated when sampled.
    pub customers: f64,
    /// Customers looked at.
    pub customers_looked_at: u64,
    /// Households looked at.
    pub households_looked_at: u64,
    /// Not everybody was looked at.
    pub sampled: bool,
    /// Newest decisions looked at.
    pub decisions_looked_at: usize,
    /// One per declared attribute, by name.
    pub attributes: Vec<Held>,
    /// Names that came in undeclared and were dropped, most often first.
    pub undeclared: Vec<Undeclared>,
}

/// One declared attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// Its name.
    pub attribute: String,
    /// It is about households, and counted over those.
    pub household: bool,
    /// Where it normally comes from.
    pub source: Source,
    /// How careful one must be with it.
    pub sensitivity: Sensitivity,
    /// Who answers for it.
    pub owner: String,
    /// For which purposes.
    pub purposes: Vec<String>,
    /// W3C Data Privacy Vocabulary id.
    pub category: Option<String>,
    /// How long a value is kept, in days.
    pub retention_days: i64,
    /// Of how many there is a value, among those looked at.
    pub known: u64,
    /// The same as a share, with its interval.
    pub coverage: Option<Share>,
    /// Age of the values in days.
    pub age_days: Option<Quantiles>,
    /// Mean confidence now, 0 to 1.
    pub reliability: Option<f64>,
    /// Values that another source, or the same one at the same moment, contradicts: their confidence is at most half
    /// of the declared one.
    pub contradicted: u64,
    /// Values that some purpose of theirs may not read now, by why; of customers only.
    pub withheld: BTreeMap<&'static str, u64>,
    /// Principles and actions that read it in rules, values or texts.
    pub read_by: Vec<String>,
    /// Models may learn from it.
    pub learned_from: bool,
    /// Decisions in which it was read.
    pub decisions_read: u64,
    /// Decisions in which a candidate fell at a rule or principle that reads it.
    pub decisions_dropped: u64,
    /// Among those, decisions in which one fell there because something was not known.
    pub decisions_dropped_unknown: u64,
    /// What a value costs to get, in euro, as declared.
    pub cost: f64,
    /// Of how many there is none, among those looked at.
    pub missing: u64,
    /// The cheapest way to get it.
    pub obtain: Option<Obtain>,
    /// By what: questions that ask it, or events that set it.
    pub obtain_by: Vec<String>,
}

/// A share, 0 to 1, with its 95 % interval (Wilson 1927); the interval is the share itself when everybody was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// The share.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Three points of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// One in ten is below this.
    pub tenth: f64,
    /// Half are below this.
    pub median: f64,
    /// Nine in ten are below this.
    pub ninetieth: f64,
}

/// A name that nothing declares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Undeclared {
    /// An attribute, or an event and its property with a dot between.
    pub name: String,
    /// How often it was dropped.
    pub times: u64,
}

/// What was seen of one attribute.
#[derive(Default)]
struct Seen {
    ages_days: Vec<f32>,
    confidence: f64,
    contradicted: u64,
    withheld: BTreeMap<&'static str, u64>,
    read: u64,
    dropped: u64,
    dropped_unknown: u64,
}

/// Looks at a store as of `at`. `progress` hears how many rows and decisions have been looked at.
///
/// # Errors
/// The store cannot be read.
pub fn look(
    engine: &Engine,
    plan: Plan,
    at: Timestamp,
    progress: &mut dyn FnMut(u64),
) -> Result<Inventory, EngineError> {
    let published = engine.published();
    let strategy = &published.strategy;
    let mut seen: Vec<Seen> = strategy.attributes.iter().map(|_| Seen::default()).collect();
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done);
    };
    let customers = engine.survey_customers(plan.seed, plan.customers, at, &mut |one| {
        step();
        add_values(strategy, &mut seen, one.attributes, Subject::Customer, at);
        let reasons: BTreeSet<_> =
            one.withheld.iter().map(|found| (found.attribute, reason(found.why))).collect();
        for (attribute, why) in reasons {
            *seen[usize::from(attribute)].withheld.entry(why).or_default() += 1;
        }
    })?;
    let households = engine.survey_households(plan.seed, plan.customers, at, &mut |attributes| {
        step();
        add_values(strategy, &mut seen, attributes, Subject::Household, at);
    })?;
    let decisions = engine.newest_decisions(plan.decisions, &mut |decision| {
        step();
        add_decision(engine, strategy, &mut seen, &decision)
    })?;
    let held = (0u16..).zip(&strategy.attributes).zip(seen);
    Ok(Inventory {
        customers: customers.all_rows(),
        customers_looked_at: customers.rows,
        households_looked_at: households.rows,
        sampled: !(customers.is_everything() && households.is_everything()),
        decisions_looked_at: decisions,
        attributes: held
            .map(|((index, attribute), seen)| {
                let walked = if attribute.subject == Subject::Household { households } else { customers };
                self::held(strategy, index, attribute, seen, walked)
            })
            .collect(),
        undeclared: undeclared(engine),
    })
}

/// Names that came in undeclared, most often first.
pub fn undeclared(engine: &Engine) -> Vec<Undeclared> {
    let names = engine.dropped_names().into_iter();
    let mut names: Vec<Undeclared> = names.map(|(name, times)| Undeclared { name, times }).collect();
    names.sort_by(|one, other| other.times.cmp(&one.times).then_with(|| one.name.cmp(&other.name)));
    names
}

fn add_values(strategy: &Strategy, seen: &mut [Seen], values: &Attributes, of: Subject, at: Timestamp) {
    for (attribute, seen) in strategy.attributes.iter().zip(seen).filter(|(found, _)| found.subject == of) {
        let Some(value) = values.get(attribute.name.as_str()) else {
            continue;
        };
        let age_days = at.duration_since(value.observed_at).as_secs_f64() / 86_400.0;
        seen.ages_days.push(age_days.max(0.0) as f32);
        seen.confidence += f64::from(confidence_now(attribute, value, at));
        seen.contradicted += u64::from(value.confidence <= attribute.confidence * CONTRADICTED);
    }
}

/// Positions in a record are those of the strategy that decided; what that declared under the same name counts.
fn add_decision(
    engine: &Engine,
    strategy: &Strategy,
    seen: &mut [Seen],
    decision: &Decision,
) -> Result<(), EngineError> {
    let decided_by = engine.strategy_at(decision.strategy)?;
    let then = &decided_by.strategy;
    let name = |index: AttributeIndex| then.attributes.get(usize::from(index)).map(|found| &found.name);
    let mut read: BTreeSet<&AttributeName> = BTreeSet::new();
    let traced = decision.trace.attributes.iter().filter(|traced| traced.value.is_some());
    read.extend(traced.filter_map(|traced| name(traced.attribute)));
    let mut dropped: BTreeMap<&AttributeName, bool> = BTreeMap::new();
    for fate in &decision.fates {
        let Fate::Dropped(why) = fate.fate else {
            continue;
        };
        if let Some((reads, unknown)) = fell_at(then, why) {
            for attribute in reads.attributes.iter().filter_map(|index| name(*index)) {
                *dropped.entry(attribute).or_default() |= unknown;
            }
        }
    }
    for (attribute, seen) in strategy.attributes.iter().zip(seen) {
        seen.read += u64::from(read.contains(&attribute.name));
        if let Some(unknown) = dropped.get(&attribute.name) {
            seen.dropped += 1;
            seen.dropped_unknown += u64::from(*unknown);
        }
    }
    Ok(())
}

/// What the rule or principle reads that a candidate fell at, and whether it fell because that is not known.
fn fell_at(strategy: &Strategy, why: Dropped) -> Option<(&Reads, bool)> {
    match why {
        Dropped::Rule { clause, unknown, .. } => {
            Some((strategy.rule_book.clause(clause).rule.reads(), unknown))
        }
        Dropped::Principle { principle, unknown } => {
            let rule = match &strategy.principles.get(usize::from(principle))?.kind {
                PrincipleKind::Veto { when, .. } | PrincipleKind::Weigh { when, .. } => when,
                PrincipleKind::Require { condition, .. } => condition,
            };
            Some((rule.reads(), unknown))
        }
        _ => None,
    }
}

fn held(
    strategy: &Strategy,
    index: AttributeIndex,
    attribute: &Attribute,
    seen: Seen,
    walked: Walked,
) -> Held {
    let known = seen.ages_days.len() as u64;
    let (obtain, obtain_by) = obtaining(strategy, index, attribute);
    Held {
        attribute: attribute.name.as_str().to_owned(),
        household: attribute.subject == Subject::Household,
        source: attribute.source,
        sensitivity: attribute.sensitivity,
        owner: attribute.owner.clone(),
        purposes: attribute
            .purposes
            .iter()
            .map(|purpose| strategy.purposes[usize::from(*purpose)].id.as_str().to_owned())
            .collect(),
        category: attribute.category.clone(),
        retention_days: attribute.retention.as_hours() / 24,
        known,
        coverage: share(known, walked),
        reliability: (known > 0).then(|| seen.confidence / known as f64),
        age_days: quantiles(seen.ages_days),
        contradicted: seen.contradicted,
        withheld: seen.withheld,
        read_by: readers(strategy, index),
        learned_from: attribute.learn,
        decisions_read: seen.read,
        decisions_dropped: seen.dropped,
        decisions_dropped_unknown: seen.dropped_unknown,
        cost: attribute.cost,
        missing: walked.rows - known,
        obtain,
        obtain_by,
    }
}

/// As declared; else a question that is there already, else an event that sets it, else by its source.
fn obtaining(
    strategy: &Strategy,
    index: AttributeIndex,
    attribute: &Attribute,
) -> (Option<Obtain>, Vec<String>) {
    let asks = |action: &&decision::strategy::Action| action.goal.target == GoalTarget::Attribute(index);
    let questions: Vec<String> =
        strategy.actions.iter().filter(asks).map(|action| action.id.as_str().to_owned()).collect();
    let sets = |event: &&decision::strategy::Event| {
        event.sets.iter().any(|(set, to)| *set == index && *to != Setting::Clear)
    };
    let events: Vec<String> =
        strategy.events.iter().filter(sets).map(|event| event.name.as_str().to_owned()).collect();
    let way = attribute.obtain.or(match attribute.source {
        _ if !questions.is_empty() => Some(Obtain::Ask),
        _ if !events.is_empty() => Some(Obtain::Observe),
        Source::Provided => Some(Obtain::Ask),
        Source::Observed => Some(Obtain::Observe),
        Source::ThirdParty => Some(Obtain::Import),
        Source::Derived => None,
    });
    let by = match way {
        Some(Obtain::Ask) => questions,
        Some(Obtain::Observe) => events,
        _ => Vec::new(),
    };
    (way, by)
}

fn share(known: u64, walked: Walked) -> Option<Share> {
    let all = walked.rows as f64;
    if walked.rows == 0 {
        return None;
    }
    let share = known as f64 / all;
    if walked.is_everything() {
        return Some(Share { share, low: share, high: share });
    }
    let z2 = Z95 * Z95 / all;
    let middle = (share + z2 / 2.0) / (1.0 + z2);
    let half = Z95 * libm::sqrt(share * (1.0 - share) / all + z2 / (4.0 * all)) / (1.0 + z2);
    Some(Share { share, low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
}

fn quantiles(mut ages_days: Vec<f32>) -> Option<Quantiles> {
    ages_days.sort_by(f32::total_cmp);
    let last = ages_days.len().checked_sub(1)?;
    let at = |part: f64| f64::from(ages_days[libm::round(part * last as f64) as usize]);
    Some(Quantiles { tenth: at(0.1), median: at(0.5), ninetieth: at(0.9) })
}

/// The word used in the API.
fn reason(why: Withheld) -> &'static str {
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

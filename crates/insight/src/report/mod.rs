//! Does the customer brain have manners? One page for a board: value in both ledgers, silence, vetoes, complaints,
//! consent, what is kept, whether groups are treated alike, who was asked, and who answers for it.
//!
//! Every figure is added up from [`Evidence`] alone, which can be exported and added up again by anybody. Deliberately
//! not here: the data diet, which takes minutes and has its own report, and any judgement.

pub mod evidence;
mod page;

use crate::{
    fairness::{self, Fairness, Share, Treated},
    protected::{Column, Table},
};
use decision::{
    Timestamp,
    id::CustomerId,
    profile::Source,
    strategy::{Sensitivity, Strategy},
};
use engine::{Engine, EngineError};
use evidence::{Evidence, Line};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub use page::page;

const Z95: f64 = 1.959_963_984_540_054;
/// Fewer customers in a group say nothing about value.
const CUSTOMERS_MIN: usize = 30;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whose.
    pub organisation: String,
    /// The strategy that decides now.
    pub strategy: String,
    /// From when; `None` is from the beginning.
    pub since: Option<String>,
    /// Until when; `None` is until now.
    pub until: Option<String>,
    /// When it was made.
    pub made_at: String,
    /// Decisions.
    pub decisions: usize,
    /// Customers about whom something was decided.
    pub customers: usize,
    /// Slots in which nothing was said, of those asked for.
    pub silence: Share,
    /// In how many decisions each principle kept something from being said; those that did not too.
    pub vetoes: Vec<Vetoes>,
    /// Customers who complained.
    pub complaints: Share,
    /// Customers who asked us to stop.
    pub opt_outs: Share,
    /// Both ledgers per customer; empty before anybody has been looked at for long enough.
    pub ledgers: Vec<Ledger>,
    /// What customers said about each purpose, month by month.
    pub consents: Vec<Said>,
    /// Whether groups are treated alike.
    pub fairness: Fairness,
    /// What humans were asked.
    pub reviews: Vec<Reviews>,
    /// What is kept.
    pub kept: Kept,
    /// Who answers for what.
    pub owners: Vec<Owner>,
}

/// What one principle did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vetoes {
    /// The principle.
    pub principle: String,
    /// Who answers for it.
    pub owner: String,
    /// Decisions in which it kept something from being said.
    pub decisions: usize,
}

/// What came of the customers of one group, in euro per customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ledger {
    /// `strategy` or a control group.
    pub group: String,
    /// Customers looked at for the whole time.
    pub customers: usize,
    /// Value for the customer.
    pub customer: Mean,
    /// Value for the organisation, after the cost of contacts.
    pub organisation: Mean,
    /// What the strategy adds to this group's, in both ledgers; `None` for the strategy itself.
    pub added: Option<(Mean, Mean)>,
}

/// A mean with its 95 % interval; without the interval where there are too few customers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What customers said about a purpose in a month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Said {
    /// The purpose.
    pub purpose: String,
    /// The month.
    pub month: String,
    /// How often each was said.
    pub statements: BTreeMap<String, usize>,
}

/// What humans were asked for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reviews {
    /// `legal_effect` or `contested`.
    pub why: String,
    /// Asked.
    pub asked: usize,
    /// Approved; a contested decision was taken back.
    pub approved: usize,
    /// Refused; a contested decision stood.
    pub refused: usize,
    /// Waiting.
    pub waiting: usize,
}

/// What is kept about customers, as declared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    /// Declared attributes.
    pub attributes: usize,
    /// Of these, what customers did not tell us and we did not see ourselves.
    pub inferred_or_bought: usize,
    /// Of these, with extra protection: special categories and money trouble.
    pub sensitive: usize,
    /// Of these, for audits only.
    pub audit_only: usize,
    /// Of these, kept for more than a year.
    pub longer_than_a_year: usize,
    /// Undeclared names that were dropped, and how often, since the server was started.
    pub dropped: BTreeMap<String, u64>,
}

/// Who answers for what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Owner {
    /// Who.
    pub owner: String,
    /// Actions.
    pub actions: usize,
    /// Principles.
    pub principles: usize,
    /// Attributes.
    pub attributes: usize,
    /// Who decided that the actions may exist.
    pub mandates: BTreeSet<String>,
}

/// Over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// From when.
    pub since: Timestamp,
    /// Before when.
    pub until: Timestamp,
}

/// Reads the log and adds it up.
///
/// # Errors
/// The store cannot be read, or a record is damaged.
pub fn make(engine: &Engine, period: Period, at: Timestamp) -> Result<(Report, Evidence), EngineError> {
    let evidence = Evidence::read(engine, period.since, period.until, at)?;
    let published = engine.published();
    let kept = kept(&published.strategy, engine.dropped_names());
    Ok((add_up(&published.strategy, &evidence, kept, period, at), evidence))
}

fn add_up(strategy: &Strategy, evidence: &Evidence, kept: Kept, period: Period, at: Timestamp) -> Report {
    let lines = &evidence.lines;
    let decided: BTreeSet<usize> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Decision { customer, .. } => *customer,
            _ => None,
        })
        .collect();
    let (mut decisions, mut slots, mut said) = (0, 0, 0);
    for line in lines {
        if let Line::Decision { slots: asked, said: told, .. } = line {
            (decisions, slots, said) = (decisions + 1, slots + asked, said + told.len());
        }
    }
    Report {
        organisation: strategy.organisation.name.clone(),
        strategy: strategy.version.to_string(),
        since: (period.since > Timestamp::UNIX_EPOCH).then(|| period.since.to_string()),
        until: (period.until < at).then(|| period.until.to_string()),
        made_at: at.to_string(),
        decisions,
        customers: decided.len(),
        silence: Share::of(slots - said, slots),
        vetoes: vetoes(strategy, lines),
        complaints: happened(lines, &decided, "complaint"),
        opt_outs: happened(lines, &decided, "opt_out"),
        ledgers: ledgers(lines),
        consents: consents(lines),
        fairness: fairness(evidence, &decided),
        reviews: reviews(lines),
        kept,
        owners: owners(strategy),
    }
}

fn vetoes(strategy: &Strategy, lines: &[Line]) -> Vec<Vetoes> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        if let Line::Decision { vetoed_by, .. } = line {
            vetoed_by.iter().for_each(|principle| *counts.entry(principle).or_default() += 1);
        }
    }
    let mut vetoes: Vec<Vetoes> = strategy
        .principles
        .iter()
        .map(|principle| Vetoes {
            principle: principle.id.to_string(),
            owner: principle.owner.clone(),
            decisions: counts.remove(principle.id.as_str()).unwrap_or(0),
        })
        .collect();
    let gone = counts.into_iter();
    vetoes.extend(gone.map(|(principle, decisions)| Vetoes {
        principle: principle.to_owned(),
        owner: String::new(),
        decisions,
    }));
    vetoes.sort_by_key(|veto| std::cmp::Reverse(veto.decisions));
    vetoes
}

/// Customers to whom an outcome happened at least once.
fn happened(lines: &[Line], decided: &BTreeSet<usize>, wanted: &str) -> Share {
    let concerned: BTreeSet<usize> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Happened { customer, outcome, .. } if outcome.as_deref() == Some(wanted) => Some(*customer),
            _ => None,
        })
        .filter(|customer| decided.contains(customer))
        .collect();
    Share::of(concerned.len(), decided.len())
}

fn ledgers(lines: &[Line]) -> Vec<Ledger> {
    let mut groups: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for line in lines {
        if let Line::CameOf { group, customer, organisation } = line {
            let (of_customer, of_organisation) = groups.entry(group).or_default();
            of_customer.push(*customer);
            of_organisation.push(*organisation);
        }
    }
    let strategy = groups.get("strategy").cloned();
    let mut ledgers: Vec<Ledger> = groups
        .into_iter()
        .map(|(group, (customer, organisation))| Ledger {
            group: group.to_owned(),
            customers: customer.len(),
            customer: Mean::of(&customer),
            organisation: Mean::of(&organisation),
            added: strategy.as_ref().filter(|_| group != "strategy").map(|ours| {
                (Mean::of_difference(&ours.0, &customer), Mean::of_difference(&ours.1, &organisation))
            }),
        })
        .collect();
    ledgers.sort_by_key(|ledger| ledger.group != "strategy");
    ledgers
}

impl Mean {
    fn of(values: &[f64]) -> Self {
        let (mean, variance) = moments(values);
        Self::within(mean, variance / values.len() as f64, values.len())
    }

    /// Of two groups that have nothing to do with each other.
    fn of_difference(ours: &[f64], theirs: &[f64]) -> Self {
        let ((mean, variance), (other, of_other)) = (moments(ours), moments(theirs));
        let squared = variance / ours.len() as f64 + of_other / theirs.len() as f64;
        Self::within(mean - other, squared, ours.len().min(theirs.len()))
    }

    fn within(mean: f64, squared_error: f64, customers: usize) -> Self {
        let error = (customers >= CUSTOMERS_MIN).then(|| Z95 * libm::sqrt(squared_error));
        Self { mean, low: error.map(|error| mean - error), high: error.map(|error| mean + error) }
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (mean, squares / (count - 1.0).max(1.0))
}

fn consents(lines: &[Line]) -> Vec<Said> {
    let mut said: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    for line in lines {
        if let Line::Consent { purpose, month, status, .. } = line {
            let statements = said.entry((purpose.clone(), month.clone())).or_default();
            *statements.entry(status.clone()).or_default() += 1;
        }
    }
    said.into_iter().map(|((purpose, month), statements)| Said { purpose, month, statements }).collect()
}

fn fairness(evidence: &Evidence, decided: &BTreeSet<usize>) -> Fairness {
    let id = |customer: usize| CustomerId(customer as u128);
    let mut reached: BTreeMap<(usize, &str), Vec<i64>> = BTreeMap::new();
    let mut table = Table { customers: decided.iter().map(|one| id(*one)).collect(), ..Table::default() };
    let places: BTreeMap<usize, usize> =
        decided.iter().enumerate().map(|(place, customer)| (*customer, place)).collect();
    for attribute in &evidence.protected {
        let groups: BTreeSet<&String> = evidence
            .lines
            .iter()
            .filter_map(|line| match line {
                Line::Group { attribute: of, group, .. } if of == attribute => Some(group),
                _ => None,
            })
            .collect();
        let parts = groups.into_iter().cloned().collect();
        table.protected.insert(attribute.clone(), Column { parts, of: vec![None; decided.len()] });
    }
    for line in &evidence.lines {
        match line {
            Line::Happened { customer, at_ms, event, .. } => {
                reached.entry((*customer, event)).or_default().push(*at_ms);
            }
            Line::Group { customer, attribute, group } => {
                if let (Some(place), Some(column)) =
                    (places.get(customer), table.protected.get_mut(attribute))
                {
                    column.of[*place] = column.parts.iter().position(|part| part == group);
                }
            }
            _ => {}
        }
    }
    let mut treated: BTreeMap<CustomerId, Treated> = BTreeMap::new();
    for line in &evidence.lines {
        let Line::Decision { customer: Some(customer), at_ms, said, .. } = line else {
            continue;
        };
        let of_customer = treated.entry(id(*customer)).or_default();
        for said in said {
            let window = *at_ms..=at_ms.saturating_add(said.within_ms);
            let moments = reached.get(&(*customer, said.goal.as_str()));
            if moments.is_some_and(|moments| moments.iter().any(|moment| window.contains(moment))) {
                of_customer.benefited.insert(said.issue.clone());
            }
            of_customer.selected.insert(said.issue.clone());
        }
    }
    fairness::judge(&table, &treated)
}

fn reviews(lines: &[Line]) -> Vec<Reviews> {
    let mut reviews: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for line in lines {
        if let Line::Review { why, approved } = line {
            let place = approved.map_or(2, |approved| usize::from(!approved));
            reviews.entry(why).or_default()[place] += 1;
        }
    }
    let review = |(why, [approved, refused, waiting]): (&str, [usize; 3])| Reviews {
        why: why.to_owned(),
        asked: approved + refused + waiting,
        approved,
        refused,
        waiting,
    };
    reviews.into_iter().map(review).collect()
}

fn kept(strategy: &Strategy, dropped: BTreeMap<String, u64>) -> Kept {
    let count = |of: &dyn Fn(&decision::strategy::Attribute) -> bool| {
        strategy.attributes.iter().filter(|attribute| of(attribute)).count()
    };
    let audit = |attribute: &decision::strategy::Attribute| {
        let mut purposes = attribute.purposes.iter();
        purposes.any(|purpose| strategy.purposes[usize::from(*purpose)].audit_only)
    };
    Kept {
        attributes: strategy.attributes.len(),
        inferred_or_bought: count(&|one| matches!(one.source, Source::Derived | Source::ThirdParty)),
        sensitive: count(&|one| one.sensitivity != Sensitivity::Ordinary),
        audit_only: count(&audit),
        longer_than_a_year: count(&|one| one.retention.as_hours() > 365 * 24),
        dropped,
    }
}

fn owners(strategy: &Strategy) -> Vec<Owner> {
    let mut owners: BTreeMap<&str, Owner> = BTreeMap::new();
    fn of<'o, 's>(owners: &'o mut BTreeMap<&'s str, Owner>, owner: &'s str) -> &'o mut Owner {
        owners.entry(owner).or_insert_with(|| Owner {
            owner: owner.to_owned(),
            actions: 0,
            principles: 0,
            attributes: 0,
            mandates: BTreeSet::new(),
        })
    }
    for action in &strategy.actions {
        let owner = of(&mut owners, &action.owner);
        owner.actions += 1;
        owner.mandates.insert(action.mandate.clone());
    }
    for principle in &strategy.principles {
        of(&mut owners, &principle.owner).principles += 1;
    }
    for attribute in &strategy.attributes {
        of(&mut owners, &attribute.owner).attributes += 1;
    }
    owners.into_values().collect()
}

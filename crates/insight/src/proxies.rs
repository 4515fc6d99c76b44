//! Does a fact that decisions read tell who is in a protected group? How much of what is not known of a protected
//! attribute does each tell, and is that more than the strategy allows?
//!
//! The measure is the uncertainty coefficient `I(X;A) / H(A)` (Theil 1970): 0 when the fact tells nothing, 1 when
//! it tells everything, with the bias of a finite sample taken out (Miller, Madow: `(r − 1)(c − 1) / 2n`). Facts are
//! looked at one by one; that several together tell more is not seen here.

use crate::protected::{self, Column, Table};
use decision::{Timestamp, strategy::Strategy};
use engine::{Engine, EngineError};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// Fewer customers say nothing.
const CUSTOMERS_MIN: usize = 100;
const Z95: f64 = 1.959_963_984_540_054;

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proxies {
    /// Largest part that a fact may tell.
    pub threshold: f64,
    /// Customers looked at.
    pub customers: usize,
    /// Protected attributes, by name; empty when none is declared.
    pub protected: Vec<String>,
    /// Protected attributes of which too little is known to say anything.
    pub unknown: Vec<String>,
    /// What every fact tells about every protected attribute, the most telling first.
    pub told: Vec<Told>,
}

/// What one fact tells about one protected attribute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// The fact that decisions read.
    pub attribute: String,
    /// The protected attribute.
    pub protected: String,
    /// Part of what is not known of it that the fact tells, 0 to 1.
    pub share: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Customers of whom both are known.
    pub customers: usize,
    /// It is more than the threshold.
    pub is_proxy: bool,
}

impl Proxies {
    /// No fact tells more than the strategy allows.
    pub fn passes(&self) -> bool {
        self.told.iter().all(|told| !told.is_proxy)
    }
}

/// Looks at everybody in a store, as a strategy would read them.
///
/// # Errors
/// The store cannot be read.
pub fn look(engine: &Engine, strategy: &Strategy, at: Timestamp) -> Result<Proxies, EngineError> {
    let table = protected::read(engine, strategy, at)?;
    Ok(judge(&table, strategy.organisation.proxy_threshold))
}

/// What a table of customers shows.
pub fn judge(table: &Table, threshold: f64) -> Proxies {
    let mut told = Vec::new();
    let mut unknown = Vec::new();
    for (protected, groups) in &table.protected {
        if groups.of.iter().flatten().count() < CUSTOMERS_MIN {
            unknown.push(protected.clone());
            continue;
        }
        for (attribute, fact) in &table.readable {
            if let Some(tells) = tells(fact, groups) {
                told.push(Told {
                    attribute: attribute.clone(),
                    protected: protected.clone(),
                    is_proxy: tells.share > threshold,
                    ..tells
                });
            }
        }
    }
    told.sort_by(|one: &Told, other| other.share.total_cmp(&one.share));
    Proxies {
        threshold,
        customers: table.customers.len(),
        protected: table.protected.keys().cloned().collect(),
        unknown,
        told,
    }
}

/// `None` with too few customers, or when everybody is in one group.
fn tells(fact: &Column, groups: &Column) -> Option<Told> {
    let mut both: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for pair in fact.of.iter().zip(&groups.of) {
        if let (Some(fact), Some(group)) = pair {
            *both.entry((*fact, *group)).or_default() += 1.0;
        }
    }
    let count: f64 = both.values().sum();
    let (mut rows, mut columns) = (BTreeMap::<usize, f64>::new(), BTreeMap::<usize, f64>::new());
    for ((row, column), number) in &both {
        *rows.entry(*row).or_default() += number;
        *columns.entry(*column).or_default() += number;
    }
    let entropy: f64 = columns.values().map(|number| -number / count * libm::log(number / count)).sum();
    if count < CUSTOMERS_MIN as f64 || entropy <= 0.0 {
        return None;
    }
    let surprise = |((row, column), number): (&(usize, usize), &f64)| {
        (number / count, libm::log(number * count / (rows[row] * columns[column])))
    };
    let mean: f64 = both.iter().map(surprise).map(|(share, log)| share * log).sum();
    let square: f64 = both.iter().map(surprise).map(|(share, log)| share * log * log).sum();
    let bias = (rows.len() - 1) as f64 * (columns.len() - 1) as f64 / (2.0 * count);
    let error = Z95 * libm::sqrt((square - mean * mean).max(0.0) / count);
    let part = |information: f64| (information / entropy).clamp(0.0, 1.0);
    Some(Told {
        attribute: String::new(),
        protected: String::new(),
        share: part(mean - bias),
        low: part(mean - bias - error),
        high: part(mean - bias + error),
        customers: count as usize,
        is_proxy: false,
    })
}

impl fmt::Display for Proxies {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.protected.is_empty() {
            return writeln!(
                page,
                "No protected attribute is declared: give one a purpose with `audit_only = true` to see what tells \
                 about it."
            );
        }
        for name in &self.unknown {
            writeln!(page, "`{name}` is known of too few customers to see what tells about it")?;
        }
        let allowed = 100.0 * self.threshold;
        for told in self.told.iter().filter(|told| told.is_proxy) {
            writeln!(
                page,
                "`{}` tells {:.0} % [{:.0}, {:.0}] of what is not known of `{}` ({} customers); at most {allowed:.0} % is \
                 allowed\n  keep it from models and rules (`learn = false`, another purpose), stop collecting it, or \
                 raise `[integrity] proxy_threshold` and say why",
                told.attribute,
                100.0 * told.share,
                100.0 * told.low,
                100.0 * told.high,
                told.protected,
                told.customers,
            )?;
        }
        if self.passes() && !self.told.is_empty() {
            let most = &self.told[0];
            writeln!(
                page,
                "No fact that decisions read tells more than {allowed:.0} % about {}; the most telling is `{}` with {:.1} %",
                self.protected.join(", "),
                most.attribute,
                100.0 * most.share
            )?;
        }
        Ok(())
    }
}

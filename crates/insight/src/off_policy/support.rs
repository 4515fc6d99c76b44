//! Does the log hold enough of what would change to say anything about it?
//!
//! What two policies share tells nothing about their difference, so support is counted on what ours would do
//! more often than theirs: how many independent tries of it the log is worth (Kish's effective sample size,
//! `(Σ d)² / Σ d²`), and how many of them something came of.

use super::{Log, Policy, Row};
use serde::Serialize;
use std::fmt;

/// Effective tries of what would change, below which no verdict is given.
pub const TRIED_MIN: f64 = 100.0;
/// Effective tries of it that something came of, below which no verdict is given.
pub const OUTCOMES_MIN: f64 = 10.0;
/// Share of what would change that the log must have been able to try.
pub const SUPPORT_MIN: f64 = 0.9;

/// What a log knows about a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Support {
    /// Rows used.
    pub rows: usize,
    /// Customers behind them.
    pub customers: usize,
    /// Rows that the weighted log is worth for the value of ours.
    pub effective: f64,
    /// Share of the choices that would be others, 0 to 1: the mean of `½·Σ_a |ours(a) − theirs(a)|`.
    pub changed: f64,
    /// Mean probability by which the two differ in what the log could not have chosen, 0 to 1.
    pub unsupported: f64,
    /// Rows that the log is worth for what ours does more often than theirs.
    pub tried: f64,
    /// The same, counting only rows that something came of.
    pub outcomes: f64,
}

/// What the log lacks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Wanting {
    /// No usable row.
    Empty,
    /// Too much of what would change had no chance in the log.
    Unsupported {
        /// Share of what would change that the log could not have tried, 0 to 1.
        share: f64,
    },
    /// What would change was tried too rarely.
    Tried {
        /// Effective tries.
        effective: f64,
        /// Rows they come from.
        rows: usize,
        /// So many more rows, made as these were, would be needed; `None` when none tried it at all.
        more: Option<u64>,
    },
    /// Too little came of what would change.
    Outcomes {
        /// Effective tries with an outcome.
        effective: f64,
        /// Rows they come from.
        rows: usize,
        /// So many more rows, made as these were, would be needed; `None` when nothing came of it at all.
        more: Option<u64>,
    },
}

/// What the log says about ours against theirs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Ours is worth more.
    Better,
    /// Ours is worth less.
    Worse,
    /// The log supports a verdict and shows no difference.
    Undecided,
    /// The log does not support a verdict.
    TooLittle(Wanting),
}

impl Log {
    /// What this log knows about ours.
    pub fn support(&self) -> Support {
        let weights = || self.rows.iter().map(|row| row.weight(Policy::Ours));
        let gained =
            || self.rows.iter().map(|row| (row, row.weight(Policy::Ours) - row.weight(Policy::Theirs)));
        let more = || gained().filter(|(_, gain)| *gain > 0.0);
        let mean = |sum: f64| sum / self.rows.len().max(1) as f64;
        Support {
            rows: self.rows.len(),
            customers: self.cluster_count,
            effective: kish(weights()),
            changed: mean(gained().map(|(_, gain)| (-gain).max(0.0)).sum()),
            unsupported: mean(self.rows.iter().map(unsupported).sum()),
            tried: kish(more().map(|(_, gain)| gain)),
            outcomes: kish(more().filter(|(row, _)| row.reward != 0.0).map(|(_, gain)| gain)),
        }
    }
}

impl Support {
    /// What is missing for a verdict; nothing is when nothing would change.
    pub fn wanting(&self) -> Option<Wanting> {
        let rows = self.rows;
        let more = |effective: f64, least: f64| {
            (effective > 0.0).then(|| (rows as f64 * (least / effective - 1.0)).ceil() as u64)
        };
        if rows == 0 {
            return Some(Wanting::Empty);
        }
        let share = self.unsupported / self.changed.max(self.unsupported).max(f64::MIN_POSITIVE);
        if share > 1.0 - SUPPORT_MIN {
            Some(Wanting::Unsupported { share })
        } else if self.changed == 0.0 {
            None
        } else if self.tried < TRIED_MIN {
            Some(Wanting::Tried { effective: self.tried, rows, more: more(self.tried, TRIED_MIN) })
        } else if self.outcomes < OUTCOMES_MIN {
            let more = more(self.outcomes, OUTCOMES_MIN);
            Some(Wanting::Outcomes { effective: self.outcomes, rows, more })
        } else {
            None
        }
    }
}

impl fmt::Display for Wanting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = |more: &Option<u64>, never: &str| match more {
            Some(more) => format!("about {more} more decisions with the same exploration would be needed"),
            None => format!("{never}: more exploration is needed"),
        };
        match self {
            Self::Empty => write!(out, "too little evidence: no decision can be used"),
            Self::Unsupported { share } => write!(
                out,
                "too little evidence: {:.0} % of what would change had no chance so far, so nobody knows what \
                 comes of it; let it be tried first",
                share * 100.0
            ),
            Self::Tried { effective, rows, more } => write!(
                out,
                "too little evidence: effective n {effective:.0} of {rows} for what would change; {}",
                needed(more, "it was never tried")
            ),
            Self::Outcomes { effective, rows, more } => write!(
                out,
                "too little evidence: an effective {effective:.1} outcomes in {rows} decisions for what would \
                 change; {}",
                needed(more, "nothing ever came of it")
            ),
        }
    }
}

fn unsupported(row: &Row) -> f64 {
    (row.ours.unsupported - row.theirs.unsupported).abs()
}

/// Kish (1965): how many equally weighted rows these weights are worth.
fn kish(weights: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) =
        weights.fold((0.0, 0.0), |(sum, squares), weight| (sum + weight, squares + weight * weight));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

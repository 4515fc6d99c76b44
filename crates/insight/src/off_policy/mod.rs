//! What would another policy have been worth on the log of this one? Estimates from rows that were chosen
//! with known probabilities, with intervals over customers, and a refusal where the log does not support them.
//!
//! With `w = π(a|x) / μ(a|x)` the ratio of the probability under the policy to be valued and under the log,
//! `r` the reward and `q` a model's expectation of it (Dudík, Langford, Li 2011, "Doubly robust policy
//! evaluation and learning"; Swaminathan, Joachims 2015 for the self-normalised form; Wang, Agarwal, Dudík
//! 2017, "Optimal and adaptive off-policy evaluation in contextual bandits", for switching):
//!
//! - IPS: mean of `w·r`
//! - SNIPS: `Σ w·r / Σ w`
//! - DR: mean of `Σ_b π(b|x)·q(x,b) + w·(r − q(x,a))`
//! - Switch-DR: the same with `w` taken as 0 where it is above a threshold
//!
//! Deliberately absent: what a reward is, where rows come from, and what would happen later because of what
//! was done now: rows are valued one by one, in the situations that the log met.

mod intervals;
mod support;

use crate::interval::Interval;
use serde::Serialize;
use std::collections::BTreeMap;

pub use support::{OUTCOMES_MIN, SUPPORT_MIN, Support, TRIED_MIN, Verdict, Wanting};

/// One logged choice and what two policies would have made of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Whose row this is: everything that happens to one customer is one observation.
    pub cluster: u128,
    /// With which probability the log chose what it chose, above 0 and at most 1; `None` is unknown.
    pub propensity: Option<f64>,
    /// What came of it.
    pub reward: f64,
    /// The reward that a model expects of what was chosen; 0 without a model.
    pub expected: f64,
    /// The policy to be valued.
    pub ours: Target,
    /// The policy it is compared with, mostly the one that made the log.
    pub theirs: Target,
}

/// One policy at one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// With which probability it would have chosen the same, 0 to 1.
    pub probability: f64,
    /// The reward that a model expects of the policy: `Σ_b π(b|x)·q(x,b)`; 0 without a model.
    pub expected: f64,
    /// The probability it gives to what the log could not have chosen here, 0 to 1; 0 when unknown.
    pub unsupported: f64,
}

/// Whose value is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// [`Row::ours`].
    Ours,
    /// [`Row::theirs`].
    Theirs,
}

/// How a value is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Inverse propensity score.
    Ips,
    /// The same, divided by the mean weight.
    Snips,
    /// Doubly robust.
    Dr,
    /// Doubly robust, by the model alone where the weight is above this: less noise, for as much bias as the
    /// model has there. Its interval knows of the noise only; choose the threshold before looking at results.
    SwitchDr(f64),
}

/// Rows that were not used, by reason; each row under the first that applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Unusable {
    /// The propensity is not known.
    pub propensity_unknown: u64,
    /// The propensity is not above 0: what was done could not be done.
    pub propensity_zero: u64,
    /// The propensity is above 1 or not a number.
    pub propensity_invalid: u64,
    /// A policy's probability is not between 0 and 1.
    pub target_invalid: u64,
    /// The reward is not a finite number.
    pub reward_invalid: u64,
    /// A model's expectation is not a finite number.
    pub expectation_invalid: u64,
}

impl Unusable {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.propensity_unknown
            + self.propensity_zero
            + self.propensity_invalid
            + self.target_invalid
            + self.reward_invalid
            + self.expectation_invalid
    }
}

/// The usable rows of a log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    rows: Vec<Row>,
    /// Position of each row's cluster.
    clusters: Vec<usize>,
    cluster_count: usize,
    unusable: Unusable,
}

impl Log {
    /// Sets aside what cannot be used, and counts it.
    pub fn new(rows: impl IntoIterator<Item = Row>) -> Self {
        let mut log = Self::default();
        let mut positions = BTreeMap::new();
        for row in rows {
            if log.unusable.note(&row) {
                continue;
            }
            let next = positions.len();
            log.clusters.push(*positions.entry(row.cluster).or_insert(next));
            log.rows.push(row);
        }
        log.cluster_count = positions.len();
        log
    }

    /// Rows that are used.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No row is used.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Customers behind them.
    pub fn customers(&self) -> usize {
        self.cluster_count
    }

    /// What was set aside.
    pub fn unusable(&self) -> Unusable {
        self.unusable
    }

    /// The mean value of a row under a policy, with the 95 % interval over customers.
    pub fn value(&self, policy: Policy, estimator: Estimator) -> Interval {
        self.interval(&self.linear(policy, estimator), intervals::Level::P95)
    }

    /// The mean value that ours adds to theirs, with the 95 % interval over customers.
    pub fn difference(&self, estimator: Estimator) -> Interval {
        self.interval(&self.linear_difference(estimator), intervals::Level::P95)
    }

    /// Whether the log shows that ours is worth more or less than theirs: with 99 % confidence, since whoever
    /// looks at several strategies finds one in twenty by luck.
    pub fn verdict(&self, estimator: Estimator) -> Verdict {
        if let Some(wanting) = self.support().wanting() {
            return Verdict::TooLittle(wanting);
        }
        let sure = self.interval(&self.linear_difference(estimator), intervals::Level::P99);
        match () {
            () if sure.low > 0.0 => Verdict::Better,
            () if sure.high < 0.0 => Verdict::Worse,
            () => Verdict::Undecided,
        }
    }

    fn linear_difference(&self, estimator: Estimator) -> Linear {
        let ours = self.linear(Policy::Ours, estimator);
        let theirs = self.linear(Policy::Theirs, estimator);
        let influence = ours.influence.iter().zip(&theirs.influence).map(|(ours, theirs)| ours - theirs);
        Linear { value: ours.value - theirs.value, influence: influence.collect() }
    }

    fn linear(&self, policy: Policy, estimator: Estimator) -> Linear {
        let count = self.rows.len().max(1) as f64;
        if estimator == Estimator::Snips {
            let weights: f64 = self.rows.iter().map(|row| row.weight(policy)).sum();
            let weighted: f64 = self.rows.iter().map(|row| row.weight(policy) * row.reward).sum();
            let scale = if weights > 0.0 { 1.0 / weights } else { 0.0 };
            let value = weighted * scale;
            let influence = |row: &Row| row.weight(policy) * (row.reward - value) * scale;
            return Linear { value, influence: self.rows.iter().map(influence).collect() };
        }
        let terms: Vec<f64> = self.rows.iter().map(|row| row.term(policy, estimator)).collect();
        let value = terms.iter().sum::<f64>() / count;
        Linear { value, influence: terms.iter().map(|term| (term - value) / count).collect() }
    }

    fn interval(&self, linear: &Linear, level: intervals::Level) -> Interval {
        intervals::skewed(linear.value, &self.per_cluster(linear), level)
    }

    fn per_cluster(&self, linear: &Linear) -> Vec<f64> {
        let mut sums = vec![0.0; self.cluster_count];
        for (cluster, influence) in self.clusters.iter().zip(&linear.influence) {
            sums[*cluster] += influence;
        }
        sums
    }
}

/// An estimate and what each row moves it by; the influences sum to 0.
struct Linear {
    value: f64,
    influence: Vec<f64>,
}

impl Row {
    fn target(&self, policy: Policy) -> &Target {
        match policy {
            Policy::Ours => &self.ours,
            Policy::Theirs => &self.theirs,
        }
    }

    /// `π / μ`; rows of a log have a propensity.
    fn weight(&self, policy: Policy) -> f64 {
        self.propensity.map_or(0.0, |propensity| self.target(policy).probability / propensity)
    }

    fn term(&self, policy: Policy, estimator: Estimator) -> f64 {
        let weight = self.weight(policy);
        let robust = |weight: f64| self.target(policy).expected + weight * (self.reward - self.expected);
        match estimator {
            Estimator::Ips | Estimator::Snips => weight * self.reward,
            Estimator::Dr => robust(weight),
            Estimator::SwitchDr(threshold) if weight > threshold => robust(0.0),
            Estimator::SwitchDr(_) => robust(weight),
        }
    }
}

impl Unusable {
    /// Counts a row that cannot be used; `false` when it can.
    fn note(&mut self, row: &Row) -> bool {
        let is_probability = |value: f64| (0.0..=1.0).contains(&value);
        let valid =
            |target: &Target| is_probability(target.probability) && is_probability(target.unsupported);
        let known = [row.expected, row.ours.expected, row.theirs.expected];
        let reason = match row.propensity {
            None => &mut self.propensity_unknown,
            Some(propensity) if propensity <= 0.0 => &mut self.propensity_zero,
            Some(propensity) if !is_probability(propensity) => &mut self.propensity_invalid,
            _ if !valid(&row.ours) || !valid(&row.theirs) => &mut self.target_invalid,
            _ if !row.reward.is_finite() => &mut self.reward_invalid,
            _ if known.iter().any(|value| !value.is_finite()) => &mut self.expectation_invalid,
            _ => return false,
        };
        *reason += 1;
        true
    }
}

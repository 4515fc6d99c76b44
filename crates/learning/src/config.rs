//! With which assumptions does learning start? One shipped configuration for every world.
//!
//! Deliberately absent: anything per data set. What differs between organisations is learned.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::block::View;

/// The starting base rate of an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// `goal`, `complaint`, `opt_out`, …
    pub outcome: Arc<str>,
    /// P(outcome) per exposure before any evidence; taken within 10⁻⁶ to 1 − 10⁻⁶.
    pub probability: f64,
}

/// How far weights of one level may lie from zero before any evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelPrior {
    /// Variance of the level's intercept, in logit².
    pub intercept_variance: f64,
    /// Variance of each column's weight, in logit² per standardised unit², with up to eight features, and
    /// in proportion less with more; 0 means that the level has an intercept only.
    pub column_variance: f64,
    /// Variance of the weight of each product of two columns, once scaled so that all products together
    /// vary by about 1; 0 means that the level knows no products.
    pub pair_variance: f64,
}

impl LevelPrior {
    /// A level can say how unsure its intercept is; 10⁹ is beyond any logit.
    fn is_sound(&self) -> bool {
        let within = |variance: f64| (0.0..=1e9).contains(&variance);
        within(self.intercept_variance) && within(self.column_variance) && within(self.pair_variance)
    }
}

/// An outcome that comes before another and tells something about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// For example `interest`.
    pub early: Arc<str>,
    /// For example `goal`.
    pub late: Arc<str>,
}

/// The assumptions of a learner; part of every snapshot, so that a prediction needs nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Starting base rates; an outcome that is not listed starts at `unlisted_probability`.
    pub priors: Vec<Prior>,
    /// Starting base rates of single actions, by `issue/group/action`, where they differ from those of
    /// the outcome as a whole.
    pub action_priors: BTreeMap<Arc<str>, Vec<Prior>>,
    /// Starting base rate of an outcome without a prior.
    pub unlisted_probability: f64,
    /// Outcomes whose early signs say something about a later one.
    pub stages: Vec<Stage>,
    /// Global, group, action, and action on a channel, in that order.
    pub levels: [LevelPrior; 4],
    /// The same for the expert that also looks at products of columns. It is believed where there is much to
    /// be seen, so it starts with wider assumptions.
    pub pair_levels: [LevelPrior; 4],
    /// The two rates of forgetting, slow and fast, as the number of even-odds observations after
    /// which evidence has faded to 1/e. An observation at probability p counts 4p(1 − p).
    pub memories: [f64; 2],
    /// Part of the experts' shares that is dealt out evenly again at each whole observation, so
    /// that an expert that was wrong for long can return (Herbster and Warmuth 1998).
    pub fixed_share: f64,
    /// Evidence without acting, for the action or its group, from which a baseline is given.
    pub baseline_evidence: f64,
    /// Shortest window that may use incremental credit; shorter ones wait for their end.
    pub incremental_from_ms: i64,
    /// How long an outcome is remembered while its exposure has not arrived, and a closed exposure
    /// to recognise what comes too late or twice.
    pub remember_ms: i64,
    /// How many outcomes without an exposure are remembered at most; the oldest give way.
    pub remember_count_max: usize,
}

const DAY_MS: i64 = 86_400_000;

impl Default for Config {
    fn default() -> Self {
        let prior = |outcome: &str, probability| Prior { outcome: outcome.into(), probability };
        let level = |intercept_variance, column_variance, pair_variance| LevelPrior {
            intercept_variance,
            column_variance,
            pair_variance,
        };
        Self {
            priors: vec![prior("complaint", 0.002), prior("goal", 0.05), prior("opt_out", 0.002)],
            action_priors: BTreeMap::new(),
            stages: Vec::new(),
            unlisted_probability: 0.05,
            levels: [level(1.0, 0.25, 0.0), level(0.5, 0.1, 0.0), level(0.5, 0.1, 0.0), level(0.1, 0.0, 0.0)],
            pair_levels: [
                level(1.0, 0.03, 0.0),
                level(0.5, 0.03, 0.0),
                level(0.5, 0.7, 12.0),
                level(0.1, 0.0, 0.0),
            ],
            memories: [20_000.0, 300.0],
            fixed_share: 0.001,
            baseline_evidence: 30.0,
            incremental_from_ms: DAY_MS,
            remember_ms: 7 * DAY_MS,
            remember_count_max: 10_000,
        }
    }
}

impl Config {
    /// Starting probability of an outcome.
    #[must_use]
    pub fn prior_probability(&self, outcome: &str) -> f64 {
        listed(&self.priors, outcome).unwrap_or(bounded(self.unlisted_probability))
    }

    /// Whether these are assumptions to calculate with.
    pub(crate) fn is_sound(&self) -> bool {
        let priors = self.priors.iter().chain(self.action_priors.values().flatten());
        priors.map(|prior| prior.probability).all(f64::is_finite)
            && self.unlisted_probability.is_finite()
            && self.levels.iter().chain(&self.pair_levels).all(LevelPrior::is_sound)
            && self.memories.into_iter().all(is_memory)
            && self.fixed_share > 0.0
            && self.fixed_share <= 1.0
            && self.baseline_evidence.is_finite()
    }

    /// The assumptions of an expert with this view.
    pub(crate) fn levels(&self, view: View) -> &[LevelPrior; 4] {
        match view {
            View::Intercept | View::Columns => &self.levels,
            View::Pairs => &self.pair_levels,
        }
    }

    /// Starting probability of an outcome of one action.
    #[must_use]
    pub fn action_probability(&self, action: &str, outcome: &str) -> f64 {
        let own = self.action_priors.get(action);
        own.and_then(|priors| listed(priors, outcome)).unwrap_or_else(|| self.prior_probability(outcome))
    }
}

/// Whether so many observations can be remembered: at least one, and not for ever.
pub(crate) fn is_memory(observations: f64) -> bool {
    observations.is_finite() && observations >= 1.0
}

fn listed(priors: &[Prior], outcome: &str) -> Option<f64> {
    let prior = priors.iter().find(|prior| &*prior.outcome == outcome)?;
    Some(bounded(prior.probability))
}

fn bounded(probability: f64) -> f64 {
    probability.clamp(1e-6, 1.0 - 1e-6)
}

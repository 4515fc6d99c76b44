//! A comparison of arms: what is compared, and what is different in each.

use super::{ActionIndex, Texts};
use crate::{
    Duration, Timestamp,
    id::{ArmId, ExperimentId, OutcomeName},
};
use std::collections::{BTreeMap, BTreeSet};

/// A comparison of arms, with the customer as the unit.
#[derive(Debug)]
pub struct Experiment {
    /// Id.
    pub id: ExperimentId,
    /// Name per language.
    pub name: Texts,
    /// What it is to find out, and for whose good, per language.
    pub intent: Texts,
    /// Who answers for it.
    pub owner: String,
    /// From when.
    pub from: Timestamp,
    /// Until when, exclusive; `None` is until it is removed.
    pub until: Option<Timestamp>,
    /// What is compared.
    pub metric: Metric,
    /// Smallest difference per customer that matters, above 0, in the unit of the metric.
    pub minimum_effect: f64,
    /// What may hardly get worse meanwhile.
    pub guards: Vec<Guard>,
    /// The arms, the one that the others are compared with first.
    pub arms: Vec<Arm>,
}

/// What is compared per customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Whether this happened, 0 or 1; `None` is the value of both ledgers in euro.
    pub outcome: Option<OutcomeName>,
    /// How long after their first decision in the experiment customers are looked at.
    pub within: Duration,
    /// A lower mean is the better one.
    pub less_is_better: bool,
}

/// What may hardly get worse.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// For example `complaint`.
    pub outcome: OutcomeName,
    /// Largest rise that is borne, as a share of customers, 0 to 1.
    pub worse_by_at_most: f64,
}

/// One arm: what is different for the customers in it.
#[derive(Debug)]
pub struct Arm {
    /// Id.
    pub id: ArmId,
    /// Share of all customers, above 0 and at most 1.
    pub share: f64,
    /// Actions left out.
    pub without: BTreeSet<ActionIndex>,
    /// Forms left out: action, and position of the treatment within it.
    pub without_forms: BTreeSet<(ActionIndex, u16)>,
    /// Levers of issues, groups and actions, instead of the declared ones.
    pub levers: BTreeMap<String, f64>,
    /// Weights of weighing principles by position, instead of the declared ones.
    pub weights: BTreeMap<u16, f64>,
    /// The variant of the strategy that decides.
    pub variant: Option<String>,
}

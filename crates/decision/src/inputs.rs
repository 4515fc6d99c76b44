//! Everything a decision may know besides the strategy and the request.

use crate::{
    experiment::Enrolled,
    id::{ActionId, PlacementId},
    profile::{Attributes, Customer},
    strategy::ActionIndex,
};
use learning::Predictor;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The inputs of one decision. No clock and no store: whoever calls has read them. Moments are whole
/// milliseconds, as records keep them; a finer one could come out otherwise when it is replayed.
pub struct Inputs<'a> {
    /// The recognised customer; `None` gives a contextual decision without a profile.
    pub customer: Option<&'a Customer>,
    /// The household's own attributes, possibly a little stale.
    pub household: Option<&'a Attributes>,
    /// Remaining volume per limited action; an action that is not listed is not limited.
    pub quotas: &'a BTreeMap<ActionId, u64>,
    /// The model that estimates propensities.
    pub predictor: &'a dyn Predictor,
    /// Whether this customer is in a control group.
    pub assignment: Assignment,
    /// The arms of the experiments that this customer is in; at most one arm per experiment.
    pub experiments: &'a [Enrolled],
    /// What the answers to questions are worth, by action, when it was recorded; `None` works it out.
    pub recorded_worth: Option<&'a [(ActionIndex, f32)]>,
    /// Factors changed by hand to see what would happen; empty for a decision that counts.
    pub adjustments: &'a [Adjustment],
}

/// How this customer's decisions are made in the present control period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// By the strategy.
    #[default]
    Strategy,
    /// By chance among what is relevant and allowed, to measure what the arbitration adds.
    RandomRelevant,
    /// Silence, to measure what acting adds; service and mandatory messages still go out.
    Silence,
    /// By the strategy of before, to measure what the present one adds; it is a variant of the strategy.
    Today,
    /// By the strategy without its levers, to measure what they add.
    WithoutLevers,
    /// By how likely the goal is and nothing else, to measure what values, weights and costs add.
    PropensityOnly,
    /// By the strategy without applicability and suitability, to measure what they add. For worked examples and
    /// simulated customers: nobody is told what does not suit them in order to measure something.
    EligibilityOnly,
}

/// One factor of a candidate, changed to see what would happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Of which candidate's action.
    pub action: ActionId,
    /// At which placement.
    pub placement: PlacementId,
    /// Which factor.
    pub factor: Factor,
    /// Multiplied with the factor (`Propensity`, `ContextWeight`, `Lever`) or added in euro (`Value`, `Cost`).
    pub by: f64,
}

/// The factors of a priority (decision semantics, arbitration).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// The probability gained by acting, a ratio.
    Propensity,
    /// The value of the goal, an amount in euro.
    Value,
    /// The weight of the moment, a ratio.
    ContextWeight,
    /// The lever, a ratio.
    Lever,
    /// Contact cost and fatigue, an amount in euro.
    Cost,
}

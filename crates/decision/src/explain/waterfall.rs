//! The arithmetic of one priority, term by term: P · V, weighed by C and L, minus cost and fatigue.

use crate::{arbitration::Priority, candidate::Candidate};
use serde::Serialize;

/// `priority = lever · context_weight · max(0, gain) + min(0, gain) − contact_cost − fatigue`, where
/// `gain = probability_gained · value + side_value`. All values in euro, probabilities in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Waterfall {
    /// P(goal | act).
    pub propensity: f64,
    /// Standard deviation of its logit.
    pub deviation: f64,
    /// Effective number of earlier contacts that taught about it.
    pub evidence: f32,
    /// P(goal | not act); `None` while not known.
    pub baseline: Option<f64>,
    /// The baseline is not known: what would have happened anyway is credited too.
    pub gross: bool,
    /// P: what acting adds to the probability.
    pub probability_gained: f64,
    /// Value of the goal for the customer.
    pub value_for_customer: f64,
    /// Value of the goal for the organisation.
    pub value_for_organisation: f64,
    /// V: both ledgers weighed, with what knowing the answer to a question is worth.
    pub value: f64,
    /// Of which for knowing the answer.
    pub worth_knowing: f64,
    /// Expected value of the side outcomes, mostly negative.
    pub side_value: f64,
    /// P · V with the side outcomes.
    pub gain: f64,
    /// C: weight of the moment.
    pub context_weight: f64,
    /// L: lever.
    pub lever: f64,
    /// The gain after C and L; a loss is not weighed.
    pub weighed_gain: f64,
    /// Cost of the contact.
    pub contact_cost: f64,
    /// What recent contacts cost in attention.
    pub fatigue: f64,
    /// The priority; silence is 0.
    pub priority: f64,
}

impl Waterfall {
    pub(super) fn new(candidate: &Candidate, priority: &Priority) -> Self {
        Self {
            propensity: priority.propensity,
            deviation: priority.deviation,
            evidence: candidate.predictions.first().map_or(0.0, |prediction| prediction.evidence),
            baseline: priority.baseline,
            gross: priority.baseline.is_none(),
            probability_gained: priority.gain_in_probability(),
            value_for_customer: priority.value_for_customer,
            value_for_organisation: priority.value_for_organisation,
            value: priority.value + priority.worth_knowing,
            worth_knowing: priority.worth_knowing,
            side_value: priority.side_value,
            gain: priority.gain(),
            context_weight: priority.context_weight,
            lever: priority.lever,
            weighed_gain: priority.total + priority.contact_cost + priority.fatigue,
            contact_cost: priority.contact_cost,
            fatigue: priority.fatigue,
            priority: priority.total,
        }
    }
}

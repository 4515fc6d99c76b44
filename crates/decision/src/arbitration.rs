//! What is this worth, in euro, compared to saying nothing?
//!
//! `G = Σ_k Δp_k · v_k` over the goal and the side outcomes, `v_k = w_customer · value_for_customer +
//! w_organisation · value_for_organisation`, `Δp_k = P(k | act) − P(k | not act)`; the second term is 0,
//! and the score *gross*, while nothing supports it.
//! `priority = lever · context_weight · max(0, G) + min(0, G) − contact_cost − fatigue`. Silence is 0.

use crate::{
    candidate::{Candidate, Dropped},
    catalogue::sayable,
    contact_policy::Situation,
    experiment::Overlay,
    inputs::{Assignment, Factor, Inputs},
    principles,
    reading::{Moment, Reading},
    request::Request,
    strategy::{Action, Strategy},
};
use learning::Prediction;

/// The arithmetic of one priority, all values in euro, probabilities in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Priority {
    /// P(goal | act).
    pub propensity: f64,
    /// Standard deviation of the propensity's logit.
    pub deviation: f64,
    /// P(goal | not act); `None` means not yet known, and the score is gross.
    pub baseline: Option<f64>,
    /// Value of the goal for the customer.
    pub value_for_customer: f64,
    /// Value of the goal for the organisation.
    pub value_for_organisation: f64,
    /// Value of the goal, both ledgers weighed.
    pub value: f64,
    /// What knowing the answer to a question adds to it; see [`crate::questions`].
    pub worth_knowing: f64,
    /// Expected value of the side outcomes, both ledgers weighed.
    pub side_value: f64,
    /// Expected value of the side outcomes for the customer.
    pub side_value_for_customer: f64,
    /// `1 + Σ weights` of the principles that weigh, above 0.
    pub context_weight: f64,
    /// `1 + issue + group + action`, above 0.
    pub lever: f64,
    /// Cost of the contact.
    pub contact_cost: f64,
    /// What recent contacts cost in attention.
    pub fatigue: f64,
    /// The priority.
    pub total: f64,
}

impl Priority {
    /// What acting adds to the probability of the goal.
    pub fn gain_in_probability(&self) -> f64 {
        self.propensity - self.baseline.unwrap_or(0.0)
    }
    /// `G`: what acting is expected to be worth.
    pub fn gain(&self) -> f64 {
        self.gain_at(self.propensity)
    }
    /// What acting is expected to be worth to the customer.
    pub fn gain_for_customer(&self) -> f64 {
        self.gain_in_probability() * self.value_for_customer + self.side_value_for_customer
    }
    /// The priority if the propensity were this.
    pub fn at_propensity(&self, propensity: f64) -> f64 {
        let gain = self.gain_at(propensity);
        self.lever * self.context_weight * gain.max(0.0) + gain.min(0.0) - self.contact_cost - self.fatigue
    }
    /// The priority if the logit of the propensity were `z` standard deviations away.
    pub fn at_deviation(&self, z: f64) -> f64 {
        let odds = self.propensity / (1.0 - self.propensity) * libm::exp(z * self.deviation);
        self.at_propensity(odds / (1.0 + odds))
    }

    /// The priorities `z` standard deviations up and down.
    pub fn at_deviations(&self, z: f64) -> [f64; 2] {
        let (odds, by) = (self.propensity / (1.0 - self.propensity), libm::exp(z * self.deviation));
        [odds * by, odds / by].map(|odds| self.at_propensity(odds / (1.0 + odds)))
    }

    fn gain_at(&self, propensity: f64) -> f64 {
        (propensity - self.baseline.unwrap_or(0.0)) * (self.value + self.worth_knowing) + self.side_value
    }

    /// The same as a layer of the strategy would see it on its own.
    fn in_layer(mut self, assignment: Assignment) -> Self {
        if matches!(assignment, Assignment::WithoutLevers | Assignment::PropensityOnly) {
            self.lever = 1.0;
        }
        if assignment == Assignment::PropensityOnly {
            (self.value, self.side_value, self.baseline) = (1.0, 0.0, None);
            (self.context_weight, self.contact_cost, self.fatigue) = (1.0, 0.0, 0.0);
        }
        self
    }

    /// The same with knowing the answer counted towards the value of the goal.
    pub fn with_worth_knowing(mut self, worth: f64) -> Self {
        self.worth_knowing = worth;
        self.total = self.at_propensity(self.propensity);
        self
    }

    /// The same with one factor changed.
    pub fn adjusted(mut self, factor: Factor, by: f64) -> Self {
        match factor {
            Factor::Propensity => self.propensity = (self.propensity * by).clamp(1e-6, 1.0 - 1e-6),
            Factor::Value => self.value += by,
            Factor::ContextWeight => self.context_weight *= by,
            Factor::Lever => self.lever *= by,
            Factor::Cost => self.contact_cost += by,
        }
        self.total = self.at_propensity(self.propensity);
        self
    }
}

/// Gives every candidate still in the running its priority; drops what has no known value.
pub fn rank(
    situation: &Situation<'_>,
    candidates: &mut [Candidate],
    moment: &Moment<'_>,
    language: usize,
    inputs: &Inputs<'_>,
) {
    let Situation { strategy, request, permitted, overlay, .. } = *situation;
    let fatigue = fatigue(situation);
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let action = &strategy.actions[usize::from(candidate.action)];
        let Ok(view) = permitted.view(action.purpose) else {
            continue;
        };
        let facts = Reading { view, moment };
        let values =
            action.value_for_customer.number(&facts).zip(action.value_for_organisation.number(&facts));
        let Some((value_for_customer, value_for_organisation)) = values else {
            candidate.drop_because(Dropped::ValueUnknown);
            continue;
        };
        let cost = |treatment| contact_cost(strategy, action, treatment, request);
        let forms = sayable(situation, candidate, language).map(|form| (cost(form), form));
        let cheapest = forms.reduce(|best, next| if next.0 < best.0 { next } else { best });
        let Some((contact_cost, treatment)) = cheapest else {
            continue;
        };
        candidate.treatment = Some(treatment);
        let goal = candidate.predictions[0];
        let (side_value, side_value_for_customer) = side_values(strategy, &candidate.predictions[1..]);
        let priority = Priority {
            propensity: f64::from(goal.probability),
            deviation: f64::from(goal.deviation),
            baseline: goal.baseline.map(f64::from),
            value_for_customer,
            value_for_organisation,
            value: weigh(strategy, value_for_customer, value_for_organisation),
            worth_knowing: 0.0,
            side_value,
            side_value_for_customer,
            context_weight: principles::context_weight(strategy, overlay, candidate.action, &facts),
            lever: lever(strategy, overlay, action),
            contact_cost,
            fatigue,
            total: 0.0,
        };
        let mut priority = priority.in_layer(inputs.assignment);
        priority.total = priority.at_propensity(priority.propensity);
        let placement = &strategy.placements[usize::from(candidate.placement)].id;
        let own = inputs
            .adjustments
            .iter()
            .filter(|change| change.action == action.id && change.placement == *placement);
        candidate.priority =
            Some(own.fold(priority, |priority, change| priority.adjusted(change.factor, change.by)));
    }
}

fn weigh(strategy: &Strategy, for_customer: f64, for_organisation: f64) -> f64 {
    let weights = strategy.organisation.weights;
    weights.customer * for_customer + weights.organisation * for_organisation
}

fn side_values(strategy: &Strategy, predictions: &[Prediction]) -> (f64, f64) {
    let (mut both, mut customer) = (0.0, 0.0);
    for (side, prediction) in strategy.organisation.outcomes.iter().zip(predictions) {
        let gain = f64::from(prediction.probability) - prediction.baseline.map_or(0.0, f64::from);
        both += gain * weigh(strategy, side.value_for_customer, side.value_for_organisation);
        customer += gain * side.value_for_customer;
    }
    (both, customer)
}

fn lever(strategy: &Strategy, overlay: &Overlay<'_>, action: &Action) -> f64 {
    let levers = &strategy.organisation.levers;
    let of = |scope: &str| overlay.lever(scope).or(levers.get(scope).copied()).unwrap_or(0.0);
    let own = overlay.lever(action.id.as_str()).unwrap_or(action.lever);
    1.0 + of(action.id.issue()) + of(action.id.group()) + own
}

/// What one form of an action costs: its own cost, else the channel's.
fn contact_cost(strategy: &Strategy, action: &Action, treatment: u16, request: &Request) -> f64 {
    let own = action.treatments[usize::from(treatment)].contact_cost;
    let channel = strategy.channel(request.channel.as_str());
    own.or(channel.map(|channel| channel.contact_cost)).unwrap_or(0.0)
}

fn fatigue(situation: &Situation<'_>) -> f64 {
    let attention = situation.strategy.organisation.attention;
    let contacts = situation.history.contacts("", situation.at, attention.within);
    f64::from(contacts) * attention.fatigue
}

//! What was it worth? Policies side by side, in both ledgers, with the customer as the unit.
//!
//! Worth is what became of a customer minus what became of the same customer, with the same luck, in a
//! world where nobody said anything: what would have happened anyway is not credited.

use super::{drive::Course, policy::Policy};
use crate::energy::Ledger;
use insight::{interval::Interval, quality::Quality};
use serde::Serialize;

const CALIBRATION_BINS: usize = 10;

/// The worth of a policy, in euro per customer over the whole period.
#[derive(Debug, Clone, Serialize)]
pub struct Worth {
    /// For the customer.
    pub customer: Interval,
    /// For the organisation, after the cost of contacts.
    pub organisation: Interval,
    /// Both together.
    pub combined: Interval,
}

/// One policy's line.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Which policy.
    pub policy: Policy,
    /// Its worth above silence.
    pub worth: Worth,
    /// Decisions made.
    pub decisions: u64,
    /// Share of slots in which nothing was said, 0 to 1.
    pub silence_share: f64,
    /// Messages per customer.
    pub contacts: f64,
    /// Complaints per thousand customers.
    pub complaints: f64,
    /// Requests to stop per thousand customers.
    pub opt_outs: f64,
}

/// What the demo found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Customers in the world.
    pub customers: usize,
    /// Days lived.
    pub days: i64,
    /// Seed of the world.
    pub seed: u64,
    /// Policies side by side.
    pub lines: Vec<Line>,
    /// Shipped minus random, customer by customer.
    pub gain_over_random: Worth,
    /// Share of the way from random to truth that shipped covers.
    pub share_of_truth: f64,
    /// Shipped minus random in a world whose outcomes follow from nothing, before the cost of contacts.
    pub gain_when_shuffled: Interval,
    /// Complaints per thousand customers when nobody says anything.
    pub complaints_in_silence: f64,
    /// The shipped model's estimates against what happened, in the second half of the period.
    pub model: Quality,
    /// The AUC that the true probabilities reach on the same messages.
    pub auc_of_truth: Option<f64>,
    /// Reports the engine refused; 0 in a sound world.
    pub refused: u64,
}

impl Worth {
    /// One customer's ledger minus another life of the same customer, over all customers.
    pub fn of_difference(ours: &[Ledger], theirs: &[Ledger]) -> Self {
        let over = |value: fn(&Ledger) -> f64| {
            let values = |ledgers: &[Ledger]| ledgers.iter().map(value).collect::<Vec<f64>>();
            Interval::of_difference(&values(ours), &values(theirs))
        };
        Self {
            customer: over(|ledger| ledger.customer),
            organisation: over(|ledger| ledger.organisation - ledger.contact_cost),
            combined: over(|ledger| ledger.customer + ledger.organisation - ledger.contact_cost),
        }
    }
}

/// The difference in what came of it, whatever was spent on saying it.
pub fn before_costs(ours: &[Ledger], theirs: &[Ledger]) -> Interval {
    let values = |ledgers: &[Ledger]| {
        ledgers.iter().map(|ledger| ledger.customer + ledger.organisation).collect::<Vec<f64>>()
    };
    Interval::of_difference(&values(ours), &values(theirs))
}

/// One policy's line, against the silent world.
pub fn line(policy: Policy, course: &Course, silent: &[Ledger]) -> Line {
    Line {
        policy,
        worth: Worth::of_difference(&course.ledgers, silent),
        decisions: course.funnel.decisions,
        silence_share: course.funnel.silence_share(),
        contacts: mean(&course.ledgers, |ledger| ledger.contacts),
        complaints: 1000.0 * mean(&course.ledgers, |ledger| ledger.complaints),
        opt_outs: 1000.0 * mean(&course.ledgers, |ledger| ledger.opt_outs),
    }
}

/// Mean count per customer.
pub fn mean(ledgers: &[Ledger], count: impl Fn(&Ledger) -> u32) -> f64 {
    ledgers.iter().map(|ledger| f64::from(count(ledger))).sum::<f64>() / ledgers.len().max(1) as f64
}

/// Quality of the shipped model, and the AUC of the truth on the same messages.
pub fn model(course: &Course) -> (Quality, Option<f64>) {
    let truth = Quality::of(&course.true_odds, CALIBRATION_BINS);
    (Quality::of(&course.estimated, CALIBRATION_BINS), truth.auc)
}

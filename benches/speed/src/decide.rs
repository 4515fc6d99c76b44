//! How long does one decision take, without transport and store: 64 learned attributes, the shipped
//! learner, 10 to 10,000 actions?

use crate::{measure, organisation};
use decision::{
    decide,
    inputs::{Assignment, Inputs},
};
use std::{collections::BTreeMap, hint::black_box};

pub struct Figure {
    pub actions: usize,
    pub decide_us: f64,
    pub encode_us: f64,
    pub record_bytes: usize,
    pub weighed: f64,
}

pub fn run(actions: usize) -> Figure {
    let strategy = organisation::strategy(actions);
    let snapshot = organisation::snapshot(actions, (actions * 20).clamp(2_000, 40_000));
    let customers: Vec<_> = (0..64).map(organisation::customer).collect();
    let (request, at, quotas) = (organisation::request(), organisation::now(), BTreeMap::new());
    let decide = |number: usize| {
        let inputs = Inputs {
            customer: Some(&customers[number % customers.len()]),
            household: None,
            quotas: &quotas,
            predictor: &snapshot,
            assignment: Assignment::Strategy,
            experiments: &[],
            recorded_worth: None,
            adjustments: &[],
        };
        decide::decide(&strategy, &inputs, &request, at, number as u64)
    };
    let decisions: Vec<_> = (0..64).map(decide).collect();
    let weighed = decisions.iter().map(|decision| decision.estimated_actions().len()).sum::<usize>();
    let bytes = decisions.iter().map(|decision| decision.encode().len()).sum::<usize>();
    Figure {
        actions,
        decide_us: measure::microseconds(|number| drop(black_box(decide(number)))),
        encode_us: measure::microseconds(|number| drop(black_box(decisions[number % 64].encode()))),
        record_bytes: bytes / 64,
        weighed: weighed as f64 / 64.0,
    }
}

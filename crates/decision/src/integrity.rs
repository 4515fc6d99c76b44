//! Is this good enough for the customer to be said at all? The customer-value floor, stricter for
//! vulnerable customers, and the control group that is left in silence.
//!
//! Service and mandatory messages skip both, and what the organisation spares skips the second: nobody is
//! left without a safety notice or a payment plan to measure something.

use crate::{
    candidate::{Candidate, Dropped},
    inputs::Assignment,
    reading::Reading,
    rules::Truth,
    strategy::{Class, Strategy},
};

/// Whether this customer is vulnerable, read in the protection view; not knowing counts as yes.
pub fn vulnerable(strategy: &Strategy, protection: &Reading<'_>, recognised: bool) -> bool {
    recognised
        && strategy
            .organisation
            .vulnerable
            .as_ref()
            .is_some_and(|rule| rule.truth(protection) != Truth::False)
}

/// Least expected value for the customer, in euro.
pub fn floor(strategy: &Strategy, vulnerable: bool) -> f64 {
    let organisation = &strategy.organisation;
    if vulnerable { organisation.customer_floor_vulnerable } else { organisation.customer_floor }
}

/// Drops what is below the floor, and everything normal for the silent control group.
pub fn apply(strategy: &Strategy, candidates: &mut [Candidate], assignment: Assignment, vulnerable: bool) {
    let organisation = &strategy.organisation;
    let floor = if vulnerable { organisation.customer_floor_vulnerable } else { organisation.customer_floor };
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let action = &strategy.actions[usize::from(candidate.action)];
        let Some(priority) = candidate.priority.filter(|_| action.class == Class::Normal) else {
            continue;
        };
        let expected = priority.gain_for_customer();
        if expected < floor {
            candidate.drop_because(Dropped::BelowFloor { expected: expected as f32, floor: floor as f32 });
        } else if assignment == Assignment::Silence && !action.spared {
            candidate.drop_because(Dropped::ControlGroup);
        }
    }
}

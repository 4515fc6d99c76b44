//! Does a withdrawn customer stop teaching?

use learning::{Config, Features, Learner, Row};

use crate::journal::*;

const ACTION: &str = "sales/bread/rye";

fn withdrawal(purpose: Option<&str>) -> Row {
    Row::Withdrawal { at_ms: 1, subject: 1, purpose: purpose.map(Into::into) }
}

fn evidence_after(rows: &[Row]) -> f32 {
    let mut learner = learned(Config::default(), rows);
    learner.advance(100 * DAY_MS);
    goal(&learner, &Features::default(), ACTION).evidence
}

#[test]
fn open_exposures_of_a_withdrawn_customer_never_train() {
    let shown = Row::Exposure(exposure(1, 1, 0, ACTION));
    for purpose in [None, Some("marketing")] {
        let withdrawn = withdrawal(purpose);
        for outcome in [bought(DAY_MS, 1, None), bought(DAY_MS, 1, Some(id(1)))] {
            let rows = [shown.clone(), withdrawn.clone(), shown.clone(), outcome];
            assert_eq!(evidence_after(&rows), 0.0);
        }
    }
    assert_eq!(evidence_after(&[shown]), 1.0);
}

#[test]
fn a_withdrawal_for_another_purpose_or_of_another_customer_changes_nothing() {
    let shown = Row::Exposure(exposure(1, 1, 0, ACTION));
    let others = Row::Exposure(exposure(2, 2, 0, ACTION));
    assert_eq!(evidence_after(&[shown.clone(), withdrawal(Some("service"))]), 1.0);
    assert_eq!(evidence_after(&[shown, others, withdrawal(None)]), 1.0);
}

#[test]
fn outcomes_waiting_for_their_exposure_are_dropped_too() {
    for named in [None, Some(id(1))] {
        let mut learner = Learner::new(Config::default());
        learner.apply(&bought(1, 1, named));
        learner.apply(&withdrawal(None));
        learner.apply(&Row::Exposure(exposure(1, 1, 0, ACTION)));
        assert_eq!(goal(&learner, &Features::default(), ACTION).evidence, 0.0);
    }
}

//! Is the model a function of its rows, and of nothing else?

use learning::{Config, DecodeError, Features, Learner, ModelVersion, Predictor, Prior, Row, Snapshot};

use crate::journal::*;

pub fn fold(rows: &[Row]) -> Learner {
    learned(Config::default(), rows)
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let rows = mixed(1, 300);
    let (first, second) = (fold(&rows).snapshot(), fold(&rows).snapshot());
    assert_eq!(first.encode(), second.encode());
    assert_eq!(first.version(), second.version());
    assert_ne!(fold(&mixed(2, 300)).snapshot().version(), first.version());
}

#[test]
fn a_checkpoint_plus_the_tail_equals_the_whole() {
    let rows = mixed(1, 300);
    let (head, tail) = rows.split_at(rows.len() / 2);
    let bytes = postcard::to_stdvec(&fold(head)).unwrap();
    let mut resumed: Learner = postcard::from_bytes(&bytes).unwrap();
    tail.iter().for_each(|row| resumed.apply(row));
    let whole = fold(&rows);
    assert_eq!(postcard::to_stdvec(&resumed).unwrap(), postcard::to_stdvec(&whole).unwrap());
    assert_eq!(resumed.snapshot().encode(), whole.snapshot().encode());
}

#[test]
fn one_customer_left_out_equals_never_having_seen_that_customer() {
    let everyone = mixed(1, 120);
    let nobody_else = mixed(1, 119);
    let of_the_last = |row: &&Row| match row {
        Row::Exposure(exposure) => exposure.subject == 120,
        Row::Outcome { subject, .. } | Row::Withdrawal { subject, .. } => *subject == 120,
    };
    assert!(everyone.iter().any(|row| of_the_last(&row)));
    let rebuilt: Vec<_> = everyone.iter().filter(|row| !of_the_last(row)).cloned().collect();
    let never_seen = fold(&nobody_else).snapshot();
    assert_eq!(fold(&rebuilt).snapshot().encode(), never_seen.encode());
    assert_ne!(fold(&everyone).snapshot().encode(), never_seen.encode());
}

#[test]
fn a_clock_that_runs_back_between_rows_loses_nothing() {
    let late = [
        Row::Exposure(exposure(1, 1, 50 * DAY_MS, "sales/bread/rye")),
        Row::Exposure(exposure(2, 2, 49 * DAY_MS, "sales/bread/rye")),
        bought(49 * DAY_MS + 1, 2, None),
    ];
    let mut learner = fold(&late);
    learner.advance(50 * DAY_MS + 1);
    assert_eq!(goal(&learner, &Features::default(), "sales/bread/rye").evidence, 1.0);
}

#[test]
fn a_snapshot_read_back_answers_the_same_under_the_same_name() {
    let snapshot = fold(&mixed(1, 200)).snapshot();
    let back = Snapshot::decode(&snapshot.encode()).unwrap();
    assert_eq!(back, snapshot);
    let features = Features::new(vec![number("age", 44.0)]);
    for arm in [arm("sales/group0/action1"), arm("sales/group1/new")] {
        assert_eq!(back.expect(&features, arm), snapshot.expect(&features, arm));
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_snapshot_is_noticed() {
    let bytes = fold(&mixed(1, 20)).snapshot().encode();
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1 << (position % 8);
        assert!(Snapshot::decode(&damaged).is_err(), "byte {position}");
    }
    assert_eq!(Snapshot::decode(&bytes[..20]), Err(DecodeError::CutShort));
    assert_eq!(Snapshot::decode(&[]), Err(DecodeError::CutShort));
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(Snapshot::decode(&longer), Err(DecodeError::Damaged));
}

#[test]
fn a_model_that_has_only_seen_columns_is_another_model() {
    let fresh = Learner::new(Config::default()).snapshot();
    assert_ne!(fresh.version(), ModelVersion::NONE);
    let back = Snapshot::decode(&fresh.encode()).unwrap();
    assert_eq!(back.version(), fresh.version());
    let mut learner = Learner::new(Config::default());
    learner.apply(&mixed(1, 1)[0]);
    assert_ne!(learner.snapshot().version(), fresh.version());
}

#[test]
fn an_action_starts_at_its_own_declared_rate_and_learns_from_there() {
    let declared = |probability| {
        let outcome = "goal".into();
        vec![Prior { outcome, probability }]
    };
    let ask = |learner: &Learner, action: &str| {
        learner.snapshot().expect(&Features::default(), arm(action)).probability
    };
    let mut learner = fold(&mixed(3, 40));
    let others = ask(&learner, "care/arrears/unheard");
    learner.declare("care/arrears/unheard".into(), declared(0.3));
    let own = ask(&learner, "care/arrears/unheard");
    assert!(own > others, "{own} after {others}");
    learner.declare("care/arrears/unheard".into(), declared(0.9));
    assert_eq!(ask(&learner, "care/arrears/unheard"), own);
    let mut fresh = Learner::new(Config::default());
    fresh.declare("a/b/c".into(), declared(0.3));
    assert!((ask(&fresh, "a/b/c") - 0.3).abs() < 1e-6);
}

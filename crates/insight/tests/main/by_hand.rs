//! The estimators on eight rows, against values computed apart from this code (numpy, from the formulas).

use insight::off_policy::{Estimator, Log, Policy, Row, Target, Unusable, Verdict, Wanting};

const LOGGED: [f64; 8] = [0.5, 0.25, 0.8, 0.1, 0.4, 0.05, 1.0, 0.6];
const TARGET: [f64; 8] = [0.4, 0.5, 0.1, 0.3, 0.4, 0.2, 0.9, 0.0];
const REWARD: [f64; 8] = [0.0, 1.0, 0.0, 2.5, -3.0, 1.0, 0.5, 4.0];
const EXPECTED: [f64; 8] = [0.2, 0.7, 0.1, 1.5, -1.0, 0.4, 0.3, 2.0];
const EXPECTED_OF_TARGET: [f64; 8] = [0.3, 0.6, 0.5, 1.0, -0.5, 0.6, 0.4, 0.1];
const CLUSTER: [u128; 8] = [0, 0, 1, 2, 2, 3, 4, 4];

fn row(index: usize) -> Row {
    Row {
        cluster: CLUSTER[index],
        propensity: Some(LOGGED[index]),
        reward: REWARD[index],
        expected: EXPECTED[index],
        ours: Target { probability: TARGET[index], expected: EXPECTED_OF_TARGET[index], unsupported: 0.0 },
        theirs: Target { probability: LOGGED[index], expected: EXPECTED[index], unsupported: 0.0 },
    }
}

fn log() -> Log {
    Log::new((0..8).map(row))
}

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

#[test]
fn each_estimator_gives_what_its_formula_gives_by_hand() {
    let value = |estimator| log().value(Policy::Ours, estimator).mean;
    close(value(Estimator::Ips), 1.36875);
    close(value(Estimator::Snips), 0.926_004_228_329_809_8);
    close(value(Estimator::Dr), 0.875_937_5);
    close(value(Estimator::SwitchDr(2.5)), 0.200_937_5);
    close(value(Estimator::SwitchDr(1e9)), 0.875_937_5);
}

#[test]
fn the_interval_over_customers_is_the_one_by_hand() {
    let interval = log().value(Policy::Ours, Estimator::Dr);
    assert_eq!(interval.customers, 5);
    close(interval.low, 0.22398333056884778);
    close(interval.high, 4.279218530093019);
}

#[test]
fn effective_sample_sizes_are_the_ones_by_hand() {
    let support = log().support();
    close(support.effective, 4.443_916_972_887_079);
    close(support.changed, 0.271_875);
    close(support.tried, 2.571_428_571_428_571_6);
}

#[test]
fn a_policy_valued_on_its_own_log_is_worth_the_mean_reward() {
    let mean = REWARD.iter().sum::<f64>() / 8.0;
    for estimator in [Estimator::Ips, Estimator::Snips, Estimator::Dr, Estimator::SwitchDr(5.0)] {
        close(log().value(Policy::Theirs, estimator).mean, mean);
    }
}

#[test]
fn the_difference_of_two_values_is_their_difference() {
    for estimator in [Estimator::Ips, Estimator::Snips, Estimator::Dr, Estimator::SwitchDr(2.5)] {
        let (ours, theirs) = (log().value(Policy::Ours, estimator), log().value(Policy::Theirs, estimator));
        close(log().difference(estimator).mean, ours.mean - theirs.mean);
    }
}

#[test]
fn the_same_policy_differs_by_exactly_nothing() {
    let same = |index| Row { ours: row(index).theirs, ..row(index) };
    let log = Log::new((0..8).map(same));
    let difference = log.difference(Estimator::Dr);
    assert_eq!((difference.low, difference.mean, difference.high), (0.0, 0.0, 0.0));
    assert_eq!(log.verdict(Estimator::Dr), Verdict::Undecided);
    let never_tried = |index| {
        let same = Target { unsupported: 0.5, ..row(index).theirs };
        Row { ours: same, theirs: same, ..row(index) }
    };
    assert_eq!(Log::new((0..8).map(never_tried)).verdict(Estimator::Dr), Verdict::Undecided);
}

#[test]
fn rows_that_cannot_be_used_are_counted_by_reason_and_change_nothing() {
    let with = |propensity| Row { propensity, ..row(0) };
    let broken = [
        with(None),
        with(Some(0.0)),
        with(Some(-0.1)),
        with(Some(1.5)),
        with(Some(f64::NAN)),
        Row { reward: f64::NAN, ..row(1) },
        Row { reward: f64::INFINITY, ..row(1) },
        Row { ours: Target { probability: 1.2, ..row(1).ours }, ..row(1) },
        Row { expected: f64::NAN, ..row(1) },
    ];
    let rows = (0..8).map(row).chain(broken);
    let found = Log::new(rows);
    let wanted = Unusable {
        propensity_unknown: 1,
        propensity_zero: 2,
        propensity_invalid: 2,
        target_invalid: 1,
        reward_invalid: 2,
        expectation_invalid: 1,
    };
    assert_eq!((found.unusable(), found.unusable().total(), found.len()), (wanted, 9, 8));
    assert_eq!(found.value(Policy::Ours, Estimator::Dr), log().value(Policy::Ours, Estimator::Dr));
}

#[test]
fn without_support_the_verdict_is_refused_in_words_that_say_what_is_needed() {
    let Verdict::TooLittle(wanting) = log().verdict(Estimator::Dr) else {
        panic!("eight rows prove nothing");
    };
    assert_eq!(
        wanting.to_string(),
        "too little evidence: effective n 3 of 8 for what would change; about 304 more decisions with the same \
         exploration would be needed"
    );
    assert_eq!(Log::default().verdict(Estimator::Ips), Verdict::TooLittle(Wanting::Empty));
}

#[test]
fn what_the_log_could_never_have_chosen_is_not_judged() {
    let new_action = |index| {
        let ours = Target { probability: 0.5 * LOGGED[index], unsupported: 0.5, ..row(index).ours };
        Row { ours, ..row(index) }
    };
    let log = Log::new((0..8).cycle().take(80_000).map(new_action));
    let Verdict::TooLittle(Wanting::Unsupported { share }) = log.verdict(Estimator::Dr) else {
        panic!("nobody knows what the new action does");
    };
    close(share, 1.0);
}

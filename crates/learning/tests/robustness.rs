//! Does the model stay finite, whatever columns and clocks it is fed?

use learning::{Config, Exposure, FeatureValue, Features, Learner, Predictor, Row};
use proptest::prelude::*;

use crate::journal::*;

fn sound(learner: &Learner, features: &Features) -> bool {
    let snapshot = learner.snapshot();
    ["sales/bread/rye", "sales/cake/apple", "x"]
        .map(|action| snapshot.expect(features, arm(action)))
        .iter()
        .all(|found| {
            found.probability > 0.0
                && found.probability < 1.0
                && found.deviation.is_finite()
                && found.deviation >= 0.0
                && found.evidence.is_finite()
                && found.baseline.is_none_or(|baseline| baseline > 0.0 && baseline < 1.0)
        })
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(7.0),
        Just(1e300),
        Just(-1e300),
        Just(f64::MIN_POSITIVE),
        Just(f64::NAN),
        Just(f64::INFINITY),
        -10.0..10.0,
    ]
}

fn any_features() -> impl Strategy<Value = Features> {
    (any_number(), any_number(), any::<bool>(), 0..40_u8, -1.0_f32..2.0).prop_map(
        |(first, second, flag, word, confidence)| {
            let mut features = vec![
                number("constant", 3.0),
                number("first", first),
                number("same as first", first),
                number("second", second),
                feature("flag", FeatureValue::Flag(flag)),
                feature("word", FeatureValue::Category(format!("{word}").into())),
            ];
            features.iter_mut().for_each(|it| it.confidence = confidence);
            if word % 3 == 0 {
                features.truncate(3);
            }
            Features::new(features)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn constant_exploding_missing_and_duplicated_columns_never_give_nan(
        steps in prop::collection::vec((any_features(), 0..2_usize, any::<bool>(), any::<bool>()), 1..150)
    ) {
        let mut learner = Learner::new(Config::default());
        for (decision, (features, action, acted, converted)) in (0_u128..).zip(&steps) {
            let action = ["sales/bread/rye", "sales/cake/apple"][*action];
            let shown = Exposure {
                features: features.clone(),
                acted: *acted,
                ..exposure(decision, decision, decision as i64 * DAY_MS, action)
            };
            for row in immediate(shown, *converted) {
                learner.apply(&row);
            }
        }
        for (features, ..) in &steps {
            prop_assert!(sound(&learner, features));
        }
    }

    #[test]
    fn rows_dated_anywhere_do_no_harm(
        times in prop::collection::vec((any::<i64>(), any::<i64>(), 0..5_u128, any::<bool>()), 1..60)
    ) {
        let mut learner = Learner::new(Config::default());
        for (decision, (at_ms, outcome_ms, subject, named)) in (0_u128..).zip(&times) {
            learner.apply(&Row::Exposure(exposure(decision, *subject, *at_ms, "sales/bread/rye")));
            learner.apply(&bought(*outcome_ms, *subject, named.then(|| id(decision))));
        }
        learner.advance(i64::MAX);
        prop_assert!(sound(&learner, &Features::default()));
    }
}

#[test]
fn years_of_a_one_sided_stream_stay_sound() {
    let mut learner = Learner::new(Config::default());
    let features = Features::new(vec![number("age", 40.0), number("twice", 80.0)]);
    for decision in 0..5_000_u128 {
        let shown = Exposure {
            features: features.clone(),
            ..exposure(decision, decision, decision as i64 * DAY_MS, "sales/bread/rye")
        };
        for row in immediate(shown, false) {
            learner.apply(&row);
        }
    }
    assert!(sound(&learner, &features));
    assert!(goal(&learner, &features, "sales/bread/rye").probability < 0.005);
}

#[test]
fn values_that_are_no_number_are_counted_and_treated_as_missing() {
    let shown = |value| {
        let features = Features::new(vec![number("age", value)]);
        Row::Exposure(Exposure { features, ..exposure(1, 1, 0, "sales/bread/rye") })
    };
    let learner = learned(Config::default(), &[shown(f64::NAN)]);
    assert_eq!(learner.rejected().non_finite_values, 1);
    let missing = learned(Config::default(), &[shown(1.0)]);
    assert_eq!(missing.rejected().non_finite_values, 0);
}

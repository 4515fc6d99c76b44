//! A fact that is wrong about four customers in ten: what is its confidence worth?

use insight::interval::Interval;
use learning::{
    Arm, Config, Expected, Exposure, ExposureId, Feature, FeatureValue, Features, Learner, Predictor, Row,
    exploration::keyed_uniform,
};

const CUSTOMERS: u64 = 6_000;
const GAIN: f64 = 12.0;
const COST: f64 = 1.0;
/// Of a value that no source contradicts, and of one that another source does.
const SURE: f32 = 0.9;
const CONTRADICTED: f32 = 0.45;

/// What is known of a customer whose attribute may have been overwritten with a coin; where a coin and the truth differ,
/// two sources contradict each other.
fn known(customer: u64, with_confidence: bool) -> Features {
    let truth = keyed_uniform(1, customer) < 0.3;
    let corrupted = keyed_uniform(2, customer) < 0.4;
    let told = if corrupted { keyed_uniform(3, customer) < 0.5 } else { truth };
    let confidence = match with_confidence {
        true if told != truth => CONTRADICTED,
        true => SURE,
        false => 1.0,
    };
    Features::new(vec![Feature { name: "tells".into(), value: FeatureValue::Flag(told), confidence }])
}

fn bought(customer: u64) -> bool {
    let chance = if keyed_uniform(1, customer) < 0.3 { 0.3 } else { 0.02 };
    keyed_uniform(4, customer) < chance
}

/// Profit of each customer of the second half, decided by what the first half taught.
fn profits(with_confidence: bool) -> Vec<f64> {
    let mut learner = Learner::new(Config::default());
    for customer in 0..CUSTOMERS / 2 {
        let at_ms = customer as i64 * 2;
        let subject = u128::from(customer);
        learner.apply(&Row::Exposure(Exposure {
            id: ExposureId { decision: subject, slot: 0 },
            subject,
            purpose: "mailing".into(),
            at_ms,
            action: "sales/mailing/offer".into(),
            channel: "letter".into(),
            acted: true,
            features: known(customer, with_confidence),
            expected: vec![Expected { outcome: "goal".into(), event: "bought".into(), within_ms: 1 }],
        }));
        if bought(customer) {
            learner.apply(&Row::Outcome { at_ms, subject, event: "bought".into(), exposure: None });
        }
    }
    learner.advance(i64::MAX);
    let model = learner.snapshot();
    let arm = Arm { action: "sales/mailing/offer", channel: "letter", outcome: "goal" };
    let profit = |customer: u64| {
        let expected = f64::from(model.expect(&known(customer, with_confidence), arm).probability);
        let mailed = expected * GAIN > COST;
        if mailed { f64::from(u8::from(bought(customer))) * GAIN - COST } else { 0.0 }
    };
    (CUSTOMERS / 2..CUSTOMERS).map(profit).collect()
}

#[test]
fn with_four_in_ten_values_corrupted_confidence_does_no_harm_to_decisions() {
    let (with, without) = (profits(true), profits(false));
    let gained = Interval::of_difference(&with, &without);
    eprintln!("with confidence {:?}, gained {gained:?}", Interval::of(&with));
    assert!(gained.mean >= 0.0, "{gained:?}");
    assert!(Interval::of(&with).low > 0.0, "mailing by it pays");
}

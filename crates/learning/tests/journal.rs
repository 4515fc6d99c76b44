//! Small journals with a known truth.

use learning::exploration::keyed_uniform;
use learning::{
    Arm, Config, Expected, Exposure, ExposureId, Feature, FeatureValue, Features, Learner, Prediction,
    Predictor, Prior, Row,
};

pub const MINUTE_MS: i64 = 60_000;
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// Uniform draws in order.
pub struct Dice {
    seed: u64,
    throws: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { seed, throws: 0 }
    }

    pub fn uniform(&mut self) -> f64 {
        self.throws += 1;
        keyed_uniform(self.seed, self.throws)
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }
}

pub fn number(name: &str, value: f64) -> Feature {
    feature(name, FeatureValue::Number(value))
}

pub fn feature(name: &str, value: FeatureValue) -> Feature {
    Feature { name: name.into(), value, confidence: 1.0 }
}

pub fn id(decision: u128) -> ExposureId {
    ExposureId { decision, slot: 0 }
}

/// A displayed action that waits a month for `bought`.
pub fn exposure(decision: u128, subject: u128, at_ms: i64, action: &str) -> Exposure {
    Exposure {
        id: id(decision),
        subject,
        purpose: "marketing".into(),
        at_ms,
        action: action.into(),
        channel: "web".into(),
        acted: true,
        features: Features::default(),
        expected: vec![expected(30 * DAY_MS)],
    }
}

pub fn expected(within_ms: i64) -> Expected {
    Expected { outcome: "goal".into(), event: "bought".into(), within_ms }
}

pub fn bought(at_ms: i64, subject: u128, exposure: Option<ExposureId>) -> Row {
    Row::Outcome { at_ms, subject, event: "bought".into(), exposure }
}

pub fn arm(action: &str) -> Arm<'_> {
    Arm { action, channel: "web", outcome: "goal" }
}

pub fn starting_at(probability: f64) -> Config {
    Config { priors: vec![Prior { outcome: "goal".into(), probability }], ..Config::default() }
}

pub fn learned<'a>(config: Config, rows: impl IntoIterator<Item = &'a Row>) -> Learner {
    let mut learner = Learner::new(config);
    rows.into_iter().for_each(|row| learner.apply(row));
    learner
}

pub fn goal(learner: &Learner, features: &Features, action: &str) -> Prediction {
    learner.snapshot().expect(features, arm(action))
}

/// An exposure that waits a minute, and its outcome after half of it, if any.
pub fn immediate(exposure: Exposure, converted: bool) -> Vec<Row> {
    let (at_ms, subject, id) = (exposure.at_ms, exposure.subject, exposure.id);
    let quick = Exposure { expected: vec![expected(MINUTE_MS)], ..exposure };
    let mut rows = vec![Row::Exposure(quick)];
    if converted {
        rows.push(bought(at_ms + MINUTE_MS / 2, subject, Some(id)));
    }
    rows
}

/// Many customers, actions, late outcomes and a few withdrawals, in order of time.
pub fn mixed(seed: u64, customers: u128) -> Vec<Row> {
    let mut rows: Vec<Row> = (1..=customers).flat_map(|c| customer(seed, c)).collect();
    rows.sort_by_key(Row::at_ms);
    rows
}

fn customer(seed: u64, subject: u128) -> Vec<Row> {
    let mut dice = Dice::new(seed ^ ((subject as u64) << 32));
    let mut rows = Vec::new();
    for visit in 0..4_u128 {
        let at_ms = (dice.uniform() * 90.0 * DAY_MS as f64) as i64;
        let action = format!("sales/group{}/action{}", dice.below(2), dice.below(3));
        let mut shown = exposure(subject * 100 + visit, subject, at_ms, &action);
        shown.acted = dice.chance(0.8);
        shown.features = Features::new(vec![
            number("age", 20.0 + 50.0 * dice.uniform()),
            feature("member", FeatureValue::Flag(dice.chance(0.5))),
        ]);
        rows.push(Row::Exposure(shown));
        if dice.chance(0.15) {
            let delay_ms = (dice.uniform() * 40.0 * DAY_MS as f64) as i64;
            rows.push(bought(at_ms + delay_ms, subject, None));
        }
    }
    if dice.chance(0.05) {
        rows.push(Row::Withdrawal { at_ms: 60 * DAY_MS, subject, purpose: None });
    }
    rows
}

/// P(score of a positive > score of a negative), ties counting half.
pub fn auc(scored: &[(f32, bool)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut negatives, mut wins) = (0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|(_, positive)| *positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        wins += positive * (negatives + negative / 2.0);
        negatives += negative;
    }
    wins / ((sorted.len() as f64 - negatives) * negatives)
}

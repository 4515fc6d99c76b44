//! Do 95 of 100 intervals hold the truth? Logs drawn from a world whose truth is known: customers with several
//! rows each and a temper of their own, rare outcomes of different worth, a log that tries some things rarely.

use insight::off_policy::{Estimator, Log, Policy, Row, Target};

const SITUATIONS: usize = 3;
const ACTIONS: usize = 4;
const CUSTOMERS: u128 = 600;
/// Some of the weights lie above it.
const SWITCH: f64 = 5.0;
/// Chance of success in each situation, worth of a success and how the two policies choose.
const CHANCE: [[f64; ACTIONS]; SITUATIONS] =
    [[0.30, 0.10, 0.20, 0.0], [0.05, 0.25, 0.20, 0.0], [0.10, 0.10, 0.40, 0.0]];
const WORTH: [f64; ACTIONS] = [10.0, 25.0, 6.0, 0.0];
const LOGGED: [[f64; ACTIONS]; SITUATIONS] =
    [[0.70, 0.08, 0.12, 0.10], [0.08, 0.60, 0.12, 0.20], [0.10, 0.10, 0.30, 0.50]];
const OURS: [[f64; ACTIONS]; SITUATIONS] =
    [[0.20, 0.60, 0.10, 0.10], [0.05, 0.80, 0.10, 0.05], [0.10, 0.30, 0.50, 0.10]];

struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }
}

/// Tempers are 0.5 or 1.5 with equal chance, so on average nobody is more willing than `CHANCE` says.
fn log(seed: u64, model: Model) -> Log {
    let mut dice = Dice(seed.wrapping_mul(0x5851_F42D_4C95_7F2D));
    let mut rows = Vec::new();
    for cluster in 0..CUSTOMERS {
        let temper = if dice.uniform() < 0.5 { 0.5 } else { 1.5 };
        for _ in 0..=dice.below(5) {
            let situation = dice.below(SITUATIONS);
            let action = drawn(&LOGGED[situation], dice.uniform());
            let success = dice.uniform() < temper * CHANCE[situation][action];
            let reward = if success { WORTH[action] } else { 0.0 };
            rows.push(row(cluster, situation, action, reward, model));
        }
    }
    Log::new(rows)
}

fn drawn(vector: &[f64], uniform: f64) -> usize {
    let mut cumulative = 0.0;
    let passed = |probability: &&f64| {
        cumulative += **probability;
        cumulative <= uniform
    };
    vector.iter().take_while(passed).count().min(vector.len() - 1)
}

/// What the model behind the doubly robust estimates is worth.
#[derive(Clone, Copy)]
enum Model {
    /// It knows the truth.
    Right,
    /// It is a third off.
    Off,
}

fn expected(model: Model, situation: usize, action: usize) -> f64 {
    let off = match (model, action) {
        (Model::Right, _) => 1.0,
        (Model::Off, 1) => 0.67,
        (Model::Off, _) => 1.33,
    };
    off * CHANCE[situation][action] * WORTH[action]
}

fn row(cluster: u128, situation: usize, action: usize, reward: f64, model: Model) -> Row {
    let target = |policy: &[[f64; ACTIONS]; SITUATIONS]| Target {
        probability: policy[situation][action],
        expected: (0..ACTIONS)
            .map(|other| policy[situation][other] * expected(model, situation, other))
            .sum(),
        unsupported: 0.0,
    };
    let propensity = Some(LOGGED[situation][action]);
    let (ours, theirs) = (target(&OURS), target(&LOGGED));
    Row { cluster, propensity, reward, expected: expected(model, situation, action), ours, theirs }
}

fn truth(policy: &[[f64; ACTIONS]; SITUATIONS]) -> f64 {
    let in_situation = |situation: usize| -> f64 {
        (0..ACTIONS).map(|action| policy[situation][action] * CHANCE[situation][action] * WORTH[action]).sum()
    };
    (0..SITUATIONS).map(in_situation).sum::<f64>() / SITUATIONS as f64
}

#[test]
fn ninety_five_of_a_hundred_intervals_hold_the_truth() {
    let logs: u64 = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 20_000 } else { 2_000 };
    let ours = truth(&OURS);
    let added = ours - truth(&LOGGED);
    let mut held = [[0u64; 2]; 4];
    for seed in 1..=logs {
        let (off, right) = (log(seed, Model::Off), log(seed, Model::Right));
        let estimated = [
            (&off, Estimator::Ips),
            (&off, Estimator::Snips),
            (&off, Estimator::Dr),
            (&right, Estimator::SwitchDr(SWITCH)),
        ];
        for ((log, estimator), held) in estimated.into_iter().zip(&mut held) {
            let (value, difference) = (log.value(Policy::Ours, estimator), log.difference(estimator));
            held[0] += u64::from(value.low <= ours && ours <= value.high);
            held[1] += u64::from(difference.low <= added && added <= difference.high);
        }
    }
    let shares = held.map(|of| of.map(|count| count as f64 / logs as f64));
    eprintln!("held by IPS, SNIPS, DR, Switch-DR (value, difference): {shares:?}");
    assert!(shares.iter().flatten().all(|share| (0.93..=0.97).contains(share)), "{shares:?}");
}

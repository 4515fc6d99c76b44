//! Generated organisations and customers: strategies as files through the real loader, so that every
//! rule, principle and policy is one that could have been published.

mod customer;
mod declared;
mod organisation;

pub use customer::{Case, case};
pub use organisation::organisation;

use decision::{
    Duration, Timestamp,
    strategy::{Files, Strategy, load},
};
use learning::{Arm, Arms, Features, ModelVersion, Prediction, Predictor, exploration::keyed_uniform};
use proptest::test_runner::Config;
use std::collections::BTreeMap;

/// The moment around which everything happens: a Monday at 10:00 in Amsterdam.
pub const NOW: &str = "2026-03-09T10:00:00+01:00";

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

pub fn days(days: f64) -> Duration {
    Duration::from_millis((days * 86_400_000.0) as i64)
}

/// A model whose estimates follow from names, seed and what it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Fickle(pub u64);

impl Predictor for Fickle {
    fn predict(&self, features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        let estimate = |arm: Arm<'_>| {
            let uniform = self.uniform(features, arm);
            let goal = arm.outcome == "goal";
            Prediction {
                probability: if goal { 0.01 + 0.4 * uniform(0) } else { 0.0005 + 0.02 * uniform(0) },
                deviation: 0.0,
                baseline: (uniform(2) < 0.5).then(|| 0.002 + 0.1 * uniform(3)),
                evidence: 500.0 * uniform(4),
            }
        };
        arms.iter().map(estimate).collect()
    }
    fn deviations(&self, features: &Features, arms: Arms<'_>) -> Vec<f32> {
        arms.iter().map(|arm| 1.2 * self.uniform(features, arm)(1)).collect()
    }
    fn version(&self) -> ModelVersion {
        let mut version = [7; 16];
        version[..8].copy_from_slice(&self.0.to_le_bytes());
        ModelVersion(version)
    }
}

impl Fickle {
    fn uniform(&self, features: &Features, arm: Arm<'_>) -> impl Fn(u64) -> f32 + use<> {
        let shown = hash(&format!("{features:?}"));
        let key = hash(arm.action) ^ hash(arm.outcome).rotate_left(17) ^ hash(arm.channel).rotate_left(31);
        let seed = self.0 ^ key ^ shown;
        move |slot| keyed_uniform(seed, slot) as f32
    }
}

fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

pub const GROUPS: [&str; 4] = ["sales/contract", "sales/extra", "care/money", "advice/home"];
const PURPOSES: [&str; 3] = ["offers", "advice", "service"];
const PLACEMENTS: [&str; 3] = ["hero", "side", "mail"];

/// Files to a strategy; every problem is shown.
pub fn compile(files: BTreeMap<String, String>) -> Strategy {
    match load(&Files(files)) {
        Ok(loaded) => loaded.strategy,
        Err(problems) => panic!("a strategy of the tests must load: {problems:#?}"),
    }
}

/// So many generated cases; what failed is printed, not written to a file.
pub fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() }
}

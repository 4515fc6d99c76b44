//! The drift watch beside a model that learns: quiet while the world stands still, also while the model is young,
//! and loud when the world changes.

use insight::drift::{Columns, Notice, Seen, Settings, Watch};
use learning::{
    Config, Expected, Exposure, ExposureId, Feature, FeatureValue, Features, Learner, Predictor, Prior, Row,
};
use simulation::chance::Chance;

const HOUR_MS: i64 = 3_600_000;
/// Contacts between two publications of the model, while it is young and later.
const PUBLISHED_EVERY: [u32; 2] = [10, 200];
/// From this contact on a model is no longer young.
const GROWN_UP: u32 = 1_000;

/// What the watch says about a learner that is asked before each of `rows` contacts, whose goal is reached
/// with the probability `truth(row, flag)`.
fn notices(seed: u64, rows: u32, truth: &dyn Fn(u32, bool) -> f64) -> Vec<(u32, Notice)> {
    let priors = vec![Prior { outcome: "goal".into(), probability: 0.05 }];
    let mut learner = Learner::new(Config { priors, ..Config::default() });
    let chance = |row: u32, what: &str| Chance::new(seed).at(row.into()).about(what).uniform();
    let mut watch = Watch::new(Settings::default());
    let mut notices = Vec::new();
    let mut model = learner.snapshot();
    for row in 0..rows {
        let at_ms = i64::from(row) * HOUR_MS;
        if row % PUBLISHED_EVERY[usize::from(row >= GROWN_UP)] == 0 {
            learner.advance(at_ms);
            model = learner.snapshot();
        }
        let flag = chance(row, "flag") < 0.5;
        let feature = Feature { name: "flag".into(), value: FeatureValue::Flag(flag), confidence: 1.0 };
        let features = Features::new(vec![feature]);
        let arm = learning::Arm { action: "a/b/c", channel: "email", outcome: "goal" };
        let estimated = f64::from(model.expect(&features, arm).probability);
        let happened = chance(row, "goal") < truth(row, flag);
        let id = ExposureId { decision: row.into(), slot: 0 };
        learner.apply(&Row::Exposure(exposure(id, at_ms, features)));
        if happened {
            let (subject, event) = (row.into(), "bought".into());
            learner.apply(&Row::Outcome { at_ms: at_ms + 1000, subject, event, exposure: Some(id) });
        }
        let seen = Seen { at_ms, estimated, happened, columns: Columns::new() };
        notices.extend(watch.observe("a/b/c", seen).map(|notice| (row, notice)));
    }
    notices
}

fn exposure(id: ExposureId, at_ms: i64, features: Features) -> Exposure {
    let expected = Expected { outcome: "goal".into(), event: "bought".into(), within_ms: HOUR_MS / 2 };
    Exposure {
        id,
        subject: id.decision,
        purpose: "offers".into(),
        at_ms,
        action: "a/b/c".into(),
        channel: "email".into(),
        acted: true,
        features,
        expected: vec![expected],
    }
}

fn seeds() -> u64 {
    if std::env::var_os("ATTENT_NIGHTLY").is_some() { 2_000 } else { 200 }
}

#[test]
fn while_the_world_stands_still_a_learning_model_gives_no_alarm_in_two_hundred_histories() {
    let still = |_: u32, flag: bool| if flag { 0.15 } else { 0.06 };
    let alarmed = (0..seeds()).filter(|&seed| !notices(seed, 400, &still).is_empty()).count();
    println!("{alarmed} of {} histories of 400 contacts gave a false alarm", seeds());
    assert_eq!(alarmed, 0);
}

#[test]
fn when_the_world_changes_the_alarm_comes_soon_and_then_the_model_is_right_again() {
    let change = |row: u32, flag: bool| match (row < GROWN_UP, flag) {
        (true, true) => 0.15,
        (true, false) => 0.06,
        (false, _) => 0.5,
    };
    let mut delays = Vec::new();
    for seed in 0..seeds() / 20 {
        let notices = notices(seed, 2_500, &change);
        let Some((row, Notice::Alarm(alarm))) = notices.first() else {
            panic!("seed {seed}: {notices:?}");
        };
        assert!(*row >= GROWN_UP, "seed {seed}: a false alarm at {row}");
        assert!(alarm.happened > alarm.estimated);
        delays.push(row - GROWN_UP);
        assert!(matches!(notices.get(1), Some((_, Notice::Recovery(_)))), "seed {seed}: {notices:?}");
    }
    delays.sort_unstable();
    println!("noticed after {} contacts (median), {:?} at most", delays[delays.len() / 2], delays.last());
    assert!(delays[delays.len() / 2] <= 60, "{delays:?}");
}

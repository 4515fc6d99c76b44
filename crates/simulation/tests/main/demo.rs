//! The real engine in the energy world: it learns something, and nothing where there is nothing to learn.

use engine::{Engine, storage::MemoryStore};
use simulation::{
    demo::{self, Course, Policy, Settings, Worth},
    energy::{self, Outcomes},
};
use std::sync::Arc;

fn settings(seed: u64, customers: usize, days: i64) -> Settings {
    Settings { seed, customers, days, start: "2026-01-04T23:00:00Z".parse().unwrap(), shuffled_customers: 20 }
}

fn course(settings: &Settings, policy: Policy, outcomes: Outcomes) -> Course {
    demo::course_in_memory(settings, &energy::strategy(), policy, outcomes, &|_| {}).unwrap()
}

fn shipped_beats_random(seed: u64) {
    let settings = settings(seed, 800, 120);
    let shipped = course(&settings, Policy::Shipped, Outcomes::True);
    let random = course(&settings, Policy::Random, Outcomes::True);
    let gain = Worth::of_difference(&shipped.ledgers, &random.ledgers).combined;
    assert!(gain.low > 0.0, "seed {seed}: {gain:?}");
    assert_eq!(shipped.refused + random.refused, 0);
}

#[test]
fn shipped_beats_random_in_one_world() {
    shipped_beats_random(2);
}

#[test]
fn shipped_beats_random_in_another_world() {
    shipped_beats_random(3);
}

#[test]
fn shipped_beats_random_in_a_third_world() {
    shipped_beats_random(4);
}

#[test]
fn with_shuffled_outcomes_the_gain_disappears() {
    let settings = settings(4, 400, 90);
    let shipped = course(&settings, Policy::Shipped, Outcomes::Shuffled(1));
    let random = course(&settings, Policy::Random, Outcomes::Shuffled(2));
    let gain = demo::before_costs(&shipped.ledgers, &random.ledgers);
    assert!(!gain.excludes_zero(), "{gain:?}");
    let reached: u32 = shipped.ledgers.iter().map(|ledger| ledger.goals).sum();
    assert!(reached > 400, "outcomes still happen: {reached}");
}

#[test]
fn the_truth_beats_chance_by_far() {
    let settings = settings(5, 300, 60);
    let truth = course(&settings, Policy::Truth, Outcomes::True);
    let random = course(&settings, Policy::Random, Outcomes::True);
    let gain = Worth::of_difference(&truth.ledgers, &random.ledgers).combined;
    assert!(gain.low > 2.0, "{gain:?}");
}

#[test]
fn the_demo_tells_a_story_that_can_be_replayed_and_is_the_same_every_time() {
    let settings = settings(6, 40, 75);
    let run = || demo::run(&settings, &energy::strategy(), Arc::new(MemoryStore::new()), &|_| {}).unwrap();
    let (one, other) = (run(), run());
    assert_eq!(one.report.to_string(), other.report.to_string());
    assert_eq!(one.report.refused, 0);
    assert!(one.engine.dropped_names().is_empty());
    let chapters = demo::story(&one.engine, 0, &"nl".into()).unwrap();
    assert_eq!(chapters, demo::story(&other.engine, 0, &"nl".into()).unwrap());
    assert!(chapters.len() > 10);
    assert!(chapters.iter().all(|chapter| !chapter.why.is_empty()));
    assert_replays(&one.engine, one.report.lines[0].decisions);
}

fn assert_replays(engine: &Engine, decisions: u64) {
    let (mut replayed, mut failed) = (0, Vec::new());
    engine
        .replay_all(&mut |id, result| match result {
            Ok(_) => replayed += 1,
            Err(failure) => failed.push(format!("{id}: {}", failure.why)),
        })
        .unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(replayed, decisions);
}

#[test]
fn a_complaint_at_the_desk_withholds_offers_everywhere() {
    let settings = settings(6, 2, 70);
    let engine = Engine::open(Arc::new(MemoryStore::new()), &energy::strategy(), [1; 32]).unwrap();
    demo::course(&settings, &engine, Policy::Truth, Outcomes::True, &|_| {}).unwrap();
    let since = settings.start.checked_add(decision::Duration::from_hours(66 * 24 + 9)).unwrap();
    let fatima = engine.find(&demo::identifiers(0)).unwrap().unwrap();
    let after: Vec<_> = engine.decisions_of(fatima, 1000).unwrap();
    let after: Vec<_> = after.iter().filter(|decision| decision.at >= since).collect();
    let channels: Vec<&str> = after.iter().map(|decision| decision.request.channel.as_str()).collect();
    for channel in ["shop", "email", "web", "call_centre"] {
        assert!(channels.contains(&channel), "{channel} is missing in {channels:?}");
    }
    let strategy = &engine.published().strategy;
    for said in after.iter().flat_map(|decision| {
        decision.slots.iter().filter_map(|slot| decision.fates.get(usize::from(slot.pick?)))
    }) {
        let action = &strategy.actions[usize::from(said.action)].id;
        assert_ne!(action.issue(), "sales", "{action}");
    }
}

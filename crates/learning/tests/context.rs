//! Does context help where it matters, and cost nothing where it does not?

use learning::{
    Arm, Arms, Config, Expected, Exposure, FeatureValue, Features, Learner, Prediction, Predictor, Row, Stage,
};

use crate::journal::*;

const GROUPS: [&str; 3] = ["sales/bread/rye", "sales/cake/apple", "care/advice/bills"];

/// What one world does with the customer's two numbers and one category.
struct World {
    /// Numbers that mean nothing, besides one that may.
    noise_columns: usize,
    truth: fn(action: usize, age: f64, city: &str) -> f64,
}

struct Run {
    learner: Learner,
    scored: Vec<(f32, bool)>,
}

impl World {
    fn run(&self, exposures: u128) -> Run {
        let mut dice = Dice::new(11);
        let mut learner = Learner::new(Config::default());
        let mut scored = Vec::new();
        for decision in 0..exposures {
            let age = 2.0 * dice.uniform() - 1.0;
            let city = ["Gent", "Utrecht", "Breda"][dice.below(3)];
            let action = dice.below(3);
            let mut known = vec![number("age", age), feature("city", FeatureValue::Category(city.into()))];
            known.extend((0..self.noise_columns).map(|n| number(&format!("noise{n}"), dice.uniform())));
            let features = Features::new(known);
            let logit = (self.truth)(action, age, city);
            let converted = dice.chance(1.0 / (1.0 + libm::exp(-logit)));
            if decision >= exposures / 2 && decision % 10 == 0 {
                let predicted = goal(&learner, &features, GROUPS[action]);
                scored.push((predicted.probability, converted));
            }
            let at_ms = decision as i64 * 2 * MINUTE_MS;
            let shown = Exposure { features, ..exposure(decision, decision, at_ms, GROUPS[action]) };
            for row in immediate(shown, converted) {
                learner.apply(&row);
            }
        }
        Run { learner, scored }
    }
}

fn context_share(learner: &Learner) -> f64 {
    let shares = learner.snapshot().expert_shares("goal");
    shares.iter().filter(|expert| expert.context).map(|expert| expert.share).sum()
}

#[test]
fn where_context_matters_the_experts_that_use_it_win() {
    let world = World {
        noise_columns: 1,
        truth: |action, age, city| {
            let taste = [2.0, -2.0, 0.0][action] * age;
            taste - 1.5 + if city == "Gent" { 0.8 } else { 0.0 }
        },
    };
    let run = world.run(6_000);
    assert!(context_share(&run.learner) > 0.95);
    let found = auc(&run.scored);
    assert!(found > 0.70, "AUC {found}");
}

#[test]
fn opposite_tastes_are_learned_per_action() {
    let world = World { noise_columns: 1, truth: |action, age, _| [2.0, -2.0, 0.0][action] * age - 1.0 };
    let learner = world.run(4_000).learner;
    let at = |action, age| {
        let features = Features::new(vec![number("age", age)]);
        f64::from(goal(&learner, &features, GROUPS[action]).probability)
    };
    assert!(at(0, 0.9) > 2.0 * at(0, -0.9));
    assert!(at(1, -0.9) > 2.0 * at(1, 0.9));
    assert!(libm::log(at(2, 0.9) / at(2, -0.9)).abs() < 0.4);
}

#[test]
fn where_context_carries_nothing_the_intercept_experts_get_the_weight() {
    let world = World { noise_columns: 20, truth: |action, _, _| [-1.0, -2.0, -3.0][action] };
    let run = world.run(6_000);
    let share = context_share(&run.learner);
    assert!(share < 0.05, "share of context {share}");
    for (action, rate) in GROUPS.iter().zip([0.2689, 0.1192, 0.0474]) {
        let found = goal(&run.learner, &Features::default(), action).probability;
        assert!(libm::log(f64::from(found) / rate).abs() < 0.25, "{action} {found}");
    }
}

#[test]
fn a_new_action_starts_from_its_group_and_is_less_certain() {
    let mut dice = Dice::new(3);
    let mut learner = Learner::new(starting_at(0.05));
    for decision in 0..6_000_u128 {
        let popular = decision % 2 == 0;
        let group = if popular { "sales/bread" } else { "sales/cake" };
        let action = format!("{group}/item{}", dice.below(4));
        let converted = dice.chance(if popular { 0.3 } else { 0.03 });
        let shown = exposure(decision, decision, decision as i64 * MINUTE_MS, &action);
        for row in immediate(shown, converted) {
            learner.apply(&row);
        }
    }
    let of = |action| goal(&learner, &Features::default(), action);
    let (fresh, elsewhere) = (of("sales/bread/new"), of("sales/cake/new"));
    assert!(fresh.probability > 3.0 * elsewhere.probability);
    assert_eq!(fresh.evidence, 0.0);
    assert!(fresh.deviation > of("sales/bread/item0").deviation);
}

#[test]
fn before_any_evidence_the_prior_of_the_outcome_answers() {
    let snapshot = Learner::new(starting_at(0.02)).snapshot();
    let unlisted = Arm { outcome: "renewed", ..arm(GROUPS[0]) };
    let found = [arm(GROUPS[0]), unlisted].map(|arm| snapshot.expect(&Features::default(), arm));
    assert!((found[0].probability - 0.02).abs() < 1e-7);
    assert!((f64::from(found[1].probability) - Config::default().unlisted_probability).abs() < 1e-7);
    assert!(found[0].deviation > 1.0 && found[0].baseline.is_none() && found[0].evidence == 0.0);
}

#[test]
fn a_baseline_is_given_once_not_acting_was_seen_often_enough() {
    let mut learner = Learner::new(starting_at(0.05));
    let mut baselines = Vec::new();
    for decision in 0..400_u128 {
        let mut shown = exposure(decision, decision, decision as i64 * MINUTE_MS, GROUPS[0]);
        shown.acted = decision % 2 == 0;
        let converted = if shown.acted { decision % 4 == 0 } else { decision % 20 == 1 };
        for row in immediate(shown, converted) {
            learner.apply(&row);
        }
        baselines.push(goal(&learner, &Features::default(), GROUPS[0]).baseline);
    }
    assert!(baselines[..50].iter().all(Option::is_none));
    let found = goal(&learner, &Features::default(), GROUPS[0]);
    let baseline = found.baseline.expect("200 withheld exposures support a baseline");
    assert!((baseline - 0.1).abs() < 0.04, "{baseline}");
    assert!((found.probability - 0.5).abs() < 0.1, "{}", found.probability);
    let sibling = goal(&learner, &Features::default(), "sales/bread/white");
    assert!(sibling.baseline.is_some(), "the group supports it");
    assert!(goal(&learner, &Features::default(), GROUPS[1]).baseline.is_none());
}

#[test]
fn a_baseline_knows_no_channel_because_nothing_was_said() {
    let mut learner = Learner::new(starting_at(0.05));
    for decision in 0..60_u128 {
        let mut withheld = exposure(decision, decision, decision as i64 * MINUTE_MS, GROUPS[0]);
        withheld.acted = false;
        for row in immediate(withheld, decision % 3 == 0) {
            learner.apply(&row);
        }
    }
    let snapshot = learner.snapshot();
    let baseline = |channel| {
        let arm = Arm { channel, ..arm(GROUPS[0]) };
        snapshot.expect(&Features::default(), arm).baseline.expect("60 withheld exposures support a baseline")
    };
    assert!((baseline("web") - baseline("letter")).abs() < 1e-6);
}

#[test]
fn arms_asked_together_answer_as_arms_asked_alone() {
    let rows = mixed(4, 200);
    let snapshot = learned(Config::default(), &rows).snapshot();
    let features = Features::new(vec![number("age", 61.0)]);
    let actions = ["sales/group0/action0", "sales/group0/new", "sales/group1/action2", "x/y"];
    let outcomes = ["goal".into(), "complaint".into(), "unheard".into()];
    let mut goals = Vec::new();
    for channel in ["web", "letter"] {
        let arms = Arms { actions: &actions, channel, outcomes: &outcomes };
        let alone: Vec<_> = arms.iter().map(|arm| snapshot.expect(&features, arm)).collect();
        let deviations = snapshot.deviations(&features, arms).into_iter();
        let together: Vec<_> = snapshot
            .predict(&features, arms)
            .into_iter()
            .zip(deviations)
            .map(|(prediction, deviation)| Prediction { deviation, ..prediction })
            .collect();
        assert_eq!(together, alone);
        goals.extend(together.iter().step_by(outcomes.len()).map(|it| it.probability));
    }
    assert!(goals[..4].windows(2).all(|two| two[0] != two[1]), "{goals:?}");
}

#[test]
fn an_arm_met_before_answers_as_its_levels_do() {
    let snapshot = learned(Config::default(), &mixed(4, 400)).snapshot();
    for age in [18.0, 44.0, 93.0] {
        let features = Features::new(vec![number("age", age)]);
        for action in ["sales/group0/action0", "sales/group1/action2"] {
            let met = snapshot.expect(&features, arm(action));
            let without_channel = snapshot.expect(&features, Arm { channel: "letter", ..arm(action) });
            let difference = (met.probability / without_channel.probability).ln().abs();
            assert!(difference < 0.2, "{met:?} {without_channel:?}");
            assert_eq!(met.evidence, without_channel.evidence);
        }
    }
}

#[test]
fn the_learner_answers_as_its_snapshot_does() {
    let learner = learned(Config::default(), &mixed(4, 400));
    let features = Features::new(vec![number("age", 44.0)]);
    for action in ["sales/group0/action0", "sales/group0/new"] {
        let (live, kept) =
            (learner.expect(&features, arm(action)), learner.snapshot().expect(&features, arm(action)));
        let near = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(near(live.probability, kept.probability) && near(live.deviation, kept.deviation));
        assert_eq!(live.evidence, kept.evidence);
        assert_eq!(live.baseline.is_some(), kept.baseline.is_some());
    }
}

#[test]
fn the_columns_that_matter_have_the_weight() {
    let world = World {
        noise_columns: 1,
        truth: |_, age, city| 2.0 * age - 1.0 + if city == "Gent" { 1.0 } else { 0.0 },
    };
    let weights = world.run(4_000).learner.snapshot().column_weights("goal", None);
    let of = |name: &str, word: Option<&str>| {
        let found = weights.iter().find(|column| &*column.name == name && column.word.as_deref() == word);
        found.expect("a column per number and word").weight
    };
    assert!(of("age", None) > 0.5);
    assert!(of("noise0", None).abs() < 0.2);
    assert!(of("city", Some("Gent")) > of("city", Some("Breda")) + 0.3);
}

#[test]
fn early_signs_of_an_action_tell_what_is_to_come() {
    let mut dice = Dice::new(8);
    let stage = Stage { early: "interest".into(), late: "goal".into() };
    let run = |stages: Vec<Stage>, dice: &mut Dice| {
        let mut learner = Learner::new(Config { stages, ..starting_at(0.05) });
        for decision in 0..6_000_u128 {
            let at_ms = decision as i64 * MINUTE_MS;
            let action = decision % 20;
            let attractive = if action % 2 == 0 { 0.4 } else { 0.1 };
            // The last two actions are new: clicks are known, goals are still to come.
            let new = action >= 18;
            let mut shown = exposure(decision, decision, at_ms, &format!("sales/group/action{action}"));
            let soon = |outcome: &str, event: &str| Expected {
                outcome: outcome.into(),
                event: event.into(),
                within_ms: 1,
            };
            shown.expected = vec![soon("interest", "clicked")];
            if !new {
                shown.expected.push(soon("goal", "bought"));
            }
            learner.apply(&Row::Exposure(shown));
            if dice.chance(attractive) {
                let exposure = Some(id(decision));
                let clicked = Row::Outcome { at_ms, subject: decision, event: "clicked".into(), exposure };
                learner.apply(&clicked);
                if !new && dice.chance(0.5) {
                    learner.apply(&bought(at_ms, decision, exposure));
                }
            }
        }
        [18, 19].map(|action| {
            goal(&learner, &Features::default(), &format!("sales/group/action{action}")).probability
        })
    };
    let [attractive, dull] = run(vec![stage], &mut dice);
    assert!(attractive > 1.8 * dull, "{attractive} {dull}");
    let [attractive, dull] = run(Vec::new(), &mut dice);
    assert!((attractive / dull - 1.0).abs() < 0.05, "{attractive} {dull}");
}

#[test]
fn a_card_says_how_well_an_action_was_foreseen_on_a_channel() {
    let mut dice = Dice::new(4);
    let mut learner = Learner::new(starting_at(0.3));
    for decision in 0..4_000 {
        let old = dice.chance(0.5);
        let shown = Exposure {
            features: Features::new(vec![feature("old", FeatureValue::Flag(old))]),
            ..exposure(decision, decision, decision as i64 * MINUTE_MS, GROUPS[decision as usize % 2])
        };
        let converted = dice.chance(if old { 0.5 } else { 0.1 });
        immediate(shown, converted).iter().for_each(|row| learner.apply(row));
    }
    learner.advance(i64::MAX);
    let snapshot = learner.snapshot();
    let cards = snapshot.cards("goal");
    let settled: Vec<f64> = cards.iter().map(|card| card.foresight.settled).collect();
    assert_eq!(settled, [2_000.0, 2_000.0]);
    let all = snapshot.foresight("goal", None).expect("a goal was learned about");
    assert_eq!(all.settled, 4_000.0);
    // Two rates of .1 and .5: AUC .5 + .2/.84 at best.
    assert!(all.auc.is_some_and(|auc| (0.68..0.76).contains(&auc)), "{all:?}");
    assert!(all.calibration_error.is_some_and(|error| error < 0.05), "{all:?}");
    assert!(all.drift.abs() < 4.0);
    assert!(snapshot.cards("unheard").is_empty() && snapshot.foresight("unheard", None).is_none());
}

#[test]
fn what_comes_after_silence_was_settled_is_counted_once() {
    let mut learner = Learner::new(starting_at(0.05));
    learner.apply(&Row::Exposure(exposure(1, 1, 0, GROUPS[0])));
    learner.advance(31 * DAY_MS);
    let counts = |learner: &Learner| {
        let all = learner.snapshot().foresight("goal", None).expect("a goal was learned about");
        (all.settled, all.happened)
    };
    assert_eq!(counts(&learner), (1.0, 0.0));
    learner.apply(&bought(29 * DAY_MS, 1, None));
    assert_eq!(counts(&learner), (1.0, 1.0));
}

//! Who is in which group and arm, since when, and what came of them.

use crate::shop::{OFFER, at, event, files, request, said};
use decision::{
    decide::language,
    explain::explain,
    id::CustomerId,
    inputs::Assignment,
    profile::{About, ConsentStatus},
    request::Direction,
    strategy::Files,
    value::Value,
};
use engine::{
    Ask, ConsentReport, Decided, Engine, EventReport, Identifier, Observation, OutcomeReport, Subject,
    storage::{MemoryStore, Store},
};
use std::{collections::BTreeMap, sync::Arc};

const START: &str = "2026-03-01T09:00:00+01:00";
const DAY_S: i64 = 86_400;

fn experiment(shares: (f64, f64), second_arm: &str) -> String {
    format!(
        r#"
name.en = "With and without"
intent.en = "to know what helps"
owner = "garden team"
from = 2026-02-01
until = 2026-06-01
metric = "value"
within = "28d"
minimum_effect = 0.5
[[arms]]
id = "as_now"
share = {}
[[arms]]
id = "other"
share = {}
{second_arm}
"#,
        shares.0, shares.1
    )
}

fn with(mut files: Files, path: &str, text: &str) -> Files {
    files.0.insert(path.to_owned(), text.to_owned());
    files
}

fn with_control(mut files: Files, control: &str) -> Files {
    let organisation = files.0.get_mut("organisation.toml").expect("a file of the strategy");
    organisation.push_str(&format!("[control]\n{control}\n"));
    files
}

/// Many gardeners who want offers.
struct Gardeners {
    engine: Engine,
    count: usize,
}

impl Gardeners {
    fn new(files: &Files, count: usize) -> Self {
        Self::on(Arc::new(MemoryStore::new()), files, count)
    }

    fn on(store: Arc<dyn Store>, files: &Files, count: usize) -> Self {
        let gardeners = Self { engine: Engine::open(store, files, [7; 32]).expect("it checks"), count };
        for number in 0..count {
            let identifiers = who(number);
            let known = [("has_garden", Value::Bool(true)), ("town", Value::Text("Gouda".into()))];
            let report = EventReport {
                identifiers: identifiers.clone(),
                attributes: known.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
                ..event(&format!("e{number}"), "customer_updated")
            };
            gardeners
                .engine
                .ingest(&report, "", at(START))
                .expect("the store works")
                .1
                .wait()
                .expect("durable");
            let consent =
                ConsentReport::new(identifiers, About::Purpose("offers".into()), ConsentStatus::Given);
            gardeners
                .engine
                .consent(&consent, "", at(START))
                .expect("the store works")
                .1
                .wait()
                .expect("durable");
        }
        gardeners
    }

    fn decide(&self, number: usize, days: i64) -> Decided {
        let request = request("email", Direction::Outbound, "mail", 1);
        let ask = Ask { identifiers: who(number), request, adjustments: Vec::new() };
        let seed = u64::try_from(number).expect("a small number") * 1_000 + days.unsigned_abs();
        self.engine.decide(&ask, after(days), seed).expect("the store works")
    }

    fn id(&self, number: usize) -> CustomerId {
        self.engine.find(&who(number)).expect("the store works").expect("somebody")
    }

    fn buys(&self, number: usize, days: i64) {
        let report =
            EventReport { identifiers: who(number), ..event(&format!("b{number}.{days}"), "bought") };
        self.engine.ingest(&report, "", after(days)).expect("the store works").1.wait().expect("durable");
    }

    fn observed(&self, days: i64) -> Vec<Observation> {
        let mut found = Vec::new();
        self.engine
            .observe(after(days), &mut |observation| found.push(observation))
            .expect("the store works");
        found
    }
}

fn who(number: usize) -> Vec<Identifier> {
    vec![Identifier::new("user_id", &format!("gardener {number}"))]
}

fn after(days: i64) -> decision::Timestamp {
    decision::Timestamp::from_second(at(START).as_second() + days * DAY_S).expect("a moment")
}

fn arm(decided: &Decided) -> Option<u16> {
    decided.decision.experiments.first().map(|place| place.arm)
}

#[test]
fn an_arm_stays_what_it_was_also_when_its_share_changes_and_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let trial = |shares| with(files(), "experiments/trial.toml", &experiment(shares, ""));
    let gardeners = Gardeners::on(store.clone(), &trial((0.5, 0.3)), 200);
    let arms: Vec<Option<u16>> = (0..200).map(|number| arm(&gardeners.decide(number, 1))).collect();
    let count = |wanted| arms.iter().filter(|arm| **arm == wanted).count();
    assert!((75..125).contains(&count(Some(0))), "{}", count(Some(0)));
    assert!((40..80).contains(&count(Some(1))), "{}", count(Some(1)));
    assert!((20..60).contains(&count(None)), "{}", count(None));
    gardeners.engine.publish(&trial((0.1, 0.9))).expect("it checks");
    let again: Vec<Option<u16>> = (0..200).map(|number| arm(&gardeners.decide(number, 40))).collect();
    let stayed = arms.iter().zip(&again).filter(|(before, _)| before.is_some()).all(|(one, two)| one == two);
    assert!(stayed, "nobody changes arms");
    let restarted = Engine::open(store, &trial((0.1, 0.9)), [0; 32]).expect("it checks");
    let gardeners = Gardeners { engine: restarted, count: 200 };
    let later: Vec<Option<u16>> =
        (0..gardeners.count).map(|number| arm(&gardeners.decide(number, 60))).collect();
    assert_eq!(again, later);
    assert_eq!(arm(&gardeners.decide(0, 120)), None, "the experiment has ended");
}

#[test]
fn two_experiments_are_drawn_independently_and_control_groups_enter_none() {
    let two = with(files(), "experiments/one.toml", &experiment((0.5, 0.5), ""));
    let two = with(two, "experiments/two.toml", &experiment((0.5, 0.5), ""));
    let gardeners = Gardeners::new(&with_control(two, "silence_share = 0.2\nrandom_share = 0.1"), 600);
    let mut cells = BTreeMap::<(u16, u16), usize>::new();
    let mut groups = BTreeMap::<Assignment, usize>::new();
    for number in 0..600 {
        let decision = gardeners.decide(number, 1).decision;
        *groups.entry(decision.trace.assignment).or_default() += 1;
        match decision.experiments.as_slice() {
            [one, two] => *cells.entry((one.arm, two.arm)).or_default() += 1,
            [] => assert_ne!(decision.trace.assignment, Assignment::Strategy),
            other => panic!("one arm per experiment: {other:?}"),
        }
    }
    assert!(cells.values().all(|count| (70..145).contains(count)), "{cells:?}");
    assert!((85..155).contains(&groups[&Assignment::Silence]), "{groups:?}");
}

#[test]
fn a_group_is_stable_within_a_period_and_drawn_anew_in_the_next() {
    let gardeners = Gardeners::new(&with_control(files(), "silence_share = 0.5\nperiod = \"30d\""), 100);
    let engine = &gardeners.engine;
    let strategy = &engine.published().strategy;
    let period_start = 30 * DAY_S * (at(START).as_second() / (30 * DAY_S) + 1);
    let group = |number, days: i64| {
        let moment = decision::Timestamp::from_second(period_start + days * DAY_S).expect("a moment");
        engine.assignment(strategy, gardeners.id(number), moment)
    };
    assert!((0..100).all(|number| group(number, 0) == group(number, 29)));
    let moved = (0..100).filter(|number| group(*number, 29) != group(*number, 30)).count();
    assert!((30..70).contains(&moved), "{moved} of 100 are in another group");
}

#[test]
fn what_happens_counts_in_every_arm_whatever_was_said_and_once_however_it_was_reported() {
    let trial = with(
        files(),
        "experiments/trial.toml",
        &experiment((0.5, 0.5), "without = [\"sales/garden/offer\"]"),
    );
    let gardeners = Gardeners::new(&trial, 60);
    for number in 0..60 {
        let decided = gardeners.decide(number, 1);
        assert_eq!(said(&decided), (arm(&decided) == Some(0)).then_some(OFFER));
        if let Some(0) = arm(&decided) {
            for outcome in ["delivered", "bought"] {
                let report = OutcomeReport {
                    decision: decided.decision.id,
                    slot: 0,
                    outcome: outcome.into(),
                    at: None,
                };
                gardeners
                    .engine
                    .report(&report, "", after(3))
                    .expect("the store works")
                    .1
                    .wait()
                    .expect("durable");
            }
        }
        gardeners.buys(number, 3);
        gardeners.buys(number, 40);
    }
    assert!(gardeners.observed(20).iter().all(|found| found.came_of.is_none()), "their time is not over");
    let observed = gardeners.observed(60);
    assert_eq!(observed.len(), 60);
    for found in &observed {
        let came_of = found.came_of.as_ref().expect("their time is over");
        let [goal] = came_of.goals.as_slice() else { panic!("one event: {came_of:?}") };
        assert_eq!((goal.times, goal.value), (1.0, Some((10.0, 10.0))), "{:?}", found.subject);
        assert!(came_of.happened.contains("goal"));
    }
    let arms = [0, 1].map(|arm| Subject::Experiment { experiment: 0, arm });
    assert!(arms.iter().all(|arm| observed.iter().any(|found| found.subject == *arm)));
}

#[test]
fn a_dry_run_enters_nobody_and_an_erased_customer_leaves() {
    let trial = with(files(), "experiments/trial.toml", &experiment((0.5, 0.5), ""));
    let store = Arc::new(MemoryStore::new());
    let gardeners = Gardeners::on(store.clone(), &trial, 2);
    let mut request = request("email", Direction::Outbound, "mail", 1);
    request.dry_run = true;
    let ask = Ask { identifiers: who(0), request, adjustments: Vec::new() };
    let preview = gardeners.engine.decide(&ask, after(1), 1).expect("the store works");
    assert!(arm(&preview).is_some());
    assert_eq!(gardeners.observed(1), []);
    assert_eq!(arm(&gardeners.decide(0, 1)), arm(&preview));
    gardeners.decide(1, 1);
    assert_eq!(gardeners.observed(1).len(), 2);
    store.erase(gardeners.id(0)).expect("the store works").wait().expect("durable");
    assert_eq!(gardeners.observed(1).len(), 1);
}

#[test]
fn a_variant_decides_for_its_arm_and_for_the_group_of_today_and_every_decision_replays() {
    let trial = with(files(), "experiments/trial.toml", &experiment((0.5, 0.5), "strategy = \"bold\""));
    let offer = trial.0["actions/sales/garden/offer.toml"].clone();
    let named = |name: &str| offer.replace("name.en = \"Garden offer\"", &format!("name.en = \"{name}\""));
    let trial = with(trial, "variants/bold/actions/sales/garden/offer.toml", &named("Bold offer"));
    let trial = with(trial, "variants/old/actions/sales/garden/offer.toml", &named("Old offer"));
    let trial = with_control(trial, "today = \"old\"\ntoday_share = 0.3");
    let gardeners = Gardeners::new(&trial, 90);
    let mut names = BTreeMap::<String, usize>::new();
    for number in 0..90 {
        let decided = gardeners.decide(number, 1);
        let strategy = &decided.published.strategy;
        let explanation = explain(strategy, &decided.decision).expect("it can be explained");
        let chosen = explanation.slots[0].chosen.as_ref().expect("the offer");
        let name = &chosen.action.name[language(strategy, &decided.decision.request)];
        let expected = match (decided.decision.trace.assignment, arm(&decided)) {
            (Assignment::Today, None) => "Old offer",
            (Assignment::Strategy, Some(1)) => "Bold offer",
            (Assignment::Strategy, Some(0)) => "Garden offer",
            other => panic!("nobody is in {other:?}"),
        };
        assert_eq!(name, expected);
        *names.entry(name.clone()).or_default() += 1;
    }
    assert!(names.values().all(|count| *count > 15), "{names:?}");
    let mut differing = Vec::new();
    gardeners
        .engine
        .replay_all(&mut |id, replayed| {
            differing.extend(replayed.as_ref().err().map(|failure| (id, failure.why.clone())))
        })
        .expect("the store works");
    assert_eq!(differing, []);
}

#[test]
fn every_look_is_counted() {
    let gardeners = Gardeners::new(&files(), 1);
    let looks: Vec<u64> = (0..3).map(|_| gardeners.engine.look("trial").expect("the store works")).collect();
    assert_eq!(looks, [1, 2, 3]);
    assert_eq!(gardeners.engine.look("another").expect("the store works"), 1);
}

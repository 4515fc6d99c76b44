//! What the simulated supplier could stop collecting, by the true value of what it would decide.

use decision::{Timestamp, value::Value};
use engine::{Engine, EventReport, storage::MemoryStore};
use insight::{
    diet::{Attribute, Occasion, Plan, Study, weigh},
    off_policy::{Estimator, Target},
};
use learning::{Learner, Predictor, Row};
use simulation::{
    demo::{Drive, Policy, identifiers},
    energy::{self, World},
    hindsight::diet::{OwnLog, Sample},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const NULLS: usize = 3;

/// The energy world's strategy, with facts that tell nothing about anybody.
fn with_planted() -> decision::strategy::Files {
    let mut files = energy::strategy();
    let mut planted = String::from("[events.planted]\n");
    let names = || (0..NULLS).map(|null| format!("null_{null}"));
    let properties: Vec<String> = names().map(|name| format!("{name} = \"number\"")).collect();
    let sets: Vec<String> = names().map(|name| format!("{name} = \"{{{name}}}\"")).collect();
    planted += &format!("properties = {{ {} }}\nsets = {{ {} }}\n", properties.join(", "), sets.join(", "));
    for name in names() {
        planted += &format!(
            "[attributes.{name}]\nname.nl = \"niets\"\nname.en = \"nothing\"\ntype = \"number\"\n\
             purposes = [\"contract\", \"care\", \"advice\", \"personal_offers\", \"relation\"]\nowner = \"nobody\"\n"
        );
    }
    files.0.insert("inventory/planted.toml".into(), planted);
    files
}

fn plant(engine: &Engine, customers: usize, at: Timestamp) {
    for customer in 0..customers {
        let nothing = |null: usize| {
            let drawn = learning::exploration::keyed_uniform(900 + null as u64, customer as u64);
            (format!("null_{null}"), Value::number(drawn).expect("a number"))
        };
        let report = EventReport {
            id: format!("planted-{customer}"),
            event: "planted".into(),
            identifiers: identifiers(customer),
            at: Some(at),
            properties: (0..NULLS).map(nothing).collect(),
            attributes: BTreeMap::new(),
            source: None,
            household: None,
        };
        engine.ingest(&report, "", at).unwrap().1.wait().unwrap();
    }
}

/// The log of a world in which everything was noted that would have been worth something.
fn log(customers: usize, days: i64, decisions_max: usize) -> OwnLog {
    let start: Timestamp = "2026-01-04T23:00:00Z".parse().unwrap();
    let engine = Engine::open(Arc::new(MemoryStore::new()), &with_planted(), [7; 32]).unwrap();
    plant(&engine, customers, start);
    let drive = Drive::new(&engine, World::new(5, customers, start), Policy::Shipped, 5).noting_truths();
    let course = drive.run(days, &|_| {}).unwrap();
    let sample = Sample { since: Timestamp::UNIX_EPOCH, until: Timestamp::MAX, decisions_max, seed: 1 };
    OwnLog::of(&engine, sample, Some(course.truths)).unwrap()
}

/// A study of some of the attributes.
struct Part<'s>(&'s OwnLog, &'s [&'s str]);

impl Study for Part<'_> {
    fn attributes(&self) -> Vec<Attribute> {
        self.0.attributes().into_iter().filter(|attribute| self.1.contains(&&*attribute.name)).collect()
    }
    fn learner(&self) -> Learner {
        self.0.learner()
    }
    fn rows(&self) -> &[Row] {
        self.0.rows()
    }
    fn occasions(&self) -> &[Occasion] {
        self.0.occasions()
    }
    fn target(&self, occasion: usize, without: &BTreeSet<Arc<str>>, model: &dyn Predictor) -> Target {
        self.0.target(occasion, without, model)
    }
    fn estimator(&self) -> Estimator {
        self.0.estimator()
    }
    fn measured_by(&self) -> &'static str {
        self.0.measured_by()
    }
}

const PLAN: Plan = Plan { folds: 2, seed: 1, tolerance: 0.02 };

#[test]
fn a_refund_that_is_owed_is_missed_and_what_tells_nothing_is_not() {
    let log = log(300, 35, 1_500);
    let diet = weigh(&Part(&log, &["null_0", "refund_owed"]), &PLAN, &mut |_, _| {}).unwrap();
    let weighed = |name: &str| diet.attributes.iter().find(|found| &*found.attribute.name == name).unwrap();
    let (null, refund) = (weighed("null_0"), weighed("refund_owed"));
    assert!(null.lost.low <= 0.0 && null.attribute.read_by.is_empty(), "{diet}");
    assert!(refund.lost.mean > null.lost.mean && !refund.attribute.read_by.is_empty(), "{diet}");
    assert!(diet.to_string().contains("SIMULATED"), "{diet}");
}

/// What comes of it is in the reference of the command; nothing is claimed here but that it can be measured.
#[test]
fn all_that_the_simulated_supplier_collects_is_weighed() {
    if std::env::var_os("ATTENT_NIGHTLY").is_none() {
        eprintln!("skipped: weighing everything takes a quarter of an hour; set ATTENT_NIGHTLY");
        return;
    }
    let log = log(1_200, 60, 4_000);
    let diet = weigh(&log, &PLAN, &mut |taught, of| eprintln!("{taught} of {of} models taught")).unwrap();
    eprintln!("{diet}");
    assert_eq!(diet.curve.last().map(|point| point.kept), Some(0));
    assert!(diet.value.low > 0.0, "{diet}");
}

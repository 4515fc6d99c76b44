//! Which of the attributes that a Dutch insurer infers from the postcode help to choose whom to mail?

use decision::{profile::Source, strategy::Sensitivity};
use flate2::read::GzDecoder;
use insight::diet::{
    Advice, Attribute, Diet, NotWeighed, Plan,
    mailing::{Mailed, Mailing},
    weigh,
};
use learning::{Feature, FeatureValue, Features, exploration::keyed_uniform};
use std::{fs::File, path::PathBuf};

/// A mail costs a euro and a policy brings twelve: decided before any figure was seen.
const GAIN: f64 = 12.0;
const COST: f64 = 1.0;

fn inferred(name: &str) -> Attribute {
    Attribute {
        name: name.into(),
        source: Source::ThirdParty,
        sensitivity: Sensitivity::Ordinary,
        cost: 0.0,
        retention_days: 365.0,
        readable_days: None,
        read_by: Vec::new(),
    }
}

fn number(name: &str, value: f64) -> Feature {
    Feature { name: name.into(), value: FeatureValue::Number(value), confidence: 1.0 }
}

/// The customers of the insurer, and the names of what is inferred from where they live.
fn customers() -> Option<(Vec<Mailed>, Vec<String>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/caravan-insurance-nl/caravan.csv.gz");
    let Ok(file) = File::open(path) else {
        eprintln!("skipped: the customers of the insurer are not here");
        return None;
    };
    let mut table = csv::Reader::from_reader(GzDecoder::new(file));
    let names: Vec<String> = table.headers().expect("a header").iter().map(str::to_owned).collect();
    let (outcome, known) = names.split_last().expect("columns");
    assert_eq!(outcome, "Purchase");
    let people = table.records().map(|row| {
        let row = row.expect("a row");
        let value = |column: usize| row[column].parse().expect("a number");
        Mailed {
            features: Features::new(
                known.iter().enumerate().map(|(column, name)| number(name, value(column))).collect(),
            ),
            bought: &row[known.len()] == "Yes",
        }
    });
    let people = people.collect();
    let of_postcode = known.iter().filter(|name| name.starts_with('M')).cloned().collect();
    Some((people, of_postcode))
}

fn diet(people: Vec<Mailed>, attributes: &[String], plan: &Plan) -> Diet {
    let attributes = attributes.iter().map(|name| inferred(name)).collect();
    weigh(&Mailing::new(people, attributes, GAIN, COST), plan, &mut |_, _| {}).expect("enough to weigh")
}

/// Tells nothing about anybody.
fn planted(person: usize, number: u64) -> f64 {
    keyed_uniform(77 + number, person as u64)
}

#[test]
fn what_is_inferred_from_a_postcode_is_weighed_by_the_profit_of_mailing() {
    let Some((mut people, mut of_postcode)) = customers() else {
        return;
    };
    assert_eq!((people.len(), of_postcode.len()), (5_822, 43));
    if std::env::var_os("ATTENT_NIGHTLY").is_none() {
        of_postcode.truncate(4);
    }
    for (person, mailed) in people.iter_mut().enumerate() {
        let nothing = (0..3).map(|null| number(&format!("null_{null}"), planted(person, null)));
        mailed.features = Features::new(mailed.features.iter().cloned().chain(nothing).collect());
    }
    of_postcode.extend((0..3).map(|null| format!("null_{null}")));
    let plan = Plan { folds: 2, ..Plan::default() };
    let diet = diet(people, &of_postcode, &plan);
    eprintln!("{diet}");
    assert!(diet.value.low > 0.0, "mailing by what is known pays: {:?}", diet.value);
    assert_eq!(diet.attributes.len(), of_postcode.len());
    assert_eq!(diet.curve.last().map(|point| point.kept), Some(0));
    if std::env::var_os("ATTENT_NIGHTLY").is_some() {
        let dropped = &diet.proposal.attributes;
        assert!(2 * dropped.len() >= of_postcode.len(), "{diet}");
        assert!(diet.proposal.lost_share_at_most.is_some_and(|share| share < 0.02), "{diet}");
        assert!((0..3).all(|null| dropped.contains(&format!("null_{null}").into())), "{diet}");
    }
}

/// Three thousand customers of whom one fact tells who buys, and five tell nothing.
fn few_facts() -> (Vec<Mailed>, Vec<String>) {
    let person = |person: usize| {
        let tells = keyed_uniform(5, person as u64) < 0.3;
        let nothing = (0..5).map(|null| number(&format!("null_{null}"), planted(person, null)));
        let telling = Feature { name: "tells".into(), value: FeatureValue::Flag(tells), confidence: 1.0 };
        let chance = if tells { 0.4 } else { 0.02 };
        Mailed {
            features: Features::new(nothing.chain([telling]).collect()),
            bought: keyed_uniform(6, person as u64) < chance,
        }
    };
    let names = (0..5).map(|null| format!("null_{null}")).chain(["tells".to_owned()]);
    ((0..3_000).map(person).collect(), names.collect())
}

#[test]
fn what_tells_nothing_is_dropped_and_what_tells_is_kept() {
    let (people, names) = few_facts();
    let diet = diet(people, &names, &Plan::default());
    let mut dropped = diet.proposal.attributes.clone();
    dropped.sort();
    let nulls: Vec<_> =
        (0..5).map(|null| format!("null_{null}").into()).collect::<Vec<std::sync::Arc<str>>>();
    assert_eq!(dropped, nulls, "{diet}");
    assert!(diet.proposal.lost_share_at_most.is_some_and(|share| share < 0.02), "{diet}");
    let missed = &diet.attributes[0];
    assert_eq!((&*missed.attribute.name, missed.advice), ("tells", Advice::Ask), "{diet}");
    assert!(missed.lost.low > 0.2 * diet.value.mean, "{diet}");
}

#[test]
fn the_same_seed_weighs_the_same() {
    let (people, names) = few_facts();
    let one = diet(people.clone(), &names, &Plan { folds: 2, ..Plan::default() });
    assert_eq!(one, diet(people, &names, &Plan { folds: 2, ..Plan::default() }));
}

#[test]
fn without_attributes_decisions_or_customers_it_says_so() {
    let (people, names) = few_facts();
    let weigh = |people: &[Mailed], names: &[String], plan| {
        let attributes = names.iter().map(|name| inferred(name)).collect();
        weigh(&Mailing::new(people.to_vec(), attributes, GAIN, COST), &plan, &mut |_, _| {}).unwrap_err()
    };
    assert_eq!(weigh(&people, &[], Plan::default()), NotWeighed::NoAttributes);
    assert_eq!(weigh(&[], &names, Plan::default()), NotWeighed::NoOccasions);
    assert_eq!(weigh(&people[..60], &names, Plan::default()), NotWeighed::FewCustomers(60));
    assert_eq!(weigh(&people, &names, Plan { folds: 1, ..Plan::default() }), NotWeighed::FewFolds);
}

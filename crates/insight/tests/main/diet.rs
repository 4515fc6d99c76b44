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
        cost_per_year: None,
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

#[test]
fn caravan_speed() {
    let Some((people, of_postcode)) = customers() else {
        return;
    };
    assert_eq!((people.len(), of_postcode.len()), (5_822, 43));
    let plan = Plan { folds: 2, ..Plan::default() };
    let some: Vec<String> = of_postcode.iter().take(2).cloned().collect();
    let started = std::time::Instant::now();
    let diet = diet(people, &some, &plan);
    eprintln!("{diet} {:?}", started.elapsed());
}

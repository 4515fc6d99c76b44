//! Real logs of a fashion shop (Open Bandit Dataset, campaign "men"): the same days served by chance and by
//! Thompson sampling. What one log says about the other's policy is held against what that policy really got.

use flate2::read::GzDecoder;
use insight::{
    interval::Interval,
    off_policy::{Estimator, Log, Policy, Row, Target},
};
use std::{collections::BTreeMap, fs::File, path::PathBuf};

struct Shown {
    item: u32,
    position: u32,
    clicked: bool,
    propensity: f64,
}

const ITEMS: f64 = 34.0;

fn shown(name: &str) -> Option<Vec<Shown>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/open-bandit-men");
    let file = match File::open(folder.join(name)) {
        Ok(file) => file,
        Err(_) => {
            eprintln!("skipped: the Open Bandit logs are not here");
            return None;
        }
    };
    let mut table = csv::Reader::from_reader(GzDecoder::new(file));
    let columns = table.headers().expect("a header").clone();
    let column = |name: &str| columns.iter().position(|found| found == name).expect("a known column");
    let (item, position) = (column("item_id"), column("position"));
    let (click, propensity) = (column("click"), column("propensity_score"));
    let read = |row: csv::Result<csv::StringRecord>| {
        let row = row.expect("a row");
        Shown {
            item: row[item].parse().expect("an item"),
            position: row[position].parse().expect("a position"),
            clicked: &row[click] == "1",
            propensity: row[propensity].parse().expect("a probability"),
        }
    };
    Some(table.records().map(read).collect())
}

/// Nobody is recognised in these logs: every impression stands for itself.
fn log(shown: &[Shown], target: impl Fn(&Shown) -> f64) -> Log {
    let bare = |probability| Target { probability, expected: 0.0, unsupported: 0.0 };
    Log::new((0u128..).zip(shown).map(|(cluster, shown)| Row {
        cluster,
        propensity: Some(shown.propensity),
        reward: f64::from(u8::from(shown.clicked)),
        expected: 0.0,
        ours: bare(target(shown)),
        theirs: bare(shown.propensity),
    }))
}

fn holds(interval: Interval, truth: f64) {
    eprintln!("{truth} in {interval:?}");
    assert!(interval.low <= truth && truth <= interval.high, "{truth} is outside of {interval:?}");
}

#[test]
fn what_chance_would_get_is_told_by_the_log_of_the_other_policy() {
    let Some((bts, random)) = shown("bts_men.csv.gz").zip(shown("random_men.csv.gz")) else {
        return;
    };
    let log_of_bts = log(&bts, |_| 1.0 / ITEMS);
    let really = log(&random, |shown| shown.propensity).value(Policy::Ours, Estimator::Ips).mean;
    assert_eq!((log_of_bts.len(), log_of_bts.unusable().total()), (10_000, 0));
    assert!((really - 0.0046).abs() < 1e-12);
    for estimator in [Estimator::Ips, Estimator::Snips] {
        holds(log_of_bts.value(Policy::Ours, estimator), really);
    }
}

#[test]
fn what_the_other_policy_would_get_is_told_by_the_log_of_chance() {
    let Some((bts, random)) = shown("bts_men.csv.gz").zip(shown("random_men.csv.gz")) else {
        return;
    };
    let mut often: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    let mut of_position: BTreeMap<u32, f64> = BTreeMap::new();
    for shown in &bts {
        *often.entry((shown.item, shown.position)).or_default() += 1.0;
        *of_position.entry(shown.position).or_default() += 1.0;
    }
    let target = |shown: &Shown| {
        often.get(&(shown.item, shown.position)).unwrap_or(&0.0) / of_position[&shown.position]
    };
    let log_of_random = log(&random, target);
    let really = bts.iter().filter(|shown| shown.clicked).count() as f64 / bts.len() as f64;
    assert!((really - 0.0069).abs() < 1e-12);
    for estimator in [Estimator::Ips, Estimator::Snips] {
        holds(log_of_random.value(Policy::Ours, estimator), really);
    }
}

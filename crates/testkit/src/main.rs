//! `attent-testkit`: simulates the whole engine over months of trouble, from one seed.
//!
//! `--seed N` one story, `--from A --count K` many; `--steps M` how long each is. Prints a line per story on
//! stdout. Exit code 1 when a promise was broken: the seed, the step, the promise and the last lines of
//! the story follow. 2 when the arguments make no sense.

use std::process::ExitCode;
use testkit::simulator::{self, Plan, STEPS};

const USAGE: &str = "usage: attent-testkit [--seed N | --from A --count K] [--steps M]";

fn main() -> ExitCode {
    let Some((seeds, steps)) = arguments(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut broken = Vec::new();
    for seed in seeds {
        let report = simulator::run(Plan { seed, steps, wrong: None });
        println!("{report}");
        broken.extend(report.broken.is_some().then_some(seed));
    }
    match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => {
            eprintln!("{} seeds broke a promise: {broken:?}", broken.len());
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Option<(std::ops::Range<u64>, usize)> {
    let (mut from, mut count, mut steps) = (1, 1, STEPS);
    while let Some(name) = given.next() {
        let value: u64 = given.next()?.parse().ok()?;
        match name.as_str() {
            "--seed" => (from, count) = (value, 1),
            "--from" => from = value,
            "--count" => count = value,
            "--steps" => steps = usize::try_from(value).ok()?,
            _ => return None,
        }
    }
    Some((from..from.saturating_add(count), steps))
}

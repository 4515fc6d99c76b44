//! Files of a strategy: either every problem lies inside its file, or what the strategy decides keeps
//! its promises.

use crate::base;
use decision::{
    decide::work_out,
    explain::explain,
    inputs::{Assignment, Inputs},
    invariant,
    record::Decision,
    replay::replay,
    strategy::{
        self, Files, Loaded, Problem, Strategy,
        test_case::DecisionTest,
        test_run::{self, Priors},
    },
};
use std::collections::BTreeMap;

/// Most of a strategy's own tests that are decided.
const TESTS_MAX: usize = 4;
const SEED: u64 = 7;

/// One file, in the place of the usual inventory.
pub(crate) fn document(bytes: &[u8]) {
    let mut files = base::files();
    files.0.insert("inventory/all.toml".into(), String::from_utf8_lossy(bytes).into_owned());
    open(&files);
}

/// Several files, each after a line `=== path`, in the place of the usual ones of that name.
pub(crate) fn strategy(bytes: &[u8]) {
    let mut files = base::files();
    let text = String::from_utf8_lossy(bytes);
    for (path, content) in base::pieces(&text, "=== ") {
        files.0.insert(path.to_owned(), content.to_owned());
    }
    open(&files);
}

fn open(files: &Files) {
    match strategy::load(files) {
        Ok(loaded) => keeps_its_promises(&loaded),
        Err(problems) => {
            assert!(!problems.is_empty(), "a strategy is refused without a reason");
            problems.iter().for_each(|problem| lies_in_its_file(problem, files));
        }
    }
}

fn lies_in_its_file(problem: &Problem, files: &Files) {
    assert!(!problem.message.is_empty());
    if let Some(span) = &problem.span {
        let text = files.0.get(&problem.file).expect("a place lies in a file that was given");
        assert!(text.get(span.clone()).is_some(), "{span:?} is no place in `{}`", problem.file);
    }
}

fn keeps_its_promises(loaded: &Loaded) {
    for test in loaded.tests.iter().take(TESTS_MAX) {
        test_run::run(&loaded.strategy, test);
        decides_well(&loaded.strategy, test);
    }
}

fn decides_well(strategy: &Strategy, test: &DecisionTest) {
    let priors = Priors::of(strategy);
    let inputs = Inputs {
        customer: test.customer.as_ref(),
        household: Some(&test.household),
        quotas: &BTreeMap::new(),
        predictor: &priors,
        assignment: Assignment::Strategy,
        experiments: &[],
        recorded_worth: None,
        adjustments: &[],
    };
    let worked = work_out(strategy, &inputs, &test.request, test.at, SEED);
    let promises = invariant::check(strategy, &worked.decision);
    promises.unwrap_or_else(|violation| panic!("{violation}"));
    let kept = Decision::decode(&worked.decision.encode()).expect("a record can be read back");
    replay(strategy, &kept).expect("a decision can be made again");
    explain(strategy, &kept).expect("a decision can be explained");
}

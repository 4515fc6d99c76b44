//! The energy world's handbook checks, passes its own tests, and speaks of the same things as its truth.

use decision::strategy::{Files, GoalTarget, load, test_run};
use simulation::energy::{self, Topic};
use std::{collections::BTreeMap, path::Path};

fn folder() -> BTreeMap<String, String> {
    fn read(at: &Path, root: &Path, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/energy/strategy");
    let mut found = BTreeMap::new();
    read(&root, &root, &mut found);
    found
}

#[test]
fn the_built_in_strategy_is_the_folder() {
    assert_eq!(energy::strategy(), Files(folder()));
}

#[test]
fn the_strategy_checks() {
    if let Err(problems) = load(&energy::strategy()) {
        let told: Vec<String> = problems
            .iter()
            .map(|problem| format!("{} {:?}: {}", problem.file, problem.span, problem.message))
            .collect();
        panic!("{}", told.join("\n"));
    }
}

#[test]
fn the_strategy_does_what_its_own_tests_expect() {
    let loaded = load(&energy::strategy()).unwrap();
    assert!(loaded.tests.len() >= 45);
    let strategy = test_run::without_exploration(loaded.strategy);
    let failed: Vec<String> = loaded
        .tests
        .iter()
        .flat_map(|test| {
            let told = |difference: test_run::Difference| {
                format!("`{}` expected {}, got {}", test.name, difference.expected, difference.got)
            };
            test_run::run(&strategy, test).into_iter().map(told)
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_world_and_the_strategy_speak_of_the_same_actions_and_goals() {
    let strategy = load(&energy::strategy()).unwrap().strategy;
    let actions: Vec<&str> = strategy.actions.iter().map(|action| action.id.as_str()).collect();
    let mut topics: Vec<&str> = Topic::ALL.iter().map(|topic| topic.action()).collect();
    topics.sort_unstable();
    assert_eq!(actions, topics);
    for topic in Topic::ALL {
        let action = &strategy.actions[usize::from(strategy.action_index(topic.action()).unwrap())];
        let event = strategy.event(topic.event()).unwrap();
        match &action.goal.target {
            GoalTarget::Event(goal) => assert_eq!(goal.as_str(), topic.event()),
            GoalTarget::Attribute(answer) => {
                assert!(event.sets.iter().any(|(attribute, _)| attribute == answer), "{topic:?}");
            }
            GoalTarget::Consent(_) => panic!("{topic:?} asks for consent, which nobody in this world gives"),
        }
        assert_eq!(action.goal.within.as_hours(), i64::from(topic.within_days()) * 24, "{topic:?}");
    }
}

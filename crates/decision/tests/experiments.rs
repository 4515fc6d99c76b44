//! Experiments: what an arm changes, what it never takes away, and what is told about mistakes in their files.

use crate::{
    generated::compile,
    hand::{RENEW, Story, fate, files, said},
};
use decision::{
    candidate::{Dropped, Fate},
    experiment::Enrolled,
    explain::explain,
    id::Language,
    inputs::Assignment,
    record::{Decision, FORMAT, RecordError},
    replay::replay,
    strategy::{Files, Strategy, load},
    value::Value,
};
use std::collections::BTreeMap;

const LAMP: &str = "sales/extra/lamp";
const PLAN: &str = "care/money/plan";
const SECOND_ARM: [Enrolled; 1] = [Enrolled { experiment: 0, arm: 1 }];

fn experiment(second_arm: &str) -> String {
    format!(
        r#"
name = {{ nl = "Proef", en = "Trial" }}
intent = {{ nl = "Weten wat helpt", en = "To know what helps" }}
owner = "contracts"
from = 2026-01-01
until = 2026-07-01
metric = "value"
within = "28d"
minimum_effect = 0.5
guards = {{ complaint = 0.01 }}
[[arms]]
id = "as_now"
share = 0.5
[[arms]]
id = "other"
share = 0.5
{second_arm}
"#
    )
}

fn files_with(second_arm: &str) -> BTreeMap<String, String> {
    let mut files = files();
    files.insert("experiments/trial.toml".to_owned(), experiment(second_arm));
    files
}

fn strategy_with(second_arm: &str) -> Strategy {
    compile(files_with(second_arm))
}

fn told(files: BTreeMap<String, String>) -> Vec<String> {
    let files = Files(files);
    let problems = load(&files).err().unwrap_or_default();
    let about = |problem: &decision::strategy::Problem| {
        problem.span.clone().map_or("-".to_owned(), |span| files.0[&problem.file][span].to_owned())
    };
    problems
        .iter()
        .map(|problem| {
            let hint = problem.hint.as_deref().unwrap_or("-");
            format!("{} | {} | {} | {hint}", problem.file, about(problem), problem.message)
        })
        .collect()
}

#[test]
fn an_arm_leaves_an_action_out_and_says_so_and_the_first_arm_is_as_always() {
    let strategy = strategy_with(&format!("without = [\"{RENEW}\"]"));
    let mut story = Story::default();
    let as_always = story.decide(&strategy);
    assert!(matches!(fate(&strategy, &as_always, RENEW), Fate::Chosen { .. }));
    story.experiments = vec![Enrolled { experiment: 0, arm: 0 }];
    assert_eq!(story.decide(&strategy).slots, as_always.slots);
    story.experiments = SECOND_ARM.to_vec();
    let decision = story.decide(&strategy);
    assert_eq!(fate(&strategy, &decision, RENEW), Fate::Dropped(Dropped::LeftOut { experiment: 0 }));
    assert!(decision.is_silent());
    let reading = explain(&strategy, &decision).expect("it can be explained").employee(&Language::from("en"));
    assert!(reading.headline.ends_with("experiment ‘Trial’: other"), "{}", reading.headline);
    let line = reading.candidates.iter().find(|line| line.action == RENEW).expect("a candidate");
    assert_eq!(line.fate, "not in this customer's arm of the experiment ‘Trial’");
    assert_eq!(line.smallest_change, "the experiment is there to measure");
}

#[test]
fn a_decision_in_an_arm_replays_to_the_same_bytes() {
    let strategy = strategy_with("levers = { \"sales\" = 0.9 }");
    let story = Story { experiments: SECOND_ARM.to_vec(), ..Story::default() };
    let kept = Decision::decode(&story.decide(&strategy).encode()).expect("a record");
    assert_eq!(kept.experiments, SECOND_ARM);
    replay(&strategy, &kept).expect("the same bytes");
    let forgotten = Decision { experiments: Vec::new(), ..kept };
    replay(&strategy, &forgotten).expect_err("the arm is part of what was decided by");
}

#[test]
fn a_record_of_an_older_format_is_refused_by_name() {
    let mut old = Story::default().decide(&strategy_with("")).encode();
    old[0] = FORMAT - 1;
    assert_eq!(Decision::decode(&old), Err(RecordError::Format(FORMAT - 1)));
}

#[test]
fn levers_and_weights_of_an_arm_take_the_place_of_the_declared_ones() {
    let lever_of = |second_arm: &str| {
        let strategy = strategy_with(second_arm);
        let story = Story { experiments: SECOND_ARM.to_vec(), ..Story::default() };
        let worked = story.work_out(&strategy);
        let index = strategy.action_index(RENEW);
        let candidate = worked.candidates.iter().find(|candidate| Some(candidate.action) == index);
        candidate.and_then(|candidate| candidate.priority).expect("a priority").lever
    };
    let close = |lever: f64, expected: f64| assert!((lever - expected).abs() < 1e-12, "{lever}");
    close(lever_of(""), 1.0 + 0.1 + 0.2 - 0.1);
    close(lever_of("levers = { \"sales\" = 0.5 }"), 1.0 + 0.5 + 0.2 - 0.1);
    close(lever_of(&format!("levers = {{ \"{RENEW}\" = 0.3, \"sales/contract\" = 0.0 }}")), 1.0 + 0.1 + 0.3);
}

#[test]
fn one_form_left_out_leaves_the_other_forms() {
    let strategy = strategy_with(&format!("without = [\"{LAMP}#web\"]"));
    let mut story = Story::on_the_web(1);
    story.model.0.insert(LAMP, (0.9, Some(0.05)));
    story.model.0.insert(RENEW, (0.0001, Some(0.00005)));
    assert_eq!(said(&strategy, &story.decide(&strategy)), [Some(LAMP.to_owned())]);
    story.experiments = SECOND_ARM.to_vec();
    let decision = story.decide(&strategy);
    assert_eq!(fate(&strategy, &decision, LAMP), Fate::Dropped(Dropped::LeftOut { experiment: 0 }));
    let mail = Story { experiments: SECOND_ARM.to_vec(), ..Story::default() };
    assert!(matches!(fate(&strategy, &mail.decide(&strategy), RENEW), Fate::Chosen { .. }));
}

#[test]
fn no_group_and_no_arm_withholds_what_is_spared() {
    let mut files = files_with("without = [\"care\", \"sales\"]");
    let organisation = files.get_mut("organisation.toml").expect("a file of the strategy");
    organisation.push_str("[control]\nspares = [\"care\"]\n");
    let problems = told(files.clone());
    assert_eq!(
        problems,
        [
            "experiments/trial.toml | \"care\" | `care` is service, mandatory or spared, and no experiment withholds that | compare two forms of it instead: `without = [\"issue/group/action#treatment\"]`"
        ]
    );
    files.insert("experiments/trial.toml".to_owned(), experiment("without = [\"sales\"]"));
    let strategy = compile(files);
    let mut story = Story::on_the_web(1);
    story.number("arrears", 2.0);
    story.model.0.insert(PLAN, (0.5, Some(0.05)));
    story.experiments = SECOND_ARM.to_vec();
    for assignment in
        [Assignment::Strategy, Assignment::Silence, Assignment::RandomRelevant, Assignment::Today]
    {
        for seed in 0..40 {
            story.assignment = assignment;
            story.seed = seed;
            let decision = story.decide(&strategy);
            assert_eq!(said(&strategy, &decision), [Some(PLAN.to_owned())], "{assignment:?}");
        }
    }
    story.request.context.insert("page".into(), Value::Text("bill".into()));
    story.assignment = Assignment::Silence;
    let recalled = story.decide(&strategy);
    assert_eq!(said(&strategy, &recalled), [Some("safety/meter/recall".to_owned())]);
}

#[test]
fn mistakes_in_an_experiment_are_told_where_they_are() {
    let one = |second_arm: &str| told(files_with(second_arm));
    assert_eq!(one(""), [""; 0]);
    assert_eq!(
        one("without = [\"sales/contract/renw\"]"),
        [
            "experiments/trial.toml | \"sales/contract/renw\" | no issue, group or action is called `sales/contract/renw` | did you mean `sales/contract/renew`?"
        ]
    );
    assert_eq!(
        one(&format!("without = [\"{LAMP}#wab\"]")),
        [format!(
            "experiments/trial.toml | \"{LAMP}#wab\" | no treatment of this action is called `wab` | did you mean `web`?"
        )]
    );
    assert_eq!(
        one("without = [\"safety/meter/recall#web\"]"),
        [
            "experiments/trial.toml | \"safety/meter/recall#web\" | `safety/meter/recall` would have no form left at `hero`, and no experiment withholds it | -"
        ]
    );
    assert_eq!(
        one("levers = { \"sales\" = -2.0 }"),
        [
            "experiments/trial.toml | - | in the arm `other` 1 and the levers of an action come to -1 | keep the sum above 0, or leave the action out with `without`"
        ]
    );
    assert_eq!(
        one("strategy = \"bold\""),
        ["experiments/trial.toml | \"bold\" | no variant is called `bold` | no variant is declared at all"]
    );
    let shares = experiment("").replacen("share = 0.5", "share = 0.6", 1);
    let mut files = files();
    files.insert("experiments/trial.toml".to_owned(), shares);
    let found = told(files);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("the shares of the arms come to 1.1"), "{found:?}");
}

#[test]
fn two_experiments_may_not_change_the_same_lever_at_the_same_time() {
    let mut files = files_with("levers = { \"sales\" = 0.5 }");
    files.insert("experiments/zeal.toml".to_owned(), experiment("levers = { \"sales\" = 0.7 }"));
    assert_eq!(
        told(files.clone()),
        [
            "experiments/zeal.toml | 0.7 | the experiment `trial` changes the lever of `sales` at the same time | let one begin when the other has ended, or make one experiment with more arms"
        ]
    );
    let later = experiment("levers = { \"sales\" = 0.7 }")
        .replace("from = 2026-01-01", "from = 2026-07-01")
        .replace("until = 2026-07-01", "until = 2026-09-01");
    files.insert("experiments/zeal.toml".to_owned(), later);
    assert_eq!(told(files), [""; 0]);
}

#[test]
fn a_variant_is_the_strategy_with_some_files_replaced_and_is_checked_like_it() {
    let mut files = files_with("strategy = \"bold\"");
    let lamp = files["actions/sales/extra/lamp.toml"].clone();
    let bolder = lamp.replace("customer = 5.0", "customer = 50.0");
    files.insert("variants/bold/actions/sales/extra/lamp.toml".to_owned(), bolder);
    let loaded = load(&Files(files.clone())).expect("it checks");
    let bold = &loaded.variants["bold"].strategy;
    assert_ne!(bold.version, loaded.strategy.version);
    assert_eq!(bold.actions.len(), loaded.strategy.actions.len());
    let slip = lamp.replace("purpose = \"contract\"", "purpose = \"contrct\"");
    files.insert("variants/bold/actions/sales/extra/lamp.toml".to_owned(), slip);
    assert_eq!(
        told(files.clone()),
        [
            "variants/bold/actions/sales/extra/lamp.toml | \"contrct\" | no purpose is called `contrct` | did you mean `contract`?"
        ]
    );
    files.insert("variants/bold/actions/sales/extra/lamp.toml".to_owned(), lamp);
    files.insert("variants/bold/experiments/own.toml".to_owned(), experiment(""));
    assert_eq!(
        told(files),
        [
            "variants/bold/experiments/own.toml | - | a variant has no experiments of its own | all customers are in the experiments of the strategy itself"
        ]
    );
}

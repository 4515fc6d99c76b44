//! `attent lab`, driven by programs that know nothing of Attent but its lines.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A conversation with a lab.
struct Driver {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Driver {
    fn start(options: Value) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_attent"))
            .arg("lab")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("attent starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("an output"));
        let mut driver = Self { child, input, output };
        driver.say(&json!({ "options": options }).to_string());
        driver
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().expect("still talking"), "{line}").expect("the lab listens");
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the lab answers");
        serde_json::from_str(&line).expect("an answer is JSON")
    }

    fn decide(&mut self, t: u32, context: &Value, actions: &Value) -> Value {
        self.say(&json!({ "t": t, "decide": { "context": context, "actions": actions } }).to_string());
        self.hear()
    }

    fn outcome(&mut self, t: u32, decision: &Value) {
        self.say(&json!({ "t": t, "outcome": { "decision": decision, "kind": "converted" } }).to_string());
    }

    /// What else was said, what was told at the end, and the exit code.
    fn end(mut self) -> (String, String, Option<i32>) {
        drop(self.input.take());
        let mut rest = String::new();
        while self.output.read_line(&mut rest).expect("the lab ends") > 0 {}
        let output = self.child.wait_with_output().expect("the lab ends");
        (rest, crate::stderr(&output), output.status.code())
    }
}

/// Two offers, of which each kind of customer takes only one; plays so many rounds and returns the share of
/// the second half that was right.
fn taught(rounds: u32, answers: &mut Vec<Value>) -> f64 {
    let mut driver = Driver::start(json!({ "seed": 7 }));
    let actions = json!([{ "id": "tea", "group": "drinks" }, { "id": "Coffee, black", "group": "drinks" }]);
    let mut right = 0;
    for t in 0..rounds {
        let early = t * 7 % 13 < 6;
        let answer = driver.decide(t, &json!({ "Early bird?": early, "nothing": null }), &actions);
        let liked = if early { "Coffee, black" } else { "tea" };
        if answer["action"] == liked {
            driver.outcome(t, &answer["decision"]);
            right += u32::from(t >= rounds / 2);
        }
        answers.push(answer);
    }
    let (rest, _, code) = driver.end();
    assert_eq!((rest.as_str(), code), ("", Some(0)));
    f64::from(right) / f64::from(rounds - rounds / 2)
}

#[test]
fn a_driver_that_tells_what_followed_is_decided_for_better_and_better() {
    let mut answers = Vec::new();
    let right = taught(400, &mut answers);
    assert!(right > 0.85, "{right}");
    for answer in &answers {
        let vector = answer["probabilities"].as_object().expect("a probability per action");
        let total: f64 = vector.values().filter_map(Value::as_f64).sum();
        assert!((total + answer["silence"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{answer}");
        assert_eq!(answer["probability"], vector[answer["action"].as_str().expect("no silence")]);
    }
}

#[test]
fn the_same_lines_are_answered_with_the_same_bytes() {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    taught(60, &mut first);
    taught(60, &mut second);
    assert_eq!(first, second);
}

#[test]
fn a_yes_and_a_no_known_at_once_teach_before_the_next_decision_at_the_same_moment() {
    let mut driver = Driver::start(json!({}));
    let offer = json!([{ "id": "offer" }]);
    let chance = |answer: &Value| answer["propensities"]["offer"].as_f64().expect("a chance");
    let first = driver.decide(5, &json!({}), &offer);
    let after_no = driver.decide(5, &json!({}), &offer);
    assert!(chance(&after_no) < chance(&first));
    driver.outcome(5, &after_no["decision"]);
    let after_yes = driver.decide(5, &json!({}), &offer);
    assert!(chance(&after_yes) > chance(&after_no));
}

#[test]
fn a_discarded_decision_teaches_nothing() {
    let mut driver = Driver::start(json!({}));
    let offer = json!([{ "id": "offer" }]);
    let mut answer = driver.decide(0, &json!({}), &offer);
    let first = answer["propensities"].clone();
    for t in 1..30 {
        driver.say(&json!({ "t": t, "discard": { "decision": answer["decision"] } }).to_string());
        answer = driver.decide(t, &json!({}), &offer);
    }
    assert_eq!(answer["propensities"], first);
}

#[test]
fn an_action_that_is_not_offered_is_never_chosen_and_a_dearer_one_is_preferred() {
    let mut driver = Driver::start(json!({}));
    let both = json!([{ "id": "cheap", "value": 1 }, { "id": "dear", "value": 100 }]);
    let dear = (0..50).filter(|t| driver.decide(*t, &json!({}), &both)["action"] == "dear").count();
    assert!(dear > 40, "{dear}");
    for t in 50..100 {
        let answer = driver.decide(t, &json!({}), &json!([{ "id": "cheap", "value": 1 }]));
        assert_eq!(answer["action"], "cheap");
        assert_eq!(answer["probabilities"], json!({ "cheap": 1.0 }));
    }
}

#[test]
fn silences_on_purpose_tell_what_happens_anyway() {
    let mut driver = Driver::start(json!({}));
    let offer = json!([{ "id": "renewal", "value": 10, "goal": "renewed" }]);
    for t in 0..200 {
        let line = json!({ "t": t, "decide": { "actions": offer, "assignment": "silence" } });
        driver.say(&line.to_string());
        let answer = driver.hear();
        assert_eq!(answer["action"], Value::Null);
        let outcome = json!({ "decision": answer["decision"], "kind": "renewed" });
        driver.say(&json!({ "t": t, "outcome": outcome }).to_string());
    }
    let answer = driver.decide(200, &json!({}), &offer);
    assert!(answer["baselines"]["renewal"].as_f64().expect("a baseline") > 0.5, "{answer}");
}

#[test]
fn a_bad_line_is_named_and_nothing_else_is_lost() {
    let lines = [
        r#"{"t": 1, "decide": {"context": {"age": 40}, "actions": [{"id": "a"}, {"id": "b"}]}}"#,
        r#"{"t": 2, "decide": "#,
        r#"{"t": 2, "decide": {"context": {"age": "old"}, "actions": [{"id": "a"}]}}"#,
        r#"{"t": 2, "decide": {"actions": [{"id": "a"}, {"id": "a"}]}}"#,
        r#"{"t": 2, "decide": {"actions": [{"id": "c", "goal": "Not A Name"}]}}"#,
        r#"{"t": 0, "advance": {}}"#,
        r#"{"t": 2, "outcome": {"decision": "d_0", "kind": "converted"}}"#,
        r#"{"t": 3, "surprise": {}}"#,
        r#"{"t": 4, "options": {}}"#,
        r#"{"t": 4, "decide": {"context": {"age": 41}, "actions": [{"id": "a"}, {"id": "b"}]}}"#,
    ];
    let mut driver = Driver::start(json!({ "window": 10, "unit": "d" }));
    lines.iter().for_each(|line| driver.say(line));
    let (rest, told, code) = driver.end();
    let answers: Vec<Value> = rest.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer["line"].as_u64()).collect();
    assert_eq!(refused, [3, 4, 5, 6, 7, 8, 9, 10]);
    let said = |index: usize| answers[index]["error"].as_str().unwrap_or_default().to_owned();
    assert_eq!(said(2), "context `age` was a number before");
    assert_eq!(said(3), "action `a` is offered twice");
    assert_eq!(said(5), "time runs back from `1` to `0`");
    assert_eq!(said(6), "no decision is called `d_0`");
    assert!(answers[9]["decision"].is_string(), "{}", answers[9]);
    assert!(told.contains("2 decisions") && told.contains("8 lines not used"), "{told}");
    assert_eq!(code, Some(1));
}

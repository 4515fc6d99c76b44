//! What is asked, what knowing the answer is worth, and what is never asked.

use crate::{
    generated::{at, compile, days},
    hand::{DAYTIME, RENEW, Story, fate, files},
};
use decision::{
    candidate::{Candidate, Dropped, Fate},
    consent::Withheld,
    profile::{About, ConsentStatus, Source},
    replay::replay,
    strategy::{Files, Strategy, load},
    value::Value,
};

const KIND: &str = "questions/contract/kind";
const MAY_WE: &str = "questions/consent/offers";

fn question(purpose: &str, goal: &str) -> String {
    format!(
        r#"
name.nl = "Vraag"
name.en = "Question"
intent.nl = "Iets dat bij u past"
intent.en = "Something that fits you"
owner = "contracts"
mandate = "board, 2026-01-15"
purpose = "{purpose}"
goal = {{ {goal}, within = "14d", closed_for = "90d" }}
value = {{ customer = 5.0, organisation = 0.0 }}
prior = 0.5
[[treatments]]
id = "mail"
placement = "mail"
title.nl = "Een vraag"
title.en = "A question"
body.nl = "Eén klik."
body.en = "One click."
"#
    )
}

fn asking(answers: &str) -> Strategy {
    let mut files = files();
    files.entry("organisation.toml".into()).or_default().push_str("[questions]\ndecisions_ahead = 3.0\n");
    let goal = format!("attribute = \"contract_type\"{answers}");
    files.insert(format!("actions/{KIND}.toml"), question("contract", &goal));
    files.insert(format!("actions/{MAY_WE}.toml"), question("contract", "consent = \"offers\""));
    compile(files)
}

/// Nothing is known of the contract.
fn unknown() -> Story {
    let mut story = Story::default();
    story.forget("contract_type");
    story
}

fn priority(strategy: &Strategy, story: &Story, action: &str) -> Option<f64> {
    let index = strategy.action_index(action).expect("declared");
    let worked = story.work_out(strategy);
    let candidate = worked.candidates.iter().find(|candidate| candidate.action == index)?;
    candidate.priority.filter(|_| candidate.alive()).map(|priority| priority.total)
}

fn worth_of(strategy: &Strategy, story: &Story, action: &str) -> f64 {
    let index = strategy.action_index(action).expect("declared");
    let found = story.decide(strategy).trace.worth.into_iter().find(|(action, _)| *action == index);
    found.map_or(0.0, |(_, worth)| f64::from(worth))
}

/// What is best for somebody who gave this answer, by deciding for them.
fn best_after(strategy: &Strategy, answer: &str) -> f64 {
    let mut story = unknown();
    story.knows("contract_type", Value::Text(answer.into()), Source::Provided);
    priority(strategy, &story, RENEW).unwrap_or(0.0).max(0.0)
}

#[test]
fn a_question_is_worth_what_its_answers_change_in_the_decisions_to_come() {
    let strategy = asking("");
    let (fixed, variable) = (best_after(&strategy, "fixed"), best_after(&strategy, "variable"));
    assert!(variable > 1.0 && fixed == 0.0, "{fixed} {variable}");
    assert_eq!(priority(&strategy, &unknown(), RENEW), None);
    let worth = worth_of(&strategy, &unknown(), KIND);
    assert!((worth - 3.0 * (fixed + variable) / 2.0).abs() < 1e-4 * worth, "{worth} for {variable}");
}

#[test]
fn answers_weigh_by_how_likely_they_are() {
    let even = worth_of(&asking(""), &unknown(), KIND);
    let likely = worth_of(&asking(", answers = { variable = 0.9, fixed = 0.1 }"), &unknown(), KIND);
    assert!((likely / even - 1.8).abs() < 1e-4, "{likely} and {even}");
}

#[test]
fn what_knowing_is_worth_counts_towards_the_goal() {
    let strategy = asking("");
    let story = unknown();
    let worked = story.work_out(&strategy);
    let index = strategy.action_index(KIND).expect("declared");
    let of_question = |candidate: &&Candidate| candidate.action == index;
    let priority =
        worked.candidates.iter().find(of_question).and_then(|found| found.priority).expect("asked");
    assert!((priority.worth_knowing - worth_of(&strategy, &story, KIND)).abs() < 1e-9);
    let worth = priority.value + priority.worth_knowing;
    let gain = (priority.propensity - priority.baseline.unwrap_or(0.0)) * worth + priority.side_value;
    assert!((priority.gain() - gain).abs() < 1e-9, "its own value and what it tells");
}

#[test]
fn an_answer_that_could_only_hold_us_back_is_worth_nothing() {
    let mut files = files();
    let goal = "attribute = \"apology_owed\"";
    files.insert(format!("actions/{KIND}.toml"), question("contract", goal));
    let strategy = compile(files);
    let mut story = Story::default();
    story.forget("apology_owed");
    assert_eq!(worth_of(&strategy, &story, KIND), 0.0);
}

#[test]
fn what_is_known_is_not_asked_and_what_ran_out_may_be() {
    let strategy = asking("");
    let known = Story::default();
    assert_eq!(fate(&strategy, &known.decide(&strategy), KIND), Fate::Dropped(Dropped::AnswerKnown));
    let mut old = Story::default();
    let value = old.customer.profile.attributes.get_mut("contract_type").expect("known");
    value.expires_at = value.observed_at + days(1.0);
    assert!(worth_of(&strategy, &old, KIND) > 0.0);
}

#[test]
fn nothing_is_asked_twice_within_its_time_whatever_form_it_had() {
    let strategy = asking("");
    let mut story = unknown();
    story.contact_about(KIND, 60.0);
    let until = at(DAYTIME) + days(30.0);
    assert_eq!(
        fate(&strategy, &story.decide(&strategy), KIND),
        Fate::Dropped(Dropped::AskedBefore { until })
    );
    let mut long_ago = unknown();
    long_ago.contact_about(KIND, 91.0);
    assert!(worth_of(&strategy, &long_ago, KIND) > 0.0);
}

#[test]
fn an_answer_that_could_not_be_used_is_not_asked_for() {
    let strategy = asking("");
    let mut story = unknown();
    story.says(About::Attribute("contract_type".into()), ConsentStatus::Objected);
    let dropped = Fate::Dropped(Dropped::NoBasis(Withheld::AttributeObjected));
    assert_eq!(fate(&strategy, &story.decide(&strategy), KIND), dropped);
}

#[test]
fn consent_is_asked_for_when_it_opens_something_and_never_again_after_a_no() {
    let strategy = asking("");
    let given = priority(&strategy, &Story::default(), RENEW).expect("worth saying");
    let worth = worth_of(&strategy, &never_asked(), MAY_WE);
    assert!((worth - 3.0 * given).abs() < 1e-4 * worth, "{worth} for {given}");

    let says = |status| {
        let mut story = never_asked();
        story.states("offers", status);
        fate(&strategy, &story.decide(&strategy), MAY_WE)
    };
    let until = at(DAYTIME) - days(35.0) + days(90.0);
    assert_eq!(says(ConsentStatus::Given), Fate::Dropped(Dropped::AnswerKnown));
    assert_eq!(says(ConsentStatus::Refused), Fate::Dropped(Dropped::AskedBefore { until }));
    assert_eq!(says(ConsentStatus::Withdrawn), Fate::Dropped(Dropped::NoBasis(Withheld::Withdrawn)));
    assert_eq!(says(ConsentStatus::Objected), Fate::Dropped(Dropped::NoBasis(Withheld::Objected)));
}

fn never_asked() -> Story {
    let mut story = Story::default();
    story.customer.profile.consents.retain(|said| said.about != About::Purpose("offers".into()));
    story
}

#[test]
fn a_visitor_nobody_knows_is_worth_no_question_of_this_kind() {
    let mut story = unknown();
    story.recognised = false;
    assert!(story.decide(&asking("")).trace.worth.is_empty());
}

#[test]
fn a_question_is_replayed_from_its_record() {
    let strategy = asking("");
    let decision = unknown().decide(&strategy);
    assert!(!decision.trace.worth.is_empty());
    assert_eq!(replay(&strategy, &decision), Ok(()));
}

#[test]
fn mistakes_about_answers_are_told() {
    let told = |goal: &str| -> Vec<String> {
        let mut files = files();
        files.insert(format!("actions/{KIND}.toml"), question("contract", goal));
        let problems = load(&Files(files)).err().unwrap_or_default();
        problems.into_iter().map(|problem| problem.message).collect()
    };
    assert_eq!(
        told("attribute = \"contract_type\", answers = { loose = 0.5 }"),
        ["`loose` cannot be a value of `contract_type`"]
    );
    assert_eq!(
        told("event = \"paid\", answers = { yes = 0.5 }"),
        ["`answers` belong to a question about an attribute"]
    );
    assert_eq!(told("consent = \"contract\""), ["`contract` does not rest on consent"]);
}

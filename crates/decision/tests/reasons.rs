//! The order of reasons: one customer with everything wrong; each row repairs one thing, and the
//! reason moves to the next step, until the action is said.

use crate::{
    generated::at,
    hand::{DAYTIME, RENEW, Story, fate, strategy},
};
use decision::{
    candidate::{Dropped, Fate, PassedOver},
    consent::Withheld,
    inputs::Assignment,
    profile::{ConsentStatus, Source},
    rules::Layer,
    value::Value,
};

type Row = (&'static str, fn(&mut Story), fn(Fate) -> bool);

const NIGHT_BEFORE_PUBLICATION: &str = "2026-02-28T23:00:00+01:00";
const NIGHT: &str = "2026-03-08T23:00:00+01:00";

/// Everything is wrong.
fn worst() -> Story {
    let mut story =
        Story { at: at(NIGHT_BEFORE_PUBLICATION), assignment: Assignment::Silence, ..Story::default() };
    story.customer.profile.consents.clear();
    story.quotas.insert(RENEW.into(), 0);
    ["first_name", "contract_type", "apology_owed", "gain"].iter().for_each(|name| story.forget(name));
    story.number("years", 0.5);
    story.flag("solvent", false);
    story.forget("arrears");
    story.flag("apology_owed", true);
    [1.0, 1.1, 1.2, 12.0].iter().for_each(|days_ago| story.contact(*days_ago));
    story.outcome("goal", Some(RENEW), 20.0);
    story.outcome("complaint", None, 10.0);
    story.outcome("rejected", Some(RENEW), 9.0);
    story.outcome("dismissed", Some(RENEW), 5.0);
    story.outcome("dismissed", Some(RENEW), 4.0);
    story.model.0.insert(RENEW, (0.0001, Some(0.00005)));
    story
}

fn without(story: &mut Story, outcome: &str) {
    story.customer.history.outcomes.retain(|found| found.outcome.as_str() != outcome);
}

fn dropped(fate: Fate) -> Dropped {
    match fate {
        Fate::Dropped(why) => why,
        other => panic!("not dropped but {other:?}"),
    }
}

/// Repair, and the reason that is left after it.
const ROWS: [Row; 23] = [
    ("nothing is repaired", |_| {}, |fate| dropped(fate) == Dropped::NoBasis(Withheld::NoConsent)),
    (
        "consent is given but withdrawn",
        |story| {
            story.states("offers", ConsentStatus::Withdrawn);
        },
        |fate| dropped(fate) == Dropped::NoBasis(Withheld::Withdrawn),
    ),
    (
        "consent is given again",
        |story| story.states("offers", ConsentStatus::Given),
        |fate| dropped(fate) == Dropped::NotPublishedNow,
    ),
    ("it is published", |story| story.at = at(NIGHT), |fate| dropped(fate) == Dropped::VolumeUsedUp),
    ("there is volume", |story| story.quotas.clear(), |fate| dropped(fate) == Dropped::TextUnknown),
    (
        "the name is known",
        |story| story.knows("first_name", Value::Text("Noor".into()), Source::Provided),
        |fate| matches!(dropped(fate), Dropped::Rule { layer: Layer::Eligibility, unknown: true, .. }),
    ),
    (
        "the contract is known, and fixed",
        |story| story.knows("contract_type", Value::Text("fixed".into()), Source::Provided),
        |fate| matches!(dropped(fate), Dropped::Rule { layer: Layer::Eligibility, unknown: false, .. }),
    ),
    (
        "the contract is variable",
        |story| story.knows("contract_type", Value::Text("variable".into()), Source::Provided),
        |fate| matches!(dropped(fate), Dropped::Rule { layer: Layer::Applicability, unknown: false, .. }),
    ),
    (
        "years have passed",
        |story| story.number("years", 3.0),
        |fate| matches!(dropped(fate), Dropped::Rule { layer: Layer::Suitability, unknown: false, .. }),
    ),
    (
        "it suits the customer",
        |story| story.flag("solvent", true),
        |fate| dropped(fate) == Dropped::Principle { principle: 0, unknown: true },
    ),
    (
        "arrears are known",
        |story| story.number("arrears", 100.0),
        |fate| dropped(fate) == Dropped::Principle { principle: 0, unknown: false },
    ),
    (
        "arrears are paid",
        |story| story.number("arrears", 0.0),
        |fate| dropped(fate) == Dropped::Principle { principle: 1, unknown: false },
    ),
    (
        "the apology is made",
        |story| story.flag("apology_owed", false),
        |fate| dropped(fate) == Dropped::Permission { permission: 0, why: Withheld::NoConsent },
    ),
    (
        "mailing is permitted",
        |story| story.states("mailing", ConsentStatus::Given),
        |fate| dropped(fate) == Dropped::QuietHours,
    ),
    (
        "it is day",
        |story| story.at = at(DAYTIME),
        |fate| matches!(dropped(fate), Dropped::GoalReached { .. }),
    ),
    (
        "the goal was not reached",
        |story| without(story, "goal"),
        |fate| matches!(dropped(fate), Dropped::ComplaintOpen { .. }),
    ),
    (
        "the complaint is resolved",
        |story| story.outcome("complaint_resolved", None, 9.5),
        |fate| matches!(dropped(fate), Dropped::Paused { pause: None, .. }),
    ),
    (
        "it was not rejected",
        |story| without(story, "rejected"),
        |fate| matches!(dropped(fate), Dropped::Paused { pause: Some(0), .. }),
    ),
    (
        "it was not dismissed",
        |story| without(story, "dismissed"),
        |fate| matches!(dropped(fate), Dropped::Limit { limit: 0, counted: 3, .. }),
    ),
    (
        "one contact less",
        |story| drop(story.customer.history.contacts.pop()),
        |fate| dropped(fate) == Dropped::ValueUnknown,
    ),
    (
        "its value is known, and a loss",
        |story| story.number("gain", -2000.0),
        |fate| matches!(dropped(fate), Dropped::BelowFloor { .. }),
    ),
    (
        "its value is a gain",
        |story| story.number("gain", 3000.0),
        |fate| dropped(fate) == Dropped::ControlGroup,
    ),
    (
        "the customer is not in the control group",
        |story| story.assignment = Assignment::Strategy,
        |fate| matches!(fate, Fate::PassedOver { why: PassedOver::SilenceWorthMore, .. }),
    ),
];

#[test]
fn each_repair_moves_the_reason_to_the_next_step_until_it_is_said() {
    let strategy = strategy();
    let mut story = worst();
    let mut steps = Vec::new();
    for (repair, apply, expected) in ROWS {
        apply(&mut story);
        let found = fate(&strategy, &story.decide(&strategy), RENEW);
        assert!(expected(found), "after `{repair}`: {found:?}");
        if let Fate::Dropped(why) = found {
            steps.push(why.step());
        }
    }
    assert!(steps.is_sorted(), "reasons come in the order of the steps: {steps:?}");
    story.model.0.insert(RENEW, (0.25, Some(0.05)));
    let found = fate(&strategy, &story.decide(&strategy), RENEW);
    assert!(matches!(found, Fate::Chosen { slot: 0, .. }), "after `it is likely to help`: {found:?}");
}

#[test]
fn a_limit_tells_when_it_is_free_again() {
    let strategy = strategy();
    let mut story = Story::default();
    [1.0, 2.0, 6.5].iter().for_each(|days_ago| story.contact(*days_ago));
    let until = at("2026-03-09T22:00:00+01:00");
    assert_eq!(
        fate(&strategy, &story.decide(&strategy), RENEW),
        Fate::Dropped(Dropped::Limit { limit: 0, counted: 3, until })
    );
    story.at = until;
    let later = fate(&strategy, &story.decide(&strategy), RENEW);
    assert!(!matches!(later, Fate::Dropped(Dropped::Limit { .. })), "{later:?}");
}

//! Customers with more contacts or outcomes than rules look through: the protection holds, the reason is
//! named, and every promise of a record is kept.

use crate::{
    generated::{at, case, cases, compile, days, organisation},
    hand::{self, DAYTIME, RENEW, Story, fate},
};
use decision::{
    candidate::{Dropped, Fate},
    explain::{Outcome as Told, Reason, explain},
    invariant,
    profile::{Contact, Customer, Outcome},
    record::Decision,
    replay::replay,
    rules::{Layer, cost::HISTORY_READ_MAX},
    strategy::Strategy,
};
use proptest::{collection::vec, prelude::*};

const REST: &str = r#"
[principles.rest_after_a_complaint]
order = 1
kind = "veto"
applies_to = ["sales"]
when = '''history.days_since("complaint", "") < 30.0'''
when_unknown = "pass"
owner = "board"
reason.nl = "Na een klacht is er rust."
reason.en = "After a complaint there is rest."
"#;

/// The organisation by hand, with one more principle, and perhaps a rule of its own about renewing.
fn strategy(principle: &str, rule: Option<(&str, &str)>) -> Strategy {
    let mut files = hand::files();
    files.insert("principles/rest.toml".into(), principle.into());
    if let Some((before, after)) = rule {
        let renew = files.get_mut("actions/sales/contract/renew.toml").expect("a file");
        assert!(renew.contains(before));
        *renew = renew.replace(before, after);
    }
    compile(files)
}

fn long_ago(customer: &mut Customer, outcomes: usize) {
    let one = Outcome {
        outcome: "opened".into(),
        event: None,
        action: Some(RENEW.into()),
        at: at(DAYTIME) - days(200.0),
    };
    customer.history.outcomes.splice(0..0, vec![one; outcomes]);
}

fn after_outcomes(count: usize) -> Story {
    let mut story = Story::default();
    long_ago(&mut story.customer, count);
    story
}

fn after_contacts(count: usize) -> Story {
    let mut story = Story::default();
    story.contact(200.0);
    let one: Contact = story.customer.history.contacts[0].clone();
    story.customer.history.contacts = vec![one; count];
    story
}

fn said(strategy: &Strategy, story: &Story) -> Fate {
    fate(strategy, &story.decide(strategy), RENEW)
}

fn vetoed_unknown(fate: Fate) -> bool {
    matches!(fate, Fate::Dropped(Dropped::Principle { unknown: true, .. }))
}

/// Why renewing was dropped, and how an employee reads it.
fn told(strategy: &Strategy, story: &Story, language: &str) -> (Reason, String) {
    let explanation = explain(strategy, &story.decide(strategy)).expect("the decision is made again");
    let line = explanation.employee(&language.into()).candidates[0].fate.clone();
    match &explanation.candidates[0].outcome {
        Told::Dropped { reason, .. } => (reason.clone(), line),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_veto_that_lets_the_unknown_pass_holds_over_a_history_too_long_to_be_looked_through() {
    let strategy = strategy(REST, None);
    for story in [after_outcomes(HISTORY_READ_MAX), after_contacts(HISTORY_READ_MAX)] {
        assert!(matches!(said(&strategy, &story), Fate::Chosen { .. }), "the last that is looked through");
    }
    for story in [after_outcomes(HISTORY_READ_MAX + 1), after_contacts(HISTORY_READ_MAX + 1)] {
        assert!(vetoed_unknown(said(&strategy, &story)), "the first that is not");
    }
}

#[test]
fn a_requirement_over_a_history_too_long_to_be_looked_through_does_not_pass_either() {
    let required = REST.replace("\"veto\"", "\"require\"").replace(
        "when = '''history.days_since(\"complaint\", \"\") < 30.0'''",
        "requires = '''history.contacts(\"sales\", \"7d\") < 3.0'''",
    );
    let strategy = strategy(&required, None);
    assert!(matches!(said(&strategy, &after_outcomes(0)), Fate::Chosen { .. }));
    assert!(vetoed_unknown(said(&strategy, &after_outcomes(HISTORY_READ_MAX + 1))));
}

#[test]
fn a_veto_that_is_settled_without_the_history_is_not_changed_by_its_length() {
    let and_in_arrears = REST.replace("< 30.0", "< 30.0 && customer.arrears > 50.0");
    let strategy = strategy(&and_in_arrears, None);
    let story = after_outcomes(HISTORY_READ_MAX + 1);
    assert!(matches!(said(&strategy, &story), Fate::Chosen { .. }));
}

#[test]
fn what_cannot_be_looked_up_is_not_replaced_by_what_stands_for_never() {
    let value = "customer = '''or_else(history.days_since(\"opened\", \"\"), 40.0)'''";
    let strategy = strategy("", Some(("customer = '''customer.gain'''", value)));
    assert!(matches!(said(&strategy, &after_outcomes(0)), Fate::Chosen { .. }));
    assert_eq!(said(&strategy, &after_outcomes(HISTORY_READ_MAX + 1)), Fate::Dropped(Dropped::ValueUnknown));
}

#[test]
fn whoever_asks_why_reads_that_the_history_is_too_long() {
    let story = after_outcomes(HISTORY_READ_MAX + 1);
    let vetoed = strategy(REST, None);
    assert_eq!(
        told(&vetoed, &story, "nl").1,
        "principe `rest_after_a_complaint` van board: Na een klacht is er rust, want niet bekend is de geschiedenis, die te lang is om door te kijken"
    );
    let (reason, line) = told(&vetoed, &story, "en");
    assert_eq!(
        line,
        "principle `rest_after_a_complaint` of board: After a complaint there is rest, because this is not known: the history, which is too long to be looked through"
    );
    let Reason::Principle { unknown: true, tellable: false, missing, .. } = reason else {
        panic!("{reason:?}");
    };
    assert_eq!(missing[0].id, "history");

    let rule = "suitability = '''customer.solvent && history.contacts(\"sales\", \"7d\") < 3.0'''";
    let refused = strategy("", Some(("suitability = '''customer.solvent'''", rule)));
    assert_eq!(
        told(&refused, &story, "en").1,
        "is it good for the customer: `history.contacts(\"sales\", \"7d\") < 3.0` is not known (the history, which is too long to be looked through)"
    );
    assert!(matches!(
        said(&refused, &story),
        Fate::Dropped(Dropped::Rule { layer: Layer::Suitability, unknown: true, .. })
    ));
}

proptest! {
    #![proptest_config(cases(15))]

    #[test]
    fn every_promise_of_a_record_holds_past_the_longest_history_that_is_looked_through(
        organisation in organisation(),
        requests in vec(case(), 4),
    ) {
        let strategy = organisation.strategy();
        for mut case in requests {
            let Some(customer) = &mut case.customer else { continue };
            long_ago(customer, HISTORY_READ_MAX + 1);
            let decision = case.decide(&strategy);
            prop_assert_eq!(invariant::check(&strategy, &decision), Ok(()));
            let bytes = decision.encode();
            let record = Decision::decode(&bytes).expect("a record reads back");
            prop_assert_eq!(replay(&strategy, &record), Ok(()));
            prop_assert_eq!(record.encode(), bytes);
        }
    }
}

//! Outcomes, events and statements: late, twice, out of order, or wrong.

use crate::shop::{OFFER, Shop, at, event, jan, said};
use decision::{
    id::DecisionId,
    profile::{About, ConsentStatus},
    value::Value,
};
use engine::{ConsentReport, EventReport, OutcomeReport, Verdict};
use std::collections::BTreeMap;

const MORNING: &str = "2026-03-09T09:00:00Z";
const NOON: &str = "2026-03-09T12:00:00Z";

fn rejected(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Rejected { code, .. } => Some(code),
        _ => None,
    }
}

#[test]
fn an_outcome_counts_once_however_often_it_is_sent() {
    let shop = Shop::with_jan(MORNING);
    let decided = shop.home(NOON, 1);
    assert_eq!(shop.report(&decided, "displayed", NOON), Verdict::Accepted);
    assert_eq!(shop.report(&decided, "displayed", "2026-03-09T12:00:05Z"), Verdict::Duplicate);
    let state = shop.engine.customer(&jan()).unwrap().unwrap();
    assert_eq!(state.customer.history.contacts.len(), 1);
}

#[test]
fn an_outcome_for_an_unknown_decision_is_kept_with_its_reason() {
    let shop = Shop::open();
    let report = OutcomeReport { decision: DecisionId(5), slot: 0, outcome: "displayed".into(), at: None };
    let (verdict, ticket) = shop.engine.report(&report, "the input", at(NOON)).unwrap();
    ticket.wait().unwrap();
    assert_eq!(rejected(&verdict), Some("unknown_decision"));
    let rejects = shop.engine.rejected(10).unwrap();
    assert_eq!((rejects[0].code.as_str(), rejects[0].input.as_str()), ("unknown_decision", "the input"));
}

#[test]
fn an_outcome_before_its_decision_or_of_silence_is_rejected() {
    let shop = Shop::with_jan(MORNING);
    let decided = shop.home(NOON, 1);
    let early = OutcomeReport {
        decision: decided.decision.id,
        slot: 0,
        outcome: "clicked".into(),
        at: Some(at("2026-03-09T11:00:00Z")),
    };
    assert_eq!(rejected(&shop.engine.report(&early, "", at(NOON)).unwrap().0), Some("before_decision"));
    shop.say(ConsentStatus::Withdrawn, "2026-03-09T12:01:00Z");
    let silent = shop.mail("2026-03-09T12:02:00Z", 2);
    assert_eq!(rejected(&shop.report(&silent, "delivered", "2026-03-09T12:03:00Z")), Some("nothing_said"));
}

#[test]
fn an_event_counts_once_and_an_undeclared_one_is_kept_as_a_reject() {
    let shop = Shop::with_jan(MORNING);
    assert_eq!(shop.happen("b1", "bought", NOON), Verdict::Accepted);
    assert_eq!(shop.happen("b1", "bought", "2026-03-09T12:00:09Z"), Verdict::Duplicate);
    assert_eq!(rejected(&shop.happen("b2", "teleported", NOON)), Some("unknown_event"));
}

#[test]
fn events_from_the_future_or_without_a_person_are_rejected() {
    let shop = Shop::open();
    let future = EventReport { at: Some(at("2027-01-01T00:00:00Z")), ..event("f", "bought") };
    assert_eq!(rejected(&shop.engine.ingest(&future, "", at(NOON)).unwrap().0), Some("in_the_future"));
    let nobody = EventReport { identifiers: Vec::new(), ..event("n", "bought") };
    assert_eq!(rejected(&shop.engine.ingest(&nobody, "", at(NOON)).unwrap().0), Some("no_identifier"));
    let slightly_ahead = EventReport { at: Some(at("2026-03-09T12:01:00Z")), ..event("s", "bought") };
    assert_eq!(shop.engine.ingest(&slightly_ahead, "", at(NOON)).unwrap().0, Verdict::Accepted);
}

#[test]
fn undeclared_names_are_dropped_and_counted_by_name() {
    let shop = Shop::with_jan(MORNING);
    shop.know("e2", NOON, &[("shoe_size", Value::Number(43.0)), ("has_garden", Value::Text("yes".into()))]);
    let with_property = EventReport {
        properties: BTreeMap::from([("colour".to_owned(), Value::Text("red".into()))]),
        ..event("e3", "bought")
    };
    shop.engine.ingest(&with_property, "", at(NOON)).unwrap().1.wait().unwrap();
    let dropped = shop.engine.dropped_names();
    assert_eq!(dropped.get("shoe_size"), Some(&1));
    assert_eq!(dropped.get("has_garden"), Some(&1), "a value of the wrong type is dropped");
    assert_eq!(dropped.get("bought.colour"), Some(&1));
    let state = shop.engine.customer(&jan()).unwrap().unwrap();
    assert_eq!(state.customer.profile.attributes["has_garden"].value, Value::Bool(true));
}

#[test]
fn a_value_that_means_unknown_never_becomes_known() {
    let shop = Shop::with_jan(MORNING);
    shop.know("e2", NOON, &[("town", Value::Text(" Unknown ".into()))]);
    let state = shop.engine.customer(&jan()).unwrap().unwrap();
    assert_eq!(state.customer.profile.attributes["town"].value, Value::Text("Gouda".into()));
}

#[test]
fn what_the_customer_provided_beats_what_was_observed_later() {
    let shop = Shop::with_jan(MORNING);
    let provided = EventReport {
        attributes: BTreeMap::from([("town".to_owned(), Value::Text("Delft".into()))]),
        source: Some(decision::profile::Source::Provided),
        ..event("e2", "customer_updated")
    };
    shop.engine.ingest(&provided, "", at(NOON)).unwrap().1.wait().unwrap();
    shop.know("e3", "2026-03-10T12:00:00Z", &[("town", Value::Text("Gouda".into()))]);
    let state = shop.engine.customer(&jan()).unwrap().unwrap();
    assert_eq!(state.customer.profile.attributes["town"].value, Value::Text("Delft".into()));
}

#[test]
fn a_statement_about_an_unknown_purpose_names_the_purposes_there_are() {
    let shop = Shop::open();
    let report = ConsentReport::new(jan(), About::Purpose("world_domination".into()), ConsentStatus::Given);
    match shop.engine.consent(&report, "", at(NOON)).unwrap().0 {
        Verdict::Rejected { code: "unknown_purpose", message } => {
            assert!(message.contains("`offers`"), "{message}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn events_make_a_stranger_known() {
    let shop = Shop::open();
    shop.happen("b1", "bought", MORNING);
    assert!(shop.engine.customer(&jan()).unwrap().is_some());
    assert_ne!(said(&shop.mail(NOON, 1)), Some(OFFER), "known, but without consent");
}

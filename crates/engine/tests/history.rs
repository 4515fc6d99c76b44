//! Contacts that somebody else made, and what came of them.

use crate::shop::{OFFER, Shop, at, jan, request, said};
use decision::{profile::ConsentStatus, request::Direction};
use engine::{PastContact, PastOutcome, PastSilence, Verdict};
use learning::Predictor;

fn contact(id: &str, moment: &str) -> PastContact {
    PastContact {
        id: id.into(),
        identifiers: jan(),
        action: OFFER.into(),
        request: request("email", Direction::Outbound, "mail", 1),
        at: at(moment),
        probability: None,
    }
}

fn silence(id: &str, moment: &str) -> PastSilence {
    PastSilence {
        id: id.into(),
        identifiers: jan(),
        withheld: vec![OFFER.into()],
        request: request("email", Direction::Outbound, "mail", 1),
        at: at(moment),
        probability: Some(1.0 / 3.0),
    }
}

fn record(shop: &Shop, contact: &PastContact) -> Verdict {
    let recorded = shop.engine.record_contact(contact, "", contact.at);
    recorded.expect("the store works").0
}

fn outcome(shop: &Shop, contact: &str, moment: &str) -> Verdict {
    let outcome =
        PastOutcome { contact: contact.into(), identifiers: jan(), outcome: "bought".into(), at: at(moment) };
    let recorded = shop.engine.record_outcome(&outcome, "", at(moment));
    recorded.expect("the store works").0
}

fn code(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Rejected { code, .. } => code,
        _ => "",
    }
}

#[test]
fn a_past_contact_takes_from_the_attention_budget_like_any_other() {
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    assert_eq!(said(&shop.mail("2026-03-09T09:00:00Z", 1)), Some(OFFER));
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    record(&shop, &contact("a", "2026-03-04T09:00:00Z"));
    record(&shop, &contact("b", "2026-03-05T09:00:00Z"));
    assert_eq!(said(&shop.mail("2026-03-09T09:00:00Z", 1)), None);
}

#[test]
fn past_contacts_and_their_outcomes_count_once() {
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    let sent = contact("a", "2026-03-04T09:00:00Z");
    assert_eq!(record(&shop, &sent), Verdict::Accepted);
    assert_eq!(record(&shop, &sent), Verdict::Duplicate);
    assert_eq!(outcome(&shop, "a", "2026-03-05T09:00:00Z"), Verdict::Accepted);
    assert_eq!(outcome(&shop, "a", "2026-03-06T09:00:00Z"), Verdict::Duplicate);
    let history = shop.engine.customer(&jan()).unwrap().unwrap().customer.history;
    assert_eq!(history.contacts.len(), 1);
    let goals = history.outcomes.iter().filter(|found| found.outcome.as_str() == "goal");
    assert_eq!(goals.count(), 1);
}

#[test]
fn an_outcome_without_its_contact_is_kept_as_a_reject() {
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    record(&shop, &contact("a", "2026-03-04T09:00:00Z"));
    let unknown = outcome(&shop, "b", "2026-03-05T09:00:00Z");
    assert_eq!(code(&unknown), "unknown_contact");
    let early = outcome(&shop, "a", "2026-03-03T09:00:00Z");
    assert_eq!(code(&early), "before_contact");
    assert_eq!(shop.engine.rejected(10).unwrap().len(), 2);
}

#[test]
fn models_learn_from_past_contacts_and_see_only_what_was_known_before_them() {
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    let sent = contact("a", "2026-03-04T09:00:00Z");
    let outlook = |moment: &str| {
        let found = shop.engine.outlook(&jan(), &sent.action, &sent.request, at(moment));
        found.unwrap()
    };
    let names = |moment: &str| -> Vec<String> {
        let features = outlook(moment).unwrap().features;
        features.iter().map(|feature| feature.name.to_string()).collect()
    };
    assert_eq!(names("2026-03-04T09:00:00Z"), ["has_garden", "town"]);
    assert!(names("2026-03-01T09:00:00Z").is_empty(), "known at that very moment is not known before it");
    let seen = outlook("2026-03-04T09:00:00Z").unwrap();
    let expected = || shop.engine.model().expect(&seen.features, seen.arm());
    let before = expected();
    record(&shop, &sent);
    outcome(&shop, "a", "2026-03-05T09:00:00Z");
    shop.engine.learn(at("2026-06-01T09:00:00Z")).unwrap();
    assert!(expected().probability > before.probability);
    assert_eq!(expected().evidence, 1.0);
}

#[test]
fn a_contact_made_without_basis_counts_but_teaches_nothing() {
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    shop.say(ConsentStatus::Withdrawn, "2026-03-02T09:00:00Z");
    let sent = contact("a", "2026-03-04T09:00:00Z");
    assert_eq!(record(&shop, &sent), Verdict::Accepted);
    let outlook = shop.engine.outlook(&jan(), &sent.action, &sent.request, sent.at);
    assert_eq!(outlook.unwrap(), None);
    let before = shop.engine.model().version();
    shop.engine.learn(at("2026-06-01T09:00:00Z")).unwrap();
    assert_eq!(shop.engine.model().version(), before);
}

#[test]
fn the_probability_of_a_randomised_contact_is_kept_with_it() {
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    let third = PastContact { probability: Some(1.0 / 3.0), ..contact("a", "2026-03-04T09:00:00Z") };
    assert_eq!(record(&shop, &third), Verdict::Accepted);
    record(&shop, &contact("b", "2026-03-05T09:00:00Z"));
    let recorded = |id| shop.engine.recorded_probability(&jan(), id).unwrap();
    assert_eq!((recorded("a"), recorded("b"), recorded("c")), (Some(1.0 / 3.0), None, None));
    for wrong in [0.0, 1.5, f32::NAN] {
        let wrong = PastContact { probability: Some(wrong), ..contact("d", "2026-03-06T09:00:00Z") };
        assert_eq!(code(&record(&shop, &wrong)), "no_probability");
    }
}

#[test]
fn a_deliberate_silence_takes_no_attention_and_keeps_its_probability() {
    let shop = Shop::with_jan("2026-03-01T09:00:00Z");
    let quiet = silence("a", "2026-03-04T09:00:00Z");
    let recorded = |quiet: &PastSilence| shop.engine.record_silence(quiet, "", quiet.at).unwrap().0;
    assert_eq!(recorded(&quiet), Verdict::Accepted);
    assert_eq!(recorded(&quiet), Verdict::Duplicate);
    assert_eq!(shop.engine.recorded_probability(&jan(), "a").unwrap(), Some(1.0 / 3.0));
    assert!(shop.engine.customer(&jan()).unwrap().unwrap().customer.history.contacts.is_empty());
    assert_eq!(said(&shop.mail("2026-03-09T09:00:00Z", 1)), Some(OFFER));
    let unknown =
        PastSilence { withheld: vec!["none/of/these".into()], ..silence("b", "2026-03-04T09:00:00Z") };
    assert_eq!(code(&recorded(&unknown)), "unknown_action");
    let nothing = PastSilence { withheld: Vec::new(), ..silence("c", "2026-03-04T09:00:00Z") };
    assert_eq!(code(&recorded(&nothing)), "unknown_action");
}

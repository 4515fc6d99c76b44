//! What humans decide, what customers take along, and what many at once do to one household.

use crate::shop::{IntoValue, OFFER, Shop, at, event, files, jan, said};
use decision::{profile::Source, value::Value};
use engine::{AskedWhy, Engine, EventReport, OutcomeReport, Settled, Verdict, storage::MemoryStore};
use std::sync::Arc;

const START: &str = "2026-03-09T09:00:00Z";

/// A shop whose offer has a legal effect.
fn careful() -> Shop {
    let mut files = files();
    let offer = files.0.get_mut("actions/sales/garden/offer.toml").unwrap();
    *offer = format!("legal_effect = true\n{offer}");
    let store = Arc::new(MemoryStore::new());
    let shop = Shop { engine: Engine::open(store, &files, [7; 32]).unwrap() };
    shop.say(decision::profile::ConsentStatus::Given, START);
    shop.know("e1", START, &[("has_garden", Value::Bool(true)), ("town", "Gouda".into_value())]);
    shop
}

#[test]
fn what_has_a_legal_effect_waits_for_a_human() {
    let shop = careful();
    let decided = shop.home(START, 1);
    assert_eq!((said(&decided), decided.answer.slots[0].awaits_human), (None, true));
    assert_eq!(decided.answer.slots[0].body, None);
    let report = || {
        let decision = decided.decision.id;
        let report = OutcomeReport { decision, slot: 0, outcome: "displayed".into(), at: None };
        shop.engine.report(&report, "", at(START)).unwrap().0
    };
    assert!(matches!(report(), Verdict::Rejected { code: "awaits_human", .. }), "it cannot have happened");
    let waiting = shop.engine.reviews(None, 10).unwrap();
    assert_eq!((waiting.len(), waiting[0].why), (1, AskedWhy::LegalEffect));
    assert_eq!(waiting[0].action.as_ref().map(|action| action.as_str()), Some(OFFER));
    let about = (decided.decision.id, 0, AskedWhy::LegalEffect);
    let settled = |approved| Settled { approved, by: "Piet".into(), reason: "read it".into(), at_ms: 0 };
    assert!(shop.engine.settle(about, settled(true), "atk_desk", at(START)).unwrap().unwrap().is_some());
    assert!(
        shop.engine.settle(about, settled(false), "atk_desk", at(START)).unwrap().unwrap().is_none(),
        "once"
    );
    assert_eq!(report(), Verdict::Accepted);
    assert!(shop.engine.replay(decided.decision.id).unwrap().unwrap().is_ok());
}

#[test]
fn what_has_a_legal_effect_takes_no_attention_before_it_happens() {
    let shop = careful();
    for seed in 0..4 {
        assert!(shop.home(START, seed).answer.slots[0].awaits_human, "{seed}");
    }
    assert_eq!(shop.engine.customer(&jan()).unwrap().unwrap().customer.history.contacts, []);
}

#[test]
fn a_correction_beats_what_was_observed_and_stays() {
    let shop = Shop::with_jan(START);
    let told = |id: &str, town: &str, source, moment| {
        let report = EventReport {
            attributes: [("town".to_owned(), town.into_value())].into(),
            source: Some(source),
            ..event(id, "customer_updated")
        };
        assert_eq!(shop.engine.ingest(&report, "", at(moment)).unwrap().0, Verdict::Accepted);
    };
    told("c", "Delft", Source::Provided, "2026-03-10T09:00:00Z");
    told("o", "Gouda", Source::Observed, "2026-03-11T09:00:00Z");
    told("d", "Leiden", Source::Derived, "2026-03-12T09:00:00Z");
    let known = shop.engine.customer(&jan()).unwrap().unwrap().customer.profile.attributes;
    assert_eq!((&known["town"].value, known["town"].source), (&"Delft".into_value(), Source::Provided));
}

#[test]
fn two_events_of_one_household_at_once_lose_nothing() {
    let mut files = files();
    let many: String = (0..32)
        .map(|number| {
            format!(
                "[attributes.fact_{number}]\nname.en = \"fact\"\ntype = \"bool\"\nsubject = \"household\"\npurposes = [\"offers\"]\nowner = \"team\"\n"
            )
        })
        .collect();
    files.0.insert("inventory/household.toml".into(), many);
    let engine = Engine::open(Arc::new(MemoryStore::new()), &files, [7; 32]).unwrap();
    std::thread::scope(|scope| {
        for person in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for number in (0..32).filter(|number| number % 4 == person) {
                    let report = EventReport {
                        identifiers: vec![engine::Identifier::new("user_id", &person.to_string())],
                        attributes: [(format!("fact_{number}"), Value::Bool(true))].into(),
                        household: Some("home".into()),
                        ..event(&number.to_string(), "customer_updated")
                    };
                    let verdict = engine.ingest(&report, "", at(START)).unwrap().0;
                    assert_eq!(verdict, Verdict::Accepted);
                }
            });
        }
    });
    let known = engine.customer(&[engine::Identifier::new("user_id", "0")]).unwrap().unwrap();
    assert_eq!(known.household.unwrap().len(), 32);
}

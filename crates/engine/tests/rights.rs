//! What humans decide, what customers take along, and what many at once do to one household.

use crate::shop::{IntoValue, OFFER, Shop, at, event, files, jan, request, said};
use decision::{explain::explain, profile::Source, request::Direction, value::Value};
use engine::{
    AskedWhy, Engine, EventReport, NotContested, OutcomeReport, Settled, Verdict, storage::MemoryStore,
};
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
fn the_same_question_to_a_human_is_asked_once_until_it_is_answered() {
    let shop = careful();
    let waiting = || shop.engine.reviews(None, 10).unwrap();
    let first = shop.home(START, 1).decision.id;
    shop.home("2026-03-10T09:00:00Z", 2);
    assert_eq!(waiting().iter().map(|review| review.decision).collect::<Vec<_>>(), [first]);
    let refused = Settled { approved: false, by: "Piet".into(), reason: "no".into(), at_ms: 0 };
    let about = (first, 0, AskedWhy::LegalEffect);
    let settled =
        shop.engine.settle(about, refused, "atk_desk", at("2026-03-10T09:00:00Z")).unwrap().unwrap().unwrap();
    settled.1.wait().unwrap();
    shop.home("2026-03-11T09:00:00Z", 3);
    shop.home("2026-03-11T10:00:00Z", 4);
    assert_eq!(waiting().len(), 2);
}

#[test]
fn a_customer_reads_that_a_human_decides_and_how_to_contest_it() {
    let shop = careful();
    let decision = shop.home(START, 1).decision;
    let explanation = explain(&shop.engine.published().strategy, &decision).unwrap();
    let english = explanation.customer(&"en".into()).text();
    for words in
        ["has decided nothing yet", "‘Garden offer’", "our people decides, not the computer", "Contest it"]
    {
        assert!(english.contains(words), "{words}: {english}");
    }
    assert!(!english.contains("chose this for you"), "{english}");
    let dutch = explanation.customer(&"nl".into()).text();
    assert!(dutch.contains("een medewerker, niet de computer") && dutch.contains("Vecht het aan"), "{dutch}");
    assert!(explanation.employee(&"en".into()).text().contains("(a human decides)"));
}

#[test]
fn a_customer_contests_one_of_several_things_that_were_chosen() {
    let shop = Shop::with_jan(START);
    shop.know("e2", START, &[("owns_heater", Value::Bool(true))]);
    let noon = "2026-03-09T12:00:00Z";
    let two = shop.ask(request("email", Direction::Outbound, "mail", 2), noon, 1);
    assert!(two.answer.slots.iter().all(|slot| slot.action.is_some()));
    let jan = shop.engine.find(&jan()).unwrap().unwrap();
    let contest = |slot| {
        let contested = shop.engine.contest(jan, (two.decision.id, slot), "why?", at(noon)).unwrap();
        contested.map(|ticket| ticket.wait().unwrap())
    };
    assert_eq!(contest(None), Err(NotContested::WhichSlot));
    assert_eq!(contest(Some(7)), Err(NotContested::NoSlot));
    assert_eq!(contest(Some(1)), Ok(()));
    let reviews = shop.engine.reviews_of(two.decision.id).unwrap();
    assert_eq!((reviews.len(), reviews[0].slot), (1, 1));
    assert_eq!(reviews[0].action, two.answer.slots[1].action);
    let silent = Shop::open();
    silent.know("e1", START, &[]);
    let decision = silent.home(START, 1).decision;
    let contested = silent.engine.contest(decision.customer.unwrap(), (decision.id, None), "", at(START));
    assert!(contested.unwrap().is_ok(), "silence can be contested too");
}

#[test]
fn all_decisions_about_one_customer_are_read_by_page_while_others_ask() {
    let count: u64 = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 100_000 } else { 1_000 };
    let shop = Shop::open();
    shop.know("e1", START, &[("town", "Gouda".into_value())]);
    let ask = |name: &str, number: u64| {
        let identifiers = vec![engine::Identifier::new("user_id", name)];
        let request = request("web", Direction::Inbound, "home", 1);
        let ask = engine::Ask { identifiers, request, adjustments: Vec::new() };
        let moment = at(START) + decision::Duration::from_millis(i64::try_from(number).unwrap());
        shop.engine.decide(&ask, moment, number).unwrap().decision
    };
    let decided: Vec<_> = (0..count).map(|number| ask("jan", number).id).collect();
    let jan = shop.engine.find(&jan()).unwrap().unwrap();
    let (mut read, mut pages) = (Vec::new(), 0);
    loop {
        let page = shop.engine.decisions_after(jan, read.last().copied(), 50).unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 50);
        read.extend(page.iter().map(|decision| decision.id));
        pages += 1;
        ask("eva", count + pages);
    }
    assert_eq!(pages, count / 50);
    assert!(read == decided, "all, once, in order");
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

//! Who is erased is nobody any more: not in rows, not in old events, not in models, not in an older copy of the data.

use crate::shop::{at, event, files, request};
use decision::{
    profile::{About, ConsentStatus},
    request::Direction,
    value::Value,
};
use engine::{
    Ask, Because, Certificate, ConsentReport, Engine, EngineError, EventReport, Identifier, OutcomeReport,
    Verdict,
    storage::{Batch, MemoryStore, MemoryVault, Store, Table, Write},
};
use learning::Predictor as _;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

const FIRST: &str = "2026-03-01T10:00:00Z";
const LATER: &str = "2026-03-02T10:00:00Z";
const ERASED: &str = "2026-03-03T10:00:00Z";
const AFTER: &str = "2026-03-04T10:00:00Z";
const LEARNED: &str = "2027-01-04T10:00:00Z";

fn ids(names: &[(&str, &str)]) -> Vec<Identifier> {
    names.iter().map(|(kind, value)| Identifier::new(kind, value)).collect()
}

fn known(engine: &Engine, who: &[Identifier], id: &str, moment: &str, said: Option<&str>) -> Verdict {
    let (town, garden) = (Value::Text("Gouda".into()), Value::Bool(true));
    let attributes = BTreeMap::from([("town".to_owned(), town), ("has_garden".to_owned(), garden)]);
    let report = EventReport {
        identifiers: who.to_vec(),
        attributes,
        at: said.map(at),
        ..event(id, "customer_updated")
    };
    engine.ingest(&report, "{}", at(moment)).unwrap().0
}

fn allows(engine: &Engine, who: &[Identifier], moment: &str) {
    let report = ConsentReport::new(who.to_vec(), About::Purpose("offers".into()), ConsentStatus::Given);
    engine.consent(&report, "{}", at(moment)).unwrap().1.wait().unwrap();
}

fn decide(engine: &Engine, who: &[Identifier], moment: &str, seed: u64) {
    let request = request("web", Direction::Inbound, "home", 1);
    let ask = Ask { identifiers: who.to_vec(), request, adjustments: Vec::new() };
    let decided = engine.decide(&ask, at(moment), seed).unwrap();
    let report =
        OutcomeReport { decision: decided.decision.id, slot: 0, outcome: "displayed".into(), at: None };
    engine.report(&report, "{}", at(moment)).unwrap().1.wait().unwrap();
}

fn erase(engine: &Engine, who: &[Identifier], moment: &str) -> Certificate {
    let (certificate, ticket) = engine.erase(who, Some("atk_admin"), at(moment)).unwrap();
    ticket.wait().unwrap();
    certificate
}

fn opened(store: &Arc<MemoryStore>) -> Engine {
    Engine::open(store.clone(), &files(), [7; 32]).unwrap()
}

fn shop() -> (Engine, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::new());
    (opened(&store), store)
}

fn code(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Rejected { code, .. } => code,
        Verdict::Accepted => "accepted",
        Verdict::Duplicate => "duplicate",
    }
}

/// Every row of the store as it is kept.
fn content(store: &MemoryStore) -> BTreeMap<(Table, Vec<u8>), Vec<u8>> {
    let rows = |table: Table| store.scan(table, &[], None, usize::MAX).unwrap().into_iter();
    let all = Table::ALL
        .iter()
        .flat_map(|table| rows(*table).map(move |(key, value)| ((*table, key), value.to_vec())));
    all.collect()
}

#[test]
fn an_erased_person_is_known_by_none_of_their_identifiers_and_no_row_of_theirs_is_left() {
    let (engine, store) = shop();
    let both = ids(&[("user_id", "jan"), ("email", "jan@example.org")]);
    known(&engine, &both, "e1", FIRST, None);
    allows(&engine, &both, FIRST);
    (0..3).for_each(|seed| decide(&engine, &both, LATER, seed));
    let eva = ids(&[("user_id", "eva")]);
    known(&engine, &eva, "e1", FIRST, None);
    let jan = engine.find(&both).unwrap().unwrap();
    let certificate = erase(&engine, &ids(&[("email", "jan@example.org")]), ERASED);
    for (table, rows) in [("identifier", 2), ("profile", 1), ("record", 3), ("consent", 1), ("event", 1)] {
        assert_eq!(certificate.rows[table], rows, "{table}");
    }
    assert_eq!(certificate.identifiers, 2);
    assert_eq!(engine.find(&both).unwrap(), None);
    assert!(engine.find(&eva).unwrap().is_some());
    assert!(engine.decisions_of(jan, 10).unwrap().is_empty());
    let prefix = engine::storage::key::customer(jan);
    assert!(content(&store).keys().all(|(_, key)| !key.starts_with(&prefix)));
    assert_eq!(engine.verify(None, at(AFTER)).unwrap().findings, []);
}

#[test]
fn what_is_dated_before_the_erasure_is_refused_and_what_is_newer_is_about_somebody_new() {
    let (engine, store) = shop();
    let both = ids(&[("user_id", "jan"), ("email", "jan@example.org")]);
    known(&engine, &both, "e1", FIRST, None);
    let before = engine.find(&both).unwrap();
    erase(&engine, &ids(&[("user_id", "jan")]), ERASED);
    for said in [FIRST, LATER, ERASED] {
        for who in [ids(&[("user_id", "jan")]), ids(&[("email", "jan@example.org")]), both.clone()] {
            assert_eq!(code(&known(&engine, &who, "e2", AFTER, Some(said))), "erased");
        }
    }
    let consent = ConsentReport {
        at: Some(at(LATER)),
        ..ConsentReport::new(both.clone(), About::Purpose("offers".into()), ConsentStatus::Given)
    };
    assert_eq!(code(&engine.consent(&consent, "{}", at(AFTER)).unwrap().0), "erased");
    assert_eq!(engine.find(&both).unwrap(), None);
    assert!(engine.rejected(100).unwrap().iter().all(|reject| reject.input.is_empty()));
    assert_eq!(known(&engine, &both, "e3", AFTER, None), Verdict::Accepted);
    let after = engine.find(&both).unwrap();
    assert!(after.is_some() && after != before);
    let again = opened(&store);
    assert_eq!(code(&known(&again, &both, "e4", AFTER, Some(LATER))), "erased", "also after reopening");
    assert_eq!(again.find(&both).unwrap(), after);
}

#[test]
fn erasing_somebody_unknown_or_twice_gives_the_same_answer_and_holds() {
    let (engine, _) = shop();
    let jan = ids(&[("user_id", "jan")]);
    known(&engine, &jan, "e1", FIRST, None);
    let first = erase(&engine, &jan, ERASED);
    let (second, nobody) =
        (erase(&engine, &jan, ERASED), erase(&engine, &ids(&[("user_id", "nobody")]), ERASED));
    assert_eq!(first.rows.keys().collect::<Vec<_>>(), nobody.rows.keys().collect::<Vec<_>>());
    for certificate in [&second, &nobody] {
        assert!(certificate.rows.values().all(|rows| *rows == 0));
        assert_eq!(certificate.identifiers, 1);
    }
    assert_eq!(code(&known(&engine, &ids(&[("user_id", "nobody")]), "e1", AFTER, Some(LATER))), "erased");
    assert_eq!(engine.verify(None, at(AFTER)).unwrap().findings, []);
}

#[test]
fn identifiers_of_two_persons_erase_nobody() {
    let (engine, _) = shop();
    let (jan, eva) = (ids(&[("user_id", "jan")]), ids(&[("email", "eva@example.org")]));
    known(&engine, &jan, "e1", FIRST, None);
    known(&engine, &eva, "e1", FIRST, None);
    let refused = engine.erase(&[jan.clone(), eva.clone()].concat(), None, at(ERASED)).err().unwrap();
    assert!(matches!(refused, EngineError::SeveralPersons));
    assert!(engine.find(&jan).unwrap().is_some() && engine.find(&eva).unwrap().is_some());
}

#[test]
fn rejected_input_that_names_an_erased_person_goes_and_does_not_come_back() {
    let (engine, _) = shop();
    let stranger = EventReport { identifiers: ids(&[("email", "x@example.org")]), ..event("e", "nonsense") };
    let input = r#"{"event":"nonsense","identifiers":{"email":"x@example.org","user_id":7},"note":"secret"}"#;
    let malformed = r#"{"evnt":1,"customer":{"identifiers":{"user_id":7}}}"#.to_owned();
    let keep = || {
        engine.ingest(&stranger, input, at(FIRST)).unwrap().1.wait().unwrap();
        engine
            .keep_reject("wrong", "it is wrong".into(), malformed.clone(), at(FIRST))
            .unwrap()
            .1
            .wait()
            .unwrap();
    };
    keep();
    engine
        .keep_reject("wrong", "it is wrong".into(), r#"{"user_id":8}"#.into(), at(FIRST))
        .unwrap()
        .1
        .wait()
        .unwrap();
    let certificate = erase(&engine, &ids(&[("user_id", "7")]), ERASED);
    assert_eq!(certificate.rows["reject"], 2);
    keep();
    let inputs: Vec<String> = engine.rejected(10).unwrap().into_iter().map(|reject| reject.input).collect();
    assert!(inputs.iter().filter(|input| !input.is_empty()).all(|input| input.contains('8')), "{inputs:?}");
}

#[test]
fn what_was_said_about_a_merge_goes_with_either_of_the_two() {
    let (engine, store) = shop();
    let (jan, eva) = (ids(&[("user_id", "jan")]), ids(&[("user_id", "eva")]));
    for who in [&jan, &eva] {
        known(&engine, who, "e1", FIRST, None);
    }
    let [one, other] = [&jan, &eva].map(|who| engine.find(who).unwrap().unwrap());
    let because = Because { by: "atk_desk", reason: "jan's own words" };
    engine.merge(one, other, because, at(FIRST)).unwrap().unwrap().1.wait().unwrap();
    engine.unmerge(one, because, at(LATER)).unwrap().unwrap().1.wait().unwrap();
    let says = || content(&store).values().any(|row| row.windows(13).any(|part| part == b"jan's own wor"));
    assert!(says() && engine.state(one).unwrap().undone.len() == 1);
    erase(&engine, &eva, ERASED);
    assert!(!says() && engine.state(one).unwrap().undone.is_empty());
    assert!(engine.find(&jan).unwrap().is_some());
    assert_eq!(engine.verify(None, at(AFTER)).unwrap().findings, []);
}

#[test]
fn an_older_copy_of_the_data_forgets_who_was_erased_since_when_it_is_opened() {
    let vault = Arc::new(MemoryVault::default());
    let store = Arc::new(MemoryStore::with_vault(vault.clone()));
    let engine = opened(&store);
    let (jan, eva) = (ids(&[("user_id", "jan")]), ids(&[("user_id", "eva")]));
    for who in [&jan, &eva] {
        known(&engine, who, "e1", FIRST, None);
        allows(&engine, who, FIRST);
        decide(&engine, who, LATER, 4);
    }
    for name in ["jan", "eva"] {
        let input = format!(r#"{{"user_id":"{name}","evnt":1}}"#);
        engine.keep_reject("wrong", "it is wrong".into(), input, at(LATER)).unwrap().1.wait().unwrap();
    }
    let yesterday = content(&store);
    erase(&engine, &jan, ERASED);
    let restored = Arc::new(MemoryStore::with_vault(vault.clone()));
    let writes = yesterday.iter().map(|((table, key), value)| Write::put(*table, key.clone(), value.clone()));
    restored.commit(Batch { writes: writes.collect(), ..Batch::default() }).unwrap().wait().unwrap();
    let again = opened(&restored);
    assert!(again.find(&jan).unwrap().is_none() && again.find(&eva).unwrap().is_some());
    let rejected = again.rejected(9).unwrap();
    assert!(rejected.len() == 1 && rejected[0].input.contains("eva"), "{rejected:?}");
    assert_eq!(again.verify(None, at(AFTER)).unwrap().findings, []);
    assert_eq!(code(&known(&again, &jan, "e1", AFTER, Some(FIRST))), "erased");
    let alone = Arc::new(MemoryStore::new());
    let writes = content(&restored).into_iter().map(|((table, key), value)| Write::put(table, key, value));
    alone.commit(Batch { writes: writes.collect(), ..Batch::default() }).unwrap().wait().unwrap();
    let refused = Engine::open(alone, &files(), [7; 32]).err().unwrap();
    assert!(matches!(refused, EngineError::ErasuresMissing { done: 1, count: 0 }), "{refused}");
}

#[test]
fn after_an_erasure_was_finished_the_model_is_the_one_that_never_saw_the_person() {
    let live = |with_jan: bool| {
        let (engine, _) = shop();
        let (jan, eva) = (ids(&[("user_id", "jan")]), ids(&[("user_id", "eva")]));
        for who in if with_jan { vec![&eva, &jan] } else { vec![&eva] } {
            known(&engine, who, "e1", FIRST, None);
            allows(&engine, who, FIRST);
        }
        for day in 0..20 {
            let moment = (at(LATER) + decision::Duration::from_hours(24 * 6 * day)).to_string();
            for who in if with_jan { vec![&eva, &jan] } else { vec![&eva] } {
                let seed = 2 * day as u64 + u64::from(*who == jan);
                decide(&engine, who, &moment, seed);
                let bought = EventReport { identifiers: who.clone(), ..event(&format!("b{day}"), "bought") };
                if day % 3 == 0 {
                    engine.ingest(&bought, "{}", at(&moment)).unwrap().1.wait().unwrap();
                }
            }
        }
        engine.learn(at(LEARNED)).unwrap();
        if with_jan {
            let knew = engine.model().version();
            erase(&engine, &jan, LEARNED);
            assert_eq!(engine.unfinished_erasures().unwrap(), 1);
            let rebuilt = engine.finish_erasures(at(LEARNED)).unwrap().unwrap();
            assert_ne!(rebuilt.model, knew);
            assert!(engine.model_at(knew).unwrap().is_none(), "models that knew jan are gone");
            assert!(engine.finish_erasures(at(LEARNED)).unwrap().is_none());
        } else {
            engine.learn(at(LEARNED)).unwrap();
        }
        engine.model().version()
    };
    assert_eq!(live(true), live(false));
}

#[test]
fn nobody_comes_back_when_they_are_erased_while_everybody_decides_and_tells() {
    let (engine, store) = shop();
    let who = ids(&[("user_id", "jan")]);
    let over = AtomicBool::new(false);
    let rounds = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 2_000 } else { 60 };
    thread::scope(|scope| {
        for worker in 0..3u64 {
            let (engine, who, over) = (&engine, &who, &over);
            scope.spawn(move || {
                let mut count = 0;
                while !over.load(Ordering::SeqCst) {
                    count += 1;
                    let request = request("web", Direction::Inbound, "home", 1);
                    let ask = Ask { identifiers: who.clone(), request, adjustments: Vec::new() };
                    drop(engine.decide(&ask, at(LATER), worker << 32 | count).unwrap());
                    let report = EventReport {
                        identifiers: who.clone(),
                        at: Some(at(FIRST)),
                        ..event(&format!("{worker} {count}"), "customer_updated")
                    };
                    // Found before the erasure and held after it: told to try again.
                    drop(engine.ingest(&report, "{}", at(LATER)));
                }
            });
        }
        for _ in 0..rounds {
            erase(&engine, &who, FIRST);
            thread::yield_now();
        }
        erase(&engine, &who, ERASED);
        over.store(true, Ordering::SeqCst);
    });
    erase(&engine, &who, ERASED);
    let of_somebody = [
        Table::Profile,
        Table::Contacts,
        Table::Person,
        Table::Identifier,
        Table::Event,
        Table::DecisionIndex,
    ];
    let left: Vec<_> = content(&store).into_keys().filter(|(table, _)| of_somebody.contains(table)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(engine.verify(None, at(AFTER)).unwrap().findings, []);
}

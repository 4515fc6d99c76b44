//! What was done is noted in chains, and whatever is changed there afterwards is found where it is.

use crate::shop::{at, event, files, request};
use decision::{
    Timestamp,
    profile::{About, ConsentStatus},
    request::Direction,
    strategy::Files,
};
use engine::{
    Ask, ConsentReport, Engine, EventReport, Identifier,
    audit::{Filter, HOUSE, Kind, Note, verify::At},
    storage::{Batch, MemoryStore, MemoryVault, Read, Store, Table, Write},
};
use std::{collections::BTreeMap, sync::Arc};

const END: &str = "2026-03-12T10:00:00Z";

fn person(number: usize) -> Vec<Identifier> {
    vec![Identifier::new("user_id", &format!("person {number}"))]
}

fn ask(number: usize) -> Ask {
    let request = request("web", Direction::Inbound, "home", 1);
    Ask { identifiers: person(number), request, adjustments: Vec::new() }
}

/// An engine that decided for a few people, two of whom were erased, and its store.
fn noted() -> (Engine, Arc<MemoryStore>, Arc<MemoryVault>) {
    let vault = Arc::new(MemoryVault::default());
    let store = Arc::new(MemoryStore::with_vault(vault.clone()));
    let engine = Engine::open(store.clone(), &files(), [7; 32]).unwrap();
    let moment = at("2026-03-10T10:00:00Z");
    for number in 0..12 {
        let about = About::Purpose("offers".into());
        let consent = ConsentReport::new(person(number), about, ConsentStatus::Given);
        engine.consent(&consent, "", moment).unwrap().1.wait().unwrap();
        let known = EventReport { identifiers: person(number), ..event("first", "customer_updated") };
        engine.ingest(&known, "", moment).unwrap().1.wait().unwrap();
        for seed in 0..4 {
            engine
                .decide(&ask(number), moment, number as u64 * 100 + seed)
                .unwrap()
                .ticket
                .unwrap()
                .wait()
                .unwrap();
        }
        let customer = engine.find(&person(number)).unwrap().unwrap();
        let read = Note::new(Kind::Read, "/v1/customers/lookup").of(customer).by("atk_staff");
        engine.note(read, moment).unwrap().wait().unwrap();
    }
    engine.note(Note::new(Kind::KeyMade, "atk_staff read"), moment).unwrap().wait().unwrap();
    for number in [3, 5] {
        engine.erase(&person(number), Some("atk_admin"), moment).unwrap().1.wait().unwrap();
    }
    let Files(mut changed) = files();
    changed.get_mut("organisation.toml").unwrap().push_str("\n# another version\n");
    engine.publish(&Files(changed)).unwrap();
    engine.decide(&ask(1), at("2026-03-11T10:00:00Z"), 9).unwrap().ticket.unwrap().wait().unwrap();
    (engine, store, vault)
}

type Rows = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

fn rows(store: &MemoryStore, tables: &[Table]) -> Rows {
    let of = |table: Table| {
        let rows = store.scan(table, &[], None, usize::MAX).unwrap();
        rows.into_iter().map(move |(key, value)| ((table, key), value.to_vec()))
    };
    tables.iter().flat_map(|table| of(*table)).collect()
}

fn store_of(rows: &Rows, vault: &Arc<MemoryVault>) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::with_vault(vault.clone()));
    let writes = rows.iter().map(|((table, key), value)| Write::put(*table, key.clone(), value.clone()));
    store.commit(Batch { writes: writes.collect(), ..Batch::default() }).unwrap().wait().unwrap();
    store
}

#[test]
fn everything_that_was_noted_can_be_read_and_verified() {
    let (engine, ..) = noted();
    let kinds = |kind| engine.audit(&Filter { kind: Some(kind), ..Filter::default() }, None, 1000).unwrap();
    assert_eq!(kinds(Kind::Decision).len(), 49);
    assert_eq!(kinds(Kind::Consent).len(), 12);
    assert_eq!(kinds(Kind::Publication).len(), 2);
    assert_eq!(kinds(Kind::KeyMade).len(), 1);
    let reads = kinds(Kind::Read);
    let known = reads.iter().filter_map(|read| read.customer).count();
    assert_eq!((reads.len(), known), (12, 10), "of those who were erased nobody knows who they were");
    let erasures = kinds(Kind::Erasure);
    assert_eq!(erasures.len(), 2);
    assert!(erasures.iter().all(|noted| noted.place.chain == HOUSE && noted.customer.is_none()));
    let verified = engine.verify(None, at(END)).unwrap();
    assert_eq!(verified.findings, []);
    assert_eq!((verified.entries, verified.decisions), (12 + 49 + 2 + 1 + 12 + 2, 41));
}

#[test]
fn the_chains_go_on_after_reopening() {
    let (engine, store, _) = noted();
    let head = engine.audit_head(at(END)).unwrap();
    let again = Engine::open(store, &files(), [8; 32]).unwrap();
    again.decide(&ask(2), at(END), 1).unwrap().ticket.unwrap().wait().unwrap();
    assert_eq!(again.verify(Some(&head), at(END)).unwrap().findings, []);
}

#[test]
fn whose_data_a_key_read_in_a_time_is_found() {
    let (engine, ..) = noted();
    let late = at("2026-03-11T00:00:00Z");
    let customer = engine.find(&person(7)).unwrap().unwrap();
    for by in ["atk_staff", "atk_other"] {
        let note = Note::new(Kind::Read, "/v1/decisions").of(customer).by(by);
        engine.note(note, late).unwrap().wait().unwrap();
    }
    let filter = |from: Option<Timestamp>| Filter {
        kind: Some(Kind::Read),
        by: Some("atk_staff".into()),
        from,
        until: None,
    };
    assert_eq!(engine.audit(&filter(None), None, 100).unwrap().len(), 13);
    let found = engine.audit(&filter(Some(late)), None, 100).unwrap();
    assert_eq!(found.iter().map(|noted| noted.customer).collect::<Vec<_>>(), [Some(customer)]);
    let (first, mut paged) = (engine.audit(&filter(None), None, 5).unwrap(), Vec::new());
    let mut after = None;
    while let Some(last) = engine.audit(&filter(None), after, 5).unwrap().last() {
        paged.extend(engine.audit(&filter(None), after, 5).unwrap());
        after = Some(last.place);
    }
    assert_eq!((paged.len(), &paged[..5]), (13, &first[..]));
}

/// What one mutation touched, as the verification should name it.
fn concerns(found: &At, (table, key): &(Table, Vec<u8>), row: &[u8]) -> bool {
    let place = |bytes: &[u8]| -> Option<(u16, u64)> {
        let (chain, number) = bytes.split_first_chunk::<2>()?;
        Some((u16::from_be_bytes(*chain), u64::from_be_bytes(number.try_into().ok()?)))
    };
    let _ = row;
    match (table, found) {
        (Table::Audit, At::Head(chain)) => key.len() == 2 && key[..] == chain.to_be_bytes(),
        (Table::Audit, At::Entry(at)) => {
            key.starts_with(&at.chain.to_be_bytes())
                && (key.len() == 2
                    || place(key).is_some_and(|(_, number)| number <= at.number && at.number <= number + 1))
        }
        (Table::AuditSubject, At::Subject(at)) => {
            place(&key[key.len() - 10..]) == Some((at.chain, at.number))
        }
        (Table::Record, At::Record(id)) => key[..] == id.0.to_be_bytes(),
        (table, At::Row(name, hash)) => {
            table.name() == *name && engine::storage::key::short_hash(key) == *hash
        }
        _ => false,
    }
}

#[test]
fn every_row_that_is_changed_removed_swapped_or_inserted_is_found_where_it_is() {
    let (_, store, vault) = noted();
    let all = rows(&store, Table::ALL);
    let watched = rows(&store, &[Table::Audit, Table::AuditSubject, Table::Record, Table::Consent]);
    let keys: Vec<_> = watched.keys().cloned().collect();
    let mut drawn = 0u64;
    let mut pick = |below: usize| {
        drawn += 1;
        let hash = blake3::hash(&drawn.to_be_bytes());
        let number = u64::from_be_bytes(hash.as_bytes()[..8].try_into().unwrap());
        (number % below as u64) as usize
    };
    let rounds = if std::env::var_os("ATTENT_NIGHTLY").is_some() { 50_000 } else { 2_000 };
    for round in 0..rounds {
        let mut mutated = all.clone();
        let target = keys[pick(keys.len())].clone();
        let mut touched = vec![target.clone()];
        match round % 4 {
            0 => {
                let row = mutated.get_mut(&target).unwrap();
                match row.len() {
                    0 => row.push(1),
                    bytes => row[pick(bytes)] ^= 1 << pick(8),
                }
            }
            1 => drop(mutated.remove(&target)),
            2 => {
                let same: Vec<_> =
                    keys.iter().filter(|key| key.0 == target.0 && mutated[key] != mutated[&target]).collect();
                if same.is_empty() {
                    continue;
                }
                let other = same[pick(same.len())].clone();
                let (one, two) = (mutated[&target].clone(), mutated[&other].clone());
                mutated.insert(target.clone(), two);
                mutated.insert(other.clone(), one);
                touched.push(other);
            }
            _ => {
                let mut key = target.1.clone();
                let last = key.len() - 1;
                key[last] = key[last].wrapping_add(1 + pick(255) as u8);
                let inserted = (target.0, key);
                if mutated.contains_key(&inserted) {
                    continue;
                }
                mutated.insert(inserted.clone(), mutated[&target].clone());
                touched = vec![inserted];
            }
        }
        let engine = Engine::open(store_of(&mutated, &vault), &files(), [7; 32]);
        let found = engine.unwrap().verify(None, at(END)).unwrap().findings;
        for place in &touched {
            let row = mutated.get(place).cloned().unwrap_or_default();
            let named = found.iter().any(|finding| concerns(&finding.at, place, &row));
            assert!(named, "round {round}: {:?} {:?} in {found:?}", place.0, place.1);
        }
    }
}

#[test]
fn a_store_put_back_to_an_earlier_state_differs_from_the_head_that_was_exported_since() {
    let (engine, store, vault) = noted();
    let before = rows(&store, Table::ALL);
    engine.decide(&ask(1), at(END), 77).unwrap().ticket.unwrap().wait().unwrap();
    let head = engine.audit_head(at(END)).unwrap();
    assert!(head.is_genuine() && head.public_key == engine.audit_public_key());
    let mut forged = head.clone();
    forged.chains[0].number += 1;
    assert!(!forged.is_genuine());
    let back = Engine::open(store_of(&before, &vault), &files(), [7; 32]).unwrap();
    assert_eq!(back.verify(None, at(END)).unwrap().findings, [], "by itself it looks well");
    let found = back.verify(Some(&head), at(END)).unwrap().findings;
    assert!(found.iter().any(|finding| finding.what == "it was exported and is missing"), "{found:?}");
}

#[test]
fn the_decision_that_was_noted_is_the_one_that_is_kept() {
    let (engine, store, _) = noted();
    let decided = engine.decide(&ask(1), at(END), 78).unwrap();
    decided.ticket.unwrap().wait().unwrap();
    let key = decided.decision.id.0.to_be_bytes();
    let row = store.get(&[Read::new(Table::Record, key)]).unwrap().remove(0);
    let mut other = decided.decision.clone();
    other.seed += 1;
    assert_eq!(row.value(), Some(&decided.decision.encode()[..]));
    let write = Write::put(Table::Record, key, other.encode());
    store.commit(Batch { writes: vec![write], ..Batch::default() }).unwrap().wait().unwrap();
    let found = engine.verify(None, at(END)).unwrap().findings;
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].at, found[0].what), (&At::Record(decided.decision.id), "it was changed"));
}

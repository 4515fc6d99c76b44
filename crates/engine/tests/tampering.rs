//! One flipped bit of a stored input, one strategy line, one model byte: replay fails and names the decision.

use crate::shop::{Shop, files};
use decision::{profile::ConsentStatus, value::Value};
use engine::{
    Engine, Replayed,
    storage::{
        Batch, Expired, Health, JournalEntry, MemoryStore, Read, Row, Store, StoreError, Table, Ticket,
        Value as Bytes, Vault, Write,
    },
};
use learning::Predictor;
use std::sync::Arc;

struct Kept {
    store: Arc<MemoryStore>,
    shop: Shop,
    decision: decision::record::Decision,
}

/// A store with one decision made by a learned model.
fn kept() -> Kept {
    let store = Arc::new(MemoryStore::new());
    let shop = Shop { engine: Engine::open(store.clone(), &files(), [7; 32]).unwrap() };
    shop.say(ConsentStatus::Given, "2026-03-09T09:00:00Z");
    shop.know(
        "e1",
        "2026-03-09T09:00:00Z",
        &[("has_garden", Value::Bool(true)), ("town", Value::Text("Gouda".into()))],
    );
    let first = shop.home("2026-03-09T12:00:00Z", 1);
    shop.report(&first, "displayed", "2026-03-09T12:00:00Z");
    let decision = shop.mail("2026-03-10T12:00:00Z", 2).decision;
    Kept { store, shop, decision }
}

impl Kept {
    /// Changes a stored row behind the engine's back, and replays in a fresh engine.
    fn replay_after(&self, table: Table, key: &[u8], change: impl Fn(&mut Vec<u8>)) -> Vec<(String, bool)> {
        let row = self.store.get(&[Read::new(table, key)]).unwrap().remove(0);
        let mut bytes = row.value().expect("the row is there").to_vec();
        change(&mut bytes);
        let writes = vec![Write::put(table, key, bytes)];
        self.store.commit(Batch { writes, ..Batch::default() }).unwrap().wait().unwrap();
        let fresh = Engine::open(self.store.clone(), &changed(), [1; 32]).unwrap();
        let mut found = Vec::new();
        fresh.replay_all(&mut |id, replayed| found.push((id.to_string(), replayed.is_ok()))).unwrap();
        found
    }

    fn failed(&self, found: &[(String, bool)]) -> bool {
        found.contains(&(self.decision.id.to_string(), false))
    }
}

/// Another strategy decides now, so that the kept ones must be read from the store.
fn changed() -> decision::strategy::Files {
    let mut files = files();
    files.0.insert("tests/none.toml".into(), String::new());
    files
}

#[test]
fn an_untouched_store_replays() {
    let kept = kept();
    let replayed = kept.shop.engine.replay(kept.decision.id).unwrap();
    assert!(matches!(replayed, Some(Ok(Replayed::Deep))), "{replayed:?}");
}

#[test]
fn every_flipped_bit_of_a_record_is_found_and_named() {
    let kept = kept();
    let key = kept.decision.id.0.to_be_bytes();
    let bits = kept.decision.encode().len() * 8;
    for bit in (0..bits).step_by(7) {
        let flip = |bytes: &mut Vec<u8>| bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(kept.failed(&kept.replay_after(Table::Record, &key, flip)), "bit {bit} went unnoticed");
        kept.replay_after(Table::Record, &key, flip);
    }
}

#[test]
fn one_changed_line_of_the_strategy_fails_every_decision_it_made() {
    let kept = kept();
    let key = format!("strategy/{}", kept.decision.strategy);
    let found = kept.replay_after(Table::Meta, key.as_bytes(), |bytes| {
        let line = b"customer.has_garden";
        let start = bytes.windows(line.len()).position(|window| window == line).expect("the line is there");
        bytes[start + line.len() - 1] = b'm';
    });
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|(_, replayed)| !replayed), "{found:?}");
}

#[test]
fn one_changed_byte_of_the_model_fails_the_decisions_it_estimated() {
    let kept = kept();
    let key = format!("model/{}", kept.decision.model);
    let found = kept.replay_after(Table::Meta, key.as_bytes(), |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    assert!(kept.failed(&found), "{found:?}");
}

/// A store whose disk has spoiled one record.
struct Spoiled {
    store: Arc<MemoryStore>,
    record: Vec<u8>,
}

fn damaged() -> StoreError {
    StoreError::Damaged { table: "record", key_hash: "0123abcd".into() }
}

impl Store for Spoiled {
    fn get(&self, reads: &[Read]) -> Result<Vec<Row>, StoreError> {
        match reads.iter().any(|read| read.key == self.record) {
            true => Err(damaged()),
            false => self.store.get(reads),
        }
    }
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        match table {
            Table::Record => Err(damaged()),
            _ => self.store.scan(table, prefix, after, limit),
        }
    }
    fn commit(&self, batch: Batch) -> Result<Ticket, StoreError> {
        self.store.commit(batch)
    }
    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.journal(after, limit)
    }
    fn erase_with(&self, customers: &[decision::id::CustomerId], batch: Batch) -> Result<Ticket, StoreError> {
        self.store.erase_with(customers, batch)
    }
    fn vault(&self) -> Arc<dyn Vault> {
        self.store.vault()
    }
    fn expire(&self, at_ms: i64) -> Result<Expired, StoreError> {
        self.store.expire(at_ms)
    }
    fn health(&self) -> Health {
        self.store.health()
    }
    fn close(&self) -> Result<(), StoreError> {
        self.store.close()
    }
}

#[test]
fn a_record_that_the_disk_spoiled_is_named_and_the_others_replay() {
    let kept = kept();
    let spoiled = Spoiled { store: kept.store.clone(), record: kept.decision.id.0.to_be_bytes().to_vec() };
    let engine = Engine::open(Arc::new(spoiled), &files(), [1; 32]).unwrap();
    let mut found = Vec::new();
    engine.replay_all(&mut |id, replayed| found.push((id.to_string(), replayed.is_ok()))).unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(kept.failed(&found) && found.iter().any(|(_, replayed)| *replayed));
}

#[test]
fn what_was_learned_is_folded_again_when_its_row_is_spoiled_and_the_damage_is_named() {
    let kept = kept();
    kept.shop.engine.learn(kept.decision.at).unwrap();
    let model = kept.shop.engine.model().version();
    let read = Read::new(Table::Meta, "learner");
    let mut bytes = kept.store.get(std::slice::from_ref(&read)).unwrap()[0].value().unwrap().to_vec();
    bytes.truncate(bytes.len() / 2);
    let writes = vec![Write::put(Table::Meta, read.key, bytes)];
    kept.store.commit(Batch { writes, ..Batch::default() }).unwrap().wait().unwrap();
    let fresh = Engine::open(kept.store.clone(), &files(), [1; 32]).unwrap();
    assert_eq!(fresh.model().version(), model);
    assert_eq!(
        fresh.learner_damage().unwrap().to_string(),
        "a learner row is damaged; restore it from a backup"
    );
    let again = Engine::open(kept.store.clone(), &files(), [1; 32]).unwrap();
    assert!(again.learner_damage().is_none() && again.model().version() == model);
}

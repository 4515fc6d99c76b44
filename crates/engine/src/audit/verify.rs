//! Is everything that was noted still as it was? A walk over all chains and what they are about, that names each
//! place where something was changed, removed, inserted or put in another order.
//!
//! Nobody else may write meanwhile. What it cannot see by itself: a whole store put back to an earlier state.
//! Compare with a head that was exported since, see [`super::head`].

use super::{
    About, CHAINS, Entry, HOUSE, Head, Kind, LINK_BYTES, PAGE, Place, entry_of, head::SignedHead, head::hex,
    head_key, link,
};
use crate::{
    Engine, EngineError, codec,
    customer::HISTORY_MS,
    published::is_kept,
    storage::{Read, Row, StoreError, Table, key},
};
use decision::{
    Timestamp,
    id::{CustomerId, DecisionId},
    record::Decision,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What a walk found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries in all chains.
    pub entries: u64,
    /// Decision records that are as they were.
    pub decisions: u64,
    /// Contents that are rightly gone: erased, or at the end of their time.
    pub gone: u64,
    /// What is not as it was; empty when all is well.
    pub findings: Vec<Finding>,
}

/// One place that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub at: At,
    /// What is wrong there.
    pub what: &'static str,
}

/// A place that can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// An entry of a chain.
    Entry(Place),
    /// The head of a chain.
    Head(u16),
    /// Whom an entry is about.
    Subject(Place),
    /// A decision's record.
    Record(DecisionId),
    /// A statement of the ledger of consents, or a row that no entry knows, by the short hash of its key.
    Row(&'static str, String),
    /// A published strategy, by its version.
    Strategy(String),
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(place) => write!(out, "entry {} of chain {}", place.number, place.chain),
            Self::Head(chain) => write!(out, "the head of chain {chain}"),
            Self::Subject(place) => {
                write!(out, "the subject of entry {} of chain {}", place.number, place.chain)
            }
            Self::Record(id) => write!(out, "the record of decision {id}"),
            Self::Row(table, hash) => write!(out, "the row with key hash {hash} in {table}"),
            Self::Strategy(version) => write!(out, "the files of strategy {version}"),
        }
    }
}

/// What the walk has seen.
#[derive(Default)]
struct Walk {
    verified: Verified,
    decisions: BTreeMap<DecisionId, (Place, [u8; 32], i64)>,
    subjects: BTreeMap<Place, [u8; 32]>,
    released_decisions: BTreeSet<DecisionId>,
    released: BTreeSet<Place>,
    publications: BTreeSet<String>,
}

impl Walk {
    fn find(&mut self, at: At, what: &'static str) {
        self.verified.findings.push(Finding { at, what });
    }

    /// Remembers what an entry says about content elsewhere.
    fn remember(&mut self, place: Place, entry: Entry) {
        self.verified.entries += 1;
        match (entry.kind, entry.content) {
            (Kind::Decision, Some(content)) => match entry.about.parse() {
                Ok(id) => {
                    self.decisions.insert(id, (place, content, entry.at_ms));
                }
                Err(_) => self.find(At::Entry(place), "it names no decision"),
            },
            (_, Some(content)) => {
                self.subjects.insert(place, content);
            }
            (Kind::Publication, None) => {
                self.publications.insert(entry.about);
            }
            (_, None) => {}
        }
        self.released_decisions.extend(entry.released.decisions);
        self.released.extend(entry.released.entries);
    }
}

/// The last entry walked over: its number, the link it has, and the link it should have.
struct Last {
    number: u64,
    links: Vec<[u8; LINK_BYTES]>,
}

impl Engine {
    /// Walks over everything that was noted. `exported` is a head that was kept elsewhere.
    ///
    /// # Errors
    /// The store cannot be read at all. What is damaged is found, not an error.
    pub fn verify(&self, exported: Option<&SignedHead>, at: Timestamp) -> Result<Verified, EngineError> {
        let mut walk = Walk::default();
        for chain in std::iter::once(HOUSE).chain(0..HOUSE) {
            let exported = exported.and_then(|head| head.chains.iter().find(|head| head.chain == chain));
            self.walk_chain(chain, exported.map(|head| (head.number, head.link.as_str())), &mut walk)?;
        }
        self.walk_unknown_chains(&mut walk)?;
        self.walk_decisions(at, &mut walk)?;
        self.walk_records(&mut walk)?;
        self.walk_subjects(&mut walk)?;
        self.walk_publications(&mut walk)?;
        walk.verified.findings.sort();
        walk.verified.findings.dedup();
        Ok(walk.verified)
    }

    fn walk_chain(
        &self,
        chain: u16,
        exported: Option<(u64, &str)>,
        walk: &mut Walk,
    ) -> Result<(), EngineError> {
        let mut last = Last { number: 0, links: vec![Head::NONE.link] };
        let head = self.head(chain).ok().filter(|head| head.number > 0);
        let mut after = head_key(chain);
        loop {
            let page = match self.store.scan(Table::Audit, &head_key(chain), Some(&after), PAGE) {
                Err(StoreError::Damaged { .. }) => {
                    walk.find(
                        At::Entry(Place { chain, number: last.number + 1 }),
                        "it, or one soon after it, is damaged",
                    );
                    return Ok(());
                }
                page => page?,
            };
            let Some((key, _)) = page.last() else { break };
            after = key.clone();
            for (key, row) in &page {
                let place = Place::of_key(key);
                if let Some(beyond) =
                    place.filter(|place| head.is_some_and(|head| place.number > head.number))
                {
                    walk.find(At::Entry(beyond), "it was inserted");
                    continue;
                }
                walk_entry(chain, key, row, &mut last, walk);
                let differs = |(number, link): (u64, &str)| {
                    number == last.number && !last.links.iter().any(|found| hex(found) == link)
                };
                if exported.is_some_and(differs) {
                    walk.find(
                        At::Entry(Place { chain, number: last.number }),
                        "it is not the one that was exported",
                    );
                }
            }
        }
        if exported.is_some_and(|(number, _)| number > last.number) {
            walk.find(At::Entry(Place { chain, number: last.number + 1 }), "it was exported and is missing");
        }
        self.walk_head(chain, &last, walk)
    }

    fn walk_head(&self, chain: u16, last: &Last, walk: &mut Walk) -> Result<(), EngineError> {
        let row = match self.store.get(&[Read::new(Table::Audit, head_key(chain))]) {
            Err(StoreError::Damaged { .. }) => {
                walk.find(At::Head(chain), "it is damaged");
                return Ok(());
            }
            rows => rows?.remove(0),
        };
        let head = match row.value() {
            None if last.number == 0 => return Ok(()),
            None => {
                walk.find(At::Head(chain), "it is missing");
                return Ok(());
            }
            Some(row) => self.chains.secrets.open_head(chain, row),
        };
        match head {
            None => walk.find(At::Head(chain), "it was changed"),
            Some(head) if head.number > last.number => {
                walk.find(
                    At::Entry(Place { chain, number: last.number + 1 }),
                    "it and what follows is missing",
                );
            }
            Some(head) if !last.links.contains(&head.link) => {
                walk.find(
                    At::Entry(Place { chain, number: last.number }),
                    "it is not the one the head knows",
                );
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Rows of chains that there are not.
    fn walk_unknown_chains(&self, walk: &mut Walk) -> Result<(), EngineError> {
        let end = (CHAINS - 1).to_be_bytes();
        let beyond = [&end[..], &[0xFF; 9]].concat();
        for (key, _) in self.store.scan(Table::Audit, &[], Some(&beyond), PAGE)? {
            walk.find(At::Row(Table::Audit.name(), key::short_hash(&key)), "it was inserted");
        }
        Ok(())
    }

    fn walk_decisions(&self, at: Timestamp, walk: &mut Walk) -> Result<(), EngineError> {
        let decisions = std::mem::take(&mut walk.decisions);
        for (id, (_, content, at_ms)) in &decisions {
            let read = Read::new(Table::Record, id.0.to_be_bytes());
            let found = match self.store.get(&[read]) {
                Err(StoreError::Damaged { .. }) => Some("it is damaged"),
                rows => match rows?.remove(0) {
                    Row::Present { value, .. } if self.chains.secrets.hash(&value) == *content => {
                        walk.verified.decisions += 1;
                        None
                    }
                    Row::Present { .. } => Some("it was changed"),
                    Row::Absent | Row::Erased => {
                        let is_over = at_ms + HISTORY_MS <= at.as_millisecond();
                        walk.verified.gone += 1;
                        (!is_over && !walk.released_decisions.contains(id)).then_some("it is missing")
                    }
                },
            };
            if let Some(what) = found {
                walk.find(At::Record(*id), what);
            }
        }
        walk.decisions = decisions;
        Ok(())
    }

    /// Records that no entry knows.
    fn walk_records(&self, walk: &mut Walk) -> Result<(), EngineError> {
        self.each_row(Table::Record, &mut |key, row| {
            let id = key.try_into().map(|id| DecisionId(u128::from_be_bytes(id))).ok();
            let known = id.is_some_and(|id| walk.decisions.contains_key(&id));
            match id {
                Some(id) if !known && Decision::decode(row).is_ok_and(|decision| decision.id == id) => {
                    walk.find(At::Record(id), "it was inserted");
                }
                _ if !known => {
                    walk.find(At::Row(Table::Record.name(), key::short_hash(key)), "it was inserted")
                }
                _ => {}
            }
        })
    }

    fn walk_subjects(&self, walk: &mut Walk) -> Result<(), EngineError> {
        let mut indexed: BTreeMap<Place, CustomerId> = BTreeMap::new();
        let mut ledger: BTreeSet<Vec<u8>> = BTreeSet::new();
        for (&place, content) in &walk.subjects.clone() {
            let found = match self.store.get(&[Read::new(Table::AuditSubject, place.key())]) {
                Err(StoreError::Damaged { .. }) => Some("it is damaged"),
                rows => match rows?.remove(0) {
                    Row::Present { value, .. } if self.chains.secrets.hash(&value) == *content => {
                        if let Ok(About { customer, row, .. }) = codec::decode("audit subject", &value) {
                            indexed.insert(place, customer);
                            if let Some((key, hash)) = row {
                                self.walk_consent(&key, hash, walk)?;
                                ledger.insert(key);
                            }
                        }
                        None
                    }
                    Row::Present { .. } => Some("it was changed"),
                    Row::Absent | Row::Erased => {
                        walk.verified.gone += 1;
                        (!walk.released.contains(&place)).then_some("it is missing")
                    }
                },
            };
            if let Some(what) = found {
                walk.find(At::Subject(place), what);
            }
        }
        self.each_row(Table::Consent, &mut |key, _| {
            if !ledger.contains(key) {
                walk.find(At::Row(Table::Consent.name(), key::short_hash(key)), "no entry knows it");
            }
        })?;
        let mut seen = BTreeSet::new();
        self.each_row(Table::AuditSubject, &mut |key, row| {
            let inserted = || At::Row(Table::AuditSubject.name(), key::short_hash(key));
            match (Place::of_key(key), index_of(key)) {
                (Some(place), _) if walk.subjects.contains_key(&place) => {}
                (None, Some((customer, place))) if indexed.get(&place) == Some(&customer) => {
                    seen.insert(place);
                    if !row.is_empty() {
                        walk.find(At::Subject(place), "it was changed");
                    }
                }
                // What is wrong with the subject itself has been found above.
                (None, Some((_, place)))
                    if walk.subjects.contains_key(&place)
                        && !indexed.contains_key(&place)
                        && !walk.released.contains(&place) => {}
                _ => walk.find(inserted(), "it was inserted"),
            }
        })?;
        for place in indexed.keys().filter(|place| !seen.contains(place)) {
            walk.find(At::Subject(*place), "it is missing");
        }
        Ok(())
    }

    /// Compares one statement of the ledger of consents with what was noted.
    fn walk_consent(&self, key: &[u8], hash: [u8; 32], walk: &mut Walk) -> Result<(), EngineError> {
        let found = match self.store.get(&[Read::new(Table::Consent, key)]) {
            Err(StoreError::Damaged { .. }) => "it is damaged",
            rows => match rows?.remove(0).value() {
                Some(row) if self.chains.secrets.hash(row) == hash => return Ok(()),
                Some(_) => "it was changed",
                None => "it is missing",
            },
        };
        walk.find(At::Row(Table::Consent.name(), key::short_hash(key)), found);
        Ok(())
    }

    fn walk_publications(&self, walk: &mut Walk) -> Result<(), EngineError> {
        for version in std::mem::take(&mut walk.publications) {
            let kept = match is_kept(&*self.store, &version) {
                Err(error) if !error.is_damage() => return Err(error),
                kept => kept.unwrap_or(false),
            };
            if !kept {
                walk.find(At::Strategy(version), "they are missing or were changed");
            }
        }
        Ok(())
    }

    /// Every row of a table; what is damaged ends the walk, and was found by its own reader.
    fn each_row(&self, table: Table, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), EngineError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = match self.store.scan(table, &[], after.as_deref(), PAGE) {
                Err(StoreError::Damaged { .. }) => return Ok(()),
                page => page?,
            };
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            page.iter().for_each(|(key, row)| each(key, row));
        }
    }
}

fn walk_entry(chain: u16, key: &[u8], row: &[u8], last: &mut Last, walk: &mut Walk) {
    let Some(place) = Place::of_key(key) else {
        return walk.find(At::Row(Table::Audit.name(), key::short_hash(key)), "it was inserted");
    };
    let follows = place.number == last.number + 1;
    if !follows {
        walk.find(At::Entry(Place { chain, number: last.number + 1 }), "it is missing");
        walk.find(At::Entry(place), "it does not follow the one before it");
    }
    last.number = place.number;
    let Some((stored, body)) = row.split_first_chunk::<LINK_BYTES>() else {
        last.links = Vec::new();
        return walk.find(At::Entry(place), "it was changed");
    };
    let computed: Vec<_> = last.links.iter().map(|before| link(place, before, body)).collect();
    if follows && !last.links.is_empty() && !computed.contains(stored) {
        walk.find(At::Entry(place), "it was changed, or is in another's place");
    }
    last.links = if computed.contains(stored) { vec![*stored] } else { [&[*stored], &computed[..]].concat() };
    match entry_of(key, row) {
        Ok((place, entry)) => walk.remember(place, entry),
        Err(_) => walk.find(At::Entry(place), "it was changed"),
    }
}

/// Whose index row it is, and of which entry.
fn index_of(key: &[u8]) -> Option<(CustomerId, Place)> {
    let (own, place) = key.split_at_checked(key::CUSTOMER_BYTES)?;
    let customer = CustomerId(u128::from_be_bytes(own[1..].try_into().ok()?));
    (key::customer(customer) == own).then_some(())?;
    Some((customer, Place::of_key(place)?))
}

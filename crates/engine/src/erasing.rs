//! How is a person forgotten? All customers that they are, under their lock, in one commit; and a line in the vault, so
//! that neither old events nor an old backup bring them back.
//!
//! What was sealed with their keys can be read by nobody from that moment. What was learned from them goes with
//! the next [`Engine::finish_erasures`], and so do the remains in files. Whether anybody was known by the
//! identifiers changes nothing about the answer but the counts in it.

mod afterwards;
pub(crate) mod ledger;

pub use afterwards::FINISHED_WITHIN_MS;

use crate::{
    Engine, EngineError, Identifier,
    audit::{Kind, Note, Place, Released},
    codec,
    customer::ProfileRow,
    person::{Part, Person},
    reject::{self, Reject},
    storage::{Batch, Read, Table, Ticket, Write, key},
};
use decision::{
    Timestamp,
    id::{CustomerId, DecisionId},
};
use ledger::Line;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::MutexGuard,
};

/// Rejects read at once.
const PAGE: usize = 1024;

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Certificate {
    /// When, in milliseconds since 1970 UTC. What is dated then or before is refused from now on.
    pub erased_at_ms: i64,
    /// How many rows went, by kind of row; the same kinds whether or not anybody was known.
    pub rows: BTreeMap<&'static str, u64>,
    /// How many identifiers are refused from now on, as hashes that nobody can turn back.
    pub identifiers: usize,
    /// The entry of the audit that says so.
    pub audit: Place,
    /// Until when models may hold what was learned from the person, and files what was sealed, in milliseconds since
    /// 1970 UTC.
    pub finished_by_ms: i64,
    /// Until when rejected input may be kept that nobody could tell to be about this person.
    pub rejects_until_ms: i64,
}

/// What goes with a person, besides the rows under their customers' own keys.
#[derive(Default)]
struct Going {
    customers: Vec<CustomerId>,
    identifiers: BTreeSet<[u8; 16]>,
    batch: Batch,
    released: Released,
    rows: BTreeMap<&'static str, u64>,
}

impl Engine {
    /// Forgets the person that these identifiers lead to, at the demand of whoever has the key `by`. The ticket
    /// resolves when it is durable; that the identifiers are refused from now on is durable before.
    ///
    /// # Errors
    /// [`EngineError::SeveralPersons`] when they lead to more than one; then nobody is erased.
    pub fn erase(
        &self,
        identifiers: &[Identifier],
        by: Option<&str>,
        at: Timestamp,
    ) -> Result<(Certificate, Ticket), EngineError> {
        let _minting = self.lock_identifiers(identifiers);
        let keys: BTreeSet<[u8; 16]> = identifiers.iter().map(|known| self.identifier_key(known)).collect();
        let mut held = None;
        if let Some(id) = self.find(identifiers)? {
            held = Some(self.hold(id)?);
        }
        let person = held.as_ref().map(|(_, person)| person);
        self.refuse_others(&keys, person)?;
        let _households = person.map(|person| self.hold_all_households(person)).transpose()?;
        let going = self.going(&keys, person, identifiers)?;
        let line = Line {
            at_ms: at.as_millisecond(),
            customers: going.customers.clone(),
            identifiers: going.identifiers.iter().map(|key| self.erasures.hash(key)).collect(),
        };
        let number = self.erasures.write(&line)?;
        self.erasures.remember(&line);
        let rows = going.rows.clone();
        let (ticket, audit) = self.carry_out(number, going, by, at)?;
        let certificate = Certificate {
            erased_at_ms: line.at_ms,
            rows,
            identifiers: line.identifiers.len(),
            audit,
            finished_by_ms: line.at_ms + FINISHED_WITHIN_MS,
            rejects_until_ms: line.at_ms + reject::KEPT_MS,
        };
        Ok((certificate, ticket))
    }

    /// Carries out what the vault says and the data does not know: it is from a backup, or was cut short.
    pub(crate) fn erase_again(&self, left: Vec<(u64, Line)>) -> Result<(), EngineError> {
        if left.is_empty() {
            return Ok(());
        }
        let mut by_hash: BTreeMap<[u8; 16], CustomerId> = BTreeMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.store.scan(Table::Identifier, &[], after.as_deref(), PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, row) in &page {
                let key =
                    key.as_slice().try_into().map_err(|_| EngineError::Damaged { what: "identifier" })?;
                by_hash.insert(self.erasures.hash(key), codec::decode("identifier", row)?);
            }
        }
        for (number, line) in left {
            let led = line.identifiers.iter().filter_map(|hash| by_hash.get(hash).copied());
            let mut customers: BTreeSet<CustomerId> = line.customers.iter().copied().chain(led).collect();
            for id in customers.clone() {
                customers.extend(self.parts(id)?);
            }
            let mut going = Going::default();
            for id in customers {
                self.add_person(&mut going, &self.person(id)?)?;
            }
            self.leave_households(&mut going)?;
            // The list has hashes only: of input that is not JSON nobody can tell whom it names.
            let may_name_erased =
                |input: &str| reject::identifiers_in(input).is_none() || self.names_erased(input);
            let rejects = self.rejects_that(&may_name_erased)?;
            rejects.into_iter().for_each(|key| going.remove(Table::Reject, key));
            let at = Timestamp::from_millisecond(line.at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
            self.erasures.remember(&Line { customers: going.customers.clone(), ..line });
            self.carry_out(number, going, None, at)?.0.wait()?;
        }
        Ok(())
    }

    /// Whether something dated `at` about these identifiers is refused, because they were erased since.
    pub(crate) fn is_erased(&self, identifiers: &[Identifier], at: Timestamp) -> bool {
        let keys = identifiers.iter().map(|identifier| self.identifier_key(identifier));
        self.erasures.refuses(keys, at.as_millisecond())
    }

    /// Whether input names an identifier that was ever erased.
    pub(crate) fn names_erased(&self, input: &str) -> bool {
        !self.erasures.is_empty()
            && reject::identifiers_in(input).is_some_and(|named| self.is_erased(&named, Timestamp::MIN))
    }

    /// Fails when an identifier leads to somebody who is not this person.
    fn refuse_others(&self, keys: &BTreeSet<[u8; 16]>, person: Option<&Person>) -> Result<(), EngineError> {
        let reads: Vec<Read> = keys.iter().map(|key| Read::new(Table::Identifier, *key)).collect();
        for row in self.store.get(&reads)? {
            let Some(row) = row.value() else { continue };
            let id: CustomerId = codec::decode("identifier", row)?;
            if !person.is_some_and(|person| person.ids().any(|part| part == id)) {
                return Err(EngineError::SeveralPersons);
            }
        }
        Ok(())
    }

    /// What goes with a person who is erased by some identifiers.
    fn going(
        &self,
        keys: &BTreeSet<[u8; 16]>,
        person: Option<&Person>,
        given: &[Identifier],
    ) -> Result<Going, EngineError> {
        let rows = Table::ALL.iter().map(|table| (table.name(), 0)).collect();
        let mut going = Going { identifiers: keys.clone(), rows, ..Going::default() };
        if let Some(person) = person {
            self.add_person(&mut going, person)?;
            self.leave_households(&mut going)?;
        }
        let named = |input: &str| match reject::identifiers_in(input) {
            Some(named) => named.iter().any(|known| going.identifiers.contains(&self.identifier_key(known))),
            None => given.iter().any(|known| input.contains(&known.value)),
        };
        let rejects = self.rejects_that(&named)?;
        rejects.into_iter().for_each(|key| going.remove(Table::Reject, key));
        Ok(going)
    }

    /// Adds all that belongs to a person.
    fn add_person(&self, going: &mut Going, person: &Person) -> Result<(), EngineError> {
        for part in &person.parts {
            if going.customers.contains(&part.id) {
                continue;
            }
            for linked in &part.row.identifiers {
                going.identifiers.insert(linked.key);
                going.remove(Table::Identifier, linked.key.to_vec());
            }
            self.add_customer(going, part.id)?;
            self.forget_merges_with(going, part)?;
        }
        Ok(())
    }

    /// What was said about merges of others with this customer goes too: it is about both.
    fn forget_merges_with(&self, going: &mut Going, gone: &Part) -> Result<(), EngineError> {
        for id in &gone.row.parted {
            let mut other = self.part(*id)?;
            let before = other.row.undone.len();
            other.row.undone.retain(|undone| undone.merge.into != gone.id);
            if other.row.undone.len() < before {
                *going.rows.entry(Table::Person.name()).or_default() += 1;
                going.batch.writes.push(other.write());
            }
        }
        Ok(())
    }

    fn add_customer(&self, going: &mut Going, id: CustomerId) -> Result<(), EngineError> {
        let prefix = key::customer(id);
        for place in self.audited_of(id)? {
            going.released.entries.push(place);
            going.remove(Table::AuditSubject, place.key());
        }
        for &table in Table::ALL {
            let rows = self.store.scan(table, &prefix, None, usize::MAX)?;
            *going.rows.entry(table.name()).or_default() += rows.len() as u64;
            if table == Table::DecisionIndex {
                for (key, _) in rows {
                    let decision = &key[prefix.len()..];
                    let id =
                        decision.try_into().map_err(|_| EngineError::Damaged { what: "decision index" })?;
                    going.released.decisions.push(DecisionId(u128::from_be_bytes(id)));
                    going.remove(Table::Record, decision.to_vec());
                }
            }
        }
        going.customers.push(id);
        Ok(())
    }

    /// Takes the customers who go out of their households.
    fn leave_households(&self, going: &mut Going) -> Result<(), EngineError> {
        let mut left: BTreeMap<String, Vec<CustomerId>> = BTreeMap::new();
        for id in &going.customers {
            if let Some(household) = self.household_of(*id)? {
                left.entry(household).or_default().push(*id);
            }
        }
        for (household, customers) in left {
            for write in self.leaving(&household, &customers)? {
                *going.rows.entry(write.table.name()).or_default() += 1;
                going.batch.writes.push(write);
            }
        }
        Ok(())
    }

    fn household_of(&self, id: CustomerId) -> Result<Option<String>, EngineError> {
        let row = self.store.get(&[Read::new(Table::Profile, key::customer(id))])?.remove(0);
        let profile: Option<ProfileRow> = row.value().map(|row| codec::decode("profile", row)).transpose()?;
        Ok(profile.and_then(|row| row.household))
    }

    /// Holds the households of a person, so that nobody tells something there that brings back what goes.
    fn hold_all_households(&self, person: &Person) -> Result<Vec<MutexGuard<'_, ()>>, EngineError> {
        let of = |id| Ok(self.household_of(id)?.map(|household| self.household_key(&household)));
        let keys: Vec<Option<Vec<u8>>> = person.ids().map(of).collect::<Result<_, EngineError>>()?;
        Ok(self.households.guard_all(keys.into_iter().flatten()))
    }

    /// The keys of rejected input of this kind.
    fn rejects_that(&self, is_meant: &dyn Fn(&str) -> bool) -> Result<Vec<Vec<u8>>, EngineError> {
        let (mut found, mut after): (_, Option<Vec<u8>>) = (Vec::new(), None);
        loop {
            let page = self.store.scan(Table::Reject, &[], after.as_deref(), PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            after = Some(last.clone());
            for (key, row) in page {
                let reject: Reject = codec::decode("reject", &row)?;
                if is_meant(&reject.input) {
                    found.push(key);
                }
            }
        }
    }

    /// Removes a person about whom nothing may be kept any more, with its entry in the audit. Unlike after an erasure,
    /// what comes in later is welcome, and about somebody new.
    pub(crate) fn let_go(&self, person: &Person, at: Timestamp) -> Result<Ticket, EngineError> {
        let mut going = Going::default();
        self.add_person(&mut going, person)?;
        let Going { customers, batch, released, .. } = going;
        let note = Note::new(Kind::Retention, "nothing may be kept any more").releasing(released);
        let ticket =
            self.with_note(batch, note, at, |batch, _| Ok(self.store.erase_with(&customers, batch)?))?;
        // Whoever found them just before and waits for them is told to look again.
        let identifiers = Vec::new();
        self.erasures.remember(&Line { at_ms: at.as_millisecond(), customers, identifiers });
        Ok(ticket)
    }

    /// Commits an erasure with its entry in the audit.
    fn carry_out(
        &self,
        number: u64,
        going: Going,
        by: Option<&str>,
        at: Timestamp,
    ) -> Result<(Ticket, Place), EngineError> {
        let Going { customers, mut batch, released, .. } = going;
        let mut note = Note::new(Kind::Erasure, format!("erasure {number}")).releasing(released);
        if let Some(by) = by {
            note = note.by(by);
        }
        self.erasures.carry_out(number, |done| {
            batch.writes.push(done);
            self.with_note(batch, note, at, |batch, place| {
                Ok((self.store.erase_with(&customers, batch)?, place))
            })
        })
    }
}

impl Going {
    /// Deletes a row that is not under the customer's own key.
    fn remove(&mut self, table: Table, key: Vec<u8>) {
        *self.rows.entry(table.name()).or_default() += 1;
        self.batch.writes.push(Write::delete(table, key));
    }
}

//! Who is this? Typed identifiers lead to one customer, whose key is minted and says nothing.
//!
//! Identifiers are stored as keyed hashes only. What identifies a person counts before what identifies a device,
//! and of several kinds the one of which a person has the fewest. A device says who it is as long as nobody else
//! does: whoever makes themselves known on it is who it leads to from then on, and nothing of the one before moves.
//! An account never says which of its persons it is.

use crate::{
    Engine, EngineError, codec,
    merging::BECAME_KNOWN,
    person::{Linked, Part, Person},
    storage::{Read, Table, Version, Write},
};
use decision::{
    Timestamp,
    id::CustomerId,
    strategy::{IdentifierKind, Identifies, Strategy},
};
use serde::{Deserialize, Serialize};

/// A typed key that points to a customer, for example kind `user_id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identifier {
    /// The kind, for example `email`, `user_id`, `anonymous_id`, `loyalty_card`.
    pub kind: String,
    /// The value.
    pub value: String,
}

impl Identifier {
    /// An identifier of a kind.
    pub fn new(kind: &str, value: &str) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }
}

/// A customer found or made, with the writes that make it so.
pub(crate) struct Known {
    pub id: CustomerId,
    pub writes: Vec<Write>,
}

/// One identifier and where it leads.
struct Lead {
    name: String,
    kind: IdentifierKind,
    key: [u8; 16],
    version: Version,
    to: Option<CustomerId>,
}

impl Lead {
    fn is_person(&self) -> bool {
        self.kind.identifies == Identifies::Person
    }

    /// The row that says where the identifier leads.
    fn write(&self, to: CustomerId) -> Write {
        Write::put(Table::Identifier, self.key, codec::encode(&to)).owned_by(to).expecting(self.version)
    }

    fn linked(&self) -> Linked {
        Linked { kind: self.name.clone(), key: self.key }
    }
}

impl Engine {
    /// The customer that these identifiers lead to; `None` when nobody is known by them, or when they name a person
    /// nobody knows on a device of somebody else.
    pub fn find(&self, identifiers: &[Identifier]) -> Result<Option<CustomerId>, EngineError> {
        let leads = self.leads(&self.published().strategy, identifiers)?;
        self.whom(&leads)
    }

    /// Finds the customer or mints one, and links the identifiers that are new. An anonymous visitor on the device
    /// of somebody who is known already is merged into them. Call under [`Engine::lock_identifiers`].
    pub(crate) fn recognise(
        &self,
        strategy: &Strategy,
        identifiers: &[Identifier],
        at: Timestamp,
    ) -> Result<Known, EngineError> {
        let leads = self.leads(strategy, identifiers)?;
        let id = self.whom(&leads)?.unwrap_or_else(|| self.mint(&leads, at));
        if leads.iter().any(Lead::is_person) {
            self.take_in_visitors(&leads, id, at)?;
        }
        self.link(&leads, id, at)
    }

    /// Where identifiers lead, those that say best who it is first. Accounts are left out.
    fn leads(&self, strategy: &Strategy, identifiers: &[Identifier]) -> Result<Vec<Lead>, EngineError> {
        let kinds = identifiers.iter().map(|found| strategy.identifier_kind(&found.kind));
        let mut found: Vec<(&Identifier, IdentifierKind)> = identifiers
            .iter()
            .zip(kinds)
            .filter(|(_, kind)| kind.identifies != Identifies::Account)
            .collect();
        found.sort_by_key(|(_, kind)| (kind.identifies, kind.at_most));
        let keys: Vec<[u8; 16]> = found.iter().map(|(found, _)| self.identifier_key(found)).collect();
        let reads: Vec<Read> = keys.iter().map(|key| Read::new(Table::Identifier, *key)).collect();
        let rows = self.store.get(&reads)?;
        let leads = found.into_iter().zip(keys).zip(rows);
        leads
            .map(|(((identifier, kind), key), row)| {
                let to = row.value().map(|bytes| codec::decode("identifier", bytes)).transpose()?;
                Ok(Lead { name: identifier.kind.clone(), kind, key, version: row.version(), to })
            })
            .collect()
    }

    /// The customer that is meant: the first known person that the identifiers before it may belong to, or without
    /// any known person the device, while it is nobody else's.
    fn whom(&self, leads: &[Lead]) -> Result<Option<CustomerId>, EngineError> {
        let Some(first) = leads.first() else {
            return Ok(None);
        };
        if first.to.is_some() {
            return Ok(first.to);
        }
        let persons = leads.iter().filter(|lead| lead.is_person());
        if let Some(id) = persons.clone().find_map(|lead| lead.to) {
            let person = self.person(id)?;
            return Ok(has_room(&person, first).then_some(id));
        }
        let Some(id) = leads.iter().find_map(|lead| lead.to) else {
            return Ok(None);
        };
        let is_theirs = persons.count() == 0 || self.is_anonymous(&self.person(id)?);
        Ok(is_theirs.then_some(id))
    }

    pub(crate) fn is_anonymous(&self, person: &Person) -> bool {
        let strategy = &self.published().strategy;
        !person.kinds().any(|kind| strategy.identifier_kind(kind).identifies == Identifies::Person)
    }

    /// Merges the anonymous visitors of these devices into the person who is known now, unless a human parted them.
    fn take_in_visitors(&self, leads: &[Lead], id: CustomerId, at: Timestamp) -> Result<(), EngineError> {
        for lead in leads.iter().filter(|lead| !lead.is_person()) {
            let Some(visitor) = lead.to.filter(|visitor| *visitor != id) else {
                continue;
            };
            let person = self.person(visitor)?;
            let ours = self.parts(id)?;
            let undone = &person.part(visitor).row.undone;
            let was_parted = undone.iter().any(|undone| ours.contains(&undone.merge.into));
            if !ours.contains(&visitor) && self.is_anonymous(&person) && !was_parted {
                // A person of too many parts takes in no more; the device then leads to them all the same.
                drop(self.merge(visitor, id, BECAME_KNOWN, at)?);
            }
        }
        Ok(())
    }

    /// The writes after which these identifiers lead to a customer, as far as they may.
    fn link(&self, leads: &[Lead], id: CustomerId, at: Timestamp) -> Result<Known, EngineError> {
        let mut person = self.person(id)?;
        let mut writes = Vec::new();
        let mut left: Vec<Part> = Vec::new();
        let mut changed = false;
        for lead in leads {
            let is_theirs = lead.to.is_some_and(|to| person.ids().any(|part| part == to));
            if is_theirs {
                continue;
            }
            match lead.to {
                Some(other) if lead.is_person() => {
                    writes.push(Self::conflict(id, other, &lead.name, at));
                    continue;
                }
                Some(other) => leave(&mut left, self.person(other)?.part(other), lead),
                None if !has_room(&person, lead) => continue,
                None => {}
            }
            writes.push(lead.write(id));
            let own = person.parts.iter_mut().find(|part| part.id == id).expect("asked about");
            own.row.identifiers.push(lead.linked());
            changed = true;
        }
        writes.extend(left.iter().map(Part::write));
        writes.extend(changed.then(|| person.part(id).write()));
        Ok(Known { id, writes })
    }

    /// A key that nobody has or had; from a secret that is not in the data, so that nobody can tell it from
    /// identifiers.
    fn mint(&self, leads: &[Lead], at: Timestamp) -> CustomerId {
        let mut hasher = blake3::Hasher::new_keyed(&self.chains.secrets.minting);
        hasher.update(&at.as_nanosecond().to_be_bytes());
        leads.iter().for_each(|lead| {
            hasher.update(&lead.key);
        });
        loop {
            let bytes = *hasher.finalize().as_bytes();
            let id = CustomerId(u128::from_be_bytes(bytes[..16].try_into().expect("16 of 32 bytes")));
            if !self.erasures.has(id) {
                return id;
            }
            hasher.update(b"again");
        }
    }

    /// The key of an identifier's row: a keyed hash.
    pub(crate) fn identifier_key(&self, identifier: &Identifier) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(&(identifier.kind.len() as u64).to_be_bytes());
        hasher.update(identifier.kind.as_bytes());
        hasher.update(identifier.value.as_bytes());
        hasher.finalize().as_bytes()[..16].try_into().expect("16 of 32 bytes")
    }

    /// Which lock guards the creation of these identifiers.
    pub(crate) fn lock_identifiers(&self, identifiers: &[Identifier]) -> std::sync::MutexGuard<'_, ()> {
        let first =
            identifiers.iter().map(|identifier| self.identifier_key(identifier)).min().unwrap_or_default();
        self.minting.guard(&first)
    }
}

fn has_room(person: &Person, lead: &Lead) -> bool {
    person.count(&lead.name) < usize::try_from(lead.kind.at_most).unwrap_or(usize::MAX)
}

/// Takes an identifier away from the customer that it led to.
fn leave(left: &mut Vec<Part>, part: &Part, lead: &Lead) {
    if !left.iter().any(|known| known.id == part.id) {
        left.push(part.clone());
    }
    let part = left.iter_mut().find(|known| known.id == part.id).expect("just put there");
    part.row.identifiers.retain(|linked| linked.key != lead.key);
}

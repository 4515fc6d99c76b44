//! Of which customers is a person made? Customers that were merged stay apart in the store, each with its own
//! rows and key: a merge is a link between them, and what is known of the person is worked out when it is read.
//!
//! Deliberately not here: who may be merged (`merging`), and what the parts add up to (`together`).

use crate::{
    Engine, EngineError, Identifier, codec,
    storage::{Read, StoreError, Table, Version, Write, key},
};
use decision::id::CustomerId;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, sync::MutexGuard};

/// Most customers that one person is made of.
pub(crate) const PARTS_MAX: usize = 64;

/// Which identifiers a customer has and with whom it was merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PersonRow {
    pub identifiers: Vec<Linked>,
    /// The merge in which another customer took this one in.
    pub into: Option<Merge>,
    /// The customers that this one took in, in the order of the merges.
    pub took: Vec<CustomerId>,
    /// Merges that were undone, in which another customer had taken this one in.
    pub undone: Vec<Undone>,
    /// The customers that this one had taken in and that were taken out again.
    pub parted: BTreeSet<CustomerId>,
}

/// An identifier that leads here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Linked {
    pub kind: String,
    /// The keyed hash of kind and value.
    pub key: [u8; 16],
}

/// Two customers turned out to be one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// The customer that was taken in.
    pub from: CustomerId,
    /// The customer that took it in.
    pub into: CustomerId,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Who decided it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The kinds of identifiers that led to the customer that was taken in.
    pub kinds: Vec<String>,
}

/// A merge that no longer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// The merge.
    pub merge: Merge,
    /// When it was undone, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Who undid it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// One customer of a person.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub id: CustomerId,
    pub row: PersonRow,
    pub version: Version,
}

/// A person: the customers that were merged, the one that took in the others first.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The customer asked about; one of the parts.
    pub asked: CustomerId,
    pub parts: Vec<Part>,
}

impl Person {
    /// The customer that took in all others.
    pub fn head(&self) -> CustomerId {
        self.parts[0].id
    }

    pub fn ids(&self) -> impl Iterator<Item = CustomerId> + '_ {
        self.parts.iter().map(|part| part.id)
    }

    pub fn part(&self, id: CustomerId) -> &Part {
        self.parts.iter().find(|part| part.id == id).expect("a person knows its own parts")
    }

    /// How many identifiers of a kind lead to the person.
    pub fn count(&self, kind: &str) -> usize {
        let linked = self.parts.iter().flat_map(|part| &part.row.identifiers);
        linked.filter(|linked| linked.kind == kind).count()
    }

    /// The kinds of identifiers that lead to the person.
    pub fn kinds(&self) -> impl Iterator<Item = &str> + '_ {
        self.parts.iter().flat_map(|part| &part.row.identifiers).map(|linked| linked.kind.as_str())
    }
}

impl Engine {
    /// All customers that are the same person as this one, this one among them: the one that took in the
    /// others first. A right of the person is a right over all of them.
    pub fn parts(&self, customer: CustomerId) -> Result<Vec<CustomerId>, EngineError> {
        Ok(self.person(customer)?.ids().collect())
    }

    /// Whether this is a customer that an identifier led to.
    pub fn is_known(&self, customer: CustomerId) -> Result<bool, EngineError> {
        Ok(self.part(customer)?.version != Version::ABSENT)
    }

    /// The person that a customer is, or is a part of.
    pub(crate) fn person(&self, asked: CustomerId) -> Result<Person, EngineError> {
        let mut head = self.part(asked)?;
        while let Some(merge) = &head.row.into {
            head = self.part(merge.into)?;
        }
        let mut parts = vec![head];
        let mut next = 0;
        while let Some(part) = parts.get(next) {
            for id in part.row.took.clone() {
                parts.push(self.part(id)?);
            }
            next += 1;
        }
        Ok(Person { asked, parts })
    }

    pub(crate) fn part(&self, id: CustomerId) -> Result<Part, EngineError> {
        let row = self.store.get(&[Read::new(Table::Person, key::customer(id))])?.remove(0);
        let known = row.value().map(|bytes| codec::decode("person", bytes)).transpose()?;
        Ok(Part { id, row: known.unwrap_or_default(), version: row.version() })
    }

    /// Holds the lock of the person that a customer is a part of, whoever merges meanwhile.
    ///
    /// [`StoreError::Conflict`] when the customer was erased meanwhile.
    pub(crate) fn hold(&self, asked: CustomerId) -> Result<(MutexGuard<'_, ()>, Person), EngineError> {
        let mut held = asked;
        loop {
            let guard = self.lock(held);
            if self.erasures.has(asked) {
                // Found before the erasure and held after it: whoever asks again finds nobody.
                return Err(StoreError::Conflict { table: Table::Person.name() }.into());
            }
            let person = self.person(asked)?;
            if person.head() == held {
                return Ok((guard, person));
            }
            held = person.head();
        }
    }
}

impl Engine {
    /// Finds a person and holds their lock; `None` when nobody is known by these identifiers.
    pub(crate) fn find_and_hold(
        &self,
        identifiers: &[Identifier],
    ) -> Result<Option<(MutexGuard<'_, ()>, Person)>, EngineError> {
        loop {
            let Some(id) = self.find(identifiers)? else {
                return Ok(None);
            };
            match self.hold(id) {
                Err(EngineError::Store(StoreError::Conflict { .. })) => {}
                held => return held.map(Some),
            }
        }
    }
}

impl Part {
    /// Writes the row, if nobody else changed it.
    pub fn write(&self) -> Write {
        Write::put(Table::Person, key::customer(self.id), codec::encode(&self.row))
            .owned_by(self.id)
            .expecting(self.version)
    }
}

//! What do we know about a customer? The large profile and the small contact state, read together.

use crate::{
    Engine, EngineError, Identifier, codec,
    person::{Merge, Person, Undone},
    storage::{Batch, Read, Table, Version, Write, key},
    together::{Own, together},
};
use decision::{
    Timestamp,
    id::{AttributeName, CustomerId},
    profile::{Attributes, Customer, Profile},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long contacts and outcomes are kept, in milliseconds: the longest retention without a stated reason.
pub const HISTORY_MS: i64 = 365 * 86_400_000;

/// The profile row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProfileRow {
    pub profile: Profile,
    pub household: Option<String>,
    /// When attributes were taken away while the customer was part of a person of several, in milliseconds since
    /// 1970 UTC: older values of the other parts do not count then.
    pub cleared: BTreeMap<AttributeName, i64>,
}

/// A customer as one reads it for people: profile, history, household.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CustomerState {
    /// Profile and history.
    pub customer: Customer,
    /// The household's attributes, when there is one.
    pub household: Option<Attributes>,
    /// The merges that made this person of several customers.
    pub merges: Vec<Merge>,
    /// The merges that no longer hold.
    pub undone: Vec<Undone>,
}

impl CustomerState {
    /// The same without what is over at a moment, removed yet or not.
    pub fn at(mut self, at: Timestamp) -> Self {
        let oldest = at.as_millisecond() - HISTORY_MS;
        self.customer.profile.attributes.retain(|_, value| value.expires_at > at);
        self.customer.history.contacts.retain(|contact| contact.at.as_millisecond() > oldest);
        self.customer.history.outcomes.retain(|outcome| outcome.at.as_millisecond() > oldest);
        if let Some(household) = &mut self.household {
            household.retain(|_, value| value.expires_at > at);
        }
        self
    }
}

/// A customer with what is needed to write it back, and what the person as a whole looks like.
pub(crate) struct Loaded {
    /// What came in by the customer's own identifiers; what is written back.
    pub customer: Customer,
    pub cleared: BTreeMap<AttributeName, i64>,
    pub household_id: Option<String>,
    /// The household of the person: the customer's own, else that of another part.
    pub household_of_person: Option<String>,
    pub household: Option<Attributes>,
    pub profile_version: Version,
    pub contacts_version: Version,
    pub person: Person,
    /// What is known of a person of several customers; `None` when the customer is all there is.
    together: Option<Customer>,
}

impl Engine {
    /// Reads a customer by identifiers; `None` when nobody is known by them.
    pub fn customer(&self, identifiers: &[Identifier]) -> Result<Option<CustomerState>, EngineError> {
        let Some(id) = self.find(identifiers)? else {
            return Ok(None);
        };
        self.state(id).map(Some)
    }

    /// Reads the person that a customer is, or is a part of; the key is that of the first part.
    pub fn state(&self, id: CustomerId) -> Result<CustomerState, EngineError> {
        let loaded = self.load(self.person(id)?)?;
        let rows = || loaded.person.parts.iter().map(|part| &part.row);
        Ok(CustomerState {
            customer: Customer { id: loaded.person.head(), ..loaded.seen().clone() },
            merges: rows().filter_map(|row| row.into.clone()).collect(),
            undone: rows().flat_map(|row| row.undone.clone()).collect(),
            household: loaded.household,
        })
    }

    /// Reads one customer of a person, with what is known of the person.
    pub(crate) fn load(&self, person: Person) -> Result<Loaded, EngineError> {
        let keys: Vec<Vec<u8>> = person.ids().map(key::customer).collect();
        let of = |table| keys.iter().map(move |key| Read::new(table, key.clone()));
        let mut profiles =
            self.store.get(&of(Table::Profile).chain(of(Table::Contacts)).collect::<Vec<_>>())?;
        let contacts = profiles.split_off(keys.len());
        let mut parts = Vec::new();
        for (part, (profile, contacts)) in person.parts.iter().zip(profiles.iter().zip(&contacts)) {
            let row = profile.value().map(|bytes| codec::decode("profile", bytes)).transpose()?;
            let history = contacts.value().map(|bytes| codec::decode("contacts", bytes)).transpose()?;
            let into = part.row.into.as_ref().map(|merge| (merge.into, merge.at_ms));
            let (row, history) = (row.unwrap_or_default(), history.unwrap_or_default());
            parts.push(Own { id: part.id, into, row, history });
        }
        let id = person.asked;
        let asked = parts.iter().position(|part| part.id == id).expect("a person knows its own parts");
        let seen = (parts.len() > 1).then(|| together(&self.published().strategy, &parts));
        let of_person = seen.as_ref().and_then(|(row, _)| row.household.clone());
        let Own { row, history, .. } = parts.swap_remove(asked);
        let household_of_person = row.household.clone().or(of_person);
        let household = household_of_person.as_deref().map(|id| self.load_household(id)).transpose()?;
        Ok(Loaded {
            customer: Customer { id, profile: row.profile, history },
            cleared: row.cleared,
            household_id: row.household,
            household_of_person,
            household,
            profile_version: profiles[asked].version(),
            contacts_version: contacts[asked].version(),
            together: seen.map(|(row, history)| Customer { id, profile: row.profile, history }),
            person,
        })
    }

    pub(crate) fn load_household(&self, id: &str) -> Result<Attributes, EngineError> {
        let row = self.store.get(&[Read::new(Table::Household, self.household_key(id))])?.remove(0);
        row.value().map_or_else(|| Ok(Attributes::new()), |bytes| codec::decode("household", bytes))
    }

    pub(crate) fn household_key(&self, id: &str) -> Vec<u8> {
        blake3::keyed_hash(&self.secret, id.as_bytes()).as_bytes()[..16].to_vec()
    }
}

impl Loaded {
    /// What was known of the person as a whole when it was read.
    pub fn seen(&self) -> &Customer {
        self.together.as_ref().unwrap_or(&self.customer)
    }

    /// Puts the profile row into a batch.
    pub fn write_profile(&self, batch: &mut Batch) {
        let row = ProfileRow {
            profile: self.customer.profile.clone(),
            household: self.household_id.clone(),
            cleared: self.cleared.clone(),
        };
        batch.writes.push(
            Write::put(Table::Profile, key::customer(self.customer.id), codec::encode(&row))
                .owned_by(self.customer.id)
                .expecting(self.profile_version),
        );
    }

    /// Puts the contact row into a batch, without what is older than it may be.
    pub fn write_contacts(&mut self, batch: &mut Batch, at: Timestamp) {
        let oldest = at.as_millisecond() - HISTORY_MS;
        let history = &mut self.customer.history;
        history.contacts.retain(|contact| contact.at.as_millisecond() > oldest);
        history.outcomes.retain(|outcome| outcome.at.as_millisecond() > oldest);
        batch.writes.push(
            Write::put(
                Table::Contacts,
                key::customer(self.customer.id),
                codec::encode(&self.customer.history),
            )
            .owned_by(self.customer.id)
            .expecting(self.contacts_version)
            .until(at.as_millisecond() + HISTORY_MS),
        );
    }
}

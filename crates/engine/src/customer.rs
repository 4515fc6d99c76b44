//! What do we know about a customer? The large profile and the small contact state, read together.

use crate::{
    Engine, EngineError, Identifier, codec,
    storage::{Batch, Read, Table, Version, Write, key},
};
use decision::{
    Timestamp,
    id::CustomerId,
    profile::{Attributes, ContactHistory, Customer, Profile},
};
use serde::{Deserialize, Serialize};

/// How long contacts and outcomes are kept, in milliseconds: the longest retention without a stated reason.
pub(crate) const HISTORY_MS: i64 = 365 * 86_400_000;

/// The profile row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProfileRow {
    pub profile: Profile,
    pub household: Option<String>,
}

/// A customer as one reads it for people: profile, history, household.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CustomerState {
    /// Profile and history.
    pub customer: Customer,
    /// The household's attributes, when there is one.
    pub household: Option<Attributes>,
}

/// A customer with what is needed to write it back.
pub(crate) struct Loaded {
    pub customer: Customer,
    pub household_id: Option<String>,
    pub household: Option<Attributes>,
    pub profile_version: Version,
    pub contacts_version: Version,
}

impl Engine {
    /// Reads a customer by identifiers; `None` when nobody is known by them.
    pub fn customer(&self, identifiers: &[Identifier]) -> Result<Option<CustomerState>, EngineError> {
        let Some(id) = self.find(identifiers)? else {
            return Ok(None);
        };
        let loaded = self.load(id)?;
        Ok(Some(CustomerState { customer: loaded.customer, household: loaded.household }))
    }

    pub(crate) fn load(&self, id: CustomerId) -> Result<Loaded, EngineError> {
        let own = key::customer(id);
        let rows =
            self.store.get(&[Read::new(Table::Profile, own.clone()), Read::new(Table::Contacts, own)])?;
        let profile: ProfileRow = match rows[0].value() {
            Some(bytes) => codec::decode("profile", bytes)?,
            None => ProfileRow::default(),
        };
        let history: ContactHistory = match rows[1].value() {
            Some(bytes) => codec::decode("contacts", bytes)?,
            None => ContactHistory::default(),
        };
        let household = profile.household.as_deref().map(|id| self.load_household(id)).transpose()?;
        Ok(Loaded {
            customer: Customer { id, profile: profile.profile, history },
            household_id: profile.household,
            household,
            profile_version: rows[0].version(),
            contacts_version: rows[1].version(),
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
    /// Puts the profile row into a batch.
    pub fn write_profile(&self, batch: &mut Batch) {
        let row = ProfileRow { profile: self.customer.profile.clone(), household: self.household_id.clone() };
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

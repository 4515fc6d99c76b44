//! Who is there, and what has been worked out about each? Reads profiles one page after the other and writes
//! attributes that follow from others.
//!
//! What they are is worked out by the caller, under the customer's lock and from what is known then: a consent that
//! was withdrawn meanwhile counts. Nothing here is learned from, and nobody becomes known.

use crate::{
    Engine, EngineError, codec,
    customer::ProfileRow,
    storage::{Batch, Table, Ticket, Version, key},
};
use decision::{
    Timestamp,
    id::CustomerId,
    profile::{AttributeValue, ContactHistory, Customer, Source},
    strategy::AttributeIndex,
    value::Value,
};

/// An attribute that was worked out: its value with a confidence from 0 to 1, or nothing, which takes away what
/// was there.
pub type WorkedOut = (AttributeIndex, Option<(Value, f32)>);

impl Engine {
    /// The next customers after one, at most `most`, in the order in which they are stored; with their profiles and
    /// without their history.
    pub fn customers_after(
        &self,
        after: Option<CustomerId>,
        most: usize,
    ) -> Result<Vec<Customer>, EngineError> {
        let after = after.map(key::customer);
        let page = self.store.scan(Table::Profile, &[], after.as_deref(), most)?;
        page.into_iter()
            .map(|(key, bytes)| {
                let row: ProfileRow = codec::decode("profile", &bytes)?;
                Ok(Customer { id: owner(&key)?, profile: row.profile, history: ContactHistory::default() })
            })
            .collect()
    }

    /// Writes what `work_out` makes of a customer at `at`. `None` when there was nothing to write, the customer is
    /// gone or is part of another one, with whom it is worked out; the ticket resolves when it is durable.
    pub fn write_worked_out(
        &self,
        id: CustomerId,
        at: Timestamp,
        work_out: impl FnOnce(&Customer) -> Vec<WorkedOut>,
    ) -> Result<Option<Ticket>, EngineError> {
        let published = self.published();
        let (_guard, person) = self.hold(id)?;
        let mut loaded = self.load(person)?;
        if loaded.profile_version == Version::ABSENT || loaded.person.head() != id {
            return Ok(None);
        }
        let mut changed = false;
        for (index, value) in work_out(loaded.seen()) {
            let attribute = &published.strategy.attributes[usize::from(index)];
            let attributes = &mut loaded.customer.profile.attributes;
            changed |= match value {
                None => attributes.remove(&attribute.name).is_some(),
                Some((value, confidence)) => {
                    let expires_at = at.saturating_add(attribute.retention).unwrap_or(Timestamp::MAX);
                    let source = Source::Derived;
                    let value = AttributeValue { value, source, confidence, observed_at: at, expires_at };
                    attributes.insert(attribute.name.clone(), value);
                    true
                }
            };
        }
        if !changed {
            return Ok(None);
        }
        let mut batch = Batch::default();
        loaded.write_profile(&mut batch);
        Ok(Some(self.store.commit(batch)?))
    }
}

fn owner(key: &[u8]) -> Result<CustomerId, EngineError> {
    let id = key.first_chunk::<{ key::CUSTOMER_BYTES }>().and_then(|key| key[1..].try_into().ok());
    Ok(CustomerId(u128::from_be_bytes(id.ok_or(EngineError::Damaged { what: "profile" })?)))
}

//! Which values may no longer be kept? A walk over profiles and households, a part at a time, takes out what is past
//! its retention.
//!
//! No decision reads such a value from the moment it expires (`decision::consent` masks it); this walk sees to it
//! that it is not kept either. A retention that was shortened since counts for the mask at once; what was stored before
//! goes at the end that it was stored with. Rows that end as a whole are the store's to remove.

use crate::{
    Engine, EngineError, codec,
    customer::ProfileRow,
    storage::{Batch, Read, Row, Table, Ticket, Write, key::CUSTOMER_BYTES},
};
use decision::{Timestamp, id::CustomerId, profile::Attributes};
use std::sync::PoisonError;

/// Where the walk is.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    in_households: bool,
    /// The last key looked at.
    after: Option<Vec<u8>>,
}

impl Engine {
    /// Looks at the next profiles or households, at most `rows_max`, takes out the values whose retention has ended
    /// at `at`, and returns how many those were; they are gone for sure. Called again and again it comes round.
    pub fn expire_values(&self, at: Timestamp, rows_max: usize) -> Result<u64, EngineError> {
        let mut walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let in_households = walk.in_households;
        let table = if in_households { Table::Household } else { Table::Profile };
        let page = self.store.scan(table, &[], walk.after.as_deref(), rows_max)?;
        let (mut gone, mut last) = (0, None);
        for (key, bytes) in &page {
            let has_expired = match in_households {
                true => expired_in(&household(bytes)?, at),
                false => expired_in(&profile(bytes)?.profile.attributes, at),
            };
            if has_expired {
                let written = match in_households {
                    true => self.expire_household(key, at)?,
                    false => self.expire_profile(key, at)?,
                };
                gone += written.as_ref().map_or(0, |(values, _)| *values);
                last = written.map(|(_, ticket)| ticket).or(last);
            }
        }
        *walk = match page.last() {
            Some((key, _)) => Walk { in_households, after: Some(key.clone()) },
            None => Walk { in_households: !in_households, after: None },
        };
        last.map_or(Ok(()), Ticket::wait)?;
        Ok(gone)
    }

    fn expire_profile(&self, key: &[u8], at: Timestamp) -> Result<Option<(u64, Ticket)>, EngineError> {
        let id = key.first_chunk::<CUSTOMER_BYTES>().and_then(|key| key[1..].try_into().ok());
        let id = CustomerId(u128::from_be_bytes(id.ok_or(EngineError::Damaged { what: "profile" })?));
        let (_guard, _) = self.hold(id)?;
        let row = self.read(Table::Profile, key)?;
        let Some(bytes) = row.value() else { return Ok(None) };
        let mut known = profile(bytes)?;
        let gone = take_out(&mut known.profile.attributes, at);
        let write = Write::put(Table::Profile, key, codec::encode(&known)).owned_by(id);
        self.write(write.expecting(row.version())).map(|ticket| Some((gone, ticket)))
    }

    fn expire_household(&self, key: &[u8], at: Timestamp) -> Result<Option<(u64, Ticket)>, EngineError> {
        let _guard = self.households.guard(key);
        let row = self.read(Table::Household, key)?;
        let Some(bytes) = row.value() else { return Ok(None) };
        let mut known = household(bytes)?;
        let gone = take_out(&mut known, at);
        let write = match known.is_empty() {
            true => Write::delete(Table::Household, key),
            false => Write::put(Table::Household, key, codec::encode(&known)),
        };
        self.write(write.expecting(row.version())).map(|ticket| Some((gone, ticket)))
    }

    fn read(&self, table: Table, key: &[u8]) -> Result<Row, EngineError> {
        Ok(self.store.get(&[Read::new(table, key)])?.remove(0))
    }

    fn write(&self, write: Write) -> Result<Ticket, EngineError> {
        Ok(self.store.commit(Batch { writes: vec![write], ..Batch::default() })?)
    }
}

fn profile(bytes: &[u8]) -> Result<ProfileRow, EngineError> {
    codec::decode("profile", bytes)
}

fn household(bytes: &[u8]) -> Result<Attributes, EngineError> {
    codec::decode("household", bytes)
}

fn expired_in(attributes: &Attributes, at: Timestamp) -> bool {
    attributes.values().any(|value| value.expires_at <= at)
}

fn take_out(attributes: &mut Attributes, at: Timestamp) -> u64 {
    let before = attributes.len();
    attributes.retain(|_, value| value.expires_at > at);
    (before - attributes.len()) as u64
}

//! Which values may no longer be kept? A walk over profiles and households, a part at a time, takes out what is past
//! its retention.
//!
//! No decision reads such a value from the moment it expires (`decision::consent` masks it); this walk sees to it
//! that it is not kept either. A retention that was shortened since counts for the mask at once; what was stored before
//! goes at the end that it was stored with. A person about whom nothing is left but statements that are no longer
//! needed as proof goes as a whole, with identifiers, merges and household. Rows that end as a whole are the store's to remove.

use crate::{
    Engine, EngineError, codec,
    customer::ProfileRow,
    person::Person,
    storage::{
        Batch, Read, Row, StoreError, Table, Ticket, Write,
        key::{self, CUSTOMER_BYTES},
    },
};
use decision::{
    Timestamp,
    id::CustomerId,
    profile::{Attributes, ConsentStatement, ConsentStatus, Profile},
};
use std::sync::PoisonError;

/// How long after its end a statement is kept as proof of what was allowed, in milliseconds: five years, after which a
/// claim because of it lapses (art. 3:310 of the Dutch Civil Code).
const PROOF_MS: i64 = 5 * 365 * 86_400_000;

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
                false => {
                    let known = profile(bytes)?.profile;
                    expired_in(&known.attributes, at) || is_over(&known, at)
                }
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
        let (_guard, person) = match self.hold(id) {
            Err(EngineError::Store(StoreError::Conflict { .. })) => return Ok(None),
            held => held?,
        };
        if self.is_all_over(&person, at)? {
            return match self.let_go(&person, at) {
                // Somebody else of the household told something meanwhile: the next round looks again.
                Err(EngineError::Store(StoreError::Conflict { .. })) => Ok(None),
                gone => gone.map(|ticket| Some((0, ticket))),
            };
        }
        let row = self.read(Table::Profile, key)?;
        let Some(bytes) = row.value() else { return Ok(None) };
        let mut known = profile(bytes)?;
        let gone = take_out(&mut known.profile.attributes, at);
        if gone == 0 {
            return Ok(None);
        }
        let write = Write::put(Table::Profile, key, codec::encode(&known)).owned_by(id);
        self.write(write.expecting(row.version())).map(|ticket| Some((gone, ticket)))
    }

    /// Whether nothing about a person may be kept any more: no value, statement, contact, event, outcome or decision
    /// of any part.
    fn is_all_over(&self, person: &Person, at: Timestamp) -> Result<bool, EngineError> {
        const KEPT: [Table; 5] =
            [Table::Contacts, Table::Event, Table::Outcome, Table::DecisionIndex, Table::Conflict];
        for id in person.ids() {
            let key = key::customer(id);
            let row = self.read(Table::Profile, &key)?;
            let known = row.value().map(profile).transpose()?.unwrap_or_default();
            if !is_over(&known.profile, at) {
                return Ok(false);
            }
            for table in KEPT {
                if !self.store.scan(table, &key, None, 1)?.is_empty() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
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

/// Whether nothing in a profile may be kept any more.
fn is_over(profile: &Profile, at: Timestamp) -> bool {
    let said = &profile.consents;
    let over = |(index, statement)| proof_ends(statement, &said[index + 1..]) <= at.as_millisecond();
    profile.attributes.values().all(|value| value.expires_at <= at) && said.iter().enumerate().all(over)
}

/// Until when a statement is kept, in milliseconds since 1970 UTC, with what was said after it: what stops us as long
/// as the person does not take it back, for forgetting it would begin again what they stopped; anything else as proof.
fn proof_ends(statement: &ConsentStatement, later: &[ConsentStatement]) -> i64 {
    let stops = matches!(statement.status, ConsentStatus::Objected | ConsentStatus::Restricted);
    let replaces =
        |other: &ConsentStatement| other.about == statement.about && other.channel == statement.channel;
    let end = statement.expires_at.unwrap_or(statement.at);
    match stops && statement.expires_at.is_none() && !later.iter().any(replaces) {
        true => i64::MAX,
        false => end.as_millisecond().saturating_add(PROOF_MS),
    }
}

fn expired_in(attributes: &Attributes, at: Timestamp) -> bool {
    attributes.values().any(|value| value.expires_at <= at)
}

fn take_out(attributes: &mut Attributes, at: Timestamp) -> u64 {
    let before = attributes.len();
    attributes.retain(|_, value| value.expires_at > at);
    (before - attributes.len()) as u64
}

//! What was decided, and what happened, so far? Everything that a store still holds, told in order, for
//! whoever wants to add it up.
//!
//! Customers who were erased are not in it. Deliberately absent: which outcome belongs to which decision.

use crate::{Engine, EngineError, journal::Entry, storage::Table};
use decision::{Timestamp, record::Decision};
use learning::{ExposureId, Row};
use std::sync::Arc;

/// Rows read at once.
const PAGE: usize = 1024;
/// Ids tell moments apart up to here.
const LAST_MS: i64 = 0xFFFF_FFFF_FFFF;

/// Something that happened to a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// To whom: the customer's key, or the key of a decision about nobody.
    pub subject: u128,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// A declared event, or one of [`crate::REPORTED`].
    pub event: Arc<str>,
    /// The slot of the decision that it was reported for; `None` when nobody said.
    pub about: Option<ExposureId>,
}

impl Engine {
    /// Every kept decision from `since` on and before `until`, oldest first. A record that cannot be read is
    /// an error: what is added up would be about something else.
    pub fn each_decision(
        &self,
        since: Timestamp,
        until: Timestamp,
        each: &mut dyn FnMut(Decision) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let end = first_id(until);
        let mut after = first_id(since).checked_sub(1).map(|id| id.to_be_bytes().to_vec());
        loop {
            let page = self.store.scan(Table::Record, &[], after.as_deref(), PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for (key, bytes) in &page {
                if key.as_slice() >= &end.to_be_bytes()[..] {
                    return Ok(());
                }
                each(Decision::decode(bytes)?)?;
            }
        }
    }

    /// When the last decision was made, to the millisecond; `None` when there is none.
    pub fn last_decided(&self) -> Result<Option<Timestamp>, EngineError> {
        let since = |ms: i64| -> Result<bool, EngineError> {
            let before = (first_id_ms(ms).checked_sub(1)).map(|id| id.to_be_bytes());
            let before = before.as_ref().map(|id| id.as_slice());
            Ok(!self.store.scan(Table::Record, &[], before, 1)?.is_empty())
        };
        let (mut some, mut none) = (0, LAST_MS);
        if !since(some)? {
            return Ok(None);
        }
        while none - some > 1 {
            let middle = some + (none - some) / 2;
            let found = since(middle)?;
            (some, none) = if found { (middle, none) } else { (some, middle) };
        }
        Ok(Timestamp::from_millisecond(some).ok())
    }

    /// Everything that was reported to have happened, in the order of its arrival.
    pub fn each_happening(&self, each: &mut dyn FnMut(Happened)) -> Result<(), EngineError> {
        let mut after = 0;
        loop {
            let page = self.store.journal(after, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.sequence;
            for bytes in page.iter().filter_map(|entry| entry.value.as_deref()) {
                if let Entry::Learn(Row::Outcome { at_ms, subject, event, exposure }) = Entry::decode(bytes)?
                {
                    each(Happened { subject, at_ms, event, about: exposure });
                }
            }
        }
    }
}

fn first_id(at: Timestamp) -> u128 {
    first_id_ms(at.as_millisecond())
}

/// The least id that a decision of this moment can have; ids sort by moment.
fn first_id_ms(ms: i64) -> u128 {
    u128::from(ms.clamp(0, LAST_MS).cast_unsigned()) << 80
}

//! What was decided, and what happened, so far? Everything that a store still holds, told in order, for
//! whoever wants to add it up.
//!
//! Customers who were erased are not in it. Deliberately absent: which outcome belongs to which decision.

use crate::{Engine, EngineError, journal::Entry, storage::Table};
use decision::{
    Timestamp,
    candidate::{CandidateFate, Dropped, Fate},
    consent,
    record::Decision,
    strategy::{PurposeIndex, Strategy},
};
use learning::{ExposureId, Row};
use std::{collections::BTreeSet, sync::Arc};

/// Rows read at once.
const PAGE: usize = 1024;
/// The newest decisions are of so many hours at most.
const NEWEST_HOURS: i64 = 30 * 24;
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

    /// Whether what a decision read may still be looked at: since then the customer said nothing against a purpose
    /// that it could use, see [`consent::may_learn`]. A decision about nobody may.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn may_look_back(&self, decided_by: &Strategy, decision: &Decision) -> Result<bool, EngineError> {
        let Some(customer) = decision.customer else {
            return Ok(true);
        };
        let statements = self.state(customer)?.customer.profile.consents;
        let could_use = |fate: &&CandidateFate| !matches!(fate.fate, Fate::Dropped(Dropped::NoBasis(_)));
        let actions = decision.fates.iter().filter(could_use).map(|fate| fate.action);
        let purposes: BTreeSet<PurposeIndex> =
            actions.map(|action| decided_by.actions[usize::from(action)].purpose).collect();
        let may = |purpose| consent::may_learn(decided_by, purpose, &statements, decision.at);
        Ok(purposes.into_iter().all(may))
    }

    /// The newest kept decisions, oldest first: all of the last hours or days of which `at_most` can be told, of
    /// thirty days at most, and where there are more within one hour, the first of them.
    ///
    /// # Errors
    /// As for [`Engine::each_decision`].
    pub fn newest_decisions(
        &self,
        at_most: usize,
        each: &mut dyn FnMut(Decision) -> Result<(), EngineError>,
    ) -> Result<usize, EngineError> {
        let Some(last) = self.last_decided()? else {
            return Ok(0);
        };
        let since = |hours: i64| last.saturating_sub(decision::Duration::from_hours(hours)).unwrap_or(last);
        let mut hours = 1;
        while hours < NEWEST_HOURS && !self.decided_more_than(at_most, since(hours * 2))? {
            hours *= 2;
        }
        let mut after =
            first_id(since(hours.min(NEWEST_HOURS))).checked_sub(1).map(|id| id.to_be_bytes().to_vec());
        let mut told = 0;
        while told < at_most {
            let page = self.store.scan(Table::Record, &[], after.as_deref(), PAGE.min(at_most - told))?;
            let Some((key, _)) = page.last() else {
                break;
            };
            after = Some(key.clone());
            told += page.len();
            page.iter().try_for_each(|(_, bytes)| each(Decision::decode(bytes)?))?;
        }
        Ok(told)
    }

    fn decided_more_than(&self, count: usize, since: Timestamp) -> Result<bool, EngineError> {
        let mut after = first_id(since).checked_sub(1).map(|id| id.to_be_bytes().to_vec());
        let mut found = 0;
        loop {
            let page = self.store.scan(Table::Record, &[], after.as_deref(), PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(false);
            };
            after = Some(last.clone());
            found += page.len();
            if found > count {
                return Ok(true);
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

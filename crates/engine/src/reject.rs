//! What was sent and not accepted? Nothing is lost: a reject keeps the input and the reason for a while.

use crate::{
    Engine, EngineError, Identifier, Verdict, codec,
    storage::{Batch, Read, Store, Table, Ticket, Write},
};
use decision::{Timestamp, id::CustomerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{PoisonError, atomic::Ordering},
};

/// How long a reject is kept, in milliseconds.
pub const KEPT_MS: i64 = 30 * 86_400_000;
/// Most undeclared names that are counted apart.
const NAMES_MAX: usize = 1000;

/// The number that the next reject gets: beyond that of the newest one that is kept, so that none takes the place of
/// another.
pub(crate) fn next_number(store: &dyn Store) -> Result<u64, EngineError> {
    let newest = store.scan(Table::Reject, &[], None, 1)?;
    let Some((key, _)) = newest.first() else { return Ok(0) };
    let number = key.last_chunk().ok_or(EngineError::Damaged { what: "reject" })?;
    Ok((u64::MAX - u64::from_be_bytes(*number)).saturating_add(1))
}

/// One input that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// When it arrived, in milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Stable code of the reason.
    pub code: String,
    /// The reason, without personal data.
    pub message: String,
    /// The input as it came.
    pub input: String,
}

impl Engine {
    /// Keeps an input that was not accepted; the ticket resolves when it is kept for sure.
    pub fn keep_reject(
        &self,
        code: &'static str,
        message: String,
        input: String,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        self.keep_reject_of(None, code, message, input, at)
    }

    /// Keeps an input about a customer: it is forgotten with the customer.
    pub(crate) fn keep_reject_of(
        &self,
        owner: Option<CustomerId>,
        code: &'static str,
        message: String,
        input: String,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        let (message, input) = match self.names_erased(&input) {
            true => ("it names somebody who was erased".into(), String::new()),
            false => (message, input),
        };
        let number = self.rejects.fetch_add(1, Ordering::Relaxed);
        let at_ms = at.as_millisecond();
        let newest_first = |number: u64| (u64::MAX - number).to_be_bytes();
        let mut key = newest_first(at_ms.max(0).cast_unsigned()).to_vec();
        key.extend(newest_first(number));
        let reject = Reject { at_ms, code: code.into(), message: message.clone(), input };
        let mut write = Write::put(Table::Reject, key, codec::encode(&reject)).until(at_ms + KEPT_MS);
        write.owner = owner;
        let ticket = self.store.commit(Batch { writes: vec![write], ..Batch::default() })?;
        Ok((Verdict::Rejected { code, message }, ticket))
    }

    /// Refuses what is dated before the erasure of whom it is about, and keeps nothing of it.
    pub(crate) fn refuse_erased(&self, at: Timestamp) -> Result<(Verdict, Ticket), EngineError> {
        let message = "it is dated before the erasure of whom it is about".to_owned();
        self.keep_reject("erased", message, String::new(), at)
    }

    /// Rejects, newest first, at most `limit`.
    pub fn rejected(&self, limit: usize) -> Result<Vec<Reject>, EngineError> {
        let rows = self.store.scan(Table::Reject, &[], None, limit)?;
        rows.iter().map(|(_, bytes)| codec::decode("reject", bytes)).collect()
    }

    /// Counts a name that nothing declares; its value is gone. What does not look like a name may be about somebody,
    /// and is counted without it.
    pub fn count_dropped(&self, name: &str) {
        let name = if is_name(name) { name } else { NOT_A_NAME };
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        if dropped.times.len() < NAMES_MAX || dropped.times.contains_key(name) {
            *dropped.times.entry(name.to_owned()).or_default() += 1;
            dropped.changed = true;
        }
    }

    /// How often each undeclared name was dropped, also before a restart.
    pub fn dropped_names(&self) -> BTreeMap<String, u64> {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).times.clone()
    }

    /// Keeps the counts of dropped names, when they changed since they were kept. Called every so often, so that no
    /// event pays for it; a crash loses what was counted since.
    ///
    /// # Errors
    /// The store does not take it.
    pub fn keep_dropped_names(&self) -> Result<(), EngineError> {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        if !dropped.changed {
            return Ok(());
        }
        let write = Write::put(Table::Meta, DROPPED, codec::encode(&dropped.times));
        let ticket = self.store.commit(Batch { writes: vec![write], ..Batch::default() })?;
        dropped.changed = false;
        drop(dropped);
        Ok(ticket.wait()?)
    }
}

/// Where the counts of dropped names are kept.
const DROPPED: &str = "dropped_names";

/// How often each undeclared name was dropped.
#[derive(Debug, Default)]
pub(crate) struct Dropped {
    times: BTreeMap<String, u64>,
    /// Since they were kept.
    changed: bool,
}

impl Dropped {
    /// What was counted before.
    pub(crate) fn open(store: &dyn Store) -> Result<Self, EngineError> {
        let row = store.get(&[Read::new(Table::Meta, DROPPED)])?.remove(0);
        let times = row.value().map(|bytes| codec::decode("dropped names", bytes)).transpose()?;
        Ok(Self { times: times.unwrap_or_default(), changed: false })
    }
}

/// What stands for all that is not a name.
const NOT_A_NAME: &str = "(not a name)";

/// Whether it looks like what a developer calls a property: letters, digits, `_`, `-`, `.`, `$` and spaces.
fn is_name(name: &str) -> bool {
    const NAME_BYTES_MAX: usize = 100;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$ ".contains(&byte);
    name.len() <= NAME_BYTES_MAX && name.bytes().all(fits)
}

/// Whatever in the input could be an identifier: every name with a text or number; `None` when it is not JSON.
pub(crate) fn identifiers_in(input: &str) -> Option<Vec<Identifier>> {
    let mut found = Vec::new();
    collect(&serde_json::from_str(input).ok()?, &mut found);
    Some(found)
}

fn collect(json: &Value, found: &mut Vec<Identifier>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => {
            for (kind, value) in fields {
                match value {
                    Value::String(text) => found.push(Identifier::new(kind, text)),
                    Value::Number(number) => found.push(Identifier::new(kind, &number.to_string())),
                    other => collect(other, found),
                }
            }
        }
        _ => {}
    }
}

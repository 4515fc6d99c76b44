//! What does the journal say? Read back on its own, and held against what a journal must be.
//!
//! The entries are declared here a second time on purpose: what was written is checked by other code than
//! wrote it.

use decision::invariant::Violation;
use engine::storage::JournalEntry;
use learning::{ExposureId, ModelVersion, Row};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::Arc};

/// One entry.
#[derive(Debug, Deserialize)]
pub enum Entry {
    /// Something to learn from.
    Learn(Row),
    /// A model was published.
    Published {
        /// After which entry.
        through: u64,
        /// At which moment, in milliseconds since 1970 UTC.
        _at_ms: i64,
        /// Which.
        _model: ModelVersion,
    },
}

/// Reads entries; what has been erased is left out.
pub fn read(entries: &[JournalEntry]) -> Result<Vec<(u64, Entry)>, Violation> {
    let readable = entries.iter().filter_map(|entry| Some((entry.sequence, entry.value.as_deref()?)));
    readable
        .map(|(sequence, bytes)| {
            let entry = bytes.split_first().and_then(|(_, body)| postcard::from_bytes(body).ok());
            entry.map(|entry| (sequence, entry)).ok_or_else(|| wrong("journal", "an entry cannot be read"))
        })
        .collect()
}

/// INV-12 and the order of the journal: an exposure and each of its outcomes occur once, an outcome
/// follows what it is an outcome of, and a publication names an entry before it.
pub fn check(entries: &[(u64, Entry)]) -> Result<(), Violation> {
    let mut exposures = BTreeSet::new();
    let mut outcomes: BTreeSet<(ExposureId, Arc<str>)> = BTreeSet::new();
    let (mut before, mut early) = (0, BTreeSet::new());
    for (sequence, entry) in entries {
        match entry {
            Entry::Learn(Row::Exposure(exposure)) => {
                once(exposures.insert(exposure.id), "an exposure is learned from twice")?;
                let in_order = !early.contains(&exposure.id);
                ordered(in_order, "an outcome stands before what it is an outcome of")?;
            }
            Entry::Learn(Row::Outcome { event, exposure: Some(exposure), .. }) => {
                let new = outcomes.insert((*exposure, event.clone()));
                once(new, "an outcome is learned from twice")?;
                if !exposures.contains(exposure) && !matches!(&**event, "delivered") {
                    early.insert(*exposure);
                }
            }
            Entry::Learn(_) => {}
            Entry::Published { through, .. } => {
                ordered(before <= *through && through < sequence, "publications are out of order")?;
                before = *through;
            }
        }
    }
    Ok(())
}

fn once(new: bool, what: &str) -> Result<(), Violation> {
    if new { Ok(()) } else { Err(wrong("INV-12", what)) }
}

fn ordered(in_order: bool, what: &str) -> Result<(), Violation> {
    if in_order { Ok(()) } else { Err(wrong("journal", what)) }
}

pub(super) fn wrong(id: &'static str, what: impl Into<String>) -> Violation {
    Violation { id, what: what.into() }
}

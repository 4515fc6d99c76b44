//! What followed a decision? Everything that happened, by customer and in order of time.

use super::Name;
use engine::{Engine, EngineError, REPORTED};
use std::collections::BTreeMap;

/// Everything that a store knows to have happened.
#[derive(Default)]
pub(super) struct Happenings {
    by_subject: BTreeMap<u128, Vec<Happening>>,
    last_ms: i64,
}

struct Happening {
    at_ms: i64,
    event: Name,
    /// The decision that it was reported for.
    about: Option<u128>,
}

impl Happenings {
    pub(super) fn of(engine: &Engine) -> Result<Self, EngineError> {
        let mut all = Self::default();
        engine.each_happening(&mut |happened| {
            all.last_ms = all.last_ms.max(happened.at_ms);
            let about = happened.about.map(|slot| slot.decision);
            let happening = Happening { at_ms: happened.at_ms, event: happened.event, about };
            all.by_subject.entry(happened.subject).or_default().push(happening);
        })?;
        all.by_subject.values_mut().for_each(|list| list.sort_by_key(|happening| happening.at_ms));
        Ok(all)
    }

    pub(super) fn last_ms(&self) -> i64 {
        self.last_ms
    }

    /// Whether `event` happened to `subject` from `from_ms` on, within a time. What channels report of a
    /// message (a click, a rejection) counts for that message alone; a declared event counts for every
    /// decision that it follows, whatever brought it about.
    pub(super) fn followed(
        &self,
        decision: u128,
        subject: u128,
        event: &str,
        from_ms: i64,
        within_ms: i64,
    ) -> bool {
        let list = self.by_subject.get(&subject).map_or(&[][..], Vec::as_slice);
        let start = list.partition_point(|happening| happening.at_ms < from_ms);
        let end = from_ms.saturating_add(within_ms);
        let mine = |happening: &&Happening| {
            *happening.event == *event
                && (happening.about.is_none_or(|about| about == decision) || !REPORTED.contains(&event))
        };
        list[start..].iter().take_while(|happening| happening.at_ms <= end).any(|happening| mine(&happening))
    }
}

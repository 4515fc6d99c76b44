//! What became of all candidates? How many each step dropped, how often something was said, and how
//! often silence was the better answer.

use decision::{
    candidate::{Fate, Step},
    record::{Decision, SilenceReason},
    strategy::ActionIndex,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Sums over any number of decisions of one strategy version.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Funnel {
    /// Decisions folded in.
    pub decisions: u64,
    /// Slots asked for.
    pub slots: u64,
    /// Slots in which nothing was said.
    pub silent_slots: u64,
    /// Slots that stayed silent because nothing was worth the customer's attention, or by chance.
    pub silent_by_choice: u64,
    /// Candidates.
    pub candidates: u64,
    /// Candidates dropped, per step.
    pub dropped: BTreeMap<Step, u64>,
    /// Candidates passed over.
    pub passed_over: u64,
    /// Times each action was said.
    pub said: BTreeMap<ActionIndex, u64>,
}

impl Funnel {
    /// Adds one decision.
    pub fn add(&mut self, decision: &Decision) {
        self.decisions += 1;
        for slot in &decision.slots {
            self.slots += 1;
            self.silent_slots += u64::from(slot.pick.is_none());
            let by_choice =
                matches!(slot.silence_reason, Some(SilenceReason::WorthMore | SilenceReason::Chance));
            self.silent_by_choice += u64::from(by_choice);
        }
        for candidate in &decision.fates {
            self.candidates += 1;
            match candidate.fate {
                Fate::Dropped(why) => *self.dropped.entry(why.step()).or_default() += 1,
                Fate::PassedOver { .. } => self.passed_over += 1,
                Fate::Chosen { .. } => *self.said.entry(candidate.action).or_default() += 1,
            }
        }
    }

    /// Share of slots in which nothing was said, 0 to 1; 0 when there were none.
    pub fn silence_share(&self) -> f64 {
        if self.slots == 0 { 0.0 } else { self.silent_slots as f64 / self.slots as f64 }
    }
}

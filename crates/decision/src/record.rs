//! The immutable record of one decision: what it read, what became of every candidate, what was picked
//! with which probability, and what the shell must do now.
//!
//! The record is the decision: [`crate::decide::decide`] returns it, the store keeps its bytes, and
//! [`crate::replay`] makes it again from its own trace.

use crate::{
    Timestamp,
    candidate::{CandidateFate, Fate, PlacementIndex, Step},
    experiment::Enrolled,
    id::{CustomerId, DecisionId},
    request::Request,
    strategy::{ActionIndex, StrategyVersion},
    trace::Trace,
};
use jiff::fmt::serde::timestamp::millisecond::required as ms;
use learning::{ModelVersion, Prediction};
use serde::{Deserialize, Serialize};

pub mod fates;

/// First byte of every encoded record; raised when the meaning of the bytes, or of a decision, changes.
pub const FORMAT: u8 = 4;

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Key; sorts by moment, unguessable without the seed.
    pub id: DecisionId,
    /// Which strategy decided.
    pub strategy: StrategyVersion,
    /// Which model estimated.
    pub model: ModelVersion,
    /// When, to the millisecond.
    #[serde(with = "ms")]
    pub at: Timestamp,
    /// Key of all draws.
    pub seed: u64,
    /// About whom; `None` for a contextual decision.
    pub customer: Option<CustomerId>,
    /// The question.
    pub request: Request,
    /// What was read.
    pub trace: Trace,
    /// What became of every candidate, by action, then placement.
    #[serde(with = "fates")]
    pub fates: Vec<CandidateFate>,
    /// What fills the slots.
    pub slots: Vec<Slot>,
    /// What the shell must do; empty for a dry run.
    pub effects: Vec<Effect>,
    /// The arms of the experiments that the customer was in.
    pub experiments: Vec<Enrolled>,
}

/// One slot of a placement.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Position of the placement in the strategy.
    pub placement: PlacementIndex,
    /// Number of the slot in this decision, from 0.
    pub number: u16,
    /// Candidates with a positive probability, highest priority first.
    pub contenders: Vec<Contender>,
    /// Probability of silence.
    pub silence: f32,
    /// The candidate with the highest priority, when that is above silence.
    pub preferred: Option<u16>,
    /// The candidate picked; `None` is silence.
    pub pick: Option<u16>,
    /// Position of the treatment within the action.
    pub treatment: Option<u16>,
    /// Not drawn: a service or mandatory message, or an open contact shown again.
    pub fixed: bool,
    /// The open contact that is shown again.
    pub reuses: Option<Reuse>,
    /// Why nothing is said.
    pub silence_reason: Option<SilenceReason>,
}

/// One arm of a slot's vector.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// Position in [`Decision::fates`].
    pub candidate: u16,
    /// Probability of being picked, above 0.
    pub probability: f32,
}

/// An earlier decision whose contact is still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reuse {
    /// That decision.
    pub decision: DecisionId,
    /// Its slot.
    pub slot: u16,
}

/// Why nothing is said in a slot. "Nothing" is a decision too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SilenceReason {
    /// The catalogue has nothing for this placement.
    NoCandidates,
    /// Every candidate was dropped; the step that dropped the last one.
    AllDropped(Step),
    /// Nothing left was worth the customer's attention.
    WorthMore,
    /// Everything left is said in other slots, or the budget went to them.
    SlotsTaken,
    /// Silence was drawn, to keep learning what silence brings.
    Chance,
}

/// What the shell must carry out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Effect {
    /// Reserve the customer's attention for the pick of this slot.
    Reserve {
        /// Number of the slot.
        slot: u16,
        /// Until when, unless it is reported before.
        #[serde(with = "ms")]
        until: Timestamp,
    },
    /// Take one from the volume of this action.
    UseVolume {
        /// The action.
        action: ActionIndex,
    },
    /// Nothing was said; watch what happens without it.
    ObserveSilence {
        /// Number of the slot.
        slot: u16,
        /// A candidate that was not said: the nearest, or one withheld from a control group.
        candidate: u16,
    },
    /// What was picked for this slot has a legal effect: a human decides whether it happens.
    AskHuman {
        /// Number of the slot.
        slot: u16,
    },
}

/// The stored bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// An older, newer or unknown format.
    #[error("the record has format {0}, this version reads format {FORMAT}")]
    Format(u8),
    /// Cut off or altered.
    #[error("the record is damaged")]
    Damaged,
}

impl Decision {
    /// Compact bytes: format byte, body, checksum. Equal decisions have equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = postcard::to_extend(self, vec![FORMAT]);
        let mut bytes = bytes.expect("a decision holds nothing that cannot be written");
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// Reads [`Decision::encode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        match bytes.split_first() {
            Some((&FORMAT, _)) => read_body(checked(bytes)?),
            Some((&format, _)) => Err(RecordError::Format(format)),
            None => Err(RecordError::Damaged),
        }
    }

    /// The actions that a model was asked about, each once, in order.
    pub fn estimated_actions(&self) -> Vec<ActionIndex> {
        let reached = |fate: &Fate| match fate {
            Fate::Dropped(why) => why.step() >= Step::Arbitration,
            _ => true,
        };
        let estimated = self.fates.iter().filter(|candidate| reached(&candidate.fate));
        let mut actions: Vec<ActionIndex> = estimated.map(|candidate| candidate.action).collect();
        actions.dedup();
        actions
    }

    /// What the model expected of an action: its goal, then the organisation's side outcomes.
    pub fn estimates(&self, action: ActionIndex) -> Option<&[Prediction]> {
        let actions = self.estimated_actions();
        let position = actions.iter().position(|found| *found == action)?;
        let outcomes = self.trace.predictions.len() / actions.len();
        self.trace.predictions.chunks(outcomes.max(1)).nth(position)
    }

    /// Nothing is said in any slot.
    pub fn is_silent(&self) -> bool {
        self.slots.iter().all(|slot| slot.pick.is_none())
    }
}

/// What stands between the format and the checksum, when that is right.
fn checked(bytes: &[u8]) -> Result<&[u8], RecordError> {
    let (written, found) = bytes.split_last_chunk().ok_or(RecordError::Damaged)?;
    if checksum(written) == *found { Ok(&written[1..]) } else { Err(RecordError::Damaged) }
}

fn read_body(body: &[u8]) -> Result<Decision, RecordError> {
    match postcard::take_from_bytes(body) {
        Ok((decision, [])) => Ok(decision),
        _ => Err(RecordError::Damaged),
    }
}

/// Tells a stored record that was altered by accident; against intent there is the store's chain.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    *blake3::hash(bytes).as_bytes().first_chunk().expect("a hash has 32 bytes")
}

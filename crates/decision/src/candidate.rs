//! What happens to one candidate on its way through the steps: the reasons, a small closed set.
//!
//! A candidate is one action at one placement. It has exactly one fate; its first reason stays.

use crate::{
    Timestamp,
    consent::Withheld,
    record::Reuse,
    rules::{ClauseIndex, Layer, Refusal, Truth},
    strategy::ActionIndex,
};
use jiff::fmt::serde::timestamp::millisecond::required as ms;
use learning::Prediction;
use serde::{Deserialize, Serialize};

/// Position of a placement in the strategy.
pub type PlacementIndex = u16;

/// The steps of a decision that can drop a candidate, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The purpose of the action has no basis.
    Consent,
    /// Not published for this moment, or out of volume.
    Catalogue,
    /// May we.
    Eligibility,
    /// Does it make sense now.
    Applicability,
    /// Is it good for this customer.
    Suitability,
    /// Organisation-wide principles.
    Principle,
    /// Contact policy.
    ContactPolicy,
    /// Propensity and value.
    Arbitration,
    /// Value floor, control groups.
    Integrity,
}

/// Why a candidate was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Dropped {
    /// Its purpose has no basis for this customer on this channel.
    NoBasis(Withheld),
    /// Before or after the dates it is published for.
    NotPublishedNow,
    /// Its total volume has been used.
    VolumeUsedUp,
    /// Left out in this customer's arm of an experiment.
    LeftOut {
        /// Position in the strategy.
        experiment: u16,
    },
    /// Every treatment names something about the customer that is unknown.
    TextUnknown,
    /// A clause of its allow rules is not true.
    Rule {
        /// Which kind of rule.
        layer: Layer,
        /// Which clause.
        clause: ClauseIndex,
        /// It is not known rather than false.
        unknown: bool,
    },
    /// A principle vetoes it, or requires something that does not hold.
    Principle {
        /// Position in the strategy.
        principle: u16,
        /// It vetoes because something is not known.
        unknown: bool,
    },
    /// From some date on this channel needs a basis that the customer has not given.
    Permission {
        /// Position in the strategy.
        permission: u16,
        /// Why the basis does not hold.
        why: Withheld,
    },
    /// The hour is for rest.
    QuietHours,
    /// The need is met: its goal was reached.
    GoalReached {
        /// When it was reached.
        #[serde(with = "ms")]
        at: Timestamp,
    },
    /// A question whose answer is known.
    AnswerKnown,
    /// A question that was put before, and may not be put again yet.
    AskedBefore {
        /// Free again at.
        #[serde(with = "ms")]
        until: Timestamp,
    },
    /// The customer rejected it, or something else asked for a pause.
    Paused {
        /// Position in the strategy's pauses; `None` is the built-in pause after a rejection.
        pause: Option<u16>,
        /// Free again at.
        #[serde(with = "ms")]
        until: Timestamp,
    },
    /// A complaint is open.
    ComplaintOpen {
        /// Since.
        #[serde(with = "ms")]
        since: Timestamp,
    },
    /// A limit is reached.
    Limit {
        /// Position in the strategy's limits.
        limit: u16,
        /// Contacts counted in the window.
        counted: u32,
        /// Free again at.
        #[serde(with = "ms")]
        until: Timestamp,
    },
    /// Its value cannot be known.
    ValueUnknown,
    /// Its expected value for the customer is below the floor.
    BelowFloor {
        /// Expected value for the customer in euro.
        expected: f32,
        /// The floor in euro.
        floor: f32,
    },
    /// This customer is in the control group that is left in silence.
    ControlGroup,
}

impl Dropped {
    /// The step that dropped it.
    pub fn step(&self) -> Step {
        match self {
            Self::NoBasis(_) => Step::Consent,
            Self::NotPublishedNow | Self::VolumeUsedUp | Self::LeftOut { .. } | Self::TextUnknown => {
                Step::Catalogue
            }
            Self::Rule { layer: Layer::Eligibility, .. } => Step::Eligibility,
            Self::Rule { layer: Layer::Applicability, .. } => Step::Applicability,
            Self::Rule { layer: Layer::Suitability, .. } => Step::Suitability,
            Self::Principle { .. } => Step::Principle,
            Self::Permission { .. }
            | Self::QuietHours
            | Self::GoalReached { .. }
            | Self::AnswerKnown
            | Self::AskedBefore { .. }
            | Self::Paused { .. }
            | Self::ComplaintOpen { .. }
            | Self::Limit { .. } => Step::ContactPolicy,
            Self::ValueUnknown => Step::Arbitration,
            Self::BelowFloor { .. } | Self::ControlGroup => Step::Integrity,
        }
    }
}

/// Why a candidate that nothing forbade was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedOver {
    /// Something else was more relevant, or won the draw.
    Outranked,
    /// Saying nothing was worth more.
    SilenceWorthMore,
    /// The same action was chosen at another placement.
    ActionTaken,
    /// Another action of its group was chosen.
    GroupTaken,
    /// An earlier slot used the last capacity of a limit.
    CapacityTaken,
    /// A conversation on another action of its group is open.
    ConversationOpen,
    /// Every slot went to a service or mandatory message.
    SlotsFilled,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Fate {
    /// A step removed it.
    Dropped(Dropped),
    /// It stayed in the running until selection.
    PassedOver {
        /// Why.
        why: PassedOver,
        /// Priority in euro.
        priority: f32,
    },
    /// It is said.
    Chosen {
        /// In which slot.
        slot: u16,
        /// Priority in euro.
        priority: f32,
    },
}

/// One candidate's record.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CandidateFate {
    /// Which action.
    pub action: ActionIndex,
    /// At which placement.
    pub placement: PlacementIndex,
    /// What became of it.
    pub fate: Fate,
}

/// One candidate while the steps work on it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Which action.
    pub action: ActionIndex,
    /// At which placement.
    pub placement: PlacementIndex,
    /// Position of the treatment it would be said in: the cheapest that fits; `None` before arbitration.
    pub treatment: Option<u16>,
    /// The first reason against it.
    pub dropped: Option<Dropped>,
    /// Estimates, goal first, then the organisation's side outcomes; empty before propensity.
    pub predictions: Vec<Prediction>,
    /// The arithmetic of its priority; `None` before arbitration.
    pub priority: Option<crate::arbitration::Priority>,
    /// The open contact that asking again shows again.
    pub reuses: Option<Reuse>,
    /// Why selection passed it over.
    pub passed_over: Option<PassedOver>,
}

impl Candidate {
    /// A candidate about which nothing is known yet.
    pub fn new(action: ActionIndex, placement: PlacementIndex) -> Self {
        Self {
            action,
            placement,
            treatment: None,
            dropped: None,
            predictions: Vec::new(),
            priority: None,
            reuses: None,
            passed_over: None,
        }
    }
    /// Still in the running.
    pub fn alive(&self) -> bool {
        self.dropped.is_none()
    }
    /// Drops it, unless something else did before.
    pub fn drop_because(&mut self, why: Dropped) {
        self.dropped.get_or_insert(why);
    }
}

impl From<Refusal> for Dropped {
    fn from(refusal: Refusal) -> Self {
        Self::Rule { layer: refusal.layer, clause: refusal.clause, unknown: refusal.truth == Truth::Unknown }
    }
}

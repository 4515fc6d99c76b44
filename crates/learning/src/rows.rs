//! What happened, as far as learning is concerned? The rows of the journal the learner folds.
//!
//! Deliberately absent: how rows are stored, and whether they may be used: rows of a customer or
//! purpose without consent are masked by the caller before they come here.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::features::Features;

/// One slot of one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExposureId {
    /// The decision.
    pub decision: u128,
    /// The slot within it.
    pub slot: u16,
}

/// An outcome an exposure may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// What it counts as: `goal`, `complaint`, `opt_out`, …
    pub outcome: Arc<str>,
    /// The event that shows it.
    pub event: Arc<str>,
    /// The window after the exposure, in milliseconds, inclusive; more than 0.
    pub within_ms: i64,
}

/// A customer was, or deliberately was not, exposed to an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Learned once, however often the row is repeated.
    pub id: ExposureId,
    /// The customer, as a pseudonymous key.
    pub subject: u128,
    /// The purpose under which the features were read.
    pub purpose: Arc<str>,
    /// When it was displayed (or withheld), in milliseconds since the epoch.
    pub at_ms: i64,
    /// `issue/group/action`.
    pub action: Arc<str>,
    /// Over what it was said.
    pub channel: Arc<str>,
    /// `false`: silence or control group; teaches what happens without acting.
    pub acted: bool,
    /// What was known and permitted at the decision.
    pub features: Features,
    /// The outcomes to wait for.
    pub expected: Vec<Expected>,
}

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Row {
    /// An action was displayed, or withheld.
    Exposure(Exposure),
    /// Something happened that exposures may have waited for.
    Outcome {
        /// When it happened, in milliseconds since the epoch.
        at_ms: i64,
        /// The customer.
        subject: u128,
        /// What happened.
        event: Arc<str>,
        /// When given, that exposure is credited and no other is touched. Otherwise the last
        /// displayed open exposure of the subject that expects the event is credited, and the
        /// others stop: no positive, and no further negatives.
        exposure: Option<ExposureId>,
    },
    /// Consent ended: open exposures of the subject never train again.
    Withdrawal {
        /// When, in milliseconds since the epoch.
        at_ms: i64,
        /// The customer.
        subject: u128,
        /// Only exposures under this purpose; `None` means all of them.
        purpose: Option<Arc<str>>,
    },
}

impl Row {
    /// When the row's fact took place, in milliseconds since the epoch.
    #[must_use]
    pub fn at_ms(&self) -> i64 {
        match self {
            Self::Exposure(exposure) => exposure.at_ms,
            Self::Outcome { at_ms, .. } | Self::Withdrawal { at_ms, .. } => *at_ms,
        }
    }
}

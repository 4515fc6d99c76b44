//! What did a browser, a consent platform or an event's consent object say on the customer's behalf? Signals come with
//! every request; only what changes something becomes a statement.
//!
//! How a signal is read (a header, a JSON object, a string of bits) is the server's business.

use crate::{
    ConsentReport, Engine, EngineError, Evidence, Identifier, Verdict,
    storage::{Batch, Ticket},
};
use decision::{
    Timestamp,
    id::PurposeId,
    profile::{About, ConsentStatement, ConsentStatus},
};

/// What one signal says about one purpose.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// About which purpose.
    pub purpose: PurposeId,
    /// What it says.
    pub says: Said,
    /// What shows it.
    pub evidence: Evidence,
}

/// What a signal can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Yes.
    Yes,
    /// No: a withdrawal where there was a yes, else a refusal.
    No,
    /// An objection, unless consent was given expressly.
    Objects,
}

impl Engine {
    /// Takes in signals of one moment. What repeats what stands is not written again.
    ///
    /// # Errors
    /// The store fails.
    pub fn signals(
        &self,
        identifiers: &[Identifier],
        signals: &[Signal],
        said_at: Option<Timestamp>,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        let known = self.customer(identifiers)?;
        let statements = known.map_or_else(Vec::new, |state| state.customer.profile.consents);
        let mut taken = None;
        for signal in signals {
            let Some(status) = status(&statements, signal, at) else {
                continue;
            };
            let report = ConsentReport {
                at: said_at,
                evidence: Some(signal.evidence.clone()),
                ..ConsentReport::new(identifiers.to_vec(), About::Purpose(signal.purpose.clone()), status)
            };
            let (verdict, ticket) = self.consent(&report, input, at)?;
            if matches!(verdict, Verdict::Rejected { .. }) {
                return Ok((verdict, ticket));
            }
            taken = Some((verdict, ticket));
        }
        match taken {
            Some(taken) => Ok(taken),
            None => Ok((Verdict::Duplicate, self.store.commit(Batch::default())?)),
        }
    }
}

/// What a signal adds to what was said on all channels; `None` when that is nothing.
fn status(statements: &[ConsentStatement], signal: &Signal, at: Timestamp) -> Option<ConsentStatus> {
    let about = |found: &&ConsentStatement| {
        found.channel.is_none() && found.about == About::Purpose(signal.purpose.clone())
    };
    let latest = statements.iter().filter(about).max_by_key(|found| found.at);
    let status = latest.map(|found| found.status);
    let given = latest.is_some_and(|found| {
        found.status == ConsentStatus::Given && found.expires_at.is_none_or(|end| end > at)
    });
    match (signal.says, status) {
        (Said::Yes, _) => (!given).then_some(ConsentStatus::Given),
        (Said::No, Some(ConsentStatus::Refused | ConsentStatus::Withdrawn | ConsentStatus::Objected)) => None,
        (Said::No, Some(ConsentStatus::Given)) => Some(ConsentStatus::Withdrawn),
        (Said::No, _) => Some(ConsentStatus::Refused),
        (Said::Objects, Some(ConsentStatus::Objected)) => None,
        (Said::Objects, _) => (!given).then_some(ConsentStatus::Objected),
    }
}

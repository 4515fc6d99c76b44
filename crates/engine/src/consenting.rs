//! What does the customer allow? Statements are appended to a ledger and hold from the next decision on,
//! on every channel, also for learning.

use crate::{
    Engine, EngineError, Identifier, Verdict, codec,
    journal::Entry,
    storage::{Batch, Table, Ticket, Write, key},
};
use decision::{
    Duration, Timestamp,
    id::ChannelId,
    profile::{ConsentStatement, ConsentStatus},
};
use learning::Row;

/// How long a consent holds when it does not say so.
pub const CONSENT_HOLDS: Duration = Duration::from_hours(365 * 24);

/// One statement as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentReport {
    /// Who; somebody not known yet becomes known.
    pub identifiers: Vec<Identifier>,
    /// About which purpose.
    pub purpose: String,
    /// On which channel; `None` means all.
    pub channel: Option<ChannelId>,
    /// What was said.
    pub status: ConsentStatus,
    /// When it was said. When unknown: now, and after everything said before, whatever the clock says.
    pub at: Option<Timestamp>,
}

impl Engine {
    /// Takes in one statement that arrived at `at`. The next decision heeds it, durable or not.
    pub fn consent(
        &self,
        report: &ConsentReport,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let reject = |code, message: String| {
            let owner = self.find(&report.identifiers)?;
            self.keep_reject_of(owner, code, message, input.to_owned(), at)
        };
        let Some(purpose) = strategy.purpose_index(&report.purpose) else {
            let known: Vec<&str> = strategy.purposes.iter().map(|purpose| purpose.id.as_str()).collect();
            return reject("unknown_purpose", format!("the purposes here are `{}`", known.join("`, `")));
        };
        if let Some(channel) =
            report.channel.as_ref().filter(|channel| strategy.channel(channel.as_str()).is_none())
        {
            return reject("unknown_channel", format!("there is no channel `{channel}`"));
        }
        if report.at.is_some_and(|said| said > at) {
            return reject("in_the_future", "the statement lies in the future".into());
        }
        if report.identifiers.is_empty() {
            return reject("no_identifier", "a statement needs at least one identifier".into());
        }
        let _minting = self.lock_identifiers(&report.identifiers);
        let known = self.find_or_mint(&report.identifiers, at)?;
        let _guard = self.lock(known.id);
        let mut loaded = self.load(known.id)?;
        let purpose = strategy.purposes[usize::from(purpose)].id.clone();
        let given = report.status == ConsentStatus::Given;
        let statements = &mut loaded.customer.profile.consents;
        let newest = statements.last().map_or(at, |last| last.at.max(at));
        let said = report.at.unwrap_or(newest);
        let statement = ConsentStatement {
            purpose: purpose.clone(),
            channel: report.channel.clone(),
            status: report.status,
            at: said,
            expires_at: given.then(|| said.saturating_add(CONSENT_HOLDS).unwrap_or(Timestamp::MAX)),
        };
        let same = |known: &&ConsentStatement| {
            known.purpose == statement.purpose && known.channel == statement.channel
        };
        let repeats = match report.at {
            Some(_) => statements.contains(&statement),
            None => statements.iter().rfind(same) == Some(&statement),
        };
        if repeats {
            return Ok((Verdict::Duplicate, self.store.commit(Batch::default())?));
        }
        let mut batch = Batch { writes: known.writes, ..Batch::default() };
        batch.writes.push(ledger_entry(&statement, known.id, statements.len()));
        let position = statements.partition_point(|known| known.at <= said);
        statements.insert(position, statement);
        loaded.write_profile(&mut batch);
        if !given {
            let row = Row::Withdrawal {
                at_ms: said.as_millisecond(),
                subject: known.id.0,
                purpose: Some(purpose.shared()),
            };
            batch.journal.push(Entry::Learn(row).row(Some(known.id), at.as_millisecond()));
        }
        Ok((Verdict::Accepted, self.store.commit(batch)?))
    }
}

fn ledger_entry(statement: &ConsentStatement, customer: decision::id::CustomerId, number: usize) -> Write {
    let mut suffix = statement.at.as_millisecond().max(0).to_be_bytes().to_vec();
    suffix.extend((number as u64).to_be_bytes());
    Write::put(Table::Consent, key::customer_row(customer, &suffix), codec::encode(statement))
        .owned_by(customer)
}

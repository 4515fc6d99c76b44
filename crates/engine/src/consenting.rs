//! What does the customer allow? Statements are appended to a ledger and hold from the next decision on,
//! on every channel, also for learning.

use crate::{
    Engine, EngineError, Evidence, Identifier, Verdict,
    audit::{Kind, Note},
    customer::Loaded,
    journal::Entry,
    ledger::{self, LedgerEntry},
    reporting::remember,
    storage::{Batch, Ticket},
};
use decision::{
    Timestamp,
    id::{ChannelId, EventName},
    profile::{About, ConsentStatement, ConsentStatus},
    strategy::{Strategy, TextVersion, consented_event},
};
use learning::Row;
use std::sync::Arc;

/// One statement as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentReport {
    /// Who; somebody not known yet becomes known.
    pub identifiers: Vec<Identifier>,
    /// About what.
    pub about: About,
    /// On which channel; `None` means all.
    pub channel: Option<ChannelId>,
    /// What was said.
    pub status: ConsentStatus,
    /// Until when an objection to a topic holds; `None` is until it is lifted.
    pub until: Option<Timestamp>,
    /// The version of the purpose's texts that it was said to.
    pub text: Option<TextVersion>,
    /// What shows it.
    pub evidence: Option<Evidence>,
    /// When it was said. When unknown: now, and after everything said before, whatever the clock says.
    pub at: Option<Timestamp>,
}

impl ConsentReport {
    /// Said now, on every channel, without an end.
    pub fn new(identifiers: Vec<Identifier>, about: About, status: ConsentStatus) -> Self {
        Self { identifiers, about, channel: None, status, until: None, text: None, evidence: None, at: None }
    }
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
        if self.is_erased(&report.identifiers, report.at.unwrap_or(at)) {
            return self.refuse_erased(at);
        }
        if let Err((code, message)) = is_sayable(strategy, report) {
            return reject(code, message);
        }
        if let Some(channel) =
            report.channel.as_ref().filter(|channel| strategy.channel(channel.as_str()).is_none())
        {
            return reject("unknown_channel", format!("there is no channel `{channel}`"));
        }
        if report.at.is_some_and(|said| said > at) {
            return reject("in_the_future", "the statement lies in the future".into());
        }
        let subject = (&report.about, report.status);
        let text = match self.text_agreed_to(strategy, subject, report.text, report.at.is_none())? {
            Ok(text) => text,
            Err((code, message)) => return reject(code, message),
        };
        if report.identifiers.is_empty() {
            return reject("no_identifier", "a statement needs at least one identifier".into());
        }
        let _minting = self.lock_identifiers(&report.identifiers);
        let known = self.recognise(strategy, &report.identifiers, at)?;
        let (_guard, person) = self.hold(known.id)?;
        let mut loaded = self.load(person)?;
        let newest = loaded.seen().profile.consents.last().map_or(at, |last| last.at.max(at));
        let statements = &loaded.customer.profile.consents;
        let said = report.at.unwrap_or(newest);
        let statement = ConsentStatement {
            about: report.about.clone(),
            channel: report.channel.clone(),
            status: report.status,
            at: said,
            expires_at: match report.status {
                ConsentStatus::Given => Some(consent_ends(strategy, &report.about, said)),
                _ => report.until,
            },
        };
        let same =
            |known: &&ConsentStatement| known.about == statement.about && known.channel == statement.channel;
        let of_that_moment = self.said_at(known.id, said)?;
        let repeats = match report.at {
            Some(_) => {
                statements.contains(&statement)
                    || of_that_moment.iter().any(|entry| is_repeated(&entry.statement, &statement))
            }
            None => statements.iter().rfind(same) == Some(&statement),
        };
        if repeats {
            return Ok((Verdict::Duplicate, self.store.commit(Batch::default())?));
        }
        let mut batch = Batch { writes: known.writes, ..Batch::default() };
        let entry = LedgerEntry {
            statement: statement.clone(),
            received_at_ms: at.as_millisecond(),
            text,
            evidence: report.evidence.clone(),
        };
        let kept = ledger::entry(&entry, known.id, of_that_moment.len());
        loaded.customer.profile.says(statement);
        loaded.write_profile(&mut batch);
        if let (About::Purpose(purpose), ConsentStatus::Given) = (&report.about, report.status) {
            answered(strategy, &consented_event(purpose.as_str()), &mut loaded, &mut batch, said);
        }
        for purpose in unlearns(strategy, &report.about, report.status) {
            for part in loaded.person.ids() {
                let purpose = purpose.clone();
                let row = Row::Withdrawal { at_ms: said.as_millisecond(), subject: part.0, purpose };
                batch.journal.push(Entry::Learn(row).row(Some(known.id), at.as_millisecond()));
            }
        }
        let (kind, name) = report.about.named();
        let status = format!("{:?}", report.status).to_lowercase();
        let note = Note::new(Kind::Consent, format!("{kind} {} {status}", name.unwrap_or("-")))
            .of(known.id)
            .keeping(&kept);
        batch.writes.push(kept);
        Ok((Verdict::Accepted, self.commit_noted(batch, note, at)?))
    }
}

/// Kept statements know their moment to the millisecond.
fn is_repeated(kept: &ConsentStatement, said: &ConsentStatement) -> bool {
    (&kept.about, &kept.channel, kept.status) == (&said.about, &said.channel, said.status)
        && kept.at.as_millisecond() == said.at.as_millisecond()
}

/// Consent given is the goal of a question that asks for it.
fn answered(strategy: &Strategy, event: &EventName, loaded: &mut Loaded, batch: &mut Batch, at: Timestamp) {
    if !strategy.actions.iter().any(|action| strategy.goal_event(action) == *event) {
        return;
    }
    remember(&mut loaded.customer.history.outcomes, "goal", Some(event.as_str()), None, at);
    loaded.write_contacts(batch, at);
    let at_ms = at.as_millisecond();
    let subject = loaded.customer.id;
    let row = Row::Outcome { at_ms, subject: subject.0, event: event.shared(), exposure: None };
    batch.journal.push(Entry::Learn(row).row(Some(subject), at_ms));
}

/// Whether this strategy knows what the statement is about, and whether it can be said about that.
fn is_sayable(strategy: &Strategy, report: &ConsentReport) -> Result<(), (&'static str, String)> {
    match &report.about {
        About::Purpose(id) if strategy.purpose_index(id.as_str()).is_none() => {
            let known: Vec<&str> = strategy.purposes.iter().map(|purpose| purpose.id.as_str()).collect();
            return Err(("unknown_purpose", format!("the purposes here are `{}`", known.join("`, `"))));
        }
        About::Topic(topic) if !strategy.actions.iter().any(|action| action.id.within(topic.as_str())) => {
            return Err(("unknown_topic", "no issue, group or action has this name".into()));
        }
        About::Attribute(name) if strategy.attribute_index(name.as_str()).is_none() => {
            return Err(("unknown_attribute", "the inventory has no attribute of this name".into()));
        }
        _ => {}
    }
    if !report.status.fits(&report.about) {
        let message = match &report.about {
            About::Purpose(_) => "what is `restricted` is everything, not one purpose",
            About::Topic(_) | About::Attribute(_) => "one can say `objected` or `lifted` about this",
            About::Everything => "one can say `restricted` or `lifted` about everything",
        };
        return Err(("unfit_status", message.into()));
    }
    if let (About::Purpose(id), Some(channel)) = (&report.about, &report.channel)
        && let Some(index) = strategy.purpose_index(id.as_str())
    {
        let channels = &strategy.purposes[usize::from(index)].channels;
        if !channels.is_empty() && !channels.contains(channel) {
            return Err(("channel_not_covered", format!("`{id}` is not about this channel")));
        }
    }
    let may_end = matches!(report.about, About::Topic(_)) && report.status == ConsentStatus::Objected;
    if report.until.is_some() && !may_end {
        return Err(("unfit_until", "only an objection to a topic may have an end".into()));
    }
    Ok(())
}

/// What may no longer be learned from after this statement: exposures under these purposes, or all (`None`).
fn unlearns(strategy: &Strategy, about: &About, status: ConsentStatus) -> Vec<Option<Arc<str>>> {
    if matches!(status, ConsentStatus::Given | ConsentStatus::Lifted) {
        return Vec::new();
    }
    match about {
        About::Purpose(id) => vec![Some(id.shared())],
        About::Attribute(name) => {
            let index = strategy.attribute_index(name.as_str());
            let purposes = index.map(|index| &strategy.attributes[usize::from(index)].purposes);
            let purposes = purposes.into_iter().flatten();
            purposes.map(|purpose| Some(strategy.purposes[usize::from(*purpose)].id.shared())).collect()
        }
        About::Everything => vec![None],
        About::Topic(_) => Vec::new(),
    }
}

/// When a consent given at `said` ends.
fn consent_ends(strategy: &Strategy, about: &About, said: Timestamp) -> Timestamp {
    let index = match about {
        About::Purpose(id) => strategy.purpose_index(id.as_str()),
        _ => None,
    };
    let holds = index.map(|index| strategy.purposes[usize::from(index)].consent_holds);
    holds.and_then(|holds| said.saturating_add(holds).ok()).unwrap_or(Timestamp::MAX)
}

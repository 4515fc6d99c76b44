//! What came of it? Outcomes of a decision, reported by channels, possibly weeks late, twice, or out of order.
//!
//! A decision is not an impression: a contact counts, and its outcomes are awaited, from the report on
//! that its channel counts on. Each outcome of a slot counts once.

use crate::{
    Engine, EngineError, Verdict,
    customer::{HISTORY_MS, Loaded},
    deciding::{contact, pick},
    exposure::{exposure, subject},
    journal::Entry,
    reviewing::AskedWhy,
    storage::{Batch, Read, Table, Ticket, Write, key},
};
use decision::{
    Timestamp, consent,
    id::{ActionId, DecisionId},
    profile::{ContactState, Customer, Outcome},
    record::{Decision, Effect},
    strategy::{ContactReport, Strategy},
};
use learning::{ExposureId, Row};
use serde::{Deserialize, Serialize};

/// Outcomes that every channel may report, besides declared events.
pub const REPORTED: [&str; 7] =
    ["delivered", "displayed", "clicked", "accepted", "dismissed", "rejected", "disqualified"];

/// One outcome of one slot of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeReport {
    /// The decision.
    pub decision: DecisionId,
    /// The slot; 0 when the decision has one.
    pub slot: u16,
    /// One of [`REPORTED`], or an event declared in the strategy.
    pub outcome: String,
    /// When it happened; the moment of arrival when unknown.
    pub at: Option<Timestamp>,
}

impl Engine {
    /// Takes in one outcome that arrived at `at`. `input` is kept when it is rejected.
    ///
    /// The ticket resolves when it, or what it repeats, is durable.
    pub fn report(
        &self,
        report: &OutcomeReport,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        self.receive(report, input, at, true)
    }

    /// Takes in one outcome of a decision that does not teach: everything but learning hears of it.
    pub fn report_untaught(
        &self,
        report: &OutcomeReport,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        self.receive(report, input, at, false)
    }

    fn receive(
        &self,
        report: &OutcomeReport,
        input: &str,
        at: Timestamp,
        teaches: bool,
    ) -> Result<(Verdict, Ticket), EngineError> {
        let keep = |owner, code, message| self.keep_reject_of(owner, code, message, input.to_owned(), at);
        let Some((decision, slot)) = self.original(report.decision, report.slot)? else {
            return keep(None, "unknown_decision", "no decision has this id".into());
        };
        let reject = |code, message: String| keep(decision.customer, code, message);
        let published = self.strategy_at(decision.strategy)?;
        let strategy = &published.strategy;
        if !REPORTED.contains(&report.outcome.as_str()) && strategy.event(&report.outcome).is_none() {
            let known = REPORTED.join("`, `");
            return reject("unknown_outcome", format!("an outcome is `{known}` or a declared event"));
        }
        let Some(candidate) = pick(&decision, slot) else {
            return reject("nothing_said", "nothing was said in this slot".into());
        };
        let asks = |effect: &Effect| *effect == Effect::AskHuman { slot };
        if decision.effects.iter().any(asks) {
            let review = self.review(decision.id, slot, AskedWhy::LegalEffect)?;
            if !review.and_then(|review| review.settled).is_some_and(|settled| settled.approved) {
                return reject(
                    "awaits_human",
                    "no human has approved this yet, so it cannot have happened".into(),
                );
            }
        }
        let happened = report.at.unwrap_or(at).min(at);
        if happened < decision.at {
            return reject("before_decision", "the outcome lies before the decision".into());
        }
        let (_guard, person) = decision.customer.map(|id| self.hold(id)).transpose()?.unzip();
        let counted = Read::new(Table::Outcome, outcome_key(&decision, slot, &report.outcome));
        if self.store.get(std::slice::from_ref(&counted))?.remove(0).value().is_some() {
            return Ok((Verdict::Duplicate, self.store.commit(Batch::default())?));
        }
        let mut batch = Batch::default();
        let until = at.as_millisecond() + HISTORY_MS;
        let mut once = Write::put(Table::Outcome, counted.key, []).until(until);
        once.owner = decision.customer;
        batch.writes.push(once);
        let mut loaded = person.map(|person| self.load(person)).transpose()?;
        let happening = Happening { strategy, decision: &decision, slot, candidate, at: happened };
        if reaches_customer(strategy, &decision, &report.outcome)
            && self.first_for_nobody(&decision, slot, until, &mut batch)?
        {
            happening.count_contact(loaded.as_mut(), &mut batch);
        }
        happening.note(&report.outcome, loaded.as_mut(), &mut batch);
        if let Some(loaded) = &mut loaded {
            loaded.write_contacts(&mut batch, at);
        }
        if !teaches {
            batch.journal.clear();
        }
        Ok((Verdict::Accepted, self.store.commit(batch)?))
    }

    /// A customer's history says whether a contact counts already; for a decision about nobody a row does.
    fn first_for_nobody(
        &self,
        decision: &Decision,
        slot: u16,
        until: i64,
        batch: &mut Batch,
    ) -> Result<bool, EngineError> {
        if decision.customer.is_some() {
            return Ok(true);
        }
        let counted = Read::new(Table::Outcome, outcome_key(decision, slot, ""));
        let first = self.store.get(std::slice::from_ref(&counted))?.remove(0).value().is_none();
        batch.writes.push(Write::put(counted.table, counted.key, []).until(until));
        Ok(first)
    }

    /// The decision and slot that a contact belongs to: a contact shown again belongs to the first one.
    fn original(&self, id: DecisionId, slot: u16) -> Result<Option<(Decision, u16)>, EngineError> {
        let Some(decision) = self.decision(id)? else {
            return Ok(None);
        };
        let reuses = decision.slots.iter().find(|found| found.number == slot).and_then(|found| found.reuses);
        match reuses {
            Some(reuse) => self.original(reuse.decision, reuse.slot),
            None => Ok(Some((decision, slot))),
        }
    }
}

fn outcome_key(decision: &Decision, slot: u16, outcome: &str) -> Vec<u8> {
    let mut suffix = decision.id.0.to_be_bytes().to_vec();
    suffix.extend(slot.to_be_bytes());
    suffix.extend(outcome.as_bytes());
    match decision.customer {
        Some(id) => key::customer_row(id, &suffix),
        None => suffix,
    }
}

/// Whether this report makes the contact count: the channel's own report, or one that implies it.
fn reaches_customer(strategy: &Strategy, decision: &Decision, outcome: &str) -> bool {
    let channel = strategy.channel(decision.request.channel.as_str());
    let counts_on = channel.map_or(ContactReport::Displayed, |channel| channel.counts_on);
    match outcome {
        "delivered" => counts_on <= ContactReport::Delivered,
        "disqualified" => false,
        _ => true,
    }
}

/// One outcome while it is taken in.
struct Happening<'a> {
    strategy: &'a Strategy,
    decision: &'a Decision,
    slot: u16,
    candidate: u16,
    at: Timestamp,
}

impl Happening<'_> {
    /// Turns the reservation into a counted contact and starts waiting for outcomes; once only. Nothing is
    /// learned from it when something was said against the use of what was read.
    fn count_contact(&self, loaded: Option<&mut Loaded>, batch: &mut Batch) {
        let late = loaded.as_ref().is_some_and(|loaded| {
            let open = |contact: &&decision::profile::Contact| {
                self.is_mine(contact) && contact.takes_attention(self.at)
            };
            loaded.customer.history.contacts.iter().find(open).is_none()
        });
        let state = ContactState::Counted { late };
        let Some(mut counted) = contact(self.strategy, self.decision, self.slot, state) else {
            return;
        };
        counted.at = self.at;
        let mut may_learn = true;
        if let Some(loaded) = loaded {
            may_learn = self.may_learn(loaded.seen());
            let contacts = &mut loaded.customer.history.contacts;
            let already = contacts.iter().any(|contact| {
                self.is_mine(contact) && matches!(contact.state, ContactState::Counted { .. })
            });
            if already {
                return;
            }
            contacts.retain(|contact| !self.is_mine(contact));
            let position = contacts.partition_point(|contact| contact.at <= counted.at);
            contacts.insert(position, counted);
        }
        let at_ms = self.at.as_millisecond();
        let exposed = exposure(self.strategy, self.decision, self.slot, self.candidate, true, at_ms);
        if let Some(exposed) = exposed.filter(|_| may_learn) {
            batch.journal.push(Entry::Learn(Row::Exposure(exposed)).row(self.decision.customer, at_ms));
        }
    }

    fn may_learn(&self, customer: &Customer) -> bool {
        let action =
            &self.strategy.actions[usize::from(self.decision.fates[usize::from(self.candidate)].action)];
        let purpose = &self.strategy.purposes[usize::from(action.purpose)];
        let request = &self.decision.request;
        let statements = &customer.profile.consents;
        let gpc = request.global_privacy_control;
        consent::basis(purpose, statements, &request.channel, gpc, self.at).is_ok()
            && consent::may_learn(self.strategy, action.purpose, statements, self.decision.at)
    }

    fn is_mine(&self, contact: &decision::profile::Contact) -> bool {
        contact.decision == self.decision.id && contact.slot == self.slot
    }

    /// Remembers the outcome for later decisions and hands it to learning.
    fn note(&self, outcome: &str, loaded: Option<&mut Loaded>, batch: &mut Batch) {
        let action =
            &self.strategy.actions[usize::from(self.decision.fates[usize::from(self.candidate)].action)];
        if let Some(loaded) = loaded.filter(|_| !matches!(outcome, "delivered" | "displayed")) {
            let outcomes = &mut loaded.customer.history.outcomes;
            let id = Some(action.id.clone());
            remember(outcomes, outcome, None, id.clone(), self.at);
            if self.strategy.goal_event(action).as_str() == outcome {
                remember(outcomes, "goal", Some(outcome), id.clone(), self.at);
            }
            let meaning = self.strategy.event(outcome).and_then(|event| event.outcome.as_ref());
            if let Some(meaning) = meaning {
                remember(outcomes, meaning.as_str(), None, id, self.at);
            }
        }
        let row = Row::Outcome {
            at_ms: self.at.as_millisecond(),
            subject: subject(self.decision),
            event: outcome.into(),
            exposure: Some(ExposureId { decision: self.decision.id.0, slot: self.slot }),
        };
        batch.journal.push(Entry::Learn(row).row(self.decision.customer, self.at.as_millisecond()));
    }
}

/// Adds an outcome in order of time.
pub(crate) fn remember(
    outcomes: &mut Vec<Outcome>,
    outcome: &str,
    event: Option<&str>,
    action: Option<ActionId>,
    at: Timestamp,
) {
    let position = outcomes.partition_point(|known| known.at <= at);
    outcomes.insert(position, Outcome { outcome: outcome.into(), event: event.map(Into::into), action, at });
}

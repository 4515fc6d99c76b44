//! Load, decide, record, reserve: one ask from start to end.
//!
//! A customer's lock is held until the write is queued; the answer may leave when the ticket resolves.

use crate::{
    Answer, Engine, EngineError, Identifier, Published,
    audit::Note,
    control::Place,
    customer::{HISTORY_MS, Loaded},
    exposure::exposure,
    journal::Entry,
    storage::{Batch, Read, Table, Ticket, Write, key},
};
use decision::{
    Timestamp, decide,
    id::{CustomerId, DecisionId},
    inputs::{Adjustment, Assignment, Inputs},
    profile::{Contact, ContactState},
    record::{Decision, Effect},
    request::Request,
    strategy::{ContactReport, Strategy},
};
use learning::{Predictor, Row};
use std::sync::Arc;

/// One question to the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Who, as far as the channel knows; nobody known by these gives a contextual decision.
    pub identifiers: Vec<Identifier>,
    /// What is asked, checked against the strategy.
    pub request: Request,
    /// Factors changed by hand; heeded only in a dry run.
    pub adjustments: Vec<Adjustment>,
}

/// On whose behalf a question is worked on.
struct Asking<'a> {
    /// Models learn from what comes of it.
    teaches: bool,
    /// Whether somebody still waits for the answer.
    wanted: &'a dyn Fn() -> bool,
}

/// What was decided.
pub struct Decided {
    /// The record.
    pub decision: Decision,
    /// What the channel says.
    pub answer: Answer,
    /// The strategy that decided.
    pub published: Arc<Published>,
    /// Resolves when the record is durable; `None` for a dry run. Answer nobody before.
    pub ticket: Option<Ticket>,
}

impl Engine {
    /// Decides at a moment with a seed. The record is queued and its contact reserved, unless it is a dry run.
    pub fn decide(&self, ask: &Ask, at: Timestamp, seed: u64) -> Result<Decided, EngineError> {
        self.decide_with(ask, &*self.model(), None, at, seed)
    }

    /// Decides like [`Engine::decide`], unless nobody waits for the answer any more when it is about to be
    /// recorded: then nothing is recorded or reserved, and the answer is `None`. No model learns from it unless it
    /// `teaches`.
    pub fn decide_while(
        &self,
        ask: &Ask,
        at: Timestamp,
        seed: u64,
        teaches: bool,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Decided>, EngineError> {
        self.work_out(ask, (&*self.model(), None), at, seed, Asking { teaches, wanted })
    }

    /// Decides with another predictor or control assignment than the engine's own, for simulated worlds.
    pub fn decide_with(
        &self,
        ask: &Ask,
        predictor: &dyn Predictor,
        assignment: Option<Assignment>,
        at: Timestamp,
        seed: u64,
    ) -> Result<Decided, EngineError> {
        let decided = self.work_out(
            ask,
            (predictor, assignment),
            at,
            seed,
            Asking { teaches: true, wanted: &|| true },
        )?;
        Ok(decided.expect("an answer that is wanted to the end is given"))
    }

    fn work_out(
        &self,
        ask: &Ask,
        (predictor, assignment): (&dyn Predictor, Option<Assignment>),
        at: Timestamp,
        seed: u64,
        asking: Asking<'_>,
    ) -> Result<Option<Decided>, EngineError> {
        let (_guard, person) = self.find_and_hold(&ask.identifiers)?.unzip();
        let mut loaded = person.map(|person| self.load(person)).transpose()?;
        loop {
            let place = match (&loaded, assignment) {
                (Some(loaded), None) => self.place(&self.published().strategy, &loaded.person, at)?,
                (_, given) => Place { assignment: given.unwrap_or_default(), ..Place::default() },
            };
            let published = self.published().deciding(&place);
            let strategy = &published.strategy;
            let volumes = self.remaining_volumes();
            let inputs = Inputs {
                customer: loaded.as_ref().map(Loaded::seen),
                household: loaded.as_ref().and_then(|loaded| loaded.household.as_ref()),
                quotas: &volumes,
                predictor,
                assignment: place.assignment,
                experiments: &place.experiments,
                recorded_worth: None,
                adjustments: if ask.request.dry_run { &ask.adjustments } else { &[] },
            };
            let worked = decide::work_out(strategy, &inputs, &ask.request, at, seed);
            let answer = Answer::of(strategy, &ask.request, &worked);
            let decision = worked.decision;
            if ask.request.dry_run {
                return Ok(Some(Decided { decision, answer, published: published.clone(), ticket: None }));
            }
            if !(asking.wanted)() {
                return Ok(None);
            }
            let mut batch = Batch { writes: place.first_time, ..Batch::default() };
            let Some(taken) = self.take_volumes(strategy, &decision, &mut batch) else {
                continue;
            };
            let note = self.write_record(strategy, &decision, loaded.as_mut(), &mut batch)?;
            if !asking.teaches {
                batch.journal.clear();
            }
            let ticket = Some(self.commit_noted(batch, note, decision.at)?);
            taken.keep();
            return Ok(Some(Decided { decision, answer, published: published.clone(), ticket }));
        }
    }

    fn write_record(
        &self,
        strategy: &Strategy,
        decision: &Decision,
        loaded: Option<&mut Loaded>,
        batch: &mut Batch,
    ) -> Result<Note, EngineError> {
        let until = decision.at.as_millisecond() + HISTORY_MS;
        let encoded = decision.encode();
        let note = self.decision_note(decision.id, decision.customer, &encoded);
        let mut record = Write::put(Table::Record, decision.id.0.to_be_bytes(), encoded).until(until);
        if let Some(id) = decision.customer {
            record = record.owned_by(id);
            let index = key::customer_row(id, &decision.id.0.to_be_bytes());
            batch.writes.push(Write::put(Table::DecisionIndex, index, []).owned_by(id).until(until));
        }
        batch.writes.push(record);
        let parts = loaded.as_ref().map(|loaded| loaded.person.ids().collect::<Vec<_>>());
        self.ask_human(strategy, decision, &parts.unwrap_or_default(), batch)?;
        let counted_at_once = counts_when_decided(strategy, decision);
        if let Some(loaded) = loaded {
            let contacts = reserved(strategy, decision, counted_at_once);
            if !contacts.is_empty() {
                loaded.customer.history.contacts.extend(contacts);
                loaded.write_contacts(batch, decision.at);
            }
        }
        for effect in &decision.effects {
            let (slot, candidate, acted) = match *effect {
                Effect::Reserve { slot, .. } if counted_at_once => (slot, pick(decision, slot), true),
                Effect::ObserveSilence { slot, candidate } => (slot, Some(candidate), false),
                _ => continue,
            };
            let at_ms = decision.at.as_millisecond();
            let exposed =
                candidate.and_then(|candidate| exposure(strategy, decision, slot, candidate, acted, at_ms));
            let entry = exposed.map(|exposed| Entry::Learn(Row::Exposure(exposed)));
            batch.journal.extend(entry.map(|entry| entry.row(decision.customer, at_ms)));
        }
        Ok(note)
    }

    /// A decision by id; `None` when there is none, or its customer has been erased.
    pub fn decision(&self, id: decision::id::DecisionId) -> Result<Option<Decision>, EngineError> {
        let row = self.store.get(&[Read::new(Table::Record, id.0.to_be_bytes())])?.remove(0);
        Ok(row.value().map(Decision::decode).transpose()?)
    }

    /// A person's decisions, oldest first, at most `limit`.
    pub fn decisions_of(&self, customer: CustomerId, limit: usize) -> Result<Vec<Decision>, EngineError> {
        self.decisions_after(customer, None, limit)
    }

    /// A person's decisions, oldest first, at most `limit`, that come after one.
    pub fn decisions_after(
        &self,
        customer: CustomerId,
        after: Option<DecisionId>,
        limit: usize,
    ) -> Result<Vec<Decision>, EngineError> {
        let mut ids = Vec::new();
        for part in self.parts(customer)? {
            let prefix = key::customer(part);
            let after = after.map(|id| key::customer_row(part, &id.0.to_be_bytes()));
            let rows = self.store.scan(Table::DecisionIndex, &prefix, after.as_deref(), limit)?;
            ids.extend(rows.into_iter().map(|(key, _)| key[prefix.len()..].to_vec()));
        }
        ids.sort_unstable();
        ids.truncate(limit);
        let reads: Vec<Read> = ids.into_iter().map(|id| Read::new(Table::Record, id)).collect();
        let records = self.store.get(&reads)?;
        records.iter().filter_map(|row| row.value()).map(|bytes| Ok(Decision::decode(bytes)?)).collect()
    }
}

fn counts_when_decided(strategy: &Strategy, decision: &Decision) -> bool {
    let channel = strategy.channel(decision.request.channel.as_str());
    channel.is_some_and(|channel| channel.counts_on == ContactReport::Decided)
}

/// The candidate picked in a slot.
pub(crate) fn pick(decision: &Decision, slot: u16) -> Option<u16> {
    decision.slots.iter().find(|found| found.number == slot)?.pick
}

/// The contact of a slot's pick, in the given state.
pub(crate) fn contact(
    strategy: &Strategy,
    decision: &Decision,
    slot: u16,
    state: ContactState,
) -> Option<Contact> {
    let fate = decision.fates.get(usize::from(pick(decision, slot)?))?;
    Some(Contact {
        decision: decision.id,
        slot,
        action: strategy.actions.get(usize::from(fate.action))?.id.clone(),
        channel: decision.request.channel.clone(),
        placement: strategy.placements.get(usize::from(fate.placement))?.id.clone(),
        direction: decision.request.direction,
        at: decision.at,
        state,
    })
}

fn reserved(strategy: &Strategy, decision: &Decision, counted_at_once: bool) -> Vec<Contact> {
    let state = |until| match counted_at_once {
        true => ContactState::Counted { late: false },
        false => ContactState::Reserved { until },
    };
    decision
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Reserve { slot, until } => contact(strategy, decision, *slot, state(*until)),
            _ => None,
        })
        .collect()
}

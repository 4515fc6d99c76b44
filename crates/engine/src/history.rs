//! What was said before we decided? Contacts that somebody else really made, and what came of them.
//!
//! They count for the contact policy and teach like any other. Whatever chose them is mostly unknown: then
//! their probability is recorded as unknown, and they support no claim about what a policy is worth. After
//! a randomised test it is known, and kept with the contact.

mod silence;

pub use silence::PastSilence;

use crate::{
    Engine, EngineError, Identifier, Verdict, codec,
    customer::{HISTORY_MS, Loaded},
    exposure::expected,
    journal::Entry,
    reporting::remember,
    storage::{Batch, Read, Table, Ticket, Write, key},
};
use decision::{
    Timestamp,
    consent::{self, Known},
    id::{ActionId, ChannelId, CustomerId, DecisionId, EventName},
    profile::{Attributes, Contact, ContactState},
    propensity::{self, GOAL},
    request::Request,
    strategy::{Action, Strategy},
};
use learning::{Arm, Exposure, ExposureId, Features, Row};
use serde::{Deserialize, Serialize};

/// One contact that was really made, without a decision of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct PastContact {
    /// The sender's id of the contact; the same id counts once per customer.
    pub id: String,
    /// Who was contacted; at least one. Somebody not known yet becomes known.
    pub identifiers: Vec<Identifier>,
    /// What was said.
    pub action: ActionId,
    /// Channel, direction, place (the first one counts) and the declared values of that moment.
    pub request: Request,
    /// When.
    pub at: Timestamp,
    /// With which probability it was chosen, above 0 and at most 1; `None` is unknown.
    pub probability: Option<f32>,
}

/// What came of a [`PastContact`].
#[derive(Debug, Clone, PartialEq)]
pub struct PastOutcome {
    /// The id of the contact.
    pub contact: String,
    /// Who.
    pub identifiers: Vec<Identifier>,
    /// A declared event; it counts once per contact.
    pub outcome: EventName,
    /// When it happened.
    pub at: Timestamp,
}

/// A past contact as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PastRow {
    decision: DecisionId,
    action: ActionId,
    at_ms: i64,
    /// With which probability it was chosen; `None` is unknown.
    probability: Option<f32>,
}

/// One action, seen with a customer's eyes at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// What a model may see: what was known before the moment and is permitted for the action's purpose.
    pub features: Features,
    action: ActionId,
    channel: ChannelId,
}

impl Outlook {
    /// The question to put to a [`learning::Predictor`]: the action's goal.
    pub fn arm(&self) -> Arm<'_> {
        Arm { action: self.action.as_str(), channel: self.channel.as_str(), outcome: GOAL }
    }
}

impl Engine {
    /// What a model may see of a customer to say how likely an action's goal is at `at`, whether or not
    /// the action may be said. `None`: the customer or the action is not known, or the purpose has no basis.
    pub fn outlook(
        &self,
        identifiers: &[Identifier],
        action: &ActionId,
        request: &Request,
        at: Timestamp,
    ) -> Result<Option<Outlook>, EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let known = self.find(identifiers)?.zip(strategy.action_index(action.as_str()));
        let Some((customer, index)) = known else {
            return Ok(None);
        };
        let loaded = self.load(self.person(customer)?)?;
        let action = &strategy.actions[usize::from(index)];
        let features = features_then(strategy, action, &loaded, request, at);
        let (action, channel) = (action.id.clone(), request.channel.clone());
        Ok(features.map(|features| Outlook { features, action, channel }))
    }

    /// Takes in one contact that was really made, and reported at `at`. `input` is kept when it is rejected.
    ///
    /// Report contacts and events in order of time: what became known at or after the contact is not
    /// taken for known then, but a value that it replaced is no longer there.
    pub fn record_contact(
        &self,
        contact: &PastContact,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let reject = |code, message: String| self.keep_reject(code, message, input.to_owned(), at);
        if self.is_erased(&contact.identifiers, contact.at) {
            return self.refuse_erased(at);
        }
        if contact.identifiers.is_empty() {
            return reject("no_identifier", "a contact needs at least one identifier".into());
        }
        let Some(index) = strategy.action_index(contact.action.as_str()) else {
            return reject("unknown_action", format!("there is no action `{}`", contact.action));
        };
        let channel = contact.request.channel.as_str();
        if strategy.channel(channel).is_none() || contact.request.placements.is_empty() {
            return reject("unknown_channel", "a contact needs a declared channel and a place".into());
        }
        if contact.at > at {
            return reject("in_the_future", "the contact lies in the future".into());
        }
        if !contact.probability.is_none_or(is_probability) {
            return reject("no_probability", "a probability lies above 0 and is at most 1".into());
        }
        let _minting = self.lock_identifiers(&contact.identifiers);
        let known = self.recognise(strategy, &contact.identifiers, at)?;
        let (_guard, person) = self.hold(known.id)?;
        let kept = contact_row(known.id, &contact.id);
        if self.row_exists(&kept)? {
            return Ok((Verdict::Duplicate, self.store.commit(Batch::default())?));
        }
        let action = &strategy.actions[usize::from(index)];
        let decision = self.past_decision(known.id, &contact.id, contact.at);
        let mut batch = Batch { writes: known.writes, ..Batch::default() };
        let row = PastRow {
            decision,
            action: action.id.clone(),
            at_ms: contact.at.as_millisecond(),
            probability: contact.probability,
        };
        batch.writes.push(
            Write::put(kept.table, kept.key, codec::encode(&row))
                .owned_by(known.id)
                .until(at.as_millisecond() + HISTORY_MS),
        );
        let mut loaded = self.load(person)?;
        let moment =
            Moment { id: exposure_id(decision), request: &contact.request, at: contact.at, acted: true };
        if let Some(exposure) = exposure_then(strategy, action, &loaded, moment) {
            let entry = Entry::Learn(Row::Exposure(exposure));
            batch.journal.push(entry.row(Some(known.id), at.as_millisecond()));
        }
        let contacts = &mut loaded.customer.history.contacts;
        let position = contacts.partition_point(|known| known.at <= contact.at);
        contacts.insert(position, counted(contact, decision));
        loaded.write_contacts(&mut batch, at);
        Ok((Verdict::Accepted, self.store.commit(batch)?))
    }

    /// Takes in what came of a contact, reported at `at`: it credits that contact and no other. `input`
    /// is kept when it is rejected.
    pub fn record_outcome(
        &self,
        outcome: &PastOutcome,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let reject = |code, message: String| self.keep_reject(code, message, input.to_owned(), at);
        if self.is_erased(&outcome.identifiers, outcome.at) {
            return self.refuse_erased(at);
        }
        if strategy.event(outcome.outcome.as_str()).is_none() {
            return reject(
                "unknown_event",
                format!("event `{}` is not declared in the inventory", outcome.outcome),
            );
        }
        let Some(customer) = self.find(&outcome.identifiers)? else {
            return reject("unknown_contact", "nobody is known by these identifiers".into());
        };
        let (_guard, person) = self.hold(customer)?;
        let kept = self.store.get(&[contact_row(customer, &outcome.contact)])?.remove(0);
        let Some(bytes) = kept.value() else {
            return reject("unknown_contact", "this customer had no such contact".into());
        };
        let past: PastRow = codec::decode("past contact", bytes)?;
        if outcome.at.as_millisecond() < past.at_ms {
            return reject("before_contact", "the outcome lies before the contact".into());
        }
        if outcome.at > at {
            return reject("in_the_future", "the outcome lies in the future".into());
        }
        let counted = outcome_row(customer, &past, &outcome.outcome);
        if self.row_exists(&counted)? {
            return Ok((Verdict::Duplicate, self.store.commit(Batch::default())?));
        }
        let mut batch = Batch::default();
        batch.writes.push(
            Write::put(counted.table, counted.key, [])
                .owned_by(customer)
                .until(at.as_millisecond() + HISTORY_MS),
        );
        let mut loaded = self.load(person)?;
        note(strategy, &past, outcome, &mut loaded);
        loaded.write_contacts(&mut batch, at);
        let row = Row::Outcome {
            at_ms: outcome.at.as_millisecond(),
            subject: customer.0,
            event: outcome.outcome.shared(),
            exposure: Some(exposure_id(past.decision)),
        };
        batch.journal.push(Entry::Learn(row).row(Some(customer), at.as_millisecond()));
        Ok((Verdict::Accepted, self.store.commit(batch)?))
    }

    /// With which probability a contact, or a silence, was chosen, by the sender's id. `None`: there is no
    /// such contact, or nobody knows.
    pub fn recorded_probability(
        &self,
        identifiers: &[Identifier],
        id: &str,
    ) -> Result<Option<f32>, EngineError> {
        let Some(customer) = self.find(identifiers)? else {
            return Ok(None);
        };
        let rows = self.store.get(&[contact_row(customer, id)])?;
        let row = rows[0].value().map(|bytes| codec::decode::<PastRow>("past contact", bytes)).transpose()?;
        Ok(row.and_then(|row| row.probability))
    }

    fn row_exists(&self, read: &Read) -> Result<bool, EngineError> {
        let rows = self.store.get(std::slice::from_ref(read))?;
        Ok(rows[0].value().is_some())
    }

    /// Stands in for the decision that is not ours; sorts by moment like one.
    fn past_decision(&self, customer: CustomerId, id: &str, at: Timestamp) -> DecisionId {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(b"past contact");
        hasher.update(&customer.0.to_be_bytes());
        hasher.update(id.as_bytes());
        let mut tail = [0; 16];
        tail[6..].copy_from_slice(&hasher.finalize().as_bytes()[..10]);
        let at_ms = at.as_millisecond().max(0).cast_unsigned() & 0xFFFF_FFFF_FFFF;
        DecisionId(u128::from(at_ms) << 80 | u128::from_be_bytes(tail))
    }
}

fn contact_row(customer: CustomerId, id: &str) -> Read {
    let hash = blake3::hash(&[b"contact", id.as_bytes()].concat());
    Read::new(Table::Event, key::customer_row(customer, &hash.as_bytes()[..16]))
}

fn outcome_row(customer: CustomerId, past: &PastRow, outcome: &EventName) -> Read {
    let mut suffix = past.decision.0.to_be_bytes().to_vec();
    suffix.extend(0u16.to_be_bytes());
    suffix.extend(outcome.as_str().as_bytes());
    Read::new(Table::Outcome, key::customer_row(customer, &suffix))
}

fn exposure_id(decision: DecisionId) -> ExposureId {
    ExposureId { decision: decision.0, slot: 0 }
}

fn counted(contact: &PastContact, decision: DecisionId) -> Contact {
    Contact {
        decision,
        slot: 0,
        action: contact.action.clone(),
        channel: contact.request.channel.clone(),
        placement: contact.request.placements[0].placement.clone(),
        direction: contact.request.direction,
        at: contact.at,
        state: ContactState::Counted { late: false },
    }
}

/// What a model may see at `at`; `None` when the action's purpose has no basis then.
fn features_then(
    strategy: &Strategy,
    action: &Action,
    loaded: &Loaded,
    request: &Request,
    at: Timestamp,
) -> Option<Features> {
    let mut customer = loaded.seen().clone();
    keep_known_before(&mut customer.profile.attributes, at);
    let mut household = loaded.household.clone();
    if let Some(household) = &mut household {
        keep_known_before(household, at);
    }
    let known = Known { customer: Some(&customer), household: household.as_ref() };
    let mut in_play = vec![false; strategy.purposes.len()];
    in_play[usize::from(action.purpose)] = true;
    let permitted = consent::mask(strategy, known, request, &in_play, at);
    permitted
        .view(action.purpose)
        .is_ok()
        .then(|| propensity::features(strategy, &permitted, action.purpose, request, at))
}

fn keep_known_before(attributes: &mut Attributes, at: Timestamp) {
    attributes.retain(|_, value| value.observed_at < at);
}

/// What was, or deliberately was not, said at a moment.
struct Moment<'a> {
    id: ExposureId,
    request: &'a Request,
    at: Timestamp,
    acted: bool,
}

fn exposure_then(
    strategy: &Strategy,
    action: &Action,
    loaded: &Loaded,
    moment: Moment<'_>,
) -> Option<Exposure> {
    Some(Exposure {
        id: moment.id,
        subject: loaded.customer.id.0,
        purpose: strategy.purposes[usize::from(action.purpose)].id.shared(),
        at_ms: moment.at.as_millisecond(),
        action: action.id.shared(),
        channel: moment.request.channel.shared(),
        acted: moment.acted,
        features: features_then(strategy, action, loaded, moment.request, moment.at)?,
        expected: expected(strategy, action),
    })
}

fn is_probability(value: f32) -> bool {
    value > 0.0 && value <= 1.0
}

fn note(strategy: &Strategy, past: &PastRow, outcome: &PastOutcome, loaded: &mut Loaded) {
    let outcomes = &mut loaded.customer.history.outcomes;
    let event = outcome.outcome.as_str();
    let about = || Some(past.action.clone());
    remember(outcomes, event, None, about(), outcome.at);
    let goal = strategy
        .action_index(past.action.as_str())
        .map(|index| strategy.goal_event(&strategy.actions[usize::from(index)]));
    if goal.as_ref() == Some(&outcome.outcome) {
        remember(outcomes, GOAL, Some(event), about(), outcome.at);
    }
    let meaning = strategy.event(event).and_then(|event| event.outcome.as_ref());
    if let Some(meaning) = meaning {
        remember(outcomes, meaning.as_str(), None, about(), outcome.at);
    }
}

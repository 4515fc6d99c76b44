//! What can a customer take along, and bring in again elsewhere? What they gave and what was observed of them, as
//! plain facts; what was derived about them stays out, for it is worked out anew.
//!
//! Access is [`Engine::state`] with [`Engine::decisions_after`]; a correction is an event whose source is the
//! customer; objections and restriction are statements like consent.

use crate::{
    Engine, EngineError, Identifier,
    audit::{Kind, Note},
    ingest::{set, typed},
    storage::{Batch, Ticket},
};
use decision::{
    Timestamp,
    id::{ActionId, AttributeName, ChannelId, CustomerId, PlacementId},
    profile::{ConsentStatement, Contact, ContactState, Outcome, Source},
    request::Direction,
    strategy::Subject,
    value::Value,
};
use serde::{Deserialize, Serialize};

/// One thing that a customer may take along.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Portable {
    /// A fact that the customer gave or that was observed.
    Fact {
        /// The attribute.
        attribute: AttributeName,
        /// Its value.
        value: Value,
        /// Where it came from.
        source: Source,
        /// When it was true, in milliseconds since 1970 UTC.
        at_ms: i64,
    },
    /// A statement about what may be done.
    Statement(ConsentStatement),
    /// A contact that took attention.
    Contact {
        /// The decision behind it.
        decision: String,
        /// The slot of it.
        slot: u16,
        /// What was said.
        action: ActionId,
        /// On which channel.
        channel: ChannelId,
        /// In which place.
        placement: PlacementId,
        /// Who started.
        direction: Direction,
        /// When, in milliseconds since 1970 UTC.
        at_ms: i64,
    },
    /// Something that happened after a contact or without one.
    Outcome(Outcome),
}

impl Engine {
    /// What a person may take along at a moment, in the order facts, statements, contacts, outcomes.
    pub fn portable(&self, customer: CustomerId, at: Timestamp) -> Result<Vec<Portable>, EngineError> {
        let known = self.state(customer)?.at(at).customer;
        let facts = known.profile.attributes.into_iter().filter_map(|(attribute, value)| {
            let theirs = matches!(value.source, Source::Provided | Source::Observed);
            let at_ms = value.observed_at.as_millisecond();
            theirs.then_some(Portable::Fact { attribute, value: value.value, source: value.source, at_ms })
        });
        let counted = |contact: &Contact| matches!(contact.state, ContactState::Counted { .. });
        let contacts = known.history.contacts.into_iter().filter(counted).map(carried);
        Ok(facts
            .chain(known.profile.consents.into_iter().map(Portable::Statement))
            .chain(contacts)
            .chain(known.history.outcomes.into_iter().map(Portable::Outcome))
            .collect())
    }

    /// Takes in what a customer brings along, as if it had come in here. What is known already is not doubled; what
    /// the inventory does not declare is dropped and counted by name. Nothing is learned from it.
    pub fn bring_in(
        &self,
        identifiers: &[Identifier],
        brought: &[Portable],
        at: Timestamp,
    ) -> Result<(CustomerId, Ticket), EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let _minting = self.lock_identifiers(identifiers);
        let known = self.recognise(strategy, identifiers, at)?;
        let (_guard, person) = self.hold(known.id)?;
        let mut loaded = self.load(person)?;
        let mut batch = Batch { writes: known.writes, ..Batch::default() };
        let (profile, history) = (&mut loaded.customer.profile, &mut loaded.customer.history);
        for one in brought {
            match one.clone() {
                Portable::Fact { attribute, value, source, at_ms } => {
                    let index = strategy.attribute_index(attribute.as_str());
                    let declared = index.map(|index| &strategy.attributes[usize::from(index)]);
                    let declared = declared.filter(|declared| declared.subject == Subject::Customer);
                    let fits = declared.filter(|declared| !declared.means_unknown(&value));
                    match fits.and_then(|declared| Some((declared, typed(declared, value)?))) {
                        Some((declared, value)) => {
                            let then = Timestamp::from_millisecond(at_ms).unwrap_or(at).min(at);
                            set(&mut profile.attributes, declared, value, source, then);
                        }
                        None => self.count_dropped(attribute.as_str()),
                    }
                }
                Portable::Statement(statement) => {
                    if statement.at <= at {
                        profile.says(statement);
                    }
                }
                Portable::Contact { decision, slot, action, channel, placement, direction, at_ms } => {
                    let Ok(decision) = decision.parse() else { continue };
                    let at = Timestamp::from_millisecond(at_ms).unwrap_or(at).min(at);
                    let state = ContactState::Counted { late: false };
                    let contact =
                        Contact { decision, slot, action, channel, placement, direction, at, state };
                    let is_known = history
                        .contacts
                        .iter()
                        .any(|known| (known.decision, known.slot) == (contact.decision, contact.slot));
                    if !is_known {
                        let position = history.contacts.partition_point(|known| known.at <= contact.at);
                        history.contacts.insert(position, contact);
                    }
                }
                Portable::Outcome(outcome) => {
                    if outcome.at <= at && !history.outcomes.contains(&outcome) {
                        let position = history.outcomes.partition_point(|known| known.at <= outcome.at);
                        history.outcomes.insert(position, outcome);
                    }
                }
            }
        }
        loaded.write_profile(&mut batch);
        loaded.write_contacts(&mut batch, at);
        let note = Note::new(Kind::Right, "portability: brought in").of(known.id);
        Ok((known.id, self.commit_noted(batch, note, at)?))
    }

    /// Notes in the audit chain that a customer used a right; `right` says which, without personal data.
    pub fn note_right(
        &self,
        customer: CustomerId,
        right: &str,
        at: Timestamp,
    ) -> Result<Ticket, EngineError> {
        self.commit_noted(Batch::default(), Note::new(Kind::Right, right).of(customer), at)
    }

    /// Whether these identifiers lead to somebody who is identified as a person, and not only by a device.
    pub fn is_identified(&self, identifiers: &[Identifier]) -> Result<bool, EngineError> {
        let Some(id) = self.find(identifiers)? else {
            return Ok(false);
        };
        Ok(!self.is_anonymous(&self.person(id)?))
    }
}

fn carried(contact: Contact) -> Portable {
    Portable::Contact {
        decision: contact.decision.to_string(),
        slot: contact.slot,
        action: contact.action,
        channel: contact.channel,
        placement: contact.placement,
        direction: contact.direction,
        at_ms: contact.at.as_millisecond(),
    }
}

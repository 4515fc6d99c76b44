//! What waits for a human? Actions with a legal effect, which never run by themselves, and decisions that a customer
//! contests. Whoever decides says so with a name and a reason, and that is kept.

use crate::{
    Engine, EngineError,
    audit::{Kind, Note},
    codec,
    customer::HISTORY_MS,
    storage::{self, Batch, Read, Table, Ticket, Write},
};
use decision::{
    Timestamp,
    id::{ActionId, CustomerId, DecisionId},
    record::{Decision, Effect},
    strategy::Strategy,
};
use serde::{Deserialize, Serialize};

/// Why a human is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedWhy {
    /// The action has a legal effect.
    LegalEffect,
    /// The customer contests the decision.
    Contested,
}

/// One question to a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Why.
    pub why: AskedWhy,
    /// About which decision.
    pub decision: DecisionId,
    /// About which slot of it.
    pub slot: u16,
    /// What would be, or was, said or done; `None` when nothing was.
    pub action: Option<ActionId>,
    /// About whom.
    pub customer: Option<CustomerId>,
    /// When it was asked, in milliseconds since 1970 UTC.
    pub asked_at_ms: i64,
    /// What the customer says; empty when nobody said anything.
    pub words: String,
    /// What a human decided; `None` while it waits.
    pub settled: Option<Settled>,
}

/// What a human decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// A legal effect may happen; a contested decision is taken back.
    pub approved: bool,
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, in milliseconds since 1970 UTC.
    pub at_ms: i64,
}

impl Review {
    fn key(&self) -> Vec<u8> {
        key(self.decision, self.slot, self.why)
    }

    fn write(&self) -> Write {
        let until = self.asked_at_ms + HISTORY_MS;
        let write = Write::put(Table::Review, self.key(), codec::encode(self)).until(until);
        match self.customer {
            Some(customer) => write.owned_by(customer),
            None => write,
        }
    }
}

fn key(decision: DecisionId, slot: u16, why: AskedWhy) -> Vec<u8> {
    let why = match why {
        AskedWhy::LegalEffect => 0,
        AskedWhy::Contested => 1,
    };
    [&decision.0.to_be_bytes()[..], &slot.to_be_bytes(), &[why]].concat()
}

/// Why a decision cannot be contested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotContested {
    /// There is no such decision about the customer.
    #[error("there is no such decision about you")]
    NoDecision,
    /// The decision has no such slot.
    #[error("the decision has no such slot")]
    NoSlot,
    /// Something was chosen in several slots.
    #[error("this decision chose several things; say with `slot` which one you mean")]
    WhichSlot,
}

impl NotContested {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoDecision => "unknown_decision",
            Self::NoSlot => "unknown_slot",
            Self::WhichSlot => "which_slot",
        }
    }
}

impl Engine {
    /// Puts what a decision may not do by itself into the queue, unless the same is asked there about the person
    /// already. `parts` are the customers of the person.
    pub(crate) fn ask_human(
        &self,
        strategy: &Strategy,
        decision: &Decision,
        parts: &[CustomerId],
        batch: &mut Batch,
    ) -> Result<(), EngineError> {
        for effect in &decision.effects {
            let Effect::AskHuman { slot } = *effect else { continue };
            let action = action(strategy, decision, slot);
            let keys = parts.iter().zip(&action).map(|(part, action)| asked_key(*part, action));
            if self.is_asked(keys)? {
                continue;
            }
            let until = decision.at.as_millisecond() + HISTORY_MS;
            batch.writes.extend(decision.customer.zip(action.as_ref()).map(|(customer, action)| {
                let asked = codec::encode(&(decision.id, slot));
                Write::put(Table::Asked, asked_key(customer, action), asked).owned_by(customer).until(until)
            }));
            let review = Review {
                why: AskedWhy::LegalEffect,
                decision: decision.id,
                slot,
                action,
                customer: decision.customer,
                asked_at_ms: decision.at.as_millisecond(),
                words: String::new(),
                settled: None,
            };
            batch.writes.push(review.write());
        }
        Ok(())
    }

    fn is_asked(&self, keys: impl Iterator<Item = Vec<u8>>) -> Result<bool, EngineError> {
        let reads: Vec<Read> = keys.map(|key| Read::new(Table::Asked, key)).collect();
        for row in self.store.get(&reads)? {
            let Some(bytes) = row.value() else { continue };
            let (decision, slot): (DecisionId, u16) = codec::decode("asked", bytes)?;
            let review = self.review(decision, slot, AskedWhy::LegalEffect)?;
            if review.is_some_and(|review| review.settled.is_none()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A customer contests what one of their decisions chose in a slot, the only choice when `None`: a human looks at
    /// it. Contesting again replaces the words while nobody has decided.
    pub fn contest(
        &self,
        customer: CustomerId,
        (decision, slot): (DecisionId, Option<u16>),
        words: &str,
        at: Timestamp,
    ) -> Result<Result<Ticket, NotContested>, EngineError> {
        let Some(decision) = self.decision(decision)? else {
            return Ok(Err(NotContested::NoDecision));
        };
        let owner =
            decision.customer.filter(|owner| self.parts(customer).is_ok_and(|parts| parts.contains(owner)));
        let Some(owner) = owner else {
            return Ok(Err(NotContested::NoDecision));
        };
        let slot = match contested_slot(&decision, slot) {
            Ok(slot) => slot,
            Err(refused) => return Ok(Err(refused)),
        };
        let published = self.strategy_at(decision.strategy)?;
        let review = Review {
            why: AskedWhy::Contested,
            decision: decision.id,
            slot,
            action: action(&published.strategy, &decision, slot),
            customer: Some(owner),
            asked_at_ms: at.as_millisecond(),
            words: words.to_owned(),
            settled: None,
        };
        let known = self.review(decision.id, slot, AskedWhy::Contested)?;
        if known.is_some_and(|known| known.settled.is_some()) {
            return Ok(Ok(self.store.commit(Batch::default())?));
        }
        let note = Note::new(Kind::Right, format!("contest {}", decision.id)).of(owner);
        let batch = Batch { writes: vec![review.write()], ..Batch::default() };
        self.commit_noted(batch, note, at).map(Ok)
    }

    /// Everything that humans were asked about a decision.
    pub fn reviews_of(&self, decision: DecisionId) -> Result<Vec<Review>, EngineError> {
        let rows = self.store.scan(Table::Review, &decision.0.to_be_bytes(), None, usize::MAX)?;
        rows.iter().map(|(_, bytes)| codec::decode("review", bytes)).collect()
    }

    /// What a human was asked about a slot of a decision.
    pub fn review(
        &self,
        decision: DecisionId,
        slot: u16,
        why: AskedWhy,
    ) -> Result<Option<Review>, EngineError> {
        let row = self.store.get(&[Read::new(Table::Review, key(decision, slot, why))])?.remove(0);
        row.value().map(|bytes| codec::decode("review", bytes)).transpose()
    }

    /// What humans were asked, oldest first, at most `limit`, after one; those settled too.
    pub fn reviews(
        &self,
        after: Option<(DecisionId, u16, AskedWhy)>,
        limit: usize,
    ) -> Result<Vec<Review>, EngineError> {
        let after = after.map(|(decision, slot, why)| key(decision, slot, why));
        let rows = self.store.scan(Table::Review, &[], after.as_deref(), limit)?;
        rows.iter().map(|(_, bytes)| codec::decode("review", bytes)).collect()
    }

    /// A human decides, with the key `by`. `None`: nothing was asked; `Some(None)`: somebody decided before.
    pub fn settle(
        &self,
        (decision, slot, why): (DecisionId, u16, AskedWhy),
        settled: Settled,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<Option<(Review, Ticket)>>, EngineError> {
        let read = Read::new(Table::Review, key(decision, slot, why));
        let row = self.store.get(std::slice::from_ref(&read))?.remove(0);
        let Some(bytes) = row.value() else {
            return Ok(None);
        };
        let review: Review = codec::decode("review", bytes)?;
        if review.settled.is_some() {
            return Ok(Some(None));
        }
        let verdict = if settled.approved { "approved" } else { "refused" };
        let mut note = Note::new(Kind::Review, format!("{verdict} {decision}")).by(by);
        if let Some(customer) = review.customer {
            note = note.of(customer);
        }
        let review = Review { settled: Some(settled), ..review };
        let writes = vec![review.write().expecting(row.version())];
        let ticket = self.commit_noted(Batch { writes, ..Batch::default() }, note, at)?;
        Ok(Some(Some((review, ticket))))
    }
}

/// The slot that is meant: the one named, else the only one in which something was chosen, else the first.
fn contested_slot(decision: &Decision, named: Option<u16>) -> Result<u16, NotContested> {
    let slots = decision.slots.iter();
    if let Some(named) = named {
        let found = slots.map(|slot| slot.number).find(|number| *number == named);
        return found.ok_or(NotContested::NoSlot);
    }
    let mut chosen = slots.filter(|slot| slot.pick.is_some()).map(|slot| slot.number);
    match (chosen.next(), chosen.next()) {
        (Some(_), Some(_)) => Err(NotContested::WhichSlot),
        (Some(only), None) => Ok(only),
        (None, _) => decision.slots.first().map(|slot| slot.number).ok_or(NotContested::NoSlot),
    }
}

fn asked_key(customer: CustomerId, action: &ActionId) -> Vec<u8> {
    let hash = blake3::hash(action.as_str().as_bytes());
    storage::key::customer_row(customer, &hash.as_bytes()[..16])
}

fn action(strategy: &Strategy, decision: &Decision, slot: u16) -> Option<ActionId> {
    let pick = crate::deciding::pick(decision, slot)?;
    let fate = decision.fates.get(usize::from(pick))?;
    Some(strategy.actions.get(usize::from(fate.action))?.id.clone())
}

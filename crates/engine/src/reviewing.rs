//! What waits for a human? Actions with a legal effect, which never run by themselves, and decisions that a customer
//! contests. Whoever decides says so with a name and a reason, and that is kept.

use crate::{
    Engine, EngineError,
    audit::{Kind, Note},
    codec,
    customer::HISTORY_MS,
    storage::{Batch, Read, Table, Ticket, Write},
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

impl Engine {
    /// Puts what a decision may not do by itself into the queue.
    pub(crate) fn ask_human(strategy: &Strategy, decision: &Decision, batch: &mut Batch) {
        for effect in &decision.effects {
            let Effect::AskHuman { slot } = *effect else { continue };
            let review = Review {
                why: AskedWhy::LegalEffect,
                decision: decision.id,
                slot,
                action: action(strategy, decision, slot),
                customer: decision.customer,
                asked_at_ms: decision.at.as_millisecond(),
                words: String::new(),
                settled: None,
            };
            batch.writes.push(review.write());
        }
    }

    /// A customer contests one of their decisions: a human looks at it. `false` when it is no decision about them.
    /// Contesting again replaces the words while nobody has decided.
    pub fn contest(
        &self,
        customer: CustomerId,
        decision: DecisionId,
        words: &str,
        at: Timestamp,
    ) -> Result<Option<Ticket>, EngineError> {
        let Some(decision) = self.decision(decision)? else {
            return Ok(None);
        };
        let owner =
            decision.customer.filter(|owner| self.parts(customer).is_ok_and(|parts| parts.contains(owner)));
        let Some(owner) = owner else {
            return Ok(None);
        };
        let published = self.strategy_at(decision.strategy)?;
        let review = Review {
            why: AskedWhy::Contested,
            decision: decision.id,
            slot: 0,
            action: action(&published.strategy, &decision, 0),
            customer: Some(owner),
            asked_at_ms: at.as_millisecond(),
            words: words.to_owned(),
            settled: None,
        };
        let known = self.review(decision.id, 0, AskedWhy::Contested)?;
        if known.is_some_and(|known| known.settled.is_some()) {
            return Ok(Some(self.store.commit(Batch::default())?));
        }
        let note = Note::new(Kind::Right, format!("contest {}", decision.id)).of(owner);
        let batch = Batch { writes: vec![review.write()], ..Batch::default() };
        self.commit_noted(batch, note, at).map(Some)
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

fn action(strategy: &Strategy, decision: &Decision, slot: u16) -> Option<ActionId> {
    let pick = crate::deciding::pick(decision, slot)?;
    let fate = decision.fates.get(usize::from(pick))?;
    Some(strategy.actions.get(usize::from(fate.action))?.id.clone())
}

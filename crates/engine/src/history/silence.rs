//! When was it deliberately left silent before we decided? The silent share of a randomised test teaches what
//! happens anyway; nothing was said, so it takes no attention.

use super::{Moment, PastRow, contact_row, exposure_then, is_probability};
use crate::{
    Engine, EngineError, Identifier, Verdict, codec,
    customer::HISTORY_MS,
    journal::Entry,
    storage::{Batch, Ticket, Write},
};
use decision::{Timestamp, id::ActionId, request::Request};
use learning::{ExposureId, Row};

/// One moment at which nothing was said on purpose, without a decision of ours.
///
/// What follows is an event like any other: it teaches all that was withheld.
#[derive(Debug, Clone, PartialEq)]
pub struct PastSilence {
    /// The sender's id; the same id counts once per customer, together with contacts.
    pub id: String,
    /// Who was left alone; at least one. Somebody not known yet becomes known.
    pub identifiers: Vec<Identifier>,
    /// What would have been said otherwise; at least one.
    pub withheld: Vec<ActionId>,
    /// Channel, direction, place and the declared values of that moment.
    pub request: Request,
    /// When.
    pub at: Timestamp,
    /// With which probability silence was chosen, above 0 and at most 1; `None` is unknown.
    pub probability: Option<f32>,
}

impl Engine {
    /// Takes in one deliberate silence, reported at `at`. `input` is kept when it is rejected.
    ///
    /// Report silences, contacts and events in order of time, as with [`Engine::record_contact`].
    pub fn record_silence(
        &self,
        silence: &PastSilence,
        input: &str,
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        let published = self.published();
        let strategy = &published.strategy;
        let reject = |code, message: String| self.keep_reject(code, message, input.to_owned(), at);
        if self.is_erased(&silence.identifiers, silence.at) {
            return self.refuse_erased(at);
        }
        let action = |id: &ActionId| strategy.action_index(id.as_str());
        let withheld: Option<Vec<_>> = silence.withheld.iter().map(action).collect();
        let Some(withheld) = withheld.filter(|withheld| !withheld.is_empty()) else {
            return reject("unknown_action", "a silence withholds actions that the strategy has".into());
        };
        if silence.identifiers.is_empty() {
            return reject("no_identifier", "a silence needs at least one identifier".into());
        }
        if strategy.channel(silence.request.channel.as_str()).is_none() {
            return reject("unknown_channel", "a silence needs a declared channel".into());
        }
        if silence.at > at {
            return reject("in_the_future", "the silence lies in the future".into());
        }
        if !silence.probability.is_none_or(is_probability) {
            return reject("no_probability", "a probability lies above 0 and is at most 1".into());
        }
        let _minting = self.lock_identifiers(&silence.identifiers);
        let known = self.recognise(strategy, &silence.identifiers, at)?;
        let (_guard, person) = self.hold(known.id)?;
        let kept = contact_row(known.id, &silence.id);
        if self.row_exists(&kept)? {
            return Ok((Verdict::Duplicate, self.store.commit(Batch::default())?));
        }
        let decision = self.past_decision(known.id, &silence.id, silence.at);
        let row = PastRow {
            decision,
            action: silence.withheld[0].clone(),
            at_ms: silence.at.as_millisecond(),
            probability: silence.probability,
        };
        let mut batch = Batch { writes: known.writes, ..Batch::default() };
        batch.writes.push(
            Write::put(kept.table, kept.key, codec::encode(&row))
                .owned_by(known.id)
                .until(at.as_millisecond() + HISTORY_MS),
        );
        let loaded = self.load(person)?;
        for (slot, index) in (0u16..).zip(withheld) {
            let action = &strategy.actions[usize::from(index)];
            let id = ExposureId { decision: decision.0, slot };
            let moment = Moment { id, request: &silence.request, at: silence.at, acted: false };
            if let Some(exposure) = exposure_then(strategy, action, &loaded, moment) {
                let entry = Entry::Learn(Row::Exposure(exposure));
                batch.journal.push(entry.row(Some(known.id), at.as_millisecond()));
            }
        }
        Ok((Verdict::Accepted, self.store.commit(batch)?))
    }
}

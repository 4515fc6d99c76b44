//! Would the same inputs give the same decision again? Every kept decision can be made once more from
//! its own trace, and its estimates from the model it names.

use crate::{
    Engine, EngineError,
    storage::{StoreError, Table, key},
};
use decision::{
    id::DecisionId,
    record::Decision,
    replay::{replay, replay_deep},
};

/// Rows read at once.
const PAGE: usize = 1024;

/// What a replay compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// The record, byte for byte, and its estimates from the kept model, bit for bit.
    Deep,
    /// The record, byte for byte; the model is no longer kept.
    Record,
}

/// A decision that could not be made again.
#[derive(Debug)]
pub struct ReplayFailure {
    /// Which decision.
    pub decision: DecisionId,
    /// Why.
    pub why: String,
}

impl Engine {
    /// Replays one decision; `None` when there is none, or its customer has been erased.
    pub fn replay(&self, id: DecisionId) -> Result<Option<Result<Replayed, ReplayFailure>>, EngineError> {
        Ok(self.decision(id)?.map(|decision| self.replay_record(&decision)))
    }

    /// Replays every kept decision, oldest first; `each` hears of every one. Records that cannot be read
    /// are failures, not errors.
    pub fn replay_all(
        &self,
        each: &mut dyn FnMut(DecisionId, &Result<Replayed, ReplayFailure>),
    ) -> Result<(), EngineError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = match self.store.scan(Table::Record, &[], after.as_deref(), PAGE) {
                Err(StoreError::Damaged { .. }) => return self.replay_one_by_one(after, each),
                page => page?,
            };
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for (key, bytes) in &page {
                let id = DecisionId(u128::from_be_bytes(key.as_slice().try_into().unwrap_or_default()));
                let replayed = match Decision::decode(bytes) {
                    Ok(decision) if decision.id == id => self.replay_record(&decision),
                    Ok(_) => Err(failure(id, "the record names another decision")),
                    Err(error) => Err(failure(id, error)),
                };
                each(id, &replayed);
            }
        }
    }

    /// Finds the damaged records by asking for each on its own. Ids come from the customers' own lists,
    /// in their order, so that a damaged decision about nobody is not named.
    fn replay_one_by_one(
        &self,
        beyond: Option<Vec<u8>>,
        each: &mut dyn FnMut(DecisionId, &Result<Replayed, ReplayFailure>),
    ) -> Result<(), EngineError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.store.scan(Table::DecisionIndex, &[], after.as_deref(), PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            let ids = page.iter().map(|(key, _)| &key[key::CUSTOMER_BYTES..]);
            for id in ids.filter(|id| beyond.as_ref().is_none_or(|beyond| *id > &beyond[..])) {
                let id = DecisionId(u128::from_be_bytes(id.try_into().unwrap_or_default()));
                let replayed = match self.decision(id) {
                    Ok(Some(decision)) => self.replay_record(&decision),
                    Ok(None) => continue,
                    Err(error) => Err(failure(id, error)),
                };
                each(id, &replayed);
            }
        }
    }

    fn replay_record(&self, decision: &Decision) -> Result<Replayed, ReplayFailure> {
        let published = self.strategy_at(decision.strategy).map_err(|error| failure(decision.id, error))?;
        let model = self.model_at(decision.model).map_err(|error| failure(decision.id, error))?;
        match model {
            Some(model) => replay_deep(&published.strategy, decision, &*model)
                .map(|_| Replayed::Deep)
                .map_err(|error| failure(decision.id, error)),
            None => replay(&published.strategy, decision)
                .map(|_| Replayed::Record)
                .map_err(|error| failure(decision.id, error)),
        }
    }
}

fn failure(decision: DecisionId, why: impl ToString) -> ReplayFailure {
    ReplayFailure { decision, why: why.to_string() }
}

//! How often may a limited action still be said? What is left is kept in memory and written with every
//! decision that takes from it.
//!
//! Taking and queueing the write happen under one lock, so that what is left is written in the order it was
//! taken; a commit that is refused takes nothing.

use crate::{
    Engine, EngineError, Published, codec,
    storage::{Batch, Read, Table, Write},
};
use decision::{
    id::ActionId,
    record::{Decision, Effect},
    strategy::Strategy,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, MutexGuard, PoisonError},
};

/// How often each limited action may still be said.
type Volumes = BTreeMap<ActionId, u64>;

/// What a decision takes, while nobody else can take anything; dropped, it takes nothing.
pub(crate) struct Taken<'a>(Option<(MutexGuard<'a, Volumes>, Vec<ActionId>)>);

impl Taken<'_> {
    /// The decision is queued: what it uses is gone.
    pub fn keep(self) {
        if let Some((mut volumes, used)) = self.0 {
            for action in &used {
                if let Some(left) = volumes.get_mut(action) {
                    *left -= 1;
                }
            }
        }
    }
}

impl Engine {
    /// Remaining volume of limited actions.
    pub(crate) fn remaining_volumes(&self) -> Volumes {
        self.volumes().clone()
    }

    /// Puts what will be left into the batch; `None` when somebody else was first, or the strategy has been
    /// replaced, and it must be decided again.
    pub(crate) fn take_volumes(
        &self,
        strategy: &Strategy,
        decision: &Decision,
        batch: &mut Batch,
    ) -> Option<Taken<'_>> {
        let limited = decision.effects.iter().filter_map(|effect| match effect {
            Effect::UseVolume { action } => Some(strategy.actions[usize::from(*action)].id.clone()),
            _ => None,
        });
        let used: Vec<ActionId> = limited.collect();
        if used.is_empty() {
            return Some(Taken(None));
        }
        let volumes = self.volumes();
        for action in &used {
            let left = volumes.get(action)?.checked_sub(1)?;
            batch.writes.push(Write::put(Table::Quota, action.as_str(), codec::encode(&left)));
        }
        Some(Taken(Some((volumes, used))))
    }

    /// Lets a strategy decide from now on, with what is left of its limited actions; an action seen for the
    /// first time has its whole volume.
    pub(crate) fn publish_with_volumes(&self, published: Arc<Published>) -> Result<(), EngineError> {
        let mut volumes = self.volumes();
        let mut now = Volumes::new();
        for action in published.with_variants().flat_map(|strategy| &strategy.actions) {
            let Some(volume) = action.volume else {
                continue;
            };
            let row = self.store.get(&[Read::new(Table::Quota, action.id.as_str())])?.remove(0);
            let left = row.value().map_or(Ok(volume), |bytes| codec::decode("quota", bytes))?;
            now.insert(action.id.clone(), left.min(volume));
        }
        self.published.store(published);
        *volumes = now;
        Ok(())
    }

    fn volumes(&self) -> MutexGuard<'_, Volumes> {
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What does learning fold over? One ordered journal of what was shown, what happened and what may no
//! longer be used, with the moments at which a model was published.

use crate::{EngineError, codec, customer::HISTORY_MS, storage::JournalRow};
use decision::id::CustomerId;
use learning::{ModelVersion, Row};
use serde::{Deserialize, Serialize};

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// Something to learn from.
    Learn(Row),
    /// A model was published: after entry `through`, credit was brought up to `at_ms`.
    Published { through: u64, at_ms: i64, model: ModelVersion },
}

impl Entry {
    pub fn decode(bytes: &[u8]) -> Result<Self, EngineError> {
        codec::decode("journal", bytes)
    }

    pub fn row(&self, owner: Option<CustomerId>, at_ms: i64) -> JournalRow {
        JournalRow { owner, value: codec::encode(self), expires_at_ms: Some(at_ms + HISTORY_MS) }
    }
}

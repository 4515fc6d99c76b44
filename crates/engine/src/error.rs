//! Why the engine could not do what was asked. Bad input is not an error here: it becomes a verdict.

use crate::storage::StoreError;
use decision::{record::RecordError, strategy::Problem};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row cannot be read back.
    #[error("a {what} row is damaged; restore it from a backup")]
    Damaged {
        /// Kind of row.
        what: &'static str,
    },
    /// A row comes from a newer version of the program.
    #[error("a {what} row has format {version}, newer than this program; use the newer version")]
    Newer {
        /// Kind of row.
        what: &'static str,
        /// Its format.
        version: u8,
    },
    /// A record cannot be read back.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The strategy does not check.
    #[error("the strategy has {} problems; `attent check` lists them", .0.len())]
    Strategy(Vec<Problem>),
    /// A decision names a strategy version that is not kept.
    #[error("strategy version `{0}` is not kept in this store")]
    UnknownStrategy(String),
    /// Identifiers that should lead to one person lead to more.
    #[error("these identifiers lead to more than one person; name one person at a time")]
    SeveralPersons,
    /// The vault knows of fewer erasures than the data.
    #[error(
        "the list of erasures beside the master key has {count} lines, and this data knows of {done}; put back the newest list"
    )]
    ErasuresMissing {
        /// Erasures that the data knows of.
        done: u64,
        /// Lines in the list.
        count: u64,
    },
    /// A decision names a model that is damaged.
    #[error("model `{0}` is damaged")]
    Model(String),
}

impl EngineError {
    /// Whether something in the store cannot be read back, rather than not be reached.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Store(StoreError::Damaged { .. }))
    }
}

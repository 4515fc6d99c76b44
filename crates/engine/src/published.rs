//! Which strategy decides, and which one decided then? Every published version is kept as its files.

use crate::{
    Engine, EngineError, codec,
    storage::{Read, Table},
};
use decision::strategy::{Files, Strategy, StrategyVersion, load, test_case::DecisionTest};
use std::sync::{Arc, PoisonError};

/// One strategy, compiled, with its own tests.
pub struct Published {
    /// What decides.
    pub strategy: Strategy,
    /// The strategy's decision tests.
    pub tests: Vec<DecisionTest>,
}

impl Published {
    /// Compiles files; [`EngineError::Strategy`] lists all problems.
    pub fn load(files: &Files) -> Result<Self, EngineError> {
        let loaded = load(files).map_err(EngineError::Strategy)?;
        Ok(Self {
            strategy: loaded.strategy,
            tests: loaded.tests,
        })
    }
}

/// Where the files of a version are kept.
pub(crate) fn meta_key(version: StrategyVersion) -> Vec<u8> {
    format!("strategy/{version}").into_bytes()
}

impl Engine {
    /// A version that was published at some time.
    pub fn strategy_at(&self, version: StrategyVersion) -> Result<Arc<Published>, EngineError> {
        let current = self.published();
        if current.strategy.version == version {
            return Ok(current);
        }
        let kept = || {
            self.kept_strategies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(found) = kept().get(&version) {
            return Ok(found.clone());
        }
        let row = self
            .store
            .get(&[Read::new(Table::Meta, meta_key(version))])?
            .remove(0);
        let bytes = row
            .value()
            .ok_or_else(|| EngineError::UnknownStrategy(version.to_string()))?;
        let files = Files(codec::decode("strategy", bytes)?);
        if files.version() != version {
            return Err(EngineError::UnknownStrategy(version.to_string()));
        }
        let published = Arc::new(Published::load(&files)?);
        kept().insert(version, published.clone());
        Ok(published)
    }
}

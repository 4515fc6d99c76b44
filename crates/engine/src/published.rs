//! Which strategy decides, and which one decided then? Every published version is kept as its files.

use crate::{
    Engine, EngineError, codec,
    storage::{Read, Store, Table},
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
        Ok(Self { strategy: loaded.strategy, tests: loaded.tests })
    }
}

/// Where the version that was published last is kept.
pub(crate) const LAST: &str = "strategy_published";

/// The files of the strategy that was published last in a store; `None` when there was none yet.
pub fn last_published(store: &dyn Store) -> Result<Option<Files>, EngineError> {
    let row = store.get(&[Read::new(Table::Meta, LAST)])?.remove(0);
    let Some(bytes) = row.value() else {
        return Ok(None);
    };
    kept_files(store, codec::decode("strategy", bytes)?).map(Some)
}

fn kept_files(store: &dyn Store, version: StrategyVersion) -> Result<Files, EngineError> {
    let unknown = || EngineError::UnknownStrategy(version.to_string());
    let row = store.get(&[Read::new(Table::Meta, meta_key(version))])?.remove(0);
    let files = Files(codec::decode("strategy", row.value().ok_or_else(unknown)?)?);
    if files.version() == version { Ok(files) } else { Err(unknown()) }
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
        let kept = || self.kept_strategies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept().get(&version) {
            return Ok(found.clone());
        }
        let files = kept_files(&*self.store, version)?;
        let published = Arc::new(Published::load(&files)?);
        kept().insert(version, published.clone());
        Ok(published)
    }
}

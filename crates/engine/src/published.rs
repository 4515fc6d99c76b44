//! Which strategy decides, and which one decided then? Every published version is kept as its files.

use crate::{
    Engine, EngineError, codec,
    control::Place,
    storage::{Batch, Read, Store, Table, Write},
};
use decision::{
    experiment::Enrolled,
    inputs::Assignment,
    strategy::{Files, Strategy, StrategyVersion, Variant, load, load_kept, test_case::DecisionTest},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

/// One strategy, compiled, with its own tests.
pub struct Published {
    /// What decides.
    pub strategy: Strategy,
    /// The strategy's decision tests.
    pub tests: Vec<DecisionTest>,
    /// Its variants, by name.
    pub variants: BTreeMap<String, Arc<Published>>,
    /// The files; empty when they are kept already.
    files: Files,
}

impl Published {
    /// Compiles files; [`EngineError::Strategy`] lists all problems.
    pub fn load(files: &Files) -> Result<Self, EngineError> {
        let loaded = load(files).map_err(EngineError::Strategy)?;
        let variant = |(name, variant): (String, Variant)| {
            let Variant { files, strategy } = variant;
            (name, Arc::new(Self { strategy, tests: Vec::new(), variants: BTreeMap::new(), files }))
        };
        let variants = loaded.variants.into_iter().map(variant).collect();
        Ok(Self { strategy: loaded.strategy, tests: loaded.tests, variants, files: files.clone() })
    }

    fn load_kept(files: &Files) -> Result<Self, EngineError> {
        let loaded = load_kept(files).map_err(EngineError::Strategy)?;
        let (strategy, tests) = (loaded.strategy, loaded.tests);
        Ok(Self { strategy, tests, variants: BTreeMap::new(), files: Files::default() })
    }

    /// This strategy and its variants.
    pub(crate) fn with_variants(&self) -> impl Iterator<Item = &Strategy> {
        std::iter::once(&self.strategy).chain(self.variants.values().map(|variant| &variant.strategy))
    }

    /// The strategy that decides for a customer with this place: the present one or a variant.
    pub(crate) fn deciding(self: &Arc<Self>, place: &Place) -> Arc<Self> {
        let strategy = &self.strategy;
        let today = strategy.organisation.control.today.as_ref();
        let of_arm = |enrolled: &Enrolled| {
            let arm = &strategy.experiments[usize::from(enrolled.experiment)].arms[usize::from(enrolled.arm)];
            arm.variant.as_ref()
        };
        let name = match place.assignment {
            Assignment::Today => today,
            _ => place.experiments.iter().find_map(of_arm),
        };
        name.and_then(|name| self.variants.get(name)).unwrap_or(self).clone()
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

/// Whether the files of a version, as text, are kept and make that version.
pub(crate) fn is_kept(store: &dyn Store, version: &str) -> Result<bool, EngineError> {
    let row = store.get(&[Read::new(Table::Meta, format!("strategy/{version}"))])?.remove(0);
    let files = row.value().and_then(|bytes| codec::decode("strategy", bytes).ok()).map(Files);
    Ok(files.is_some_and(|files| files.version().to_string() == version))
}

/// Where the files of a version are kept.
pub(crate) fn meta_key(version: StrategyVersion) -> Vec<u8> {
    format!("strategy/{version}").into_bytes()
}

impl Engine {
    /// Keeps the files of a strategy and its variants, so that whatever they decide can be replayed.
    pub(crate) fn keep_strategy(&self, published: &Published) -> Result<(), EngineError> {
        let kept = |of: &Published| {
            Write::put(Table::Meta, meta_key(of.strategy.version), codec::encode(&of.files.0))
        };
        let mut writes: Vec<Write> = published.variants.values().map(|variant| kept(variant)).collect();
        writes.push(kept(published));
        writes.push(Write::put(Table::Meta, LAST, codec::encode(&published.strategy.version)));
        let version = published.strategy.version;
        let before = last_published(&*self.store).ok().flatten().map(|files| files.version());
        self.store.commit(Batch { writes, ..Batch::default() })?.wait()?;
        if before != Some(version) {
            self.chains.publish(version);
        }
        self.keep_texts(published)
    }

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
        let published = Arc::new(Published::load_kept(&files)?);
        kept().insert(version, published.clone());
        Ok(published)
    }
}

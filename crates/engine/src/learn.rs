//! What do we learn from the journal, and which model decides? One learner folds the journal; its
//! snapshots are published as a whole, and a rebuild of the same journal gives the same bytes.
//!
//! A withdrawal stops open exposures at once; what was already learned from a withdrawn purpose goes
//! with the next [`Engine::rebuild`].

use crate::{
    Engine, EngineError, codec,
    journal::Entry,
    shelf,
    storage::{Batch, Read, Store, Table, Write},
};
use arc_swap::ArcSwap;
use decision::{Timestamp, propensity::GOAL, strategy::Strategy};
use learning::{Config, Exposure, Learner, ModelVersion, Predictor, Prior, Row, Snapshot, Stage};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

const PAGE: usize = 4096;
const CHECKPOINT: &[u8] = b"learner";
const LEARNER: &str = "learner";
const MODEL: &str = "model";
const MODELS: &str = "models";
/// Base rate of a goal before anything is known about it.
const GOAL_PRIOR: f64 = 0.05;
/// How long a published model is kept for deep replay, in milliseconds.
const MODEL_KEPT_MS: i64 = 7 * 86_400_000;
/// How much the models kept may take together, in bytes, and how many they may be; the oldest give way.
const MODELS_BYTES_MAX: u64 = 1 << 30;
const MODELS_MAX: usize = 2_500;

/// The learner's state between two calls.
#[derive(Clone, Serialize, Deserialize)]
struct Fold {
    through: u64,
    learner: Learner,
}

pub(crate) struct Learning {
    fold: Mutex<Fold>,
    model: ArcSwap<Snapshot>,
    /// The model last read back: decisions in order of time mostly share it.
    read_back: Mutex<Option<Arc<Snapshot>>>,
    /// Why what had been learned was folded again when the store was opened.
    damage: Option<EngineError>,
}

/// What one call learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    /// Journal entries folded in.
    pub rows: u64,
    /// The model that decides from now on.
    pub model: ModelVersion,
}

/// What a rebuild found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// Journal entries folded in.
    pub rows: u64,
    /// The exposures left out because their customer withdrew.
    pub masked: u64,
    /// The rebuilt model.
    pub model: ModelVersion,
    /// The model that decided before.
    pub before: ModelVersion,
}

impl Learning {
    /// Takes up learning where it was kept. What cannot be read is folded again from the journal.
    pub fn open(store: &dyn Store, strategy: &Strategy) -> Result<Self, EngineError> {
        let (mut fold, damage) = match kept(store) {
            Ok(Some(fold)) => (fold, None),
            Ok(None) => (Fold { through: 0, learner: Learner::new(config(strategy)) }, None),
            Err(damage) if damage.is_damage() => {
                (fold_again(store, declared(strategy), None)?.fold, Some(damage))
            }
            Err(error) => return Err(error),
        };
        declare(&mut fold.learner, strategy);
        let snapshot = fold.learner.snapshot();
        let mut writes = keep_model(store, &snapshot, None)?;
        if damage.is_some() {
            writes.extend(shelf::keep(store, LEARNER, CHECKPOINT, &codec::encode(&fold), None)?);
        }
        if !writes.is_empty() {
            store.commit(Batch { writes, ..Batch::default() })?.wait()?;
        }
        Ok(Self {
            fold: Mutex::new(fold),
            model: ArcSwap::from_pointee(snapshot),
            read_back: Mutex::default(),
            damage,
        })
    }
}

fn kept(store: &dyn Store) -> Result<Option<Fold>, EngineError> {
    let kept = shelf::read(store, LEARNER, CHECKPOINT)?;
    kept.map(|bytes| codec::decode(LEARNER, &bytes)).transpose()
}

/// The writes that keep a model, published at `at_ms`, for deep replay, and let go of those that are too many.
fn keep_model(store: &dyn Store, model: &Snapshot, at_ms: Option<i64>) -> Result<Vec<Write>, EngineError> {
    let version = model.version();
    let row = store.get(&[Read::new(Table::Meta, MODELS)])?.remove(0);
    let mut kept: Vec<(ModelVersion, u64)> =
        row.value().map_or_else(|| Ok(Vec::new()), |bytes| codec::decode(MODEL, bytes))?;
    let has = || shelf::has(store, MODEL, &model_key(version)).is_ok_and(|has| has);
    if kept.iter().any(|(known, _)| *known == version) && has() {
        return Ok(Vec::new());
    }
    kept.retain(|(known, _)| *known != version);
    let encoded = model.encode();
    let until_ms = at_ms.map(|at_ms| at_ms + MODEL_KEPT_MS);
    let mut writes = shelf::keep(store, MODEL, &model_key(version), &encoded, until_ms)?;
    let mut room = MODELS_BYTES_MAX.saturating_sub(encoded.len() as u64);
    let stay = kept.iter().rev().take(MODELS_MAX - 1).take_while(|(_, bytes)| {
        let fits = *bytes <= room;
        room = room.saturating_sub(*bytes);
        fits
    });
    let gone = kept.len() - stay.count();
    for (version, _) in kept.drain(..gone) {
        writes.extend(shelf::removal(store, MODEL, &model_key(version))?);
    }
    kept.push((version, encoded.len() as u64));
    writes.push(Write::put(Table::Meta, MODELS, codec::encode(&kept)));
    Ok(writes)
}

/// One configuration for everything; only the base rates come from the strategy.
fn config(strategy: &Strategy) -> Config {
    let mut priors = vec![prior(GOAL.into(), GOAL_PRIOR)];
    let sides = &strategy.organisation.outcomes;
    priors.extend(sides.iter().map(|side| prior(side.outcome.shared(), side.prior)));
    Config { priors, ..Config::default() }
}

fn prior(outcome: Arc<str>, probability: f64) -> Prior {
    Prior { outcome, probability }
}

/// What a learner of this strategy starts with.
fn declared(strategy: &Strategy) -> Config {
    new_learner(strategy).config().clone()
}

/// A learner that knows what this strategy declares, and has seen nothing.
pub fn new_learner(strategy: &Strategy) -> Learner {
    let mut learner = Learner::new(config(strategy));
    declare(&mut learner, strategy);
    learner
}

/// Tells the learner the declared base rate of every action that it does not know yet, and which outcomes
/// are early signs of the goal.
pub fn declare(learner: &mut Learner, strategy: &Strategy) {
    for action in &strategy.actions {
        learner.declare(action.id.shared(), vec![prior(GOAL.into(), action.prior)]);
    }
    for side in strategy.organisation.outcomes.iter().filter(|side| side.early) {
        learner.declare_stage(Stage { early: side.outcome.shared(), late: GOAL.into() });
    }
}

impl Engine {
    /// The model that decides now.
    pub fn model(&self) -> Arc<Snapshot> {
        self.learning.model.load_full()
    }

    /// Why what had been learned was folded again from the journal when the store was opened; `None` when it
    /// could be read.
    pub fn learner_damage(&self) -> Option<&EngineError> {
        self.learning.damage.as_ref()
    }

    /// Lets the learner know the actions of a newly published strategy.
    pub(crate) fn declare_actions(&self, strategy: &Strategy) {
        let mut fold = self.learning.fold.lock().unwrap_or_else(PoisonError::into_inner);
        declare(&mut fold.learner, strategy);
    }

    /// Folds what is new in the journal, brings delayed credit up to `at` and publishes the model. When it
    /// cannot be published, nothing has been learned: a rebuild can only repeat what the journal says.
    pub fn learn(&self, at: Timestamp) -> Result<Learned, EngineError> {
        let mut learned = self.learning.fold.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fold = learned.clone();
        let before = fold.through;
        loop {
            let page = self.store.journal(fold.through, PAGE)?;
            let Some(last) = page.last().map(|entry| entry.sequence) else {
                break;
            };
            for bytes in page.iter().filter_map(|entry| entry.value.as_deref()) {
                if let Entry::Learn(row) = Entry::decode(bytes)? {
                    fold.learner.apply(&row);
                }
            }
            fold.through = last;
        }
        let at_ms = at.as_millisecond();
        fold.learner.advance(at_ms);
        let model = self.publish_model(&fold, at_ms, true)?;
        let rows = fold.through - before;
        *learned = fold;
        Ok(Learned { rows, model })
    }

    /// Folds the whole journal again, without what has been withdrawn or erased since, and publishes the
    /// result. Without withdrawals and erasures it equals the model before, byte for byte.
    pub fn rebuild(&self, at: Timestamp) -> Result<Rebuilt, EngineError> {
        let mut fold = self.learning.fold.lock().unwrap_or_else(PoisonError::into_inner);
        let config = fold.learner.config().clone();
        let Again { fold: again, rows, masked } = fold_again(&*self.store, config, Some(fold.through))?;
        let before = self.model().version();
        let model = self.publish_model(&again, at.as_millisecond(), false)?;
        *fold = again;
        Ok(Rebuilt { rows, masked, model, before })
    }

    /// Every row that a rebuild folds, in order: without what has been withdrawn or erased since.
    pub fn lessons(&self) -> Result<Vec<Row>, EngineError> {
        let entries = journal_through(&*self.store, self.store.health().journal_sequence)?;
        let withdrawn = withdrawn(&entries);
        let lesson = |entry| match entry {
            Entry::Learn(Row::Exposure(exposure)) if is_withdrawn(&withdrawn, &exposure) => None,
            Entry::Learn(row) => Some(row),
            Entry::Published { .. } => None,
        };
        Ok(entries.into_iter().filter_map(|(_, entry)| lesson(entry)).collect())
    }

    /// Keeps what has been learned and lets its model decide from now on. `journalled` notes the moment, so
    /// that a rebuild brings delayed credit up to it at the same place.
    fn publish_model(&self, fold: &Fold, at_ms: i64, journalled: bool) -> Result<ModelVersion, EngineError> {
        let snapshot = fold.learner.snapshot();
        let model = snapshot.version();
        let through = fold.through;
        let entry = Entry::Published { through, at_ms, model };
        let mut writes = keep_model(&*self.store, &snapshot, Some(at_ms))?;
        writes.extend(shelf::keep(&*self.store, LEARNER, CHECKPOINT, &codec::encode(fold), None)?);
        let journal = journalled.then(|| entry.row(None, at_ms));
        self.store.commit(Batch { writes, journal: journal.into_iter().collect() })?.wait()?;
        self.learning.model.store(Arc::new(snapshot));
        Ok(model)
    }

    /// Lets go of every model but the present one: they know customers who were erased.
    pub(crate) fn forget_models(&self) -> Result<(), EngineError> {
        let _fold = self.learning.fold.lock().unwrap_or_else(PoisonError::into_inner);
        let present = self.model().version();
        let row = self.store.get(&[Read::new(Table::Meta, MODELS)])?.remove(0);
        let kept: Vec<(ModelVersion, u64)> =
            row.value().map_or_else(|| Ok(Vec::new()), |bytes| codec::decode(MODEL, bytes))?;
        let (stay, go): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(version, _)| *version == present);
        let mut writes = vec![Write::put(Table::Meta, MODELS, codec::encode(&stay))];
        for (version, _) in go {
            writes.extend(shelf::removal(&*self.store, MODEL, &model_key(version))?);
        }
        self.store.commit(Batch { writes, ..Batch::default() })?.wait()?;
        *self.learning.read_back.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// A model that was published, read back from the store; `None` when it is no longer kept.
    pub fn model_at(&self, version: ModelVersion) -> Result<Option<Arc<Snapshot>>, EngineError> {
        let last = || self.learning.read_back.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = last().as_ref().filter(|snapshot| snapshot.version() == version) {
            return Ok(Some(snapshot.clone()));
        }
        let Some(bytes) = shelf::read(&*self.store, MODEL, &model_key(version))? else {
            return Ok(None);
        };
        let damaged = || EngineError::Model(version.to_string());
        let snapshot = Arc::new(Snapshot::decode(&bytes).map_err(|_| damaged())?);
        if snapshot.version() != version {
            return Err(damaged());
        }
        *last() = Some(snapshot.clone());
        Ok(Some(snapshot))
    }
}

/// What folding the journal again gives.
struct Again {
    fold: Fold,
    /// Entries folded in.
    rows: u64,
    /// Exposures left out.
    masked: u64,
}

/// Folds the journal from its beginning up to a number, or without one up to the last publication, without
/// what has been withdrawn or erased since.
fn fold_again(store: &dyn Store, config: Config, through: Option<u64>) -> Result<Again, EngineError> {
    let publications = publications(store)?;
    let through = through.unwrap_or_else(|| publications.last().map_or(0, |(through, _)| *through));
    let entries = journal_through(store, through)?;
    let withdrawn = withdrawn(&entries);
    let mut learner = Learner::new(config);
    let (mut masked, mut next) = (0, 0);
    for (sequence, entry) in &entries {
        while let Some((_, at_ms)) = publications.get(next).filter(|(through, _)| through < sequence) {
            learner.advance(*at_ms);
            next += 1;
        }
        match entry {
            Entry::Learn(Row::Exposure(exposure)) if is_withdrawn(&withdrawn, exposure) => masked += 1,
            Entry::Learn(row) => learner.apply(row),
            Entry::Published { .. } => {}
        }
    }
    publications[next.min(publications.len())..].iter().for_each(|(_, at_ms)| learner.advance(*at_ms));
    Ok(Again { fold: Fold { through, learner }, rows: entries.len() as u64, masked })
}

fn journal_through(store: &dyn Store, through: u64) -> Result<Vec<(u64, Entry)>, EngineError> {
    let mut entries = Vec::new();
    let mut after = 0;
    while after < through {
        let page = store.journal(after, PAGE)?;
        let Some(last) = page.last().map(|entry| entry.sequence) else {
            break;
        };
        for entry in page.iter().filter(|entry| entry.sequence <= through) {
            if let Some(bytes) = &entry.value {
                entries.push((entry.sequence, Entry::decode(bytes)?));
            }
        }
        after = last;
    }
    Ok(entries)
}

/// After which entry which moment was published, in order; the last publication comes after the last fold.
fn publications(store: &dyn Store) -> Result<Vec<(u64, i64)>, EngineError> {
    let entries = journal_through(store, store.health().journal_sequence)?;
    let publication = |(_, entry): &(u64, Entry)| match entry {
        Entry::Published { through, at_ms, .. } => Some((*through, *at_ms)),
        Entry::Learn(_) => None,
    };
    Ok(entries.iter().filter_map(publication).collect())
}

fn model_key(version: ModelVersion) -> Vec<u8> {
    format!("model/{version}").into_bytes()
}

/// The last withdrawal of each customer and purpose, in milliseconds since 1970 UTC.
type Withdrawals = BTreeMap<(u128, Option<Arc<str>>), i64>;

fn withdrawn(entries: &[(u64, Entry)]) -> Withdrawals {
    let mut last = Withdrawals::new();
    for (_, entry) in entries {
        if let Entry::Learn(Row::Withdrawal { subject, purpose, at_ms }) = entry {
            let known = last.entry((*subject, purpose.clone())).or_insert(*at_ms);
            *known = (*known).max(*at_ms);
        }
    }
    last
}

fn is_withdrawn(withdrawn: &Withdrawals, exposure: &Exposure) -> bool {
    let scopes = [Some(exposure.purpose.clone()), None];
    scopes.into_iter().any(|purpose| {
        withdrawn.get(&(exposure.subject, purpose)).is_some_and(|at_ms| *at_ms >= exposure.at_ms)
    })
}

//! The shell around a decision: load, decide, record, reserve, and learn from what happens next.
//!
//! The engine carries out what [`decision`] decides. It takes the moment as an argument, so that
//! simulated months and real seconds run through the same code; it opens no sockets and reads no files.

mod answer;
pub mod audit;
mod codec;
mod consenting;
mod control;
mod customer;
mod deciding;
mod erasing;
mod error;
mod expiry;
mod exposure;
mod history;
mod households;
mod identity;
mod ingest;
mod journal;
mod learn;
mod ledger;
mod lock;
mod looking_back;
mod measuring;
mod merging;
mod person;
mod published;
mod purchases;
mod reject;
mod replaying;
mod reporting;
mod reviewing;
mod rights;
mod shelf;
mod signalling;
pub mod storage;
mod surveying;
mod together;
mod volume;
mod working_out;

pub use answer::{Answer, Said};
pub use consenting::ConsentReport;
pub use control::Place;
pub use customer::{CustomerState, HISTORY_MS};
pub use deciding::{Ask, Decided};
pub use erasing::{Certificate, FINISHED_WITHIN_MS};
pub use error::EngineError;
pub use exposure::exposure;
pub use history::{Outlook, PastContact, PastOutcome, PastSilence};
pub use identity::Identifier;
pub use ingest::{CONTRADICTED, CUSTOMER_UPDATED, EventReport, typed};
pub use learn::{Learned, Rebuilt, declare, new_learner};
pub use ledger::{Evidence, EvidenceKind, Ledger, LedgerEntry, PurposeText, UnfitReference};
pub use looking_back::Happened;
pub use measuring::{CameOf, Observation, Reached, Subject};
pub use merging::{Because, Conflict, NotMerged};
pub use person::{Merge, Undone};
pub use published::{Published, last_published};
pub use reject::{KEPT_MS as REJECT_KEPT_MS, Reject};
pub use replaying::{ReplayFailure, Replayed};
pub use reporting::{OutcomeReport, REPORTED};
pub use reviewing::{AskedWhy, NotContested, Review, Settled};
pub use rights::Portable;
pub use signalling::{Said as Signalled, Signal};
pub use surveying::{Surveyed, Walked};
pub use working_out::WorkedOut;

use arc_swap::ArcSwap;
use decision::{
    id::{ActionId, CustomerId},
    strategy::{Files, StrategyVersion},
};
use learn::Learning;
use lock::Striped;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use storage::{Batch, Read, Store, Table, Write};

/// What became of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Taken in.
    Accepted,
    /// Known already; counted once.
    Duplicate,
    /// Kept as a reject.
    Rejected {
        /// Stable code, for example `unknown_decision`.
        code: &'static str,
        /// What was wrong, without personal data.
        message: String,
    },
}

/// Everything needed to decide, for any number of threads.
pub struct Engine {
    store: Arc<dyn Store>,
    secret: [u8; 32],
    published: ArcSwap<Published>,
    kept_strategies: Mutex<BTreeMap<StrategyVersion, Arc<Published>>>,
    customers: Striped,
    households: Striped,
    walk: Mutex<expiry::Walk>,
    minting: Striped,
    volumes: Mutex<BTreeMap<ActionId, u64>>,
    learning: Learning,
    chains: audit::Chains,
    erasures: erasing::ledger::Ledger,
    dropped: Mutex<reject::Dropped>,
    rejects: std::sync::atomic::AtomicU64,
}

impl Engine {
    /// Opens a store and publishes a strategy. Erasures that its data does not know yet are carried out. `entropy` becomes the store's secret when it has none yet.
    ///
    /// Errors: the strategy does not check, or the store cannot be read.
    pub fn open(store: Arc<dyn Store>, files: &Files, entropy: [u8; 32]) -> Result<Self, EngineError> {
        let published = Published::load(files)?;
        let secret = secret(&*store, entropy)?;
        let learning = Learning::open(&*store, &published.strategy)?;
        let chains = audit::Chains::open(&*store, &entropy);
        let dropped = reject::Dropped::open(&*store)?;
        let (erasures, left) = erasing::ledger::Ledger::open(&*store)?;
        let rejects = reject::next_number(&*store)?.into();
        let engine = Self {
            store,
            secret,
            published: ArcSwap::from_pointee(published),
            kept_strategies: Mutex::default(),
            customers: Striped::new(),
            households: Striped::new(),
            walk: Mutex::default(),
            minting: Striped::new(),
            volumes: Mutex::default(),
            learning,
            chains,
            erasures,
            dropped: Mutex::new(dropped),
            rejects,
        };
        let published = engine.published();
        engine.keep_strategy(&published)?;
        engine.publish_with_volumes(published)?;
        engine.erase_again(left)?;
        Ok(engine)
    }

    /// The strategy that decides now.
    pub fn published(&self) -> Arc<Published> {
        self.published.load_full()
    }

    /// Replaces the strategy when the new one checks; otherwise the old one stays.
    pub fn publish(&self, files: &Files) -> Result<Arc<Published>, EngineError> {
        let published = Arc::new(Published::load(files)?);
        self.keep_strategy(&published)?;
        published.with_variants().for_each(|strategy| self.declare_actions(strategy));
        self.publish_with_volumes(published.clone())?;
        Ok(published)
    }

    /// How the store is doing.
    pub fn health(&self) -> storage::Health {
        self.store.health()
    }

    /// Writes a copy of everything that is durable now, see [`Store::backup`].
    pub fn backup(&self, out: &mut dyn std::io::Write) -> Result<u64, storage::StoreError> {
        self.store.backup(out)
    }

    /// Waits until everything queued is durable.
    pub fn flush(&self) -> Result<(), EngineError> {
        Ok(self.store.commit(Batch::default())?.wait()?)
    }

    /// Stops taking work and lets go of the store.
    pub fn close(&self) -> Result<(), EngineError> {
        let kept = self.keep_dropped_names();
        self.store.close()?;
        kept
    }

    pub(crate) fn lock(&self, customer: CustomerId) -> MutexGuard<'_, ()> {
        self.customers.guard(&customer.0.to_be_bytes())
    }
}

/// The store's secret, made from `entropy` the first time.
fn secret(store: &dyn Store, entropy: [u8; 32]) -> Result<[u8; 32], EngineError> {
    let read = Read::new(Table::Meta, "secret");
    let row = store.get(std::slice::from_ref(&read))?.remove(0);
    match row.value() {
        Some(bytes) => codec::decode("secret", bytes),
        None => {
            let write = Write::put(Table::Meta, read.key, codec::encode(&entropy)).expecting(row.version());
            store.commit(Batch { writes: vec![write], ..Batch::default() })?.wait()?;
            Ok(entropy)
        }
    }
}

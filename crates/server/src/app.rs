//! What does every request share? The engine, the keys, a clock and a source of seeds, and the settings.

use crate::{
    browser::Caps, keys::Keys, problem::Problem, telemetry::Telemetry, tokens::Tokens, turns::Turns,
};
use axum::http::StatusCode;
use decision::strategy::{self, Files};
use engine::{Engine, EngineError, storage::Store};
use jiff::Timestamp;
use serde::Serialize;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};
use utoipa::ToSchema;

/// Limits of the server. The defaults suit a laptop.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time for a decision, from its arrival until the neutral default is given instead.
    pub decide_within: Duration,
    /// Time for the head of a request to arrive, also for the next one on an open connection.
    pub head_within: Duration,
    /// Time for a body to arrive.
    pub body_within: Duration,
    /// Time for an answer to be read, from the moment the client stopped taking it.
    pub read_within: Duration,
    /// Time for open requests to finish when the server stops.
    pub drain_within: Duration,
    /// Decisions that are worked on at once, and as many requests of other kinds; more wait for their turn.
    /// Few per core: with many, they take the time in which answers should leave.
    pub requests_at_once: usize,
    /// Time for everything but decisions, from its turn being asked for until it is done.
    pub work_within: Duration,
    /// Open connections.
    pub connections_max: usize,
    /// In how many slots a minute models learn from what nobody in particular sees on a page, per key for browsers.
    pub browser_lessons_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            decide_within: Duration::from_millis(100),
            head_within: Duration::from_secs(10),
            body_within: Duration::from_secs(10),
            read_within: Duration::from_secs(30),
            drain_within: Duration::from_secs(20),
            work_within: Duration::from_secs(10),
            requests_at_once: requests_at_once(),
            connections_max: 8192,
            browser_lessons_per_minute: BROWSER_LESSONS_PER_MINUTE,
        }
    }
}

/// The default of [`Settings::browser_lessons_per_minute`].
pub const BROWSER_LESSONS_PER_MINUTE: u32 = 60;

fn requests_at_once() -> usize {
    const PER_CORE: usize = 4;
    const LEAST: usize = 8;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (PER_CORE * cores).max(LEAST)
}

/// Tells the moment.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Gives every decision a seed of its own.
pub type Seeds = Arc<dyn Fn() -> u64 + Send + Sync>;

/// One server.
pub struct App {
    /// Decides, takes in, remembers.
    pub engine: Arc<Engine>,
    /// Who may call.
    pub keys: Keys,
    /// Which customers may call, and with whose tokens.
    pub tokens: Tokens,
    pub(crate) browser_caps: Caps,
    /// The moment.
    pub clock: Clock,
    /// Seeds.
    pub seeds: Seeds,
    /// Limits.
    pub settings: Settings,
    /// Counters and times.
    pub telemetry: Telemetry,
    pub(crate) turns_to_decide: Turns,
    pub(crate) turns: Arc<Semaphore>,
    draining: AtomicBool,
    pending: Mutex<Vec<PendingProblem>>,
}

/// Something wrong with a changed strategy folder, for which the strategy before it keeps deciding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PendingProblem {
    /// The file, relative to the strategy folder; empty for the folder as a whole.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl PendingProblem {
    /// A problem of one of these files.
    pub fn of(problem: &strategy::Problem, files: &Files) -> Self {
        let line = problem.span.as_ref().and_then(|span| {
            let before = files.0.get(&problem.file)?.as_bytes().get(..span.start)?;
            Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
        });
        Self {
            file: problem.file.clone(),
            line,
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }

    /// A problem of the folder as a whole.
    pub fn of_folder(message: String) -> Self {
        Self { file: String::new(), line: None, message, hint: None }
    }
}

impl App {
    /// A server around an engine whose rows are in `store`, with the system's clock and randomness.
    ///
    /// # Errors
    /// The keys in the store cannot be read.
    pub fn new(
        engine: Arc<Engine>,
        store: Arc<dyn Store>,
        settings: Settings,
    ) -> Result<Self, crate::keys::KeyError> {
        Ok(Self {
            engine,
            keys: Keys::open(store.clone())?,
            tokens: Tokens::open(store)?,
            browser_caps: Caps::default(),
            clock: Arc::new(Timestamp::now),
            seeds: Arc::new(system_seed),
            turns_to_decide: Turns::new(settings.requests_at_once),
            turns: Arc::new(Semaphore::new(settings.requests_at_once)),
            settings,
            telemetry: Telemetry::default(),
            draining: AtomicBool::new(false),
            pending: Mutex::default(),
        })
    }

    /// Runs something that may read from disk where blocking is allowed, when it is its turn.
    ///
    /// # Errors
    /// What the work says, 500 when it failed unexpectedly, or 503 when it took too long.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        let worked = async {
            let turn = self.turns.clone().acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                let _turn = turn;
                work(&app)
            })
            .await
        };
        let failed =
            |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "the work failed unexpectedly");
        let too_slow =
            |_| Problem::unavailable("busy", "the server could not do this in time; try again in a moment");
        Ok(timeout(self.settings.work_within, worked).await.map_err(too_slow)?.map_err(failed)??)
    }

    /// What is wrong with the strategy folder as it is now; empty when it is the one that decides.
    pub fn pending_problems(&self) -> Vec<PendingProblem> {
        self.pending().clone()
    }

    /// Says what is wrong with the strategy folder as it is now.
    pub fn set_pending_problems(&self, problems: Vec<PendingProblem>) {
        *self.pending() = problems;
    }

    /// Whether the server is stopping: it finishes what it has and should get nothing new.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    fn pending(&self) -> MutexGuard<'_, Vec<PendingProblem>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 64 random bits from the system.
///
/// # Panics
/// When the system has no randomness at all, which leaves nothing that can be done safely.
pub fn system_seed() -> u64 {
    getrandom::u64().expect("the system gives random bytes")
}

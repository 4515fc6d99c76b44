//! What goes on beside the requests? Learning, expiry, and noticing that the strategy folder changed.

use crate::app::{App, PendingProblem};
use decision::strategy::{Files, Problem};
use engine::{
    EngineError,
    storage::{Expired, Store},
};
use insight::worth;
use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often the store hears what time it is, and a part of it is searched for what has expired.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);
/// So many rows are searched each time, besides as many as were written: ten million in 41 minutes.
const EXPIRE_ROWS: usize = 4096;
/// So many profiles or households are searched each time: a million in 17 minutes.
const EXPIRE_PROFILES: usize = 1024;
/// How often learning happens without anything new, so that credit for late outcomes is settled.
const SETTLE_EVERY: Duration = Duration::from_secs(3600);
/// How often erasures are finished, when there are any.
const FINISH_ERASURES_EVERY: Duration = Duration::from_secs(3600);
/// How long after the start it is worked out what customers are worth, and how often from then on.
const WORK_OUT_FIRST: Duration = Duration::from_secs(60);
const WORK_OUT_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How often the strategy folder is looked at.
pub const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Reads the strategy folder: its files with what cannot be read in it, or why it cannot be read at all.
pub type ReadFolder = Box<dyn Fn() -> Result<(Files, Vec<Problem>), String> + Send>;

/// Threads that work until they are stopped.
pub struct Background {
    stops: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts learning every so often, expiring and, when there is a folder to read, watching it.
    ///
    /// # Errors
    /// The system starts no threads.
    pub fn start(
        app: &Arc<App>,
        store: Arc<dyn Store>,
        learn_every: Duration,
        folder: Option<ReadFolder>,
    ) -> io::Result<Self> {
        let mut background = Self { stops: Vec::new(), threads: Vec::new() };
        let learner = app.clone();
        background.spawn("learn", move |stopped| learn(&learner, learn_every, &stopped))?;
        let finisher = app.clone();
        background.spawn("erasures", move |stopped| finish_erasures(&finisher, &stopped))?;
        let valuer = app.clone();
        background.spawn("worth", move |stopped| work_out(&valuer, &stopped))?;
        let keeper = app.clone();
        hide_expired(app, &*store);
        background.spawn("expire", move |stopped| {
            while waits(&stopped, EXPIRE_EVERY) {
                expire(&keeper, &*store);
            }
        })?;
        if let Some(folder) = folder {
            let watcher = app.clone();
            background.spawn("watch", move |stopped| {
                let mut seen = None;
                while waits(&stopped, WATCH_EVERY) {
                    look(&watcher, &folder, &mut seen);
                    watcher.telemetry.tidy();
                }
            })?;
        }
        Ok(background)
    }

    /// Stops the threads and waits until they have finished what they were doing.
    pub fn stop(self) {
        drop(self.stops);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a background thread had failed");
            }
        }
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce(Receiver<()>) + Send + 'static) -> io::Result<()> {
        let (stop, stopped) = mpsc::channel();
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(move || work(stopped))?);
        self.stops.push(stop);
        Ok(())
    }
}

/// Waits; `false` when it is time to stop.
fn waits(stopped: &Receiver<()>, time: Duration) -> bool {
    stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
}

fn learn(app: &App, every: Duration, stopped: &Receiver<()>) {
    let mut through = None;
    let mut learned_at = Instant::now();
    while waits(stopped, every) {
        let sequence = app.engine.health().journal_sequence;
        if through == Some(sequence) && learned_at.elapsed() < SETTLE_EVERY {
            continue;
        }
        match app.engine.learn((app.clock)()) {
            Ok(learned) => {
                app.telemetry.learned(learned.rows);
                tracing::info!(rows = learned.rows, model = %learned.model, "learned");
                through = Some(app.engine.health().journal_sequence);
                learned_at = Instant::now();
            }
            Err(error) => {
                tracing::error!(%error, "learning failed; the model before keeps deciding")
            }
        }
    }
}

/// Learns again without whoever was erased, and lets what was removed go from the files. For all who were erased within
/// the hour together: it takes long, and there is a day for it.
fn finish_erasures(app: &App, stopped: &Receiver<()>) {
    while waits(stopped, FINISH_ERASURES_EVERY) {
        match app.engine.finish_erasures((app.clock)()) {
            Ok(None) => {}
            Ok(Some(rebuilt)) => {
                tracing::info!(rows = rebuilt.rows, model = %rebuilt.model, "learned again without who was erased")
            }
            Err(error) => tracing::error!(%error, "erasures could not be finished yet"),
        }
    }
}

/// Works out what customers are worth and what goes with what they bought, where purchases are declared.
fn work_out(app: &App, stopped: &Receiver<()>) {
    let mut wait = WORK_OUT_FIRST;
    while waits(stopped, wait) {
        wait = WORK_OUT_EVERY;
        match worth::run(&app.engine, (app.clock)(), true) {
            Err(worth::Error::NotDeclared) => {}
            Ok(worth) => tracing::info!(
                customers = worth.customers,
                valued = worth.valued,
                suggested = worth.suggested,
                "worked out what customers are worth"
            ),
            Err(error) => tracing::error!(%error, "what customers are worth could not be worked out"),
        }
    }
}

fn expire(app: &App, store: &dyn Store) {
    if let Err(error) = app.engine.keep_dropped_names() {
        tracing::error!(%error, "the counts of undeclared names could not be kept");
    }
    match store.sweep((app.clock)().as_millisecond(), EXPIRE_ROWS) {
        Ok(expired) if expired == Expired::default() => {}
        Ok(expired) => {
            tracing::info!(rows = expired.rows, journal = expired.journal, "removed what had expired")
        }
        Err(error) => tracing::error!(%error, "expired rows could not be removed"),
    }
    match app.engine.expire_values((app.clock)(), EXPIRE_PROFILES) {
        Ok(0) => {}
        Ok(values) => tracing::info!(values, "removed values that were kept long enough"),
        Err(error) => tracing::error!(%error, "expired values could not be removed"),
    }
}

/// Lets nobody read what has expired while no server was running.
fn hide_expired(app: &App, store: &dyn Store) {
    if let Err(error) = store.sweep((app.clock)().as_millisecond(), 0) {
        tracing::error!(%error, "what has expired could not be hidden");
    }
}

/// What the folder looked like the last time.
type Seen = Option<Result<(Files, Vec<Problem>), String>>;

/// Publishes the folder when it changed and checks; else says what is wrong and leaves what decides.
fn look(app: &App, folder: &ReadFolder, seen: &mut Seen) {
    let found = folder();
    if seen.as_ref() == Some(&found) {
        return;
    }
    let problems = match &found {
        Err(trouble) => vec![PendingProblem::of_folder(trouble.clone())],
        Ok((files, unreadable)) if !unreadable.is_empty() => {
            unreadable.iter().map(|problem| PendingProblem::of(problem, files)).collect()
        }
        Ok((files, _)) => publish(app, files),
    };
    for problem in &problems {
        tracing::warn!(
            file = problem.file,
            line = problem.line,
            problem = problem.message,
            "the strategy folder does not check; the version before keeps deciding"
        );
    }
    app.set_pending_problems(problems);
    *seen = Some(found);
}

fn publish(app: &App, files: &Files) -> Vec<PendingProblem> {
    if files.version() == app.engine.published().strategy.version {
        return Vec::new();
    }
    match app.engine.publish(files) {
        Ok(published) => {
            tracing::info!(version = %published.strategy.version, "a changed strategy decides from now on");
            Vec::new()
        }
        Err(EngineError::Strategy(problems)) => {
            problems.iter().map(|problem| PendingProblem::of(problem, files)).collect()
        }
        Err(error) => vec![PendingProblem::of_folder(error.to_string())],
    }
}

//! What does the product do in a world whose truth is known? Months of the energy world through the
//! real engine: as shipped, by chance, and with the truth, side by side.
//!
//! The shipped policy runs on the store it is given and stays there, ready to be served; the others run
//! in memory beside it.

mod drive;
mod policy;
mod report;
mod story;
mod text;

pub use drive::{Course, Drive, SETTLING_DAYS, identifiers};
pub use policy::{Oracle, Policy};
pub use report::{Line, Report, Worth, before_costs};
pub use story::{Chapter, story};

use crate::energy::{Day, Ledger, Outcomes, World};
use decision::{Duration, Timestamp, inputs::Assignment, strategy::Files};
use engine::{
    Engine, EngineError,
    storage::{MemoryStore, Store},
};
use std::sync::Arc;

/// Secrets tried for a demo.
const SECRETS_TRIED: u64 = 64;

/// What to simulate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Seed of the world and of all draws.
    pub seed: u64,
    /// Customers, at least 2.
    pub customers: usize,
    /// Days with decisions.
    pub days: Day,
    /// When the world begins; midnight where the organisation lives.
    pub start: Timestamp,
    /// Customers of the smaller worlds with shuffled outcomes.
    pub shuffled_customers: usize,
}

/// How far one of the runs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Whose run.
    pub policy: Policy,
    /// Outcomes are shuffled in it.
    pub shuffled: bool,
    /// Days lived.
    pub day: Day,
    /// Days to live.
    pub days: Day,
}

/// The demo's outcome: what it found, and the engine that has lived through it.
pub struct Demo {
    /// What was found.
    pub report: Report,
    /// The shipped engine, on the store that was given.
    pub engine: Engine,
}

/// Runs the demo. Every run has its own thread; `progress` hears from all of them.
///
/// # Errors
/// The strategy does not check, or the given store fails.
pub fn run(
    settings: &Settings,
    files: &Files,
    store: Arc<dyn Store>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Demo, EngineError> {
    let engine = Engine::open(store, files, secret(settings, files)?)?;
    let quarter = Settings { customers: settings.shuffled_customers, ..*settings };
    let beside = |settings: Settings, policy, outcomes| {
        move || course_in_memory(&settings, files, policy, outcomes, progress)
    };
    let (shipped, random, truth, shuffled, shuffled_random) = std::thread::scope(|scope| {
        let random = scope.spawn(beside(*settings, Policy::Random, Outcomes::True));
        let truth = scope.spawn(beside(*settings, Policy::Truth, Outcomes::True));
        let shuffled = scope.spawn(beside(quarter, Policy::Shipped, Outcomes::Shuffled(1)));
        let by_chance = scope.spawn(beside(quarter, Policy::Random, Outcomes::Shuffled(2)));
        let shipped = course(settings, &engine, Policy::Shipped, Outcomes::True, progress);
        (shipped, joined(random), joined(truth), joined(shuffled), joined(by_chance))
    });
    let courses = [(Policy::Shipped, shipped?), (Policy::Random, random?), (Policy::Truth, truth?)];
    let report = compare(settings, &courses, &shuffled?, &shuffled_random?);
    Ok(Demo { report, engine })
}

fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The engine's secret follows from the seed too. It is the first one that keeps customer 0, whose story
/// is told, out of the control groups for the whole time and the half year after it; with control groups so
/// large that none does within [`SECRETS_TRIED`], it is the last one tried.
fn secret(settings: &Settings, files: &Files) -> Result<[u8; 32], EngineError> {
    let world = World::new(settings.seed, 1, settings.start);
    let registered = world.registrations().first().map_or(settings.start, |first| first.at);
    let hours = |days: Day| Duration::from_hours(24 * days);
    let moments = [0, settings.days, settings.days + SETTLING_DAYS, settings.days + SETTLING_DAYS + 180];
    let mut secret = [0; 32];
    for attempt in 0..SECRETS_TRIED {
        secret = *blake3::hash(&[settings.seed.to_be_bytes(), attempt.to_be_bytes()].concat()).as_bytes();
        let engine = Engine::open(Arc::new(MemoryStore::new()), files, secret)?;
        engine.ingest(&drive::registration(registered), "", registered)?.1.wait()?;
        let Some(id) = engine.find(&identifiers(0))? else {
            continue;
        };
        let strategy = &engine.published().strategy;
        let decided_normally = |days: &Day| {
            let at = settings.start.saturating_add(hours(*days)).unwrap_or(settings.start);
            engine.assignment(strategy, id, at) == Assignment::Strategy
        };
        if moments.iter().all(decided_normally) {
            break;
        }
    }
    Ok(secret)
}

/// One policy's run on an engine.
///
/// # Errors
/// The store fails.
pub fn course(
    settings: &Settings,
    engine: &Engine,
    policy: Policy,
    outcomes: Outcomes,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Course, EngineError> {
    let world = World::new(settings.seed, settings.customers, settings.start).with_outcomes(outcomes);
    let shuffled = outcomes != Outcomes::True;
    let each = |day| progress(Progress { policy, shuffled, day, days: settings.days });
    Drive::new(engine, world, policy, settings.seed).run(settings.days, &each)
}

/// One policy's run on an engine of its own, in memory.
///
/// # Errors
/// The strategy does not check.
pub fn course_in_memory(
    settings: &Settings,
    files: &Files,
    policy: Policy,
    outcomes: Outcomes,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Course, EngineError> {
    let engine = Engine::open(Arc::new(MemoryStore::new()), files, secret(settings, files)?)?;
    course(settings, &engine, policy, outcomes, progress)
}

/// What becomes of everybody when nobody says anything.
pub fn silent_world(settings: &Settings) -> Vec<Ledger> {
    let mut world = World::new(settings.seed, settings.customers, settings.start);
    for day in 0..settings.days + SETTLING_DAYS {
        for happening in world.day(day) {
            if let crate::energy::What::Moment(moment) = &happening.what {
                world.visited(happening.customer, moment.channel, happening.at);
            }
        }
    }
    world.ledgers().to_vec()
}

fn compare(
    settings: &Settings,
    courses: &[(Policy, Course)],
    shuffled: &Course,
    by_chance: &Course,
) -> Report {
    let silent = silent_world(settings);
    let lines: Vec<Line> =
        courses.iter().map(|(policy, course)| report::line(*policy, course, &silent)).collect();
    let [(_, shipped), (_, random), _] = courses else { unreachable!("three policies run") };
    let worth = |position: usize| lines[position].worth.combined.mean;
    let (model, auc_of_truth) = report::model(shipped);
    Report {
        customers: settings.customers,
        days: settings.days,
        seed: settings.seed,
        gain_over_random: Worth::of_difference(&shipped.ledgers, &random.ledgers),
        share_of_truth: (worth(0) - worth(1)) / (worth(2) - worth(1)),
        gain_when_shuffled: report::before_costs(&shuffled.ledgers, &by_chance.ledgers),
        complaints_in_silence: 1000.0 * report::mean(&silent, |ledger| ledger.complaints),
        model,
        auc_of_truth,
        refused: courses.iter().map(|(_, course)| course.refused).sum(),
        lines,
    }
}

//! Do erasure and expiry keep up while decisions are made? One thread decides, another erases or sweeps.

use crate::measure::Times;
use decision::{
    Timestamp,
    request::{Direction, PlacementRequest, Request},
};
use engine::{
    Ask, Engine, Identifier,
    storage::{Health, Store},
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use store::{FjallStore, Options};

/// How long each is measured.
const TIME: Duration = Duration::from_secs(10);
/// Rows that the server lets a sweep look at.
const SWEEP_ROWS: usize = 4096;

/// A store opened in this process.
pub struct Open {
    store: Arc<FjallStore>,
    engine: Engine,
    customers: u64,
}

/// What went on beside the decisions.
pub struct Beside {
    /// How often.
    pub times: u64,
    /// How long each took.
    pub took: Times,
    /// The decisions.
    pub decisions: Times,
}

/// What one round of sweeps over the whole store was like.
pub struct Round {
    pub calls: u64,
    pub removed: u64,
    pub seconds: f64,
    pub longest: Times,
}

impl Open {
    /// Opens a store that an import made.
    pub fn new(data: &Path, customers: u64) -> Self {
        let store = Arc::new(FjallStore::open(data, &Options::default()).expect("the store opens"));
        let engine =
            Engine::open(store.clone(), &simulation::energy::strategy(), [0; 32]).expect("it decides");
        Self { store, engine, customers }
    }

    /// Decides with nothing beside it.
    pub fn alone(&self) -> Times {
        self.beside(|_| thread::sleep(Duration::from_millis(1))).decisions
    }

    /// Erases customers from the last one down, one after the other, each durable before the next.
    pub fn erasing(&self) -> Beside {
        self.beside(|number| {
            let id = self.engine.find(&[user(self.customers - 1 - number)]).expect("the store answers");
            self.store.erase(id.expect("a customer")).and_then(|ticket| ticket.wait()).expect("erased");
        })
    }

    /// Sweeps as the server does, without its pauses.
    pub fn sweeping(&self) -> Beside {
        let now = Timestamp::now().as_millisecond();
        self.beside(|_| {
            self.store.sweep(now, SWEEP_ROWS).expect("swept");
        })
    }

    /// Sweeps once round the store, when everything with an end is due.
    pub fn round_when_all_is_due(&self) -> Round {
        let (mut calls, mut removed, start) = (0, 0, Instant::now());
        let mut longest = Times::default();
        let later = Timestamp::now().as_millisecond() + 6 * 365 * 86_400_000;
        let mut seen_lag = false;
        loop {
            let call = Instant::now();
            let expired = self.store.sweep(later + calls as i64 + 1, SWEEP_ROWS).expect("swept");
            longest.add(call.elapsed());
            calls += 1;
            removed += expired.rows + expired.journal;
            let Health { expiry_lag_ms, .. } = self.store.health();
            seen_lag |= expiry_lag_ms > calls;
            if seen_lag && expiry_lag_ms < calls {
                break;
            }
        }
        Round { calls, removed, seconds: start.elapsed().as_secs_f64(), longest }
    }

    fn beside(&self, mut work: impl FnMut(u64) + Send) -> Beside {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let deciding = scope.spawn(|| {
                let mut decisions = Times::default();
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let start = Instant::now();
                    self.decide(number * 104_729 % (self.customers / 2));
                    decisions.add(start.elapsed());
                    thread::sleep(Duration::from_micros(500));
                }
                decisions
            });
            let (begin, mut times, mut took) = (Instant::now(), 0, Times::default());
            while begin.elapsed() < TIME {
                let start = Instant::now();
                work(times);
                took.add(start.elapsed());
                times += 1;
            }
            stop.store(true, Ordering::Relaxed);
            Beside { times, took, decisions: deciding.join().expect("it decides") }
        })
    }

    fn decide(&self, customer: u64) {
        let request = Request {
            channel: "web".into(),
            direction: Direction::Inbound,
            placements: vec![PlacementRequest { placement: "web_home".into(), slots: 1 }],
            context: Default::default(),
            language: None,
            global_privacy_control: false,
            dry_run: false,
        };
        let ask = Ask { identifiers: vec![user(customer)], request, adjustments: Vec::new() };
        let decided = self.engine.decide(&ask, Timestamp::now(), customer).expect("it decides");
        decided.ticket.expect("it is recorded").wait().expect("it is durable");
    }
}

fn user(number: u64) -> Identifier {
    Identifier::new("user_id", &number.to_string())
}

//! Does what holds for one client at a time hold when everybody asks at once? Real threads on real stores.
//!
//! Every call is noted with when it began and ended and with its place in the store's one order. Afterwards
//! that order must agree with what the clients saw (a call that ended before another began comes first), and
//! told in that order the story must satisfy the simulator's witness: that is linearizability, per customer,
//! with the promises as the sequential specification.

use decision::{
    Timestamp,
    id::{CustomerId, DecisionId},
    record::Decision,
    value::Value,
};
use engine::{
    Ask, Engine, EngineError, EventReport, Identifier, Published, Verdict,
    storage::{
        self, Batch, Expired, Health, JournalEntry, MemoryStore, Read, Row, Store, StoreError, Table, Ticket,
        Vault, Write, key,
    },
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    thread,
};
use store::{FjallStore, Options};
use testkit::simulator::{
    dice::Dice,
    letters::{self, Letter, Says},
    meaning, organisation,
    witness::{Person, Witness},
};

const PERSONS: usize = 4;
const THREADS: u64 = 6;
const START: &str = "2028-03-20T09:00:00Z";

fn steps() -> usize {
    if std::env::var_os("ATTENT_NIGHTLY").is_some() { 800 } else { 250 }
}

/// What was called and what came back.
enum What {
    Decided { published: Arc<Published>, decision: Box<Decision> },
    Told { letter: Letter, duplicate: bool },
}

/// One call by one client.
struct Call {
    person: usize,
    number: u64,
    began: u64,
    ended: u64,
    /// Its place in the store's order.
    place: u64,
    at: Timestamp,
    what: What,
}

/// A slot in which something was said: to whom, by which decision and slot, and which made the contact first.
type SlotSaid = (usize, DecisionId, u16, (DecisionId, u16));

/// Clients that share an engine, a clock that jumps, and the letters they may send again.
struct Crowd<'a> {
    engine: &'a Engine,
    persons: Vec<Vec<Identifier>>,
    clock_ms: AtomicI64,
    order: AtomicU64,
    numbers: AtomicU64,
    calls: Mutex<Vec<Call>>,
    /// Outcome letters by the contact they are about, so that one is sent by several clients.
    outcomes: Mutex<BTreeMap<(u128, u16, String), Letter>>,
    said: Mutex<Vec<SlotSaid>>,
}

impl<'a> Crowd<'a> {
    fn new(engine: &'a Engine) -> Self {
        let start: Timestamp = START.parse().unwrap();
        let identifiers = |person| vec![Identifier::new("user_id", &format!("person {person}"))];
        Self {
            engine,
            persons: (0..PERSONS).map(identifiers).collect(),
            clock_ms: AtomicI64::new(start.as_millisecond()),
            order: AtomicU64::new(0),
            numbers: AtomicU64::new(0),
            calls: Mutex::default(),
            outcomes: Mutex::default(),
            said: Mutex::default(),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock_ms.load(Ordering::SeqCst)).unwrap()
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn tick(&self) -> u64 {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    /// One client's share of the noise.
    fn client(&self, seed: u64, steps: usize) {
        let mut dice = Dice::new(seed);
        for _ in 0..steps {
            let jump_ms = match dice.below(20) {
                0 => 8 * 3_600_000,
                1..4 => -(dice.below(2_000) as i64),
                _ => dice.below(600_000) as i64,
            };
            self.clock_ms.fetch_add(jump_ms, Ordering::SeqCst);
            let person = dice.below(PERSONS);
            match dice.below(100) {
                0..55 => self.decide(&mut dice, person),
                55..70 => self.tell(person, letters::statement(&mut dice, false), self.number()),
                70..80 => {
                    let number = self.number();
                    let known = &self.persons[person];
                    let event = letters::event(&mut dice, number, known, "somewhere", true, 0, self.now());
                    self.tell(person, Says::Event(event), number);
                }
                80..99 => self.report(&mut dice),
                _ => {
                    let files = organisation::files(dice.below(organisation::STRATEGIES));
                    self.engine.publish(&files).map(drop).unwrap();
                }
            }
        }
    }

    fn decide(&self, dice: &mut Dice, person: usize) {
        let outbound = dice.in_thousand(400);
        let request = letters::request(dice, outbound, false);
        let ask = Ask { identifiers: self.persons[person].clone(), request, adjustments: Vec::new() };
        let (began, at, number) = (self.tick(), self.now(), self.number());
        let decided = self.engine.decide(&ask, at, dice.bits()).unwrap();
        let ticket = decided.ticket.expect("it is not a dry run");
        let place = ticket.version().0;
        ticket.wait().unwrap();
        let ended = self.tick();
        let decision = decided.decision;
        let new = decision.slots.iter().filter(|slot| slot.pick.is_some()).map(|slot| {
            let first = slot.reuses.map_or((decision.id, slot.number), |reuse| (reuse.decision, reuse.slot));
            (person, decision.id, slot.number, first)
        });
        self.said.lock().unwrap().extend(new);
        let what = What::Decided { published: decided.published, decision: Box::new(decision) };
        self.calls.lock().unwrap().push(Call { person, number, began, ended, place, at, what });
    }

    fn report(&self, dice: &mut Dice) {
        let Some((person, id, slot, first)) = dice.pick(&self.said.lock().unwrap()).copied() else { return };
        let report = letters::outcome(dice, id, slot, self.now());
        let key = (first.0.0, first.1, report.outcome.clone());
        let new = || Letter { number: self.number(), person, says: Says::Outcome { report, first } };
        let letter = self.outcomes.lock().unwrap().entry(key).or_insert_with(new).clone();
        self.tell(person, letter.says, letter.number);
    }

    /// Sends a letter until the store takes it.
    fn tell(&self, person: usize, says: Says, number: u64) {
        let letter = Letter { number, person, says };
        let (began, at) = (self.tick(), self.now());
        let (verdict, ticket) = loop {
            match letter.deliver(self.engine, &self.persons[person], at) {
                Err(EngineError::Store(StoreError::Conflict { .. })) => {}
                delivered => break delivered.unwrap(),
            }
        };
        let place = ticket.version().0;
        ticket.wait().unwrap();
        let ended = self.tick();
        if !matches!(verdict, Verdict::Rejected { .. }) {
            // The same word twice in one moment is one statement; said again, it is still what was said.
            let stated = matches!(letter.says, Says::Statement { .. });
            let duplicate = !stated && verdict == Verdict::Duplicate;
            let what = What::Told { letter, duplicate };
            self.calls.lock().unwrap().push(Call { person, number, began, ended, place, at, what });
        }
    }

    /// The calls in the store's order, which must be one that the clients can have seen.
    fn history(self) -> Vec<Call> {
        let mut calls = self.calls.into_inner().unwrap();
        calls.sort_by_key(|call| call.place);
        let mut latest_start = [0; PERSONS];
        for call in &calls {
            let latest = &mut latest_start[call.person];
            assert!(call.ended > *latest, "a call took effect after one that began when it had ended");
            *latest = call.began.max(*latest);
        }
        calls
    }
}

/// Tells the witness the whole story in the store's order.
fn witnessed(engine: &Engine, calls: Vec<Call>, persons: Vec<Vec<Identifier>>) -> Witness {
    let mut witness = Witness::default();
    witness.persons = persons.into_iter().map(|known| Person::new(known, "nobody".into())).collect();
    for Call { person, number, at, what, .. } in calls {
        let checked = match what {
            What::Decided { published, decision } => {
                witness.decided(person, number, at, &published.strategy, &decision)
            }
            What::Told { letter, duplicate } => witness.accepted(number, duplicate).and_then(|()| {
                if !matches!(letter.says, Says::Outcome { .. }) {
                    witness.introduced(person, number);
                }
                if duplicate { Ok(()) } else { meaning::note(&mut witness, engine, &letter, at) }
            }),
        };
        checked.unwrap_or_else(|violation| panic!("{violation} (call {number} of person {person})"));
        witness.acknowledged(number);
    }
    witness
}

/// Everybody at once on a store; then the house starts again on what `again` finds.
fn everybody_at_once(store: Arc<dyn Store>, seed: u64, again: impl FnOnce() -> Arc<dyn Store>) {
    let engine = Engine::open(store, &organisation::files(0), [7; 32]).unwrap();
    let crowd = Crowd::new(&engine);
    for person in 0..PERSONS {
        let says = Says::Statement {
            purpose: "offers",
            channel: None,
            status: decision::profile::ConsentStatus::Given,
        };
        crowd.tell(person, says, crowd.number());
    }
    thread::scope(|scope| {
        for client in 0..THREADS {
            let crowd = &crowd;
            scope.spawn(move || crowd.client(seed * THREADS + client, steps()));
        }
    });
    let persons = crowd.persons.clone();
    let mut witness = witnessed(&engine, crowd.history(), persons);
    assert!(witness.said > 20, "the crowd was told {} things", witness.said);
    drop(engine);
    let store = again();
    let engine = Engine::open(store.clone(), &organisation::files(0), [9; 32]).unwrap();
    witness.restarted(&engine).and_then(|()| witness.all_is_quiet(&engine, &*store)).unwrap();
}

#[test]
fn no_limit_is_passed_and_every_no_is_heeded_when_everybody_asks_at_once_in_memory() {
    let store = Arc::new(MemoryStore::new());
    everybody_at_once(store.clone(), 1, || store);
}

#[test]
fn no_limit_is_passed_and_every_no_is_heeded_when_everybody_asks_at_once_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(FjallStore::open(folder.path(), &Options::default()).unwrap());
    everybody_at_once(open(), 2, || open());
}

/// A store that takes its time to read a household, so that two who read it at once really do.
struct Slow(MemoryStore);

impl Store for Slow {
    fn get(&self, reads: &[Read]) -> Result<Vec<Row>, StoreError> {
        let rows = self.0.get(reads);
        if reads.iter().any(|read| read.table == Table::Household) {
            thread::sleep(std::time::Duration::from_millis(2));
        }
        rows
    }

    fn commit(&self, batch: Batch) -> Result<Ticket, StoreError> {
        self.0.commit(batch)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, storage::Value)>, StoreError> {
        self.0.scan(table, prefix, after, limit)
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        self.0.journal(after, limit)
    }

    fn erase_with(&self, customers: &[CustomerId], batch: Batch) -> Result<Ticket, StoreError> {
        self.0.erase_with(customers, batch)
    }
    fn vault(&self) -> Arc<dyn Vault> {
        self.0.vault()
    }

    fn expire(&self, at_ms: i64) -> Result<Expired, StoreError> {
        self.0.expire(at_ms)
    }

    fn health(&self) -> Health {
        self.0.health()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.0.close()
    }
}

fn of_household(engine: &Engine, person: usize, household: &str, attribute: &str, at: Timestamp) {
    let report = EventReport {
        id: format!("{household} {attribute}"),
        event: "customer_updated".into(),
        identifiers: vec![Identifier::new("user_id", &format!("person {person}"))],
        at: None,
        properties: BTreeMap::new(),
        attributes: BTreeMap::from([(attribute.to_owned(), Value::Bool(true))]),
        source: None,
        household: Some(household.to_owned()),
    };
    engine.ingest(&report, "", at).unwrap().1.wait().unwrap();
}

#[test]
fn what_two_members_tell_of_one_household_at_once_is_all_kept() {
    let store = Arc::new(Slow(MemoryStore::new()));
    let engine = Engine::open(store, &organisation::files(0), [7; 32]).unwrap();
    let (engine, at) = (&engine, START.parse().unwrap());
    for round in 0..20 {
        let household = format!("house {round}");
        let gate = std::sync::Barrier::new(2);
        thread::scope(|scope| {
            for (person, attribute) in [(1, "solar"), (2, "battery")] {
                let (gate, household) = (&gate, &household);
                scope.spawn(move || {
                    gate.wait();
                    of_household(engine, person, household, attribute, at);
                });
            }
        });
        let state = engine.customer(&[Identifier::new("user_id", "person 1")]).unwrap().unwrap();
        let kept: Vec<_> = state.household.unwrap().keys().map(|name| name.as_str().to_owned()).collect();
        assert_eq!(kept, ["battery", "solar"], "in round {round}");
    }
}

/// Rows that are being settled while their customer is erased and begins again: a reader sees the old
/// life or the new one, and never the old one again once it has been told that it is gone.
#[test]
fn an_erased_customer_never_comes_back_while_batches_settle() {
    let folder = tempfile::tempdir().unwrap();
    let store = &FjallStore::open(folder.path(), &Options::default()).unwrap();
    let lives = steps() as u64;
    let gone = &AtomicU64::new(0);
    let read = |customer| [Read::new(Table::Profile, key::customer(customer)), Read::new(Table::Record, "d")];
    thread::scope(|scope| {
        scope.spawn(move || {
            let customer = CustomerId(7);
            for life in 1..=lives {
                let put = |table, key: Vec<u8>| Write::put(table, key, life.to_be_bytes()).owned_by(customer);
                let writes =
                    vec![put(Table::Profile, key::customer(customer)), put(Table::Record, b"d".to_vec())];
                let born = store.commit(Batch { writes, journal: Vec::new() }).unwrap();
                if life % 3 == 0 {
                    born.wait().unwrap();
                }
                let erased = store.erase(customer).unwrap();
                gone.store(life, Ordering::SeqCst);
                if life % 2 == 0 {
                    erased.wait().unwrap();
                }
            }
            gone.store(u64::MAX, Ordering::SeqCst);
        });
        for _ in 0..3 {
            scope.spawn(move || {
                loop {
                    let before = gone.load(Ordering::SeqCst);
                    for row in store.get(&read(CustomerId(7))).unwrap() {
                        let life = row.value().map(|bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
                        assert!(life.is_none_or(|life| life > before), "life {life:?} after {before}");
                    }
                    if before == u64::MAX {
                        return;
                    }
                }
            });
        }
    });
}

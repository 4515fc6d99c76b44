//! Does the whole engine keep its promises over months of trouble? One seed decides everything: who asks
//! what, how time passes, when the disk is slow, full or without power. The same seed gives the same story.
//!
//! The story of one step, in [`Simulation::step`]: time passes; a client sends a [`letters::Letter`] or asks
//! for a decision, or the house does its chores (learn, rebuild, expire, publish), or the power fails; the
//! disk makes some of what is queued durable ([`disk`]), and whose ticket resolved is told so. The
//! [`witness`] remembers what each client was told and checks every answer against it. There is one thread:
//! requests overlap because their tickets resolve later, in an order the seed decides.
//!
//! Not simulated: sockets, real disks, threads (the tests of this crate do those on the real stores).

mod clients;
mod clock;
pub mod dice;
pub mod disk;
mod journal;
pub mod letters;
pub mod meaning;
pub mod organisation;
pub mod witness;

use clock::Clock;
use decision::{Timestamp, id::DecisionId, invariant::Violation};
use dice::Dice;
use disk::{Flaw, SimulatedStore};
use engine::{
    Engine, Identifier, last_published,
    storage::{Store, Ticket},
};
use journal::{Entry, wrong};
use letters::Letter;
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use witness::{Person, Witness};

/// Steps of a story when nothing else is said: a few months.
pub const STEPS: usize = 500;
const PERSONS: usize = 10;
const HISTORY_LINES: usize = 40;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Decides everything.
    pub seed: u64,
    /// How many steps the story has.
    pub steps: usize,
    /// What is deliberately wrong.
    pub wrong: Option<Wrong>,
}

/// Something that is deliberately wrong, to prove that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The store.
    Store(Flaw),
    /// The clock the engine is given for decisions: days ahead or behind.
    Clock,
}

/// How a story went.
#[derive(Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Virtual days.
    pub days: i64,
    /// Decisions answered, slots filled, letters sent, crashes survived.
    pub counts: [u64; 4],
    /// BLAKE3 over every line of the story and every record.
    pub digest: String,
    /// The broken promise, at which step, and the last lines before it.
    pub broken: Option<(usize, Violation, Vec<String>)>,
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [decisions, said, letters, crashes] = self.counts;
        write!(
            formatter,
            "seed {}: {} days, {decisions} decisions, {said} slots filled, {letters} letters, {crashes} crashes, {}",
            self.seed,
            self.days,
            &self.digest[..16]
        )?;
        if let Some((step, violation, lines)) = &self.broken {
            write!(formatter, "\n{violation} (step {step})")?;
            lines.iter().try_for_each(|line| write!(formatter, "\n  {line}"))?;
        }
        Ok(())
    }
}

/// Lives through one story, or up to the first broken promise.
pub fn run(plan: Plan) -> Report {
    let mut simulation = Simulation::new(plan);
    let started = simulation.clock.now();
    let broken = simulation.live().err();
    let days = (simulation.clock.now().as_second() - started.as_second()) / 86_400;
    let witness = &simulation.witness;
    Report {
        seed: plan.seed,
        days,
        counts: [
            witness.answers.len() as u64,
            witness.said,
            simulation.sent.len() as u64,
            simulation.crashes,
        ],
        digest: simulation.digest.finalize().to_hex().to_string(),
        broken: broken.map(|violation| (simulation.step, violation, simulation.recent.into())),
    }
}

/// Something sent whose ticket has not resolved.
struct Waiting {
    number: u64,
    what: Sent,
    ticket: Ticket,
}

enum Sent {
    Decision,
    Letter(Letter),
    Erasure { person: usize },
}

struct Simulation {
    plan: Plan,
    /// Nobody withdraws and nobody is erased: a rebuilt model must then equal the one before.
    gentle: bool,
    dice: Dice,
    clock: Clock,
    store: Arc<SimulatedStore>,
    engine: Engine,
    witness: Witness,
    waiting: Vec<Waiting>,
    unsent: Vec<Letter>,
    sent: Vec<Letter>,
    outcomes: BTreeMap<(DecisionId, u16, String), Letter>,
    journal_read: u64,
    next_number: u64,
    next_marker: u64,
    crashes: u64,
    step: usize,
    recent: VecDeque<String>,
    digest: blake3::Hasher,
}

impl Simulation {
    fn new(plan: Plan) -> Self {
        let mut dice = Dice::new(plan.seed);
        let clock = Clock::new(&mut dice);
        let flaw = match plan.wrong {
            Some(Wrong::Store(flaw)) => Some(flaw),
            _ => None,
        };
        let store = SimulatedStore::open(disk::Disk::default(), dice.bits(), flaw);
        let engine = Engine::open(store.clone(), &organisation::files(0), [7; 32]);
        let gentle = dice.in_thousand(250);
        let mut simulation = Self {
            plan,
            gentle,
            dice,
            clock,
            store,
            engine: engine.expect("the strategy checks and the disk is new"),
            witness: Witness::default(),
            waiting: Vec::new(),
            unsent: Vec::new(),
            sent: Vec::new(),
            outcomes: BTreeMap::new(),
            journal_read: 0,
            next_number: 0,
            next_marker: 0,
            crashes: 0,
            step: 0,
            recent: VecDeque::new(),
            digest: blake3::Hasher::new(),
        };
        for person in 0..PERSONS {
            let marker = simulation.marker();
            let identifiers = vec![
                Identifier::new("user_id", &format!("person {person}")),
                Identifier::new("email", &format!("p{person}@example.org")),
            ];
            simulation.witness.persons.push(Person::new(identifiers, marker));
        }
        simulation
    }

    fn live(&mut self) -> Result<(), Violation> {
        for step in 0..self.plan.steps {
            self.step = step;
            self.step()?;
            if step % 60 == 59 {
                self.quiet()?;
            }
        }
        self.quiet()?;
        self.crash()?;
        self.quiet()?;
        let mut failure = None;
        let replayed = self.engine.replay_all(&mut |_, replayed| {
            failure = failure.take().or(replayed.as_ref().err().map(|failure| failure.why.clone()));
        });
        replayed.map_err(|error| wrong("INV-1", error.to_string()))?;
        failure.map_or(Ok(()), |why| Err(wrong("INV-1", why)))
    }

    fn step(&mut self) -> Result<(), Violation> {
        self.clock.pass(&mut self.dice);
        self.store.prompt(false);
        self.store.trouble(15, 5);
        match self.dice.below(1000) {
            0..330 => self.decide(false)?,
            330..370 => self.decide(true)?,
            370..390 => {
                for person in 0..PERSONS {
                    self.decide_for(person, true, false)?;
                }
            }
            390..540 => self.send_event()?,
            540..640 => self.send_statement()?,
            640..860 => self.send_outcome()?,
            860..900 => self.send_again()?,
            900..915 if !self.gentle => self.erase()?,
            915..940 => self.learn()?,
            940..947 => self.rebuild()?,
            947..957 => self.expire(),
            957..970 => self.publish(),
            970..985 => self.crash()?,
            _ => self.say("nothing".into()),
        }
        self.watch_journal()?;
        if self.dice.in_thousand(600) {
            let steps = self.dice.below(6);
            self.store.settle(steps);
            self.tell();
        }
        Ok(())
    }

    fn say(&mut self, line: String) {
        let line = format!("{:>4} {} {line}", self.step, self.clock.now());
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        if self.recent.len() == HISTORY_LINES {
            self.recent.pop_front();
        }
        self.recent.push_back(line);
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    fn marker(&mut self) -> String {
        self.next_marker += 1;
        format!("only-of-{:04}", self.next_marker)
    }

    /// Somebody who is not waiting to be forgotten.
    fn somebody(&mut self) -> Option<usize> {
        let person = self.dice.below(PERSONS);
        self.witness.persons[person].erasing.is_none().then_some(person)
    }

    /// The moment the engine is told.
    fn asked_at(&mut self) -> Timestamp {
        let now = self.clock.now();
        match self.plan.wrong {
            Some(Wrong::Clock) => {
                let days = self.dice.below(40) as i64 - 10;
                now + decision::Duration::from_hours(24 * days)
            }
            _ => now,
        }
    }

    fn learn(&mut self) -> Result<(), Violation> {
        self.store.prompt(true);
        self.tell();
        match self.engine.learn(self.clock.now()) {
            Ok(learned) => self.say(format!("learned {} rows: {}", learned.rows, learned.model)),
            Err(error) => self.failed("learning", &error)?,
        }
        Ok(())
    }

    fn rebuild(&mut self) -> Result<(), Violation> {
        self.store.prompt(true);
        self.tell();
        match self.engine.rebuild(self.clock.now()) {
            Ok(rebuilt) => {
                self.say(format!("rebuilt from {} rows: {}", rebuilt.rows, rebuilt.model));
                self.witness.rebuilt();
                if !self.witness.masked && rebuilt.model != rebuilt.before {
                    return Err(wrong("rebuild", "the same journal gives another model"));
                }
            }
            Err(error) => self.failed("rebuilding", &error)?,
        }
        Ok(())
    }

    fn expire(&mut self) {
        let expired = self.store.expire(self.clock.now().as_millisecond());
        self.say(format!("expired {expired:?}"));
    }

    fn publish(&mut self) {
        self.store.prompt(true);
        self.tell();
        let variant = self.dice.below(organisation::STRATEGIES);
        let published = self.engine.publish(&organisation::files(variant)).is_ok();
        self.say(format!("strategy {variant} published: {published}"));
    }

    /// The power fails; the house starts again on what survived.
    fn crash(&mut self) -> Result<(), Violation> {
        let survivors = self.dice.below(self.store.queued() + 1);
        let disk = self.store.crash(survivors);
        self.say(format!("the power fails, {survivors} queued steps survive"));
        self.crashes += 1;
        self.tell();
        let flaw = match self.plan.wrong {
            Some(Wrong::Store(flaw)) => Some(flaw),
            _ => None,
        };
        self.store = SimulatedStore::open(disk, self.dice.bits(), flaw);
        let files = last_published(&*self.store).ok().flatten().unwrap_or_else(|| organisation::files(0));
        let opened = Engine::open(self.store.clone(), &files, [9; 32]);
        self.engine = opened.map_err(|error| wrong("INV-3", format!("it does not start again: {error}")))?;
        self.journal_read = self.store.health().journal_sequence;
        self.witness.restarted(&self.engine)
    }

    /// Tells everybody whose ticket resolved. Who was told of a failure sends again later.
    fn tell(&mut self) {
        let mut still = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            match Pin::new(&mut waiting.ticket).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => still.push(waiting),
                Poll::Ready(Ok(())) => self.told(&waiting.what, waiting.number),
                Poll::Ready(Err(_)) => match waiting.what {
                    Sent::Letter(letter) if self.witness.standing(letter.number).is_some() => {
                        self.unsent.push(letter);
                    }
                    _ => {}
                },
            }
        }
        self.waiting = still;
    }

    fn told(&mut self, what: &Sent, number: u64) {
        match what {
            Sent::Decision => self.witness.acknowledged(number),
            Sent::Letter(_) if self.witness.standing(number).is_none() => {}
            Sent::Letter(_) => self.witness.acknowledged(number),
            Sent::Erasure { person } => {
                self.witness.acknowledged(number);
                self.witness.persons[*person].erasing = None;
            }
        }
    }

    /// INV-7: what was put into the journal since the last look is permitted now. (A decision about nobody
    /// stands for itself and has no consents.)
    fn may_learn(&mut self, person: usize) -> Result<(), Violation> {
        for (_, entry) in self.new_entries()? {
            if let Entry::Learn(learning::Row::Exposure(exposure)) = entry
                && exposure.subject != exposure.id.decision
                && self.witness.withheld(person, &exposure.purpose, &exposure.channel)
            {
                return Err(wrong("INV-7", format!("`{}` is learned from after a no", exposure.action)));
            }
        }
        Ok(())
    }

    fn watch_journal(&mut self) -> Result<(), Violation> {
        self.new_entries().map(drop)
    }

    fn new_entries(&mut self) -> Result<Vec<(u64, Entry)>, Violation> {
        let entries = self.store.queued_journal(self.journal_read);
        self.journal_read = entries.last().map_or(self.journal_read, |entry| entry.sequence);
        journal::read(&entries)
    }

    /// Lets everybody finish, then everything must add up.
    fn quiet(&mut self) -> Result<(), Violation> {
        self.store.trouble(0, 0);
        self.store.prompt(true);
        self.tell();
        while let Some(letter) = self.unsent.pop() {
            self.deliver(letter)?;
        }
        for person in 0..PERSONS {
            if self.witness.persons[person].erasing.is_some() {
                if let Some(ticket) = self.forget(person)? {
                    ticket.wait().map_err(|error| wrong("INV-9", error.to_string()))?;
                    self.witness.must_unlearn();
                }
                self.witness.persons[person].erasing = None;
            }
        }
        self.tell();
        self.witness.all_is_quiet(&self.engine, &*self.store)
    }
}

//! What do clients do in one step? They ask for decisions, send letters, send them again, and ask to be
//! forgotten.

use super::{
    Sent, Simulation, Waiting,
    journal::wrong,
    letters::{self, Letter, Says},
    meaning,
    witness::{Answered, Standing},
};
use decision::invariant::Violation;
use engine::{
    Ask, EngineError, Verdict,
    storage::{Store, StoreError, Ticket},
};

impl Simulation {
    pub(super) fn decide(&mut self, dry_run: bool) -> Result<(), Violation> {
        let Some(person) = self.somebody() else { return Ok(()) };
        let outbound = self.dice.in_thousand(400);
        self.decide_for(person, outbound, dry_run)
    }

    pub(super) fn decide_for(
        &mut self,
        person: usize,
        outbound: bool,
        dry_run: bool,
    ) -> Result<(), Violation> {
        if self.witness.persons[person].erasing.is_some() {
            return Ok(());
        }
        let request = letters::request(&mut self.dice, outbound, dry_run);
        let identifiers = self.witness.persons[person].identifiers.clone();
        let before = if dry_run { self.engine.customer(&identifiers).ok() } else { None };
        let queued = self.store.queued();
        let ask = Ask { identifiers: identifiers.clone(), request, adjustments: Vec::new() };
        let (asked_at, seed) = (self.asked_at(), self.dice.bits());
        let decided = match self.engine.decide(&ask, asked_at, seed) {
            Ok(decided) => decided,
            Err(error) => return self.failed("decide", &error),
        };
        let number = self.number();
        let slots = decided.answer.slots.iter();
        let said: Vec<_> = slots
            .map(|slot| slot.action.as_ref().map_or("nothing", |action| action.as_str()).to_owned())
            .collect();
        let channel = ask.request.channel.as_str();
        self.say(format!(
            "person {person} asks on {channel}{}: {said:?}",
            if dry_run { ", dry" } else { "" }
        ));
        self.digest.update(&decided.decision.encode());
        let Some(ticket) = decided.ticket else {
            self.store.trouble(0, 0);
            let after = self.engine.customer(&identifiers).ok();
            let untouched = self.store.queued() == queued && (before.is_none() || before == after);
            return if untouched { Ok(()) } else { Err(wrong("INV-11", "a dry run left a trace")) };
        };
        self.may_learn(person)?;
        let at = self.clock.now();
        self.witness.decided(person, number, at, &decided.published.strategy, &decided.decision)?;
        self.waiting.push(Waiting { number, what: Sent::Decision, ticket });
        Ok(())
    }

    /// What could not be done is tried again later, or after a restart; anything else is a bug.
    pub(super) fn failed(&mut self, what: &str, error: &EngineError) -> Result<(), Violation> {
        self.say(format!("{what} fails: {error}"));
        match error {
            EngineError::Store(StoreError::Busy | StoreError::Unreadable { .. }) => Ok(()),
            other => Err(wrong("engine", format!("{what} fails: {other}"))),
        }
    }

    pub(super) fn send_event(&mut self) -> Result<(), Violation> {
        let Some(person) = self.somebody() else { return Ok(()) };
        let (number, now) = (self.number(), self.clock.now());
        let known = &self.witness.persons[person];
        let sure = self.witness.is_known(person);
        let event =
            letters::event(&mut self.dice, number, &known.identifiers, &known.marker, sure, person / 2, now);
        self.deliver(Letter { number, person, says: Says::Event(event) })
    }

    pub(super) fn send_statement(&mut self) -> Result<(), Violation> {
        let Some(person) = self.somebody() else { return Ok(()) };
        let (number, says) = (self.number(), letters::statement(&mut self.dice, self.gentle));
        let opposite = letters::opposite(&says);
        self.deliver(Letter { number, person, says })?;
        if self.dice.in_thousand(150) && !self.gentle {
            self.clock.step_back(&mut self.dice);
            let number = self.number();
            self.deliver(Letter { number, person, says: opposite })?;
        }
        Ok(())
    }

    pub(super) fn send_outcome(&mut self) -> Result<(), Violation> {
        let sure = |answer: &&Answered| self.witness.standing(answer.by) == Some(Standing::Sure);
        let answers: Vec<_> = self.witness.answers.iter().filter(sure).collect();
        let recent = answers.len().saturating_sub(if self.dice.in_thousand(700) { 12 } else { 200 });
        let Some(answer) = self.dice.pick(&answers[recent..]) else { return Ok(()) };
        let Some((slot, first, first_slot)) = self.dice.pick(&answer.said).copied() else { return Ok(()) };
        let (person, decision) = (answer.person, answer.id);
        if self.witness.persons[person].erasing.is_some() {
            return Ok(());
        }
        let report = letters::outcome(&mut self.dice, decision, slot, self.clock.now());
        let key = (first, first_slot, report.outcome.clone());
        let letter = match self.outcomes.get(&key) {
            Some(before) => before.clone(),
            None => Letter {
                number: self.number(),
                person,
                says: Says::Outcome { report, first: (first, first_slot) },
            },
        };
        self.outcomes.entry(key).or_insert_with(|| letter.clone());
        self.deliver(letter)
    }

    /// Sends something that failed, or something old once more.
    pub(super) fn send_again(&mut self) -> Result<(), Violation> {
        if !self.unsent.is_empty() {
            let letter = self.unsent.swap_remove(self.dice.below(self.unsent.len()));
            return self.deliver(letter);
        }
        let Some(letter) = self.dice.pick(&self.sent).cloned() else { return Ok(()) };
        match letter.says {
            Says::Statement { .. } => Ok(()),
            _ => self.deliver(letter),
        }
    }

    pub(super) fn deliver(&mut self, letter: Letter) -> Result<(), Violation> {
        let (person, number) = (letter.person, letter.number);
        if self.witness.persons[person].erasing.is_some() {
            return Ok(());
        }
        if let Says::Statement { purpose, .. } = letter.says
            && self.witness.heard_since(person, number, purpose)
        {
            return Ok(());
        }
        let now = self.clock.now();
        let identifiers = self.witness.persons[person].identifiers.clone();
        let (verdict, ticket) = match letter.deliver(&self.engine, &identifiers, now) {
            Ok(done) => done,
            Err(error) => {
                self.unsent.push(letter);
                return self.failed("a letter", &error);
            }
        };
        let code = match &verdict {
            Verdict::Accepted => "accepted",
            Verdict::Duplicate => "known",
            Verdict::Rejected { code, .. } => code,
        };
        self.say(format!("person {person}: {}: {code}", letter.summary()));
        self.may_learn(person)?;
        if !matches!(verdict, Verdict::Rejected { .. }) {
            // The same word twice in one moment is one statement; said again, it is still what was said.
            let stated = matches!(letter.says, Says::Statement { .. });
            let known = self.witness.standing(number).is_some();
            let duplicate = if stated { known } else { verdict == Verdict::Duplicate };
            self.witness.accepted(number, duplicate)?;
            if !matches!(letter.says, Says::Outcome { .. }) {
                self.witness.introduced(person, number);
            }
            if stated || verdict == Verdict::Accepted {
                self.store.trouble(0, 0);
                meaning::note(&mut self.witness, &self.engine, &letter, now)?;
            }
            self.sent.push(letter.clone());
        }
        self.waiting.push(Waiting { number, what: Sent::Letter(letter), ticket });
        Ok(())
    }

    pub(super) fn erase(&mut self) -> Result<(), Violation> {
        let Some(person) = self.somebody() else { return Ok(()) };
        let own = |letter: &Letter| letter.person == person;
        let busy = self.waiting.iter().any(|waiting| match &waiting.what {
            Sent::Decision => true,
            Sent::Letter(letter) => own(letter),
            Sent::Erasure { .. } => false,
        });
        if busy || self.unsent.iter().any(own) {
            return Ok(());
        }
        let number = self.number();
        match self.forget(person)? {
            Some(ticket) => {
                let marker = self.marker();
                self.sent.retain(|letter| !own(letter) || self.witness.about_nobody(letter));
                self.outcomes.retain(|_, letter| !own(letter) || self.witness.about_nobody(letter));
                self.witness.erased(person, number, marker);
                self.waiting.push(Waiting { number, what: Sent::Erasure { person }, ticket });
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Erases a person at the store, when the engine knows them and the store takes it.
    pub(super) fn forget(&mut self, person: usize) -> Result<Option<Ticket>, Violation> {
        let identifiers = self.witness.persons[person].identifiers.clone();
        let id = match self.engine.find(&identifiers) {
            Ok(id) => id,
            Err(error) => return self.failed("finding a person", &error).map(|()| None),
        };
        self.say(format!("person {person} is to be forgotten"));
        let Some(id) = id else { return Ok(None) };
        match self.store.erase(id) {
            Ok(ticket) => Ok(Some(ticket)),
            Err(error) => self.failed("an erasure", &error.into()).map(|()| None),
        }
    }
}

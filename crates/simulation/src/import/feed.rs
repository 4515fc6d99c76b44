//! How do gathered rows enter the engine? One after the other, each arriving at the moment it happened, so
//! that the engine knows at any moment what was known then and nothing else.

use super::{
    Happened, Item, Mapping, Tally,
    facts::{CONTACT, Facts},
};
use decision::Timestamp;
use engine::{
    Engine, EngineError, Verdict,
    storage::{StoreError, Ticket},
};
use std::{collections::VecDeque, thread, time::Duration};

/// Of so many rows one is remembered as a mark of how far the store is.
const ROWS_PER_MARK: usize = 256;
/// So many marks may be queued before the oldest is awaited.
const MARKS_MAX: usize = 512;
/// How long to wait for a store that takes nothing while nothing of ours is queued.
const BUSY_WAIT: Duration = Duration::from_millis(10);

/// Rows on their way into an engine.
pub struct Feed<'a> {
    engine: &'a Engine,
    mapping: &'a Mapping,
    facts: Facts<'a>,
    moment: Option<Timestamp>,
    queued: usize,
    marks: VecDeque<Ticket>,
}

impl<'a> Feed<'a> {
    /// Nothing taken yet.
    pub fn new(engine: &'a Engine, mapping: &'a Mapping) -> Self {
        Self {
            engine,
            mapping,
            facts: Facts::new(&mapping.facts),
            moment: None,
            queued: 0,
            marks: VecDeque::new(),
        }
    }

    /// Takes the next row in order of time. When it is later than the one before, what was counted at that
    /// earlier moment becomes known first.
    pub fn take(&mut self, item: &Item, tally: &mut Tally) -> Result<(), EngineError> {
        if self.moment.is_some_and(|moment| moment < item.at) {
            self.settle()?;
        }
        self.moment = Some(item.at);
        let verdict = self.tell(|engine| match &item.happened {
            Happened::Event(report) => engine.ingest(report, &item.place, item.at),
            Happened::Consent(report) => engine.consent(report, &item.place, item.at),
            Happened::Contact(contact) => engine.record_contact(contact, &item.place, item.at),
            Happened::Silence(silence) => engine.record_silence(silence, &item.place, item.at),
            Happened::Outcome(outcome) => engine.record_outcome(outcome, &item.place, item.at),
        })?;
        let source = &self.mapping.sources[item.source].name;
        match verdict {
            Verdict::Rejected { message, .. } => {
                tally.reject(source, item.place.clone(), message);
                return Ok(());
            }
            Verdict::Duplicate if !is_repeated_outcome(item) => {
                tally.source(source).duplicates += 1;
            }
            _ => {}
        }
        self.count(item);
        Ok(())
    }

    /// Makes known what was counted up to now.
    pub fn settle(&mut self) -> Result<(), EngineError> {
        let Some(moment) = self.moment else {
            return Ok(());
        };
        for report in self.facts.changed() {
            self.tell(|engine| engine.ingest(&report, "facts", moment))?;
        }
        Ok(())
    }

    /// Makes known what was counted last, and waits until everything is durable.
    pub fn finish(mut self) -> Result<(), EngineError> {
        self.settle()?;
        self.marks.drain(..).try_for_each(Ticket::wait)?;
        loop {
            match self.engine.flush() {
                Err(EngineError::Store(StoreError::Busy)) => self.make_room()?,
                flushed => return flushed,
            }
        }
    }

    fn count(&mut self, item: &Item) {
        let (row, at) = (item.row.as_str(), item.at);
        match &item.happened {
            Happened::Event(report) => {
                self.facts.count(&report.identifiers[0], &report.event, row, at);
            }
            Happened::Contact(contact) => {
                self.facts.count(&contact.identifiers[0], CONTACT, row, at);
            }
            Happened::Silence(_) | Happened::Consent(_) => {}
            Happened::Outcome(outcome) => self.facts.count_outcome(
                &outcome.identifiers[0],
                &outcome.contact,
                outcome.outcome.as_str(),
                row,
                at,
            ),
        }
    }

    /// Tells the engine, as soon as its store takes more.
    fn tell(
        &mut self,
        say: impl Fn(&Engine) -> Result<(Verdict, Ticket), EngineError>,
    ) -> Result<Verdict, EngineError> {
        let (verdict, ticket) = loop {
            match say(self.engine) {
                Err(EngineError::Store(StoreError::Busy)) => self.make_room()?,
                told => break told?,
            }
        };
        self.queued += 1;
        if self.queued.is_multiple_of(ROWS_PER_MARK) {
            self.marks.push_back(ticket);
        }
        if self.marks.len() > MARKS_MAX {
            self.make_room()?;
        }
        Ok(verdict)
    }

    fn make_room(&mut self) -> Result<(), EngineError> {
        match self.marks.pop_front() {
            Some(oldest) => Ok(oldest.wait()?),
            None => {
                thread::sleep(BUSY_WAIT);
                Ok(())
            }
        }
    }
}

/// A second outcome of the same contact is expected, and no sign that the row was imported before.
fn is_repeated_outcome(item: &Item) -> bool {
    matches!(item.happened, Happened::Outcome(_))
}

//! How do gathered rows enter the engine? One after the other, each arriving at the moment it happened, so
//! that the engine knows at any moment what was known then and nothing else.

use super::{
    Happened, Item, Mapping, Tally,
    facts::{CONTACT, Facts},
};
use decision::Timestamp;
use engine::{Engine, EngineError, Verdict, storage::Ticket};

/// So many rows may be queued before their durability is awaited.
const QUEUED_MAX: usize = 256;

/// Rows on their way into an engine.
pub struct Feed<'a> {
    engine: &'a Engine,
    mapping: &'a Mapping,
    facts: Facts<'a>,
    moment: Option<Timestamp>,
    queued: usize,
}

impl<'a> Feed<'a> {
    /// Nothing taken yet.
    pub fn new(engine: &'a Engine, mapping: &'a Mapping) -> Self {
        Self { engine, mapping, facts: Facts::new(&mapping.facts), moment: None, queued: 0 }
    }

    /// Takes the next row in order of time. When it is later than the one before, what was counted at that
    /// earlier moment becomes known first.
    pub fn take(&mut self, item: &Item, tally: &mut Tally) -> Result<(), EngineError> {
        if self.moment.is_some_and(|moment| moment < item.at) {
            self.settle()?;
        }
        self.moment = Some(item.at);
        let (verdict, ticket) = match &item.happened {
            Happened::Event(report) => self.engine.ingest(report, &item.place, item.at)?,
            Happened::Contact(contact) => self.engine.record_contact(contact, &item.place, item.at)?,
            Happened::Silence(silence) => self.engine.record_silence(silence, &item.place, item.at)?,
            Happened::Outcome(outcome) => self.engine.record_outcome(outcome, &item.place, item.at)?,
        };
        self.queue(ticket)?;
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
            let (_, ticket) = self.engine.ingest(&report, "facts", moment)?;
            self.queue(ticket)?;
        }
        Ok(())
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
            Happened::Silence(_) => {}
            Happened::Outcome(outcome) => self.facts.count_outcome(
                &outcome.identifiers[0],
                &outcome.contact,
                outcome.outcome.as_str(),
                row,
                at,
            ),
        }
    }

    fn queue(&mut self, ticket: Ticket) -> Result<(), EngineError> {
        self.queued += 1;
        if self.queued == QUEUED_MAX {
            self.queued = 0;
            ticket.wait()?;
        }
        Ok(())
    }
}

/// A second outcome of the same contact is expected, and no sign that the row was imported before.
fn is_repeated_outcome(item: &Item) -> bool {
    matches!(item.happened, Happened::Outcome(_))
}

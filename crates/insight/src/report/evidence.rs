//! What is the integrity report made from? Everything in the log that it adds up, and nothing else: one line each when
//! exported, so that anybody can add it up again.
//!
//! Customers are numbers that mean something in one export only. The groups in it are of protected attributes, so an
//! export is personal data all the same, and is made for those who audit.

use crate::protected;
use decision::{
    Timestamp,
    candidate::{Dropped, Fate},
    id::CustomerId,
    inputs::Assignment,
    profile::About,
    strategy::Strategy,
};
use engine::{AskedWhy, CameOf, Engine, EngineError, Observation, Subject};
use serde::Serialize;
use std::collections::BTreeMap;

/// Rows read at a time.
const PAGE: usize = 1_000;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// Something was decided.
    Decision {
        /// About whom; `None` when nobody was recognised.
        customer: Option<usize>,
        /// When, in milliseconds since 1970 UTC.
        at_ms: i64,
        /// Slots asked for.
        slots: usize,
        /// What was said.
        said: Vec<Said>,
        /// Principles that kept something from being said.
        vetoed_by: Vec<String>,
    },
    /// Something happened to a customer about whom something was decided.
    Happened {
        /// To whom.
        customer: usize,
        /// When, in milliseconds since 1970 UTC.
        at_ms: i64,
        /// What.
        event: String,
        /// `complaint`, `opt_out` or another outcome that the event is by itself.
        outcome: Option<String>,
    },
    /// A customer is in a protected group.
    Group {
        /// Who.
        customer: usize,
        /// The protected attribute.
        attribute: String,
        /// The group.
        group: String,
    },
    /// A customer spoke about a purpose.
    Consent {
        /// Who.
        customer: usize,
        /// The purpose.
        purpose: String,
        /// `given`, `refused`, `withdrawn`, `objected`, `lifted`.
        status: String,
        /// The month, `2026-03`.
        month: String,
    },
    /// What came of a customer of a control group, or of those for whom the strategy decides, in euro.
    CameOf {
        /// The group.
        group: String,
        /// For the customer.
        customer: f64,
        /// For the organisation.
        organisation: f64,
    },
    /// A human was asked.
    Review {
        /// `legal_effect` or `contested`.
        why: String,
        /// Whether it was approved, or taken back; `None` while it waits.
        approved: Option<bool>,
    },
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Said {
    /// The issue.
    pub issue: String,
    /// What is hoped for.
    pub goal: String,
    /// Within which time, in milliseconds.
    pub within_ms: i64,
}

/// Everything that the report adds up.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The lines.
    pub lines: Vec<Line>,
    /// The attributes that groups come from, also those of which nothing is known.
    pub protected: Vec<String>,
}

impl Evidence {
    /// Reads the log from `since` on and before `until`; what is known of customers, as of `at`.
    ///
    /// # Errors
    /// The store cannot be read, or a record is damaged.
    pub fn read(
        engine: &Engine,
        since: Timestamp,
        until: Timestamp,
        at: Timestamp,
    ) -> Result<Self, EngineError> {
        let published = engine.published();
        let mut reader = Reader { lines: Vec::new(), numbers: BTreeMap::new() };
        reader.decisions(engine, since, until)?;
        reader.happenings(engine, &published.strategy, since, until)?;
        reader.consents(engine, since, until)?;
        reader.groups(engine, &published.strategy, at)?;
        reader.came_of(engine, at)?;
        reader.reviews(engine, since, until)?;
        let protected = (0_u16..)
            .zip(&published.strategy.attributes)
            .filter(|(index, _)| protected::is_protected(&published.strategy, *index))
            .map(|(_, attribute)| attribute.name.to_string());
        Ok(Self { lines: reader.lines, protected: protected.collect() })
    }
}

struct Reader {
    lines: Vec<Line>,
    /// Customers, in the order in which something was decided about them.
    numbers: BTreeMap<u128, usize>,
}

impl Reader {
    fn number(&mut self, customer: CustomerId) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(customer.0).or_insert(next)
    }

    fn decisions(&mut self, engine: &Engine, since: Timestamp, until: Timestamp) -> Result<(), EngineError> {
        engine.each_decision(since, until, &mut |decision| {
            let published = match engine.strategy_at(decision.strategy) {
                Ok(published) => published,
                Err(EngineError::UnknownStrategy(_)) => return Ok(()),
                Err(error) => return Err(error),
            };
            let strategy = &published.strategy;
            let picks = decision.slots.iter().filter_map(|slot| slot.pick);
            let said = picks.map(|pick| said(strategy, decision.fates[usize::from(pick)].action)).collect();
            let mut vetoed_by: Vec<String> = decision
                .fates
                .iter()
                .filter_map(|candidate| match candidate.fate {
                    Fate::Dropped(Dropped::Principle { principle, .. }) => {
                        Some(strategy.principles[usize::from(principle)].id.to_string())
                    }
                    _ => None,
                })
                .collect();
            vetoed_by.sort_unstable();
            vetoed_by.dedup();
            let customer = decision.customer.map(|customer| self.number(customer));
            let (at_ms, slots) = (decision.at.as_millisecond(), decision.slots.len());
            self.lines.push(Line::Decision { customer, at_ms, slots, said, vetoed_by });
            Ok(())
        })
    }

    /// From `since` on; goals of what was said before `until` may come later.
    fn happenings(
        &mut self,
        engine: &Engine,
        strategy: &Strategy,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let outcome = |event: &str| {
            let declared = strategy.events.iter().find(|declared| declared.name.as_str() == event)?;
            declared.outcome.as_ref().map(ToString::to_string)
        };
        let until_ms = until.as_millisecond();
        engine.each_happening(&mut |happened| {
            let outcome = outcome(&happened.event).filter(|_| happened.at_ms < until_ms);
            if let Some(customer) = self.numbers.get(&happened.subject)
                && happened.at_ms >= since.as_millisecond()
            {
                let (customer, event) = (*customer, happened.event.to_string());
                self.lines.push(Line::Happened { customer, at_ms: happened.at_ms, event, outcome });
            }
        })
    }

    fn consents(&mut self, engine: &Engine, since: Timestamp, until: Timestamp) -> Result<(), EngineError> {
        let mut after = None;
        loop {
            let page = engine.customers_after(after, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for customer in &page {
                for statement in &customer.profile.consents {
                    let About::Purpose(purpose) = &statement.about else {
                        continue;
                    };
                    if statement.at < since || statement.at >= until {
                        continue;
                    }
                    let status = format!("{:?}", statement.status).to_lowercase();
                    let month = statement.at.to_string().chars().take(7).collect();
                    let line = Line::Consent {
                        customer: self.number(customer.id),
                        purpose: purpose.to_string(),
                        status,
                        month,
                    };
                    self.lines.push(line);
                }
            }
        }
    }

    fn groups(&mut self, engine: &Engine, strategy: &Strategy, at: Timestamp) -> Result<(), EngineError> {
        let table = protected::read(engine, strategy, at)?;
        for (attribute, groups) in &table.protected {
            for (id, group) in table.customers.iter().zip(&groups.of) {
                if let (Some(customer), Some(group)) = (self.numbers.get(&id.0), group) {
                    let (attribute, group) = (attribute.clone(), groups.parts[*group].clone());
                    self.lines.push(Line::Group { customer: *customer, attribute, group });
                }
            }
        }
        Ok(())
    }

    /// Of those who have been looked at for the whole time. A goal whose value is not known of a customer counts as
    /// the mean of those of which it is.
    fn came_of(&mut self, engine: &Engine, at: Timestamp) -> Result<(), EngineError> {
        let mut all: Vec<(Assignment, CameOf)> = Vec::new();
        engine.observe(at, &mut |Observation { subject, came_of, .. }| {
            if let (Subject::Control(group), Some(came_of)) = (subject, came_of) {
                all.push((group, came_of));
            }
        })?;
        let mut known: BTreeMap<String, (f64, f64, f64)> = BTreeMap::new();
        for goal in all.iter().flat_map(|(_, came_of)| &came_of.goals) {
            if let Some((customer, organisation)) = goal.value {
                let sums = known.entry(goal.event.to_string()).or_default();
                *sums =
                    (sums.0 + goal.times * customer, sums.1 + goal.times * organisation, sums.2 + goal.times);
            }
        }
        for (group, came_of) in all {
            let (mut customer, mut organisation) = (came_of.customer, came_of.organisation);
            for goal in &came_of.goals {
                let usual = known.get(goal.event.as_str()).map(|sums| (sums.0 / sums.2, sums.1 / sums.2));
                if let Some(value) = goal.value.or(usual) {
                    customer += goal.times * value.0;
                    organisation += goal.times * value.1;
                }
            }
            self.lines.push(Line::CameOf { group: word(group).to_owned(), customer, organisation });
        }
        Ok(())
    }

    fn reviews(&mut self, engine: &Engine, since: Timestamp, until: Timestamp) -> Result<(), EngineError> {
        let mut after = None;
        loop {
            let page = engine.reviews(after, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some((last.decision, last.slot, last.why));
            let asked = since.as_millisecond()..until.as_millisecond();
            for review in page.iter().filter(|review| asked.contains(&review.asked_at_ms)) {
                let why = match review.why {
                    AskedWhy::LegalEffect => "legal_effect",
                    AskedWhy::Contested => "contested",
                };
                let approved = review.settled.as_ref().map(|settled| settled.approved);
                self.lines.push(Line::Review { why: why.to_owned(), approved });
            }
        }
    }
}

fn said(strategy: &Strategy, action: u16) -> Said {
    let action = &strategy.actions[usize::from(action)];
    Said {
        issue: action.id.issue().to_owned(),
        goal: strategy.goal_event(action).to_string(),
        within_ms: i64::try_from(action.goal.within.as_millis()).unwrap_or(i64::MAX),
    }
}

/// What a group is called.
fn word(group: Assignment) -> &'static str {
    match group {
        Assignment::Silence => "silence",
        Assignment::RandomRelevant => "random",
        Assignment::Today => "today",
        _ => "strategy",
    }
}

//! What do clients send? Letters: things that may be sent again, late, and out of order, until somebody
//! says that they arrived.

use super::dice::Dice;
use decision::{
    Duration, Timestamp,
    id::{DecisionId, Language},
    profile::{About, ConsentStatus},
    request::{Direction, PlacementRequest, Request},
    value::Value,
};
use engine::{
    ConsentReport, Engine, EngineError, EventReport, Identifier, OutcomeReport, Verdict, storage::Ticket,
};
use std::collections::BTreeMap;

/// Something a client sends until it is acknowledged.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its number among everything sent.
    pub number: u64,
    /// Who it is about.
    pub person: usize,
    /// What it says.
    pub says: Says,
}

/// What a letter says.
#[derive(Debug, Clone)]
pub enum Says {
    /// Something happened.
    Event(EventReport),
    /// Yes or no to a purpose.
    Statement {
        /// Which purpose.
        purpose: &'static str,
        /// On which channel; `None`: on all.
        channel: Option<&'static str>,
        /// What was said.
        status: ConsentStatus,
    },
    /// What came of a decision; `first` is the decision and slot that made the contact.
    Outcome {
        /// As the channel reports it.
        report: OutcomeReport,
        /// The contact it belongs to.
        first: (DecisionId, u16),
    },
}

impl Letter {
    /// Delivers the letter.
    pub fn deliver(
        &self,
        engine: &Engine,
        identifiers: &[Identifier],
        at: Timestamp,
    ) -> Result<(Verdict, Ticket), EngineError> {
        match &self.says {
            Says::Event(report) => engine.ingest(report, &format!("{report:?}"), at),
            Says::Outcome { report, .. } => engine.report(report, &format!("{report:?}"), at),
            Says::Statement { purpose, channel, status } => {
                let report = ConsentReport {
                    channel: channel.map(Into::into),
                    ..ConsentReport::new(identifiers.to_vec(), About::Purpose((*purpose).into()), *status)
                };
                engine.consent(&report, &format!("{report:?}"), at)
            }
        }
    }

    /// For the history, without what makes it long.
    pub fn summary(&self) -> String {
        match &self.says {
            Says::Event(report) => format!("event {} {}", report.event, report.id),
            Says::Statement { purpose, channel, status } => {
                format!("{status:?} {purpose} on {}", channel.unwrap_or("every channel"))
            }
            Says::Outcome { report, .. } => format!("outcome {} of {}", report.outcome, report.decision),
        }
    }
}

/// An event of a person, some of them unknown to the strategy, some of them weeks late.
pub fn event(
    dice: &mut Dice,
    number: u64,
    identifiers: &[Identifier],
    marker: &str,
    known: bool,
    household: usize,
    now: Timestamp,
) -> EventReport {
    let names = [
        "customer_updated",
        "customer_updated",
        "customer_updated",
        "bought",
        "read",
        "complaint_opened",
        "complaint_closed",
        "complaint_closed",
        "repaired",
        "never_declared",
    ];
    let name = *dice.pick(&names).expect("there are events");
    let mut attributes = BTreeMap::new();
    let mut state = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
    if name == "customer_updated" {
        state("has_garden", Value::Bool(!dice.in_thousand(100)));
        state("solar", Value::Bool(dice.in_thousand(500)));
        state("owns_heater", Value::Bool(dice.in_thousand(150)));
    }
    // What cannot be linked to anybody yet cannot be forgotten with them: a reject of a stranger's input.
    if name != "never_declared" || known {
        state("town", Value::Text(marker.into()));
    }
    let late = Duration::from_secs(dice.below(20 * 86_400) as i64);
    EventReport {
        id: format!("e{number}"),
        event: name.to_owned(),
        identifiers: identifiers.to_vec(),
        at: dice.in_thousand(400).then(|| now - late),
        properties: BTreeMap::from([("amount".to_owned(), Value::Number(12.5))]),
        attributes,
        source: None,
        household: dice.in_thousand(500).then(|| format!("house {household}")),
    }
}

/// Yes or no to one of the purposes, on one channel or all.
pub fn statement(dice: &mut Dice, only_yes: bool) -> Says {
    let purpose = if dice.in_thousand(750) { "offers" } else { "advice" };
    let statuses = [
        ConsentStatus::Given,
        ConsentStatus::Given,
        ConsentStatus::Given,
        ConsentStatus::Withdrawn,
        ConsentStatus::Objected,
        ConsentStatus::Refused,
    ];
    let statuses = if only_yes { &statuses[..1] } else { &statuses[..] };
    let status = *dice.pick(statuses).expect("there are statuses");
    let channel = [None, None, None, Some("email"), Some("web")][dice.below(5)];
    Says::Statement { purpose, channel, status }
}

/// The same statement by somebody who changed their mind.
pub fn opposite(says: &Says) -> Says {
    match says {
        Says::Statement { purpose, channel, status } => Says::Statement {
            purpose,
            channel: *channel,
            status: match status {
                ConsentStatus::Given => ConsentStatus::Withdrawn,
                _ => ConsentStatus::Given,
            },
        },
        other => other.clone(),
    }
}

/// What came of a slot of a decision.
pub fn outcome(dice: &mut Dice, decision: DecisionId, slot: u16, now: Timestamp) -> OutcomeReport {
    let names = [
        "delivered",
        "delivered",
        "displayed",
        "displayed",
        "displayed",
        "clicked",
        "accepted",
        "dismissed",
        "rejected",
        "bought",
        "read",
    ];
    let name = *dice.pick(&names).expect("there are outcomes");
    let earlier = Duration::from_secs(dice.below(3_600) as i64);
    let at = dice.in_thousand(300).then(|| now - earlier);
    OutcomeReport { decision, slot, outcome: name.to_owned(), at }
}

/// A request on a channel.
pub fn request(dice: &mut Dice, outbound: bool, dry_run: bool) -> Request {
    let (channel, direction, placement) = match outbound {
        true => ("email", Direction::Outbound, "mail"),
        false => ("web", Direction::Inbound, "home"),
    };
    let slots = 1 + u16::from(dice.in_thousand(300));
    Request {
        channel: channel.into(),
        direction,
        placements: vec![PlacementRequest { placement: placement.into(), slots }],
        context: BTreeMap::new(),
        language: Some(Language::from("en")),
        global_privacy_control: false,
        dry_run,
    }
}

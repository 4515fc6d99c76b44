//! When is everybody, or somebody, decided about, and what was really done then?

use crate::import::{self, Everybody, Gathered, Happened, Item, Question};
use decision::{
    Timestamp,
    id::ActionId,
    request::{Direction, PlacementRequest, Request},
    strategy::Strategy,
};
use engine::{Engine, Identifier, PastContact, PastSilence};
use std::collections::BTreeSet;

/// One moment at which decisions are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    /// Its name; the id of the contacts that were really made on it when everybody is asked.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Whether its predictions are scored.
    pub scored: bool,
    /// What is asked of everybody; `None`: of those who were contacted, as they were.
    pub(super) request: Option<Request>,
}

/// What was really done with one customer.
pub(super) enum Made<'a> {
    Contact(&'a PastContact),
    Silence(&'a PastSilence),
}

/// All occasions, in order of time.
pub(super) fn all(
    question: &Question,
    gathered: &Gathered,
    engine: &Engine,
) -> Result<Vec<Occasion>, String> {
    let published = engine.published();
    let strategy = &published.strategy;
    let zone = &strategy.organisation.time_zone;
    let mut occasions = match &question.everybody {
        Some(everybody) => rows(everybody, gathered, strategy)?,
        None => moments(&gathered.items),
    };
    for occasion in &mut occasions {
        occasion.scored = occasion.at.to_zoned(zone.clone()).date() > question.scored_after;
    }
    occasions.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    Ok(occasions)
}

fn rows(everybody: &Everybody, gathered: &Gathered, strategy: &Strategy) -> Result<Vec<Occasion>, String> {
    let rows = gathered.tables.get(&everybody.table).into_iter().flatten();
    let occasion = |(_, fields): (&String, &import::Fields)| {
        let column = &everybody.contact;
        let id = fields.get(column).ok_or_else(|| format!("there is no column `{column}`"))?;
        let request = Request {
            channel: everybody.channel.as_str().into(),
            direction: Direction::Outbound,
            placements: vec![PlacementRequest { placement: everybody.placement.as_str().into(), slots: 1 }],
            context: import::context(&everybody.context, fields, strategy)?,
            language: None,
            global_privacy_control: false,
            dry_run: true,
        };
        let at = import::moment(&everybody.at, fields, strategy)?;
        Ok(Occasion { id: id.clone(), at, scored: false, request: Some(request) })
    };
    rows.map(occasion).collect()
}

fn moments(items: &[Item]) -> Vec<Occasion> {
    let moments: BTreeSet<Timestamp> = items.iter().filter_map(made).map(|made| made.at()).collect();
    let occasion = |at: Timestamp| Occasion { id: at.to_string(), at, scored: false, request: None };
    moments.into_iter().map(occasion).collect()
}

fn made(item: &Item) -> Option<Made<'_>> {
    match &item.happened {
        Happened::Contact(contact) => Some(Made::Contact(contact)),
        Happened::Silence(silence) => Some(Made::Silence(silence)),
        Happened::Event(_) | Happened::Consent(_) | Happened::Outcome(_) => None,
    }
}

impl Occasion {
    /// What was really done on it; `items` are in order of time.
    pub(super) fn made<'a>(&self, items: &'a [Item]) -> Vec<Made<'a>> {
        let first = items.partition_point(|item| item.at < self.at);
        let then = items[first..].iter().take_while(|item| item.at == self.at).filter_map(made);
        then.filter(|made| self.request.is_none() || made.id() == self.id).collect()
    }
}

impl<'a> Made<'a> {
    pub fn who(&self) -> &'a Identifier {
        match self {
            Self::Contact(contact) => &contact.identifiers[0],
            Self::Silence(silence) => &silence.identifiers[0],
        }
    }

    pub fn id(&self) -> &'a str {
        match self {
            Self::Contact(contact) => &contact.id,
            Self::Silence(silence) => &silence.id,
        }
    }

    pub fn at(&self) -> Timestamp {
        match self {
            Self::Contact(contact) => contact.at,
            Self::Silence(silence) => silence.at,
        }
    }

    pub fn probability(&self) -> Option<f32> {
        match self {
            Self::Contact(contact) => contact.probability,
            Self::Silence(silence) => silence.probability,
        }
    }

    /// What was said; `None` is silence.
    pub fn said(&self) -> Option<&'a ActionId> {
        match self {
            Self::Contact(contact) => Some(&contact.action),
            Self::Silence(_) => None,
        }
    }

    /// What was said, or withheld.
    pub fn actions(&self) -> &'a [ActionId] {
        match self {
            Self::Contact(contact) => std::slice::from_ref(&contact.action),
            Self::Silence(silence) => &silence.withheld,
        }
    }

    /// The same question, put to us without consequences.
    pub fn asked(&self) -> (Identifier, Request) {
        let request = match self {
            Self::Contact(contact) => &contact.request,
            Self::Silence(silence) => &silence.request,
        };
        (self.who().clone(), Request { dry_run: true, ..request.clone() })
    }
}

//! What the outside world shows the engine: events, moments to say something, consents, reactions.
//!
//! This is all the engine ever learns about a simulated customer.

use decision::{Timestamp, request::Direction, value::Value};
use std::collections::BTreeMap;

/// Something that happens to one customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// Which customer, by number.
    pub customer: usize,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A declared event, for `/v1/events`.
    Event {
        /// Its name.
        name: &'static str,
        /// Its properties.
        properties: BTreeMap<&'static str, Value>,
    },
    /// A statement about a purpose, for `/v1/consents`.
    Consent {
        /// The purpose.
        purpose: &'static str,
        /// Given, or else withdrawn.
        given: bool,
        /// An objection rather than a withdrawal.
        objection: bool,
    },
    /// A moment at which something can be said.
    Moment(Moment),
}

/// A moment at which something can be said.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Over which channel.
    pub channel: &'static str,
    /// Who starts.
    pub direction: Direction,
    /// Places that can be filled, with their slots.
    pub placements: Vec<(&'static str, u16)>,
    /// What the channel tells about the moment.
    pub context: BTreeMap<&'static str, Value>,
}

/// What a customer does at once with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Looked closer.
    Clicked,
    /// Said that it is not relevant.
    Rejected,
    /// Nothing.
    Nothing,
}

impl Happening {
    /// An event without properties.
    pub fn event(customer: usize, at: Timestamp, name: &'static str) -> Self {
        Self::event_with(customer, at, name, [])
    }

    /// An event with properties.
    pub fn event_with<const N: usize>(
        customer: usize,
        at: Timestamp,
        name: &'static str,
        properties: [(&'static str, Value); N],
    ) -> Self {
        let properties = BTreeMap::from(properties);
        Self { customer, at, what: What::Event { name, properties } }
    }
}

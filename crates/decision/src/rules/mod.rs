//! Whether we may, whether it makes sense now, and whether it is good for this customer: rules in
//! CEL over declared names, three-valued.
//!
//! A rule knows nothing of profiles: it reads through [`Facts`], which shows only what is permitted.

mod book;
mod cel;
mod check;
pub mod cost;
mod expression;
mod flips;
mod functions;
mod index;
mod names;
mod polarity;
mod rule;
mod syntax;
mod threshold;

#[cfg(test)]
mod tests;

pub use book::{AllowRule, ClauseIndex, Evaluation, Layer, Refusal, RuleBook};
pub use rule::Rule;

use crate::{
    Timestamp,
    strategy::{Attribute, AttributeIndex, Context, ContextIndex, Purpose, PurposeIndex},
    value::Value,
};
use jiff::tz::TimeZone;
use std::{collections::BTreeSet, ops::Range};

/// Kleene's three truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// No.
    False,
    /// Not known.
    Unknown,
    /// Yes.
    True,
}

/// A permitted value and how sure it is now, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fact<'a> {
    /// The value.
    pub value: &'a Value,
    /// Confidence after ageing.
    pub confidence: f32,
}

/// What a rule may read. Everything that is not visible is simply absent.
pub trait Facts {
    /// An attribute of the customer or household.
    fn attribute(&self, index: AttributeIndex) -> Option<Fact<'_>>;
    /// A value of the request.
    fn context(&self, index: ContextIndex) -> Option<&Value>;
    /// Whether the history is short enough for a rule to look through ([`cost::HISTORY_READ_MAX`]).
    fn history_is_readable(&self) -> bool;
    /// The moment of the decision.
    fn now(&self) -> Timestamp;
    /// Contacts counted or reserved in `scope` ("" = all, else `channel:ID` or a path prefix) within a window;
    /// `None` when the history is not readable.
    fn contacts(&self, scope: &str, within: crate::Duration) -> Option<u32>;
    /// The moment of the last such outcome in `scope` ("" = any), when there was one; also `None` when
    /// the history is not readable.
    fn last_outcome(&self, outcome: &str, scope: &str) -> Option<Timestamp>;
}

/// Which attributes a rule may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Those that may serve this purpose.
    Purpose(PurposeIndex),
    /// Those that may serve any protective purpose.
    Protection,
}

/// What the rule decides, and with it what not knowing may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Lets an action pass; what is not known never lets it pass.
    Allow,
    /// Vetoes, requires or calls a customer vulnerable.
    Restrict,
    /// An amount in euro.
    Value,
    /// Adds to the weight of the moment.
    Weight,
}

/// Everything a rule may name.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// All purposes.
    pub purposes: &'a [Purpose],
    /// All declared attributes.
    pub attributes: &'a [Attribute],
    /// All declared request values.
    pub contexts: &'a [Context],
    /// The organisation's time zone, for `hour()` and `weekday()`.
    pub time_zone: &'a TimeZone,
    /// Which of the attributes may be read.
    pub view: View,
    /// What the rule is for.
    pub position: Position,
}

/// Why a text is not a rule here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// Where in the source, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right, when that can be told.
    pub hint: Option<String>,
}

/// What a rule may read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Attributes.
    pub attributes: BTreeSet<AttributeIndex>,
    /// Request values.
    pub contexts: BTreeSet<ContextIndex>,
}

/// One thing a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// An attribute of the customer or household.
    Attribute(AttributeIndex),
    /// A value of the request.
    Context(ContextIndex),
}

/// One change of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// Of what.
    pub reference: Reference,
    /// What it is now; `None` when not known.
    pub from: Option<Value>,
    /// What it would have to be.
    pub to: Value,
}

/// One condition of an allow rule, shared by all actions that need it.
#[derive(Debug)]
pub struct Clause {
    /// The condition.
    pub rule: Rule,
    /// For which purpose it reads.
    pub purpose: PurposeIndex,
}

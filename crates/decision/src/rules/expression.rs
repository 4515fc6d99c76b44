//! What a typed rule means for one customer: a value, or not known. Types fit already, so nothing can
//! go wrong here; NaN, infinities and division by zero are not known.

use super::{
    Facts, Reference, Truth,
    syntax::{Comparison, Operation},
};
use crate::{Duration, Timestamp, value::Value};
use jiff::tz::TimeZone;
use std::{cmp::Ordering, sync::Arc};

const DAY_S: f64 = 86_400.0;

/// A typed expression.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Literal(Value),
    Read(Reference),
    Now,
    Hour(TimeZone),
    Weekday(TimeZone),
    Contacts(Arc<str>, Duration),
    DaysSinceOutcome(Arc<str>, Arc<str>),
    DaysSince(Box<Expression>),
    DaysUntil(Box<Expression>),
    Known(Reference),
    Confidence(Reference),
    OrElse(Box<Expression>, Value),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Conditional(Box<[Expression; 3]>),
    Compare(Comparison, Box<[Expression; 2]>),
    In(Box<Expression>, Vec<Value>),
    Compute(Operation, Box<[Expression; 2]>),
    Negate(Box<Expression>),
    Absolute(Box<Expression>),
}

/// A value without its owner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'a> {
    Bool(bool),
    Number(f64),
    Text(&'a str),
    Time(Timestamp),
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(value) => Self::Number(*value),
            Value::Text(value) => Self::Text(value),
            Value::Time(value) => Self::Time(*value),
        }
    }
}

impl Scalar<'_> {
    /// How they stand to each other; `None` for values of different types and for NaN.
    pub fn order(self, other: Scalar<'_>) -> Option<Ordering> {
        match (self, other) {
            (Scalar::Bool(left), Scalar::Bool(right)) => Some(left.cmp(&right)),
            (Scalar::Number(left), Scalar::Number(right)) => left.partial_cmp(&right),
            (Scalar::Text(left), Scalar::Text(right)) => Some(left.cmp(right)),
            (Scalar::Time(left), Scalar::Time(right)) => Some(left.cmp(&right)),
            _ => None,
        }
    }

    /// Whether `left comparison right` holds; `None` when they cannot be compared.
    pub fn compare(comparison: Comparison, left: Scalar<'_>, right: Scalar<'_>) -> Option<bool> {
        left.order(right).map(|order| comparison.holds(order))
    }
}

impl Truth {
    pub(super) fn of(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }
}

impl Reference {
    /// Its value now, when it is visible.
    pub(super) fn value(self, facts: &dyn Facts) -> Option<&Value> {
        match self {
            Self::Attribute(index) => facts.attribute(index).map(|fact| fact.value),
            Self::Context(index) => facts.context(index),
        }
    }

    fn confidence(self, facts: &dyn Facts) -> Option<f64> {
        match self {
            Self::Attribute(index) => facts.attribute(index).map(|fact| f64::from(fact.confidence)),
            Self::Context(index) => facts.context(index).map(|_| 1.0),
        }
    }
}

impl Expression {
    /// The value, or `None` when it is not known.
    pub fn value<'a>(&'a self, facts: &'a dyn Facts) -> Option<Scalar<'a>> {
        match self {
            Self::Literal(value) => Some(value.into()),
            Self::Read(reference) => reference.value(facts).map(Scalar::from),
            Self::Now => Some(Scalar::Time(facts.now())),
            Self::OrElse(inner, otherwise) => match inner.value(facts) {
                None if inner.reads_history() && !facts.history_is_readable() => None,
                found => Some(found.unwrap_or(otherwise.into())),
            },
            Self::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                if condition.truth(facts)? { yes.value(facts) } else { no.value(facts) }
            }
            Self::Known(_)
            | Self::Not(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Compare(..)
            | Self::In(..) => self.truth(facts).map(Scalar::Bool),
            _ => self.number(facts).map(Scalar::Number),
        }
    }

    /// The truth of a condition (Kleene), or `None` when it is not known.
    pub fn truth(&self, facts: &dyn Facts) -> Option<bool> {
        match self {
            Self::Known(reference) => Some(reference.value(facts).is_some()),
            Self::Not(inner) => inner.truth(facts).map(|truth| !truth),
            Self::All(terms) => decided_by(false, terms, facts),
            Self::Any(terms) => decided_by(true, terms, facts),
            Self::Compare(comparison, sides) => {
                Scalar::compare(*comparison, sides[0].value(facts)?, sides[1].value(facts)?)
            }
            Self::In(inner, list) => {
                let value = inner.value(facts)?;
                Some(list.iter().any(|element| Scalar::from(element) == value))
            }
            _ => match self.value(facts)? {
                Scalar::Bool(truth) => Some(truth),
                _ => None,
            },
        }
    }

    /// The amount, or `None` when it is not known or not finite.
    pub fn number(&self, facts: &dyn Facts) -> Option<f64> {
        let number = match self {
            Self::Compute(operation, sides) => operation.of(sides[0].number(facts)?, sides[1].number(facts)?),
            Self::Negate(inner) => -inner.number(facts)?,
            Self::Absolute(inner) => inner.number(facts)?.abs(),
            Self::Confidence(reference) => reference.confidence(facts)?,
            Self::Contacts(scope, within) => f64::from(facts.contacts(scope, *within)?),
            Self::DaysSinceOutcome(outcome, scope) => days(facts.last_outcome(outcome, scope)?, facts.now()),
            Self::DaysSince(moment) => days(moment.moment(facts)?, facts.now()),
            Self::DaysUntil(moment) => days(facts.now(), moment.moment(facts)?),
            Self::Hour(zone) => f64::from(zone.to_datetime(facts.now()).hour()),
            Self::Weekday(zone) => f64::from(zone.to_datetime(facts.now()).weekday().to_monday_one_offset()),
            _ => match self.value(facts)? {
                Scalar::Number(number) => number,
                _ => return None,
            },
        };
        number.is_finite().then_some(number)
    }

    fn moment(&self, facts: &dyn Facts) -> Option<Timestamp> {
        match self.value(facts)? {
            Scalar::Time(moment) => Some(moment),
            _ => None,
        }
    }

    /// Adds the absent references because of which the value is not known; nothing when it is known.
    pub fn unknowns(&self, facts: &dyn Facts, found: &mut Vec<Reference>) {
        if self.value(facts).is_some() {
            return;
        }
        match self {
            Self::Read(reference) | Self::Confidence(reference) => {
                if reference.value(facts).is_none() && !found.contains(reference) {
                    found.push(*reference);
                }
            }
            Self::Conditional(_) => {
                self.deciding(facts).into_iter().for_each(|part| part.unknowns(facts, found));
            }
            _ => self.parts().iter().for_each(|part| part.unknowns(facts, found)),
        }
    }

    /// Whether the value is not known because, among other things, the history is too long to be looked
    /// through.
    pub fn lacks_history(&self, facts: &dyn Facts) -> bool {
        if facts.history_is_readable() || self.value(facts).is_some() {
            return false;
        }
        match self {
            Self::Contacts(..) | Self::DaysSinceOutcome(..) => true,
            Self::Conditional(_) => self.deciding(facts).is_some_and(|part| part.lacks_history(facts)),
            _ => self.parts().iter().any(|part| part.lacks_history(facts)),
        }
    }

    /// Whether a function of the history is in it. What never happened may be replaced by `or_else`; what
    /// could not be looked up may not.
    fn reads_history(&self) -> bool {
        let own = matches!(self, Self::Contacts(..) | Self::DaysSinceOutcome(..));
        own || self.parts().iter().any(Self::reads_history)
    }

    /// The part of a conditional on which its value rests.
    fn deciding(&self, facts: &dyn Facts) -> Option<&Expression> {
        let Self::Conditional(parts) = self else {
            return None;
        };
        Some(match parts[0].truth(facts) {
            None => &parts[0],
            Some(true) => &parts[1],
            Some(false) => &parts[2],
        })
    }

    /// The expressions directly below this one, from left to right.
    pub fn parts(&self) -> &[Expression] {
        match self {
            Self::Literal(_) | Self::Read(_) | Self::Now | Self::Hour(_) | Self::Weekday(_) => &[],
            Self::Contacts(..) | Self::DaysSinceOutcome(..) | Self::Known(_) | Self::Confidence(_) => &[],
            Self::DaysSince(part) | Self::DaysUntil(part) | Self::OrElse(part, _) | Self::Not(part) => {
                std::slice::from_ref(&**part)
            }
            Self::Negate(part) | Self::Absolute(part) | Self::In(part, _) => std::slice::from_ref(&**part),
            Self::All(parts) | Self::Any(parts) => parts,
            Self::Conditional(parts) => &parts[..],
            Self::Compare(_, parts) | Self::Compute(_, parts) => &parts[..],
        }
    }

    /// Visits this expression and everything below it.
    pub fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Expression)) {
        visitor(self);
        self.parts().iter().for_each(|part| part.visit(visitor));
    }

    /// What this expression itself reads, without its parts.
    pub fn reference(&self) -> Option<Reference> {
        match self {
            Self::Read(reference) | Self::Known(reference) | Self::Confidence(reference) => Some(*reference),
            _ => None,
        }
    }
}

impl Operation {
    fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Minimum => left.min(right),
            Self::Maximum => left.max(right),
        }
    }
}

/// `deciding` as soon as one term is that; the opposite when all are; else not known.
fn decided_by(deciding: bool, terms: &[Expression], facts: &dyn Facts) -> Option<bool> {
    let mut result = Some(!deciding);
    for term in terms {
        match term.truth(facts) {
            Some(truth) if truth == deciding => return Some(deciding),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

fn days(from: Timestamp, until: Timestamp) -> f64 {
    until.duration_since(from).as_secs_f64() / DAY_S
}

//! Which functions do rules have, and what do they take?

use super::{
    check::{Checker, Typed, literal},
    expression::Expression,
    syntax::{Kind, Node, Operation},
};
use crate::{
    Timestamp,
    strategy::{did_you_mean, duration},
    value::{Value, ValueType},
};
use std::{ops::Range, sync::Arc};

/// Every function with what it takes.
const FUNCTIONS: [(&str, &str); 13] = [
    ("abs", "a number"),
    ("confidence", "a name"),
    ("contacts", "a scope and a window such as `7d`"),
    ("days_since", "a moment"),
    ("days_since_outcome", "an outcome and a scope"),
    ("days_until", "a moment"),
    ("hour", "nothing"),
    ("known", "a name"),
    ("max", "two numbers"),
    ("min", "two numbers"),
    ("or_else", "a value that may be unknown and a fixed value"),
    ("timestamp", "a moment such as `2026-03-09T10:00:00Z`, in quotes"),
    ("weekday", "nothing"),
];

/// The plain name of a function that may also be written as part of the customer's history.
pub(super) fn plain(function: &str) -> &str {
    match function {
        "history.contacts" => "contacts",
        "history.days_since" => "days_since_outcome",
        other => other,
    }
}

impl Checker<'_> {
    /// A function call.
    pub fn call(
        &mut self,
        node: &Node,
        function: &str,
        function_span: &Range<usize>,
        arguments: &[Node],
    ) -> Option<Typed> {
        let number = |expression| typed(ValueType::Number, expression);
        match (plain(function), arguments) {
            ("abs", [of]) => number(Expression::Absolute(Box::new(self.expect(of, ValueType::Number)?))),
            ("days_since", [of]) => {
                number(Expression::DaysSince(Box::new(self.expect(of, ValueType::Time)?)))
            }
            ("days_until", [of]) => {
                number(Expression::DaysUntil(Box::new(self.expect(of, ValueType::Time)?)))
            }
            ("hour", []) => number(Expression::Hour(self.environment.time_zone.clone())),
            ("weekday", []) => number(Expression::Weekday(self.environment.time_zone.clone())),
            ("min", [left, right]) => self.extreme(Operation::Minimum, left, right),
            ("max", [left, right]) => self.extreme(Operation::Maximum, left, right),
            ("contacts", [scope, window]) => {
                let (scope, window) = (self.scope(scope), self.window(window));
                number(Expression::Contacts(scope?, window?))
            }
            ("days_since_outcome", [outcome, scope]) => {
                let (outcome, scope) = (self.word(outcome), self.scope(scope));
                number(Expression::DaysSinceOutcome(outcome?, scope?))
            }
            ("known", [of]) => {
                let reference = self.named(of)?;
                typed(ValueType::Bool, Expression::Known(reference))
            }
            ("confidence", [of]) => {
                let reference = self.named(of)?;
                number(Expression::Confidence(reference))
            }
            ("or_else", [of, otherwise]) => self.or_else(of, otherwise),
            ("timestamp", [text]) => self.timestamp(text),
            (name, _) => {
                self.misuse(node, function, name, function_span, arguments.len());
                None
            }
        }
    }

    fn misuse(&mut self, node: &Node, written: &str, name: &str, function_span: &Range<usize>, found: usize) {
        if let Some((_, takes)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            let message = format!("`{written}` takes {takes}; {found} given");
            return self.report(&node.span, message, None);
        }
        let names = || FUNCTIONS.iter().map(|(known, _)| *known);
        let hint = did_you_mean(name, names())
            .unwrap_or_else(|| format!("rules have {}", super::check::quoted(names())));
        self.report(function_span, format!("there is no function `{written}`"), Some(hint));
    }

    fn extreme(&mut self, operation: Operation, left: &Node, right: &Node) -> Option<Typed> {
        let sides = [left.clone(), right.clone()];
        typed(ValueType::Number, self.computation(operation, &sides)?)
    }

    fn or_else(&mut self, of: &Node, otherwise: &Node) -> Option<Typed> {
        let of = self.typed(of)?;
        let value = self.constant(otherwise, of.value_type)?;
        let listed = self.listed(&of.expression, otherwise);
        let expression = Expression::OrElse(Box::new(of.expression), value);
        listed.then_some(())?;
        typed(of.value_type, expression)
    }

    fn named(&mut self, node: &Node) -> Option<super::Reference> {
        match &node.kind {
            Kind::Name(name) if name != "now" => self.reference(name, &node.span),
            _ => {
                let hint = "only what has a name can be unknown, as in `known(customer.city)`".to_owned();
                self.report(
                    &node.span,
                    "the name of an attribute or context value is expected here".to_owned(),
                    Some(hint),
                );
                None
            }
        }
    }

    fn word(&mut self, node: &Node) -> Option<Arc<str>> {
        match &node.kind {
            Kind::Text(text) if !text.is_empty() => Some(text.as_str().into()),
            _ => {
                self.report(&node.span, "the name of an outcome in quotes is expected here".to_owned(), None);
                None
            }
        }
    }

    fn scope(&mut self, node: &Node) -> Option<Arc<str>> {
        match &node.kind {
            Kind::Text(text) if is_scope(text) => Some(text.as_str().into()),
            _ => {
                let hint =
                    "write `\"\"` for all, `\"channel:email\"`, or a path such as `\"sales/contract\"`"
                        .to_owned();
                self.report(&node.span, "a scope is expected here".to_owned(), Some(hint));
                None
            }
        }
    }

    fn window(&mut self, node: &Node) -> Option<crate::Duration> {
        let window = match &node.kind {
            Kind::Text(text) => duration(text),
            _ => None,
        };
        if window.is_none() {
            self.report(
                &node.span,
                "a window is expected here".to_owned(),
                Some("write it as `\"7d\"`".to_owned()),
            );
        }
        window
    }

    fn timestamp(&mut self, node: &Node) -> Option<Typed> {
        let moment = match literal(node) {
            Some(Value::Text(text)) => text.parse::<Timestamp>().ok(),
            _ => None,
        };
        let Some(moment) = moment else {
            let hint = "write it as `\"2026-03-09T10:00:00Z\"`, with an offset".to_owned();
            self.report(&node.span, "a moment is expected here".to_owned(), Some(hint));
            return None;
        };
        typed(ValueType::Time, Expression::Literal(Value::Time(moment)))
    }
}

fn typed(value_type: ValueType, expression: Expression) -> Option<Typed> {
    Some(Typed { value_type, expression })
}

fn is_scope(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || "_-".contains(letter))
    };
    match text.strip_prefix("channel:") {
        Some(channel) => word(channel),
        None => text.is_empty() || text.split('/').count() <= 3 && text.split('/').all(word),
    }
}

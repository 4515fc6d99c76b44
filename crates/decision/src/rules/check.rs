//! Do the names and types of a rule fit the inventory? Gives the typed expression, or every problem
//! at once. What an unknown value may do is asked in [`super::polarity`].

use super::{
    Environment, Position, Reference, RuleProblem, cel, cost,
    expression::Expression,
    polarity,
    syntax::{Binary, Comparison, Kind, Node, Operation},
};
use crate::{
    strategy::did_you_mean,
    value::{Value, ValueType},
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// What a reference may be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Domain {
    /// Its type.
    pub value_type: ValueType,
    /// Closed list of texts; empty means any.
    pub values: Vec<Arc<str>>,
}

/// The domains of everything a rule reads.
pub(super) type Domains = BTreeMap<Reference, Domain>;

/// A checked rule: for each clause of a top-level `&&`, where it stands and what it means.
pub(super) struct Checked {
    pub clauses: Vec<(Range<usize>, Expression)>,
    pub domains: Domains,
}

/// Checks that `source` is a rule of type `wanted`.
pub(super) fn check(
    source: &str,
    environment: &Environment<'_>,
    wanted: ValueType,
) -> Result<Checked, Vec<RuleProblem>> {
    let tree = cel::parse(source).map_err(|problem| vec![problem])?;
    let mut checker = Checker { source, environment, problems: Vec::new(), domains: Domains::new() };
    if environment.position == Position::Allow {
        polarity::check(&tree, &mut checker.problems);
    }
    let terms = match wanted {
        ValueType::Bool => tree.sides(Binary::And),
        _ => vec![tree],
    };
    let typed: Vec<_> = match terms.as_slice() {
        [whole] => vec![checker.result(whole, wanted)],
        terms => terms.iter().map(|term| checker.expect(term, wanted)).collect(),
    };
    let spans = terms.iter().map(|term| term.span.clone());
    let clauses: Vec<_> = spans.zip(typed).filter_map(|(span, typed)| Some((span, typed?))).collect();
    checker.report_cost(&clauses);
    if checker.problems.is_empty() {
        Ok(Checked { clauses, domains: checker.domains })
    } else {
        checker.problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        Err(checker.problems)
    }
}

/// An expression and its type.
pub(super) struct Typed {
    pub value_type: ValueType,
    pub expression: Expression,
}

pub(super) struct Checker<'e> {
    pub source: &'e str,
    pub environment: &'e Environment<'e>,
    pub problems: Vec<RuleProblem>,
    pub domains: Domains,
}

/// A type in words.
pub(super) fn words(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Bool => "true or false",
        ValueType::Number => "a number",
        ValueType::Text => "text",
        ValueType::Time => "a moment",
    }
}

impl Checker<'_> {
    pub fn report(&mut self, span: &Range<usize>, message: String, hint: Option<String>) {
        self.problems.push(RuleProblem { span: span.clone(), message, hint });
    }

    /// Points at the first and the last clause of a rule that takes too long.
    fn report_cost(&mut self, clauses: &[(Range<usize>, Expression)]) {
        if let Some(message) = cost::too_costly(clauses.iter().map(|(_, clause)| clause)) {
            let span = clauses[0].0.start..clauses[clauses.len() - 1].0.end;
            let hint = "count once, or say it in several rules".to_owned();
            self.report(&span, message, Some(hint));
        }
    }

    fn text(&self, node: &Node) -> &str {
        &self.source[node.span.clone()]
    }

    fn result(&mut self, node: &Node, wanted: ValueType) -> Option<Expression> {
        let typed = self.typed(node)?;
        if typed.value_type == wanted {
            return Some(typed.expression);
        }
        let message = format!("the rule is {}, but has to be {}", words(typed.value_type), words(wanted));
        self.report(&node.span, message, None);
        None
    }

    /// The expression when it has the wanted type; otherwise the problem is reported.
    pub fn expect(&mut self, node: &Node, wanted: ValueType) -> Option<Expression> {
        let typed = self.typed(node)?;
        if typed.value_type == wanted {
            return Some(typed.expression);
        }
        let message = format!(
            "`{}` is {}, but {} is expected here",
            self.text(node),
            words(typed.value_type),
            words(wanted)
        );
        let hint = (wanted == ValueType::Time && typed.value_type == ValueType::Text)
            .then(|| "write a moment as `timestamp(\"2026-03-09T10:00:00Z\")`".to_owned());
        self.report(&node.span, message, hint);
        None
    }

    /// The expression with its type; `None` when a problem was reported.
    pub fn typed(&mut self, node: &Node) -> Option<Typed> {
        let (value_type, expression) = match &node.kind {
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {
                let value = literal(node)?;
                (value.value_type(), Expression::Literal(value))
            }
            Kind::Name(name) => return self.name(name, &node.span),
            Kind::Call { function, function_span, arguments } => {
                return self.call(node, function, function_span, arguments);
            }
            Kind::Not(inner) => {
                let inner = self.expect(inner, ValueType::Bool)?;
                (ValueType::Bool, Expression::Not(Box::new(inner)))
            }
            Kind::Negate(inner) => {
                let inner = self.expect(inner, ValueType::Number)?;
                (ValueType::Number, Expression::Negate(Box::new(inner)))
            }
            Kind::Binary(operator, sides) => return self.binary(node, *operator, sides),
            Kind::Conditional(parts) => return self.conditional(parts),
            Kind::List(_) => {
                self.report(&node.span, "a list can only stand after `in`".to_owned(), None);
                return None;
            }
        };
        Some(Typed { value_type, expression })
    }

    fn binary(&mut self, node: &Node, operator: Binary, sides: &[Node; 2]) -> Option<Typed> {
        let (value_type, expression) = match operator {
            Binary::And => (ValueType::Bool, Expression::All(self.conditions(node, operator)?)),
            Binary::Or => (ValueType::Bool, Expression::Any(self.conditions(node, operator)?)),
            Binary::In => (ValueType::Bool, self.membership(&sides[0], &sides[1])?),
            Binary::Compare(comparison) => (ValueType::Bool, self.comparison(comparison, sides)?),
            Binary::Compute(operation) => (ValueType::Number, self.computation(operation, sides)?),
        };
        Some(Typed { value_type, expression })
    }

    fn conditions(&mut self, node: &Node, operator: Binary) -> Option<Vec<Expression>> {
        let terms = node.clone().sides(operator);
        let typed: Vec<_> = terms.iter().map(|term| self.expect(term, ValueType::Bool)).collect();
        typed.into_iter().collect()
    }

    pub fn computation(&mut self, operation: Operation, sides: &[Node; 2]) -> Option<Expression> {
        let [left, right] = [0, 1].map(|side: usize| self.expect(&sides[side], ValueType::Number));
        Some(Expression::Compute(operation, Box::new([left?, right?])))
    }

    fn conditional(&mut self, [condition, yes, no]: &[Node; 3]) -> Option<Typed> {
        let condition = self.expect(condition, ValueType::Bool);
        let first = self.typed(yes);
        let value_type = first.as_ref().map(|typed| typed.value_type);
        let second = match value_type {
            Some(value_type) => self.expect(no, value_type),
            None => self.typed(no).map(|typed| typed.expression),
        };
        Some(Typed {
            value_type: value_type?,
            expression: Expression::Conditional(Box::new([condition?, first?.expression, second?])),
        })
    }

    fn comparison(&mut self, comparison: Comparison, sides: &[Node; 2]) -> Option<Expression> {
        let [left, right] = [0, 1].map(|side: usize| self.typed(&sides[side]));
        let (left, right) = (left?, right?);
        let span = sides[0].span.start..sides[1].span.end;
        if left.value_type != right.value_type {
            let message = format!(
                "`{}` is {} and `{}` is {}: they cannot be compared",
                self.text(&sides[0]),
                words(left.value_type),
                self.text(&sides[1]),
                words(right.value_type)
            );
            let moment = [left.value_type, right.value_type].contains(&ValueType::Time)
                && [left.value_type, right.value_type].contains(&ValueType::Text);
            let hint = moment.then(|| "write a moment as `timestamp(\"2026-03-09T10:00:00Z\")`".to_owned());
            self.report(&span, message, hint);
            return None;
        }
        if comparison.is_ordering() && matches!(left.value_type, ValueType::Bool | ValueType::Text) {
            let message = format!(
                "{} has no order",
                if left.value_type == ValueType::Text { "text" } else { "true or false" }
            );
            self.report(&span, message, Some("compare it with `==` or `!=`".to_owned()));
            return None;
        }
        let listed = self.listed(&left.expression, &sides[1]) & self.listed(&right.expression, &sides[0]);
        listed.then(|| Expression::Compare(comparison, Box::new([left.expression, right.expression])))
    }

    fn membership(&mut self, inner: &Node, list: &Node) -> Option<Expression> {
        let typed = self.typed(inner);
        let Kind::List(elements) = &list.kind else {
            let message = format!("`{}` is not a list", self.text(list));
            self.report(
                &list.span,
                message,
                Some("write a list of values, as in `['gas', 'heat_pump']`".to_owned()),
            );
            return None;
        };
        let typed = typed?;
        let values: Vec<_> = elements.iter().map(|element| self.element(&typed, element)).collect();
        let values = values.into_iter().collect::<Option<Vec<Value>>>()?;
        Some(Expression::In(Box::new(typed.expression), values))
    }

    fn element(&mut self, of: &Typed, node: &Node) -> Option<Value> {
        let value = self.constant(node, of.value_type)?;
        self.listed(&of.expression, node).then_some(value)
    }

    /// A literal of the wanted type.
    pub fn constant(&mut self, node: &Node, wanted: ValueType) -> Option<Value> {
        let typed = self.expect(node, wanted)?;
        match typed {
            Expression::Literal(value) => Some(value),
            _ => {
                let message = format!("`{}` is not a fixed value", self.text(node));
                self.report(
                    &node.span,
                    message,
                    Some(format!("{} as it is written is expected here", words(wanted))),
                );
                None
            }
        }
    }

    /// Whether `node`, when it is a text, is among the values that `expression` can have.
    pub fn listed(&mut self, expression: &Expression, node: &Node) -> bool {
        let Kind::Text(text) = &node.kind else {
            return true;
        };
        let reference = match expression {
            Expression::OrElse(inner, _) => inner.reference(),
            _ => expression.reference(),
        };
        let Some(domain) = reference.and_then(|reference| self.domains.get(&reference)) else {
            return true;
        };
        if domain.values.is_empty() || domain.values.iter().any(|value| **value == **text) {
            return true;
        }
        let values: Vec<Arc<str>> = domain.values.clone();
        let hint = did_you_mean(text, values.iter().map(|value| &**value))
            .unwrap_or_else(|| format!("it can be {}", quoted(values.iter().map(|value| &**value))));
        let message = format!("`{text}` is not one of the declared values");
        self.report(&node.span, message, Some(hint));
        false
    }
}

/// Names in backticks, separated by commas.
pub(super) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The value of a literal.
pub(super) fn literal(node: &Node) -> Option<Value> {
    match &node.kind {
        Kind::Bool(value) => Some(Value::Bool(*value)),
        Kind::Number(value) => Value::number(*value),
        Kind::Text(value) => Some(Value::Text(value.as_str().into())),
        _ => None,
    }
}

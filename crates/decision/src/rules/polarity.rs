//! May not knowing make more possible? In a rule that lets an action pass it may not: `known`,
//! `confidence` and `or_else` are refused wherever something unknown or less sure could turn the
//! rule true. Everything else is three-valued and safe by itself.

use super::{
    RuleProblem, check,
    expression::Scalar,
    functions::plain,
    syntax::{Binary, Comparison, Kind, Node},
};
use crate::value::Value;

/// What it does to the rule when this part becomes true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Polarity {
    /// It can only help to pass.
    Helps,
    /// It can only stop.
    Stops,
    /// Either.
    Either,
}

impl Polarity {
    fn inverted(self) -> Self {
        match self {
            Self::Helps => Self::Stops,
            Self::Stops => Self::Helps,
            Self::Either => Self::Either,
        }
    }
}

/// Adds a problem for every place where not knowing could let an action pass.
pub(super) fn check(rule: &Node, problems: &mut Vec<RuleProblem>) {
    walk(rule, Polarity::Helps, problems);
}

fn walk(node: &Node, polarity: Polarity, problems: &mut Vec<RuleProblem>) {
    match &node.kind {
        Kind::Binary(Binary::And | Binary::Or, sides) => {
            sides.iter().for_each(|side| walk(side, polarity, problems))
        }
        Kind::Not(inner) => walk(inner, polarity.inverted(), problems),
        Kind::Conditional(parts) => {
            walk(&parts[0], Polarity::Either, problems);
            walk(&parts[1], polarity, problems);
            walk(&parts[2], polarity, problems);
        }
        Kind::Binary(Binary::Compare(comparison), sides) if is_safe(*comparison, sides, polarity) => {
            sides.iter().flat_map(Node::parts).for_each(|part| walk(part, Polarity::Either, problems));
        }
        Kind::Binary(Binary::In, sides) if is_safe_membership(sides, polarity) => {
            sides[0].parts().iter().for_each(|part| walk(part, Polarity::Either, problems));
        }
        Kind::Call { function, arguments, .. } => {
            if !is_safe_call(plain(function), arguments, polarity) {
                problems.push(refusal(node, plain(function)));
            }
            arguments.iter().for_each(|argument| walk(argument, Polarity::Either, problems));
        }
        _ => node.parts().iter().for_each(|part| walk(part, Polarity::Either, problems)),
    }
}

fn refusal(node: &Node, function: &str) -> RuleProblem {
    let hint = match function {
        "known" => "ask `known(…)` without `!`, outside comparisons and before no `?`",
        "confidence" => "ask for more confidence, as in `confidence(…) > 0.8`",
        _ => "the fixed value has to make the comparison fail, as in `or_else(…, 0.0) > 5.0`",
    };
    RuleProblem {
        span: node.span.clone(),
        message: format!("`{function}` here would let the action pass because something is not known"),
        hint: Some(hint.to_owned()),
    }
}

fn is_safe_call(function: &str, arguments: &[Node], polarity: Polarity) -> bool {
    match (function, arguments) {
        ("known", _) => polarity == Polarity::Helps,
        ("confidence", _) => false,
        ("or_else", [of, otherwise]) => {
            !reads_facts(of)
                || matches!(check::literal(otherwise), Some(Value::Bool(value)) if removes(value, polarity))
        }
        _ => true,
    }
}

/// Whether a comparison that is `value` when something is not known can only stop.
fn removes(value: bool, polarity: Polarity) -> bool {
    match polarity {
        Polarity::Helps => !value,
        Polarity::Stops => value,
        Polarity::Either => false,
    }
}

/// A comparison of `confidence` or `or_else` with something plain, such that not knowing only stops.
fn is_safe(comparison: Comparison, sides: &[Node; 2], polarity: Polarity) -> bool {
    let [left, right] = sides;
    let pairs = [(comparison, left, right), (comparison.mirrored(), right, left)];
    pairs.into_iter().any(|(comparison, guard, other)| match &guard.kind {
        Kind::Call { function, .. } if function == "confidence" => {
            let surer_is_true = matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual);
            let surer_is_false = matches!(comparison, Comparison::Less | Comparison::LessOrEqual);
            !guards(other)
                && match polarity {
                    Polarity::Helps => surer_is_true,
                    Polarity::Stops => surer_is_false,
                    Polarity::Either => false,
                }
        }
        Kind::Call { function, arguments, .. } if function == "or_else" => match arguments.as_slice() {
            [_, otherwise] => {
                without_fact(comparison, otherwise, other).is_some_and(|value| removes(value, polarity))
            }
            _ => false,
        },
        _ => false,
    })
}

fn without_fact(comparison: Comparison, otherwise: &Node, other: &Node) -> Option<bool> {
    let (otherwise, other) = (check::literal(otherwise)?, check::literal(other)?);
    Scalar::compare(comparison, (&otherwise).into(), (&other).into())
}

fn is_safe_membership([of, list]: &[Node; 2], polarity: Polarity) -> bool {
    match &of.kind {
        Kind::Call { function, arguments, .. } if function == "or_else" && arguments.len() == 2 => {
            let otherwise = check::literal(&arguments[1]);
            let found = list.parts().iter().any(|element| check::literal(element) == otherwise);
            otherwise.is_some() && removes(found, polarity)
        }
        _ => false,
    }
}

fn guards(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call { function, .. } if ["known", "confidence", "or_else"].contains(&function.as_str()))
        || node.parts().iter().any(guards)
}

fn reads_facts(node: &Node) -> bool {
    matches!(&node.kind, Kind::Name(name) if name != "now") || node.parts().iter().any(reads_facts)
}

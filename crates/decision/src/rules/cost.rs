//! What may a rule take at most? Counted when it is published, before anybody is decided about.
//!
//! Rules have no loops, no lists of the customer's and no functions over texts, so every part of a rule
//! is looked at at most once per evaluation, and the count is a bound for every customer; nothing has to be
//! counted while deciding. The one part that grows with the customer is the history: a function of it looks through at most
//! [`HISTORY_READ_MAX`] contacts and outcomes, and is not known beyond that.

use super::expression::Expression;

/// Most contacts, and most outcomes, of one customer that a rule looks through.
pub const HISTORY_READ_MAX: usize = 4_096;
/// Most steps of one rule. A step is one name, value or operator.
pub const RULE_STEPS_MAX: u64 = 20_000;
/// Most steps of all rules of a strategy for one decision in which every action is a candidate everywhere.
pub const STRATEGY_STEPS_MAX: u64 = 2_000_000;

/// Steps of a function of the history: about four contacts are looked at in the time of one step.
pub(super) const HISTORY_STEPS: u64 = HISTORY_READ_MAX as u64 / 4;
/// Steps of a function of the clock: it looks up the offset of the time zone.
const CLOCK_STEPS: u64 = 16;

/// Most steps that evaluating the expression takes.
pub(super) fn steps_max(expression: &Expression) -> u64 {
    let mut steps = 0;
    expression.visit(&mut |part| {
        steps += match part {
            Expression::Contacts(..) | Expression::DaysSinceOutcome(..) => HISTORY_STEPS,
            Expression::Hour(_) | Expression::Weekday(_) => CLOCK_STEPS,
            Expression::In(_, list) => 1 + list.len() as u64,
            _ => 1,
        };
    });
    steps
}

/// Why the clauses of one rule take too many steps together, and what drives it; `None` when they do not.
pub(super) fn too_costly<'a>(clauses: impl Iterator<Item = &'a Expression> + Clone) -> Option<String> {
    let steps: u64 = clauses.clone().map(steps_max).sum();
    if steps <= RULE_STEPS_MAX {
        return None;
    }
    let mut of_history = 0;
    clauses.for_each(|clause| {
        clause.visit(&mut |part| {
            of_history +=
                u64::from(matches!(part, Expression::Contacts(..) | Expression::DaysSinceOutcome(..)));
        });
    });
    Some(format!(
        "the rule may take {steps} steps, at most {RULE_STEPS_MAX} are allowed; {of_history} times it looks \
         through the history, {HISTORY_STEPS} steps each"
    ))
}

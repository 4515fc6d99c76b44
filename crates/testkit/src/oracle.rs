//! What a rule should mean, said as plainly as possible: one small function per kind of saying,
//! straight on the generated tree. Slow, and written without looking at how the fast rules work.

use crate::{
    saying::{Amount, Calculation, Condition, Sign},
    world::Customer,
};
use decision::{rules::Truth, strategy::PurposeIndex, value::Value};

/// Reads a rule for one customer and purpose.
#[derive(Debug, Clone, Copy)]
pub struct Oracle<'a> {
    /// Who.
    pub customer: &'a Customer,
    /// Data is read for this purpose.
    pub purpose: PurposeIndex,
}

impl Oracle<'_> {
    /// Whether a condition holds.
    pub fn truth(&self, condition: &Condition) -> Truth {
        match condition {
            Condition::Literal(true) => Truth::True,
            Condition::Literal(false) => Truth::False,
            Condition::Flag(name) => match self.value(name) {
                Some(Value::Bool(true)) => Truth::True,
                Some(_) => Truth::False,
                None => Truth::Unknown,
            },
            Condition::Known(name) => known(self.value(name).is_some()),
            Condition::FlagOr(name, otherwise) => match self.value(name) {
                Some(value) => known(value == Value::Bool(true)),
                None => known(*otherwise),
            },
            Condition::Compare(left, sign, right) => match (self.amount(left), self.amount(right)) {
                (Some(left), Some(right)) => known(compare(*sign, left, right)),
                _ => Truth::Unknown,
            },
            Condition::Text(name, same, text) => match self.text(name) {
                Some(value) => known((value == *text) == *same),
                None => Truth::Unknown,
            },
            Condition::AmountIn(amount, list) => match self.amount(amount) {
                Some(value) => known(list.contains(&value)),
                None => Truth::Unknown,
            },
            Condition::TextIn(name, list) => match self.text(name) {
                Some(value) => known(list.contains(&value)),
                None => Truth::Unknown,
            },
            Condition::Moment(name, sign, Value::Time(other)) => match self.second(name) {
                Some(second) => known(compare(*sign, second as f64, other.as_second() as f64)),
                None => Truth::Unknown,
            },
            Condition::Moment(..) => Truth::Unknown,
            Condition::Past(name, sign) => match self.second(name) {
                Some(second) => known(compare(*sign, second as f64, self.customer.now_s as f64)),
                None => Truth::Unknown,
            },
            Condition::Not(inner) => match self.truth(inner) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            },
            Condition::And(left, right) => match (self.truth(left), self.truth(right)) {
                (Truth::False, _) | (_, Truth::False) => Truth::False,
                (Truth::True, Truth::True) => Truth::True,
                _ => Truth::Unknown,
            },
            Condition::Or(left, right) => match (self.truth(left), self.truth(right)) {
                (Truth::True, _) | (_, Truth::True) => Truth::True,
                (Truth::False, Truth::False) => Truth::False,
                _ => Truth::Unknown,
            },
            Condition::If(condition, yes, no) => match self.truth(condition) {
                Truth::True => self.truth(yes),
                Truth::False => self.truth(no),
                Truth::Unknown => Truth::Unknown,
            },
        }
    }

    /// The amount, when it is known and finite.
    pub fn amount(&self, amount: &Amount) -> Option<f64> {
        let number = match amount {
            Amount::Literal(value) => *value,
            Amount::Name(name) => match self.value(name)? {
                Value::Number(number) => number,
                _ => return None,
            },
            Amount::Confidence(name) if name.starts_with("context.") => self.value(name).map(|_| 1.0)?,
            Amount::Confidence(name) => {
                self.value(name)?;
                f64::from(self.customer.attributes[name].1)
            }
            Amount::Contacts(scope, days) => f64::from(self.contacts(scope, *days)),
            Amount::DaysSinceOutcome(outcome, scope) => days(self.last(outcome, scope)?, self.customer.now_s),
            Amount::DaysSince(name) => days(self.second(name)?, self.customer.now_s),
            Amount::DaysUntil(name) => days(self.customer.now_s, self.second(name)?),
            Amount::Hour => (self.customer.now_s.rem_euclid(86_400) / 3_600) as f64,
            // The first day of 1970 was a Thursday.
            Amount::Weekday => ((self.customer.now_s.div_euclid(86_400) + 3).rem_euclid(7) + 1) as f64,
            Amount::Or(inner, otherwise) => match self.amount(inner) {
                Some(number) => number,
                None => *otherwise,
            },
            Amount::Negative(inner) => -self.amount(inner)?,
            Amount::Absolute(inner) => self.amount(inner)?.abs(),
            Amount::Compute(left, how, right) => {
                let (left, right) = (self.amount(left)?, self.amount(right)?);
                match how {
                    Calculation::Plus => left + right,
                    Calculation::Minus => left - right,
                    Calculation::Times => left * right,
                    Calculation::Over => left / right,
                    Calculation::Smaller if right < left => right,
                    Calculation::Larger if right > left => right,
                    Calculation::Smaller | Calculation::Larger => left,
                }
            }
            Amount::If(condition, yes, no) => match self.truth(condition) {
                Truth::True => self.amount(yes)?,
                Truth::False => self.amount(no)?,
                Truth::Unknown => return None,
            },
        };
        if number.is_finite() { Some(number) } else { None }
    }

    fn value(&self, name: &str) -> Option<Value> {
        if name.starts_with("context.") {
            return self.customer.contexts.get(name).cloned();
        }
        if self.customer.withheld.contains(&self.purpose) {
            return None;
        }
        self.customer.attributes.get(name).map(|(value, _)| value.clone())
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    fn second(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Time(moment) => Some(moment.as_second()),
            _ => None,
        }
    }

    fn contacts(&self, scope: &str, days: u32) -> u32 {
        let mut count = 0;
        for contact in &self.customer.contacts {
            let in_scope = format!("channel:{}", contact.channel) == scope || lies_in(&contact.action, scope);
            let age_s = self.customer.now_s - contact.at_s;
            if in_scope && age_s < i64::from(days) * 86_400 {
                count += 1;
            }
        }
        count
    }

    fn last(&self, outcome: &str, scope: &str) -> Option<i64> {
        let mut last = None;
        for happened in &self.customer.outcomes {
            if happened.outcome == outcome && lies_in(&happened.action, scope) {
                last = last.max(Some(happened.at_s));
            }
        }
        last
    }
}

fn known(truth: bool) -> Truth {
    if truth { Truth::True } else { Truth::False }
}

fn compare(sign: Sign, left: f64, right: f64) -> bool {
    match sign {
        Sign::Equal => left == right,
        Sign::NotEqual => left != right,
        Sign::Less => left < right,
        Sign::AtMost => left <= right,
        Sign::More => left > right,
        Sign::AtLeast => left >= right,
    }
}

fn days(from_s: i64, until_s: i64) -> f64 {
    (until_s - from_s) as f64 / 86_400.0
}

fn lies_in(action: &str, scope: &str) -> bool {
    let (action, scope): (Vec<&str>, Vec<&str>) = (action.split('/').collect(), scope.split('/').collect());
    scope == [""] || action.len() >= scope.len() && action[..scope.len()] == scope
}

//! The text of a rule: refused with a place inside it, or the same answer however often it is asked.

use crate::base;
use decision::{
    Duration, Timestamp,
    rules::{Environment, Fact, Facts, Position, Rule, RuleProblem, Truth, View},
    strategy::{AttributeIndex, ContextIndex, Strategy},
    value::{Value, ValueType},
};
use std::sync::LazyLock;

const POSITIONS: [Position; 4] = [Position::Allow, Position::Restrict, Position::Value, Position::Weight];
static STRATEGY: LazyLock<Strategy> = LazyLock::new(|| base::loaded().strategy);

/// A rule in every position where rules may stand, asked about somebody unknown and somebody known.
pub(crate) fn rule(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    for position in POSITIONS {
        for view in [View::Purpose(0), View::Protection] {
            let environment = environment(position, view);
            let known = Known::everything(&STRATEGY);
            match Rule::condition(&source, &environment) {
                Ok(rule) => [&Known::default(), &known].into_iter().for_each(|facts| ask(&rule, facts)),
                Err(problems) => lie_in_the_rule(&problems, &source),
            }
            match Rule::amount(&source, &environment) {
                Ok(rule) => {
                    let number = rule.number(&known);
                    assert!(number.is_none_or(f64::is_finite), "an amount is not finite");
                }
                Err(problems) => lie_in_the_rule(&problems, &source),
            }
        }
    }
}

fn environment(position: Position, view: View) -> Environment<'static> {
    Environment {
        purposes: &STRATEGY.purposes,
        attributes: &STRATEGY.attributes,
        contexts: &STRATEGY.contexts,
        time_zone: &STRATEGY.organisation.time_zone,
        view,
        position,
    }
}

fn lie_in_the_rule(problems: &[RuleProblem], source: &str) {
    assert!(!problems.is_empty(), "a rule is refused without a reason");
    for problem in problems {
        assert!(!problem.message.is_empty());
        assert!(source.get(problem.span.clone()).is_some(), "{:?} is no place in the rule", problem.span);
    }
}

fn ask(rule: &Rule, facts: &Known) {
    let truth = rule.truth(facts);
    if truth != Truth::Unknown {
        assert!(rule.unknowns(facts).is_empty(), "what is known has nothing unknown");
    }
    for wanted in [Truth::True, Truth::False] {
        if let Some(flips) = rule.flips(facts, wanted) {
            assert_eq!(flips.is_empty(), truth == wanted, "what holds already needs no change");
        }
    }
}

/// Somebody of whom every attribute is known, or none.
#[derive(Default)]
struct Known {
    attributes: Vec<Value>,
    contexts: Vec<Value>,
}

impl Known {
    fn everything(strategy: &Strategy) -> Self {
        let value = |value_type: ValueType, values: &[String]| match value_type {
            ValueType::Bool => Value::Bool(true),
            ValueType::Number => Value::Number(2.5),
            ValueType::Text => Value::Text(values.first().map_or("Noor", String::as_str).into()),
            ValueType::Time => Value::Time(Timestamp::UNIX_EPOCH),
        };
        let attributes = strategy.attributes.iter();
        let contexts = strategy.contexts.iter();
        Self {
            attributes: attributes.map(|declared| value(declared.value_type, &declared.values)).collect(),
            contexts: contexts.map(|declared| value(declared.value_type, &declared.values)).collect(),
        }
    }
}

impl Facts for Known {
    fn attribute(&self, index: AttributeIndex) -> Option<Fact<'_>> {
        self.attributes.get(usize::from(index)).map(|value| Fact { value, confidence: 0.75 })
    }
    fn context(&self, index: ContextIndex) -> Option<&Value> {
        self.contexts.get(usize::from(index))
    }
    fn history_is_readable(&self) -> bool {
        true
    }
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_773_000_000).expect("the moment exists")
    }
    fn contacts(&self, _scope: &str, _within: Duration) -> Option<u32> {
        Some(2)
    }
    fn last_outcome(&self, outcome: &str, _scope: &str) -> Option<Timestamp> {
        (outcome == "complaint").then_some(Timestamp::UNIX_EPOCH)
    }
}

//! How long do all allow rules of a catalogue take for one customer, with the reason of every action that
//! falls? Beside it the interpreters that others embed, on the same rules, and every answer compared.

use crate::{
    measure,
    organisation::{self, ATTRIBUTES},
};
use decision::{
    Duration, Timestamp,
    rules::{Fact, Facts},
    value::Value,
};
use std::hint::black_box;
use zen_expression::{Variable, compile_expression, expression::Standard, vm::VM};

const CUSTOMERS: usize = 64;

/// Microseconds per customer.
pub struct Figure {
    pub actions: usize,
    /// Which actions pass, and why the others do not.
    pub ours_us: f64,
    /// Which expressions are true.
    pub zen_us: f64,
    pub cel_us: f64,
    pub passing: f64,
}

struct Known(Vec<Value>);

impl Facts for Known {
    fn attribute(&self, index: u16) -> Option<Fact<'_>> {
        self.0.get(usize::from(index)).map(|value| Fact { value, confidence: 1.0 })
    }
    fn context(&self, _: u16) -> Option<&Value> {
        None
    }
    fn now(&self) -> Timestamp {
        organisation::now()
    }
    fn history_is_readable(&self) -> bool {
        true
    }
    fn contacts(&self, _: &str, _: Duration) -> Option<u32> {
        Some(0)
    }
    fn last_outcome(&self, _: &str, _: &str) -> Option<Timestamp> {
        None
    }
}

pub fn run(actions: usize) -> Figure {
    let strategy = organisation::strategy(actions);
    let known: Vec<Known> = (0..CUSTOMERS as u64)
        .map(|customer| Known(organisation::values(customer).into_iter().map(Value::Number).collect()))
        .collect();
    let position = |action| strategy.action_index(&organisation::action_path(action)).expect("an action");
    let positions: Vec<u16> = (0..actions).map(position).collect();
    let ours = |customer: usize| -> Vec<bool> {
        let evaluation = strategy.rule_book.evaluate(&|_| &known[customer]);
        positions.iter().map(|action| evaluation.refusal(*action).is_none()).collect()
    };

    let names: Vec<String> = (0..ATTRIBUTES).map(|index| format!("a{index:02}")).collect();
    let zen: Vec<_> = (0..actions)
        .map(|action| {
            let source = organisation::rule(action, "").replace("&&", "and");
            compile_expression(&source).expect("an expression")
        })
        .collect();
    let contexts: Vec<Variable> = (0..CUSTOMERS as u64)
        .map(|customer| {
            let object: serde_json::Map<_, _> =
                names.iter().cloned().zip(organisation::values(customer).map(Into::into)).collect();
            serde_json::Value::Object(object).into()
        })
        .collect();
    let mut machine = VM::new();
    let mut zen_answers = |customer: usize| -> Vec<bool> {
        let one = |rule: &zen_expression::Expression<Standard>| {
            matches!(rule.evaluate_with(contexts[customer].clone(), &mut machine), Ok(Variable::Bool(true)))
        };
        zen.iter().map(one).collect()
    };

    let cel: Vec<cel::Program> = (0..actions)
        .map(|action| cel::Program::compile(&organisation::rule(action, "")).expect("an expression"))
        .collect();
    let contexts: Vec<cel::Context> = (0..CUSTOMERS as u64)
        .map(|customer| {
            let mut context = cel::Context::default();
            for (name, value) in names.iter().zip(organisation::values(customer)) {
                context.add_variable_from_value(name.clone(), value);
            }
            context
        })
        .collect();
    let cel_answers = |customer: usize| -> Vec<bool> {
        let one =
            |rule: &cel::Program| matches!(rule.execute(&contexts[customer]), Ok(cel::Value::Bool(true)));
        cel.iter().map(one).collect()
    };

    let mut passing = 0;
    for customer in 0..CUSTOMERS {
        let ours = ours(customer);
        let values = organisation::values(customer as u64);
        let holds =
            |(attribute, above, threshold): (usize, bool, f64)| (values[attribute] > threshold) == above;
        let wanted: Vec<bool> =
            (0..actions).map(|action| organisation::predicates(action).into_iter().all(holds)).collect();
        assert!(ours == wanted, "Attent answers otherwise");
        assert!(zen_answers(customer) == wanted, "zen-expression answers otherwise");
        assert!(cel_answers(customer) == wanted, "cel answers otherwise");
        passing += ours.iter().filter(|passes| **passes).count();
    }
    Figure {
        actions,
        ours_us: measure::microseconds(|number| drop(black_box(ours(number % CUSTOMERS)))),
        zen_us: measure::microseconds(|number| drop(black_box(zen_answers(number % CUSTOMERS)))),
        cel_us: measure::microseconds(|number| drop(black_box(cel_answers(number % CUSTOMERS)))),
        passing: passing as f64 / CUSTOMERS as f64,
    }
}

use decision::{
    rules::{AllowRule, Facts, Flip, Layer, Position, Reference, Rule, RuleBook, Truth, View},
    strategy::PurposeIndex,
    value::Value,
};
use proptest::{prelude::*, test_runner::Config};
use testkit::{
    generate::{self, ACTIONS, World},
    oracle::Oracle,
    world::{Customer, Inventory},
};

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() }
}

fn condition(inventory: &Inventory, purpose: PurposeIndex, position: Position, source: &str) -> Rule {
    Rule::condition(source, &inventory.environment(View::Purpose(purpose), position))
        .unwrap_or_else(|problems| panic!("`{source}`: {problems:?}"))
}

fn book(world: &World) -> RuleBook {
    let rules = world.allowing.iter().map(|allowing| AllowRule {
        action: allowing.action,
        layer: allowing.layer,
        purpose: allowing.purpose,
        rule: condition(&world.inventory, allowing.purpose, Position::Allow, &allowing.condition.to_string()),
    });
    RuleBook::compile(rules.collect(), usize::from(ACTIONS))
}

/// What the oracle says of the first layer in which a rule of the action is not true.
fn falls_at(world: &World, customer: &Customer, action: u16) -> Option<Layer> {
    let own = world.allowing.iter().filter(|allowing| allowing.action == action);
    let failing = own.filter(|allowing| {
        Oracle { customer, purpose: allowing.purpose }.truth(&allowing.condition) != Truth::True
    });
    failing.map(|allowing| allowing.layer).min()
}

proptest! {
    #![proptest_config(config(600))]

    /// 600 worlds with four customers each.
    #[test]
    fn fast_rules_agree_with_the_oracle(world in generate::world()) {
        let book = book(&world);
        for customer in &world.customers {
            let views = [0, 1, 2].map(|purpose| world.inventory.shown(customer, purpose));
            let evaluation = book.evaluate(&|purpose| &views[usize::from(purpose)] as &dyn Facts);
            for action in 0..ACTIONS {
                let layer = falls_at(&world, customer, action);
                prop_assert_eq!(evaluation.allowed(action), layer.is_none());
                prop_assert_eq!(evaluation.refusal(action).map(|refusal| refusal.layer), layer);
            }
            for (purpose, saying) in &world.restricting {
                let source = saying.to_string();
                let rule = condition(&world.inventory, *purpose, Position::Restrict, &source);
                let fast = rule.truth(&views[usize::from(*purpose)]);
                prop_assert_eq!(fast, Oracle { customer, purpose: *purpose }.truth(saying), "`{}`", source);
            }
            for (purpose, saying) in &world.valuing {
                let source = saying.to_string();
                let environment = world.inventory.environment(View::Purpose(*purpose), Position::Value);
                let rule = Rule::amount(&source, &environment).unwrap_or_else(|problems| panic!("`{source}`: {problems:?}"));
                let fast = rule.number(&views[usize::from(*purpose)]);
                prop_assert_eq!(fast, Oracle { customer, purpose: *purpose }.amount(saying), "`{}`", source);
            }
        }
    }

    #[test]
    fn withholding_a_purpose_never_lets_an_action_pass(world in generate::world()) {
        let book = book(&world);
        for customer in &world.customers {
            let masked = Customer { withheld: (0..generate::PURPOSES).collect(), ..customer.clone() };
            let [open, closed] = [customer, &masked].map(|customer| {
                [0, 1, 2].map(|purpose| world.inventory.shown(customer, purpose))
            });
            let with = book.evaluate(&|purpose| &open[usize::from(purpose)] as &dyn Facts);
            let without = book.evaluate(&|purpose| &closed[usize::from(purpose)] as &dyn Facts);
            for action in 0..ACTIONS {
                prop_assert!(with.allowed(action) || !without.allowed(action));
            }
        }
    }

}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn applying_the_smallest_change_changes_the_outcome_and_half_of_it_does_not(world in generate::world()) {
        for customer in &world.customers {
            let customer = Customer { withheld: Default::default(), ..customer.clone() };
            for (purpose, saying) in &world.restricting {
                let rule = condition(&world.inventory, *purpose, Position::Restrict, &saying.to_string());
                let truth = rule.truth(&world.inventory.shown(&customer, *purpose));
                for wanted in [Truth::True, Truth::False] {
                    let Some(flips) = rule.flips(&world.inventory.shown(&customer, *purpose), wanted) else { continue };
                    let after = |flips: &[Flip]| rule.truth(&world.inventory.shown(&changed(&world, &customer, flips), *purpose));
                    prop_assert_eq!(after(&flips), wanted, "`{}` with {:?}", rule.source(), flips);
                    prop_assert_eq!(flips.is_empty(), truth == wanted);
                    if let [flip] = flips.as_slice() && let Some(half) = halved(flip) {
                        prop_assert_ne!(after(&[half]), wanted, "half of {:?} for `{}`", flip, rule.source());
                    }
                }
            }
        }
    }
}

fn changed(world: &World, customer: &Customer, flips: &[Flip]) -> Customer {
    let mut customer = customer.clone();
    for flip in flips {
        match flip.reference {
            Reference::Attribute(index) => {
                let attribute = &world.inventory.attributes[usize::from(index)];
                let subject = format!("{:?}", attribute.subject).to_lowercase();
                let known = customer
                    .attributes
                    .entry(format!("{subject}.{}", attribute.name))
                    .or_insert((flip.to.clone(), 1.0));
                known.0 = flip.to.clone();
            }
            Reference::Context(index) => {
                let name = format!("context.{}", world.inventory.contexts[usize::from(index)].name);
                customer.contexts.insert(name, flip.to.clone());
            }
        }
    }
    customer
}

/// Half of a change of a number, unless the number lies on its threshold.
fn halved(flip: &Flip) -> Option<Flip> {
    match (&flip.from, &flip.to) {
        (Some(Value::Number(from)), Value::Number(to)) => {
            let off_the_border = (to - from).abs() > 1e-9 * from.abs().max(1.0);
            let half = Value::Number(from + (to - from) / 2.0);
            off_the_border.then(|| Flip { to: half, ..flip.clone() })
        }
        _ => None,
    }
}

use super::super::cost::{HISTORY_STEPS, RULE_STEPS_MAX};
use super::*;

fn counting(times: usize) -> String {
    vec!["contacts(\"\", \"7d\") < 9.0"; times].join(" && ")
}

#[test]
fn a_rule_takes_a_step_for_each_part_and_more_for_lists_and_history() {
    let world = World::new();
    let steps = |source| world.condition(source).steps_max();
    assert_eq!(steps("customer.newsletter"), 1);
    assert_eq!(steps("customer.bill + 1 > 2 && !customer.newsletter"), 8);
    assert_eq!(steps("customer.bill in [1, 2, 3]"), 5);
    assert_eq!(steps("contacts('', '7d') > 3"), 2 + HISTORY_STEPS);
}

#[test]
fn a_rule_that_goes_through_the_history_too_often_is_refused_with_what_drives_it() {
    let world = World::new();
    let environment = world.environment(View::Purpose(OFFERS), Position::Restrict);
    let few = usize::try_from(RULE_STEPS_MAX / (HISTORY_STEPS + 2)).expect("a small number");
    Rule::condition(&counting(few), &environment).expect("as often as is allowed");
    let source = counting(few + 1);
    let problems = Rule::condition(&source, &environment).expect_err("once too often");
    let [problem] = problems.as_slice() else {
        panic!("one problem is enough: {problems:?}");
    };
    assert_eq!(
        problem.message,
        "the rule may take 20520 steps, at most 20000 are allowed; 20 times it looks through the history, 1024 steps each"
    );
    assert_eq!(problem.span, 0..source.len());
}

#[test]
fn rules_that_actions_share_are_counted_once() {
    let world = World::new();
    let environment = world.environment(View::Purpose(OFFERS), Position::Allow);
    let book = |actions: u16| {
        let rule = || Rule::condition(&counting(2), &environment).expect("a rule");
        let allow = |action| AllowRule { action, layer: Layer::Eligibility, purpose: OFFERS, rule: rule() };
        RuleBook::compile((0..actions).map(allow).collect(), actions.into())
    };
    assert_eq!(book(1).steps_max(), book(500).steps_max());
}

#[test]
fn the_search_for_changes_ends_also_for_rules_made_to_keep_it_going() {
    let world = World::new();
    let person = world.nobody().with("bill", 1.0).with("persons", 1.0);
    let many: Vec<String> =
        (0..20).map(|n| format!("customer.bill * household.persons > {n}.5 * customer.bill")).collect();
    let hopeless = format!("({}) && customer.bill != customer.bill", many.join(" || "));
    let nested = format!("{}customer.bill{} > 1e300", "abs(".repeat(20), ")".repeat(20));
    let deep = (0..12).fold("customer.bill".to_owned(), |inner, n| {
        format!("({inner} > {n} ? customer.bill : household.persons)")
    });
    for source in [hopeless, nested, format!("{deep} > 1e300")] {
        let rule = world.condition(&source);
        if let Some(flips) = rule.flips(&person, Truth::True) {
            assert!(!flips.is_empty(), "{source}");
        }
    }
}

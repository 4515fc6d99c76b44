use super::super::cel::{DEPTH_MAX, PARTS_MAX, STEPS_MAX, parse};
use super::*;

fn on_a_stack_of(bytes: usize, check: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(bytes).spawn(check);
    thread.expect("a thread starts").join().expect("the stack suffices");
}

fn problem(source: &str) -> RuleProblem {
    parse(source).expect_err("the source is refused")
}

#[test]
fn depth_bombs_are_refused_before_they_are_parsed() {
    on_a_stack_of(512 * 1024, || {
        for bomb in ["(", "!", "[", "-", "!-", "{", "a.", "a?", "min(", "1+"] {
            let message = problem(&bomb.repeat(1 << 20)).message;
            assert!(message.ends_with("bytes long; at most 4096 are read"), "{message}");
        }
        problem(&"!".repeat(100_000));
        assert_eq!(problem(&"(".repeat(4096)).message, "the rule is nested deeper than 24 levels");
        assert_eq!(problem(&"!".repeat(4096)).message, "the rule is nested deeper than 24 levels");
        assert_eq!(problem(&"a?".repeat(2048)).message, "the rule is nested deeper than 24 levels");
        assert_eq!(
            problem(&format!("{}1", "1+".repeat(100))).message,
            "the rule takes more than 32 steps one after the other"
        );
        let costly = "the rule has more than 256 names, values and operators";
        assert_eq!(problem(&"1+".repeat(2048)).message, costly);
        assert_eq!(problem(&"a.".repeat(2048)).message, costly);
    });
}

#[test]
fn the_deepest_and_longest_rules_that_are_allowed_fit_on_a_small_stack() {
    on_a_stack_of(512 * 1024, || {
        let world = World::new();
        let environment = world.environment(View::Purpose(OFFERS), Position::Allow);
        let deep = format!("{}customer.newsletter{}", "(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX));
        let mixed = format!("{}true{}", "!(".repeat(DEPTH_MAX - 1), ")".repeat(DEPTH_MAX - 1));
        let sum = format!("{}1 > 0", "1 + ".repeat(STEPS_MAX - 1));
        let chain = format!("{}true", "true && ".repeat((PARTS_MAX - 2) / 2));
        let forks = format!("{}true", "true ? true : ".repeat(DEPTH_MAX));
        let calls = format!("{}1{} > 0", "abs(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX));
        for source in [deep, mixed, sum, chain, forks, calls] {
            let rule = Rule::condition(&source, &environment)
                .unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
            rule.truth(&world.nobody());
            RuleBook::compile(vec![allow(0, Layer::Eligibility, rule)], 1).evaluate(&|_| &Nothing);
        }
    });
}

fn allow(action: u16, layer: Layer, rule: Rule) -> AllowRule {
    AllowRule { action, layer, purpose: OFFERS, rule }
}

struct Nothing;

impl Facts for Nothing {
    fn attribute(&self, _: AttributeIndex) -> Option<Fact<'_>> {
        None
    }
    fn context(&self, _: ContextIndex) -> Option<&Value> {
        None
    }
    fn history_is_readable(&self) -> bool {
        true
    }
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn contacts(&self, _: &str, _: Duration) -> Option<u32> {
        Some(0)
    }
    fn last_outcome(&self, _: &str, _: &str) -> Option<Timestamp> {
        None
    }
}

#[test]
fn any_part_of_a_rule_knows_its_place_also_behind_letters_of_several_bytes() {
    use super::super::syntax::{Kind, Node};
    fn places<'s>(node: &Node, source: &'s str, found: &mut Vec<&'s str>) {
        found.push(&source[node.span.clone()]);
        if let Kind::Call { function_span, .. } = &node.kind {
            found.push(&source[function_span.clone()]);
        }
        node.parts().iter().for_each(|part| places(part, source, found));
    }
    let source = "customer.town == 'Curaçao ☂' && (!(a) || ((b.c)) >= -2) // één\n && --3 in [history.contacts('ë', \"7d\"), min(1, (2))]";
    let mut found = Vec::new();
    places(&parse(source).unwrap(), source, &mut found);
    let wanted = [
        source,
        "customer.town == 'Curaçao ☂' && (!(a) || ((b.c)) >= -2)",
        "customer.town == 'Curaçao ☂'",
        "customer.town",
        "'Curaçao ☂'",
        "!(a) || ((b.c)) >= -2",
        "!(a)",
        "a",
        "((b.c)) >= -2",
        "b.c",
        "-2",
        "3 in [history.contacts('ë', \"7d\"), min(1, (2))]",
        "3",
        "[history.contacts('ë', \"7d\"), min(1, (2))]",
        "history.contacts('ë', \"7d\")",
        "history.contacts",
        "'ë'",
        "\"7d\"",
        "min(1, (2))",
        "min",
        "1",
        "2",
    ];
    assert_eq!(found, wanted);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_is_written_is_a_rule_or_a_problem_with_a_place(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "customer.bill", "customer", ".", "context.page", "now", "(", ")", "[", "]", ",", "&&", "||", "!", "-",
            "+", "/", "?", ":", "==", "<", " in ", "'home'", "\"", "'", "\\", "1", "2.5", "1e999", "true", "known(",
            "or_else(", "history.contacts(", "min(", "é", "\n", "// ", "0x", "99999999999999999999", "{", "`", "has(",
        ]), 0..24)
    ) {
        let world = World::new();
        let source = words.concat();
        for position in [Position::Allow, Position::Value] {
            let environment = world.environment(View::Purpose(OFFERS), position);
            if let Err(problems) = Rule::condition(&source, &environment) {
                proptest::prop_assert!(!problems.is_empty());
                for problem in problems {
                    proptest::prop_assert!(source.get(problem.span.clone()).is_some(), "{:?} in `{}`", problem, source);
                }
            }
        }
    }
}

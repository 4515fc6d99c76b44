use super::*;

/// A mistake: the rule, the part it is about, what is said, and the hint.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

fn check(view: View, position: Position, mistakes: &[Mistake]) {
    let world = World::new();
    let environment = world.environment(view, position);
    for (source, part, message, hint) in mistakes {
        let problems = Rule::condition(source, &environment).expect_err(source);
        let [problem] = problems.as_slice() else {
            panic!("`{source}`: {problems:?}");
        };
        assert_eq!(&source[problem.span.clone()], *part, "place in `{source}`");
        assert_eq!(problem.message, *message, "`{source}`");
        assert_eq!(problem.hint.as_deref().unwrap_or(""), *hint, "hint for `{source}`");
    }
}

#[test]
fn text_that_is_not_cel_is_explained() {
    check(
        View::Purpose(OFFERS),
        Position::Allow,
        &[
            ("", "", "the rule ends where more is expected", ""),
            ("customer.newsletter &&", "", "the rule ends where more is expected", ""),
            ("customer.bill = 5", "=", "unexpected `=`", "write `==` to compare"),
            ("'é' == customer.town & true", "&", "unexpected `&`", "write `&&`"),
            ("customer.bill > 5 €", "€", "unexpected `€`", ""),
            ("customer.bill > 5 5", "5", "unexpected `5`", ""),
            ("\n customer.town == 'ï' 'x'", "'x'", "unexpected `'x'`", ""),
            ("customer.bill > (5", "(", "`(` is never closed", ""),
            ("customer.bill > 5)", ")", "this bracket closes nothing", ""),
            ("customer.bill > (5]", "]", "this bracket closes nothing", ""),
            ("customer.town == 'é", "'", "the text that begins here is not closed", ""),
            ("customer.town == '\\q'", "'\\q'", "the text contains an escape that CEL does not know", ""),
            ("customer.bill > 1e999", "1e999", "`1e999` is not a number that can be represented", ""),
            (
                "customer.bill > 99999999999999999999",
                "99999999999999999999",
                "`99999999999999999999` is not a number that can be represented",
                "",
            ),
            ("customer.bill % 2 == 0", "%", "`%` is not available in rules", ""),
            (
                "customer.bill == null",
                "null",
                "`null` is not available in rules",
                "write `known(…)` to ask whether there is a value",
            ),
            ("has(customer.bill)", "has", "`has` is not available in rules", "write `known(…)`"),
            (
                "[1].all(x, x > 0)",
                ".",
                "unexpected `.`",
                "a dot stands between the parts of a name, as in `customer.city`",
            ),
            (
                "customer.all(x, x > 0)",
                "all",
                "`all` is not available in rules",
                "rules have no lists to go through",
            ),
            (
                "customer['bill'] > 5",
                "[",
                "unexpected `[`",
                "lists stand after `in`, as in `customer.city in ['Utrecht']`",
            ),
            ("{'a': 1} == 1", "{", "maps and structures are not available in rules", ""),
            ("if customer.newsletter", "if", "`if` is a reserved word", ""),
        ],
    );
}

#[test]
fn names_that_do_not_exist_are_answered_with_what_was_probably_meant() {
    check(
        View::Purpose(OFFERS),
        Position::Allow,
        &[
            (
                "customer.bil > 5",
                "customer.bil",
                "there is no attribute `customer.bil`",
                "did you mean `customer.bill`?",
            ),
            ("customer.xyzzy > 5", "customer.xyzzy", "there is no attribute `customer.xyzzy`", ""),
            (
                "costumer.bill > 5",
                "costumer.bill",
                "`costumer.bill` is not a name that rules know",
                "did you mean `customer`?",
            ),
            (
                "bill > 5",
                "bill",
                "`bill` is not a name that rules know",
                "names begin with `customer.`, `household.` or `context.`",
            ),
            (
                "customer.persons > 1",
                "customer.persons",
                "`persons` is not an attribute of the customer",
                "write `household.persons`",
            ),
            (
                "context.pge == 'home'",
                "context.pge",
                "there is no context value `context.pge`",
                "did you mean `page`?",
            ),
            (
                "contcts('', '7d') < 3",
                "contcts",
                "there is no function `contcts`",
                "did you mean `contacts`?",
            ),
            (
                "customer.heating == 'heat_pomp'",
                "'heat_pomp'",
                "`heat_pomp` is not one of the declared values",
                "did you mean `heat_pump`?",
            ),
            (
                "context.page in ['home', 'basket']",
                "'basket'",
                "`basket` is not one of the declared values",
                "it can be `home`, `prices`",
            ),
        ],
    );
}

#[test]
fn types_that_do_not_fit_are_explained() {
    check(
        View::Purpose(OFFERS),
        Position::Allow,
        &[
            ("customer.bill", "customer.bill", "the rule is a number, but has to be true or false", ""),
            (
                "customer.bill && true",
                "customer.bill",
                "`customer.bill` is a number, but true or false is expected here",
                "",
            ),
            (
                "customer.bill > '5'",
                "customer.bill > '5'",
                "`customer.bill` is a number and `'5'` is text: they cannot be compared",
                "",
            ),
            (
                "customer.moved_at > '2026-01-01'",
                "customer.moved_at > '2026-01-01'",
                "`customer.moved_at` is a moment and `'2026-01-01'` is text: they cannot be compared",
                "write a moment as `timestamp(\"2026-03-09T10:00:00Z\")`",
            ),
            (
                "customer.town > 'a'",
                "customer.town > 'a'",
                "text has no order",
                "compare it with `==` or `!=`",
            ),
            (
                "customer.town + 1 > 2",
                "customer.town",
                "`customer.town` is text, but a number is expected here",
                "",
            ),
            (
                "customer.bill in 5",
                "5",
                "`5` is not a list",
                "write a list of values, as in `['gas', 'heat_pump']`",
            ),
            ("customer.bill in [5, '6']", "'6'", "`'6'` is text, but a number is expected here", ""),
            (
                "customer.bill in [customer.bill]",
                "customer.bill",
                "`customer.bill` is not a fixed value",
                "a number as it is written is expected here",
            ),
            ("[5]", "[5]", "a list can only stand after `in`", ""),
            ("abs(1, 2) > 1", "abs(1, 2)", "`abs` takes a number; 2 given", ""),
            (
                "contacts('sales', '7 days') < 3",
                "'7 days'",
                "a window is expected here",
                "write it as `\"7d\"`",
            ),
            (
                "contacts('a/b/c/d', '7d') < 3",
                "'a/b/c/d'",
                "a scope is expected here",
                "write `\"\"` for all, `\"channel:email\"`, or a path such as `\"sales/contract\"`",
            ),
            (
                "timestamp('monday') < now",
                "'monday'",
                "a moment is expected here",
                "write it as `\"2026-03-09T10:00:00Z\"`, with an offset",
            ),
            (
                "known(5)",
                "5",
                "the name of an attribute or context value is expected here",
                "only what has a name can be unknown, as in `known(customer.city)`",
            ),
        ],
    );
}

#[test]
fn data_is_read_only_for_its_purposes() {
    check(
        View::Purpose(OFFERS),
        Position::Allow,
        &[(
            "customer.arrears > 0",
            "customer.arrears",
            "`customer.arrears` may not be used for `offers`",
            "it may be used for `care`, `protection`",
        )],
    );
    check(
        View::Purpose(CARE),
        Position::Allow,
        &[(
            "customer.faith == 'x'",
            "customer.faith",
            "`customer.faith` is of a special category and `care` does not rest on consent",
            "only explicit consent allows its use",
        )],
    );
    check(
        View::Protection,
        Position::Restrict,
        &[
            (
                "customer.bill > 0",
                "customer.bill",
                "`customer.bill` serves no protective purpose, so a principle may not read it",
                "it may be used for `offers`, `care`",
            ),
            (
                "customer.faith == 'x'",
                "customer.faith",
                "`customer.faith` is of a special category and none of its protective purposes rests on consent",
                "only explicit consent allows its use",
            ),
        ],
    );
    let world = World::new();
    let environment = world.environment(View::Protection, Position::Restrict);
    assert!(Rule::condition("customer.arrears > 0 || !known(customer.complaint_open)", &environment).is_ok());
    let environment = world.environment(View::Purpose(OFFERS), Position::Allow);
    assert!(Rule::condition("customer.faith == 'x'", &environment).is_ok());
}

#[test]
fn all_problems_of_a_rule_are_told_at_once() {
    let world = World::new();
    let environment = world.environment(View::Purpose(OFFERS), Position::Allow);
    let source = "customer.bil > 5 && contcts('', 1) > 2 && customer.arrears > 0 && !known(customer.town)";
    let problems = Rule::condition(source, &environment).unwrap_err();
    let parts: Vec<&str> = problems.iter().map(|problem| &source[problem.span.clone()]).collect();
    assert_eq!(parts, ["customer.bil", "contcts", "customer.arrears", "known(customer.town)"]);
}

#[test]
fn not_knowing_never_lets_an_action_pass() {
    let world = World::new();
    let allow = world.environment(View::Purpose(OFFERS), Position::Allow);
    for source in [
        "known(customer.bill)",
        "!(!known(customer.bill))",
        "known(customer.bill) || customer.newsletter",
        "customer.newsletter ? known(customer.bill) : customer.bill > 1",
        "confidence(customer.bill) > 0.8",
        "0.8 <= confidence(customer.bill)",
        "!(confidence(customer.bill) < 0.8)",
        "or_else(customer.bill, 0) > 5",
        "!(or_else(customer.bill, 10) > 5)",
        "or_else(customer.newsletter, false)",
        "!or_else(customer.newsletter, true)",
        "or_else(customer.heating, 'gas') in ['heat_pump']",
        "or_else(days_since_outcome('rejected', ''), 999) > 30",
    ] {
        assert!(Rule::condition(source, &allow).is_ok(), "`{source}`");
    }
    for (source, function) in [
        ("!known(customer.bill)", "known"),
        ("known(customer.bill) == false", "known"),
        ("known(customer.bill) ? customer.bill > 5 : true", "known"),
        ("customer.newsletter && !(known(customer.bill) && true)", "known"),
        ("confidence(customer.bill) < 0.8", "confidence"),
        ("confidence(customer.bill) == 0.8", "confidence"),
        ("0.5 > 1 - confidence(customer.bill)", "confidence"),
        ("confidence(customer.bill) > confidence(customer.town)", "confidence"),
        ("or_else(customer.bill, 0) < 5", "or_else"),
        ("or_else(customer.bill, 0) != 5", "or_else"),
        ("or_else(customer.bill, 0) > household.persons", "or_else"),
        ("or_else(customer.newsletter, true)", "or_else"),
        ("!or_else(customer.newsletter, false)", "or_else"),
        ("or_else(customer.heating, 'gas') in ['gas']", "or_else"),
        ("or_else(context.visits, 0) < 5", "or_else"),
    ] {
        let problems = Rule::condition(source, &allow).expect_err(source);
        let wanted = format!("`{function}` here would let the action pass because something is not known");
        assert!(problems.iter().all(|problem| problem.message == wanted), "`{source}`: {problems:?}");
        let restrict = world.environment(View::Purpose(OFFERS), Position::Restrict);
        assert!(Rule::condition(source, &restrict).is_ok(), "`{source}` may restrict");
    }
}

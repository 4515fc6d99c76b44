//! One mistake at a time in a strategy that is otherwise right: what is said, and about which text?

mod table;

use super::{Files, Problem, load, test_run};
use proptest::prelude::*;
use table::MISTAKES;

const RIGHT: [(&str, &str); 10] = [
    (
        "organisation.toml",
        r#"name = "Morning Light"
time_zone = "Europe/Amsterdam"
languages = ["en", "nl"]
[floor]
customer = 0.0
customer_vulnerable = 1.0
vulnerable = 'customer.arrears > 0.0'
[levers]
sales = 0.1
[outcomes.complaint]
event = "complaint_opened"
within = "14d"
value = { customer = -15.0, organisation = -40.0 }
prior = 0.002
"#,
    ),
    (
        "purposes.toml",
        r#"[purposes.offers]
name = { en = "Offers", nl = "Aanbod" }
basis = "consent"
[purposes.care]
name = { en = "Care", nl = "Zorg" }
basis = "legitimate_interests"
assessment = { reference = "LIA-1", date = 2026-01-15 }
protective = true
"#,
    ),
    (
        "channels.toml",
        r#"[channels.email]
name = { en = "E-mail", nl = "E-mail" }
directions = ["outbound"]
quiet_hours = { from = "21:00", until = "08:00" }
"#,
    ),
    (
        "placements.toml",
        r#"[placements.hero]
channel = "email"
name = { en = "Top", nl = "Boven" }
slots = 2
"#,
    ),
    (
        "inventory/customer.toml",
        r#"[attributes.arrears]
name = { en = "Arrears", nl = "Achterstand" }
type = "number"
purposes = ["care"]
sensitivity = "financial_distress"
owner = "billing"
[attributes.heating]
name = { en = "Heating", nl = "Verwarming" }
type = "text"
values = ["gas", "heat_pump"]
purposes = ["offers"]
owner = "advice"
[context.page]
type = "text"
[events.complaint_opened]
properties = { amount = "number" }
sets = { arrears = "{amount}" }
outcome = "complaint"
[events.complaint_solved]
outcome = "complaint_resolved"
[events.contract_renewed]
"#,
    ),
    (
        "principles/care.toml",
        r#"[principles.no_sales_in_arrears]
kind = "veto"
applies_to = ["sales"]
when = '''customer.arrears > 0.0'''
when_unknown = "veto"
owner = "board"
reason = { en = "Care first", nl = "Eerst zorg" }
"#,
    ),
    (
        "actions/sales/contract/renew.toml",
        r#"name = { en = "Renew", nl = "Verleng" }
intent = { en = "Certainty", nl = "Zekerheid" }
owner = "sales"
mandate = "board"
purpose = "offers"
goal = { event = "contract_renewed", within = "30d" }
value = { customer = 40.0, organisation = 12.0 }
prior = 0.05
lever = 0.0
eligibility = '''
customer.heating == "gas"
'''
[[treatments]]
id = "email"
placement = "hero"
title = { en = "Renew", nl = "Verleng" }
body = { en = "You heat with {heating}", nl = "U stookt op {heating}" }
"#,
    ),
    (
        "contact-policy.toml",
        r#"complaint_silences = ["sales"]
[[limits]]
id = "weekly"
per = "all"
at_most = 3
within = "7d"
[[pauses]]
id = "after_no"
outcome = "rejected"
within = "30d"
per = "action"
pause_for = "60d"
"#,
    ),
    (
        "permissions.toml",
        r#"[[permissions]]
channel = "email"
direction = "outbound"
from = 2026-07-01
needs = "offers"
reason = "law"
"#,
    ),
    (
        "tests/sales.toml",
        r#"[[tests]]
name = "sales wait"
because = "care first"
at = 2026-03-09T10:00:00+01:00
channel = "email"
direction = "outbound"
placements = ["hero"]
given = { attributes = { arrears = 120.0, heating = "gas" }, consents = { offers = "given" } }
expect = { silence = true, dropped = { "sales/contract/renew" = "principle:no_sales_in_arrears" } }
"#,
    ),
];

fn right() -> Files {
    Files(RIGHT.into_iter().map(|(file, text)| (file.to_owned(), text.to_owned())).collect())
}

/// The same files with one text replaced.
fn with(file: &str, text: &str, replacement: &str) -> Files {
    let mut files = right();
    let content = files.0.get_mut(file).expect("a file of the strategy");
    assert_eq!(content.matches(text).count(), 1, "`{text}` occurs once in {file}");
    *content = content.replace(text, replacement);
    files
}

/// `file | the text it is about | message | hint`, one line per problem.
fn told(files: &Files) -> Vec<String> {
    let tell = |problem: Problem| {
        let about = problem.span.map(|span| &files.0[&problem.file][span]);
        let parts =
            [&problem.file, about.unwrap_or("-"), &problem.message, problem.hint.as_deref().unwrap_or("-")];
        parts.join(" | ")
    };
    load(files).err().unwrap_or_default().into_iter().map(tell).collect()
}

#[test]
fn a_right_strategy_has_no_problems_and_passes_its_own_tests() {
    assert_eq!(told(&right()), [""; 0]);
    let loaded = load(&right()).expect("no problems");
    let strategy = test_run::without_exploration(loaded.strategy);
    assert_eq!(loaded.tests.len(), 1);
    assert_eq!(test_run::run(&strategy, &loaded.tests[0]), []);
}

#[test]
fn every_mistake_is_told_at_the_text_it_is_about() {
    for (file, text, replacement, expected) in MISTAKES {
        assert!(!expected.is_empty(), "`{replacement}` in {file} is a mistake");
        assert_eq!(told(&with(file, text, replacement)), *expected, "`{replacement}` in {file}");
    }
}

#[test]
fn what_is_kept_for_audits_serves_nothing_else_and_is_never_learned() {
    let mut files = with(
        "purposes.toml",
        "[purposes.care]",
        "[purposes.audit]\nname = { en = \"A\", nl = \"A\" }\nbasis = \"legal_obligation\"\naudit_only = true\n[purposes.care]",
    );
    let inventory = files.0.get_mut("inventory/customer.toml").expect("it is there");
    *inventory =
        inventory.replace("purposes = [\"offers\"]", "purposes = [\"offers\", \"audit\"]\nlearn = true");
    assert_eq!(
        told(&files),
        [
            "inventory/customer.toml | [\"offers\", \"audit\"] | `heating` is kept for audits only, and for something else | leave one of them out: what decisions read cannot show that they do not read it",
            "inventory/customer.toml | true | models never learn from what is kept for audits only | -",
        ]
    );
    let inventory = files.0.get_mut("inventory/customer.toml").expect("it is there");
    *inventory = inventory.replace("[\"offers\", \"audit\"]\nlearn = true", "[\"audit\"]");
    let told = told(&files);
    assert!(
        told.iter().all(|line| line.contains("customer.heating") || line.contains("{heating}")),
        "{told:?}"
    );
    assert!(told.len() >= 2, "neither the rule nor the text may read it: {told:?}");
}

#[test]
fn a_failing_test_tells_what_was_expected_and_what_came() {
    let files = with("tests/sales.toml", "principle:no_sales", "contact_policy:no_sales");
    let loaded = load(&files).expect("no problems");
    let differences = test_run::run(&loaded.strategy, &loaded.tests[0]);
    let [difference] = differences.as_slice() else { panic!("one difference, not {differences:?}") };
    assert_eq!(difference.expected, "`sales/contract/renew` dropped at `contact_policy:no_sales_in_arrears`");
    assert_eq!(difference.got, "dropped at `principle:no_sales_in_arrears`");
    let text = &files.0["tests/sales.toml"][difference.span.clone()];
    assert_eq!(text, "\"contact_policy:no_sales_in_arrears\"");
}

#[test]
fn a_file_in_the_wrong_place_is_told() {
    let mut files = right();
    for file in ["principals/care.toml", "purpose.toml", "actions/sales/renew.toml"] {
        files.0.insert(file.to_owned(), String::new());
    }
    files.0.insert("README.md".to_owned(), "not a strategy file".to_owned());
    let expected = [
        "actions/sales/renew.toml | - | a strategy has no such file | an action is `actions/<issue>/<group>/<action>.toml`, in lower-case letters, digits, `_` and `-`",
        "principals/care.toml | - | a strategy has no such file | did you mean `principles/`?",
        "purpose.toml | - | a strategy has no such file | did you mean `purposes.toml`?",
    ];
    assert_eq!(told(&files), expected);
}

#[test]
fn an_empty_folder_tells_what_a_strategy_needs() {
    let missing = told(&Files::default());
    let files: Vec<&str> = missing.iter().filter_map(|line| line.split(" | ").next()).collect();
    assert_eq!(
        files,
        ["actions", "channels.toml", "inventory", "organisation.toml", "placements.toml", "purposes.toml"]
    );
}

#[test]
fn a_second_declaration_names_the_first() {
    let mut files = right();
    let again = "[events.contract_renewed]\n".to_owned();
    files.0.insert("inventory/more.toml".to_owned(), again);
    let expected = "inventory/more.toml | contract_renewed | the event `contract_renewed` is declared twice | it is already declared at inventory/customer.toml:21";
    assert_eq!(told(&files), [expected]);
}

#[test]
fn a_file_that_is_too_large_or_too_deep_is_refused_unread() {
    let deep = [
        "[".repeat(600_000),
        format!("{}a = 1", "a.".repeat(300_000)),
        format!("x = {}", "{a=".repeat(200_000)),
    ];
    for text in deep {
        let mut files = right();
        files.0.insert("tests/deep.toml".to_owned(), text);
        let problems = load(&files).expect_err("too deep");
        assert_eq!(problems[0].message, "nested more than 16 deep");
    }
    let mut files = right();
    files.0.insert("tests/large.toml".to_owned(), "#".repeat((1 << 20) + 1));
    let problems = load(&files).expect_err("too large");
    assert_eq!(problems[0].message, "the file is larger than 1048576 bytes");
}

/// A strategy with this many more copies of its first action, each with rules of its own.
fn with_actions(count: usize, rule: impl Fn(usize) -> String) -> Files {
    let mut files = right();
    let (_, action) =
        files.0.iter().find(|(path, _)| path.starts_with("actions/")).expect("an action of the strategy");
    let action = action.clone();
    for index in 0..count {
        let text = format!("suitability = '{}'\n{action}", rule(index));
        files.0.insert(format!("actions/sales/many/a{index}.toml"), text);
    }
    files
}

#[test]
fn a_strategy_whose_rules_take_too_long_together_is_refused_at_the_rule_that_takes_most() {
    let counts = |index: usize| format!("contacts(\"\", \"{}d\") < 9.0", index + 1);
    load(&with_actions(1_000, counts)).expect("a thousand different counts are allowed");
    load(&with_actions(3_000, |_| counts(0))).expect("what actions share is counted once");
    let problems = load(&with_actions(2_000, counts)).expect_err("too much");
    let [problem] = problems.as_slice() else {
        panic!("one problem is enough: {} were found", problems.len());
    };
    assert!(problem.file.starts_with("actions/sales/many/a"), "{problem:?}");
    assert!(problem.span.is_some());
    assert!(problem.message.starts_with("all rules together may take 205"), "{problem:?}");
    let hint = problem.hint.as_deref().expect("what drives it");
    assert!(hint.ends_with("steps each time it is asked"), "{hint}");
}

#[test]
fn weights_that_every_action_asks_again_are_part_of_what_a_strategy_takes() {
    let weigh = |index: usize| {
        let terms = vec!["hour() < 1.0"; 20].join(" || ");
        format!(
            "[principles.w{index}]\norder = {}\nkind = \"weigh\"\nwhen = '{terms}'\nweight = 0.01\nowner = \"board\"\nreason = {{ en = \"r\", nl = \"r\" }}\n",
            100 + index
        )
    };
    let mut files = with_actions(500, |_| "true".to_owned());
    files.0.insert("principles/weights.toml".into(), (0..100).map(weigh).collect::<String>());
    let problems = load(&files).expect_err("too much");
    let found = problems.iter().find(|problem| problem.message.starts_with("all rules together"));
    let message = &found.unwrap_or_else(|| panic!("{problems:?}")).message;
    assert!(message.contains("for weights"), "{message}");
}

#[test]
fn a_file_of_nothing_but_mistakes_is_told_in_a_thousand_problems() {
    let names: String = (0..30_000).map(|index| format!("\"customar{index}\",")).collect();
    let mut files = right();
    let inventory = files.0.get_mut("inventory/customer.toml").expect("a file of the strategy");
    *inventory = inventory.replacen("purposes = [", &format!("purposes = [{names}"), 1);
    let problems = load(&files).expect_err("mistakes");
    assert_eq!(problems.len(), 1_000);
    assert!(problems.iter().filter(|problem| problem.hint.is_some()).count() < 300);
}

#[test]
fn what_no_person_writes_is_refused_before_it_is_parsed() {
    let deep = "nested more than 16 deep";
    for (bomb, message) in [
        (format!("a = {}", "[".repeat(500_000)), deep),
        (format!("a = {}", "{a=".repeat(300_000)), deep),
        (format!("{} = 1", ["a"; 400_000].join(".")), deep),
        (format!("[{}]", ["a"; 400_000].join(".")), deep),
        (format!("a = [{}]", "1,".repeat(400_000)), "the file has more than 400000 words and signs"),
        ("[[a]]\n".repeat(140_000), "the file has more than 400000 words and signs"),
    ] {
        let mut files = right();
        files.0.insert("inventory/bomb.toml".to_owned(), bomb);
        let problems = load(&files).expect_err("refused");
        let about = problems.iter().find(|problem| problem.file == "inventory/bomb.toml");
        assert_eq!(about.map(|problem| problem.message.as_str()), Some(message));
    }
}

#[test]
fn equal_files_have_equal_versions_and_any_change_gives_another() {
    assert_eq!(right().version(), right().version());
    assert_ne!(right().version(), with("organisation.toml", "0.1", "0.2").version());
    let mut renamed = right();
    let text = renamed.0.remove("principles/care.toml").expect("a file of the strategy");
    renamed.0.insert("principles/cares.toml".to_owned(), text);
    assert_ne!(right().version(), renamed.version());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes_in_any_file_are_told_never_fatal(
        file in 0..RIGHT.len(),
        at in any::<prop::sample::Index>(),
        removed in 0..40_usize,
        noise in prop::collection::vec(any::<u8>(), 0..40),
        marks in "[\\[\\]{}'\"=.,#\\\\ \n]{0,6}",
    ) {
        let mut files = right();
        let text = files.0.get_mut(RIGHT[file].0).expect("a file of the strategy");
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.ceil_char_boundary(start + removed);
        let noise = String::from_utf8_lossy(&noise).into_owned();
        text.replace_range(start..end, &(marks + &noise));
        for problem in load(&files).err().unwrap_or_default() {
            if let Some(span) = problem.span {
                prop_assert!(files.0[&problem.file].get(span).is_some(), "a span lies in the text");
            }
        }
    }
}

const PURCHASES: &str = r#"[attributes.first_bought_at]
name = { en = "first", nl = "eerst" }
type = "time"
purposes = ["offers", "care"]
owner = "shop"
[attributes.last_bought_at]
name = { en = "last", nl = "laatst" }
type = "time"
purposes = ["offers", "care"]
owner = "shop"
[attributes.days_bought]
name = { en = "days", nl = "dagen" }
type = "number"
purposes = ["offers"]
owner = "shop"
[attributes.spent]
name = { en = "spent", nl = "besteed" }
type = "number"
purposes = ["offers"]
owner = "shop"
[attributes.expected_value]
name = { en = "expected", nl = "verwacht" }
type = "number"
purposes = ["offers"]
source = "derived"
owner = "shop"
[events.purchase]
properties = { amount = "number", item = "text" }
[purchases]
event = "purchase"
amount = "amount"
first_at = "first_bought_at"
last_at = "last_bought_at"
days = "days_bought"
total = "spent"
[purchases.expected]
within = "365d"
value = "expected_value"
"#;

#[test]
fn what_a_purchase_leaves_behind_is_checked_against_the_inventory() {
    let with_purchases = |text: &str, replacement: &str| {
        assert_eq!(PURCHASES.matches(text).count(), 1, "`{text}` occurs once");
        let mut files = right();
        files.0.insert("inventory/purchases.toml".into(), PURCHASES.replace(text, replacement));
        told(&files)
    };
    let told = |message: &str| vec![format!("inventory/purchases.toml | {message}")];
    let strategy = with_purchases("within = \"365d\"", "within = \"90d\"");
    assert_eq!(strategy, [""; 0]);
    let rows = [
        (
            "event = \"purchase\"",
            "event = \"purchas\"",
            "\"purchas\" | no event is called `purchas` | did you mean `purchase`?",
        ),
        (
            "amount = \"amount\"",
            "amount = \"item\"",
            "\"item\" | `purchase` has no property `item` of type number | -",
        ),
        ("total = \"spent\"", "", "purchases | `purchases` has no `total` | -"),
        (
            "last_at = \"last_bought_at\"",
            "last_at = \"spent\"",
            "\"spent\" | `last_at` expects an attribute of type time, `spent` is of type number | -",
        ),
        (
            "[attributes.days_bought]\nname = { en = \"days\", nl = \"dagen\" }\ntype = \"number\"\npurposes = [\"offers\"]",
            "[attributes.days_bought]\nname = { en = \"days\", nl = \"dagen\" }\ntype = \"number\"\npurposes = [\"care\"]",
            "\"expected_value\" | `expected_value` may be used for `offers`, what it is worked out from may not | \
             add the purpose to `days_bought`, or take it from `expected_value`",
        ),
        (
            "within = \"365d\"",
            "wihtin = \"365d\"",
            "wihtin | `expected` has no place for `wihtin` | did you mean `within`?",
        ),
    ];
    for (text, replacement, expected) in rows {
        assert_eq!(with_purchases(text, replacement), told(expected), "{replacement}");
    }
}

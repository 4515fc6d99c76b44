//! Importing files of an organisation of its own kind: semicolons, ISO 8859-1, gzip, dirty values.

use crate::retailer::{engine, pack};
use decision::value::Value;
use engine::{Engine, Identifier};
use simulation::import::{self, Gathered, Mapping};
use std::{fs, path::Path};

const MAPPING: &str = r#"
name = "a small file"
strategy = "strategy"
as_of = "2018-01-01"

[basis]
assumed = "legitimate_interests"
purposes = ["coupon_letters"]
because = "a test"

[retention]
keep = "800d"
reason = "a test"

[[sources]]
name = "people"
file = "people.csv.gz"
written = { delimiter = ";", encoding = "latin-1", decimal_comma = true }
identifiers = { loyalty_card = "card" }
at = { column = "when", format = "%d/%m/%Y", time = "10:00" }
unknown = { kind = ["?"] }
attributes = { age_band = "age", household_kind = "kind", spend_28d = "spend" }

[[sources]]
name = "letters"
file = "letters.csv"
identifiers = { loyalty_card = "card" }
at = { column = "when", time = "09:00" }
[sources.contact]
id = "letter"
action = "offers/campaign/{type}"
channel = "letter"
placement = "coupon_letter"
context = { campaign_type = "type" }

[[sources]]
name = "answers"
file = "answers.csv"
optional = true
identifiers = { loyalty_card = "card" }
at = { column = "when", time = "12:00" }
event = "coupon_redeemed"
[sources.outcome]
contact = "letter"
event = "campaign_answered"

[[facts]]
attribute = "letters_received"
count = "contact"

[[facts]]
attribute = "answer_rate"
count = "campaign_answered"
per = "contact"
start = 0.1
weight = 4.0
"#;

/// Line 3 has a field too few, line 4 no number, line 5 nobody, line 6 is older than the retention.
const PEOPLE: &str = "card;when;age;kind;spend\n\
    1;01/02/2017;35-44;Ren\u{e9};1.234,50\n\
    2;01/02/2017;(not surveyed)\n\
    3;01/02/2017;35-44;?;much\n\
    ;01/02/2017;35-44;?;10\n\
    5;01/02/2011;35-44;?;10\n\
    6;01/02/2017;(Not Surveyed);?;\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let latin: Vec<u8> = PEOPLE.chars().map(|letter| letter as u8).collect();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("people.csv.gz", &pack(&latin));
    write(
        "letters.csv",
        b"card,when,letter,type\n1,2017-03-01,a,type_a\n1,2017-03-01,b,type_b\n1,2017-04-01,c,type_z\n",
    );
    write("answers.csv", b"card,when,letter\n1,2017-03-02,a\n1,2017-03-02,a\n1,2017-03-02,x\n");
    folder
}

fn gather(data: &Path, engine: &Engine) -> Gathered {
    let mapping = Mapping::parse(MAPPING).unwrap();
    let strategy = &engine.published().strategy;
    assert_eq!(import::problems(&mapping, strategy), [""; 0]);
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    import::gather(&mapping, strategy, data, now, &mut |_| {}).unwrap()
}

fn store(gathered: &mut Gathered, engine: &Engine) {
    let mapping = Mapping::parse(MAPPING).unwrap();
    import::store(gathered, &mapping, engine, &mut |_, _| {}).unwrap();
}

fn known(engine: &Engine, card: &str, attribute: &str) -> Option<Value> {
    let who = [Identifier::new("loyalty_card", card)];
    let customer = engine.customer(&who).unwrap()?.customer;
    let value = customer.profile.attributes.get(attribute)?;
    Some(value.value.clone())
}

#[test]
fn rows_that_cannot_be_used_are_named_by_line_and_never_by_value() {
    let (folder, engine) = (folder(), engine());
    let gathered = gather(folder.path(), &engine);
    let found: Vec<String> =
        gathered.tally.rejects.iter().map(|reject| format!("{} {}", reject.place, reject.reason)).collect();
    assert_eq!(
        found,
        [
            "people.csv.gz:3 the row has 3 fields, the header 5",
            "people.csv.gz:4 column `spend` does not hold a number",
            "people.csv.gz:5 the row does not say whose it is",
            "people.csv.gz:6 the row is older than the stated retention",
            "letters.csv:4 the row names an action that the strategy does not have",
        ]
    );
    assert!(gathered.tally.rejects_csv().starts_with("place,reason\npeople.csv.gz:3,"));
}

#[test]
fn words_that_mean_unknown_become_missing_by_a_counted_rule() {
    let (folder, engine) = (folder(), engine());
    let mut gathered = gather(folder.path(), &engine);
    store(&mut gathered, &engine);
    let text = |text: &str| Some(Value::Text(text.into()));
    assert_eq!(known(&engine, "1", "household_kind"), text("Ren\u{e9}"));
    assert_eq!(known(&engine, "1", "spend_28d"), Some(Value::Number(1234.5)));
    for attribute in ["age_band", "household_kind", "spend_28d"] {
        assert_eq!(known(&engine, "6", attribute), None);
    }
    let rules = &gathered.tally.unknown;
    assert_eq!(rules["household_kind"]["the mapping: \"?\""], 1);
    assert_eq!(rules["spend_28d"]["empty"], 1);
    assert_eq!(rules["age_band"].values().sum::<u64>(), 1);
}

#[test]
fn contacts_and_outcomes_become_facts_that_are_known_afterwards() {
    let (folder, engine) = (folder(), engine());
    let mut gathered = gather(folder.path(), &engine);
    store(&mut gathered, &engine);
    let number = |attribute| known(&engine, "1", attribute);
    assert_eq!(number("letters_received"), Some(Value::Number(2.0)));
    assert_eq!(number("answer_rate"), Some(Value::Number(1.4 / 6.0)));
    let last = gathered.tally.rejects.last().unwrap();
    assert_eq!(
        (last.place.as_str(), last.reason.as_str()),
        ("answers.csv:4", "this customer had no such contact")
    );
}

#[test]
fn importing_the_same_rows_again_changes_nothing() {
    let (folder, engine) = (folder(), engine());
    let who = [Identifier::new("loyalty_card", "1")];
    let mut first = gather(folder.path(), &engine);
    store(&mut first, &engine);
    let once = engine.customer(&who).unwrap();
    let journal = engine.health().journal_sequence;
    let mut second = gather(folder.path(), &engine);
    store(&mut second, &engine);
    assert_eq!(engine.customer(&who).unwrap(), once);
    assert_eq!(engine.health().journal_sequence, journal);
    assert_eq!(second.tally.sources["people"].duplicates, 2);
    assert_eq!(first.tally.sources["people"].duplicates, 0);
}

#[test]
fn one_file_alone_can_be_imported() {
    let (folder, engine) = (folder(), engine());
    let gathered = gather(&folder.path().join("letters.csv"), &engine);
    assert_eq!(gathered.items.len(), 2);
    assert!(gathered.tally.sources.keys().eq(["letters"]));
}

#[test]
fn without_a_ground_and_a_retention_nothing_is_imported() {
    let engine = engine();
    let published = engine.published();
    let problems = |text: &str| {
        let mapping = Mapping::parse(text).unwrap();
        import::problems(&mapping, &published.strategy).join("\n")
    };
    let without = |from: &str, to: &str| {
        let (start, end) = (MAPPING.find(from).unwrap(), MAPPING.find(to).unwrap());
        format!("{}{}", &MAPPING[..start], &MAPPING[end..])
    };
    assert!(problems(&without("[basis]", "[retention]")).contains("states no `[basis]`"));
    assert!(problems(&without("[retention]", "[[sources]]")).contains("states no `[retention]`"));
    let consent = MAPPING.replace("legitimate_interests", "consent");
    assert!(problems(&consent).contains("consent cannot be assumed"));
    let contract = MAPPING.replace("legitimate_interests", "contract");
    assert!(problems(&contract).contains("the strategy declares `legitimate_interests`"));
    let short = MAPPING.replace("800d", "30d");
    assert!(problems(&short).contains("is kept longer than the `30d`"));
    let misspelt = MAPPING.replace("age_band = ", "age_bandd = ");
    assert!(problems(&misspelt).contains("attribute `age_bandd`"));
}

#[test]
fn a_misspelt_key_is_shown_with_its_line() {
    let problem = Mapping::parse(&MAPPING.replace("optional = true", "optionall = true"));
    let problem = problem.unwrap_err();
    assert!(problem.contains("optionall") && problem.contains("line "), "{problem}");
}

//! Groups that are treated alike or not, and facts that give a group away.

use decision::{
    Timestamp,
    id::CustomerId,
    request::{Direction, PlacementRequest, Request},
    strategy::Files,
    value::Value,
};
use engine::{Ask, CUSTOMER_UPDATED, Engine, EventReport, Identifier, OutcomeReport, storage::MemoryStore};
use insight::{
    fairness::{self, Fairness, Rate, Treated},
    protected::{Column, Table},
    proxies,
    report::{self, Period},
};
use learning::exploration::keyed_uniform;
use std::{collections::BTreeMap, path::Path, process::Command, sync::Arc};

const STRATEGY: [(&str, &str); 8] = [
    (
        "organisation.toml",
        "name = \"Morning Light\"\ntime_zone = \"UTC\"\nlanguages = [\"en\"]\n[control]\nsilence_share = 0.2\n",
    ),
    (
        "purposes.toml",
        r#"[purposes.contract]
name = { en = "Contract" }
basis = "contract"
[purposes.audit]
name = { en = "Seeing whether groups are treated alike" }
basis = "legal_obligation"
audit_only = true
[purposes.protection]
name = { en = "Protection" }
basis = "legal_obligation"
protective = true
"#,
    ),
    ("channels.toml", "[channels.web]\nname = { en = \"Web\" }\ndirections = [\"inbound\"]\n"),
    ("placements.toml", "[placements.top]\nchannel = \"web\"\nname = { en = \"Top\" }\n"),
    (
        "inventory/customer.toml",
        r#"[attributes.gender]
name = { en = "your gender" }
type = "text"
values = ["f", "m"]
purposes = ["audit"]
owner = "privacy"
[attributes.district]
name = { en = "your district" }
type = "text"
purposes = ["contract"]
owner = "service"
[attributes.shoe_size]
name = { en = "your shoe size" }
type = "number"
purposes = ["contract", "protection"]
owner = "service"
[events.renewed]
[events.complained]
outcome = "complaint"
"#,
    ),
    (
        "actions/sales/contract/renew.toml",
        r#"name = { en = "Renew" }
intent = { en = "Certainty" }
owner = "sales"
mandate = "board"
purpose = "contract"
goal = { event = "renewed", within = "30d" }
value = { customer = 40.0, organisation = 12.0 }
prior = 0.05
suitability = '''customer.district != "none"'''
[[treatments]]
id = "web"
placement = "top"
title = { en = "Renew" }
body = { en = "Renew" }
"#,
    ),
    (
        "principles/care.toml",
        r#"[principles.not_in_the_north]
kind = "veto"
when = '''customer.shoe_size > 40.0'''
when_unknown = "pass"
owner = "board"
reason = { en = "Only to see a veto" }
"#,
    ),
    ("contact-policy.toml", "complaint_silences = []\n"),
];

fn engine() -> Engine {
    let files = STRATEGY.into_iter().map(|(file, text)| (file.to_owned(), text.to_owned())).collect();
    Engine::open(Arc::new(MemoryStore::new()), &Files(files), [3; 32]).expect("a strategy that checks")
}

fn at(days: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + days * 86_400).expect("a moment")
}

fn who(customer: u64) -> Vec<Identifier> {
    vec![Identifier::new("user_id", &format!("customer-{customer}"))]
}

/// Customers of two genders; the district tells the gender to a degree, the shoe size nothing.
fn customers(engine: &Engine, count: u64, district: impl Fn(bool, f64) -> &'static str) {
    for customer in 0..count {
        let woman = keyed_uniform(1, customer) < 0.5;
        let text = |text: &str| Value::Text(text.into());
        let size = Value::number((30.0 + 15.0 * keyed_uniform(2, customer)).round()).expect("a number");
        let attributes = BTreeMap::from([
            ("gender".to_owned(), text(if woman { "f" } else { "m" })),
            ("district".to_owned(), text(district(woman, keyed_uniform(3, customer)))),
            ("shoe_size".to_owned(), size),
        ]);
        let report = EventReport {
            id: format!("known-{customer}"),
            event: CUSTOMER_UPDATED.to_owned(),
            identifiers: who(customer),
            at: Some(at(0)),
            properties: BTreeMap::new(),
            attributes,
            source: None,
            household: None,
        };
        engine.ingest(&report, "", at(0)).expect("taken").1.wait().expect("durable");
    }
}

fn decide(engine: &Engine, count: u64) {
    for customer in 0..count {
        let request = Request {
            channel: "web".into(),
            direction: Direction::Inbound,
            placements: vec![PlacementRequest { placement: "top".into(), slots: 1 }],
            context: BTreeMap::new(),
            language: None,
            global_privacy_control: false,
            dry_run: false,
        };
        let ask = Ask { identifiers: who(customer), request, adjustments: Vec::new() };
        let decided = engine.decide(&ask, at(1), customer).expect("decided");
        let outcome = "displayed".to_owned();
        let report = OutcomeReport { decision: decided.decision.id, slot: 0, outcome, at: Some(at(1)) };
        engine.report(&report, "", at(1)).expect("taken").1.wait().expect("durable");
    }
}

const ALWAYS: Period = Period { since: Timestamp::MIN, until: Timestamp::MAX };

/// Every figure of a report, added up once more from its exported log by a script that shares no code with it.
fn recomputed(report: &report::Report, evidence: &report::evidence::Evidence) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let (figures, log) = (folder.path().join("report.json"), folder.path().join("log.jsonl"));
    std::fs::write(&figures, serde_json::to_vec(report).expect("figures")).expect("written");
    let lines: Vec<String> =
        evidence.lines.iter().map(|line| serde_json::to_string(line).expect("a line")).collect();
    std::fs::write(&log, lines.join("\n")).expect("written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/main/recompute.py");
    let run = Command::new("python3").arg(script).args([figures, log]).output().expect("python3 runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

fn told(engine: &Engine) -> Fairness {
    fairness::look(engine, Timestamp::MIN, Timestamp::MAX, at(2)).expect("readable")
}

#[test]
fn a_fact_that_gives_a_protected_group_away_fails_the_gate_and_says_what_to_do() {
    let engine = engine();
    customers(&engine, 600, |woman, drawn| if woman == (drawn < 0.95) { "east" } else { "west" });
    let strategy = &engine.published().strategy;
    let proxies = proxies::look(&engine, strategy, at(2)).expect("readable");
    assert!(!proxies.passes());
    let found = &proxies.told[0];
    assert_eq!((found.attribute.as_str(), found.protected.as_str()), ("district", "gender"));
    assert!(
        found.low > proxies.threshold && found.low < found.share && found.share < found.high,
        "{found:?}"
    );
    let page = proxies.to_string();
    for word in ["`district` tells", "`gender`", "learn = false", "proxy_threshold"] {
        assert!(page.contains(word), "{page}");
    }
    let harmless = proxies.told.iter().find(|told| told.attribute == "shoe_size").expect("looked at");
    assert!(!harmless.is_proxy && harmless.share < 0.02, "{harmless:?}");
    assert!(proxies.told.iter().all(|told| told.attribute != "gender"), "it is no fact that decisions read");
}

#[test]
fn facts_that_tell_nothing_pass_the_gate() {
    let engine = engine();
    customers(&engine, 600, |_, drawn| if drawn < 0.5 { "east" } else { "west" });
    let proxies = proxies::look(&engine, &engine.published().strategy, at(2)).expect("readable");
    assert!(proxies.passes(), "{proxies}");
    assert_eq!(proxies.told.len(), 2);
}

#[test]
fn of_too_few_customers_nothing_is_said() {
    let engine = engine();
    let strategy = engine.published();
    let nobody = proxies::look(&engine, &strategy.strategy, at(2)).expect("readable");
    assert!(nobody.passes() && nobody.to_string().contains("too few customers"), "{nobody}");
    assert!(told(&engine).to_string().contains("fewer than two groups"), "{}", told(&engine));
    customers(&engine, 40, |woman, _| if woman { "east" } else { "west" });
    let few = proxies::look(&engine, &strategy.strategy, at(2)).expect("readable");
    assert_eq!(few.unknown, ["gender"]);
}

#[test]
fn a_group_that_hears_less_raises_an_alarm() {
    let engine = engine();
    customers(&engine, 400, |woman, drawn| if woman && drawn < 0.6 { "none" } else { "east" });
    decide(&engine, 400);
    let fairness = told(&engine);
    let alarm = fairness.alarms().find(|one| one.issue == "sales").expect("an alarm");
    assert_eq!(
        (alarm.attribute.as_str(), alarm.group.as_str(), alarm.rate),
        ("gender", "f", Rate::Selection)
    );
    assert!(alarm.ours.high < alarm.others.low, "{alarm:?}");
    assert!(fairness.to_string().contains("ALARM"), "{fairness}");
}

#[test]
fn groups_that_hear_the_same_raise_none() {
    let engine = engine();
    customers(&engine, 400, |_, drawn| if drawn < 0.3 { "none" } else { "east" });
    decide(&engine, 400);
    let fairness = told(&engine);
    assert_eq!(fairness.alarms().count(), 0, "{fairness}");
    assert_eq!(fairness.customers, 400);
    assert!(fairness.compared.iter().any(|one| one.issue == "sales" && one.ours.happened > 50), "{fairness}");
}

/// A world of four groups and three issues in which everybody has the same chances.
fn equal_world(seed: u64) -> Fairness {
    let mut table = Table::default();
    let mut treated = BTreeMap::new();
    let mut groups = Column { parts: ["a", "b", "c", "d"].map(str::to_owned).into(), of: Vec::new() };
    for customer in 0..600_u64 {
        let drawn = |about: u64| keyed_uniform(seed * 100 + about, customer);
        let id = CustomerId(u128::from(customer) + 1);
        table.customers.push(id);
        groups.of.push(Some((drawn(0) * 4.0) as usize));
        let mut one = Treated::default();
        for (number, issue) in ["care", "sales", "service"].into_iter().enumerate() {
            let number = number as u64;
            if drawn(1 + number) < 0.2 {
                one.selected.insert(issue.to_owned());
                if drawn(11 + number) < 0.3 {
                    one.benefited.insert(issue.to_owned());
                }
            }
        }
        treated.insert(id, one);
    }
    table.protected.insert("origin".into(), groups);
    fairness::judge(&table, &treated)
}

#[test]
fn an_equal_world_raises_an_alarm_in_at_most_one_run_of_twenty() {
    let runs = 400;
    let alarmed = (0..runs).filter(|seed| equal_world(*seed).alarms().count() > 0).count();
    eprintln!("{alarmed} of {runs} equal worlds raised an alarm");
    assert!(alarmed * 20 <= runs as usize, "{alarmed} of {runs}");
    assert_eq!(equal_world(1).compared.len(), 4 * 2 * 4);
}

#[test]
fn one_group_only_is_not_compared() {
    let mut table = Table { customers: (1..=100).map(CustomerId).collect(), ..Table::default() };
    table.protected.insert("gender".into(), Column { parts: vec!["f".into()], of: vec![Some(0); 100] });
    let treated = table.customers.iter().map(|id| (*id, Treated::default())).collect();
    let fairness = fairness::judge(&table, &treated);
    assert_eq!(fairness.not_compared, ["gender"]);
    assert!(fairness.compared.is_empty());
    let nothing = fairness::judge(&Table::default(), &BTreeMap::new());
    assert!(nothing.to_string().contains("No protected attribute is declared"), "{nothing}");
}

#[test]
fn every_figure_of_the_report_is_the_one_that_its_log_adds_up_to() {
    let engine = engine();
    customers(&engine, 400, |woman, drawn| if woman && drawn < 0.6 { "none" } else { "east" });
    decide(&engine, 400);
    for customer in (0..400).filter(|customer| customer % 7 == 0) {
        for (event, on) in [("renewed", 3), ("complained", 4)] {
            let report = EventReport {
                id: format!("{event}-{customer}"),
                event: event.to_owned(),
                identifiers: who(customer),
                at: Some(at(on)),
                properties: BTreeMap::new(),
                attributes: BTreeMap::new(),
                source: None,
                household: None,
            };
            engine.ingest(&report, "", at(on)).expect("taken").1.wait().expect("durable");
        }
    }
    let (report, evidence) = report::make(&engine, ALWAYS, at(60)).expect("readable");
    assert_eq!((report.decisions, report.customers), (400, 400));
    assert!(report.silence.happened > 50 && report.complaints.happened == 58, "{report:?}");
    assert!(report.fairness.alarms().count() > 0);
    assert!(report.ledgers.len() >= 2 && report.ledgers[0].added.is_none(), "{:?}", report.ledgers);
    assert_eq!(report.vetoes[0].principle, "not_in_the_north");
    let figures = recomputed(&report, &evidence);
    eprintln!("{figures}");
    let mut wrong = report.clone();
    wrong.complaints.happened += 1;
    let refused = std::panic::catch_unwind(|| recomputed(&wrong, &evidence));
    assert!(refused.is_err(), "a figure that is not in the log is found");
    for (language, words) in [("en", "Integrity report"), ("nl", "Integriteitsverslag")] {
        let page = report::page(&report, language);
        assert!(page.contains(words) && page.contains("ALARM") && page.contains("gender = f"), "{page}");
        assert!(!page.contains("<script") && !page.contains("http"), "it needs nothing else");
    }
}

#[test]
fn a_report_of_an_empty_store_says_what_is_missing() {
    let (report, evidence) = report::make(&engine(), ALWAYS, at(0)).expect("readable");
    assert_eq!((report.decisions, report.silence.customers), (0, 0));
    recomputed(&report, &evidence);
    let page = report::page(&report, "en");
    for words in ["Nobody has been looked at", "Nobody said anything", "No human was asked"] {
        assert!(page.contains(words), "{page}");
    }
    assert!(!page.contains("NaN") && !page.contains("+inf"), "{page}");
}

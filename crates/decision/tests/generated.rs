//! Generated organisations and customers: strategies as files through the real loader, so that every
//! rule, principle and policy is one that could have been published.

use decision::{
    Duration, Timestamp,
    decide::{Worked, decide, work_out},
    id::{ActionId, CustomerId, DecisionId},
    inputs::{Assignment, Inputs},
    profile::{
        AttributeValue, Attributes, ConsentStatement, ConsentStatus, Contact, ContactHistory,
        ContactState, Customer, Outcome, Profile, Source,
    },
    record::Decision,
    request::{Direction, PlacementRequest, Request},
    strategy::{Files, Strategy, load},
    value::Value,
};
use learning::{Arm, Features, ModelVersion, Prediction, Predictor, exploration::keyed_uniform};
use proptest::strategy::Strategy as Generator;
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::{collections::BTreeMap, fmt::Write};

/// The moment around which everything happens: a Monday at 10:00 in Amsterdam.
pub const NOW: &str = "2026-03-09T10:00:00+01:00";

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

pub fn days(days: f64) -> Duration {
    Duration::from_millis((days * 86_400_000.0) as i64)
}

/// A model whose estimates follow from names, seed and what it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Fickle(pub u64);

impl Predictor for Fickle {
    fn predict(&self, features: &Features, arms: &[Arm]) -> Vec<Prediction> {
        let shown = hash(&format!("{features:?}"));
        let estimate = |arm: &Arm| {
            let key = hash(&arm.action)
                ^ hash(&arm.outcome).rotate_left(17)
                ^ hash(&arm.channel).rotate_left(31);
            let uniform = |slot: u64| keyed_uniform(self.0 ^ key ^ shown, slot) as f32;
            let goal = &*arm.outcome == "goal";
            Prediction {
                probability: if goal {
                    0.01 + 0.4 * uniform(0)
                } else {
                    0.0005 + 0.02 * uniform(0)
                },
                deviation: 1.2 * uniform(1),
                baseline: (uniform(2) < 0.5).then(|| 0.002 + 0.1 * uniform(3)),
                evidence: 500.0 * uniform(4),
            }
        };
        arms.iter().map(estimate).collect()
    }
    fn version(&self) -> ModelVersion {
        let mut version = [7; 16];
        version[..8].copy_from_slice(&self.0.to_le_bytes());
        ModelVersion(version)
    }
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const GROUPS: [&str; 4] = ["sales/contract", "sales/extra", "care/money", "advice/home"];
const PURPOSES: [&str; 3] = ["offers", "advice", "service"];
const PLACEMENTS: [&str; 3] = ["hero", "side", "mail"];

#[derive(Debug, Clone)]
struct ActionSketch {
    group: usize,
    purpose: usize,
    class: &'static str,
    sensitive: bool,
    placements: Vec<usize>,
    rules: [Option<String>; 3],
    value: (f64, f64),
    value_reads: bool,
    lever: f64,
    volume: bool,
    named: bool,
    validity: Option<&'static str>,
}

#[derive(Debug, Clone)]
struct PrincipleSketch {
    kind: &'static str,
    condition: String,
    when_unknown: &'static str,
    scope: usize,
}

#[derive(Debug, Clone)]
struct LimitSketch {
    per: &'static str,
    email_only: bool,
    scope: usize,
    at_most: u32,
    within_days: u32,
}

#[derive(Debug, Clone)]
struct PauseSketch {
    outcome: &'static str,
    times: u32,
    per: &'static str,
    scope: usize,
    pause_days: u32,
}

/// A strategy that is easy to shrink.
#[derive(Debug, Clone)]
pub struct Organisation {
    actions: Vec<ActionSketch>,
    principles: Vec<PrincipleSketch>,
    limits: Vec<LimitSketch>,
    pauses: Vec<PauseSketch>,
    floor: f64,
    vulnerable_from: f64,
    fatigue: f64,
    exploration: f64,
    side_outcome: bool,
    inbound_counts: bool,
}

fn clause() -> impl Generator<Value = String> {
    let number = (0..3_usize, select(vec!["<", "<=", ">", ">="]), 0..8_u32)
        .prop_map(|(index, operator, bound)| format!("customer.n{index} {operator} {bound}.0"));
    let sum = (0..6_u32).prop_map(|bound| format!("customer.n0 + customer.n1 > {bound}.5"));
    let fixed = select(vec![
        "customer.f0",
        "!customer.f0",
        "customer.f1",
        "customer.kind == \"red\"",
        "customer.kind != \"blue\"",
        "customer.kind in [\"red\", \"green\"]",
        "days_since(customer.since) > 30.0",
        "household.people >= 2.0",
        "context.page == \"home\"",
        "history.contacts(\"sales\", \"7d\") < 3.0",
        "known(customer.n1)",
        "customer.n2 / customer.n1 > 1.0",
    ]);
    prop_oneof![4 => number, 1 => sum, 3 => fixed.prop_map(str::to_owned)]
}

fn condition() -> impl Generator<Value = String> {
    prop_oneof![
        5 => clause(),
        2 => (clause(), clause()).prop_map(|(a, b)| format!("{a} && {b}")),
        1 => (clause(), clause()).prop_map(|(a, b)| format!("({a} || {b})")),
    ]
}

fn action() -> impl Generator<Value = ActionSketch> {
    let form = (
        0..GROUPS.len(),
        0..PURPOSES.len(),
        select(vec![
            "normal",
            "normal",
            "normal",
            "normal",
            "normal",
            "normal",
            "service",
            "mandatory",
        ]),
        prop::bool::weighted(0.15),
        proptest::sample::subsequence(vec![0, 1, 2], 1..=3),
        [
            option::weighted(0.3, condition()),
            option::weighted(0.2, condition()),
            option::weighted(0.15, condition()),
        ],
    );
    let worth = (
        (-5..120_i32, -10..60_i32),
        prop::bool::weighted(0.15),
        -4..8_i32,
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.15),
        option::weighted(
            0.1,
            select(vec![
                "{ from = 2026-06-01 }",
                "{ until = 2026-01-01 }",
                "{ from = 2026-01-01 }",
            ]),
        ),
    );
    (form, worth).prop_map(|(form, worth)| ActionSketch {
        group: form.0,
        purpose: form.1,
        class: form.2,
        sensitive: form.3,
        placements: form.4,
        rules: form.5,
        value: (f64::from(worth.0.0), f64::from(worth.0.1)),
        value_reads: worth.1,
        lever: f64::from(worth.2) / 10.0,
        volume: worth.3,
        named: worth.4,
        validity: worth.5,
    })
}

fn scope() -> std::ops::Range<usize> {
    0..6
}

/// Scope number 0 is everything; then issues, then groups.
fn scope_list(scope: usize) -> String {
    match scope {
        0 => "[]".into(),
        1 => "[\"sales\"]".into(),
        _ => format!("[\"{}\"]", GROUPS[scope - 2]),
    }
}

fn principle() -> impl Generator<Value = PrincipleSketch> {
    let protective = prop_oneof![
        clause(),
        Just("customer.arrears > 0.0".to_owned()),
        Just("customer.segment > 3.0".to_owned()),
    ];
    (
        select(vec!["veto", "veto", "require", "weigh"]),
        protective,
        select(vec!["veto", "pass", "pass"]),
        scope(),
    )
        .prop_map(|(kind, condition, when_unknown, scope)| {
            let unreadable = condition.contains("arrears") || condition.contains("segment");
            let condition = if kind == "weigh" && unreadable {
                "customer.f1".into()
            } else {
                condition
            };
            PrincipleSketch {
                kind,
                condition,
                when_unknown,
                scope,
            }
        })
}

fn per() -> impl Generator<Value = &'static str> {
    select(vec!["all", "channel", "action", "group", "issue"])
}

/// Any strategy that could have been published.
pub fn organisation() -> impl Generator<Value = Organisation> {
    let limit = (per(), any::<bool>(), scope(), 1..5_u32, 1..15_u32).prop_map(
        |(per, email_only, scope, at_most, within_days)| LimitSketch {
            per,
            email_only,
            scope,
            at_most,
            within_days,
        },
    );
    let pause = (
        select(vec!["rejected", "dismissed"]),
        1..3_u32,
        per(),
        scope(),
        1..60_u32,
    )
        .prop_map(|(outcome, times, per, scope, pause_days)| PauseSketch {
            outcome,
            times,
            per,
            scope,
            pause_days,
        });
    let lists = (
        vec(action(), 1..10),
        vec(principle(), 0..4),
        vec(limit, 0..4),
        vec(pause, 0..3),
    );
    let rest = (
        0..3_u32,
        2..9_u32,
        0..4_u32,
        0..6_u32,
        any::<bool>(),
        any::<bool>(),
    );
    (lists, rest).prop_map(|(lists, rest)| Organisation {
        actions: lists.0,
        principles: lists.1,
        limits: lists.2,
        pauses: lists.3,
        floor: f64::from(rest.0) * 0.1,
        vulnerable_from: f64::from(rest.1),
        fatigue: f64::from(rest.2) * 0.15,
        exploration: f64::from(rest.3) * 0.02,
        side_outcome: rest.4,
        inbound_counts: rest.5,
    })
}

impl Organisation {
    /// As a compiled strategy.
    pub fn strategy(&self) -> Strategy {
        compile(self.files())
    }

    fn files(&self) -> BTreeMap<String, String> {
        let mut files = fixed_files();
        files.insert("organisation.toml".into(), self.organisation_file());
        files.insert("contact-policy.toml".into(), self.policy_file());
        let mut principles = String::new();
        for (index, sketch) in self.principles.iter().enumerate() {
            let PrincipleSketch {
                kind,
                condition,
                when_unknown,
                scope,
            } = sketch;
            let scope = scope_list(*scope);
            let body = match *kind {
                "veto" => format!("when = '''{condition}'''\nwhen_unknown = \"{when_unknown}\""),
                "require" => {
                    format!("requires = '''{condition}'''\nwhen_unknown = \"{when_unknown}\"")
                }
                _ => format!("when = '''{condition}'''\nweight = 0.4"),
            };
            let _ = writeln!(
                principles,
                "[principles.p{index}]\norder = {index}\nkind = \"{kind}\"\napplies_to = {scope}\n{body}\nowner = \"board\"\nreason.en = \"We keep principle {index}.\"\n"
            );
        }
        files.insert("principles/all.toml".into(), principles);
        for (index, action) in self.actions.iter().enumerate() {
            files.insert(
                format!("actions/{}/a{index}.toml", GROUPS[action.group]),
                action.file(index),
            );
        }
        for (index, group) in GROUPS.iter().enumerate() {
            files.insert(format!("actions/{group}/z.toml"), plain_action(index));
        }
        files
    }

    fn organisation_file(&self) -> String {
        let mut file = format!(
            "name = \"Generated\"\ntime_zone = \"Europe/Amsterdam\"\nlanguages = [\"en\"]\n[floor]\ncustomer = {:.2}\ncustomer_vulnerable = {:.2}\nvulnerable = '''customer.n2 > {:.1}'''\n[attention]\nfatigue = {:.2}\nwithin = \"14d\"\n[exploration]\nfloor = {:.2}\ncontenders = 3\n[levers]\n\"sales\" = 0.2\n\"care/money\" = -0.1\n",
            self.floor,
            self.floor + 0.5,
            self.vulnerable_from,
            self.fatigue,
            self.exploration,
        );
        if self.side_outcome {
            file.push_str("[outcomes.complaint]\nevent = \"complained\"\nwithin = \"14d\"\nvalue = { customer = -15.0, organisation = -40.0 }\nprior = 0.002\n");
        }
        file
    }

    fn policy_file(&self) -> String {
        let mut file = format!(
            "inbound_counts = {}\ncomplaint_silences = [\"sales\"]\n",
            self.inbound_counts
        );
        for (index, limit) in self.limits.iter().enumerate() {
            let channels = if limit.email_only {
                "[\"email\"]"
            } else {
                "[]"
            };
            let _ = writeln!(
                file,
                "[[limits]]\nid = \"l{index}\"\nper = \"{}\"\nchannels = {channels}\napplies_to = {}\nat_most = {}\nwithin = \"{}d\"",
                limit.per,
                scope_list(limit.scope),
                limit.at_most,
                limit.within_days,
            );
        }
        for (index, pause) in self.pauses.iter().enumerate() {
            let _ = writeln!(
                file,
                "[[pauses]]\nid = \"s{index}\"\noutcome = \"{}\"\ntimes = {}\nwithin = \"30d\"\nper = \"{}\"\napplies_to = {}\npause_for = \"{}d\"",
                pause.outcome,
                pause.times,
                pause.per,
                scope_list(pause.scope),
                pause.pause_days,
            );
        }
        file
    }
}

impl ActionSketch {
    fn file(&self, index: usize) -> String {
        let value = if self.value_reads {
            "'''customer.n0 * 9.0'''".to_owned()
        } else {
            format!("{:.1}", self.value.0)
        };
        let mut file = format!(
            "name.en = \"Action {index}\"\nintent.en = \"It helps\"\nowner = \"team\"\nmandate = \"board\"\npurpose = \"{}\"\nclass = \"{}\"\nsensitive = {}\ngoal = {{ event = \"bought\", within = \"30d\", closed_for = \"20d\" }}\nvalue = {{ customer = {value}, organisation = {:.1} }}\nprior = 0.05\nlever = {:.1}\n",
            PURPOSES[self.purpose], self.class, self.sensitive, self.value.1, self.lever,
        );
        if let Some(validity) = self.validity {
            let _ = writeln!(file, "valid = {validity}");
        }
        if self.volume {
            file.push_str("volume = 100\n");
        }
        for (layer, rule) in ["eligibility", "applicability", "suitability"]
            .iter()
            .zip(&self.rules)
        {
            if let Some(rule) = rule {
                let _ = writeln!(file, "{layer} = '''{rule}'''");
            }
        }
        for &placement in &self.placements {
            let greeting = if self.named { "{first_name}" } else { "Hello" };
            let placement = PLACEMENTS[placement];
            let _ = writeln!(
                file,
                "[[treatments]]\nid = \"{placement}\"\nplacement = \"{placement}\"\ntitle.en = \"{greeting}\"\nbody.en = \"Text\""
            );
        }
        file
    }
}

/// Every group exists, so that every scope does.
fn plain_action(group: usize) -> String {
    format!(
        "name.en = \"Plain {group}\"\nintent.en = \"It helps\"\nowner = \"team\"\nmandate = \"board\"\npurpose = \"service\"\ngoal = {{ event = \"plain_done\", within = \"30d\" }}\nvalue = {{ customer = {group}.5, organisation = 1.0 }}\n[[treatments]]\nid = \"one\"\nplacement = \"hero\"\ntitle.en = \"Hello\"\nbody.en = \"Text\"\n"
    )
}

/// Files to a strategy; every problem is shown.
pub fn compile(files: BTreeMap<String, String>) -> Strategy {
    match load(&Files(files)) {
        Ok(loaded) => loaded.strategy,
        Err(problems) => panic!("a strategy of the tests must load: {problems:#?}"),
    }
}

fn fixed_files() -> BTreeMap<String, String> {
    let purposes = r#"
[purposes.offers]
name.en = "Offers that fit you"
basis = "consent"
global_privacy_control = true
[purposes.advice]
name.en = "Advice"
basis = "legitimate_interests"
[purposes.service]
name.en = "Your contract"
basis = "contract"
[purposes.calls]
name.en = "Calling you"
basis = "consent"
[purposes.protection]
name.en = "Leaving you alone"
basis = "legal_obligation"
protective = true
"#;
    let channels = r#"
[channels.web]
name.en = "website"
directions = ["inbound"]
[channels.email]
name.en = "e-mail"
directions = ["outbound"]
contact_cost = 0.05
reservation = "3d"
quiet_hours = { from = "21:00", until = "08:00" }
"#;
    let placements = r#"
[placements.hero]
channel = "web"
name.en = "top"
slots = 1
order = 1
neutral_default = "Hello"
[placements.side]
channel = "web"
name.en = "side"
slots = 2
order = 2
neutral_default = "Hello"
[placements.mail]
channel = "email"
name.en = "mail"
slots = 2
order = 3
neutral_default = "Hello"
"#;
    let permissions = r#"
[[permissions]]
channel = "email"
direction = "outbound"
applies_to = ["sales/extra"]
from = 2026-02-01
needs = "calls"
reason = "the law of February"
"#;
    let ordinary =
        "purposes = [\"offers\", \"advice\", \"service\", \"protection\"]\nowner = \"team\"\n";
    let mut inventory = String::new();
    for (name, kind, extra) in [
        ("n0", "number", "source = \"provided\"\n"),
        ("n1", "number", "half_life = \"100d\"\n"),
        ("n2", "number", "source = \"derived\"\n"),
        ("f0", "bool", "source = \"provided\"\n"),
        ("f1", "bool", "source = \"third_party\"\n"),
        ("kind", "text", "values = [\"red\", \"green\", \"blue\"]\n"),
        ("since", "time", "retention = \"200d\"\n"),
        (
            "first_name",
            "text",
            "source = \"provided\"\nlearn = false\n",
        ),
        ("people", "number", "subject = \"household\"\n"),
    ] {
        let _ = writeln!(
            inventory,
            "[attributes.{name}]\nname.en = \"label {name}\"\ntype = \"{kind}\"\n{ordinary}{extra}"
        );
    }
    inventory.push_str(
        "[attributes.segment]\nname.en = \"label segment\"\ntype = \"number\"\nsource = \"derived\"\npurposes = [\"offers\", \"protection\"]\nowner = \"team\"\n\
         [attributes.health]\nname.en = \"label health\"\ntype = \"number\"\nsensitivity = \"special\"\npurposes = [\"offers\"]\nowner = \"team\"\n\
         [attributes.arrears]\nname.en = \"label arrears\"\ntype = \"number\"\nsensitivity = \"financial_distress\"\npurposes = [\"protection\"]\nowner = \"team\"\n\
         [context.page]\ntype = \"text\"\nvalues = [\"home\", \"bill\"]\n\
         [events.bought]\n[events.plain_done]\n\
         [events.complained]\noutcome = \"complaint\"\n[events.solved]\noutcome = \"complaint_resolved\"\n",
    );
    [
        ("purposes.toml", purposes),
        ("channels.toml", channels),
        ("placements.toml", placements),
        ("permissions.toml", permissions),
        ("inventory/all.toml", &inventory),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .collect()
}

/// Everything a decision is about, besides the strategy.
#[derive(Debug, Clone)]
pub struct Case {
    pub customer: Option<Customer>,
    pub household: Option<Attributes>,
    pub quotas: BTreeMap<ActionId, u64>,
    pub assignment: Assignment,
    pub request: Request,
    pub at: Timestamp,
    pub seed: u64,
    pub model: Fickle,
}

impl Case {
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            customer: self.customer.as_ref(),
            household: self.household.as_ref(),
            quotas: &self.quotas,
            predictor: &self.model,
            assignment: self.assignment,
            adjustments: &[],
        }
    }
    pub fn decide(&self, strategy: &Strategy) -> Decision {
        decide(strategy, &self.inputs(), &self.request, self.at, self.seed)
    }
    pub fn work_out<'a>(&'a self, strategy: &'a Strategy) -> Worked<'a> {
        work_out(strategy, &self.inputs(), &self.request, self.at, self.seed)
    }
}

fn value(name: &str) -> BoxedStrategy<Value> {
    match name {
        "f0" | "f1" => any::<bool>().prop_map(Value::Bool).boxed(),
        "kind" => select(vec!["red", "green", "blue"])
            .prop_map(|kind| Value::Text(kind.into()))
            .boxed(),
        "first_name" => Just(Value::Text("Noor".into())).boxed(),
        "since" => (0..400_u32)
            .prop_map(|age| Value::Time(at(NOW) - days(f64::from(age))))
            .boxed(),
        "arrears" => select(vec![0.0, 0.0, 0.0, 2.0])
            .prop_map(Value::Number)
            .boxed(),
        _ => (0..40_u32)
            .prop_map(|quarter| Value::Number(f64::from(quarter) / 4.0))
            .boxed(),
    }
}

fn attribute(name: &'static str) -> impl Generator<Value = Option<(&'static str, AttributeValue)>> {
    let source = select(vec![
        Source::Provided,
        Source::Observed,
        Source::Derived,
        Source::ThirdParty,
    ]);
    let known = (
        value(name),
        source,
        select(vec![1.0_f32, 1.0, 0.8, 0.35, 0.1]),
        0..400_u32,
        any::<bool>(),
    );
    option::weighted(0.75, known).prop_map(move |known| {
        known.map(|(value, source, confidence, age, brief)| {
            let observed_at = at(NOW) - days(f64::from(age) / 2.0);
            let expires_at = observed_at + days(if brief { 90.0 } else { 365.0 });
            (
                name,
                AttributeValue {
                    value,
                    source,
                    confidence,
                    observed_at,
                    expires_at,
                },
            )
        })
    })
}

fn consent() -> impl Generator<Value = ConsentStatement> {
    use ConsentStatus::{Given, Objected, Refused, Withdrawn};
    (
        select(vec![
            "offers", "offers", "offers", "advice", "calls", "service",
        ]),
        option::weighted(0.3, select(vec!["web", "email"])),
        select(vec![
            Given, Given, Given, Given, Refused, Withdrawn, Objected,
        ]),
        0..300_u32,
        option::of(1..500_u32),
    )
        .prop_map(|(purpose, channel, status, age, lasts)| {
            let given_at = at(NOW) - days(f64::from(age));
            ConsentStatement {
                purpose: purpose.into(),
                channel: channel.map(Into::into),
                status,
                at: given_at,
                expires_at: lasts.map(|lasts| given_at + days(f64::from(lasts))),
            }
        })
}

fn action_id() -> impl Generator<Value = ActionId> {
    let known = (0..GROUPS.len(), 0..10_usize)
        .prop_map(|(group, action)| format!("{}/a{action}", GROUPS[group]));
    prop_oneof![9 => known, 1 => Just("sales/gone/old".to_owned())].prop_map(ActionId::from)
}

fn contact() -> impl Generator<Value = Contact> {
    (
        action_id(),
        0..3_usize,
        0..2000_u32,
        option::weighted(0.3, 0..100_u32),
        any::<u32>(),
    )
        .prop_map(|(action, placement, hours, reserved, key)| {
            let at = at(NOW) - Duration::from_mins(i64::from(hours) * i64::from(hours % 7 + 1) / 3);
            Contact {
                decision: DecisionId(u128::from(key)),
                slot: 0,
                action,
                channel: if placement == 2 { "email" } else { "web" }.into(),
                placement: PLACEMENTS[placement].into(),
                direction: if placement == 2 {
                    Direction::Outbound
                } else {
                    Direction::Inbound
                },
                at,
                state: match reserved {
                    Some(hours) => ContactState::Reserved {
                        until: at + Duration::from_hours(i64::from(hours)),
                    },
                    None => ContactState::Counted { late: false },
                },
            }
        })
}

fn outcome() -> impl Generator<Value = Outcome> {
    let names = vec![
        "rejected",
        "dismissed",
        "clicked",
        "accepted",
        "goal",
        "complaint",
        "complaint_resolved",
    ];
    (select(names), action_id(), 0..90_u32).prop_map(|(name, action, age)| Outcome {
        outcome: name.into(),
        event: (name == "goal").then(|| "bought".into()),
        action: (!name.starts_with("complaint")).then_some(action),
        at: at(NOW) - days(f64::from(age)),
    })
}

fn customer() -> impl Generator<Value = Customer> {
    let attributes = Vec::from(
        [
            "n0",
            "n1",
            "n2",
            "f0",
            "f1",
            "kind",
            "since",
            "first_name",
            "segment",
            "health",
            "arrears",
        ]
        .map(attribute),
    );
    (
        attributes,
        (prop::bool::weighted(0.6), vec(consent(), 0..4)),
        vec(contact(), 0..5),
        vec(outcome(), 0..4),
    )
        .prop_map(
            |(attributes, (willing, mut consents), mut contacts, mut outcomes)| {
                consents.extend(willing.then(|| ConsentStatement {
                    purpose: "offers".into(),
                    channel: None,
                    status: ConsentStatus::Given,
                    at: at(NOW) - days(50.0),
                    expires_at: None,
                }));
                consents.sort_by_key(|statement| statement.at);
                contacts.sort_by_key(|contact| contact.at);
                outcomes.sort_by_key(|outcome| outcome.at);
                Customer {
                    id: CustomerId(42),
                    profile: Profile {
                        attributes: named(attributes),
                        consents,
                    },
                    history: ContactHistory { contacts, outcomes },
                }
            },
        )
}

fn named(attributes: Vec<Option<(&'static str, AttributeValue)>>) -> Attributes {
    attributes
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.into(), value))
        .collect()
}

fn request() -> impl Generator<Value = Request> {
    let page = option::of(select(vec!["home", "bill"]));
    (
        prop::bool::weighted(0.4),
        page,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
        1..3_u16,
    )
        .prop_map(|(outbound, page, global_privacy_control, dry_run, slots)| {
            let place = |placement: &str, slots| PlacementRequest {
                placement: placement.into(),
                slots,
            };
            Request {
                channel: if outbound { "email" } else { "web" }.into(),
                direction: if outbound {
                    Direction::Outbound
                } else {
                    Direction::Inbound
                },
                placements: if outbound {
                    vec![place("mail", slots)]
                } else {
                    vec![place("side", slots), place("hero", 1)]
                },
                context: page
                    .map(|page| ("page".into(), Value::Text(page.into())))
                    .into_iter()
                    .collect(),
                language: Some("en".into()),
                global_privacy_control,
                dry_run,
            }
        })
}

/// Any customer or visitor with any question, at a random hour around [`NOW`].
pub fn case() -> impl Generator<Value = Case> {
    use Assignment::{RandomRelevant, Silence, Strategy};
    let about = (
        option::weighted(0.9, customer()),
        option::of(attribute("people")),
        option::weighted(0.3, action_id()),
    );
    let asked = (
        select(vec![
            Strategy,
            Strategy,
            Strategy,
            Strategy,
            Strategy,
            Strategy,
            RandomRelevant,
            Silence,
        ]),
        request(),
        0..24_i64,
        any::<u64>(),
        any::<u64>(),
    );
    (about, asked).prop_map(
        |((customer, household, full), (assignment, request, hour, seed, model))| Case {
            customer,
            household: household.map(|people| named(vec![people])),
            quotas: full.into_iter().map(|action| (action, 0)).collect(),
            assignment,
            request,
            at: at(NOW) + Duration::from_hours(hour),
            seed,
            model: Fickle(model),
        },
    )
}

/// So many generated cases; what failed is printed, not written to a file.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    }
}

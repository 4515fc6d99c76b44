//! Any organisation: actions, principles, limits and pauses, as files.

use super::{GROUPS, PLACEMENTS, PURPOSES, compile, declared};
use decision::strategy::Strategy;
use proptest::strategy::Strategy as Generator;
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::{collections::BTreeMap, fmt::Write};

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
        select(vec!["normal", "normal", "normal", "normal", "normal", "normal", "service", "mandatory"]),
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
            select(vec!["{ from = 2026-06-01 }", "{ until = 2026-01-01 }", "{ from = 2026-01-01 }"]),
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
            let condition = if kind == "weigh" && unreadable { "customer.f1".into() } else { condition };
            PrincipleSketch { kind, condition, when_unknown, scope }
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
    let pause = (select(vec!["rejected", "dismissed"]), 1..3_u32, per(), scope(), 1..60_u32).prop_map(
        |(outcome, times, per, scope, pause_days)| PauseSketch { outcome, times, per, scope, pause_days },
    );
    let lists = (vec(action(), 1..10), vec(principle(), 0..4), vec(limit, 0..4), vec(pause, 0..3));
    let rest = (0..3_u32, 2..9_u32, 0..4_u32, 0..6_u32, any::<bool>(), any::<bool>());
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
        let mut files = declared::files();
        files.insert("organisation.toml".into(), self.organisation_file());
        files.insert("contact-policy.toml".into(), self.policy_file());
        let mut principles = String::new();
        for (index, sketch) in self.principles.iter().enumerate() {
            let PrincipleSketch { kind, condition, when_unknown, scope } = sketch;
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
            files.insert(format!("actions/{}/a{index}.toml", GROUPS[action.group]), action.file(index));
        }
        for (index, group) in GROUPS.iter().enumerate() {
            files.insert(format!("actions/{group}/z.toml"), plain_action(index));
        }
        for (name, goal) in QUESTIONS {
            files.insert(format!("actions/advice/home/{name}.toml"), question(goal));
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
        let mut file =
            format!("inbound_counts = {}\ncomplaint_silences = [\"sales\"]\n", self.inbound_counts);
        for (index, limit) in self.limits.iter().enumerate() {
            let channels = if limit.email_only { "[\"email\"]" } else { "[]" };
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
        for (layer, rule) in ["eligibility", "applicability", "suitability"].iter().zip(&self.rules) {
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

/// Among the names that contacts and outcomes are made about.
const QUESTIONS: [(&str, &str); 3] =
    [("a7", "attribute = \"kind\""), ("a8", "attribute = \"f0\""), ("a9", "consent = \"offers\"")];

fn question(goal: &str) -> String {
    let plain = plain_action(3);
    let told = "goal = { event = \"plain_done\", within = \"30d\" }";
    assert!(plain.contains(told), "{plain}");
    let asks = plain.replace(told, &format!("goal = {{ {goal}, within = \"30d\", closed_for = \"20d\" }}"));
    asks.replace("Plain 3", &format!("Asks {goal}").replace('"', "'"))
}

/// Every group exists, so that every scope does.
fn plain_action(group: usize) -> String {
    format!(
        "name.en = \"Plain {group}\"\nintent.en = \"It helps\"\nowner = \"team\"\nmandate = \"board\"\npurpose = \"service\"\ngoal = {{ event = \"plain_done\", within = \"30d\" }}\nvalue = {{ customer = {group}.5, organisation = 1.0 }}\n[[treatments]]\nid = \"one\"\nplacement = \"hero\"\ntitle.en = \"Hello\"\nbody.en = \"Text\"\n"
    )
}

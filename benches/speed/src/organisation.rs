//! A made-up organisation of any size: so many actions, 64 attributes that models learn from, three
//! predicates per action of which about half hold, and one customer after another to ask about.

use decision::{
    Duration, Timestamp,
    id::CustomerId,
    profile::{AttributeValue, ConsentStatement, ConsentStatus, Customer, Profile, Source},
    request::{Direction, PlacementRequest, Request},
    strategy::{Files, Strategy, load},
    value::Value,
};
use learning::{
    Config, Expected, Exposure, ExposureId, Feature, FeatureValue, Features, Learner, Row, Snapshot,
    exploration::keyed_uniform,
};
use std::{collections::BTreeMap, fmt::Write, sync::Arc};

pub const ATTRIBUTES: usize = 64;
const GROUPS: usize = 25;
const DAY_MS: i64 = 86_400_000;

/// The three predicates of an action: attribute, whether it must be above, threshold.
pub fn predicates(action: usize) -> [(usize, bool, f64); 3] {
    std::array::from_fn(|term| {
        let key = (action * 3 + term) as u64;
        let attribute = (keyed_uniform(1, key) * ATTRIBUTES as f64) as usize;
        (attribute, keyed_uniform(2, key) < 0.5, (keyed_uniform(3, key) * 100_000.0).round() / 1_000.0)
    })
}

/// The values of a customer, 0 to 100.
pub fn values(customer: u64) -> [f64; ATTRIBUTES] {
    std::array::from_fn(|index| (keyed_uniform(4 + customer, index as u64) * 1_000.0).round() / 10.0)
}

pub fn action_path(action: usize) -> String {
    format!("sales/group_{:02}/action_{action:05}", action % GROUPS)
}

/// Three predicates as a rule, over names with this prefix.
pub fn rule(action: usize, prefix: &str) -> String {
    let term = |(attribute, above, threshold): (usize, bool, f64)| {
        format!("{prefix}a{attribute:02} {} {threshold:?}", if above { ">" } else { "<=" })
    };
    predicates(action).map(term).join(" && ")
}

pub fn files(actions: usize) -> Files {
    let mut files = BTreeMap::new();
    let mut add = |name: &str, text: &str| files.insert(name.to_owned(), text.to_owned());
    add(
        "organisation.toml",
        r#"
name = "A made-up organisation"
time_zone = "Europe/Amsterdam"
languages = ["en"]
[outcomes.complaint]
event = "complaint_opened"
within = "14d"
value = { customer = -5.0, organisation = -5.0 }
prior = 0.002
[outcomes.opt_out]
event = "opted_out"
within = "14d"
value = { customer = -1.0, organisation = -10.0 }
prior = 0.002
[exploration]
floor = 0.02
contenders = 4
"#,
    );
    add(
        "purposes.toml",
        "[purposes.offers]\nname.en = \"offers\"\nbasis = \"consent\"\n\
         [purposes.care]\nname.en = \"care\"\nbasis = \"contract\"\nprotective = true\n",
    );
    add(
        "channels.toml",
        "[channels.web]\nname.en = \"web\"\ndirections = [\"inbound\"]\ncounts_on = \"displayed\"\n\
         reservation = \"30m\"\n",
    );
    add(
        "placements.toml",
        "[placements.home]\nchannel = \"web\"\nname.en = \"home\"\nslots = 1\norder = 1\n\
         neutral_default = \"Welcome.\"\n",
    );
    add(
        "contact-policy.toml",
        "inbound_counts = true\ncomplaint_silences = [\"sales\"]\n\
         [[limits]]\nid = \"many_a_week\"\nper = \"all\"\nat_most = 1000\nwithin = \"7d\"\n\
         [[limits]]\nid = \"group_a_week\"\nper = \"group\"\nat_most = 500\nwithin = \"7d\"\n",
    );
    add(
        "principles/care.toml",
        "[principles.care_first]\nkind = \"veto\"\nowner = \"care\"\nreason.en = \"in arrears\"\n\
         when = \"customer.in_arrears\"\nwhen_unknown = \"pass\"\napplies_to = [\"sales\"]\n",
    );
    let mut inventory = String::from(
        "[attributes.in_arrears]\nname.en = \"in arrears\"\ntype = \"bool\"\npurposes = [\"care\"]\n\
         source = \"observed\"\nowner = \"team\"\n[events.bought]\n[events.complaint_opened]\n\
         outcome = \"complaint\"\n[events.complaint_closed]\noutcome = \"complaint_resolved\"\n[events.opted_out]\n",
    );
    for attribute in 0..ATTRIBUTES {
        let _ = write!(
            inventory,
            "[attributes.a{attribute:02}]\nname.en = \"a{attribute:02}\"\ntype = \"number\"\n\
             purposes = [\"offers\"]\nlearn = true\nsource = \"observed\"\nowner = \"team\"\n"
        );
    }
    add("inventory/customer.toml", &inventory);
    for action in 0..actions {
        let text = format!(
            "name.en = \"Action {action}\"\nintent.en = \"something useful\"\nowner = \"team\"\n\
             mandate = \"board\"\npurpose = \"offers\"\n\
             goal = {{ event = \"bought\", within = \"30d\", closed_for = \"60d\" }}\n\
             value = {{ customer = {:.1}, organisation = {:.1} }}\n\
             eligibility = '{}'\n[[treatments]]\nid = \"home\"\nplacement = \"home\"\n\
             title.en = \"Action {action}\"\nbody.en = \"Something useful.\"\n",
            5.0 + 50.0 * keyed_uniform(5, action as u64),
            5.0 + 50.0 * keyed_uniform(6, action as u64),
            rule(action, "customer."),
        );
        add(&format!("actions/{}.toml", action_path(action)), &text);
    }
    Files(files)
}

pub fn strategy(actions: usize) -> Strategy {
    match load(&files(actions)) {
        Ok(loaded) => loaded.strategy,
        Err(problems) => {
            panic!("the made-up strategy does not load: {:?}", &problems[..problems.len().min(3)])
        }
    }
}

pub fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a moment")
}

pub fn customer(number: u64) -> Customer {
    let observed_at = now() - Duration::from_hours(24);
    let value = |value| AttributeValue {
        value,
        source: Source::Observed,
        confidence: 1.0,
        observed_at,
        expires_at: now() + Duration::from_hours(24 * 300),
    };
    let numbers = values(number).into_iter().enumerate();
    let mut attributes: BTreeMap<_, _> = numbers
        .map(|(index, number)| (format!("a{index:02}").as_str().into(), value(Value::Number(number))))
        .collect();
    attributes.insert("in_arrears".into(), value(Value::Bool(false)));
    let given = ConsentStatement {
        purpose: "offers".into(),
        channel: None,
        status: ConsentStatus::Given,
        at: observed_at,
        expires_at: None,
    };
    Customer {
        id: CustomerId(u128::from(number)),
        profile: Profile { attributes, consents: vec![given] },
        history: Default::default(),
    }
}

pub fn request() -> Request {
    Request {
        channel: "web".into(),
        direction: Direction::Inbound,
        placements: vec![PlacementRequest { placement: "home".into(), slots: 1 }],
        context: BTreeMap::new(),
        language: None,
        global_privacy_control: false,
        dry_run: false,
    }
}

/// What follows on an exposure: buying depends on what is known of the customer.
pub fn event(number: u64, values: &[f64; ATTRIBUTES]) -> Option<&'static str> {
    let buys = 0.01 + 0.0006 * values[3] + 0.0004 * (100.0 - values[17]);
    match keyed_uniform(7, number) {
        draw if draw < buys => Some("bought"),
        draw if draw < buys + 0.005 => Some("complaint_opened"),
        draw if draw < buys + 0.01 => Some("opted_out"),
        _ => None,
    }
}

/// The shipped learner after `exposures` rows spread over all actions.
pub fn snapshot(actions: usize, exposures: usize) -> Snapshot {
    let mut learner = Learner::new(Config::default());
    let arc = |text: &str| -> Arc<str> { text.into() };
    let names: Vec<Arc<str>> = (0..actions).map(|action| action_path(action).into()).collect();
    let (purpose, channel) = (arc("offers"), arc("web"));
    let expected = |outcome: &str, event: &str, days| Expected {
        outcome: arc(outcome),
        event: arc(event),
        within_ms: days * DAY_MS,
    };
    let expected = vec![
        expected("goal", "bought", 30),
        expected("complaint", "complaint_opened", 14),
        expected("opt_out", "opted_out", 14),
    ];
    for number in 0..exposures {
        let at_ms = number as i64 * 60_000;
        let id = ExposureId { decision: number as u128, slot: 0 };
        let feature = |(index, value): (usize, f64)| Feature {
            name: format!("a{index:02}").into(),
            value: FeatureValue::Number(value),
            confidence: 1.0,
        };
        let features = Features::new(values(number as u64).into_iter().enumerate().map(feature).collect());
        learner.apply(&Row::Exposure(Exposure {
            id,
            subject: number as u128,
            purpose: purpose.clone(),
            at_ms,
            action: names[number % actions].clone(),
            channel: channel.clone(),
            acted: number % 11 != 0,
            features,
            expected: expected.clone(),
        }));
        let Some(event) = event(number as u64, &values(number as u64)) else {
            continue;
        };
        learner.apply(&Row::Outcome {
            at_ms: at_ms + 1,
            subject: number as u128,
            event: arc(event),
            exposure: Some(id),
        });
    }
    learner.advance(exposures as i64 * 60_000 + 40 * DAY_MS);
    learner.snapshot()
}

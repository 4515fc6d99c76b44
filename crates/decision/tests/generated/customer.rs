//! Any customer or visitor, with any question.

use super::{Fickle, GROUPS, NOW, PLACEMENTS, at, days};
use decision::{
    Duration, Timestamp,
    decide::{Worked, decide, work_out},
    id::{ActionId, CustomerId, DecisionId},
    inputs::{Assignment, Inputs},
    profile::{
        About, AttributeValue, Attributes, ConsentStatement, ConsentStatus, Contact, ContactHistory,
        ContactState, Customer, Outcome, Profile, Source,
    },
    record::Decision,
    request::{Direction, PlacementRequest, Request},
    strategy::Strategy,
    value::Value,
};
use proptest::strategy::Strategy as Generator;
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::collections::BTreeMap;

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
            experiments: &[],
            recorded_worth: None,
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
        "kind" => select(vec!["red", "green", "blue"]).prop_map(|kind| Value::Text(kind.into())).boxed(),
        "first_name" => Just(Value::Text("Noor".into())).boxed(),
        "since" => (0..400_u32).prop_map(|age| Value::Time(at(NOW) - days(f64::from(age)))).boxed(),
        "arrears" => select(vec![0.0, 0.0, 0.0, 2.0]).prop_map(Value::Number).boxed(),
        _ => (0..40_u32).prop_map(|quarter| Value::Number(f64::from(quarter) / 4.0)).boxed(),
    }
}

fn attribute(name: &'static str) -> impl Generator<Value = Option<(&'static str, AttributeValue)>> {
    let source = select(vec![Source::Provided, Source::Observed, Source::Derived, Source::ThirdParty]);
    let known = (value(name), source, select(vec![1.0_f32, 1.0, 0.8, 0.35, 0.1]), 0..400_u32, any::<bool>());
    option::weighted(0.75, known).prop_map(move |known| {
        known.map(|(value, source, confidence, age, brief)| {
            let observed_at = at(NOW) - days(f64::from(age) / 2.0);
            let expires_at = observed_at + days(if brief { 90.0 } else { 365.0 });
            (name, AttributeValue { value, source, confidence, observed_at, expires_at })
        })
    })
}

fn consent() -> impl Generator<Value = ConsentStatement> {
    let channel = option::weighted(0.3, select(vec!["web", "email"]));
    (statement(), channel, 0..300_u32, option::of(1..500_u32)).prop_map(
        |((about, status), channel, age, lasts)| {
            let said_at = at(NOW) - days(f64::from(age));
            ConsentStatement {
                about,
                channel: channel.map(Into::into),
                status,
                at: said_at,
                expires_at: lasts.map(|lasts| said_at + days(f64::from(lasts))),
            }
        },
    )
}

/// Mostly about purposes, and mostly yes.
fn statement() -> impl Generator<Value = (About, ConsentStatus)> {
    use ConsentStatus::{Given, Lifted, Objected, Refused, Restricted, Withdrawn};
    let purpose = (
        select(vec!["offers", "offers", "offers", "advice", "calls", "service"]),
        select(vec![Given, Given, Given, Given, Refused, Withdrawn, Objected, Lifted]),
    );
    let topic = (select(vec!["sales", GROUPS[0], GROUPS[1], "service"]), select(vec![Objected, Lifted]));
    let attribute = (select(vec!["n0", "f1", "kind", "arrears"]), select(vec![Objected, Lifted]));
    prop_oneof![
        10 => purpose.prop_map(|(id, status)| (About::Purpose(id.into()), status)),
        2 => topic.prop_map(|(topic, status)| (About::Topic(topic.into()), status)),
        2 => attribute.prop_map(|(name, status)| (About::Attribute(name.into()), status)),
        1 => select(vec![Restricted, Lifted]).prop_map(|status| (About::Everything, status)),
    ]
}

fn action_id() -> impl Generator<Value = ActionId> {
    let known =
        (0..GROUPS.len(), 0..10_usize).prop_map(|(group, action)| format!("{}/a{action}", GROUPS[group]));
    prop_oneof![9 => known, 1 => Just("sales/gone/old".to_owned())].prop_map(ActionId::from)
}

fn contact() -> impl Generator<Value = Contact> {
    (action_id(), 0..3_usize, 0..2000_u32, option::weighted(0.3, 0..100_u32), any::<u32>()).prop_map(
        |(action, placement, hours, reserved, key)| {
            let at = at(NOW) - Duration::from_mins(i64::from(hours) * i64::from(hours % 7 + 1) / 3);
            Contact {
                decision: DecisionId(u128::from(key)),
                slot: 0,
                action,
                channel: if placement == 2 { "email" } else { "web" }.into(),
                placement: PLACEMENTS[placement].into(),
                direction: if placement == 2 { Direction::Outbound } else { Direction::Inbound },
                at,
                state: match reserved {
                    Some(hours) => {
                        ContactState::Reserved { until: at + Duration::from_hours(i64::from(hours)) }
                    }
                    None => ContactState::Counted { late: false },
                },
            }
        },
    )
}

fn outcome() -> impl Generator<Value = Outcome> {
    let names =
        vec!["rejected", "dismissed", "clicked", "accepted", "goal", "complaint", "complaint_resolved"];
    (select(names), action_id(), 0..90_u32).prop_map(|(name, action, age)| Outcome {
        outcome: name.into(),
        event: (name == "goal").then(|| "bought".into()),
        action: (!name.starts_with("complaint")).then_some(action),
        at: at(NOW) - days(f64::from(age)),
    })
}

fn customer() -> impl Generator<Value = Customer> {
    let attributes = Vec::from(
        ["n0", "n1", "n2", "f0", "f1", "kind", "since", "first_name", "segment", "health", "arrears"]
            .map(attribute),
    );
    (
        attributes,
        (prop::bool::weighted(0.6), vec(consent(), 0..4)),
        vec(contact(), 0..5),
        vec(outcome(), 0..4),
    )
        .prop_map(|(attributes, (willing, mut consents), mut contacts, mut outcomes)| {
            consents.extend(willing.then(|| ConsentStatement {
                about: About::Purpose("offers".into()),
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
                profile: Profile { attributes: named(attributes), consents },
                history: ContactHistory { contacts, outcomes },
            }
        })
}

fn named(attributes: Vec<Option<(&'static str, AttributeValue)>>) -> Attributes {
    attributes.into_iter().flatten().map(|(name, value)| (name.into(), value)).collect()
}

fn request() -> impl Generator<Value = Request> {
    let page = option::of(select(vec!["home", "bill"]));
    (prop::bool::weighted(0.4), page, prop::bool::weighted(0.1), prop::bool::weighted(0.2), 1..3_u16)
        .prop_map(|(outbound, page, global_privacy_control, dry_run, slots)| {
            let place = |placement: &str, slots| PlacementRequest { placement: placement.into(), slots };
            Request {
                channel: if outbound { "email" } else { "web" }.into(),
                direction: if outbound { Direction::Outbound } else { Direction::Inbound },
                placements: if outbound {
                    vec![place("mail", slots)]
                } else {
                    vec![place("side", slots), place("hero", 1)]
                },
                context: page.map(|page| ("page".into(), Value::Text(page.into()))).into_iter().collect(),
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
        select(vec![Strategy, Strategy, Strategy, Strategy, Strategy, Strategy, RandomRelevant, Silence]),
        request(),
        0..24_i64,
        any::<u64>(),
        any::<u64>(),
    );
    (about, asked).prop_map(|((customer, household, full), (assignment, request, hour, seed, model))| Case {
        customer,
        household: household.map(|people| named(vec![people])),
        quotas: full.into_iter().map(|action| (action, 0)).collect(),
        assignment,
        request,
        at: at(NOW) + Duration::from_hours(hour),
        seed,
        model: Fickle(model),
    })
}

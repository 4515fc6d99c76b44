//! A small strategy of a shop, for tests: an offer, a question, a safety notice, one e-mail and one web placement.

use decision::{
    Timestamp,
    id::Language,
    profile::{About, ConsentStatus},
    request::{Direction, PlacementRequest, Request},
    strategy::Files,
};
use engine::{
    Ask, ConsentReport, Decided, Engine, EventReport, Identifier, OutcomeReport, Verdict,
    storage::MemoryStore,
};
use std::{collections::BTreeMap, sync::Arc};

pub const OFFER: &str = "sales/garden/offer";
pub const NOTICE: &str = "service/safety/recall";

pub fn files() -> Files {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    Files(BTreeMap::from([
        file(
            "organisation.toml",
            r#"
name = "Shop"
time_zone = "Europe/Amsterdam"
languages = ["en"]
[outcomes.complaint]
event = "complaint_opened"
within = "14d"
value = { customer = -5.0, organisation = -5.0 }
prior = 0.001
[exploration]
floor = 0.0
contenders = 1
"#,
        ),
        file(
            "purposes.toml",
            r#"
[purposes.offers]
name.en = "offers"
basis = "consent"
[purposes.service]
name.en = "service"
basis = "contract"
"#,
        ),
        file(
            "channels.toml",
            r#"
[channels.email]
name.en = "e-mail"
directions = ["outbound"]
counts_on = "delivered"
reservation = "2d"
[channels.web]
name.en = "web"
directions = ["inbound"]
counts_on = "displayed"
reservation = "30m"
"#,
        ),
        file(
            "placements.toml",
            r#"
[placements.mail]
channel = "email"
name.en = "mail"
slots = 2
order = 1
neutral_default = "hello"
[placements.home]
channel = "web"
name.en = "home"
slots = 1
order = 2
neutral_default = "hello"
"#,
        ),
        file(
            "inventory/customer.toml",
            r#"
[attributes.has_garden]
name.en = "has a garden"
type = "bool"
purposes = ["offers"]
source = "observed"
owner = "team"
[attributes.owns_heater]
name.en = "owns the heater"
type = "bool"
purposes = ["service"]
source = "observed"
owner = "team"
[attributes.town]
name.en = "town"
type = "text"
purposes = ["offers"]
treat_as_unknown = ["unknown"]
source = "observed"
owner = "team"
[events.bought]
properties = { amount = "number" }
[events.complaint_opened]
outcome = "complaint"
[events.complaint_closed]
outcome = "complaint_resolved"
[events.repaired]
sets = { owns_heater = false }
"#,
        ),
        file(
            "contact-policy.toml",
            r#"
inbound_counts = true
complaint_silences = ["sales"]
[[limits]]
id = "two_a_week"
per = "all"
at_most = 2
within = "7d"
"#,
        ),
        file(
            "actions/sales/garden/offer.toml",
            r#"
name.en = "Garden offer"
intent.en = "a nicer garden"
owner = "garden team"
mandate = "board"
purpose = "offers"
goal = { event = "bought", within = "30d", closed_for = "60d" }
value = { customer = 10.0, organisation = 10.0 }
eligibility = "customer.has_garden"
[[treatments]]
id = "mail"
placement = "mail"
title.en = "Your garden"
body.en = "In {town}, spring is near."
[[treatments]]
id = "home"
placement = "home"
title.en = "Your garden"
body.en = "Spring is near."
"#,
        ),
        file(
            "actions/service/safety/recall.toml",
            r#"
name.en = "Recall"
intent.en = "safety"
owner = "safety team"
mandate = "law"
purpose = "service"
class = "mandatory"
goal = { event = "repaired", within = "30d" }
value = { customer = 100.0, organisation = 0.0 }
eligibility = "customer.owns_heater"
[[treatments]]
id = "mail"
placement = "mail"
title.en = "Your heater"
body.en = "Please have it repaired."
"#,
        ),
    ]))
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// One person with one identifier, and the engine they talk to.
pub struct Shop {
    pub engine: Engine,
}

pub fn jan() -> Vec<Identifier> {
    vec![Identifier::new("user_id", "jan")]
}

impl Shop {
    pub fn open() -> Self {
        let store = Arc::new(MemoryStore::new());
        Self { engine: Engine::open(store, &files(), [7; 32]).expect("the strategy checks") }
    }

    /// A shop in which Jan has a garden in Gouda and wants offers.
    pub fn with_jan(moment: &str) -> Self {
        let shop = Self::open();
        shop.say(ConsentStatus::Given, moment);
        shop.know(
            "e1",
            moment,
            &[("has_garden", decision::value::Value::Bool(true)), ("town", "Gouda".into_value())],
        );
        shop
    }

    pub fn say(&self, status: ConsentStatus, moment: &str) -> Verdict {
        let report = ConsentReport::new(jan(), About::Purpose("offers".into()), status);
        self.engine.consent(&report, "", at(moment)).expect("the store works").0
    }

    pub fn know(&self, id: &str, moment: &str, attributes: &[(&str, decision::value::Value)]) -> Verdict {
        let report = EventReport {
            attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            ..event(id, "customer_updated")
        };
        self.engine.ingest(&report, "", at(moment)).expect("the store works").0
    }

    pub fn happen(&self, id: &str, name: &str, moment: &str) -> Verdict {
        self.engine.ingest(&event(id, name), "", at(moment)).expect("the store works").0
    }

    pub fn mail(&self, moment: &str, seed: u64) -> Decided {
        self.ask(request("email", Direction::Outbound, "mail", 1), moment, seed)
    }

    pub fn home(&self, moment: &str, seed: u64) -> Decided {
        self.ask(request("web", Direction::Inbound, "home", 1), moment, seed)
    }

    pub fn ask(&self, request: Request, moment: &str, seed: u64) -> Decided {
        let ask = Ask { identifiers: jan(), request, adjustments: Vec::new() };
        self.engine.decide(&ask, at(moment), seed).expect("the store works")
    }

    pub fn report(&self, decided: &Decided, outcome: &str, moment: &str) -> Verdict {
        let report =
            OutcomeReport { decision: decided.decision.id, slot: 0, outcome: outcome.into(), at: None };
        self.engine.report(&report, "", at(moment)).expect("the store works").0
    }
}

pub fn event(id: &str, name: &str) -> EventReport {
    EventReport {
        id: id.into(),
        event: name.into(),
        identifiers: jan(),
        at: None,
        properties: BTreeMap::new(),
        attributes: BTreeMap::new(),
        source: None,
        household: None,
    }
}

pub fn request(channel: &str, direction: Direction, placement: &str, slots: u16) -> Request {
    Request {
        channel: channel.into(),
        direction,
        placements: vec![PlacementRequest { placement: placement.into(), slots }],
        context: BTreeMap::new(),
        language: Some(Language::from("en")),
        global_privacy_control: false,
        dry_run: false,
    }
}

/// Text as a value.
pub trait IntoValue {
    fn into_value(self) -> decision::value::Value;
}

impl IntoValue for &str {
    fn into_value(self) -> decision::value::Value {
        decision::value::Value::Text(self.into())
    }
}

/// What is said in the first slot.
pub fn said(decided: &Decided) -> Option<&str> {
    decided.answer.slots[0].action.as_ref().map(decision::id::ActionId::as_str)
}

//! A store as it stands after months of work: customers with 64 attributes and consent, contacts with
//! all actions, their outcomes, and a model that has learned from them.

use crate::organisation::{self, ATTRIBUTES};
use decision::{Duration, Timestamp, profile::ConsentStatus, strategy::Files, value::Value};
use engine::{ConsentReport, Engine, EventReport, Identifier, PastContact, PastOutcome, storage::Ticket};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};
use store::{FjallStore, Options};

const CONTACTS_PER_CUSTOMER: usize = 5;
/// Made durable together.
const CUSTOMERS_AT_ONCE: usize = 10_000;

/// Writes the strategy folder and the store into `folder`.
pub fn write(folder: &Path, actions: usize, customers: usize, contacts: usize) {
    let files = organisation::files(actions);
    for (name, text) in &files.0 {
        let path = folder.join("strategy").join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders can be made");
        fs::write(path, text).expect("files can be written");
    }
    fill(&folder.join("data"), &files, actions, customers, contacts);
}

fn fill(data: &Path, files: &Files, actions: usize, customers: usize, contacts: usize) {
    let now = Timestamp::now();
    let known = now - Duration::from_hours(24 * 90);
    let engine = opened(data, files, &Options::loading());
    for first in (0..customers).step_by(CUSTOMERS_AT_ONCE) {
        let together = first..customers.min(first + CUSTOMERS_AT_ONCE);
        let tickets: Vec<Ticket> =
            together.flat_map(|number| introduce(&engine, number, known, now)).collect();
        tickets.into_iter().for_each(|ticket| ticket.wait().expect("the store writes"));
    }
    engine.close().expect("the store closes");
    drop(engine);
    let engine = opened(data, files, &Options::default());
    let mut tickets: Vec<Ticket> = Vec::new();
    for number in 0..contacts {
        let customer = number / CONTACTS_PER_CUSTOMER % customers;
        tickets.extend(contact(&engine, number, customer, actions, known, now));
        if tickets.len() >= 500 {
            tickets.drain(..).for_each(|ticket| ticket.wait().expect("the store writes"));
        }
    }
    engine.flush().expect("the store writes");
    engine.learn(now).expect("the journal can be read");
    engine.close().expect("the store closes");
}

fn opened(data: &Path, files: &Files, options: &Options) -> Engine {
    let store = Arc::new(FjallStore::open(data, options).expect("the store opens"));
    let engine = Engine::open(store, files, [7; 32]).expect("the strategy checks");
    engine.publish(files).expect("the strategy checks");
    engine
}

/// Makes a customer known, with consent.
fn introduce(engine: &Engine, number: usize, known: Timestamp, now: Timestamp) -> [Ticket; 2] {
    let consent = ConsentReport {
        identifiers: vec![who(number)],
        purpose: "offers".into(),
        channel: None,
        status: ConsentStatus::Given,
        at: Some(known),
    };
    let consented = engine.consent(&consent, "", now).expect("the store works").1;
    [consented, engine.ingest(&facts(number, known), "", now).expect("the store works").1]
}

/// Something was said to a customer, and perhaps something came of it.
fn contact(
    engine: &Engine,
    number: usize,
    customer: usize,
    actions: usize,
    known: Timestamp,
    now: Timestamp,
) -> Vec<Ticket> {
    let at = known + Duration::from_secs(60 + number as i64);
    let contact = PastContact {
        id: format!("c{number}"),
        identifiers: vec![who(customer)],
        action: organisation::action_path(number % actions).as_str().into(),
        request: organisation::request(),
        at,
        probability: None,
    };
    let mut tickets = vec![engine.record_contact(&contact, "", now).expect("the store works").1];
    if let Some(event) = organisation::event(number as u64, &organisation::values(customer as u64)) {
        let outcome = PastOutcome {
            contact: contact.id,
            identifiers: contact.identifiers,
            outcome: event.into(),
            at: at + Duration::from_secs(30),
        };
        tickets.push(engine.record_outcome(&outcome, "", now).expect("the store works").1);
    }
    tickets
}

pub fn who(number: usize) -> Identifier {
    Identifier::new("user_id", &format!("u{number}"))
}

fn facts(number: usize, at: Timestamp) -> EventReport {
    let values = organisation::values(number as u64);
    let numbers = (0..ATTRIBUTES).map(|index| (format!("a{index:02}"), Value::Number(values[index])));
    EventReport {
        id: format!("e{number}"),
        event: engine::CUSTOMER_UPDATED.into(),
        identifiers: vec![who(number)],
        at: Some(at),
        properties: BTreeMap::new(),
        attributes: numbers.chain([("in_arrears".to_owned(), Value::Bool(false))]).collect(),
        source: None,
        household: None,
    }
}

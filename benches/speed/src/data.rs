//! A store as it stands after months of work: customers with 64 attributes and consent, contacts with
//! all actions, their outcomes, and a model that has learned from them.

use crate::organisation::{self, ATTRIBUTES};
use decision::{Duration, Timestamp, profile::ConsentStatus, strategy::Files, value::Value};
use engine::{ConsentReport, Engine, EventReport, Identifier, PastContact, PastOutcome, storage::Ticket};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};
use store::{FjallStore, Options};

const CONTACTS_PER_CUSTOMER: usize = 5;

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
    let store = Arc::new(FjallStore::open(data, &Options::default()).expect("a new store opens"));
    let engine = Engine::open(store, files, [7; 32]).expect("the strategy checks");
    engine.publish(files).expect("the strategy checks");
    let now = Timestamp::now();
    let mut tickets: Vec<Ticket> = Vec::new();
    let mut settle = |ticket: Ticket| {
        tickets.push(ticket);
        if tickets.len() >= 500 {
            tickets.drain(..).for_each(|ticket| ticket.wait().expect("the store writes"));
        }
    };
    let known = now - Duration::from_hours(24 * 90);
    for number in 0..customers {
        let consent = ConsentReport {
            identifiers: vec![who(number)],
            purpose: "offers".into(),
            channel: None,
            status: ConsentStatus::Given,
            at: Some(known),
        };
        settle(engine.consent(&consent, "", now).expect("the store works").1);
        settle(engine.ingest(&facts(number, known), "", now).expect("the store works").1);
    }
    for number in 0..contacts {
        let customer = number / CONTACTS_PER_CUSTOMER % customers;
        let at = known + Duration::from_secs(60 + number as i64);
        let contact = PastContact {
            id: format!("c{number}"),
            identifiers: vec![who(customer)],
            action: organisation::action_path(number % actions).as_str().into(),
            request: organisation::request(),
            at,
            probability: None,
        };
        settle(engine.record_contact(&contact, "", now).expect("the store works").1);
        if let Some(event) = organisation::event(number as u64, &organisation::values(customer as u64)) {
            let outcome = PastOutcome {
                contact: contact.id,
                identifiers: contact.identifiers,
                outcome: event.into(),
                at: at + Duration::from_secs(30),
            };
            settle(engine.record_outcome(&outcome, "", now).expect("the store works").1);
        }
    }
    engine.flush().expect("the store writes");
    engine.learn(now).expect("the journal can be read");
    engine.close().expect("the store closes");
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

//! What may no longer be kept is not kept: values go when their retention is over, and nothing else does.

use crate::shop::{IntoValue, Shop, at, event, jan};
use decision::value::Value;
use engine::{CUSTOMER_UPDATED, EventReport, Identifier};

const START: &str = "2026-03-09T09:00:00Z";
const LATER: &str = "2026-09-09T09:00:00Z";
/// A year after the start and a moment; everything is kept for a year.
const YEAR_OVER: &str = "2027-03-09T09:00:01Z";

fn known(shop: &Shop, identifiers: &[Identifier]) -> Vec<String> {
    let customer = shop.engine.customer(identifiers).unwrap().unwrap().customer;
    customer.profile.attributes.keys().map(ToString::to_string).collect()
}

/// Goes round once, a profile or household at a time; returns how many values went.
fn round(shop: &Shop, moment: &str) -> u64 {
    (0..10).map(|_| shop.engine.expire_values(at(moment), 1).unwrap()).sum()
}

#[test]
fn values_go_when_their_retention_is_over_and_newer_ones_stay() {
    let shop = Shop::with_jan(START);
    shop.know("e2", LATER, &[("owns_heater", Value::Bool(true))]);
    assert_eq!(round(&shop, "2027-03-09T08:59:59Z"), 0);
    assert_eq!(known(&shop, &jan()), ["has_garden", "owns_heater", "town"]);
    assert_eq!(round(&shop, YEAR_OVER), 2);
    assert_eq!(known(&shop, &jan()), ["owns_heater"]);
    let profile = shop.engine.customer(&jan()).unwrap().unwrap().customer.profile;
    assert_eq!(profile.consents.len(), 1, "what was said about consent is no value");
}

#[test]
fn everybody_has_their_turn() {
    let shop = Shop::open();
    let person = |number: u32| [Identifier::new("user_id", &number.to_string())];
    for number in 0..8 {
        let moment = if number % 2 == 0 { START } else { LATER };
        let report = EventReport {
            identifiers: person(number).to_vec(),
            attributes: [("town".to_owned(), "Gouda".into_value())].into(),
            ..event("e", CUSTOMER_UPDATED)
        };
        drop(shop.engine.ingest(&report, "", at(moment)).unwrap());
    }
    assert_eq!(round(&shop, YEAR_OVER), 4);
    for number in 0..8 {
        assert_eq!(known(&shop, &person(number)).len(), number as usize % 2, "person {number}");
    }
}

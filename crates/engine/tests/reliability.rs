//! How sure are we of a value that somebody else contradicts?

use crate::shop::{Shop, at, event, jan};
use decision::{profile::Source, value::Value};
use engine::{CONTRADICTED, EventReport};

const DECLARED: f32 = 0.9;

fn says(shop: &Shop, id: &str, source: Source, moment: &str, town: &str) {
    let report = EventReport {
        source: Some(source),
        attributes: [("town".to_owned(), Value::Text(town.into()))].into(),
        ..event(id, "customer_updated")
    };
    shop.engine.ingest(&report, "", at(moment)).expect("the store works").1.wait().expect("durable");
}

/// The town and how sure we are of it.
fn town(shop: &Shop) -> (String, f32) {
    let state = shop.engine.customer(&jan()).expect("the store works").expect("known");
    let found = &state.customer.profile.attributes["town"];
    match &found.value {
        Value::Text(town) => (town.to_string(), found.confidence),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_weaker_source_that_contradicts_later_lowers_the_confidence_once() {
    let shop = Shop::open();
    says(&shop, "e1", Source::Provided, "2026-03-01T09:00:00Z", "Gouda");
    assert_eq!(town(&shop), ("Gouda".into(), DECLARED));
    for (id, day) in [("e2", "02"), ("e3", "03"), ("e4", "04")] {
        says(&shop, id, Source::ThirdParty, &format!("2026-03-{day}T09:00:00Z"), "Delft");
        assert_eq!(town(&shop), ("Gouda".into(), DECLARED * CONTRADICTED), "what was provided still stands");
    }
    says(&shop, "e5", Source::Observed, "2026-03-05T09:00:00Z", "Gouda");
    assert_eq!(town(&shop), ("Gouda".into(), DECLARED), "whoever says the same again takes the doubt away");
}

#[test]
fn a_weaker_source_that_speaks_of_an_earlier_day_contradicts_nothing() {
    let shop = Shop::open();
    says(&shop, "e1", Source::Provided, "2026-03-05T09:00:00Z", "Gouda");
    let earlier = EventReport {
        at: Some(at("2026-03-01T09:00:00Z")),
        source: Some(Source::ThirdParty),
        attributes: [("town".to_owned(), Value::Text("Delft".into()))].into(),
        ..event("e2", "customer_updated")
    };
    shop.engine
        .ingest(&earlier, "", at("2026-03-05T10:00:00Z"))
        .expect("the store works")
        .1
        .wait()
        .expect("durable");
    assert_eq!(town(&shop), ("Gouda".into(), DECLARED));
}

#[test]
fn one_source_that_says_two_things_of_one_moment_is_trusted_half_and_a_later_word_is_an_update() {
    let shop = Shop::open();
    says(&shop, "e1", Source::Observed, "2026-03-01T09:00:00Z", "Gouda");
    says(&shop, "e2", Source::Observed, "2026-03-01T09:00:00Z", "Delft");
    assert_eq!(town(&shop), ("Delft".into(), DECLARED * CONTRADICTED));
    says(&shop, "e3", Source::Observed, "2026-03-02T09:00:00Z", "Leiden");
    assert_eq!(town(&shop), ("Leiden".into(), DECLARED));
    says(&shop, "e4", Source::Provided, "2026-03-03T09:00:00Z", "Gouda");
    assert_eq!(town(&shop), ("Gouda".into(), DECLARED), "a correction by the customer is no contradiction");
}

//! What arrives after a withdrawal, a clock correction or an erasure?

use crate::shop::{Shop, at, event, files, jan, said};
use decision::profile::ConsentStatus;
use engine::{
    Engine,
    storage::{MemoryStore, Store},
};
use learning::{Arms, Features, Predictor};
use std::sync::Arc;

const MORNING: &str = "2026-03-09T09:00:00Z";
const NOON: &str = "2026-03-09T12:00:00Z";

#[test]
fn a_withdrawal_holds_also_when_the_clock_has_stepped_back() {
    let shop = Shop::with_jan(MORNING);
    shop.say(ConsentStatus::Withdrawn, "2026-03-09T08:59:58Z");
    assert_eq!(said(&shop.home(NOON, 1)), None);
}

#[test]
fn the_last_word_of_one_moment_counts() {
    let shop = Shop::with_jan(MORNING);
    shop.say(ConsentStatus::Withdrawn, MORNING);
    shop.say(ConsentStatus::Given, MORNING);
    assert!(said(&shop.home(NOON, 1)).is_some());
    shop.say(ConsentStatus::Withdrawn, MORNING);
    assert_eq!(said(&shop.mail(NOON, 2)), None);
}

#[test]
fn a_display_reported_after_a_withdrawal_teaches_nothing() {
    let shop = Shop::with_jan(MORNING);
    let propensity = |engine: &Engine| {
        let arms = Arms { actions: &[crate::shop::OFFER], channel: "web", outcomes: &["goal".into()] };
        engine.model().predict(&Features::default(), arms)[0].probability
    };
    let fresh = propensity(&shop.engine);
    let shown = shop.home(NOON, 1);
    shop.say(ConsentStatus::Withdrawn, "2026-03-09T12:01:00Z");
    shop.report(&shown, "displayed", "2026-03-09T12:02:00Z");
    shop.engine.learn(at("2026-09-09T12:00:00Z")).unwrap();
    assert_eq!(propensity(&shop.engine), fresh);
}

#[test]
fn a_rejected_input_is_forgotten_with_its_customer() {
    let store = Arc::new(MemoryStore::new());
    let shop = Shop { engine: Engine::open(store.clone(), &files(), [7; 32]).unwrap() };
    shop.happen("b1", "bought", MORNING);
    shop.engine.ingest(&event("b2", "teleported"), "what jan sent", at(NOON)).unwrap().1.wait().unwrap();
    assert_eq!(shop.engine.rejected(10).unwrap().len(), 1);
    let id = shop.engine.find(&jan()).unwrap().unwrap();
    store.erase(id).unwrap().wait().unwrap();
    assert_eq!(shop.engine.rejected(10).unwrap(), []);
}

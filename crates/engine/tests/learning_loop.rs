//! From decisions and late outcomes to a model, and back from the journal to the same model.

use crate::shop::{Shop, at, files};
use decision::{profile::ConsentStatus, strategy::Files};
use engine::{Engine, EngineError, Replayed, storage::MemoryStore};
use learning::{Arm, Features, Predictor};
use std::sync::Arc;

/// Shows the offer to Jan every day for a while; he buys after every third display.
fn months(shop: &Shop) {
    for day in 0..60_i64 {
        let noon = at("2026-03-09T12:00:00Z") + decision::Duration::from_hours(24 * 70 * day / 60 * 5);
        let later = noon + decision::Duration::from_hours(20);
        let decided = shop.home(&noon.to_string(), day as u64);
        shop.report(&decided, "displayed", &noon.to_string());
        if day % 3 == 0 {
            shop.happen(&format!("b{day}"), "bought", &later.to_string());
        }
        shop.engine.learn(later).unwrap();
    }
}

fn propensity(engine: &Engine) -> f32 {
    let arm = Arm { action: crate::shop::OFFER, channel: "web", outcome: "goal" };
    engine.model().expect(&Features::default(), arm).probability
}

#[test]
fn outcomes_change_what_the_next_decision_expects() {
    let shop = Shop::with_jan("2026-03-09T09:00:00Z");
    let before = propensity(&shop.engine);
    months(&shop);
    assert!(propensity(&shop.engine) > before, "{before} before, {} after", propensity(&shop.engine));
}

#[test]
fn a_rebuild_of_the_journal_gives_the_same_model_byte_for_byte() {
    let shop = Shop::with_jan("2026-03-09T09:00:00Z");
    months(&shop);
    let rebuilt = shop.engine.rebuild(at("2028-01-01T00:00:00Z")).unwrap();
    assert!(rebuilt.rows > 0 && rebuilt.masked == 0);
    assert_eq!(rebuilt.model, rebuilt.before);
}

#[test]
fn a_withdrawn_customer_is_out_of_the_model_after_the_next_rebuild() {
    let shop = Shop::with_jan("2026-03-09T09:00:00Z");
    let fresh = propensity(&shop.engine);
    months(&shop);
    shop.say(ConsentStatus::Withdrawn, "2028-01-01T00:00:00Z");
    shop.engine.learn(at("2028-01-01T00:00:01Z")).unwrap();
    let rebuilt = shop.engine.rebuild(at("2028-01-01T00:00:02Z")).unwrap();
    assert!(rebuilt.masked > 0);
    assert_eq!(propensity(&shop.engine), fresh, "as if Jan had never been there");
}

#[test]
fn every_decision_replays_to_the_same_bytes_with_its_own_model() {
    let shop = Shop::with_jan("2026-03-09T09:00:00Z");
    months(&shop);
    let mut deep = 0;
    shop.engine
        .replay_all(&mut |id, replayed| match replayed {
            Ok(Replayed::Deep) => deep += 1,
            other => panic!("{id}: {other:?}"),
        })
        .unwrap();
    assert_eq!(deep, 60);
}

#[test]
fn a_changed_strategy_decides_new_asks_and_old_records_replay_with_theirs() {
    let shop = Shop::with_jan("2026-03-09T09:00:00Z");
    let before = shop.home("2026-03-09T12:00:00Z", 1);
    let Files(mut changed) = files();
    let offer = changed.get_mut("actions/sales/garden/offer.toml").unwrap();
    *offer = offer.replace("customer.has_garden", "!customer.has_garden");
    shop.engine.publish(&Files(changed)).unwrap();
    let after = shop.mail("2026-03-09T13:00:00Z", 2);
    assert_eq!(crate::shop::said(&after), None);
    assert!(matches!(shop.engine.replay(before.decision.id).unwrap(), Some(Ok(Replayed::Deep))));
}

#[test]
fn a_strategy_that_does_not_check_leaves_the_previous_one_in_place() {
    let shop = Shop::with_jan("2026-03-09T09:00:00Z");
    let Files(mut broken) = files();
    broken.get_mut("purposes.toml").unwrap().push_str("[purposes.x]\nbasis = \"because\"\n");
    let before = shop.engine.published().strategy.version;
    assert!(matches!(shop.engine.publish(&Files(broken)), Err(EngineError::Strategy(_))));
    assert_eq!(shop.engine.published().strategy.version, before);
}

#[test]
fn a_restarted_engine_continues_where_it_was() {
    let store = Arc::new(MemoryStore::new());
    let shop = Shop { engine: Engine::open(store.clone(), &files(), [7; 32]).unwrap() };
    shop.say(ConsentStatus::Given, "2026-03-09T09:00:00Z");
    shop.know("e1", "2026-03-09T09:00:00Z", &[("has_garden", decision::value::Value::Bool(true))]);
    months(&shop);
    let model = shop.engine.model().version();
    let again = Engine::open(store, &files(), [9; 32]).unwrap();
    assert_eq!(again.model().version(), model);
    assert!(again.customer(&crate::shop::jan()).unwrap().is_some(), "the first secret stays");
}

//! What a decision leaves behind, and what the next one makes of it.

use crate::shop::{NOTICE, OFFER, Shop, at, files, jan, request, said};
use decision::{
    profile::{ConsentStatus, ContactState},
    record::SilenceReason,
    request::Direction,
    strategy::Files,
};
use engine::{Ask, Verdict};

const MORNING: &str = "2026-03-09T09:00:00Z";
const NOON: &str = "2026-03-09T12:00:00Z";

#[test]
fn a_customer_with_consent_and_a_garden_gets_the_offer_with_permitted_words() {
    let shop = Shop::with_jan(MORNING);
    let decided = shop.mail(NOON, 1);
    assert_eq!(said(&decided), Some(OFFER));
    assert_eq!(decided.answer.slots[0].body.as_deref(), Some("In Gouda, spring is near."));
}

#[test]
fn a_withdrawn_consent_silences_the_next_decision() {
    let shop = Shop::with_jan(MORNING);
    assert_eq!(said(&shop.home("2026-03-09T10:00:00Z", 1)), Some(OFFER));
    assert_eq!(shop.say(ConsentStatus::Withdrawn, "2026-03-09T10:00:00.001Z"), Verdict::Accepted);
    assert_eq!(said(&shop.mail("2026-03-09T10:00:00.002Z", 2)), None);
}

#[test]
fn an_unknown_customer_gets_a_contextual_decision() {
    let shop = Shop::open();
    let decided = shop.mail(NOON, 1);
    assert_eq!(decided.decision.customer, None);
    assert_eq!(said(&decided), None);
}

#[test]
fn five_reloads_are_one_contact() {
    let shop = Shop::with_jan(MORNING);
    let first = shop.home(NOON, 1);
    for reload in 2..=5 {
        let again = shop.home(&format!("2026-03-09T12:0{reload}:00Z"), reload);
        assert_eq!(said(&again), Some(OFFER));
        assert_eq!(again.answer.slots[0].reuses, Some(first.decision.id));
        shop.report(&again, "displayed", &format!("2026-03-09T12:0{reload}:01Z"));
    }
    let state = shop.engine.customer(&jan()).unwrap().unwrap();
    let contacts = state.customer.history.contacts;
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].decision, first.decision.id);
    assert_eq!(contacts[0].state, ContactState::Counted { late: false });
}

#[test]
fn one_attention_budget_is_shared_by_web_and_mail() {
    let shop = Shop::with_jan(MORNING);
    shop.report(&shop.home(NOON, 1), "displayed", NOON);
    shop.report(&shop.mail("2026-03-10T12:00:00Z", 2), "delivered", "2026-03-10T13:00:00Z");
    let third = shop.home("2026-03-11T12:00:00Z", 3);
    assert_eq!(
        third.answer.slots[0].silence_reason,
        Some(SilenceReason::AllDropped(decision::candidate::Step::ContactPolicy))
    );
    let free = shop.home("2026-03-16T12:00:00.001Z", 4);
    assert_eq!(said(&free), Some(OFFER), "the first contact has left the exact window");
}

#[test]
fn an_expired_reservation_frees_its_place_and_a_late_display_still_counts() {
    let shop = Shop::with_jan(MORNING);
    let first = shop.home(NOON, 1);
    assert_eq!(shop.report(&first, "displayed", "2026-03-09T15:00:00Z"), Verdict::Accepted);
    let state = shop.engine.customer(&jan()).unwrap().unwrap();
    assert_eq!(state.customer.history.contacts[0].state, ContactState::Counted { late: true });
}

#[test]
fn a_mandatory_notice_goes_out_past_every_limit_and_first() {
    let shop = Shop::with_jan(MORNING);
    shop.know("e2", MORNING, &[("owns_heater", decision::value::Value::Bool(true))]);
    shop.report(&shop.home(NOON, 1), "displayed", NOON);
    shop.report(&shop.home("2026-03-10T12:00:00Z", 2), "displayed", "2026-03-10T12:00:00Z");
    let both = shop.ask(request("email", Direction::Outbound, "mail", 2), "2026-03-11T12:00:00Z", 3);
    assert_eq!(said(&both), Some(NOTICE));
    assert_eq!(both.answer.slots[1].action, None, "the budget is used, the notice does not need it");
}

#[test]
fn a_complaint_in_the_morning_silences_sales_at_noon_until_it_is_resolved() {
    let shop = Shop::with_jan(MORNING);
    shop.happen("c1", "complaint_opened", "2026-03-09T09:05:00Z");
    assert_eq!(said(&shop.mail(NOON, 1)), None);
    assert_eq!(said(&shop.home(NOON, 2)), None);
    shop.happen("c2", "complaint_closed", "2026-03-09T12:30:00Z");
    assert_eq!(said(&shop.home("2026-03-09T13:00:00Z", 3)), Some(OFFER));
}

#[test]
fn the_need_is_closed_on_every_channel_once_the_goal_is_reached() {
    let shop = Shop::with_jan(MORNING);
    shop.report(&shop.home(NOON, 1), "displayed", NOON);
    shop.happen("b1", "bought", "2026-03-09T13:00:00Z");
    assert_eq!(said(&shop.mail("2026-03-10T12:00:00Z", 2)), None);
    assert_eq!(
        said(&shop.mail("2026-05-20T12:00:00Z", 3)),
        Some(OFFER),
        "sixty days later the need may be back"
    );
}

#[test]
fn a_rejection_pauses_the_action_on_every_channel() {
    let shop = Shop::with_jan(MORNING);
    shop.report(&shop.home(NOON, 1), "rejected", "2026-03-09T12:01:00Z");
    assert_eq!(said(&shop.mail("2026-03-20T12:00:00Z", 2)), None);
    assert_eq!(said(&shop.mail("2026-04-09T12:00:00Z", 3)), Some(OFFER));
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let shop = Shop::with_jan(MORNING);
    let before = shop.engine.customer(&jan()).unwrap();
    let dry = |seed| {
        let request =
            decision::request::Request { dry_run: true, ..request("web", Direction::Inbound, "home", 1) };
        let ask = Ask { identifiers: jan(), request, adjustments: Vec::new() };
        shop.engine.decide(&ask, at(NOON), seed).unwrap()
    };
    let decided = dry(1);
    assert_eq!(said(&decided), Some(OFFER));
    assert!(decided.ticket.is_none() && decided.decision.effects.is_empty());
    assert_eq!(shop.engine.customer(&jan()).unwrap(), before);
    assert_eq!(shop.engine.decision(decided.decision.id).unwrap(), None);
}

#[test]
fn the_cheapest_form_of_the_chosen_action_is_used() {
    let Files(mut files) = files();
    let offer = files.get_mut("actions/sales/garden/offer.toml").unwrap();
    *offer = format!(
        "{}\n[[treatments]]\nid = \"short\"\nplacement = \"home\"\ncontact_cost = 0.1\ntitle.en = \"Spring\"\nbody.en = \"Now.\"\n",
        offer.replace("id = \"home\"", "id = \"home\"\ncontact_cost = 0.5")
    );
    let shop = Shop::with_jan(MORNING);
    shop.engine.publish(&Files(files)).unwrap();
    let decided = shop.home(NOON, 1);
    assert_eq!(decided.answer.slots[0].treatment.as_ref().unwrap().as_str(), "short");
}

#[test]
fn a_limit_holds_when_many_channels_ask_at_once() {
    let shop = Shop::with_jan(MORNING);
    std::thread::scope(|scope| {
        for seed in 0..16 {
            let shop = &shop;
            scope.spawn(move || {
                let moment = format!("2026-03-09T12:00:{seed:02}Z");
                if seed % 2 == 0 {
                    shop.mail(&moment, seed)
                } else {
                    shop.home(&moment, seed)
                };
            });
        }
    });
    let state = shop.engine.customer(&jan()).unwrap().unwrap();
    let window = decision::Duration::from_hours(7 * 24);
    let contacts = state.customer.history.contacts("", at("2026-03-09T12:01:00Z"), window);
    assert!(contacts <= 2, "{contacts} contacts with a limit of 2");
}

//! One test per step of [`decision::decide::work_out`]: without the step's line it fails.

use crate::hand::{RENEW, Story, Table, fate, said, strategy};
use decision::{
    candidate::{Dropped, Fate, PassedOver, Step},
    consent::Withheld,
    inputs::Assignment,
    profile::{ConsentStatus, Source},
    record::{Effect, SilenceReason},
    value::Value,
};

fn step_that_drops(story: &Story) -> Option<Step> {
    let strategy = strategy();
    match fate(&strategy, &story.decide(&strategy), RENEW) {
        Fate::Dropped(why) => Some(why.step()),
        _ => None,
    }
}

/// `consent::apply`
#[test]
fn a_withdrawn_consent_silences_the_next_decision() {
    let mut story = Story::default();
    assert_eq!(step_that_drops(&story), None);
    story.states("offers", ConsentStatus::Withdrawn);
    assert_eq!(step_that_drops(&story), Some(Step::Consent));
}

/// `consent::mask`
#[test]
fn a_value_past_its_retention_is_not_read() {
    let strategy = strategy();
    let mut story = Story::default();
    let years = story.customer.profile.attributes.get_mut("years").expect("known");
    years.expires_at = years.observed_at + crate::generated::days(1.0);
    let worked = story.work_out(&strategy);
    let attribute = strategy.attribute_index("years").expect("declared");
    assert!(
        worked
            .permitted
            .withheld
            .iter()
            .any(|withheld| { withheld.attribute == attribute && withheld.why == Withheld::RetentionOver })
    );
    assert_eq!(step_that_drops(&story), Some(Step::Applicability));
}

/// `consent::mask`, the protection view
#[test]
fn withdrawing_marketing_consent_does_not_shrink_protection() {
    let strategy = strategy();
    let mut story = Story::on_the_web(1);
    story.number("arrears", 50.0);
    story.states("offers", ConsentStatus::Withdrawn);
    let lamp = fate(&strategy, &story.decide(&strategy), "sales/extra/lamp");
    assert_eq!(lamp, Fate::Dropped(Dropped::Principle { principle: 0, unknown: false }));
}

/// `catalogue::candidates`
#[test]
fn an_action_without_a_form_for_the_place_is_no_candidate() {
    let strategy = strategy();
    let decision = Story::default().decide(&strategy);
    assert_eq!(decision.fates.len(), 1);
    assert_eq!(Story::on_the_web(1).decide(&strategy).fates.len(), 4);
}

/// `catalogue::publishable`
#[test]
fn a_used_up_volume_stops_an_action() {
    let mut story = Story::default();
    story.quotas.insert(RENEW.into(), 0);
    assert_eq!(step_that_drops(&story), Some(Step::Catalogue));
}

/// `allow`
#[test]
fn a_rule_that_is_not_known_to_hold_drops_the_action() {
    let mut story = Story::default();
    story.forget("solvent");
    assert_eq!(step_that_drops(&story), Some(Step::Suitability));
}

/// `principles::apply`
#[test]
fn arrears_silence_sales_and_care_wins_by_itself() {
    let strategy = strategy();
    let mut story = Story::on_the_web(1);
    assert_eq!(said(&strategy, &story.decide(&strategy)), [Some(RENEW.into())]);
    story.number("arrears", 120.0);
    assert_eq!(said(&strategy, &story.decide(&strategy)), [Some("care/money/plan".into())]);
}

/// `contact_policy::apply`
#[test]
fn a_complaint_at_the_desk_silences_sales_on_every_channel() {
    let mut story = Story::default();
    story.outcome("complaint", None, 0.2);
    assert_eq!(step_that_drops(&story), Some(Step::ContactPolicy));
    let strategy = strategy();
    let web = Story { customer: story.customer.clone(), ..Story::on_the_web(2) };
    assert!(matches!(
        fate(&strategy, &web.decide(&strategy), RENEW),
        Fate::Dropped(Dropped::ComplaintOpen { .. })
    ));
}

/// `contact_policy::apply`, what is left for slot filling
#[test]
fn the_last_room_in_a_limit_goes_to_one_slot_only() {
    let strategy = strategy();
    let mut story = Story::on_the_web(2);
    let both = said(&strategy, &story.decide(&strategy));
    assert_eq!(both, [Some(RENEW.into()), Some("sales/extra/lamp".into())]);
    story.contact(1.0);
    story.contact(2.0);
    story.number("arrears", 0.0);
    let decision = story.decide(&strategy);
    assert_eq!(said(&strategy, &decision), [Some(RENEW.into()), None]);
    assert_eq!(decision.slots[1].silence_reason, Some(SilenceReason::SlotsTaken));
    assert!(matches!(
        fate(&strategy, &decision, "sales/extra/lamp"),
        Fate::PassedOver { why: PassedOver::CapacityTaken, .. }
    ));
}

/// `propensity::estimate`
#[test]
fn what_is_likelier_to_help_comes_first() {
    let strategy = strategy();
    let mut story = Story::on_the_web(1);
    story.model.0.insert("sales/extra/lamp", (0.9, Some(0.01)));
    story.model.0.insert(RENEW, (0.03, Some(0.01)));
    assert_eq!(said(&strategy, &story.decide(&strategy)), [Some("sales/extra/lamp".into())]);
}

/// `arbitration::rank`
#[test]
fn an_action_of_unknown_value_is_not_said() {
    let mut story = Story::default();
    story.forget("gain");
    assert_eq!(step_that_drops(&story), Some(Step::Arbitration));
}

/// `integrity::vulnerable`
#[test]
fn a_vulnerable_customer_must_have_more_in_it() {
    let mut story = Story::default();
    story.number("gain", 10.0);
    assert_eq!(step_that_drops(&story), None);
    story.knows("illness", Value::Bool(true), Source::Provided);
    assert_eq!(step_that_drops(&story), Some(Step::Integrity));
    story.forget("illness");
    assert_eq!(step_that_drops(&story), Some(Step::Integrity), "not knowing counts as vulnerable");
}

/// `integrity::apply`
#[test]
fn what_does_the_customer_no_good_is_not_said_however_much_it_brings() {
    let mut story = Story::default();
    story.number("gain", -2.0);
    assert_eq!(step_that_drops(&story), Some(Step::Integrity));
}

/// `integrity::apply`, control group
#[test]
fn the_silent_control_group_still_hears_what_is_mandatory() {
    let strategy = strategy();
    let mut story = Story::on_the_web(2);
    story.assignment = Assignment::Silence;
    story.request.context.insert("page".into(), Value::Text("bill".into()));
    assert_eq!(said(&strategy, &story.decide(&strategy)), [Some("safety/meter/recall".into()), None]);
}

/// `selection::select`
#[test]
fn a_weak_action_loses_to_silence() {
    let strategy = strategy();
    let mut story = Story::default();
    story.model.0.insert(RENEW, (0.055, Some(0.05)));
    let decision = story.decide(&strategy);
    assert_eq!(said(&strategy, &decision), [None]);
    assert_eq!(decision.slots[0].silence_reason, Some(SilenceReason::WorthMore));
}

/// `effects`
#[test]
fn what_is_said_is_reserved_and_counted_in_the_volume() {
    let strategy = strategy();
    let mut story = Story::default();
    let until = story.at + crate::generated::days(3.0);
    let action = strategy.action_index(RENEW).expect("renew");
    let decision = story.decide(&strategy);
    assert_eq!(decision.effects, [Effect::Reserve { slot: 0, until }, Effect::UseVolume { action }]);
    story.request.dry_run = true;
    assert_eq!(story.decide(&strategy).effects, []);
}

/// `effects`, `withheld`
#[test]
fn a_silent_control_group_tells_about_all_that_was_withheld_and_other_silence_about_the_nearest() {
    let strategy = strategy();
    let mut story = Story::on_the_web(1);
    let watched = |story: &Story| -> Vec<String> {
        let decision = story.decide(&strategy);
        let candidate = |effect: &Effect| match effect {
            Effect::ObserveSilence { candidate, .. } => Some(*candidate),
            _ => None,
        };
        let action = |candidate: u16| decision.fates[usize::from(candidate)].action;
        let name = |candidate| strategy.actions[usize::from(action(candidate))].id.to_string();
        let mut names: Vec<String> = decision.effects.iter().filter_map(candidate).map(name).collect();
        names.sort();
        names
    };
    story.assignment = Assignment::Silence;
    assert_eq!(watched(&story), [RENEW, "sales/extra/lamp"]);
    story.model = Table([(RENEW, (0.01, Some(0.5)))].into());
    assert_eq!(watched(&story), [RENEW, "sales/extra/lamp"], "also what would not be worth it now");
    let mut mail = Story::default();
    mail.model.0.insert(RENEW, (0.055, Some(0.05)));
    assert_eq!(watched(&mail), [RENEW]);
}

/// `language`, in `catalogue::publishable`
#[test]
fn an_unknown_language_gets_the_first_of_the_organisation() {
    let strategy = strategy();
    let mut story = Story::default();
    story.request.language = Some("fr".into());
    assert_eq!(said(&strategy, &story.decide(&strategy)), [Some(RENEW.into())]);
}

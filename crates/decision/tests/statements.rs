//! What a customer can say about purposes, topics, attributes and everything, and what it does to a decision.

use crate::hand::{Story, strategy};
use decision::{
    Timestamp,
    candidate::{Dropped, Fate},
    consent::{Withheld, may_learn},
    profile::{About, ConsentStatus},
    record::Decision,
    strategy::Strategy,
};

const RENEW: &str = "sales/contract/renew";

fn fate(strategy: &Strategy, decision: &Decision, action: &str) -> Fate {
    let index = strategy.action_index(action).expect("an action");
    decision.fates.iter().find(|fate| fate.action == index).expect("a candidate").fate
}

fn why(story: &Story, action: &str) -> Option<Withheld> {
    let strategy = strategy();
    match fate(&strategy, &story.decide(&strategy), action) {
        Fate::Dropped(Dropped::NoBasis(why)) => Some(why),
        _ => None,
    }
}

fn topic(path: &str) -> About {
    About::Topic(path.into())
}

#[test]
fn an_objection_to_an_issue_group_or_action_silences_what_lies_below_it() {
    assert_eq!(why(&Story::default(), RENEW), None);
    for path in ["sales", "sales/contract", RENEW] {
        let mut story = Story::default();
        story.says(topic(path), ConsentStatus::Objected);
        assert_eq!(why(&story, RENEW), Some(Withheld::TopicObjected), "{path}");
        story.says(topic(path), ConsentStatus::Lifted);
        assert_eq!(why(&story, RENEW), None, "{path}");
    }
    let mut elsewhere = Story::default();
    elsewhere.says(topic("sales/contr"), ConsentStatus::Objected);
    elsewhere.says(topic("service"), ConsentStatus::Objected);
    assert_eq!(why(&elsewhere, RENEW), None, "a topic is a whole word of the path");
}

#[test]
fn a_narrower_yes_does_not_lift_a_wider_no() {
    let mut story = Story::default();
    story.says(topic("sales"), ConsentStatus::Objected);
    story.says(topic("sales/contract"), ConsentStatus::Lifted);
    assert_eq!(why(&story, RENEW), Some(Withheld::TopicObjected));
}

#[test]
fn a_paused_topic_comes_back_when_the_pause_is_over() {
    let mut story = Story::default();
    story.says(topic("sales"), ConsentStatus::Objected);
    let end = story.at + decision::Duration::from_hours(1);
    let pause = story.customer.profile.consents.last_mut().expect("the objection");
    pause.expires_at = Some(end);
    assert_eq!(why(&story, RENEW), Some(Withheld::TopicObjected));
    story.at = end;
    assert_eq!(why(&story, RENEW), None);
}

#[test]
fn an_attribute_objected_to_is_read_by_no_rule_and_no_text_but_protects_all_the_same() {
    let strategy = strategy();
    let gain = strategy.attribute_index("gain").expect("declared");
    let arrears = strategy.attribute_index("arrears").expect("declared");
    let mut story = Story::default();
    story.number("arrears", 50.0);
    let before = story.work_out(&strategy);
    assert!(before.permitted.visible_anywhere(gain));
    let (before, vetoed) = (before.decision.fates.clone(), before.decision);
    story.says(About::Attribute("gain".into()), ConsentStatus::Objected);
    story.says(About::Attribute("arrears".into()), ConsentStatus::Objected);
    let after = story.work_out(&strategy);
    assert!(!after.permitted.visible_anywhere(gain));
    assert!(after.permitted.protection.fact(arrears).is_some(), "what protects is not switched off by it");
    let why =
        |index| after.permitted.withheld.iter().find(|found| found.attribute == index).map(|found| found.why);
    assert_eq!(why(gain), Some(Withheld::AttributeObjected));
    assert_eq!(decision::invariant::withdrawing_adds_nothing(&vetoed, &after.decision), Ok(()));
    assert_eq!(before.len(), after.decision.fates.len());
}

#[test]
fn restriction_stops_everything_but_what_the_law_requires() {
    let strategy = strategy();
    let mut story = Story::default();
    story.says(About::Everything, ConsentStatus::Restricted);
    let decision = story.decide(&strategy);
    for fate in &decision.fates {
        let action = &strategy.actions[usize::from(fate.action)];
        let basis = strategy.purposes[usize::from(action.purpose)].basis;
        let restricted = fate.fate == Fate::Dropped(Dropped::NoBasis(Withheld::Restricted));
        assert_eq!(restricted, basis != decision::strategy::Basis::LegalObligation, "{:?}", action.id);
    }
    story.says(About::Everything, ConsentStatus::Lifted);
    assert_eq!(why(&story, RENEW), None, "what was allowed before is allowed again");
}

#[test]
fn lifting_an_objection_grants_nothing_where_consent_is_needed() {
    let mut story = Story::default();
    story.states("offers", ConsentStatus::Objected);
    assert_eq!(why(&story, RENEW), Some(Withheld::Objected));
    story.states("offers", ConsentStatus::Lifted);
    assert_eq!(why(&story, RENEW), Some(Withheld::NoConsent));
    story.states("offers", ConsentStatus::Given);
    assert_eq!(why(&story, RENEW), None);
}

#[test]
fn what_was_read_before_a_no_is_not_learned_from_after_a_new_yes() {
    let strategy = strategy();
    let offers = strategy.purpose_index("offers").expect("declared");
    let mut story = Story::default();
    let said = story.customer.profile.consents[0].at;
    let hour = decision::Duration::from_hours(1);
    let learns = |story: &Story, since: Timestamp| {
        may_learn(&strategy, offers, &story.customer.profile.consents, since)
    };
    assert!(learns(&story, said - hour));
    for about in [About::Purpose("offers".into()), About::Attribute("gain".into()), About::Everything] {
        let mut story = Story::default();
        let status =
            if about == About::Everything { ConsentStatus::Restricted } else { ConsentStatus::Objected };
        story.says(about, status);
        story.states("offers", ConsentStatus::Given);
        assert!(!learns(&story, said - hour));
        assert!(learns(&story, said + hour));
    }
    story.says(topic("sales"), ConsentStatus::Objected);
    assert!(learns(&story, said - hour), "a topic is about what is said, not about what is known");
}

#[test]
fn every_statement_replays_to_the_same_bytes() {
    let strategy = strategy();
    let mut story = Story::default();
    story.says(topic("sales/extra"), ConsentStatus::Objected);
    story.says(About::Attribute("years".into()), ConsentStatus::Objected);
    story.says(About::Everything, ConsentStatus::Restricted);
    story.says(About::Everything, ConsentStatus::Lifted);
    let kept = Decision::decode(&story.decide(&strategy).encode()).expect("a record");
    decision::replay::replay(&strategy, &kept).expect("the same bytes");
}

/// Numbers that look random and are the same each time.
fn dice(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn what_a_profile_lets_go_of_no_decision_misses() {
    let strategy = strategy();
    let abouts = [
        About::Purpose("offers".into()),
        About::Purpose("mailing".into()),
        topic("sales"),
        topic(RENEW),
        About::Attribute("gain".into()),
        About::Everything,
    ];
    let statuses = [
        ConsentStatus::Given,
        ConsentStatus::Refused,
        ConsentStatus::Withdrawn,
        ConsentStatus::Objected,
        ConsentStatus::Restricted,
        ConsentStatus::Lifted,
    ];
    let offers = strategy.purpose_index("offers").expect("declared");
    let mut state = 20_260_309;
    let (mut shorter, mut fates) = (0, std::collections::BTreeSet::new());
    for _ in 0..300 {
        let mut whole = Story::default();
        let start = whole.at - decision::Duration::from_hours(200);
        let mut said = Vec::new();
        for _ in 0..dice(&mut state) % 30 {
            let (about, status) = (&abouts[dice(&mut state) % 6], statuses[dice(&mut state) % 6]);
            if !status.fits(about) {
                continue;
            }
            whole.says(about.clone(), status);
            let mut statement = whole.customer.profile.consents.pop().expect("it was said");
            statement.at = start + decision::Duration::from_hours((dice(&mut state) % 60) as i64);
            statement.channel =
                [None, Some("web".into()), Some("email".into())][dice(&mut state) % 3].clone();
            said.push(statement);
        }
        let mut kept = Story::default();
        (whole.customer.profile.consents, kept.customer.profile.consents) = (Vec::new(), Vec::new());
        for statement in said {
            let consents = &mut whole.customer.profile.consents;
            let position = consents.partition_point(|known| known.at <= statement.at);
            consents.insert(position, statement.clone());
            kept.customer.profile.says(statement);
        }
        let (one, other) = (whole.work_out(&strategy), kept.work_out(&strategy));
        assert_eq!(one.decision.fates, other.decision.fates, "{:?}", whole.customer.profile.consents);
        assert_eq!(one.decision.slots, other.decision.slots);
        assert_eq!(one.permitted.withheld, other.permitted.withheld);
        for hours in 0..60 {
            let since = start + decision::Duration::from_hours(hours);
            let learns =
                |story: &Story| may_learn(&strategy, offers, &story.customer.profile.consents, since);
            assert_eq!(learns(&whole), learns(&kept), "since {since}");
        }
        shorter += usize::from(kept.customer.profile.consents.len() < whole.customer.profile.consents.len());
        fates.insert(format!("{:?}", one.decision.fates));
    }
    assert!(shorter > 100 && fates.len() > 5, "{shorter} were shorter, {} ways to end", fates.len());
}

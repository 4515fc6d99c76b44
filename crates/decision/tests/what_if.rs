//! What another strategy would have made of a recorded moment.

use crate::{
    generated::compile,
    hand::{self, RENEW, Story},
};
use decision::{
    candidate::Fate,
    inputs::Assignment,
    record::{Decision, Slot},
    strategy::Strategy,
    what_if::Past,
};

fn vectors(slots: &[Slot]) -> Vec<(f32, Vec<(u16, f32)>)> {
    let arms = |slot: &Slot| slot.contenders.iter().map(|arm| (arm.candidate, arm.probability)).collect();
    slots.iter().map(|slot| (slot.silence, arms(slot))).collect()
}

fn with(change: impl Fn(&str, &str) -> String) -> Strategy {
    let files = hand::files();
    compile(files.iter().map(|(name, text)| (name.clone(), change(name, text))).collect())
}

fn exploring(text: &str) -> String {
    text.replace("floor = 0.0\ncontenders = 4", "floor = 0.2\ncontenders = 4")
}

fn priority_of(strategy: &Strategy, decision: &Decision, action: &str) -> f32 {
    let index = strategy.action_index(action).expect("an action of the strategy");
    let mine = decision.fates.iter().filter(|fate| fate.action == index);
    let priority = mine.filter_map(|fate| match fate.fate {
        Fate::PassedOver { priority, .. } | Fate::Chosen { priority, .. } => Some(priority),
        Fate::Dropped(_) => None,
    });
    priority.fold(f32::NEG_INFINITY, f32::max)
}

#[test]
fn put_to_its_own_strategy_a_record_gives_its_own_probabilities() {
    let strategy = with(|_, text| exploring(text));
    for seed in 0..40 {
        let story = Story { seed, ..Story::on_the_web(2) };
        let record = story.decide(&strategy);
        let past = Past::of(&strategy, &record, None).expect("it is this strategy's record");
        let again = past.under(&strategy, Assignment::Strategy, |worked| vectors(&worked.decision.slots));
        assert_eq!(again, vectors(&record.slots), "seed {seed}");
    }
}

#[test]
fn along_a_course_each_slot_is_conditional_on_what_was_really_said() {
    let strategy = with(|_, text| exploring(text));
    let other = with(|name, text| match name {
        "organisation.toml" => {
            exploring(text).replace("\"sales\" = 0.1", "\"sales\" = 0.1\n\"sales/extra\" = 20.0")
        }
        _ => text.to_owned(),
    });
    for seed in 0..40 {
        let record = Story { seed, ..Story::on_the_web(2) }.decide(&strategy);
        let past = Past::of(&strategy, &record, None).expect("it is this strategy's record");
        past.under(&other, Assignment::Strategy, |worked| {
            for (then, now) in record.slots.iter().zip(&worked.decision.slots) {
                let can = then.pick.is_none_or(|pick| now.contenders.iter().any(|arm| arm.candidate == pick));
                assert!(!can || now.pick == then.pick, "seed {seed}");
            }
        });
    }
}

#[test]
fn a_lever_moves_the_priority_of_its_action_and_the_layer_without_levers_does_not_see_it() {
    let strategy = with(|_, text| exploring(text));
    let held_back = with(|name, text| match name {
        "organisation.toml" => {
            exploring(text).replace("\"sales/contract\" = 0.2", "\"sales/contract\" = -0.85")
        }
        _ => text.to_owned(),
    });
    let record = Story::on_the_web(1).decide(&strategy);
    let past = Past::of(&strategy, &record, None).expect("it is this strategy's record");
    let priority = |assignment| {
        past.under(&held_back, assignment, |worked| priority_of(&held_back, &worked.decision, RENEW))
    };
    let before = priority_of(&strategy, &record, RENEW);
    let [strategy, without_levers] = [Assignment::Strategy, Assignment::WithoutLevers].map(priority);
    assert!(strategy < 0.5 * before && without_levers > strategy, "{strategy} {without_levers} {before}");
}

#[test]
fn what_a_strategy_wants_to_read_and_the_record_does_not_hold_is_named_and_unknown() {
    let strategy = hand::strategy();
    let nosy = with(|name, text| match name {
        "inventory/all.toml" => {
            text.to_owned()
                + "\n[attributes.shoe_size]\nname.nl = \"schoenmaat\"\nname.en = \"shoe size\"\ntype = \"number\"\n\
                   purposes = [\"offers\"]\nsource = \"observed\"\nowner = \"team\"\n"
        }
        _ => text.to_owned(),
    });
    let record = Story::on_the_web(1).decide(&strategy);
    let past = Past::of(&strategy, &record, None).expect("it is this strategy's record");
    let gaps = past.under(&nosy, Assignment::Strategy, |worked| past.gaps(&nosy, worked));
    assert_eq!(gaps.attributes.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["shoe_size"]);
    let own = past.under(&strategy, Assignment::Strategy, |worked| past.gaps(&strategy, worked));
    assert_eq!(own, decision::what_if::Gaps::default());
}

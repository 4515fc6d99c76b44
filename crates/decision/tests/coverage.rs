//! Generated decisions reach every corner, so that the properties say something.

use crate::generated::{case, organisation};
use decision::{candidate::Fate, record::SilenceReason};
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use std::collections::BTreeMap;

fn name(fate: &Fate) -> String {
    let text = format!("{fate:?}");
    let end = text.find(" {").or_else(|| text.find('(')).unwrap_or(text.len());
    match fate {
        Fate::Dropped(why) => {
            let why = format!("{why:?}");
            format!("dropped {}", why.split([' ', '(']).next().unwrap_or_default())
        }
        Fate::PassedOver { why, .. } => format!("passed over {why:?}"),
        Fate::Chosen { .. } => text[..end].to_owned(),
    }
}

#[test]
fn generated_decisions_have_every_kind_of_fate_and_silence() {
    let mut runner = TestRunner::deterministic();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..120 {
        let strategy = organisation().new_tree(&mut runner).expect("a strategy").current().strategy();
        let requests = vec(case(), 30).new_tree(&mut runner).expect("requests").current();
        for decision in requests.iter().map(|case| case.decide(&strategy)) {
            decision
                .fates
                .iter()
                .for_each(|candidate| *counts.entry(name(&candidate.fate)).or_default() += 1);
            for slot in &decision.slots {
                let kind = match slot.silence_reason {
                    Some(SilenceReason::AllDropped(_)) => "silence AllDropped".to_owned(),
                    Some(why) => format!("silence {why:?}"),
                    None if slot.reuses.is_some() => "said again".to_owned(),
                    None if slot.fixed => "said always".to_owned(),
                    None => "said".to_owned(),
                };
                *counts.entry(kind).or_default() += 1;
            }
        }
    }
    let wanted = [
        "Chosen",
        "dropped NoBasis",
        "dropped NotPublishedNow",
        "dropped VolumeUsedUp",
        "dropped TextUnknown",
        "dropped Rule",
        "dropped Principle",
        "dropped Permission",
        "dropped QuietHours",
        "dropped GoalReached",
        "dropped Paused",
        "dropped AnswerKnown",
        "dropped AskedBefore",
        "dropped ComplaintOpen",
        "dropped Limit",
        "dropped ValueUnknown",
        "dropped BelowFloor",
        "dropped ControlGroup",
        "passed over Outranked",
        "passed over SilenceWorthMore",
        "passed over ActionTaken",
        "passed over GroupTaken",
        "passed over CapacityTaken",
        "passed over ConversationOpen",
        "passed over SlotsFilled",
        "silence NoCandidates",
        "silence AllDropped",
        "silence WorthMore",
        "silence SlotsTaken",
        "silence Chance",
        "said",
        "said always",
        "said again",
    ];
    for kind in wanted {
        assert!(counts.contains_key(kind), "no generated decision has `{kind}`: {counts:#?}");
    }
}

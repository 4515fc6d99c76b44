//! A record can be made again from its own trace, and from nothing else.

use crate::{
    generated::{Fickle, case, cases, compile, organisation},
    hand,
};
use decision::{
    record::{Decision, RecordError},
    replay::{Part, ReplayError, replay, replay_deep},
    strategy::Strategy,
};
use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn every_decision_is_made_again_byte_for_byte(organisation in organisation(), requests in vec(case(), 20)) {
        let strategy = organisation.strategy();
        for case in &requests {
            let record = Decision::decode(&case.decide(&strategy).encode()).expect("a record reads back");
            prop_assert_eq!(replay(&strategy, &record), Ok(()));
            prop_assert_eq!(replay_deep(&strategy, &record, &case.model), Ok(()));
        }
    }
}

fn made() -> (Strategy, hand::Story, Decision) {
    let strategy = hand::strategy();
    let mut story = hand::Story::default();
    story.contact(2.0);
    story.outcome("dismissed", Some(hand::RENEW), 3.0);
    let record = story.decide(&strategy);
    (strategy, story, record)
}

#[test]
fn a_flipped_bit_anywhere_in_a_stored_record_is_noticed() {
    let (_, _, record) = made();
    let bytes = record.encode();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(Decision::decode(&altered).is_err(), "bit {bit} can be flipped unseen");
    }
    assert_eq!(Decision::decode(&bytes[..bytes.len() - 1]), Err(RecordError::Damaged));
    assert_eq!(Decision::decode(&[]), Err(RecordError::Damaged));
    assert_eq!(Decision::decode(&[9, 0]), Err(RecordError::Format(9)));
}

#[test]
fn a_record_that_was_altered_on_purpose_names_the_part_that_differs() {
    let (strategy, _, record) = made();
    let differs = |alter: fn(&mut Decision)| {
        let mut altered = record.clone();
        alter(&mut altered);
        replay(&strategy, &altered)
    };
    let part = |part| Err(ReplayError::Differs(part));
    assert_eq!(differs(|record| record.seed += 1), part(Part::Key));
    assert_eq!(differs(|record| record.trace.quotas.push((999, 5))), part(Part::Trace));
    assert_eq!(differs(|record| record.trace.predictions.clear()), part(Part::Estimates));
    assert_eq!(differs(|record| record.fates[0].placement += 1), part(Part::Fates));
    assert_eq!(differs(|record| record.slots[0].silence += 0.1), part(Part::Slots));
    assert_eq!(differs(|record| record.effects.clear()), part(Part::Effects));
}

#[test]
fn another_strategy_or_another_model_is_refused_by_name() {
    let (strategy, story, record) = made();
    let mut files = hand::files();
    let policy = files.get_mut("contact-policy.toml").expect("a policy");
    policy.push_str("# one line more\n");
    let changed = compile(files);
    assert!(matches!(replay(&changed, &record), Err(ReplayError::OtherStrategy { .. })));
    assert!(matches!(replay_deep(&strategy, &record, &Fickle(3)), Err(ReplayError::OtherModel { .. })));
    let mut other = story.model.clone();
    other.0.insert(hand::RENEW, (0.26, Some(0.05)));
    assert_eq!(replay_deep(&strategy, &record, &other), Err(ReplayError::Differs(Part::Estimates)));
    assert_eq!(replay_deep(&strategy, &record, &story.model), Ok(()));
}

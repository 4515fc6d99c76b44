//! A record can be made again from its own trace, and from nothing else.

use crate::generated::{case, cases, organisation};
use decision::{
    candidate::Fate,
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

//! Models and states of learning that somebody altered and sealed again: refused, or sound to ask and teach.

use learning::{Arms, DecodeError, Features, Learner, Predictor, Snapshot};

use crate::{fold::fold, journal::*};

const DIGEST_BYTES: usize = 32;

/// One bit at every position turned over, then the last bytes cut off.
fn alterations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flipped = (0..bytes.len()).map(|position| {
        let mut altered = bytes.to_vec();
        altered[position] ^= 1 << (position % 8);
        altered
    });
    flipped.chain((1..bytes.len()).map(|end| bytes[..end].to_vec()))
}

fn sealed(format: u8, content: &[u8]) -> Vec<u8> {
    [&[format], &blake3::hash(content).as_bytes()[..], content].concat()
}

fn answers_soundly(snapshot: &Snapshot) {
    let features = Features::new(vec![number("age", 44.0)]);
    let outcomes = ["goal".into(), "complaint".into()];
    let actions = ["sales/group0/action1", "sales/group1/new"];
    let arms = Arms { actions: &actions, channel: "web", outcomes: &outcomes };
    for found in snapshot.predict(&features, arms) {
        assert!(found.probability > 0.0 && found.probability < 1.0, "{found:?}");
        assert!(found.baseline.is_none_or(|baseline| baseline > 0.0 && baseline < 1.0), "{found:?}");
    }
    assert!(snapshot.deviations(&features, arms).iter().all(|deviation| *deviation >= 0.0));
    assert!(snapshot.column_weights("goal", None).iter().all(|column| column.weight.is_finite()));
}

#[test]
fn a_model_that_was_altered_and_sealed_again_is_refused_or_answers_soundly() {
    let bytes = fold(&mixed(1, 20)).snapshot().encode();
    let (format, content) = (bytes[0], &bytes[1 + DIGEST_BYTES..]);
    assert!(Snapshot::decode(&sealed(format, content)).is_ok(), "it is sealed as it should be");
    let mut refused = 0;
    for altered in alterations(content) {
        match Snapshot::decode(&sealed(format, &altered)) {
            Ok(snapshot) => answers_soundly(&snapshot),
            Err(error) => {
                assert_eq!(error, DecodeError::Damaged);
                refused += 1;
            }
        }
    }
    assert!(refused > content.len(), "what is cut off is always refused, and much of the rest");
}

#[test]
fn a_state_of_learning_that_was_altered_is_refused_or_goes_on_learning() {
    let rows = mixed(1, 20);
    let bytes = postcard::to_stdvec(&fold(&rows)).unwrap();
    for altered in alterations(&bytes) {
        let Ok(mut learner) = postcard::from_bytes::<Learner>(&altered) else { continue };
        rows.iter().for_each(|row| learner.apply(row));
        learner.advance(i64::MAX);
        answers_soundly(&learner.snapshot());
    }
}

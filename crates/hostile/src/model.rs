//! A kept model, and the state of the learner: refused, or exactly what was written.

use learning::{Arm, Features, Learner, Predictor, Snapshot};

/// The bytes as they are, and as the content of a model whose digest fits.
pub(crate) fn model(bytes: &[u8]) {
    if let Ok(snapshot) = Snapshot::decode(bytes) {
        assert!(snapshot.encode() == bytes, "a model reads as another one");
        predicts(&snapshot);
    }
    drop(Snapshot::decode(&sealed(bytes)));
    drop(postcard::take_from_bytes::<Learner>(bytes));
}

fn predicts(snapshot: &Snapshot) {
    let arm = Arm { action: "sales/contract/renew", channel: "web", outcome: "goal" };
    let probability = snapshot.expect(&Features::default(), arm).probability;
    assert!(probability > 0.0 && probability < 1.0, "a probability is {probability}");
}

fn sealed(content: &[u8]) -> Vec<u8> {
    let format = Snapshot::encode(&Learner::new(learning::Config::default()).snapshot())[0];
    [&[format], &blake3::hash(content).as_bytes()[..], content].concat()
}

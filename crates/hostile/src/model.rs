//! A kept model, and the state of the learner: refused, or exactly what was written.

use learning::{
    Arms, Expected, Exposure, ExposureId, Feature, FeatureValue, Features, Learner, Predictor, Row, Snapshot,
};
use std::sync::Arc;

/// The bytes as they are, and as the content of a model whose digest fits.
pub(crate) fn model(bytes: &[u8]) {
    if let Ok(snapshot) = Snapshot::decode(bytes) {
        assert!(snapshot.encode() == bytes, "a model reads as another one");
        predicts(&snapshot);
    }
    if let Ok(snapshot) = Snapshot::decode(&sealed(bytes)) {
        predicts(&snapshot);
    }
    if let Ok((learner, _)) = postcard::take_from_bytes::<Learner>(bytes) {
        learns(learner);
    }
}

/// Whoever is asked about, and whether or not their features have columns.
fn predicts(snapshot: &Snapshot) {
    let outcomes = ["goal", "complaint", "bought"].map(Arc::from);
    let columns = outcomes.iter().flat_map(|outcome| snapshot.column_weights(outcome, None));
    let features = columns.flat_map(|column| {
        let values = [
            FeatureValue::Number(1e6),
            FeatureValue::Flag(true),
            FeatureValue::Category(column.word.clone().unwrap_or_else(|| "".into())),
        ];
        values.map(|value| Feature { name: column.name.clone(), value, confidence: 0.5 })
    });
    for features in [Features::default(), Features::new(features.collect())] {
        let arms = Arms { actions: &["sales/contract/renew", "a/b/c"], channel: "web", outcomes: &outcomes };
        for prediction in snapshot.predict(&features, arms) {
            let probability = prediction.probability;
            assert!(probability > 0.0 && probability < 1.0, "a probability is {probability}");
        }
        for deviation in snapshot.deviations(&features, arms) {
            assert!(deviation >= 0.0, "a deviation is {deviation}");
        }
    }
}

/// As if it had been kept: time passes, somebody is shown something, and acts on it.
fn learns(mut learner: Learner) {
    let (at_ms, id) = (2_000_000_000_000, ExposureId { decision: 1, slot: 0 });
    let expected = Expected { outcome: "goal".into(), event: "bought".into(), within_ms: 86_400_000 };
    learner.apply(&Row::Exposure(Exposure {
        id,
        at_ms,
        subject: 7,
        purpose: "offers".into(),
        action: "sales/contract/renew".into(),
        channel: "web".into(),
        features: Features::default(),
        acted: true,
        expected: vec![expected],
    }));
    learner.apply(&Row::Outcome { at_ms: at_ms + 1, subject: 7, event: "bought".into(), exposure: Some(id) });
    learner.advance(at_ms + 100_000_000);
    predicts(&learner.snapshot());
}

fn sealed(content: &[u8]) -> Vec<u8> {
    let format = Snapshot::encode(&Learner::new(learning::Config::default()).snapshot())[0];
    [&[format], &blake3::hash(content).as_bytes()[..], content].concat()
}

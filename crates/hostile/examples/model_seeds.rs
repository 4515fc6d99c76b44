//! Writes the kept inputs of the `model` door anew, into the folder named: a learner that is new, one that waits
//! and one that has learned, each as its state, its snapshot, and the snapshot's content alone. Needed when the
//! format of a model changes, or the fuzzer begins from nothing.

use learning::{
    Config, Expected, Exposure, ExposureId, Feature, FeatureValue, Features, Learner, Row, Snapshot,
};
use std::{env, fs, path::Path};

const DAY_MS: i64 = 86_400_000;
const HEADER_BYTES: usize = 33;

fn main() -> std::io::Result<()> {
    let folder = env::args().nth(1).expect("usage: model_seeds FOLDER");
    for (name, learner) in [("new", after(0, 0)), ("waiting", after(3, 1)), ("settled", after(40, 400))] {
        let snapshot = Snapshot::encode(&learner.snapshot());
        let state = postcard::to_stdvec(&learner).expect("a state can be written");
        let write = |kind: &str, bytes: &[u8]| {
            fs::write(Path::new(&folder).join(format!("seed-{kind}{name}")), bytes)
        };
        write("", &snapshot)?;
        write("body-", &snapshot[HEADER_BYTES..])?;
        write("learner-", &state)?;
    }
    Ok(())
}

/// What is known after so many exposures, one every six hours, some bought upon, and so many days.
fn after(exposures: u64, days: i64) -> Learner {
    let mut learner = Learner::new(Config::default());
    for number in 0..exposures {
        let (at_ms, id) = (number as i64 * DAY_MS / 4, ExposureId { decision: u128::from(number), slot: 0 });
        let feature = |name: &str, value| Feature { name: name.into(), value, confidence: 1.0 };
        let action = ["sales/contract/renew", "sales/contract/switch", "care/tips"][number as usize % 3];
        learner.apply(&Row::Exposure(Exposure {
            id,
            at_ms,
            subject: u128::from(number % 7),
            purpose: "offers".into(),
            action: action.into(),
            channel: ["web", "email"][number as usize % 2].into(),
            features: Features::new(vec![
                feature("usage", FeatureValue::Number(number as f64)),
                feature("moves", FeatureValue::Flag(number % 4 == 0)),
                feature("home", FeatureValue::Category(["flat", "house"][number as usize % 2].into())),
            ]),
            acted: number % 5 != 0,
            expected: vec![Expected {
                outcome: "goal".into(),
                event: "bought".into(),
                within_ms: 30 * DAY_MS,
            }],
        }));
        if number % 6 == 1 {
            let (subject, event) = (u128::from(number % 7), "bought".into());
            learner.apply(&Row::Outcome { at_ms: at_ms + 1_000, subject, event, exposure: Some(id) });
        }
    }
    learner.advance(days * DAY_MS);
    learner
}

//! How are a model's estimates rounded and written down? Rounded before they are used, so that what is
//! recorded is what decided, in a few bytes each.
//!
//! Deliberately absent: making estimates; that is [`crate::propensity`] asking a model.

use learning::Prediction;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Steps per unit of logit: probabilities are kept to about one part in a thousand.
const LOGIT_STEPS: f32 = 1024.0;
/// Lowest and highest logit: probabilities from 10⁻⁷ to 0.9998, where a single-precision number
/// still tells one step from the next.
const LOGITS: (f32, f32) = (-16.0, 8.5);
/// Steps per unit of deviation.
const DEVIATION_STEPS: f32 = 64.0;
/// Steps per doubling of evidence.
const EVIDENCE_STEPS: f32 = 4.0;

/// One estimate in steps; evidence on a logarithmic scale.
#[derive(Serialize, Deserialize)]
enum Written {
    Full(Logit, Spread),
    FullWithBaseline(Logit, Spread, Logit),
    Bare(Logit),
    BareWithBaseline(Logit, Logit),
}

type Logit = [u8; 2];

/// How sure an estimate is.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Spread {
    deviation: u16,
    evidence: u8,
}

/// The nearest estimate that can be written down.
pub fn rounded(prediction: Prediction) -> Prediction {
    read(&write(&prediction))
}

/// The same for a side outcome, of which only the probabilities count.
pub fn rounded_bare(prediction: Prediction) -> Prediction {
    rounded(Prediction { deviation: 0.0, evidence: 0.0, ..prediction })
}

fn write(prediction: &Prediction) -> Written {
    let evidence = libm::log2f(1.0 + prediction.evidence.max(0.0)) * EVIDENCE_STEPS;
    let deviation = (prediction.deviation * DEVIATION_STEPS).round() as u16;
    let spread = Spread { deviation, evidence: evidence.round() as u8 };
    let logit = logit_steps(prediction.probability);
    let baseline = prediction.baseline.map(logit_steps);
    match (spread == Spread::default(), baseline) {
        (false, None) => Written::Full(logit, spread),
        (false, Some(baseline)) => Written::FullWithBaseline(logit, spread, baseline),
        (true, None) => Written::Bare(logit),
        (true, Some(baseline)) => Written::BareWithBaseline(logit, baseline),
    }
}

fn read(written: &Written) -> Prediction {
    let unsure = &Spread::default();
    let (logit, spread, baseline) = match written {
        Written::Full(logit, spread) => (logit, spread, None),
        Written::FullWithBaseline(logit, spread, baseline) => (logit, spread, Some(baseline)),
        Written::Bare(logit) => (logit, unsure, None),
        Written::BareWithBaseline(logit, baseline) => (logit, unsure, Some(baseline)),
    };
    Prediction {
        probability: probability(*logit),
        deviation: f32::from(spread.deviation) / DEVIATION_STEPS,
        baseline: baseline.map(|baseline| probability(*baseline)),
        evidence: libm::exp2f(f32::from(spread.evidence) / EVIDENCE_STEPS) - 1.0,
    }
}

fn logit_steps(probability: f32) -> Logit {
    let probability = f64::from(probability);
    let logit = libm::log(probability / (1.0 - probability)) as f32;
    let steps = (logit.clamp(LOGITS.0, LOGITS.1) * LOGIT_STEPS).round() as i16;
    steps.to_le_bytes()
}

fn probability(steps: Logit) -> f32 {
    let logit = f64::from(i16::from_le_bytes(steps)) / f64::from(LOGIT_STEPS);
    (1.0 / (1.0 + libm::exp(-logit))) as f32
}

/// Writes rounded estimates compactly.
pub(crate) fn serialize<S: Serializer>(predictions: &[Prediction], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(predictions.iter().map(write))
}

/// Reads them back.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Prediction>, D::Error> {
    let written = Vec::<Written>::deserialize(deserializer)?;
    Ok(written.iter().map(read).collect())
}

/// Estimates on their own, as they are written.
pub(crate) struct Bare<'a>(pub &'a [Prediction]);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f32, wanted: f32) -> bool {
        (found - wanted).abs() <= 0.001 * wanted.abs() + 1e-7
    }

    #[test]
    fn a_rounded_estimate_stays_close_and_rounds_to_itself() {
        for probability in [1e-6, 0.0021, 0.05, 0.5, 0.93, 0.9997] {
            for deviation in [0.0, 0.13, 1.0, 4.5] {
                let estimate =
                    Prediction { probability, deviation, baseline: Some(probability / 2.0), evidence: 33.0 };
                let once = rounded(estimate);
                assert!(close(once.probability, probability), "{once:?}");
                assert!((once.deviation - deviation).abs() <= 0.5 / DEVIATION_STEPS, "{once:?}");
                assert_eq!(rounded(once), once);
            }
        }
    }

    #[test]
    fn a_bound_or_broken_number_is_written_within_the_scale() {
        for probability in [0.0, 1.0, f32::NAN] {
            let broken =
                Prediction { probability, deviation: f32::NAN, baseline: None, evidence: f32::INFINITY };
            let once = rounded(broken);
            assert!(once.probability > 0.0 && once.probability < 1.0, "{once:?}");
            assert!(once.deviation.is_finite() && once.evidence.is_finite());
            assert_eq!(rounded(once), once);
        }
    }
}

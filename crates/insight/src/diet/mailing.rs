//! Whom would we mail, when everybody was mailed once and it is known who bought? The profit of mailing whoever is
//! expected to bring more than the mail costs.
//!
//! Not mailing costs and brings nothing, so the value of any choice of customers is known from this one mailing.

use super::{Attribute, Name, Occasion, Study, elimination::known};
use crate::off_policy::{Estimator, Target};
use learning::{Config, Expected, Exposure, ExposureId, Features, Learner, Predictor, Row};
use std::collections::BTreeSet;

const ACTION: &str = "sales/mailing/offer";
const CHANNEL: &str = "letter";
const BOUGHT: &str = "bought";
/// From one mail to the next, so that every window has ended before the next begins.
const STEP_MS: i64 = 2;

/// Somebody who got the mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Mailed {
    /// What was known.
    pub features: Features,
    /// Whether they bought.
    pub bought: bool,
}

/// A mailing to everybody.
#[derive(Debug, Clone)]
pub struct Mailing {
    attributes: Vec<Attribute>,
    features: Vec<Features>,
    rows: Vec<Row>,
    occasions: Vec<Occasion>,
    /// Least probability at which a mail pays.
    pays_from: f64,
}

impl Mailing {
    /// A mail costs `cost` and a purchase brings `gain`, both in euro and above 0. `attributes` might go; what else
    /// is known of people stays.
    pub fn new(people: Vec<Mailed>, attributes: Vec<Attribute>, gain: f64, cost: f64) -> Self {
        let mut mailing = Self {
            attributes,
            features: Vec::with_capacity(people.len()),
            rows: Vec::with_capacity(people.len()),
            occasions: Vec::with_capacity(people.len()),
            pays_from: cost / gain,
        };
        for (number, Mailed { features, bought }) in (1_u128..).zip(people) {
            let at_ms = i64::try_from(number).unwrap_or(i64::MAX) * STEP_MS;
            mailing.rows.push(Row::Exposure(exposure(number, at_ms, features.clone())));
            if bought {
                let (subject, event) = (number, BOUGHT.into());
                mailing.rows.push(Row::Outcome { at_ms, subject, event, exposure: None });
            }
            let reward = if bought { gain - cost } else { -cost };
            mailing.occasions.push(Occasion { customer: number, propensity: 1.0, reward, expected: 0.0 });
            mailing.features.push(features);
        }
        mailing
    }
}

fn exposure(subject: u128, at_ms: i64, features: Features) -> Exposure {
    Exposure {
        id: ExposureId { decision: subject, slot: 0 },
        subject,
        purpose: "mailing".into(),
        at_ms,
        action: ACTION.into(),
        channel: CHANNEL.into(),
        acted: true,
        features,
        expected: vec![Expected {
            outcome: decision::propensity::GOAL.into(),
            event: BOUGHT.into(),
            within_ms: STEP_MS - 1,
        }],
    }
}

impl Study for Mailing {
    fn attributes(&self) -> Vec<Attribute> {
        self.attributes.clone()
    }

    fn learner(&self) -> Learner {
        Learner::new(Config::default())
    }

    fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn occasions(&self) -> &[Occasion] {
        &self.occasions
    }

    fn target(&self, occasion: usize, without: &BTreeSet<Name>, model: &dyn Predictor) -> Target {
        let features = known(&self.features[occasion], without);
        let goal = [decision::propensity::GOAL.into()];
        let arms = learning::Arms { actions: &[ACTION], channel: CHANNEL, outcomes: &goal };
        let expected = f64::from(model.predict(&features, arms)[0].probability);
        let probability = if expected > self.pays_from { 1.0 } else { 0.0 };
        Target { probability, expected: 0.0, unsupported: 0.0 }
    }

    fn estimator(&self) -> Estimator {
        Estimator::Ips
    }

    fn measured_by(&self) -> &'static str {
        "profit per customer of mailing whoever is expected to bring more than the mail costs"
    }
}

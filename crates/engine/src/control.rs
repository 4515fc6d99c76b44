//! How are this customer's decisions made: by the strategy, in a control group, in which arms of which
//! experiments? Drawn by keyed hashes, so that it is stable, and independent from one comparison to the next.
//!
//! Control groups are drawn anew every period. An arm stays what it was at the customer's first decision in
//! the experiment, also when its share is changed. Who is in a control group enters no experiment.

use crate::{
    Engine, EngineError, codec,
    customer::HISTORY_MS,
    storage::{Read, Table, Write, key},
};
use decision::{
    Timestamp,
    experiment::Enrolled,
    id::CustomerId,
    inputs::Assignment,
    strategy::{Arm, Control, Experiment, Strategy},
};
use serde::{Deserialize, Serialize};

/// How the decisions of one customer are made at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// By the strategy, or in a control group.
    pub assignment: Assignment,
    /// The arms of the experiments.
    pub experiments: Vec<Enrolled>,
    /// What is to be kept because it is the first decision in a period or an experiment.
    pub(crate) first_time: Vec<Write>,
}

/// Since when somebody is in which group or arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Enrolment {
    pub about: About,
    pub since_ms: i64,
}

/// What somebody is compared in, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum About {
    Control { group: Assignment },
    Experiment { id: String, arm: String },
}

/// A key, and the enrolment under it.
type Known = (Vec<u8>, Option<Enrolment>);

impl Engine {
    /// The control group of a customer in the period that contains `at`.
    pub fn assignment(&self, strategy: &Strategy, customer: CustomerId, at: Timestamp) -> Assignment {
        let control = &strategy.organisation.control;
        let share = self.draw(&[b"control", &period(control, at).to_be_bytes()], customer);
        let groups = [
            (control.silence_share, Assignment::Silence),
            (control.random_share, Assignment::RandomRelevant),
            (control.today_share, Assignment::Today),
        ];
        let mut below = 0.0;
        let drawn = groups.into_iter().find(|(share_of_group, _)| {
            below += share_of_group;
            share < below
        });
        drawn.map_or(Assignment::Strategy, |(_, group)| group)
    }

    /// How the decisions of a customer are made at `at`.
    pub(crate) fn place(
        &self,
        strategy: &Strategy,
        customer: CustomerId,
        at: Timestamp,
    ) -> Result<Place, EngineError> {
        let control = &strategy.organisation.control;
        let assignment = self.assignment(strategy, customer, at);
        let mut place = Place { assignment, ..Place::default() };
        let enters =
            |experiment: &(u16, &Experiment)| assignment == Assignment::Strategy && runs(experiment.1, at);
        let experiments: Vec<(u16, &Experiment)> =
            (0u16..).zip(&strategy.experiments).filter(enters).collect();
        let period_key = is_measured(control)
            .then(|| enrolment_key(customer, &[b"control", &period(control, at).to_be_bytes()]));
        let keys = experiments.iter().map(|(_, experiment)| {
            enrolment_key(customer, &[b"experiment", experiment.id.as_str().as_bytes()])
        });
        let mut known = self.enrolments(keys.chain(period_key).collect())?;
        if let Some((key, None)) = known.split_off(experiments.len()).pop() {
            let about = About::Control { group: assignment };
            place.first_time.push(enrolling(customer, key, about, at));
        }
        for ((index, experiment), (key, known)) in experiments.into_iter().zip(known) {
            self.enrol((index, experiment), (key, known), customer, at, &mut place);
        }
        Ok(place)
    }

    /// Adds the arm of one experiment: the one that is known from before, else the one that is drawn.
    fn enrol(
        &self,
        (index, experiment): (u16, &Experiment),
        (key, known): (Vec<u8>, Option<Enrolment>),
        customer: CustomerId,
        at: Timestamp,
        place: &mut Place,
    ) {
        let id = experiment.id.as_str();
        let kept = known.as_ref().and_then(|known| match &known.about {
            About::Experiment { arm, .. } => {
                experiment.arms.iter().position(|found| found.id.as_str() == arm)
            }
            About::Control { .. } => None,
        });
        let drawn = || arm(&experiment.arms, self.draw(&[b"experiment", id.as_bytes()], customer));
        let Some(arm) = kept.or_else(drawn) else {
            return;
        };
        if known.is_none() {
            let about = About::Experiment { id: id.to_owned(), arm: experiment.arms[arm].id.to_string() };
            place.first_time.push(enrolling(customer, key, about, at));
        }
        let arm = u16::try_from(arm).expect("an experiment has few arms");
        place.experiments.push(Enrolled { experiment: index, arm });
    }

    /// The enrolments under these keys, read together.
    fn enrolments(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Known>, EngineError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let reads: Vec<Read> = keys.iter().map(|key| Read::new(Table::Enrolment, key.clone())).collect();
        let rows = self.store.get(&reads)?;
        let read = |bytes| codec::decode("enrolment", bytes);
        let known = rows.iter().map(|row| row.value().map(read).transpose());
        keys.into_iter().zip(known).map(|(key, known)| Ok((key, known?))).collect()
    }

    /// Uniform in [0, 1], from the store's secret, what it is about and the customer.
    fn draw(&self, about: &[&[u8]], customer: CustomerId) -> f64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for part in about {
            hasher.update(part);
        }
        hasher.update(&customer.0.to_be_bytes());
        let bytes: [u8; 8] = hasher.finalize().as_bytes()[..8].try_into().expect("8 of 32 bytes");
        u64::from_be_bytes(bytes) as f64 / u64::MAX as f64
    }
}

/// Whether there is a control group to compare with.
pub(crate) fn is_measured(control: &Control) -> bool {
    control.silence_share + control.random_share + control.today_share > 0.0
}

fn period(control: &Control, at: Timestamp) -> i64 {
    at.as_second().div_euclid(control.period.as_secs().max(1))
}

fn runs(experiment: &Experiment, at: Timestamp) -> bool {
    experiment.from <= at && experiment.until.is_none_or(|until| at < until)
}

/// The arm that a draw falls in; `None` is outside of the experiment.
fn arm(arms: &[Arm], share: f64) -> Option<usize> {
    let mut below = 0.0;
    arms.iter().position(|arm| {
        below += arm.share;
        share < below
    })
}

fn enrolment_key(customer: CustomerId, about: &[&[u8]]) -> Vec<u8> {
    key::customer_row(customer, &blake3::hash(&about.concat()).as_bytes()[..16])
}

fn enrolling(customer: CustomerId, key: Vec<u8>, about: About, at: Timestamp) -> Write {
    let row = Enrolment { about, since_ms: at.as_millisecond() };
    Write::put(Table::Enrolment, key, codec::encode(&row))
        .owned_by(customer)
        .until(at.as_millisecond() + HISTORY_MS)
}

//! How are this customer's decisions made: by the strategy, in a control group, in which arms of which
//! experiments? Drawn by keyed hashes, so that it is stable, and independent from one comparison to the next.
//!
//! Control groups are drawn anew every period. An arm stays what it was at the customer's first decision in
//! the experiment, also when its share is changed. Who is in a control group enters no experiment. A person of
//! several customers is where the one is that entered first, and counts once.

use crate::{
    Engine, EngineError, codec,
    customer::HISTORY_MS,
    person::Person,
    storage::{Read, Row, Table, Write, key},
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

/// What is compared, and the enrolment of the part of the person that entered first.
type Known = (Suffix, Option<(CustomerId, Enrolment)>);
/// What is compared, as it ends the key of an enrolment.
type Suffix = [u8; 16];

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
        person: &Person,
        at: Timestamp,
    ) -> Result<Place, EngineError> {
        let control = &strategy.organisation.control;
        let period = suffix(&[b"control", &period(control, at).to_be_bytes()]);
        let drawn_for = match person.parts.len() {
            1 => None,
            _ => self.enrolled_first(person, &period)?,
        };
        let assignment = self.assignment(strategy, drawn_for.unwrap_or_else(|| person.head()), at);
        let mut place = Place { assignment, ..Place::default() };
        let enters =
            |experiment: &(u16, &Experiment)| assignment == Assignment::Strategy && runs(experiment.1, at);
        let experiments: Vec<(u16, &Experiment)> =
            (0u16..).zip(&strategy.experiments).filter(enters).collect();
        let compared =
            experiments.iter().map(|(_, found)| suffix(&[b"experiment", found.id.as_str().as_bytes()]));
        let compared = compared.chain(is_measured(control).then_some(period)).collect();
        let mut known = self.enrolments(person, compared)?;
        if let Some((suffix, None)) = known.split_off(experiments.len()).pop() {
            let about = About::Control { group: assignment };
            place.first_time.push(enrolling(person.head(), &suffix, about, at));
        }
        for ((index, experiment), known) in experiments.into_iter().zip(known) {
            self.enrol((index, experiment), known, person.head(), at, &mut place);
        }
        Ok(place)
    }

    /// Adds the arm of one experiment: the one that is known from before, else the one that is drawn.
    fn enrol(
        &self,
        (index, experiment): (u16, &Experiment),
        (suffix, known): Known,
        customer: CustomerId,
        at: Timestamp,
        place: &mut Place,
    ) {
        let id = experiment.id.as_str();
        let kept = known.as_ref().and_then(|(_, known)| match &known.about {
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
            place.first_time.push(enrolling(customer, &suffix, about, at));
        }
        let arm = u16::try_from(arm).expect("an experiment has few arms");
        place.experiments.push(Enrolled { experiment: index, arm });
    }

    /// The part of a person that first entered what is compared; `None` when none did.
    pub(crate) fn enrolled_first(
        &self,
        person: &Person,
        suffix: &[u8],
    ) -> Result<Option<CustomerId>, EngineError> {
        let suffix = suffix.try_into().map_err(|_| EngineError::Damaged { what: "enrolment" })?;
        let known = self.enrolments(person, vec![suffix])?.pop().and_then(|(_, known)| known);
        Ok(known.map(|(customer, _)| customer))
    }

    /// What the person was first in of all that is compared, read together.
    fn enrolments(&self, person: &Person, compared: Vec<Suffix>) -> Result<Vec<Known>, EngineError> {
        if compared.is_empty() {
            return Ok(Vec::new());
        }
        let of_person = |suffix: &Suffix| {
            let read = |id| Read::new(Table::Enrolment, key::customer_row(id, suffix));
            person.ids().map(read).collect::<Vec<_>>()
        };
        let rows = self.store.get(&compared.iter().flat_map(of_person).collect::<Vec<_>>())?;
        let first = |rows: &[Row]| -> Result<Option<(CustomerId, Enrolment)>, EngineError> {
            let mut known = Vec::new();
            for (id, row) in person.ids().zip(rows) {
                if let Some(bytes) = row.value() {
                    known.push((id, codec::decode::<Enrolment>("enrolment", bytes)?));
                }
            }
            Ok(known.into_iter().min_by_key(|(_, enrolment)| enrolment.since_ms))
        };
        let known = rows.chunks(person.parts.len()).map(first);
        compared.into_iter().zip(known).map(|(suffix, known)| Ok((suffix, known?))).collect()
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

fn suffix(about: &[&[u8]]) -> Suffix {
    blake3::hash(&about.concat()).as_bytes()[..16].try_into().expect("16 of 32 bytes")
}

fn enrolling(customer: CustomerId, suffix: &Suffix, about: About, at: Timestamp) -> Write {
    let row = Enrolment { about, since_ms: at.as_millisecond() };
    Write::put(Table::Enrolment, key::customer_row(customer, suffix), codec::encode(&row))
        .owned_by(customer)
        .until(at.as_millisecond() + HISTORY_MS)
}

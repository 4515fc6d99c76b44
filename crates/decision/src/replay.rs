//! Was this decision really made like this? Decides again from the record's own trace and compares
//! the bytes.
//!
//! Replay needs the strategy of that moment and nothing else: no store, no model, no profile. Whether
//! a stored record was altered is told by its checksum ([`crate::record`]) and by the store's chain.

use crate::{
    Timestamp,
    decide::{self, Worked},
    experiment::Enrolled,
    inputs::{Adjustment, Assignment, Inputs},
    propensity,
    record::{Decision, fates},
    request::Request,
    strategy::{ActionIndex, Strategy, StrategyVersion, test_run::Priors},
    trace::Restored,
};
use learning::{Arm, Arms, Features, ModelVersion, Prediction, Predictor};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Decides again from the trace; `Ok` when every byte is the same.
pub fn replay(strategy: &Strategy, record: &Decision) -> Result<(), ReplayError> {
    let circumstances = Circumstances::of(strategy, record)?;
    compare(record, &circumstances.decide())
}

/// The same with the estimates made again by `predictor`, which must be the model of that moment.
pub fn replay_deep(
    strategy: &Strategy,
    record: &Decision,
    predictor: &dyn Predictor,
) -> Result<(), ReplayError> {
    let circumstances = Circumstances::of(strategy, record)?;
    if predictor.version() != record.model {
        return Err(ReplayError::OtherModel { recorded: record.model, given: predictor.version() });
    }
    let inputs = Inputs { predictor, recorded_worth: None, ..circumstances.inputs() };
    let again =
        decide::decide(strategy, &inputs, &circumstances.request, circumstances.at, circumstances.seed);
    compare(record, &again)
}

/// Why a decision could not be made again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The strategy at hand is not the one that decided.
    #[error("this was decided by strategy {recorded}, the strategy at hand is {given}")]
    OtherStrategy {
        /// That decided.
        recorded: StrategyVersion,
        /// At hand.
        given: StrategyVersion,
    },
    /// The model at hand is not the one that estimated.
    #[error("this was estimated by model {recorded}, the model at hand is {given}")]
    OtherModel {
        /// That estimated.
        recorded: ModelVersion,
        /// At hand.
        given: ModelVersion,
    },
    /// Deciding again gives something else.
    #[error("deciding again gives another {0}")]
    Differs(Part),
}

/// A part of the record, in the order in which a decision comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its key, which follows from moment and seed.
    Key,
    /// What was read.
    Trace,
    /// What the model expected.
    Estimates,
    /// What became of the candidates.
    Fates,
    /// What fills the slots.
    Slots,
    /// What had to be done.
    Effects,
    /// Anything else.
    Rest,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Key => "key",
            Self::Trace => "read trace",
            Self::Estimates => "set of estimates",
            Self::Fates => "fate for a candidate",
            Self::Slots => "filling of the slots",
            Self::Effects => "set of effects",
            Self::Rest => "record",
        })
    }
}

pub(crate) fn compare(record: &Decision, again: &Decision) -> Result<(), ReplayError> {
    if record.encode() == again.encode() {
        return Ok(());
    }
    let estimates = |decision: &Decision| bytes(&crate::estimate::Bare(&decision.trace.predictions));
    let without_estimates = |decision: &Decision| {
        let mut trace = decision.trace.clone();
        trace.predictions.clear();
        bytes(&trace)
    };
    let parts = [
        (Part::Key, record.id == again.id),
        (Part::Trace, without_estimates(record) == without_estimates(again)),
        (Part::Estimates, estimates(record) == estimates(again)),
        (Part::Fates, bytes(&fates::Bare(&record.fates)) == bytes(&fates::Bare(&again.fates))),
        (Part::Slots, bytes(&record.slots) == bytes(&again.slots)),
        (Part::Effects, bytes(&record.effects) == bytes(&again.effects)),
    ];
    let differing = parts.iter().find(|(_, same)| !same).map_or(Part::Rest, |(part, _)| *part);
    Err(ReplayError::Differs(differing))
}

fn bytes(part: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(part).expect("a part of a record holds nothing that cannot be written")
}

/// Everything a recorded decision went by, brought back; change it to see what would have happened.
#[derive(Clone)]
pub struct Circumstances<'s> {
    strategy: &'s Strategy,
    /// Customer, household and volumes, as far as they were read.
    pub restored: Restored,
    /// The question.
    pub request: Request,
    /// The arms of experiments.
    pub experiments: Vec<Enrolled>,
    /// Control group.
    pub assignment: Assignment,
    /// What the answers to questions were worth.
    worth: Vec<(ActionIndex, f32)>,
    /// Factors changed by hand.
    pub adjustments: Vec<Adjustment>,
    /// The moment.
    pub at: Timestamp,
    seed: u64,
    estimates: Arc<Recorded>,
}

impl<'s> Circumstances<'s> {
    /// Brings them back; refuses another strategy than the one that decided.
    pub fn of(strategy: &'s Strategy, record: &Decision) -> Result<Self, ReplayError> {
        if strategy.version != record.strategy {
            return Err(ReplayError::OtherStrategy { recorded: record.strategy, given: strategy.version });
        }
        Ok(Self {
            strategy,
            restored: record.trace.restore(strategy, record.customer, &record.request),
            request: record.request.clone(),
            experiments: record.experiments.clone(),
            assignment: record.trace.assignment,
            worth: record.trace.worth.clone(),
            adjustments: Vec::new(),
            at: record.at,
            seed: record.seed,
            estimates: Arc::new(Recorded::new(strategy, record)),
        })
    }
    /// The strategy.
    pub fn strategy(&self) -> &'s Strategy {
        self.strategy
    }
    /// As inputs of a decision.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            customer: self.restored.customer.as_ref(),
            household: self.restored.household.as_ref(),
            quotas: &self.restored.quotas,
            predictor: &*self.estimates,
            assignment: self.assignment,
            experiments: &self.experiments,
            recorded_worth: Some(&self.worth),
            adjustments: &self.adjustments,
        }
    }
    /// Decides under these circumstances.
    pub fn decide(&self) -> Decision {
        self.work_out().decision
    }
    /// Decides under these circumstances and keeps the working.
    pub fn work_out(&self) -> Worked<'_> {
        decide::work_out(self.strategy, &self.inputs(), &self.request, self.at, self.seed)
    }
}

/// Gives the recorded estimates back; for what was never estimated, the strategy's priors.
struct Recorded {
    version: ModelVersion,
    by_action: BTreeMap<Arc<str>, Vec<Prediction>>,
    outcomes: Vec<Arc<str>>,
    priors: Priors,
}

impl Recorded {
    fn new(strategy: &Strategy, record: &Decision) -> Self {
        let outcomes = propensity::outcomes(strategy);
        let by_action = record
            .estimated_actions()
            .into_iter()
            .zip(record.trace.predictions.chunks(outcomes.len()))
            .filter_map(|(action, predictions)| {
                let action = strategy.actions.get(usize::from(action))?;
                Some((action.id.shared(), predictions.to_vec()))
            })
            .collect();
        Self { version: record.model, by_action, outcomes, priors: Priors::of(strategy) }
    }

    fn of(&self, arm: Arm<'_>) -> Option<Prediction> {
        let outcome = self.outcomes.iter().position(|outcome| &**outcome == arm.outcome)?;
        self.by_action.get(arm.action)?.get(outcome).copied()
    }
}

impl Predictor for Recorded {
    fn predict(&self, features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        let priors = self.priors.predict(features, arms);
        arms.iter().zip(priors).map(|(arm, prior)| self.of(arm).unwrap_or(prior)).collect()
    }
    fn deviations(&self, _features: &Features, arms: Arms<'_>) -> Vec<f32> {
        arms.iter().map(|arm| self.of(arm).map_or(0.0, |found| found.deviation)).collect()
    }
    fn version(&self) -> ModelVersion {
        self.version
    }
}

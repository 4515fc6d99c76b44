//! In which experiments is this customer, and what is different for them?
//!
//! An arm takes something out of the catalogue, or puts another lever or weight in the place of the
//! declared one; it adds nothing and lifts no veto. Who is in which arm is an input: the engine draws it.

use crate::{
    candidate::Candidate,
    strategy::{ActionIndex, Arm, Strategy},
};
use serde::{Deserialize, Serialize};

/// One customer's place in one experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// Position of the experiment in the strategy.
    pub experiment: u16,
    /// Position of the arm in the experiment.
    pub arm: u16,
}

/// What is different in the arms that a customer is in.
#[derive(Debug, Default)]
pub struct Overlay<'s>(Vec<(u16, &'s Arm)>);

impl<'s> Overlay<'s> {
    /// The arms of one customer; a place that the strategy does not have changes nothing.
    pub fn of(strategy: &'s Strategy, enrolled: &[Enrolled]) -> Self {
        let arm = |place: &Enrolled| {
            let experiment = strategy.experiments.get(usize::from(place.experiment))?;
            Some((place.experiment, experiment.arms.get(usize::from(place.arm))?))
        };
        Self(enrolled.iter().filter_map(arm).collect())
    }

    /// The experiment that takes out the action, or all its forms at this placement.
    pub fn leaves_out(&self, strategy: &Strategy, candidate: &Candidate) -> Option<u16> {
        let action = candidate.action;
        let whole = self.0.iter().find(|(_, arm)| arm.without.contains(&action));
        whole.map(|(experiment, _)| *experiment).or_else(|| {
            let forms = strategy.forms.at(candidate.placement, action);
            let all_out = forms.iter().all(|form| self.leaves_out_form(action, form.treatment));
            let of_form = |form: (ActionIndex, u16)| {
                self.0.iter().find(move |(_, arm)| arm.without_forms.contains(&form))
            };
            let first = forms.first().filter(|_| all_out)?;
            of_form((action, first.treatment)).map(|(experiment, _)| *experiment)
        })
    }

    /// Whether one form of an action is taken out.
    pub fn leaves_out_form(&self, action: ActionIndex, treatment: u16) -> bool {
        self.0.iter().any(|(_, arm)| arm.without_forms.contains(&(action, treatment)))
    }

    /// The lever of an issue, group or action in these arms; `None` leaves the declared one.
    pub fn lever(&self, scope: &str) -> Option<f64> {
        self.0.iter().find_map(|(_, arm)| arm.levers.get(scope).copied())
    }

    /// The weight of a weighing principle in these arms; `None` leaves the declared one.
    pub fn weight(&self, principle: u16) -> Option<f64> {
        self.0.iter().find_map(|(_, arm)| arm.weights.get(&principle).copied())
    }
}

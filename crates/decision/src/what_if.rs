//! What would another strategy have made of a moment that was decided about before?
//!
//! A record holds what its decision read. What another strategy wants to read besides is unknown, as it would
//! have been had nobody known it; [`Gaps`] says what that was. Probabilities are worked out along the course
//! that events took: each slot given that the slots before it said what they said.
//!
//! Deliberately absent: what came of it and what that was worth.

use crate::{
    candidate::Candidate,
    catalogue,
    decide::{Worked, purposes_in_play, work_out_along},
    id::{ActionId, AttributeName, PurposeId},
    inputs::{Assignment, Inputs},
    propensity,
    record::{Decision, Slot},
    replay::{Circumstances, ReplayError},
    request::Request,
    selection::Said,
    strategy::{PurposeIndex, Strategy, test_run::Priors},
};
use learning::{Arm, Arms, Features, ModelVersion, Prediction, Predictor};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One recorded moment, ready to be put to other strategies.
pub struct Past<'r> {
    record: &'r Decision,
    decided_by: &'r Strategy,
    circumstances: Circumstances<'r>,
    model: Option<&'r dyn Predictor>,
    recorded: BTreeMap<(Arc<str>, Arc<str>), Prediction>,
    /// Read then, but withheld from every view: as good as unknown.
    withheld: BTreeSet<AttributeName>,
}

/// What a strategy would have read or asked for and a record does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Attributes that were not read then, or withheld.
    pub attributes: BTreeSet<AttributeName>,
    /// Purposes about which the customer's statements were not read; without a statement nobody consented.
    pub purposes: BTreeSet<PurposeId>,
    /// Actions estimated by the model of that moment, not by the record.
    pub by_model: BTreeSet<ActionId>,
    /// Actions of which only the declared prior is known.
    pub by_prior: BTreeSet<ActionId>,
}

/// Whoever answers for the estimates of a past moment.
struct Pieced<'r> {
    past: &'r Past<'r>,
    priors: Priors,
}

impl<'r> Past<'r> {
    /// A record with the strategy that decided, and the model of that moment when it is still kept.
    pub fn of(
        decided_by: &'r Strategy,
        record: &'r Decision,
        model: Option<&'r dyn Predictor>,
    ) -> Result<Self, ReplayError> {
        let mut circumstances = Circumstances::of(decided_by, record)?;
        let hidden = record.trace.attributes.iter().filter(|traced| traced.value.is_none());
        let withheld: BTreeSet<AttributeName> = hidden
            .filter_map(|traced| decided_by.attributes.get(usize::from(traced.attribute)))
            .map(|attribute| attribute.name.clone())
            .collect();
        let restored = &mut circumstances.restored;
        let known = restored.customer.as_mut().map(|customer| &mut customer.profile.attributes);
        for attributes in known.into_iter().chain(restored.household.as_mut()) {
            attributes.retain(|name, _| !withheld.contains(name));
        }
        let recorded = recorded(decided_by, record);
        Ok(Self { record, decided_by, circumstances, model, recorded, withheld })
    }

    /// The record.
    pub fn record(&self) -> &'r Decision {
        self.record
    }

    /// Works out what `strategy` would have done at this moment, along the course that events took, and hands
    /// the working to `with`.
    pub fn under<T>(
        &self,
        strategy: &Strategy,
        assignment: Assignment,
        with: impl FnOnce(&Worked<'_>) -> T,
    ) -> T {
        self.worked(strategy, assignment, &self.course(strategy), with)
    }

    /// The same, along the course that events would have taken under `strategy`.
    pub fn freely_under<T>(
        &self,
        strategy: &Strategy,
        assignment: Assignment,
        with: impl FnOnce(&Worked<'_>) -> T,
    ) -> T {
        self.worked(strategy, assignment, &[], with)
    }

    fn worked<T>(
        &self,
        strategy: &Strategy,
        assignment: Assignment,
        course: &[Option<Said>],
        with: impl FnOnce(&Worked<'_>) -> T,
    ) -> T {
        let circumstances = &self.circumstances;
        let mut quotas = circumstances.restored.quotas.clone();
        for action in &strategy.actions {
            if let Some(volume) = action.volume {
                quotas.entry(action.id.clone()).or_insert(volume);
            }
        }
        let pieced = Pieced { past: self, priors: Priors::of(strategy) };
        let then = circumstances.inputs();
        let same = strategy.version == self.decided_by.version;
        let experiments = if same { then.experiments } else { &[] };
        let recorded_worth = then.recorded_worth.filter(|_| same);
        let inputs =
            Inputs { quotas: &quotas, predictor: &pieced, assignment, experiments, recorded_worth, ..then };
        let (request, at, seed) = (&circumstances.request, circumstances.at, self.record.seed);
        with(&work_out_along(strategy, &inputs, request, at, seed, course))
    }

    /// What was said, slot by slot, in the order in which `strategy` fills them.
    fn course(&self, strategy: &Strategy) -> Vec<Option<Said>> {
        let mut course = Vec::new();
        for placement in &strategy.placements {
            let asked = self.circumstances.request.placements.iter();
            let count: u16 =
                asked.filter(|asked| asked.placement == placement.id).map(|asked| asked.slots).sum();
            let mut then = self.slots_at(placement.id.as_str());
            course.extend((0..count).map(|_| then.next().and_then(|slot| self.said(slot, strategy))));
        }
        course
    }

    fn slots_at(&self, placement: &str) -> impl Iterator<Item = &'r Slot> {
        let index = self.decided_by.placements.iter().position(|declared| declared.id.as_str() == placement);
        let here = move |slot: &&Slot| index == Some(usize::from(slot.placement));
        self.record.slots.iter().filter(here)
    }

    fn said(&self, slot: &Slot, strategy: &Strategy) -> Option<Said> {
        match slot.pick {
            None => Some(Said::Nothing),
            Some(pick) => {
                let action = self.record.fates.get(usize::from(pick))?.action;
                let action = self.decided_by.actions.get(usize::from(action))?;
                strategy.action_index(action.id.as_str()).map(Said::Action)
            }
        }
    }

    /// What `strategy` would have read or asked for and the record does not hold.
    pub fn gaps(&self, strategy: &Strategy, worked: &Worked<'_>) -> Gaps {
        let mut gaps = Gaps::default();
        let (was, is) = (in_play(self.decided_by, self.request()), in_play(strategy, self.request()));
        if self.record.customer.is_some() {
            for attribute in &strategy.attributes {
                let then = self.decided_by.attribute_index(attribute.name.as_str());
                let then = then.map(|index| &self.decided_by.attributes[usize::from(index)]);
                let read = then.is_some_and(|then| concerned(self.decided_by, &then.purposes, &was));
                let unread = !read || self.withheld.contains(&attribute.name);
                if unread && concerned(strategy, &attribute.purposes, &is) {
                    gaps.attributes.insert(attribute.name.clone());
                }
            }
            for (purpose, _) in strategy.purposes.iter().zip(&is).filter(|(_, in_play)| **in_play) {
                let then = self.decided_by.purpose_index(purpose.id.as_str());
                if !then.is_some_and(|index| was[usize::from(index)]) {
                    gaps.purposes.insert(purpose.id.clone());
                }
            }
        }
        for action in worked.decision.estimated_actions() {
            let action = &strategy.actions[usize::from(action)].id;
            if !self.recorded.contains_key(&(action.shared(), propensity::GOAL.into())) {
                let by = if self.model.is_some() { &mut gaps.by_model } else { &mut gaps.by_prior };
                by.insert(action.clone());
            }
        }
        gaps
    }

    fn request(&self) -> &Request {
        &self.circumstances.request
    }
}

/// What the record says that was expected, by action and outcome.
fn recorded(strategy: &Strategy, record: &Decision) -> BTreeMap<(Arc<str>, Arc<str>), Prediction> {
    let outcomes = propensity::outcomes(strategy);
    let actions = record.estimated_actions();
    let chunks = record.trace.predictions.chunks(outcomes.len());
    let named = actions.iter().filter_map(|action| strategy.actions.get(usize::from(*action)));
    named
        .zip(chunks)
        .flat_map(|(action, chunk)| {
            let outcomes = outcomes.iter().zip(chunk);
            outcomes.map(|(outcome, found)| ((action.id.shared(), outcome.clone()), *found))
        })
        .collect()
}

fn in_play(strategy: &Strategy, request: &Request) -> Vec<bool> {
    let candidates: Vec<Candidate> = catalogue::candidates(strategy, request);
    purposes_in_play(strategy, &candidates)
}

fn concerned(strategy: &Strategy, purposes: &[PurposeIndex], in_play: &[bool]) -> bool {
    purposes
        .iter()
        .any(|purpose| in_play[usize::from(*purpose)] || strategy.purposes[usize::from(*purpose)].protective)
}

impl Pieced<'_> {
    fn recorded(&self, arm: Arm<'_>) -> Option<Prediction> {
        self.past.recorded.get(&(arm.action.into(), arm.outcome.into())).copied()
    }
}

impl Predictor for Pieced<'_> {
    fn predict(&self, features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        let recorded: Vec<Option<Prediction>> = arms.iter().map(|arm| self.recorded(arm)).collect();
        if recorded.iter().all(Option::is_some) {
            return recorded.into_iter().flatten().collect();
        }
        let others = match self.past.model {
            Some(model) => model.predict(features, arms),
            None => self.priors.predict(features, arms),
        };
        recorded.into_iter().zip(others).map(|(recorded, other)| recorded.unwrap_or(other)).collect()
    }

    fn deviations(&self, features: &Features, arms: Arms<'_>) -> Vec<f32> {
        let recorded: Vec<f32> =
            arms.iter().map(|arm| self.recorded(arm).map_or(0.0, |found| found.deviation)).collect();
        let unknown = recorded.contains(&0.0);
        let Some(model) = self.past.model.filter(|_| unknown) else {
            return recorded;
        };
        let asked = model.deviations(features, arms);
        recorded.iter().zip(asked).map(|(known, asked)| if *known > 0.0 { *known } else { asked }).collect()
    }

    fn version(&self) -> ModelVersion {
        self.past.record.model
    }
}

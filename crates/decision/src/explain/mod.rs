//! Why this and not that? One structured [`Explanation`] per decision, made by deciding again from the
//! record, and three readings of it: for the customer, for an employee, and everything for an auditor.
//!
//! Deliberately absent: anything that was not read when deciding. What an explanation cannot know from
//! the record and the strategy of that moment, it does not say.

mod customer;
mod employee;
mod fact;
mod reason;
pub mod smallest;
mod texts;
mod waterfall;

pub use customer::CustomerReading;
pub use employee::{CandidateLine, EmployeeReading};
pub use fact::{UsedFact, WithheldFact};
pub use reason::{Name, Reason};
pub use smallest::{Aim, Change, FactChange, Obstacle, Smallest};
pub use texts::Tongue;
pub use waterfall::Waterfall;

use crate::{
    Timestamp,
    candidate::{Candidate, Fate, PassedOver, Step},
    consent::Withheld,
    decide::Worked,
    experiment::Enrolled,
    inputs::Assignment,
    record::{Decision, SilenceReason, Slot},
    replay::{self, Circumstances, ReplayError},
    request::Direction,
    strategy::{Basis, Class, Strategy, Texts},
};
use jiff::tz::TimeZone;
use serde::Serialize;

/// Why a decision came out as it did: self-contained, names in every language of the organisation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Key of the decision.
    pub decision: String,
    /// When, in the organisation's zone, RFC 3339 to the minute.
    pub at: String,
    /// The organisation.
    pub organisation: String,
    /// Key of the customer; `None` when nobody was recognised.
    pub customer: Option<String>,
    /// Over which channel.
    pub channel: Name,
    /// Who started.
    pub direction: Direction,
    /// It was a preview only.
    pub dry_run: bool,
    /// Which strategy decided.
    pub strategy: String,
    /// Which model estimated.
    pub model: String,
    /// Control group.
    pub assignment: Assignment,
    /// The experiments that the customer was in.
    pub experiments: Vec<ExperimentArm>,
    /// The customer counted as vulnerable: nothing was tried out, and more had to be in it for them.
    pub vulnerable: bool,
    /// What filled the slots.
    pub slots: Vec<SlotExplanation>,
    /// How many candidates each step removed.
    pub funnel: Vec<FunnelStep>,
    /// Every candidate.
    pub candidates: Vec<CandidateExplanation>,
    /// What is known but was not used, and why.
    pub withheld: Vec<WithheldFact>,
    #[serde(skip)]
    zone: TimeZone,
}

/// A customer's place in one experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExperimentArm {
    /// Which experiment.
    pub experiment: Name,
    /// Which arm.
    pub arm: String,
}

/// One slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotExplanation {
    /// Number of the slot in the decision, from 0.
    pub number: u16,
    /// Where.
    pub placement: Name,
    /// What is said; `None` is silence.
    pub chosen: Option<Chosen>,
    /// Why nothing is said.
    pub silence: Option<SilenceReason>,
    /// Not drawn: a service or mandatory message, or an open contact shown again.
    pub fixed: bool,
    /// An open contact was shown again.
    pub again: bool,
    /// What was chosen has a legal effect: nothing is said or done before a human decides.
    pub awaits_human: bool,
    /// Chance chose something else than the best, to keep learning.
    pub by_chance: bool,
    /// The best of the others; `None` means silence was the best alternative.
    pub runner_up: Option<Name>,
    /// Priority of what happens minus that of its best alternative, in euro; negative when by chance.
    pub margin: Option<f64>,
    /// What could have been picked, with its probability and priority, best first.
    pub contenders: Vec<Contending>,
    /// Probability of silence.
    pub silence_probability: f32,
}

/// What is said in a slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chosen {
    /// Position in [`Explanation::candidates`].
    pub candidate: u16,
    /// Which action.
    pub action: Name,
    /// In which form.
    pub treatment: Option<String>,
    /// Whose interest it serves and how.
    pub intent: Texts,
    /// For which purpose data was used.
    pub purpose: Name,
    /// On which lawful basis.
    pub basis: Basis,
    /// Attributes that its rules, its texts or the model could read.
    pub facts: Vec<UsedFact>,
}

/// One arm of a slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contending {
    /// Which action.
    pub action: Name,
    /// Probability of being picked.
    pub probability: f32,
    /// Priority in euro.
    pub priority: f64,
}

/// One step of the funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FunnelStep {
    /// Which step.
    pub step: Step,
    /// Candidates it removed.
    pub dropped: usize,
    /// Candidates left after it.
    pub left: usize,
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateExplanation {
    /// Which action.
    pub action: Name,
    /// Where.
    pub placement: Name,
    /// How it is treated.
    pub class: Class,
    /// What became of it.
    pub outcome: Outcome,
    /// Its arithmetic; `None` when it was dropped before.
    pub waterfall: Option<Waterfall>,
    /// The least that would have changed its fate.
    pub smallest: Smallest,
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub enum Outcome {
    /// It is said.
    Chosen {
        /// In which slot.
        slot: u16,
    },
    /// Nothing forbade it, something else was chosen.
    PassedOver {
        /// Why.
        why: PassedOver,
    },
    /// A step removed it.
    Dropped {
        /// Which step.
        step: Step,
        /// Why.
        reason: Reason,
    },
}

/// Explains a decision; fails when it cannot be made again from its record.
pub fn explain(strategy: &Strategy, record: &Decision) -> Result<Explanation, ReplayError> {
    let circumstances = Circumstances::of(strategy, record)?;
    let worked = circumstances.work_out();
    replay::compare(record, &worked.decision)?;
    Ok(Explanation::new(&circumstances, &worked))
}

impl Explanation {
    /// Explains what was worked out under `circumstances`.
    pub fn new(circumstances: &Circumstances<'_>, worked: &Worked<'_>) -> Self {
        let strategy = circumstances.strategy();
        let decision = &worked.decision;
        let channel = strategy.channel(decision.request.channel.as_str());
        Self {
            decision: decision.id.to_string(),
            at: moment(strategy, decision.at),
            organisation: strategy.organisation.name.clone(),
            customer: decision.customer.map(|customer| customer.to_string()),
            channel: Name::new(
                decision.request.channel.as_str(),
                channel.map_or_else(Texts::new, |channel| channel.name.clone()),
            ),
            direction: decision.request.direction,
            dry_run: decision.request.dry_run,
            strategy: decision.strategy.to_string(),
            model: decision.model.to_string(),
            assignment: circumstances.assignment,
            experiments: circumstances
                .experiments
                .iter()
                .filter_map(|place| experiment_arm(strategy, place))
                .collect(),
            vulnerable: worked.vulnerable,
            slots: decision.slots.iter().map(|slot| slot_explanation(circumstances, worked, slot)).collect(),
            funnel: funnel(decision),
            candidates: (0u16..)
                .zip(&worked.candidates)
                .zip(searched(&worked.candidates))
                .map(|((index, candidate), searched)| {
                    let smallest = match searched {
                        true => smallest::smallest(circumstances, worked, index),
                        false => Smallest::none(Obstacle::TooMany),
                    };
                    candidate_explanation(circumstances, worked, index, candidate, smallest)
                })
                .collect(),
            withheld: fact::withheld(strategy, worked),
            zone: strategy.organisation.time_zone.clone(),
        }
    }

    /// Everything, for machines and auditors.
    pub fn auditor(&self) -> &Self {
        self
    }
}

fn experiment_arm(strategy: &Strategy, place: &Enrolled) -> Option<ExperimentArm> {
    let experiment = strategy.experiments.get(usize::from(place.experiment))?;
    let arm = experiment.arms.get(usize::from(place.arm))?;
    Some(ExperimentArm { experiment: Name::experiment(strategy, place.experiment), arm: arm.id.to_string() })
}

/// A moment as people in the organisation write it: its own zone, to the minute, with the offset.
pub fn moment(strategy: &Strategy, at: Timestamp) -> String {
    moment_in(&strategy.organisation.time_zone, at)
}

fn moment_in(zone: &TimeZone, at: Timestamp) -> String {
    let zoned = at.to_zoned(zone.clone());
    zoned.strftime("%Y-%m-%dT%H:%M%:z").to_string()
}

/// Most candidates decided about again for the smallest changes of one explanation.
const CANDIDATES_AGAIN_MAX: usize = 300_000;
/// How often all are decided about again for the smallest change of one of them, at most.
const TIMES_AGAIN: usize = 3;

const STEPS: [Step; 9] = [
    Step::Consent,
    Step::Catalogue,
    Step::Eligibility,
    Step::Applicability,
    Step::Suitability,
    Step::Principle,
    Step::ContactPolicy,
    Step::Arbitration,
    Step::Integrity,
];

fn funnel(decision: &Decision) -> Vec<FunnelStep> {
    let dropped_at = |step: Step| {
        let here = |fate: &Fate| matches!(fate, Fate::Dropped(why) if why.step() == step);
        decision.fates.iter().filter(|candidate| here(&candidate.fate)).count()
    };
    let mut left = decision.fates.len();
    let mut after = |step: Step| {
        let dropped = dropped_at(step);
        left -= dropped;
        FunnelStep { step, dropped, left }
    };
    STEPS.iter().map(|step| after(*step)).collect()
}

fn slot_explanation(circumstances: &Circumstances<'_>, worked: &Worked<'_>, slot: &Slot) -> SlotExplanation {
    let strategy = circumstances.strategy();
    let candidate = |index: u16| &worked.candidates[usize::from(index)];
    let has_legal_effect = |index: u16| strategy.actions[usize::from(candidate(index).action)].legal_effect;
    let priority = |index: u16| candidate(index).priority.map_or(0.0, |priority| priority.total);
    let others =
        slot.contenders.iter().map(|contender| contender.candidate).filter(|index| Some(*index) != slot.pick);
    let runner_up = others.reduce(|best, next| if priority(next) > priority(best) { next } else { best });
    let best_other = runner_up.map(priority);
    let margin = match slot.pick {
        _ if slot.fixed => None,
        Some(pick) => Some(priority(pick) - best_other.map_or(0.0, |other| other.max(0.0))),
        None => best_other.map(|other| -other),
    };
    SlotExplanation {
        number: slot.number,
        placement: Name::placement(strategy, slot.placement),
        chosen: slot.pick.map(|pick| chosen(circumstances, worked, slot, pick)),
        silence: slot.silence_reason,
        fixed: slot.fixed,
        again: slot.reuses.is_some(),
        awaits_human: slot.reuses.is_none() && slot.pick.is_some_and(has_legal_effect),
        by_chance: slot.pick != slot.preferred,
        runner_up: runner_up
            .filter(|other| slot.pick.is_none() || priority(*other) > 0.0)
            .map(|other| Name::action(strategy, candidate(other).action)),
        margin,
        contenders: slot
            .contenders
            .iter()
            .map(|contender| Contending {
                action: Name::action(strategy, candidate(contender.candidate).action),
                probability: contender.probability,
                priority: priority(contender.candidate),
            })
            .collect(),
        silence_probability: slot.silence,
    }
}

fn chosen(circumstances: &Circumstances<'_>, worked: &Worked<'_>, slot: &Slot, pick: u16) -> Chosen {
    let strategy = circumstances.strategy();
    let index = worked.candidates[usize::from(pick)].action;
    let action = &strategy.actions[usize::from(index)];
    let treatment = slot.treatment.and_then(|treatment| action.treatments.get(usize::from(treatment)));
    Chosen {
        candidate: pick,
        action: Name::action(strategy, index),
        treatment: treatment.map(|treatment| treatment.id.to_string()),
        intent: action.intent.clone(),
        purpose: Name::purpose(strategy, action.purpose),
        basis: strategy.purposes[usize::from(action.purpose)].basis,
        facts: fact::used(circumstances, worked, index, slot.treatment),
    }
}

/// For which candidates the smallest change is looked for: those that came nearest to being said. Each
/// is decided about again with all the others, so the work grows with the square of their number.
fn searched(candidates: &[Candidate]) -> Vec<bool> {
    let most = CANDIDATES_AGAIN_MAX / (candidates.len().max(1) * TIMES_AGAIN);
    let mut nearest: Vec<usize> = (0..candidates.len()).collect();
    nearest.sort_by(|one, other| {
        let priority =
            |index: usize| candidates[index].priority.map_or(f64::NEG_INFINITY, |found| found.total);
        let step = |index: usize| candidates[index].dropped.map(|why| std::cmp::Reverse(why.step()));
        step(*one).cmp(&step(*other)).then_with(|| priority(*other).total_cmp(&priority(*one)))
    });
    let mut searched = vec![false; candidates.len()];
    nearest.into_iter().take(most).for_each(|index| searched[index] = true);
    searched
}

fn candidate_explanation(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    index: u16,
    candidate: &Candidate,
    smallest: Smallest,
) -> CandidateExplanation {
    let strategy = circumstances.strategy();
    let outcome = match worked.decision.fates[usize::from(index)].fate {
        Fate::Chosen { slot, .. } => Outcome::Chosen { slot },
        Fate::PassedOver { why, .. } => Outcome::PassedOver { why },
        Fate::Dropped(why) => {
            Outcome::Dropped { step: why.step(), reason: Reason::new(circumstances, worked, candidate, why) }
        }
    };
    CandidateExplanation {
        action: Name::action(strategy, candidate.action),
        placement: Name::placement(strategy, candidate.placement),
        class: strategy.actions[usize::from(candidate.action)].class,
        outcome,
        waterfall: candidate.priority.as_ref().map(|priority| Waterfall::new(candidate, priority)),
        smallest,
    }
}

/// Whether the customer themself stands in the way, by what they said or did not say.
fn is_own_choice(why: Withheld) -> bool {
    matches!(
        why,
        Withheld::NoConsent
            | Withheld::Refused
            | Withheld::Withdrawn
            | Withheld::ConsentExpired
            | Withheld::Objected
            | Withheld::Restricted
            | Withheld::TopicObjected
            | Withheld::AttributeObjected
    )
}

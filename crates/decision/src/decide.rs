//! One decision, from start to end: one line per step.
//!
//! Read [`work_out`] and the steps it weighs by, and you know the product. Every candidate (an action at a placement) has exactly
//! one fate: dropped at a step with a reason, passed over, or chosen. Silence is a decision too.

use crate::{
    Timestamp, arbitration,
    candidate::{Candidate, CandidateFate, Dropped, Fate, PassedOver},
    catalogue,
    consent::{self, Known, Permitted},
    contact_policy::{self, Budget, Situation},
    experiment::Overlay,
    id::{DecisionId, Language},
    inputs::{Assignment, Inputs},
    integrity, principles,
    profile::{ContactHistory, Customer},
    propensity::{self, Estimates},
    questions,
    reading::{Moment, Reading},
    record::{Decision, Effect, Slot, fates},
    request::Request,
    rules::{Facts, Layer, Refusal},
    selection::{self, Manner, Said},
    strategy::{GoalTarget, PurposeIndex, Strategy},
    trace::{self, Trace},
};
use learning::{Prediction, exploration::keyed_uniform};
use std::collections::BTreeSet;

/// At most so many withheld actions of a slot are watched.
const WATCHED_MAX: usize = 16;
/// Sets the draw of what is watched apart from the draw of what is said.
const WATCHED_DRAW: u64 = 1 << 32;

/// Decides. Pure: the same arguments give the same bytes.
///
/// `seed` keys all draws; give every decision its own. `at` is cut to whole milliseconds.
pub fn decide(
    strategy: &Strategy,
    inputs: &Inputs<'_>,
    request: &Request,
    at: Timestamp,
    seed: u64,
) -> Decision {
    work_out(strategy, inputs, request, at, seed).decision
}

/// A decision with the working behind it, for explanations and tests.
pub struct Worked<'a> {
    /// The record.
    pub decision: Decision,
    /// Candidates with their arithmetic, in the order of the decision's fates.
    pub candidates: Vec<Candidate>,
    /// What was permitted and what withheld.
    pub permitted: Permitted<'a>,
    /// Whether the customer counts as vulnerable.
    pub vulnerable: bool,
}

/// Decides and keeps the working.
pub fn work_out<'a>(
    strategy: &'a Strategy,
    inputs: &Inputs<'a>,
    request: &Request,
    at: Timestamp,
    seed: u64,
) -> Worked<'a> {
    work_out_along(strategy, inputs, request, at, seed, &[])
}

/// Works out what the strategy would do along a course of events: each slot's probabilities, given that the
/// slots before it said what is laid down (see [`Manner::course`]).
pub fn work_out_along<'a>(
    strategy: &'a Strategy,
    inputs: &Inputs<'a>,
    request: &Request,
    at: Timestamp,
    seed: u64,
    course: &[Option<Said>],
) -> Worked<'a> {
    let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    let nothing_yet = ContactHistory::default();
    let history = inputs.customer.map_or(&nothing_yet, |customer| &customer.history);
    let mut candidates = catalogue::candidates(strategy, request);
    let asked = Asked {
        strategy,
        inputs,
        request,
        at,
        history,
        moment: Moment::new(strategy, request, history, at),
        overlay: Overlay::of(strategy, inputs.experiments),
        in_play: purposes_in_play(strategy, &candidates),
        spoken: spoken(strategy, request),
    };
    let known = Known { customer: inputs.customer, household: inputs.household };
    let permitted = consent::mask(strategy, known, request, &asked.in_play, at);

    let Weighed { budget, estimates, vulnerable } = asked.weigh(&permitted, inputs.customer, &mut candidates);
    let worth = questions::weigh(&asked, &mut candidates);
    let manner = Manner { assignment: inputs.assignment, vulnerable, seed, course };
    let slots = selection::select(&asked.situation(&permitted), &mut candidates, budget, &estimates, manner);
    let effects = effects(strategy, &candidates, &slots, request, manner, at);

    let decision = Decision {
        id: decision_id(at, seed),
        strategy: strategy.version,
        model: inputs.predictor.version(),
        at,
        seed,
        customer: inputs.customer.map(|customer| customer.id),
        request: request.clone(),
        trace: Trace {
            predictions: predictions(&candidates),
            worth,
            ..trace::capture(strategy, inputs, request, &permitted, &asked.in_play, at)
        },
        fates: fates(&candidates, &slots),
        slots,
        effects,
        experiments: inputs.experiments.to_vec(),
    };
    Worked { decision, candidates, permitted, vulnerable }
}

/// Everything about the moment that stays the same whatever is known of the customer.
pub(crate) struct Asked<'a> {
    pub strategy: &'a Strategy,
    pub inputs: &'a Inputs<'a>,
    pub request: &'a Request,
    pub at: Timestamp,
    pub history: &'a ContactHistory,
    pub moment: Moment<'a>,
    pub overlay: Overlay<'a>,
    /// The purposes whose views are built.
    pub in_play: Vec<bool>,
    /// Position of the language of the texts.
    pub spoken: usize,
}

/// What weighing the candidates leaves for the slots.
pub(crate) struct Weighed<'a> {
    budget: Budget,
    estimates: Estimates<'a>,
    vulnerable: bool,
}

impl<'a> Asked<'a> {
    /// Takes the candidates from what may be read of this customer to a priority in euro, or to the reason why not.
    pub fn weigh(
        &self,
        permitted: &Permitted<'_>,
        customer: Option<&Customer>,
        candidates: &mut [Candidate],
    ) -> Weighed<'a> {
        let Asked { strategy, inputs, request, at, ref moment, spoken, .. } = *self;
        let situation = self.situation(permitted);
        let protection = Reading { view: &permitted.protection, moment };

        consent::apply(strategy, candidates, permitted, customer, request, at);
        catalogue::publishable(&situation, candidates, inputs.quotas, spoken);
        allow(strategy, candidates, permitted, moment, inputs.assignment);
        principles::apply(strategy, candidates, &protection);
        let budget = contact_policy::apply(&situation, candidates);
        questions::apply(self, permitted, candidates);
        let estimates = propensity::estimate(strategy, candidates, permitted, inputs, request, at);
        arbitration::rank(&situation, candidates, moment, spoken, inputs);
        let vulnerable = integrity::vulnerable(strategy, &protection, situation.recognised);
        integrity::apply(strategy, candidates, inputs.assignment, vulnerable);
        Weighed { budget, estimates, vulnerable }
    }

    fn situation<'s>(&'s self, permitted: &'s Permitted<'_>) -> Situation<'s> {
        Situation {
            strategy: self.strategy,
            request: self.request,
            history: self.history,
            recognised: self.inputs.customer.is_some(),
            permitted,
            overlay: &self.overlay,
            at: self.at,
        }
    }
}

/// The language of the texts: the one asked for when the organisation has it, else its first.
pub fn language<'s>(strategy: &'s Strategy, request: &Request) -> &'s Language {
    &strategy.organisation.languages[spoken(strategy, request)]
}

/// Its position among those of the organisation.
pub(crate) fn spoken(strategy: &Strategy, request: &Request) -> usize {
    let mut languages = strategy.organisation.languages.iter();
    languages.position(|language| Some(language) == request.language.as_ref()).unwrap_or(0)
}

pub(crate) fn purposes_in_play(strategy: &Strategy, candidates: &[Candidate]) -> Vec<bool> {
    let mut in_play = vec![false; strategy.purposes.len()];
    let mut mark = |purpose: PurposeIndex| in_play[usize::from(purpose)] = true;
    for candidate in candidates {
        let action = &strategy.actions[usize::from(candidate.action)];
        mark(action.purpose);
        if let GoalTarget::Consent(purpose) = action.goal.target {
            mark(purpose);
        }
    }
    strategy.permissions.iter().for_each(|permission| mark(permission.needs));
    in_play
}

/// Allow rules: eligibility, applicability, suitability.
fn allow(
    strategy: &Strategy,
    candidates: &mut [Candidate],
    permitted: &Permitted<'_>,
    moment: &Moment<'_>,
    assignment: Assignment,
) {
    let counts =
        |refusal: &Refusal| assignment != Assignment::EligibilityOnly || refusal.layer == Layer::Eligibility;
    let readings: Vec<Reading<'_>> = (0u16..)
        .zip(&strategy.purposes)
        .map(|(purpose, _)| Reading { view: permitted.view_or_empty(purpose), moment })
        .collect();
    let evaluation = strategy.rule_book.evaluate(&|purpose| &readings[usize::from(purpose)] as &dyn Facts);
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        if let Some(refusal) = evaluation.refusal(candidate.action).filter(counts) {
            candidate.drop_because(refusal.into());
        }
    }
}

/// Estimates of every action that got so far, once: at all placements they are the same, but for how
/// sure they are, which is asked only where the action contends.
fn predictions(candidates: &[Candidate]) -> Vec<Prediction> {
    let estimated: Vec<&Candidate> =
        candidates.iter().filter(|candidate| !candidate.predictions.is_empty()).collect();
    let doubt = |candidate: &Candidate| candidate.predictions[0].deviation;
    let fullest = |of_action: &[&Candidate]| {
        let fullest = of_action.iter().max_by(|a, b| doubt(a).total_cmp(&doubt(b)));
        fullest.map(|candidate| candidate.predictions.clone()).unwrap_or_default()
    };
    estimated.chunk_by(|a, b| a.action == b.action).flat_map(fullest).collect()
}

fn fates(candidates: &[Candidate], slots: &[Slot]) -> Vec<CandidateFate> {
    let fate = |index: u16, candidate: &Candidate| {
        let priority = fates::rounded(candidate.priority.map_or(0.0, |priority| priority.total));
        let slot = slots.iter().find(|slot| slot.pick == Some(index));
        match (candidate.dropped, slot) {
            (Some(why), _) => Fate::Dropped(why),
            (None, Some(slot)) => Fate::Chosen { slot: slot.number, priority },
            (None, None) => {
                let why = candidate.passed_over.unwrap_or(PassedOver::Outranked);
                Fate::PassedOver { why, priority }
            }
        }
    };
    (0u16..)
        .zip(candidates)
        .map(|(index, candidate)| CandidateFate {
            action: candidate.action,
            placement: candidate.placement,
            fate: fate(index, candidate),
        })
        .collect()
}

/// What the shell must do. A dry run leaves no trace; a reused contact is reserved already; the silence about an action is
/// watched once, in however many slots it was not said.
fn effects(
    strategy: &Strategy,
    candidates: &[Candidate],
    slots: &[Slot],
    request: &Request,
    manner: Manner<'_>,
    at: Timestamp,
) -> Vec<Effect> {
    let Some(channel) = strategy.channel(request.channel.as_str()).filter(|_| !request.dry_run) else {
        return Vec::new();
    };
    let until = at.saturating_add(channel.reservation).unwrap_or(Timestamp::MAX);
    let mut effects = Vec::new();
    let mut watched = BTreeSet::new();
    for slot in slots.iter().filter(|slot| slot.reuses.is_none()) {
        if let Some(pick) = slot.pick {
            let action = candidates[usize::from(pick)].action;
            if strategy.actions[usize::from(action)].legal_effect {
                effects.push(Effect::AskHuman { slot: slot.number });
                continue;
            }
            effects.push(Effect::Reserve { slot: slot.number, until });
            if strategy.actions[usize::from(action)].volume.is_some() {
                effects.push(Effect::UseVolume { action });
            }
        } else {
            for candidate in withheld(candidates, slot, manner) {
                if watched.insert(candidates[usize::from(candidate)].action) {
                    effects.push(Effect::ObserveSilence { slot: slot.number, candidate });
                }
            }
        }
    }
    effects
}

/// Whom a silent slot tells about: the candidate that came nearest, when silence was worth more; any
/// that the rules left, drawn by chance when there are many, when the customer is in a silent control group. If
/// estimates chose what is watched there too, an action whose goal is wrongly expected to be reached anyway
/// would not be watched again, and nothing would correct that.
fn withheld(candidates: &[Candidate], slot: &Slot, manner: Manner<'_>) -> Vec<u16> {
    let by_control = manner.assignment == Assignment::Silence;
    let concerned = |candidate: &Candidate| match candidate.dropped {
        None => candidate.passed_over == Some(PassedOver::SilenceWorthMore),
        Some(Dropped::ControlGroup | Dropped::BelowFloor { .. }) => by_control,
        Some(_) => false,
    };
    let mut concerned: Vec<(u16, f64)> = (0u16..)
        .zip(candidates)
        .filter(|(_, candidate)| candidate.placement == slot.placement && concerned(candidate))
        .filter_map(|(index, candidate)| Some((index, candidate.priority?.total)))
        .collect();
    if by_control {
        let drawn = |index: u16| keyed_uniform(manner.seed, WATCHED_DRAW ^ u64::from(index));
        concerned.sort_by(|(one, _), (other, _)| drawn(*one).total_cmp(&drawn(*other)));
        concerned.truncate(WATCHED_MAX);
        return concerned.into_iter().map(|(index, _)| index).collect();
    }
    let nearest = concerned.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
    nearest.map(|(index, _)| index).into_iter().collect()
}

/// Time-ordered and unguessable: 48 bits of milliseconds, then 80 bits of the hashed seed.
fn decision_id(at: Timestamp, seed: u64) -> DecisionId {
    let hash = blake3::hash(&seed.to_le_bytes());
    let mut tail = [0; 16];
    tail[6..].copy_from_slice(&hash.as_bytes()[..10]);
    let moment = u128::from(at.as_millisecond().max(0).cast_unsigned() & 0xFFFF_FFFF_FFFF) << 80;
    DecisionId(moment | u128::from_be_bytes(tail))
}

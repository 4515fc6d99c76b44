//! What could be said here: actions with a treatment for a requested placement.
//!
//! Actions that have no form at any requested placement are no candidates; an action that is not
//! published now, or out of volume, is a candidate that was dropped, so that people can see it.

use crate::{
    Timestamp,
    candidate::{Candidate, Dropped},
    contact_policy::Situation,
    id::{ActionId, Language},
    request::Request,
    strategy::{Action, ActionIndex, AttributeIndex, Content, Form, Strategy},
};
use std::collections::BTreeMap;

/// All candidates, by action, then by the strategy's placement order.
pub fn candidates(strategy: &Strategy, request: &Request) -> Vec<Candidate> {
    let wanted: Vec<u16> = (0u16..)
        .zip(&strategy.placements)
        .filter(|(_, placement)| request.placements.iter().any(|asked| asked.placement == placement.id))
        .map(|(index, _)| index)
        .collect();
    let mut candidates = Vec::new();
    for (action, _) in (0u16..).zip(&strategy.actions) {
        for &placement in &wanted {
            if !strategy.forms.at(placement, action).is_empty() {
                candidates.push(Candidate::new(action, placement));
            }
        }
    }
    candidates
}

/// Drops what is not published now, out of volume, left out by an experiment, or whose texts need something unknown.
pub fn publishable(
    situation: &Situation<'_>,
    candidates: &mut [Candidate],
    quotas: &BTreeMap<ActionId, u64>,
    language: usize,
) {
    let Situation { strategy, overlay, at, .. } = *situation;
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let action = &strategy.actions[usize::from(candidate.action)];
        let begun = action.valid_from.is_none_or(|from| from <= at);
        let ended = action.valid_until.is_some_and(|until| until <= at);
        if !begun || ended || !claims_hold(strategy, candidate, at) {
            candidate.drop_because(Dropped::NotPublishedNow);
        } else if action.volume.is_some() && quotas.get(&action.id) == Some(&0) {
            candidate.drop_because(Dropped::VolumeUsedUp);
        } else if let Some(experiment) = overlay.leaves_out(strategy, candidate) {
            candidate.drop_because(Dropped::LeftOut { experiment });
        } else if sayable(situation, candidate, language).next().is_none() {
            candidate.drop_because(Dropped::TextUnknown);
        }
    }
}

/// Whether there is a form here that says nothing that is no longer true.
fn claims_hold(strategy: &Strategy, candidate: &Candidate, at: Timestamp) -> bool {
    let forms = strategy.forms.at(candidate.placement, candidate.action);
    forms.iter().any(|form| claim_holds(strategy, candidate.action, form.treatment, at))
}

fn claim_holds(strategy: &Strategy, action: ActionIndex, treatment: u16, at: Timestamp) -> bool {
    let treatment = strategy.actions[usize::from(action)].treatments.get(usize::from(treatment));
    treatment.and_then(|treatment| treatment.claim.as_ref()).is_none_or(|claim| claim.until > at)
}

/// The treatments that have a text in this language, a position among those of the organisation, of
/// which everything is known and that no experiment leaves out, in the order of the file.
pub fn sayable(
    situation: &Situation<'_>,
    candidate: &Candidate,
    language: usize,
) -> impl Iterator<Item = u16> {
    let Situation { strategy, permitted, overlay, at, .. } = *situation;
    let action = candidate.action;
    let purpose = strategy.actions[usize::from(candidate.action)].purpose;
    let known = move |attribute: &AttributeIndex| {
        permitted.view(purpose).is_ok_and(|view| view.fact(*attribute).is_some())
    };
    let forms = strategy.forms.at(candidate.placement, candidate.action).iter();
    let said = move |form: &&Form| form.names(language).is_some_and(|names| names.iter().all(known));
    let treatments = forms.filter(said).map(|form| form.treatment);
    treatments.filter(move |treatment| {
        !overlay.leaves_out_form(action, *treatment) && claim_holds(strategy, action, *treatment, at)
    })
}

/// The content of a treatment in a language.
pub fn content<'s>(action: &'s Action, treatment: u16, language: &Language) -> Option<&'s Content> {
    action.treatments.get(usize::from(treatment))?.content.get(language)
}

//! What could be said here: actions with a treatment for a requested placement.
//!
//! Actions that have no form at any requested placement are no candidates; an action that is not
//! published now, or out of volume, is a candidate that was dropped, so that people can see it.

use crate::{
    Timestamp,
    candidate::{Candidate, Dropped},
    consent::Permitted,
    id::{ActionId, Language},
    request::Request,
    strategy::{Action, Content, PurposeIndex, Strategy, TemplatePart},
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
    for (action_index, action) in (0u16..).zip(&strategy.actions) {
        for &placement in &wanted {
            let here = &strategy.placements[usize::from(placement)].id;
            let treatments: Vec<u16> = (0u16..)
                .zip(&action.treatments)
                .filter(|(_, treatment)| treatment.placement == *here)
                .map(|(index, _)| index)
                .collect();
            if !treatments.is_empty() {
                candidates.push(Candidate {
                    action: action_index,
                    placement,
                    treatments,
                    dropped: None,
                    predictions: Vec::new(),
                    priority: None,
                    reuses: None,
                    passed_over: None,
                });
            }
        }
    }
    candidates
}

/// Drops what is not published now, out of volume, or whose texts need something unknown.
pub fn publishable(
    strategy: &Strategy,
    candidates: &mut [Candidate],
    permitted: &Permitted<'_>,
    quotas: &BTreeMap<ActionId, u64>,
    language: &Language,
    at: Timestamp,
) {
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let action = &strategy.actions[usize::from(candidate.action)];
        let begun = action.valid_from.is_none_or(|from| from <= at);
        let ended = action.valid_until.is_some_and(|until| until <= at);
        if !begun || ended {
            candidate.drop_because(Dropped::NotPublishedNow);
        } else if quotas.get(&action.id) == Some(&0) {
            candidate.drop_because(Dropped::VolumeUsedUp);
        } else {
            candidate.treatments.retain(|&treatment| {
                content(action, treatment, language)
                    .is_some_and(|content| sayable(content, action.purpose, permitted))
            });
            if candidate.treatments.is_empty() {
                candidate.drop_because(Dropped::TextUnknown);
            }
        }
    }
}

/// The content of a treatment in a language.
pub fn content<'s>(action: &'s Action, treatment: u16, language: &Language) -> Option<&'s Content> {
    action.treatments.get(usize::from(treatment))?.content.get(language)
}

fn sayable(content: &Content, purpose: PurposeIndex, permitted: &Permitted<'_>) -> bool {
    let parts = content.title.0.iter().chain(&content.body.0);
    parts.into_iter().all(|part| match part {
        TemplatePart::Text(_) => true,
        TemplatePart::Attribute(index) => {
            permitted.view(purpose).is_ok_and(|view| view.fact(*index).is_some())
        }
    })
}

//! What does the channel get to say? The texts of the picks, filled with permitted values only.

use decision::{
    catalogue,
    decide::{Worked, language},
    id::{ActionId, DecisionId, PlacementId, TreatmentId},
    record::{SilenceReason, Slot},
    request::Request,
    strategy::{Strategy, Template, TemplatePart},
    value::Value,
};
use serde::Serialize;

/// The answer to one ask.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The decision.
    pub decision: DecisionId,
    /// What fills the slots, in the strategy's placement order.
    pub slots: Vec<Said>,
}

/// One slot: something said, or silence with its reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Said {
    /// Where.
    pub placement: PlacementId,
    /// Number of the slot in the decision.
    pub slot: u16,
    /// What; `None` is silence.
    pub action: Option<ActionId>,
    /// In which form.
    pub treatment: Option<TreatmentId>,
    /// Heading.
    pub title: Option<String>,
    /// Body.
    pub body: Option<String>,
    /// Probability with which this, or silence, was picked.
    pub probability: f32,
    /// What was picked has a legal effect: nothing is said or done until a human approves it.
    pub awaits_human: bool,
    /// The earlier decision whose contact is shown again.
    pub reuses: Option<DecisionId>,
    /// Why nothing is said.
    #[serde(skip)]
    pub silence_reason: Option<SilenceReason>,
}

impl Answer {
    /// The answer that a decision gives.
    pub(crate) fn of(strategy: &Strategy, request: &Request, worked: &Worked<'_>) -> Self {
        let slots = worked.decision.slots.iter().map(|slot| said(strategy, request, worked, slot)).collect();
        Self { decision: worked.decision.id, slots }
    }
}

fn said(strategy: &Strategy, request: &Request, worked: &Worked<'_>, slot: &Slot) -> Said {
    let silent = Said {
        placement: strategy.placements[usize::from(slot.placement)].id.clone(),
        slot: slot.number,
        action: None,
        treatment: None,
        title: None,
        body: None,
        awaits_human: false,
        probability: slot.silence,
        reuses: slot.reuses.map(|reuse| reuse.decision),
        silence_reason: slot.silence_reason,
    };
    let Some((pick, treatment)) = slot.pick.zip(slot.treatment) else {
        return silent;
    };
    let action = &strategy.actions[usize::from(worked.candidates[usize::from(pick)].action)];
    if action.legal_effect {
        return Said { awaits_human: true, ..silent };
    }
    let content = catalogue::content(action, treatment, language(strategy, request));
    let view = worked.permitted.view_or_empty(action.purpose);
    let value = |index| view.fact(index).map(|fact| fact.value.clone());
    let contender = slot.contenders.iter().find(|contender| contender.candidate == pick);
    Said {
        action: Some(action.id.clone()),
        treatment: action.treatments.get(usize::from(treatment)).map(|treatment| treatment.id.clone()),
        title: content.and_then(|content| fill(&content.title, &value)),
        body: content.and_then(|content| fill(&content.body, &value)),
        probability: contender.map_or(0.0, |contender| contender.probability),
        ..silent
    }
}

fn fill(template: &Template, value: &dyn Fn(u16) -> Option<Value>) -> Option<String> {
    let parts = template.0.iter().map(|part| match part {
        TemplatePart::Text(text) => Some(text.clone()),
        TemplatePart::Attribute(index) => value(*index).map(|value| value.to_string()),
    });
    parts.collect()
}

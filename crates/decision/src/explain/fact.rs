//! Which facts about the customer could play a part in what is said, and which were withheld?

use super::Name;
use crate::{
    consent::Withheld,
    decide::Worked,
    profile::Source,
    replay::Circumstances,
    strategy::{ActionIndex, Attribute, AttributeIndex, Sensitivity, Strategy, Subject, TemplatePart},
};
use serde::Serialize;
use std::collections::BTreeSet;

/// An attribute that was permitted and could be read for what is said; never its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsedFact {
    /// Which.
    pub attribute: Name,
    /// Where this value came from.
    pub source: Source,
    /// The customer gave it themself, or can see where it comes from: only these are named to them.
    pub theirs: bool,
    /// How sure we were, 0 to 1.
    pub confidence: f32,
    /// A rule of the action reads it.
    pub in_rules: bool,
    /// The text names it.
    pub in_text: bool,
    /// The model could use it to estimate.
    pub in_estimate: bool,
}

/// An attribute that exists but was not used for a purpose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WithheldFact {
    /// Which.
    pub attribute: Name,
    /// For which purpose.
    pub purpose: Name,
    /// Why.
    pub why: Withheld,
}

/// A household's facts may come from somebody else in it; distress and special facts are named back
/// only when the customer told them.
fn theirs(attribute: &Attribute, source: Source) -> bool {
    let own = attribute.subject == Subject::Customer;
    let ordinary = attribute.sensitivity == Sensitivity::Ordinary;
    own && match source {
        Source::Provided => true,
        Source::Observed => ordinary,
        Source::Derived | Source::ThirdParty => false,
    }
}

/// Where the value of an attribute came from, when there is one.
pub(super) fn source(circumstances: &Circumstances<'_>, attribute: AttributeIndex) -> Option<Source> {
    let declared = &circumstances.strategy().attributes[usize::from(attribute)];
    let values = match declared.subject {
        Subject::Customer => &circumstances.restored.customer.as_ref()?.profile.attributes,
        Subject::Household => circumstances.restored.household.as_ref()?,
    };
    values.get(&declared.name).map(|value| value.source)
}

/// What could be read to say this action in this form.
pub(super) fn used(
    circumstances: &Circumstances<'_>,
    worked: &Worked<'_>,
    action_index: ActionIndex,
    treatment: Option<u16>,
) -> Vec<UsedFact> {
    let strategy = circumstances.strategy();
    let action = &strategy.actions[usize::from(action_index)];
    let mut read = strategy.rule_book.reads(action_index).attributes;
    read.extend(&action.value_for_customer.reads().attributes);
    read.extend(&action.value_for_organisation.reads().attributes);
    let said = in_texts(strategy, action_index, treatment);
    let estimated = worked.decision.estimates(action_index).is_some();
    let view = worked.permitted.view_or_empty(action.purpose);
    let concerned = view.iter().filter_map(|(index, fact)| {
        let attribute = &strategy.attributes[usize::from(index)];
        let source = source(circumstances, index)?;
        let used = UsedFact {
            attribute: Name::attribute(strategy, index),
            source,
            theirs: theirs(attribute, source),
            confidence: fact.confidence,
            in_rules: read.contains(&index),
            in_text: said.contains(&index),
            in_estimate: estimated && attribute.learn,
        };
        (used.in_rules || used.in_text || used.in_estimate).then_some(used)
    });
    concerned.collect()
}

fn in_texts(strategy: &Strategy, action: ActionIndex, treatment: Option<u16>) -> BTreeSet<AttributeIndex> {
    let treatments = &strategy.actions[usize::from(action)].treatments;
    let contents = treatment.and_then(|treatment| treatments.get(usize::from(treatment))).into_iter();
    let parts = contents
        .flat_map(|treatment| treatment.content.values())
        .flat_map(|content| content.title.0.iter().chain(&content.body.0));
    parts
        .filter_map(|part| match part {
            TemplatePart::Attribute(index) => Some(*index),
            TemplatePart::Text(_) => None,
        })
        .collect()
}

pub(super) fn withheld(strategy: &Strategy, worked: &Worked<'_>) -> Vec<WithheldFact> {
    let all = worked.permitted.withheld.iter();
    all.map(|withheld| WithheldFact {
        attribute: Name::attribute(strategy, withheld.attribute),
        purpose: Name::purpose(strategy, withheld.purpose),
        why: withheld.why,
    })
    .collect()
}

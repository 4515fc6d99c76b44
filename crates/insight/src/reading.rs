//! Who reads an attribute: which principles and actions, in rules, values and texts, and do models?

use decision::{
    rules::Rule,
    strategy::{Action, AttributeIndex, PrincipleKind, Strategy, Template, TemplatePart},
};
use std::collections::BTreeSet;

/// The principles and actions that read an attribute, in rules, values or texts.
pub fn readers(strategy: &Strategy, attribute: AttributeIndex) -> Vec<String> {
    let reads = |rule: &Rule| rule.reads().attributes.contains(&attribute);
    let principles = strategy.principles.iter().filter(|principle| match &principle.kind {
        PrincipleKind::Veto { when, .. } | PrincipleKind::Weigh { when, .. } => reads(when),
        PrincipleKind::Require { condition, .. } => reads(condition),
    });
    let in_text = |template: &Template| template.0.contains(&TemplatePart::Attribute(attribute));
    let in_texts = |action: &Action| {
        let mut contents = action.treatments.iter().flat_map(|treatment| treatment.content.values());
        contents.any(|content| in_text(&content.title) || in_text(&content.body))
    };
    let actions = (0_u16..).zip(&strategy.actions).filter(|(index, action)| {
        strategy.rule_book.reads(*index).attributes.contains(&attribute)
            || reads(&action.value_for_customer)
            || reads(&action.value_for_organisation)
            || in_texts(action)
    });
    let principles = principles.map(|principle| principle.id.to_string());
    principles.chain(actions.map(|(_, action)| action.id.to_string())).collect()
}

/// Attributes that a model may learn from for some action's purpose, or that a rule, value or text reads.
pub fn read_by_decisions(strategy: &Strategy) -> Vec<AttributeIndex> {
    let decided: BTreeSet<_> = strategy.actions.iter().map(|action| action.purpose).collect();
    let declared = (0_u16..).zip(&strategy.attributes);
    let read = declared.filter(|(index, attribute)| {
        let learned = attribute.learn && attribute.purposes.iter().any(|purpose| decided.contains(purpose));
        learned || !readers(strategy, *index).is_empty()
    });
    read.map(|(index, _)| index).collect()
}

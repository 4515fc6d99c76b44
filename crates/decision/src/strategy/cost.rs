//! Do all rules together fit in one decision? The worst one, in which every action is a candidate
//! wherever it has a treatment.
//!
//! What one rule takes is counted in [`crate::rules::cost`]; allow rules that several actions share are
//! asked once. Deliberately absent: time. Steps are the same on every machine.

use super::{
    lookup::applies,
    model::{Action, Organisation, Principle, PrincipleKind},
    problem::{Problem, Report},
    vocabulary::{Steps, Vocabulary},
};
use crate::rules::{Rule, RuleBook, cost::STRATEGY_STEPS_MAX};
use std::collections::BTreeSet;

/// Reports when the rules together may take too long, at the rule that takes most.
pub(super) fn report(
    vocabulary: &Vocabulary,
    organisation: &Organisation,
    actions: &[Action],
    principles: &[Principle],
    allow_rules: &RuleBook,
    report: &Report,
) {
    let allow = allow_rules.steps_max();
    let values: u64 = actions.iter().map(value_steps).sum();
    let weights: u64 = actions.iter().map(|action| weight_steps(action, principles)).sum();
    let once = once_steps(organisation, principles);
    let steps = allow + values + weights + once;
    if steps <= STRATEGY_STEPS_MAX {
        return;
    }
    let message = format!(
        "all rules together may take {steps} steps for one decision, at most {STRATEGY_STEPS_MAX} are allowed: \
         {allow} for allow rules, {values} for values, {weights} for weights, {once} for vetoes and requirements"
    );
    let rules = vocabulary.steps.borrow();
    match rules.iter().max_by_key(|rule| rule.steps) {
        Some(Steps { steps, file, span }) => report.add(Problem {
            file: file.clone(),
            span: Some(span.clone()),
            message,
            hint: Some(format!("this rule takes most, {steps} steps each time it is asked")),
        }),
        None => report.about_file("actions", message, None),
    }
}

/// Values are asked for every placement on which the action is a candidate.
fn value_steps(action: &Action) -> u64 {
    let steps = action.value_for_customer.steps_max() + action.value_for_organisation.steps_max();
    steps * placements(action)
}

/// Weights are asked for every candidate that they apply to.
fn weight_steps(action: &Action, principles: &[Principle]) -> u64 {
    let weighing = principles.iter().filter(|principle| applies(&principle.applies_to, &action.id));
    let steps = weighing.filter_map(|principle| match &principle.kind {
        PrincipleKind::Weigh { when, .. } => Some(when.steps_max()),
        PrincipleKind::Veto { .. } | PrincipleKind::Require { .. } => None,
    });
    steps.sum::<u64>() * placements(action)
}

/// Vetoes, requirements and who is vulnerable are asked once per decision.
fn once_steps(organisation: &Organisation, principles: &[Principle]) -> u64 {
    let of_principles = principles.iter().map(|principle| match &principle.kind {
        PrincipleKind::Veto { when: rule, .. } | PrincipleKind::Require { condition: rule, .. } => {
            rule.steps_max()
        }
        PrincipleKind::Weigh { .. } => 0,
    });
    of_principles.sum::<u64>() + organisation.vulnerable.as_ref().map_or(0, Rule::steps_max)
}

fn placements(action: &Action) -> u64 {
    let placements: BTreeSet<&str> =
        action.treatments.iter().map(|treatment| treatment.placement.as_str()).collect();
    placements.len() as u64
}

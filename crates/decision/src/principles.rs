//! Does the organisation want to say this at all? Organisation-wide vetoes and requirements, in order.
//!
//! Vetoes and requirements read the protection view: what protects a customer does not depend on
//! their marketing consent. Weighing principles do not drop; [`crate::arbitration`] asks for their weight.

use crate::{
    candidate::{Candidate, Dropped},
    reading::Reading,
    rules::Truth,
    strategy::{ActionIndex, PrincipleKind, Strategy, WhenUnknown},
};

/// Drops every candidate that a principle vetoes.
pub fn apply(strategy: &Strategy, candidates: &mut [Candidate], protection: &Reading<'_>) {
    let verdicts: Vec<Option<Dropped>> = (0u16..)
        .zip(&strategy.principles)
        .map(|(principle, found)| {
            let (vetoes, unknown) = match &found.kind {
                PrincipleKind::Veto { when, when_unknown } => verdict(when.truth(protection), *when_unknown),
                PrincipleKind::Require { condition, when_unknown } => {
                    verdict(negate(condition.truth(protection)), *when_unknown)
                }
                PrincipleKind::Weigh { .. } => (false, false),
            };
            vetoes.then_some(Dropped::Principle { principle, unknown })
        })
        .collect();
    for candidate in candidates.iter_mut().filter(|candidate| candidate.alive()) {
        let concerning = strategy.scopes.concerning(candidate.action).principles.iter();
        if let Some(why) = concerning.flat_map(|principle| verdicts[usize::from(*principle)]).next() {
            candidate.drop_because(why);
        }
    }
}

/// `1 + Σ weights` of the weighing principles that hold for this action; unknown adds nothing.
pub fn context_weight(strategy: &Strategy, action: ActionIndex, facts: &Reading<'_>) -> f64 {
    let weight = |kind: &PrincipleKind| match kind {
        PrincipleKind::Weigh { when, weight } if when.truth(facts) == Truth::True => *weight,
        _ => 0.0,
    };
    let concerning = strategy.scopes.concerning(action).principles.iter();
    let weights = concerning.map(|principle| weight(&strategy.principles[usize::from(*principle)].kind));
    1.0 + weights.sum::<f64>()
}

fn verdict(truth: Truth, when_unknown: WhenUnknown) -> (bool, bool) {
    match truth {
        Truth::True => (true, false),
        Truth::False => (false, false),
        Truth::Unknown => (when_unknown == WhenUnknown::Veto, true),
    }
}

fn negate(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::Unknown => Truth::Unknown,
        Truth::False => Truth::True,
    }
}

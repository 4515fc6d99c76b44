//! Does the organisation want to say this at all? Organisation-wide vetoes and requirements, in order.
//!
//! Vetoes and requirements read the protection view: what protects a customer does not depend on
//! their marketing consent. A history that is too long to be looked through protects like what it might
//! hold: it vetoes also where the unknown may pass. Weighing principles do not drop; [`crate::arbitration`] asks for their weight.

use crate::{
    candidate::{Candidate, Dropped},
    experiment::Overlay,
    reading::Reading,
    rules::{Rule, Truth},
    strategy::{ActionIndex, PrincipleKind, Strategy, WhenUnknown},
};

/// Drops every candidate that a principle vetoes.
pub fn apply(strategy: &Strategy, candidates: &mut [Candidate], protection: &Reading<'_>) {
    let verdicts: Vec<Option<Dropped>> = (0u16..)
        .zip(&strategy.principles)
        .map(|(principle, found)| {
            let (vetoes, unknown) = match &found.kind {
                PrincipleKind::Veto { when, when_unknown } => {
                    verdict(when, when.truth(protection), *when_unknown, protection)
                }
                PrincipleKind::Require { condition, when_unknown } => {
                    verdict(condition, negate(condition.truth(protection)), *when_unknown, protection)
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
pub fn context_weight(
    strategy: &Strategy,
    overlay: &Overlay<'_>,
    action: ActionIndex,
    facts: &Reading<'_>,
) -> f64 {
    let weight = |principle: u16| match &strategy.principles[usize::from(principle)].kind {
        PrincipleKind::Weigh { when, weight } if when.truth(facts) == Truth::True => {
            overlay.weight(principle).unwrap_or(*weight)
        }
        _ => 0.0,
    };
    let concerning = strategy.scopes.concerning(action).principles.iter();
    let weights = concerning.map(|principle| weight(*principle));
    1.0 + weights.sum::<f64>()
}

/// Whether there is a veto, and whether because something is not known. `pass` says what an absent fact
/// or an outcome that never was means, not what nobody could look up.
fn verdict(rule: &Rule, truth: Truth, when_unknown: WhenUnknown, facts: &Reading<'_>) -> (bool, bool) {
    match truth {
        Truth::True => (true, false),
        Truth::False => (false, false),
        Truth::Unknown => (when_unknown == WhenUnknown::Veto || rule.lacks_history(facts), true),
    }
}

fn negate(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::Unknown => Truth::Unknown,
        Truth::False => Truth::True,
    }
}

//! What is the least that would have to be different? Searches the changes of single references after
//! which conditions hold or do not hold: one change, then two, and so on; among equally many, the
//! smallest. History, the moment of the decision and confidences are left as they are.

use super::{
    Fact, Facts, Flip, Reference,
    check::{Domain, Domains},
    cost,
    expression::Expression,
    threshold::{self, Axis},
};
use crate::{
    Duration, Timestamp,
    strategy::{AttributeIndex, ContextIndex},
    value::{Value, ValueType},
};
use std::{cell::Cell, sync::Arc};

/// Most references changed together.
const FLIPS_MAX: usize = 8;
/// Most combinations tried.
const COMBINATIONS_MAX: usize = 4_000;
/// Most steps of all rules asked during one search.
const STEPS_MAX: u64 = 10_000_000;
/// A moment this much earlier or later is half as big a change as any.
const HALF_CHANGE_DAYS: f64 = 30.0;

/// The cheapest changes after which every goal has its wanted truth.
pub(super) fn cheapest<'a>(
    goals: impl IntoIterator<Item = (&'a Expression, bool)>,
    domains: &Domains,
    facts: &dyn Facts,
) -> Option<Vec<Flip>> {
    let mut parts = Vec::new();
    goals.into_iter().for_each(|(goal, wanted)| take_apart(goal, wanted, &mut parts));
    let steps_left = Cell::new(STEPS_MAX);
    let goals = parts.into_iter().map(|(goal, wanted)| Goal::new(goal, wanted)).collect();
    let mut search = Search { goals, domains, facts, tried: 0, steps_left, best: None };
    for count in 0..=FLIPS_MAX {
        search.extend(&mut Vec::new(), count);
        if search.best.is_some() || search.is_over() {
            break;
        }
    }
    search.best.map(|(_, changes)| changes)
}

/// Splits a goal into goals that have to be reached all.
fn take_apart<'a>(goal: &'a Expression, wanted: bool, parts: &mut Vec<(&'a Expression, bool)>) {
    match (goal, wanted) {
        (Expression::Not(inner), _) => take_apart(inner, !wanted, parts),
        (Expression::All(terms), true) | (Expression::Any(terms), false) => {
            terms.iter().for_each(|term| take_apart(term, wanted, parts));
        }
        _ => parts.push((goal, wanted)),
    }
}

/// A condition and the truth it should have.
struct Goal<'a> {
    condition: &'a Expression,
    wanted: bool,
    steps: u64,
}

impl<'a> Goal<'a> {
    fn new(condition: &'a Expression, wanted: bool) -> Self {
        Self { condition, wanted, steps: cost::steps_max(condition) }
    }
}

struct Search<'a> {
    goals: Vec<Goal<'a>>,
    domains: &'a Domains,
    facts: &'a dyn Facts,
    tried: usize,
    /// How much may still be asked; counted, not timed, so that the answer is the same everywhere.
    steps_left: Cell<u64>,
    best: Option<(f64, Vec<Flip>)>,
}

impl Search<'_> {
    /// Tries all ways to make `more` further changes. The first goal not yet reached needs at least
    /// one of them.
    fn extend(&mut self, changes: &mut Vec<Flip>, more: usize) {
        self.tried += 1;
        let changed = Changed { facts: self.facts, changes };
        let reached =
            |goal: &Goal<'_>| self.spend(goal.steps) && goal.condition.truth(&changed) == Some(goal.wanted);
        let Some(missed) = self.goals.iter().find(|goal| !reached(goal)) else {
            return self.offer(changes);
        };
        if more == 0 {
            return;
        }
        let goal = missed.condition;
        for reference in references(goal) {
            if changes.iter().any(|change| change.reference == reference) {
                continue;
            }
            for to in self.candidates(goal, reference, changes) {
                if self.is_over() {
                    return;
                }
                let from = reference.value(self.facts).cloned();
                changes.push(Flip { reference, from, to });
                self.extend(changes, more - 1);
                changes.pop();
            }
        }
    }

    fn is_over(&self) -> bool {
        self.tried >= COMBINATIONS_MAX || self.steps_left.get() == 0
    }

    /// Takes steps from what is left; false when there are not so many, and then nothing is left.
    fn spend(&self, steps: u64) -> bool {
        let left = self.steps_left.get().checked_sub(steps);
        self.steps_left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn offer(&mut self, changes: &[Flip]) {
        let cost: f64 = changes.iter().map(size).sum();
        if self.best.as_ref().is_none_or(|(least, _)| cost < *least) {
            self.best = Some((cost, changes.to_vec()));
        }
    }

    /// Other values of a reference at which a condition inside the goal could change.
    fn candidates(&self, goal: &Expression, reference: Reference, changes: &[Flip]) -> Vec<Value> {
        let Some(domain) = self.domains.get(&reference) else {
            return Vec::new();
        };
        let current = reference.value(self.facts);
        let mut candidates = match domain.value_type {
            ValueType::Bool => vec![Value::Bool(true), Value::Bool(false)],
            ValueType::Text => texts(goal, domain),
            ValueType::Number => self.thresholds(goal, reference, changes, Axis::Number),
            ValueType::Time => self.thresholds(goal, reference, changes, Axis::Time),
        };
        candidates.retain(|candidate| Some(candidate) != current);
        candidates
    }

    fn thresholds(
        &self,
        goal: &Expression,
        reference: Reference,
        changes: &[Flip],
        axis: Axis,
    ) -> Vec<Value> {
        let current = reference.value(self.facts).and_then(|value| axis.position(value));
        let start = current.unwrap_or_else(|| axis.origin(self.facts.now()));
        let mut landmarks = Vec::new();
        literals(goal, &mut |value| landmarks.extend(axis.position(value)));
        let mut found: Vec<Value> = match current {
            None => axis.value(start).into_iter().collect(),
            Some(_) => Vec::new(),
        };
        for condition in conditions(goal, reference) {
            let steps = cost::steps_max(condition);
            let with = |position: f64| -> Option<Vec<Flip>> {
                let to = axis.value(position)?;
                let flip = Flip { reference, from: None, to };
                Some(changes.iter().cloned().chain([flip]).collect())
            };
            let truth = |position: f64| {
                let changes = with(position).filter(|_| self.spend(steps))?;
                condition.truth(&Changed { facts: self.facts, changes: &changes })
            };
            let balance = |position: f64| {
                let changes = with(position).filter(|_| self.spend(steps))?;
                let Expression::Compare(_, sides) = condition else {
                    return None;
                };
                let changed = Changed { facts: self.facts, changes: &changes };
                Some(sides[0].number(&changed)? - sides[1].number(&changed)?)
            };
            let positions = threshold::crossings(axis, start, &landmarks, &truth, &balance);
            found.extend(positions.into_iter().filter_map(|position| axis.value(position)));
        }
        found
    }
}

/// Facts with some changes.
struct Changed<'a> {
    facts: &'a dyn Facts,
    changes: &'a [Flip],
}

impl Changed<'_> {
    fn change(&self, reference: Reference) -> Option<&Value> {
        let change = self.changes.iter().find(|change| change.reference == reference);
        change.map(|change| &change.to)
    }
}

impl Facts for Changed<'_> {
    fn attribute(&self, index: AttributeIndex) -> Option<Fact<'_>> {
        let present = self.facts.attribute(index);
        match self.change(Reference::Attribute(index)) {
            Some(value) => Some(Fact { value, confidence: present.map_or(1.0, |fact| fact.confidence) }),
            None => present,
        }
    }
    fn context(&self, index: ContextIndex) -> Option<&Value> {
        self.change(Reference::Context(index)).or_else(|| self.facts.context(index))
    }
    fn history_is_readable(&self) -> bool {
        self.facts.history_is_readable()
    }
    fn now(&self) -> Timestamp {
        self.facts.now()
    }
    fn contacts(&self, scope: &str, within: Duration) -> Option<u32> {
        self.facts.contacts(scope, within)
    }
    fn last_outcome(&self, outcome: &str, scope: &str) -> Option<Timestamp> {
        self.facts.last_outcome(outcome, scope)
    }
}

/// How big a change is, between 0 and 2; becoming known, and another text or truth, counts 1.
fn size(change: &Flip) -> f64 {
    match (&change.from, &change.to) {
        (Some(Value::Number(from)), Value::Number(to)) if from != to => {
            (from - to).abs() / from.abs().max(to.abs()).max(1.0)
        }
        (Some(Value::Time(from)), Value::Time(to)) => {
            let days = to.duration_since(*from).as_secs_f64().abs() / 86_400.0;
            days / (days + HALF_CHANGE_DAYS)
        }
        _ => 1.0,
    }
}

fn references(goal: &Expression) -> Vec<Reference> {
    let mut found = Vec::new();
    goal.visit(&mut |part| found.extend(part.reference()));
    found.sort();
    found.dedup();
    found
}

/// The conditions inside a goal that depend on a reference.
fn conditions(goal: &Expression, reference: Reference) -> Vec<&Expression> {
    let mut found = Vec::new();
    goal.visit(&mut |part| {
        if matches!(part, Expression::Compare(..) | Expression::In(..))
            && references(part).contains(&reference)
        {
            found.push(part);
        }
    });
    found
}

fn literals(goal: &Expression, note: &mut impl FnMut(&Value)) {
    goal.visit(&mut |part| match part {
        Expression::Literal(value) | Expression::OrElse(_, value) => note(value),
        Expression::In(_, values) => values.iter().for_each(&mut *note),
        _ => {}
    });
}

/// The closed list; for an open one the texts the goal mentions and one that it does not.
fn texts(goal: &Expression, domain: &Domain) -> Vec<Value> {
    if !domain.values.is_empty() {
        return domain.values.iter().cloned().map(Value::Text).collect();
    }
    let mut mentioned: Vec<Arc<str>> = Vec::new();
    literals(goal, &mut |value| {
        if let Value::Text(text) = value {
            mentioned.push(text.clone());
        }
    });
    let mut other = String::from("other");
    while mentioned.iter().any(|text| **text == other) {
        other.push('_');
    }
    mentioned.push(other.into());
    mentioned.into_iter().map(Value::Text).collect()
}

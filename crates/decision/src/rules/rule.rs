//! One rule: read it, ask it, and ask what it would take.

use super::{
    Environment, Facts, Flip, Reads, Reference, RuleProblem, Truth,
    check::{self, Domains},
    cost,
    expression::Expression,
    flips,
};
use crate::value::{Value, ValueType};
use std::{ops::Range, sync::Arc};

/// A typed rule over permitted facts.
#[derive(Debug, Clone)]
pub struct Rule {
    source: Arc<str>,
    pub(super) expression: Expression,
    /// Where the clauses of a top-level `&&` stand in the source.
    clauses: Vec<Range<usize>>,
    pub(super) domains: Arc<Domains>,
    reads: Reads,
}

impl Rule {
    /// A rule that holds, does not hold, or is not known.
    ///
    /// # Errors
    /// Everything that is wrong with names, types, purposes and places where not knowing would let
    /// an action pass, and a rule that may take more than [`cost::RULE_STEPS_MAX`] steps; only the first
    /// problem when the text is not CEL or exceeds 4 KiB, 24 levels or 256 names, values and operators.
    pub fn condition(source: &str, environment: &Environment<'_>) -> Result<Self, Vec<RuleProblem>> {
        Self::checked(source, environment, ValueType::Bool)
    }

    /// A rule that is a number, or not known.
    ///
    /// # Errors
    /// As [`Rule::condition`].
    pub fn amount(source: &str, environment: &Environment<'_>) -> Result<Self, Vec<RuleProblem>> {
        Self::checked(source, environment, ValueType::Number)
    }

    /// A rule that is always this number; not known when it is not finite.
    pub fn constant(number: f64) -> Self {
        let expression = Expression::Literal(Value::Number(number));
        Self::new(number.to_string().into(), vec![(0..0, expression)], Arc::default())
    }

    fn checked(
        source: &str,
        environment: &Environment<'_>,
        wanted: ValueType,
    ) -> Result<Self, Vec<RuleProblem>> {
        let checked = check::check(source, environment, wanted)?;
        Ok(Self::new(source.into(), checked.clauses, checked.domains.into()))
    }

    fn new(source: Arc<str>, clauses: Vec<(Range<usize>, Expression)>, domains: Arc<Domains>) -> Self {
        let (clauses, mut terms): (Vec<_>, Vec<_>) = clauses.into_iter().unzip();
        let expression = match (terms.len(), terms.pop()) {
            (1, Some(only)) => only,
            (_, last) => Expression::All(terms.into_iter().chain(last).collect()),
        };
        Self { reads: Reads::of(&expression), source, expression, clauses, domains }
    }

    /// The clauses of a top-level `&&`, each a rule of its own, from left to right.
    pub(super) fn split(self) -> Vec<Self> {
        match self.expression {
            Expression::All(terms) if self.clauses.len() > 1 => terms
                .into_iter()
                .zip(self.clauses)
                .map(|(term, span)| {
                    Self::new(self.source[span].into(), vec![(0..0, term)], self.domains.clone())
                })
                .collect(),
            _ => vec![self],
        }
    }

    /// The rule as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the rule holds; an amount is never known to.
    pub fn truth(&self, facts: &dyn Facts) -> Truth {
        Truth::of(self.expression.truth(facts))
    }

    /// The amount; `None` when it is not known. NaN, infinities and division by zero are not known.
    pub fn number(&self, facts: &dyn Facts) -> Option<f64> {
        self.expression.number(facts)
    }

    /// Most steps that asking the rule takes, whoever the customer is.
    pub fn steps_max(&self) -> u64 {
        cost::steps_max(&self.expression)
    }

    /// What the rule reads, for whatever customer.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// The absent references because of which the result is not known, in the order of the rule;
    /// empty when it is known, or not known for another reason (`x / 0`, an outcome that never was).
    pub fn unknowns(&self, facts: &dyn Facts) -> Vec<Reference> {
        let mut found = Vec::new();
        self.expression.unknowns(facts, &mut found);
        found
    }

    /// Whether the result is not known because, among other things, the history is too long to be looked
    /// through.
    pub fn lacks_history(&self, facts: &dyn Facts) -> bool {
        self.expression.lacks_history(facts)
    }

    /// The cheapest changes of single references after which [`Rule::truth`] is `wanted`: as few as
    /// possible, then as small as possible. A number or moment goes just past its threshold, so that
    /// half of the way does not do; only a number that lies on its threshold moves by 1e-10 of itself
    /// (of 1 when it is smaller), of which half would do as well. A changed value keeps the confidence of the present one; a value
    /// that was absent gets confidence 1. `None` when no change of at most eight references was found,
    /// mostly because history, the moment or a confidence decides; the search gives up after 4,000
    /// combinations or ten million steps.
    pub fn flips(&self, facts: &dyn Facts, wanted: Truth) -> Option<Vec<Flip>> {
        let holds = match wanted {
            Truth::True => true,
            Truth::False => false,
            Truth::Unknown => return (self.truth(facts) == Truth::Unknown).then(Vec::new),
        };
        flips::cheapest([(&self.expression, holds)], &self.domains, facts)
    }
}

impl Reads {
    fn of(expression: &Expression) -> Self {
        let mut reads = Self::default();
        expression.visit(&mut |part| match part.reference() {
            Some(Reference::Attribute(index)) => _ = reads.attributes.insert(index),
            Some(Reference::Context(index)) => _ = reads.contexts.insert(index),
            None => {}
        });
        reads
    }

    /// Adds what another rule reads.
    pub fn extend(&mut self, other: &Self) {
        self.attributes.extend(&other.attributes);
        self.contexts.extend(&other.contexts);
    }
}

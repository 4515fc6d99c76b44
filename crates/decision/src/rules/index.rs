//! Which comparisons of one value with a constant fail, without making each of them?
//!
//! Comparisons of the same reference are kept sorted by their constants, so that for any value those
//! that fail lie side by side: two binary searches find them all. Each stands for a place in the rule
//! book. Deliberately absent: everything else a rule can say; the book asks that itself.

use super::{
    Facts, Reference,
    book::Bits,
    expression::{Expression, Scalar},
    syntax::Comparison,
};
use crate::{strategy::PurposeIndex, value::Value};
use std::{cmp::Ordering, ops::Range};

/// All comparisons with constants, by what they read.
#[derive(Debug, Default)]
pub(super) struct Index(Vec<List>);

/// The comparisons of one reference that fail on the same side.
#[derive(Debug)]
struct List {
    purpose: PurposeIndex,
    reference: Reference,
    side: Side,
    /// Ascending, each with whether it counts among those below a value that equals it.
    constants: Vec<(Value, bool)>,
    /// What each stands for.
    places: Vec<u32>,
}

/// On which side of a value the constants lie whose comparisons fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Above,
    Below,
    Elsewhere,
    There,
}

/// A reference compared with a constant.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    reference: Reference,
    comparison: Comparison,
    constant: Value,
}

impl Compared {
    /// Reads a clause as one; `None` when it is something else.
    pub fn of(clause: &Expression) -> Option<Self> {
        let is = |reference: Reference, truth| Self {
            reference,
            comparison: Comparison::Equal,
            constant: Value::Bool(truth),
        };
        match clause {
            Expression::Read(reference) => Some(is(*reference, true)),
            Expression::Not(inner) => match **inner {
                Expression::Read(reference) => Some(is(reference, false)),
                _ => None,
            },
            Expression::Compare(comparison, sides) => match &**sides {
                [Expression::Read(reference), Expression::Literal(constant)] => {
                    Some(Self { reference: *reference, comparison: *comparison, constant: constant.clone() })
                }
                [Expression::Literal(constant), Expression::Read(reference)] => {
                    let comparison = comparison.mirrored();
                    Some(Self { reference: *reference, comparison, constant: constant.clone() })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl Compared {
    fn side(&self) -> (Side, bool) {
        match self.comparison {
            Comparison::Greater => (Side::Above, false),
            Comparison::GreaterOrEqual => (Side::Above, true),
            Comparison::Less => (Side::Below, true),
            Comparison::LessOrEqual => (Side::Below, false),
            Comparison::Equal => (Side::Elsewhere, false),
            Comparison::NotEqual => (Side::There, false),
        }
    }
}

impl Index {
    /// Comparisons, each read for a purpose and standing for a place.
    pub fn new(mut compared: Vec<(PurposeIndex, Compared, u32)>) -> Self {
        let list = |(purpose, compared, _): &(PurposeIndex, Compared, u32)| {
            (*purpose, compared.reference, compared.side().0)
        };
        compared.sort_by(|a, b| {
            let constants = || order(&a.1.constant, (&b.1.constant).into()).unwrap_or(Ordering::Equal);
            let below = || b.1.side().1.cmp(&a.1.side().1);
            list(a).cmp(&list(b)).then_with(constants).then_with(below)
        });
        let lists = compared.chunk_by(|a, b| list(a) == list(b)).map(|of_list| {
            let (purpose, reference, side) = list(&of_list[0]);
            let constant = |compared: &Compared| (compared.constant.clone(), compared.side().1);
            List {
                purpose,
                reference,
                side,
                constants: of_list.iter().map(|(_, compared, _)| constant(compared)).collect(),
                places: of_list.iter().map(|(_, _, place)| *place).collect(),
            }
        });
        Self(lists.collect())
    }

    /// Marks the places of comparisons that do not hold, and of those whose value is not known.
    pub fn mark<'f>(
        &self,
        facts: &dyn Fn(PurposeIndex) -> &'f dyn Facts,
        failed: &mut Bits,
        unknown: &mut Bits,
    ) {
        for list in &self.0 {
            let value = list.reference.value(facts(list.purpose)).map(Scalar::from);
            match value.filter(|value| order(&list.constants[0].0, *value).is_some()) {
                None => unknown.set_all(&list.places),
                Some(value) => {
                    list.failing(value).into_iter().for_each(|range| failed.set_all(&list.places[range]));
                }
            }
        }
    }
}

impl List {
    fn failing(&self, value: Scalar<'_>) -> [Range<usize>; 2] {
        let end = self.constants.len();
        let first =
            self.constants.partition_point(|(constant, below_its_equal)| match order(constant, value) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => *below_its_equal,
                _ => false,
            });
        match self.side {
            Side::Above => [first..end, 0..0],
            Side::Below => [0..first, 0..0],
            Side::Elsewhere | Side::There => {
                let is_there =
                    |(constant, _): &(Value, bool)| order(constant, value) == Some(Ordering::Equal);
                let there = first..first + self.constants[first..].partition_point(is_there);
                if self.side == Side::There { [there, 0..0] } else { [0..there.start, there.end..end] }
            }
        }
    }
}

/// `None` for values of different types and for NaN.
fn order(constant: &Value, value: Scalar<'_>) -> Option<Ordering> {
    Scalar::from(constant).order(value)
}

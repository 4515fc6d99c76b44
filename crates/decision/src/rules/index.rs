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
    /// Ascending.
    constants: Constants,
    /// Which of them count among those below a value that equals them; of equal constants these come first.
    below_their_equal: Vec<bool>,
    /// What each stands for.
    places: Vec<u32>,
}

/// Constants of one type. Nearly all are numbers, which lie close together and are compared fastest.
#[derive(Debug)]
enum Constants {
    Numbers(Vec<f64>),
    Others(Vec<Value>),
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
            let constants = of_list.iter().map(|(_, compared, _)| compared.constant.clone());
            List {
                purpose,
                reference,
                side,
                constants: Constants::of(constants.collect()),
                below_their_equal: of_list.iter().map(|(_, compared, _)| compared.side().1).collect(),
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
            match value.and_then(|value| list.failing(value)) {
                None => unknown.set_all(&list.places),
                Some(ranges) => ranges.into_iter().for_each(|range| failed.set_all(&list.places[range])),
            }
        }
    }
}

impl List {
    /// The places of comparisons that fail; `None` when the value cannot be compared.
    fn failing(&self, value: Scalar<'_>) -> Option<[Range<usize>; 2]> {
        let there = self.constants.equal_to(value)?;
        let end = self.places.len();
        let equal_below = self.below_their_equal[there.clone()].partition_point(|below| *below);
        let first = there.start + equal_below;
        Some(match self.side {
            Side::Above => [first..end, 0..0],
            Side::Below => [0..first, 0..0],
            Side::Elsewhere => [0..there.start, there.end..end],
            Side::There => [there, 0..0],
        })
    }
}

impl Constants {
    fn of(constants: Vec<Value>) -> Self {
        let number = |constant: &Value| match constant {
            Value::Number(number) => Some(*number),
            _ => None,
        };
        let numbers: Option<Vec<f64>> = constants.iter().map(number).collect();
        numbers.map_or(Self::Others(constants), Self::Numbers)
    }

    /// Where the constants equal to a value lie, or would lie; `None` when it cannot be compared.
    fn equal_to(&self, value: Scalar<'_>) -> Option<Range<usize>> {
        match self {
            Self::Numbers(numbers) => {
                let Scalar::Number(value) = value else {
                    return None;
                };
                let start = numbers.partition_point(|number| *number < value);
                let equal = numbers[start..].iter().take_while(|number| **number == value).count();
                (!value.is_nan()).then_some(start..start + equal)
            }
            Self::Others(constants) => {
                order(&constants[0], value)?;
                let start =
                    constants.partition_point(|constant| order(constant, value) == Some(Ordering::Less));
                let is_equal = |constant: &&Value| order(constant, value) == Some(Ordering::Equal);
                let equal = constants[start..].iter().take_while(is_equal).count();
                Some(start..start + equal)
            }
        }
    }
}

/// `None` for values of different types and for NaN.
fn order(constant: &Value, value: Scalar<'_>) -> Option<Ordering> {
    Scalar::from(constant).order(value)
}

//! What a rule says, before it is known whether the names and types fit: a tree with a place in the
//! source for every part. Neither the parser nor the inventory is known here.

use std::ops::Range;

/// One part of a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where in the source, in bytes; brackets around it are left out.
    pub span: Range<usize>,
    /// What it says.
    pub kind: Kind,
}

/// What a part says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Bool(bool),
    /// A finite number; integers are numbers.
    Number(f64),
    /// Text in quotes.
    Text(String),
    /// A dotted name, for example `customer.city`.
    Name(String),
    /// A function by its dotted name, for example `history.contacts`.
    Call { function: String, function_span: Range<usize>, arguments: Vec<Node> },
    /// `!a`.
    Not(Box<Node>),
    /// `-a`.
    Negate(Box<Node>),
    /// `a + b` and all others with two sides.
    Binary(Binary, Box<[Node; 2]>),
    /// `a ? b : c`.
    Conditional(Box<[Node; 3]>),
    /// `[a, b]`.
    List(Vec<Node>),
}

/// Operators with two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    And,
    Or,
    In,
    Compare(Comparison),
    Compute(Operation),
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Computations with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Minimum,
    Maximum,
}

impl Node {
    /// The sides of a chain of `wanted` (`&&` or `||`), from left to right.
    pub fn sides(self, wanted: Binary) -> Vec<Node> {
        match self.kind {
            Kind::Binary(operator, sides) if operator == wanted => {
                sides.into_iter().flat_map(|side| side.sides(wanted)).collect()
            }
            _ => vec![self],
        }
    }

    /// The parts directly below this one, from left to right.
    pub fn parts(&self) -> &[Node] {
        match &self.kind {
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => &[],
            Kind::Call { arguments: parts, .. } | Kind::List(parts) => parts,
            Kind::Not(part) | Kind::Negate(part) => std::slice::from_ref(&**part),
            Kind::Binary(_, parts) => &parts[..],
            Kind::Conditional(parts) => &parts[..],
        }
    }
}

impl Comparison {
    /// Whether the comparison holds for two sides in this order.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The comparison with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// Whether it asks for more or less, not for sameness.
    pub fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

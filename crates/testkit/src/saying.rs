//! What a generated rule says, as a tree of its own, and how that is written in CEL.

use decision::value::Value;
use std::fmt;

/// Something that holds or not.
#[derive(Debug, Clone)]
pub enum Condition {
    /// `true` or `false`.
    Literal(bool),
    /// A name that is true or false.
    Flag(String),
    /// The name has a value.
    Known(String),
    /// A flag, or this when it is not known.
    FlagOr(String, bool),
    /// Two amounts compared.
    Compare(Amount, Sign, Amount),
    /// A text is this one, or is not.
    Text(String, bool, String),
    /// An amount is one of these.
    AmountIn(Amount, Vec<f64>),
    /// A text is one of these.
    TextIn(String, Vec<String>),
    /// A moment compared with a fixed one.
    Moment(String, Sign, Value),
    /// A moment compared with now.
    Past(String, Sign),
    /// Not.
    Not(Box<Condition>),
    /// Both.
    And(Box<Condition>, Box<Condition>),
    /// Either.
    Or(Box<Condition>, Box<Condition>),
    /// When the first holds the second, else the third.
    If(Box<Condition>, Box<Condition>, Box<Condition>),
}

/// A number.
#[derive(Debug, Clone)]
pub enum Amount {
    /// As written.
    Literal(f64),
    /// A name that is a number.
    Name(String),
    /// How sure a name is.
    Confidence(String),
    /// Contacts in a scope within so many days.
    Contacts(String, u32),
    /// Days since an outcome in a scope.
    DaysSinceOutcome(String, String),
    /// Days since a moment.
    DaysSince(String),
    /// Days until a moment.
    DaysUntil(String),
    /// Hour of the day.
    Hour,
    /// Day of the week, Monday is 1.
    Weekday,
    /// The amount, or this when it is not known.
    Or(Box<Amount>, f64),
    /// `-a`.
    Negative(Box<Amount>),
    /// Without its sign.
    Absolute(Box<Amount>),
    /// Two amounts computed.
    Compute(Box<Amount>, Calculation, Box<Amount>),
    /// When the condition holds the first, else the second.
    If(Box<Condition>, Box<Amount>, Box<Amount>),
}

/// How two things are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

/// What is computed with two amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calculation {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
    /// The smaller one.
    Smaller,
    /// The larger one.
    Larger,
}

impl fmt::Display for Sign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        })
    }
}

/// How tightly a part binds; brackets go around a part that binds less than its place asks for.
mod binds {
    pub const CONDITIONAL: u8 = 0;
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const COMPARE: u8 = 3;
    pub const SUM: u8 = 4;
    pub const PRODUCT: u8 = 5;
    pub const SIGN: u8 = 6;
    pub const WHOLE: u8 = 7;
}

fn bracketed(
    formatter: &mut fmt::Formatter<'_>,
    own: u8,
    needed: u8,
    text: fmt::Arguments<'_>,
) -> fmt::Result {
    if own < needed { write!(formatter, "({text})") } else { formatter.write_fmt(text) }
}

/// A part where at least so tight a binding is needed.
struct At<'a, T>(&'a T, u8);

fn number(value: f64) -> String {
    format!("{value:?}")
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        At(self, binds::CONDITIONAL).fmt(formatter)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        At(self, binds::CONDITIONAL).fmt(formatter)
    }
}

impl fmt::Display for At<'_, Condition> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use binds::*;
        let mut put = |own, text: fmt::Arguments<'_>| bracketed(formatter, own, self.1, text);
        match self.0 {
            Condition::Literal(value) => put(WHOLE, format_args!("{value}")),
            Condition::Flag(name) => put(WHOLE, format_args!("{name}")),
            Condition::Known(name) => put(WHOLE, format_args!("known({name})")),
            Condition::FlagOr(name, otherwise) => put(WHOLE, format_args!("or_else({name}, {otherwise})")),
            Condition::Compare(left, sign, right) => {
                put(COMPARE, format_args!("{} {sign} {}", At(left, COMPARE), At(right, SUM)))
            }
            Condition::Text(name, same, text) => {
                put(COMPARE, format_args!("{name} {} \"{text}\"", if *same { "==" } else { "!=" }))
            }
            Condition::AmountIn(amount, list) => {
                let list: Vec<String> = list.iter().copied().map(number).collect();
                put(COMPARE, format_args!("{} in [{}]", At(amount, SUM), list.join(", ")))
            }
            Condition::TextIn(name, list) => put(COMPARE, format_args!("{name} in [{}]", quoted(list))),
            Condition::Moment(name, sign, moment) => {
                put(COMPARE, format_args!("{name} {sign} timestamp('{moment}')"))
            }
            Condition::Past(name, sign) => put(COMPARE, format_args!("{name} {sign} now")),
            Condition::Not(inner) => put(SIGN, format_args!("!{}", At(&**inner, SIGN))),
            Condition::And(left, right) => {
                put(AND, format_args!("{} && {}", At(&**left, AND), At(&**right, AND)))
            }
            Condition::Or(left, right) => {
                put(OR, format_args!("{} || {}", At(&**left, OR), At(&**right, OR)))
            }
            Condition::If(condition, yes, no) => put(
                CONDITIONAL,
                format_args!("{} ? {} : {}", At(&**condition, OR), At(&**yes, OR), At(&**no, CONDITIONAL)),
            ),
        }
    }
}

impl fmt::Display for At<'_, Amount> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use binds::*;
        let mut put = |own, text: fmt::Arguments<'_>| bracketed(formatter, own, self.1, text);
        match self.0 {
            Amount::Literal(value) => put(SIGN, format_args!("{}", number(*value))),
            Amount::Name(name) => put(WHOLE, format_args!("{name}")),
            Amount::Confidence(name) => put(WHOLE, format_args!("confidence({name})")),
            Amount::Contacts(scope, days) => put(WHOLE, format_args!("contacts('{scope}', '{days}d')")),
            Amount::DaysSinceOutcome(outcome, scope) => {
                put(WHOLE, format_args!("history.days_since('{outcome}', '{scope}')"))
            }
            Amount::DaysSince(name) => put(WHOLE, format_args!("days_since({name})")),
            Amount::DaysUntil(name) => put(WHOLE, format_args!("days_until({name})")),
            Amount::Hour => put(WHOLE, format_args!("hour()")),
            Amount::Weekday => put(WHOLE, format_args!("weekday()")),
            Amount::Or(inner, otherwise) => {
                put(WHOLE, format_args!("or_else({inner}, {})", number(*otherwise)))
            }
            Amount::Negative(inner) => put(SIGN, format_args!("-{}", At(&**inner, WHOLE))),
            Amount::Absolute(inner) => put(WHOLE, format_args!("abs({inner})")),
            Amount::Compute(left, how, right) => match how {
                Calculation::Plus => {
                    put(SUM, format_args!("{} + {}", At(&**left, SUM), At(&**right, PRODUCT)))
                }
                Calculation::Minus => {
                    put(SUM, format_args!("{} - {}", At(&**left, SUM), At(&**right, PRODUCT)))
                }
                Calculation::Times => {
                    put(PRODUCT, format_args!("{} * {}", At(&**left, PRODUCT), At(&**right, SIGN)))
                }
                Calculation::Over => {
                    put(PRODUCT, format_args!("{} / {}", At(&**left, PRODUCT), At(&**right, SIGN)))
                }
                Calculation::Smaller => put(WHOLE, format_args!("min({left}, {right})")),
                Calculation::Larger => put(WHOLE, format_args!("max({left}, {right})")),
            },
            Amount::If(condition, yes, no) => put(
                CONDITIONAL,
                format_args!("{} ? {} : {}", At(&**condition, OR), At(&**yes, OR), At(&**no, CONDITIONAL)),
            ),
        }
    }
}

//! The values facts can have. An unknown value is the absence of one (`Option<Value>`), never a
//! special number or text.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// One value of a declared type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// Finite: NaN and infinities never become a value (see [`Value::number`]).
    Number(f64),
    /// Text.
    Text(Arc<str>),
    /// A moment.
    Time(#[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")] Timestamp),
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// `true` or `false`.
    Bool,
    /// A finite number.
    Number,
    /// Text, possibly from a closed list.
    Text,
    /// A moment, RFC 3339.
    Time,
}

impl Value {
    /// A number when it is finite, else unknown.
    pub fn number(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self::Number(number))
    }
    /// The value's type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Bool(_) => ValueType::Bool,
            Self::Number(_) => ValueType::Number,
            Self::Text(_) => ValueType::Text,
            Self::Time(_) => ValueType::Time,
        }
    }
}

impl ValueType {
    /// The word used in strategy files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Number => "number",
            Self::Text => "text",
            Self::Time => "time",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Number(value) => write!(formatter, "{value}"),
            Self::Text(value) => formatter.write_str(value),
            Self::Time(value) => write!(formatter, "{value}"),
        }
    }
}

//! Whether we may, whether it makes sense now, and whether it is good for this customer: rules in
//! CEL over declared names, three-valued.
//!
//! A rule knows nothing of profiles: it reads through [`Facts`], which shows only what is permitted.

use crate::{
    Timestamp,
    strategy::{AttributeIndex, ContextIndex, PurposeIndex},
    value::Value,
};

/// Kleene's three truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// No.
    False,
    /// Not known.
    Unknown,
    /// Yes.
    True,
}

/// A permitted value and how sure it is now, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fact<'a> {
    /// The value.
    pub value: &'a Value,
    /// Confidence after ageing.
    pub confidence: f32,
}

/// What a rule may read. Everything that is not visible is simply absent.
pub trait Facts {
    /// An attribute of the customer or household.
    fn attribute(&self, index: AttributeIndex) -> Option<Fact<'_>>;
    /// A value of the request.
    fn context(&self, index: ContextIndex) -> Option<&Value>;
    /// The moment of the decision.
    fn now(&self) -> Timestamp;
    /// Contacts counted or reserved in `scope` ("" = all, else `channel:ID` or a path prefix) within a window.
    fn contacts(&self, scope: &str, within: crate::Duration) -> u32;
    /// The moment of the last such outcome in `scope` ("" = any), when there was one.
    fn last_outcome(&self, outcome: &str, scope: &str) -> Option<Timestamp>;
}

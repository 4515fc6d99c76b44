//! Whether we may, whether it makes sense now, and whether it is good for this customer: rules in
//! CEL over declared names, three-valued.
//!
//! A rule knows nothing of profiles: it reads through [`Facts`], which shows only what is permitted.

use crate::{
    Timestamp,
    strategy::{ActionIndex, Attribute, AttributeIndex, Context, ContextIndex, Purpose, PurposeIndex},
    value::Value,
};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, ops::Range, sync::Arc};

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

/// Which attributes a rule may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Those that may serve this purpose.
    Purpose(PurposeIndex),
    /// Those that may serve any protective purpose.
    Protection,
}

/// What the rule decides, and with it what not knowing may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Lets an action pass; what is not known never lets it pass.
    Allow,
    /// Vetoes, requires or calls a customer vulnerable.
    Restrict,
    /// An amount in euro.
    Value,
    /// Adds to the weight of the moment.
    Weight,
}

/// Everything a rule may name.
#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    /// All purposes.
    pub purposes: &'a [Purpose],
    /// All declared attributes.
    pub attributes: &'a [Attribute],
    /// All declared request values.
    pub contexts: &'a [Context],
    /// The organisation's time zone, for `hour()` and `weekday()`.
    pub time_zone: &'a TimeZone,
    /// Which of the attributes may be read.
    pub view: View,
    /// What the rule is for.
    pub position: Position,
}

/// Why a text is not a rule here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// Where in the source, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right, when that can be told.
    pub hint: Option<String>,
}

/// What a rule may read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Attributes.
    pub attributes: BTreeSet<AttributeIndex>,
    /// Request values.
    pub contexts: BTreeSet<ContextIndex>,
}

/// One thing a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// An attribute of the customer or household.
    Attribute(AttributeIndex),
    /// A value of the request.
    Context(ContextIndex),
}

/// One change of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// Of what.
    pub reference: Reference,
    /// What it is now; `None` when not known.
    pub from: Option<Value>,
    /// What it would have to be.
    pub to: Value,
}

/// A typed rule.
#[derive(Debug, Clone)]
pub struct Rule {
    source: Arc<str>,
    reads: Reads,
}

impl Rule {
    /// A rule that is true, false or unknown.
    pub fn condition(source: &str, _environment: &Environment<'_>) -> Result<Self, Vec<RuleProblem>> {
        Ok(Self { source: source.into(), reads: Reads::default() })
    }
    /// A rule that is a number or unknown.
    pub fn amount(source: &str, _environment: &Environment<'_>) -> Result<Self, Vec<RuleProblem>> {
        Ok(Self { source: source.into(), reads: Reads::default() })
    }
    /// Always this number.
    pub fn constant(number: f64) -> Self {
        Self { source: number.to_string().into(), reads: Reads::default() }
    }
    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }
    /// What it reads.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }
    /// Whether it holds.
    pub fn truth(&self, _facts: &dyn Facts) -> Truth {
        Truth::True
    }
    /// The amount.
    pub fn number(&self, _facts: &dyn Facts) -> Option<f64> {
        None
    }
    /// Absent references because of which the result is not known.
    pub fn unknowns(&self, _facts: &dyn Facts) -> Vec<Reference> {
        Vec::new()
    }
    /// The cheapest changes that give `wanted`.
    pub fn flips(&self, _facts: &dyn Facts, _wanted: Truth) -> Option<Vec<Flip>> {
        None
    }
}

/// Which question an allow rule answers, in the order they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// May we.
    Eligibility,
    /// Does it make sense now.
    Applicability,
    /// Is it good for this customer.
    Suitability,
}

/// A rule that must be true for an action to pass.
#[derive(Debug, Clone)]
pub struct AllowRule {
    /// Of which action.
    pub action: ActionIndex,
    /// Which question it answers.
    pub layer: Layer,
    /// For which purpose it reads.
    pub purpose: PurposeIndex,
    /// The rule.
    pub rule: Rule,
}

/// Position of a clause in its rule book.
pub type ClauseIndex = u32;

/// One condition, shared by all actions that need it.
#[derive(Debug)]
pub struct Clause {
    /// The condition.
    pub rule: Rule,
    /// For which purpose it reads.
    pub purpose: PurposeIndex,
}

/// All allow rules of all actions.
#[derive(Debug, Default)]
pub struct RuleBook {
    clauses: Vec<Clause>,
}

/// Why an action does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// At which question.
    pub layer: Layer,
    /// By which clause.
    pub clause: ClauseIndex,
    /// `False` or `Unknown`.
    pub truth: Truth,
}

/// The result of all allow rules for one customer and request.
#[derive(Debug)]
pub struct Evaluation<'b> {
    book: &'b RuleBook,
}

impl Evaluation<'_> {
    /// Why the action does not pass; `None` when it does.
    pub fn refusal(&self, _action: ActionIndex) -> Option<Refusal> {
        let _ = self.book;
        None
    }
    /// Whether the action passes.
    pub fn allowed(&self, _action: ActionIndex) -> bool {
        true
    }
}

impl RuleBook {
    /// Compiles rules for `actions` actions.
    pub fn compile(_rules: Vec<AllowRule>, _actions: usize) -> Self {
        Self::default()
    }
    /// Evaluates all rules once.
    pub fn evaluate<'f>(&self, _facts: &dyn Fn(PurposeIndex) -> &'f dyn Facts) -> Evaluation<'_> {
        Evaluation { book: self }
    }
    /// A clause.
    pub fn clause(&self, index: ClauseIndex) -> &Clause {
        &self.clauses[index as usize]
    }
    /// What the rules of an action read.
    pub fn reads(&self, _action: ActionIndex) -> Reads {
        Reads::default()
    }
    /// The cheapest changes that let the action pass its rules.
    pub fn flips(&self, _action: ActionIndex, _facts: &dyn Facts) -> Option<Vec<Flip>> {
        None
    }
}

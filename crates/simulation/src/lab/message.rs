//! What does a driver say, and what is it answered? One JSON object per line.
//!
//! Deliberately absent: what the words mean; that is [`super`].

use serde::{Deserialize, Serialize};
use serde_json::Map;

/// One line of a driver.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Moment on the virtual clock, in the unit of the options; never earlier than the line before.
    pub t: Option<f64>,
    /// Only as the first line.
    pub options: Option<Options>,
    /// Asks for a decision.
    pub decide: Option<Decide>,
    /// Reports what followed on a decision.
    pub outcome: Option<Outcome>,
    /// Takes back the decision of the line before: it was never displayed.
    pub discard: Option<About>,
    /// Lets time pass.
    pub advance: Option<Advance>,
}

/// How this run is to be understood; everything has a default.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Key of all draws.
    pub seed: u64,
    /// What `t` and windows count.
    pub unit: Unit,
    /// How long after a decision its goal may be reached; 0 means that the outcome is known before the
    /// next decision.
    pub window: f64,
    /// The kind of outcome that reaches the goal.
    pub goal: String,
    /// Other outcomes by kind.
    pub outcomes: std::collections::BTreeMap<String, Side>,
}

impl Default for Options {
    fn default() -> Self {
        let goal = "converted".to_owned();
        Self { seed: 1, unit: Unit::Second, window: 0.0, goal, outcomes: Default::default() }
    }
}

/// An outcome besides the goal: a stage before it, or harm.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// What it is worth, in euro; negative for harm.
    pub value: f64,
    /// How long after a decision it may follow.
    pub window: f64,
    /// Base rate to start from, between 0 and 1.
    pub prior: f64,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum Unit {
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Minutes.
    #[serde(rename = "m")]
    Minute,
    /// Hours.
    #[serde(rename = "h")]
    Hour,
    /// Days of 24 hours.
    #[serde(rename = "d")]
    Day,
}

impl Unit {
    /// Its length in milliseconds.
    pub fn ms(self) -> f64 {
        match self {
            Self::Millisecond => 1.0,
            Self::Second => 1e3,
            Self::Minute => 6e4,
            Self::Hour => 3.6e6,
            Self::Day => 8.64e7,
        }
    }
}

/// Who is asked about, and what could be said.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// What is known: numbers, texts, flags; `null` is unknown.
    #[serde(default)]
    pub context: Map<String, serde_json::Value>,
    /// What could be said, at least one.
    pub actions: Vec<Offered>,
    /// How this decision is made; by the strategy unless said otherwise.
    #[serde(default)]
    pub assignment: decision::inputs::Assignment,
}

/// One action that could be said now.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// Its name, the same in every decision.
    pub id: String,
    /// The group it belongs to, the same in every decision.
    #[serde(default)]
    pub group: String,
    /// What its goal is worth in this decision, in euro.
    #[serde(default = "one")]
    pub value: f64,
    /// The kind of outcome that reaches its goal, the same in every decision, where it differs from the
    /// options'.
    pub goal: Option<String>,
}

fn one() -> f64 {
    1.0
}

/// What followed on a decision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The decision, as it was answered.
    pub decision: String,
    /// What happened.
    pub kind: String,
    /// What it turned out to be worth, in euro; summed up at the end, not learned from.
    #[serde(default)]
    pub value: f64,
}

/// Names a decision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The decision, as it was answered.
    pub decision: String,
}

/// Nothing but time passes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {}

/// The answer to a decide line.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Names the decision in outcomes.
    pub decision: String,
    /// What is said; `None` is silence.
    pub action: Option<String>,
    /// With which probability that was picked.
    pub probability: f64,
    /// Probability of every action offered.
    pub probabilities: Map<String, serde_json::Value>,
    /// Probability of silence.
    pub silence: f64,
    /// P(goal | act) of every action offered.
    pub propensities: Map<String, serde_json::Value>,
    /// P(goal | not act) of every action for which silences support it.
    pub baselines: Map<String, serde_json::Value>,
}

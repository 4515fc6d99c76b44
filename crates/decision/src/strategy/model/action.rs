//! What could be said, done or asked: the action, its goal and its forms.

use super::{AttributeIndex, PurposeIndex, Texts};
use crate::{
    Duration, Timestamp,
    id::{ActionId, EventName, Language, PlacementId, TreatmentId},
    rules::Rule,
    strategy::integrity::Claim,
    value::Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an action is treated by limits and arbitration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Required by law or for safety.
    Mandatory,
    /// Needed to serve the customer.
    Service,
    /// Everything else.
    Normal,
}

/// What we could say, do or ask.
#[derive(Debug)]
pub struct Action {
    /// Path.
    pub id: ActionId,
    /// Name per language.
    pub name: Texts,
    /// Whose interest it serves and how, per language.
    pub intent: Texts,
    /// Who answers for it.
    pub owner: String,
    /// Who decided it may exist.
    pub mandate: String,
    /// For which purpose data is used.
    pub purpose: PurposeIndex,
    /// Class.
    pub class: Class,
    /// It has a legal effect on the customer or is as serious: it never runs by itself, a human decides (GDPR
    /// article 22).
    pub legal_effect: bool,
    /// No exploration over silence.
    pub sensitive: bool,
    /// Never withheld to measure something: service, mandatory, and what the organisation spares.
    pub spared: bool,
    /// From when.
    pub valid_from: Option<Timestamp>,
    /// Until when, exclusive.
    pub valid_until: Option<Timestamp>,
    /// How often it may be said in total.
    pub volume: Option<u64>,
    /// What is hoped for.
    pub goal: Goal,
    /// Value of the goal for the customer, in euro.
    pub value_for_customer: Rule,
    /// Value of the goal for the organisation, in euro.
    pub value_for_organisation: Rule,
    /// Base rate of the goal to start from, in (0, 1).
    pub prior: f64,
    /// Lever, added to 1 with those of issue and group.
    pub lever: f64,
    /// Forms, in the order of the file.
    pub treatments: Vec<Treatment>,
}

impl Action {
    /// Whether its goal is an answer.
    pub fn is_question(&self) -> bool {
        !matches!(self.goal.target, GoalTarget::Event(_))
    }
}

/// What is hoped for.
#[derive(Debug)]
pub struct Goal {
    /// The event, or the provision of an attribute.
    pub target: GoalTarget,
    /// Within which time after the contact.
    pub within: Duration,
    /// How long the need is met once the goal is reached, and how long a question is not put again.
    pub closed_for: Duration,
    /// The answers to a question with how likely each is expected to be, together 1; empty: all alike.
    pub answers: Vec<(Value, f64)>,
}

/// What reaches a goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoalTarget {
    /// An event.
    Event(EventName),
    /// A question: the customer provided this attribute.
    Attribute(AttributeIndex),
    /// A question: the customer gave consent for this purpose.
    Consent(PurposeIndex),
}

/// One form of an action.
#[derive(Debug)]
pub struct Treatment {
    /// Id, unique within the action.
    pub id: TreatmentId,
    /// Placement.
    pub placement: PlacementId,
    /// Cost of this form in euro, instead of the channel's.
    pub contact_cost: Option<f64>,
    /// What makes it true that it presses the customer, when it does.
    pub claim: Option<Claim>,
    /// What is said, per language.
    pub content: BTreeMap<Language, Content>,
}

/// What is said, with places for permitted values.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Heading.
    pub title: Template,
    /// Body.
    pub body: Template,
}

/// Text with places for attributes of the customer, written `{attribute}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub Vec<TemplatePart>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplatePart {
    /// Said as it is.
    Text(String),
    /// The value of an attribute; unknown drops the treatment.
    Attribute(AttributeIndex),
}

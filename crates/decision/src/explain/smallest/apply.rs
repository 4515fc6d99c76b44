//! Changes applied to circumstances, whole or half.

use super::{Change, FactChange};
use crate::{
    Duration, Timestamp,
    inputs::{Adjustment, Factor},
    profile::{About, AttributeValue, ConsentStatement, ConsentStatus, Outcome, Source},
    replay::Circumstances,
    rules::Reference,
    strategy::{AttributeIndex, Subject},
    value::{Value, ValueType},
};

/// How long an applied fact or consent holds.
const HOLDS: Duration = Duration::from_hours(365 * 24);

impl Change {
    /// The circumstances after this change; `None` when nobody was recognised whom it could be about.
    pub fn apply<'s>(&self, circumstances: &Circumstances<'s>) -> Option<Circumstances<'s>> {
        let mut changed = circumstances.clone();
        let at = circumstances.at;
        match self {
            Self::Factor(adjustment) => changed.adjustments.push(adjustment.clone()),
            Self::Facts { facts } => {
                for fact in facts {
                    match fact.reference {
                        Reference::Attribute(index) => set(&mut changed, index, fact.to.clone())?,
                        Reference::Context(index) => {
                            let name = &circumstances.strategy().contexts[usize::from(index)].name;
                            changed.request.context.insert(name.clone(), fact.to.clone());
                        }
                    }
                }
            }
            Self::Known { attributes, .. } => {
                for &index in attributes {
                    let example = example(circumstances, index);
                    set(&mut changed, index, example)?;
                }
            }
            Self::Consent { index, .. } => {
                let purpose = &circumstances.strategy().purposes[usize::from(*index)].id;
                let channels = [None, Some(circumstances.request.channel.clone())];
                let given = channels.map(|channel| ConsentStatement {
                    about: About::Purpose(purpose.clone()),
                    channel,
                    status: ConsentStatus::Given,
                    at,
                    expires_at: at.checked_add(HOLDS).ok(),
                });
                changed.restored.customer.as_mut()?.profile.consents.extend(given);
            }
            Self::ComplaintResolved => {
                let outcomes = &mut changed.restored.customer.as_mut()?.history.outcomes;
                outcomes.push(Outcome {
                    outcome: "complaint_resolved".into(),
                    event: None,
                    action: None,
                    at,
                });
            }
            Self::Wait { at, .. } => changed.at = *at,
        }
        Some(changed)
    }

    /// Half of this change: half of the way for factors, amounts and moments; what can only be or not
    /// be, is not.
    pub fn half(&self, circumstances: &Circumstances<'_>) -> Self {
        match self {
            Self::Factor(whole) => {
                let neutral = neutral(whole.factor);
                Self::Factor(Adjustment { by: neutral + (whole.by - neutral) / 2.0, ..whole.clone() })
            }
            Self::Facts { facts } => Self::Facts { facts: facts.iter().filter_map(half_fact).collect() },
            Self::Known { attributes, names } => {
                let half = attributes.len() / 2;
                Self::Known { attributes: attributes[..half].to_vec(), names: names[..half].to_vec() }
            }
            Self::Consent { .. } | Self::ComplaintResolved => Self::Facts { facts: Vec::new() },
            Self::Wait { at, .. } => {
                let at = halfway(circumstances.at, *at);
                Self::Wait { at, until: super::moment(circumstances.strategy(), at) }
            }
        }
    }
}

/// The `by` of an [`Adjustment`] that changes nothing.
pub(super) fn neutral(factor: Factor) -> f64 {
    match factor {
        Factor::Propensity | Factor::ContextWeight | Factor::Lever => 1.0,
        Factor::Value | Factor::Cost => 0.0,
    }
}

fn half_fact(whole: &FactChange) -> Option<FactChange> {
    let to = match (whole.from.as_ref()?, &whole.to) {
        (Value::Number(from), Value::Number(to)) => Value::Number(from + (to - from) / 2.0),
        (Value::Time(from), Value::Time(to)) => Value::Time(halfway(*from, *to)),
        _ => return None,
    };
    Some(FactChange { to, ..whole.clone() })
}

fn halfway(from: Timestamp, to: Timestamp) -> Timestamp {
    let (from, to) = (from.as_millisecond(), to.as_millisecond());
    Timestamp::from_millisecond(from + (to - from) / 2).expect("a moment between two moments")
}

fn set(circumstances: &mut Circumstances<'_>, index: AttributeIndex, value: Value) -> Option<()> {
    let attribute = &circumstances.strategy().attributes[usize::from(index)];
    let at = circumstances.at;
    let known = AttributeValue {
        value,
        source: Source::Provided,
        confidence: 1.0,
        observed_at: at,
        expires_at: at.saturating_add(HOLDS).unwrap_or(Timestamp::MAX),
    };
    let attributes = match attribute.subject {
        Subject::Customer => &mut circumstances.restored.customer.as_mut()?.profile.attributes,
        Subject::Household => circumstances.restored.household.get_or_insert_default(),
    };
    attributes.insert(attribute.name.clone(), known);
    Some(())
}

/// A value that stands for any: what matters is that it is known.
fn example(circumstances: &Circumstances<'_>, index: AttributeIndex) -> Value {
    let attribute = &circumstances.strategy().attributes[usize::from(index)];
    match attribute.value_type {
        ValueType::Bool => Value::Bool(true),
        ValueType::Number => Value::Number(1.0),
        ValueType::Text => Value::Text(attribute.values.first().map_or("known", String::as_str).into()),
        ValueType::Time => Value::Time(circumstances.at),
    }
}

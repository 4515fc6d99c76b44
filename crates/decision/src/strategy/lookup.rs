//! Where in a strategy does a name stand, and does an action lie in a scope?

use super::model::{
    Action, ActionIndex, AttributeIndex, Channel, ContextIndex, Event, GoalTarget, Placement, PurposeIndex,
    Strategy,
};
use crate::id::{ActionId, EventName};

impl Strategy {
    /// Position of an attribute by name.
    pub fn attribute_index(&self, name: &str) -> Option<AttributeIndex> {
        position(&self.attributes, |attribute| attribute.name.as_str(), name)
    }
    /// Position of a context value by name.
    pub fn context_index(&self, name: &str) -> Option<ContextIndex> {
        position(&self.contexts, |context| context.name.as_str(), name)
    }
    /// Position of a purpose by id.
    pub fn purpose_index(&self, id: &str) -> Option<PurposeIndex> {
        position(&self.purposes, |purpose| purpose.id.as_str(), id)
    }
    /// Position of an action by path.
    pub fn action_index(&self, id: &str) -> Option<ActionIndex> {
        position(&self.actions, |action| action.id.as_str(), id)
    }
    /// A channel by id.
    pub fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id.as_str() == id)
    }
    /// A placement by id.
    pub fn placement(&self, id: &str) -> Option<&Placement> {
        self.placements.iter().find(|placement| placement.id.as_str() == id)
    }
    /// The event that reaches an action's goal; for a question, `provided.` and the attribute's name, or
    /// `consented.` and the purpose's.
    pub fn goal_event(&self, action: &Action) -> EventName {
        match &action.goal.target {
            GoalTarget::Event(event) => event.clone(),
            GoalTarget::Attribute(index) => {
                provided_event(self.attributes[usize::from(*index)].name.as_str())
            }
            GoalTarget::Consent(index) => consented_event(self.purposes[usize::from(*index)].id.as_str()),
        }
    }
    /// An event by name.
    pub fn event(&self, name: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.name.as_str() == name)
    }
}

/// The built-in event that a customer provided an attribute.
pub fn provided_event(attribute: &str) -> EventName {
    format!("provided.{attribute}").into()
}

/// The built-in event that a customer gave consent for a purpose.
pub fn consented_event(purpose: &str) -> EventName {
    format!("consented.{purpose}").into()
}

fn position<T>(sorted: &[T], key: impl Fn(&T) -> &str, wanted: &str) -> Option<u16> {
    sorted.binary_search_by(|item| key(item).cmp(wanted)).ok().and_then(|index| u16::try_from(index).ok())
}

/// Whether an action lies in any of `scopes`; no scopes means everywhere.
pub fn applies(scopes: &[String], action: &ActionId) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| action.within(scope))
}

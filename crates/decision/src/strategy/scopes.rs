//! Which principles, permissions, limits and pauses concern an action? Worked out once from their
//! `applies_to`, because every decision asks it about every action.

use super::{
    lookup::applies,
    model::{Action, ActionIndex, ContactPolicy, Permission, Principle},
};

/// What concerns each action.
#[derive(Debug, Default)]
pub struct Scopes(Vec<Scope>);

/// What concerns one action: positions in the strategy, in its order.
#[derive(Debug, Default)]
pub struct Scope {
    /// Of principles.
    pub principles: Vec<u16>,
    /// Of permissions.
    pub permissions: Vec<u16>,
    /// Of limits.
    pub limits: Vec<u16>,
    /// Of pauses.
    pub pauses: Vec<u16>,
    /// Whether an open complaint silences it, if its class allows that.
    pub silenced_by_complaint: bool,
}

impl Scopes {
    /// Works them out.
    pub fn of(
        actions: &[Action],
        principles: &[Principle],
        permissions: &[Permission],
        policy: &ContactPolicy,
    ) -> Self {
        let scope = |action: &Action| {
            let concerning = |scopes: &mut dyn Iterator<Item = &Vec<String>>| {
                let numbered = (0u16..).zip(scopes);
                numbered.filter(|(_, scopes)| applies(scopes, &action.id)).map(|(index, _)| index).collect()
            };
            let silences = &policy.complaint_silences;
            Scope {
                principles: concerning(&mut principles.iter().map(|principle| &principle.applies_to)),
                permissions: concerning(&mut permissions.iter().map(|permission| &permission.applies_to)),
                limits: concerning(&mut policy.limits.iter().map(|limit| &limit.applies_to)),
                pauses: concerning(&mut policy.pauses.iter().map(|pause| &pause.applies_to)),
                silenced_by_complaint: !silences.is_empty() && applies(silences, &action.id),
            }
        };
        Self(actions.iter().map(scope).collect())
    }

    /// What concerns this action.
    pub fn concerning(&self, action: ActionIndex) -> &Scope {
        &self.0[usize::from(action)]
    }
}

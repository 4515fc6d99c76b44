//! In which forms can an action be said at a placement, and what must be known for that? Worked out
//! once, because every decision asks it about every action.

use super::model::{Action, ActionIndex, AttributeIndex, Content, Placement, TemplatePart};
use crate::{candidate::PlacementIndex, id::Language};

/// The forms of all actions.
#[derive(Debug, Default)]
pub struct Forms {
    /// By placement, then by action.
    by_placement: Vec<Vec<Vec<Form>>>,
}

/// One form of an action at one placement.
#[derive(Debug)]
pub struct Form {
    /// Position among the action's treatments.
    pub treatment: u16,
    /// Per language of the organisation, in its order: the attributes that the texts name; `None` where it
    /// has no text.
    names: Vec<Option<Vec<AttributeIndex>>>,
}

impl Forms {
    /// The forms of these actions at these placements.
    pub fn of(actions: &[Action], placements: &[Placement], languages: &[Language]) -> Self {
        let at = |placement: &Placement, action: &Action| {
            let here = (0u16..).zip(&action.treatments).filter(|(_, form)| form.placement == placement.id);
            here.map(|(treatment, form)| Form {
                treatment,
                names: languages.iter().map(|language| form.content.get(language).map(names)).collect(),
            })
            .collect()
        };
        let of_placement = |placement| actions.iter().map(|action| at(placement, action)).collect();
        Self { by_placement: placements.iter().map(of_placement).collect() }
    }

    /// In the order of the file; empty when the action has none there.
    pub fn at(&self, placement: PlacementIndex, action: ActionIndex) -> &[Form] {
        &self.by_placement[usize::from(placement)][usize::from(action)]
    }
}

impl Form {
    /// The attributes that its texts name; `None` when it cannot be said in this language, a position
    /// among those of the organisation.
    pub fn names(&self, language: usize) -> Option<&[AttributeIndex]> {
        self.names.get(language)?.as_deref()
    }
}

fn names(content: &Content) -> Vec<AttributeIndex> {
    let parts = content.title.0.iter().chain(&content.body.0);
    parts
        .filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Attribute(index) => Some(*index),
        })
        .collect()
}

//! The story of one customer: what happened, what was said or not, and why, in the product's own words.

use super::drive::identifiers;
use decision::{explain, id::Language, record::Decision, strategy::Strategy};
use engine::{Engine, EngineError};
use serde::Serialize;

/// Most decisions read for a story.
const DECISIONS_MAX: usize = 1000;

/// One moment of the story.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chapter {
    /// The decision, for `attent explain`.
    pub decision: String,
    /// When, in the organisation's zone.
    pub at: String,
    /// Over which channel.
    pub channel: String,
    /// What was said; `None` is silence.
    pub action: Option<String>,
    /// Why, as the customer reads it.
    pub why: String,
}

/// Chapters from a customer's decisions, oldest first; empty when nobody is known by this number.
///
/// # Errors
/// The store cannot be read.
pub fn story(engine: &Engine, customer: usize, language: &Language) -> Result<Vec<Chapter>, EngineError> {
    let Some(id) = engine.find(&identifiers(customer))? else {
        return Ok(Vec::new());
    };
    let decisions = engine.decisions_of(id, DECISIONS_MAX)?;
    let mut chapters = Vec::new();
    for decision in &decisions {
        let published = engine.strategy_at(decision.strategy)?;
        chapters.extend(chapter(&published.strategy, decision, language));
    }
    Ok(chapters)
}

fn chapter(strategy: &Strategy, decision: &Decision, language: &Language) -> Option<Chapter> {
    let explanation = explain::explain(strategy, decision).ok()?;
    let said = decision.slots.iter().find_map(|slot| decision.fates.get(usize::from(slot.pick?)));
    Some(Chapter {
        decision: decision.id.to_string(),
        at: explanation.at.clone(),
        channel: decision.request.channel.as_str().to_owned(),
        action: said.map(|fate| strategy.actions[usize::from(fate.action)].id.as_str().to_owned()),
        why: explanation.customer(language).why.join(" "),
    })
}

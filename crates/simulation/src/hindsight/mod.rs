//! What would another strategy have been worth on the decisions that were really made?
//!
//! Every recorded decision is put to the other strategy with what its record says was read; the outcomes that
//! followed, and the probabilities with which everything was chosen, then tell what the other strategy would have
//! been worth ([`insight::off_policy`]). Only the store is read: what is not in it is unknown, and counted.
//!
//! A decision is valued in the situation that it met: that the other strategy would have left customers with
//! another history is not in the figures.

pub mod diet;
mod happenings;
mod moment;
mod report;
mod text;

pub use report::{
    Gained, Hindsight, Layer, LayerLine, Layers, Ledger, LedgerLine, LeftOut, Missing, Silence, Verdict,
    VolumeLine,
};

use decision::{Timestamp, inputs::Assignment, record::Decision, strategy::Strategy, what_if::Past};
use engine::{Engine, EngineError};
use happenings::Happenings;
use moment::{Contestant, Looked, look};
use report::Tally;
use std::sync::Arc;

/// Which decisions are valued, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// From this moment on.
    pub since: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// Whose values count.
    pub yardstick: Yardstick,
}

/// By whose values outcomes are counted; both strategies are held to the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yardstick {
    /// Of the strategy that decided; of the other one for what only that one has.
    Decided,
    /// Of the other strategy; of the one that decided for what only that one has.
    Other,
}

/// Values `other` against the strategies that decided. `progress` hears how many decisions have been read.
pub fn value(
    engine: &Engine,
    plan: Plan,
    other: &Strategy,
    progress: &mut dyn FnMut(u64),
) -> Result<Hindsight, EngineError> {
    let policies = [None, Some(Contestant { strategy: other, assignment: Assignment::Strategy })];
    let tally = gather(engine, plan, &policies, progress)?;
    Ok(tally.hindsight(other.version.to_string(), plan))
}

/// Values what each layer of the strategy that decided adds: chance among what is allowed, then eligibility
/// alone, propensity alone, everything but the levers, and the whole.
pub fn layers(engine: &Engine, plan: Plan, progress: &mut dyn FnMut(u64)) -> Result<Layers, EngineError> {
    let published = engine.published();
    let strategy = &published.strategy;
    let policies: Vec<_> = Layer::ALL
        .iter()
        .map(|layer| Some(Contestant { strategy, assignment: layer.assignment() }))
        .collect();
    let tally = gather(engine, plan, &policies, progress)?;
    Ok(tally.layers(plan))
}

/// Puts every decision to every policy; `None` is the strategy that decided.
fn gather(
    engine: &Engine,
    plan: Plan,
    policies: &[Option<Contestant<'_>>],
    progress: &mut dyn FnMut(u64),
) -> Result<Tally, EngineError> {
    let happenings = Happenings::of(engine)?;
    let complete_until = last_moment(engine, &happenings)?;
    let mut tally = Tally::new(policies.len());
    let mut read = 0;
    let mut last_model = None;
    engine.each_decision(plan.since, plan.until, &mut |record: Decision| {
        read += 1;
        progress(read);
        let decided_by = engine.strategy_at(record.strategy)?;
        if !engine.may_look_back(&decided_by.strategy, &record)? {
            tally.left_out.withdrawn += 1;
            return Ok(());
        }
        if last_model.as_ref().is_none_or(|(version, _)| *version != record.model) {
            last_model = Some((record.model, engine.model_at(record.model).ok().flatten()));
        }
        let model = last_model.as_ref().and_then(|(_, model)| model.clone());
        let model = model.as_deref().map(|model| model as &dyn learning::Predictor);
        let Ok(past) = Past::of(&decided_by.strategy, &record, model) else {
            tally.left_out.not_repeatable += 1;
            return Ok(());
        };
        match look(&past, &decided_by.strategy, policies, plan.yardstick, &happenings, complete_until) {
            Looked::Used(moment) => tally.add(*moment),
            Looked::ControlGroup => tally.left_out.control_group += 1,
            Looked::NothingDrawn => tally.left_out.nothing_drawn += 1,
            Looked::TooRecent { ready_ms } => tally.left_out.too_recent(ready_ms),
        }
        Ok(())
    })?;
    Ok(tally)
}

/// The last moment about which the store knows anything; outcomes after it are still to come.
fn last_moment(engine: &Engine, happenings: &Happenings) -> Result<i64, EngineError> {
    let decided = engine.last_decided()?.map_or(0, |at| at.as_millisecond());
    Ok(happenings.last_ms().max(decided))
}

/// A name that is kept many times.
type Name = Arc<str>;

//! What does an accepted letter mean? Said here a second time, in the witness's own words.

use super::{
    journal::wrong,
    letters::{Letter, Says},
    witness::Witness,
};
use decision::{Timestamp, id::DecisionId, invariant::Violation, strategy::ContactReport};
use engine::{Engine, OutcomeReport};

/// Tells the witness what a letter that was accepted at `now` means for the person it is about.
pub fn note(
    witness: &mut Witness,
    engine: &Engine,
    letter: &Letter,
    now: Timestamp,
) -> Result<(), Violation> {
    let (person, by) = (letter.person, letter.number);
    witness.begins_again(person, by);
    match &letter.says {
        Says::Statement { purpose, channel, status } => {
            witness.heard(person, by, purpose, *channel, *status);
        }
        Says::Event(report) => {
            let at = report.at.unwrap_or(now).min(now);
            let (outcome, event) = match report.event.as_str() {
                "complaint_opened" => ("complaint", None),
                "complaint_closed" => ("complaint_resolved", None),
                goal @ ("bought" | "read" | "repaired") => ("goal", Some(goal.to_owned())),
                _ => return Ok(()),
            };
            witness.happened(person, by, (outcome.to_owned(), event, None, at));
        }
        Says::Outcome { report, first } => note_outcome(witness, engine, letter, report, *first, now)?,
    }
    Ok(())
}

fn note_outcome(
    witness: &mut Witness,
    engine: &Engine,
    letter: &Letter,
    report: &OutcomeReport,
    first: (DecisionId, u16),
    now: Timestamp,
) -> Result<(), Violation> {
    let (person, by) = (letter.person, letter.number);
    let kept = engine.decision(first.0).map_err(|error| wrong("INV-3", error.to_string()))?;
    let Some(decision) = kept.filter(|decision| decision.customer.is_some()) else {
        return Ok(());
    };
    let pick = decision.slots.iter().find(|slot| slot.number == first.1).and_then(|slot| slot.pick);
    let pick = pick.ok_or_else(|| wrong("INV-12", "an outcome of silence was accepted"))?;
    let at = report.at.unwrap_or(now).min(now);
    let published = engine.published();
    let strategy = &published.strategy;
    let action = &strategy.actions[usize::from(decision.fates[usize::from(pick)].action)];
    let name = report.outcome.as_str();
    let counts_on = strategy.channel(decision.request.channel.as_str()).map(|channel| channel.counts_on);
    if name != "delivered" || counts_on == Some(ContactReport::Delivered) {
        witness.counted(person, by, first.0, first.1, at);
    }
    if matches!(name, "delivered" | "displayed") {
        return Ok(());
    }
    let about = Some(action.id.as_str().to_owned());
    witness.happened(person, by, (name.to_owned(), None, about.clone(), at));
    if strategy.goal_event(action).as_str() == name {
        witness.happened(person, by, ("goal".into(), Some(name.to_owned()), about, at));
    }
    Ok(())
}

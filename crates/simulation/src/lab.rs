//! What does the shipped code decide and learn, in any world that can write lines? A driver in any
//! language asks and reports on a virtual clock; every question goes through [`decision::decide`] whole, on a
//! strategy made from what the driver has named so far, and through the learner the engine uses.
//!
//! A decision sees everything reported before it. Deliberately absent: a store, customers, a real clock,
//! and any setting of the learner: there is one configuration, the shipped one.

mod catalogue;
mod message;

use catalogue::Catalogue;
use decision::{
    Timestamp,
    decide::{Worked, work_out},
    inputs::Inputs,
    record::{Decision, Effect, Slot},
    strategy::Strategy,
};
use engine::{declare, exposure, new_learner};
use learning::{Exposure, ExposureId, Learner, Row};
use message::{About, Answer, Decide, Message, Options, Outcome};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where the virtual clock starts: 2026-01-01T00:00:00Z, in milliseconds since 1970.
const START_MS: i64 = 1_767_225_600_000;
/// Where it ends, a century later.
const SPAN_MS: f64 = 3.15e12;
/// What keeps decisions apart when every outcome is known before the next one: the shortest window, and
/// the moment after it.
const APART_MS: i64 = 1_001;

/// What was asked, answered and reported.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// Decisions made.
    pub decisions: u64,
    /// Of which nothing was said.
    pub silences: u64,
    /// Decisions taken back.
    pub discarded: u64,
    /// Outcomes taken in.
    pub outcomes: u64,
    /// What they were worth, in euro.
    pub value: f64,
    /// Lines that could not be used.
    pub refused: u64,
}

/// One run.
pub struct Lab {
    options: Options,
    catalogue: Catalogue,
    strategy: Strategy,
    learner: Learner,
    decisions: BTreeMap<String, Made>,
    /// The last decision, displayed as soon as another line comes that does not take it back.
    fresh: Option<(String, Vec<Exposure>)>,
    t: f64,
    now_ms: i64,
    lines: u64,
    tally: Tally,
}

/// What must be known of a decision to take in its outcomes.
struct Made {
    /// What was said; after silence, whatever was withheld is credited.
    id: Option<ExposureId>,
    subject: u128,
    at_ms: i64,
    discarded: bool,
}

impl Default for Lab {
    fn default() -> Self {
        let (options, catalogue) = (Options::default(), Catalogue::default());
        let strategy = catalogue.strategy(&options).expect("the usual options make a strategy");
        Self {
            learner: new_learner(&strategy),
            options,
            catalogue,
            strategy,
            decisions: BTreeMap::new(),
            fresh: None,
            t: f64::NEG_INFINITY,
            now_ms: START_MS,
            lines: 0,
            tally: Tally::default(),
        }
    }
}

impl Lab {
    /// Takes in one line. The answer to a question, or what is wrong with a line; a line that cannot be used
    /// changes nothing. `None` when there is nothing to say.
    pub fn line(&mut self, line: &str) -> Option<String> {
        self.lines += 1;
        if line.trim().is_empty() {
            return None;
        }
        match self.message(line) {
            Ok(answer) => answer.map(|answer| json(&answer)),
            Err(error) => {
                self.tally.refused += 1;
                Some(json(&serde_json::json!({ "line": self.lines, "error": error })))
            }
        }
    }

    /// What was done so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn message(&mut self, line: &str) -> Result<Option<Answer>, String> {
        let message: Message = serde_json::from_str(line).map_err(|error| malformed(&error))?;
        let kinds = [
            message.options.is_some(),
            message.decide.is_some(),
            message.outcome.is_some(),
            message.discard.is_some(),
            message.advance.is_some(),
        ];
        if kinds.into_iter().filter(|given| *given).count() != 1 {
            return Err("say one of `options`, `decide`, `outcome`, `discard`, `advance`".to_owned());
        }
        if let Some(options) = message.options {
            return self.start(options).map(|()| None);
        }
        let (t, at_ms) = self.moment(message.t)?;
        let answer = if let Some(asked) = message.decide {
            Some(self.decide(&asked, at_ms)?)
        } else if let Some(outcome) = message.outcome {
            self.outcome(&outcome, at_ms)?;
            None
        } else if let Some(about) = message.discard {
            self.discard(&about)?;
            None
        } else {
            self.pass(at_ms);
            None
        };
        self.t = t;
        Ok(answer)
    }

    fn start(&mut self, options: Options) -> Result<(), String> {
        if self.t > f64::NEG_INFINITY || self.lines > 1 {
            return Err("`options` can only be the first line".to_owned());
        }
        let windows = options.outcomes.values().map(|side| side.window).chain([options.window]);
        if windows.into_iter().any(|window| !window.is_finite() || window < 0.0) {
            return Err("a window is a number, 0 or more".to_owned());
        }
        let strategy = self.catalogue.strategy(&options)?;
        self.learner = new_learner(&strategy);
        (self.strategy, self.options) = (strategy, options);
        Ok(())
    }

    /// The moment of a line, as told and on the clock.
    fn moment(&self, t: Option<f64>) -> Result<(f64, i64), String> {
        let t = t.ok_or("a line says its moment in `t`")?;
        let after_ms = t * self.options.unit.ms();
        if !(0.0..=SPAN_MS).contains(&after_ms) {
            return Err(format!("the moment `{t}` is not between 0 and a century"));
        }
        if t < self.t {
            return Err(format!("time runs back from `{}` to `{t}`", self.t));
        }
        Ok((t, self.now_ms.max(START_MS + after_ms as i64)))
    }

    /// What was decided last is displayed by now, and time passes.
    fn pass(&mut self, at_ms: i64) {
        for exposure in self.fresh.take().into_iter().flat_map(|(_, exposures)| exposures) {
            self.learner.apply(&Row::Exposure(exposure));
        }
        self.now_ms = at_ms;
        self.learner.advance(at_ms);
    }

    fn decide(&mut self, asked: &Decide, at_ms: i64) -> Result<Answer, String> {
        if self.catalogue.is_new(asked)? {
            let mut catalogue = self.catalogue.clone();
            catalogue.meet(asked);
            self.strategy = catalogue.strategy(&self.options)?;
            self.catalogue = catalogue;
            declare(&mut self.learner, &self.strategy);
        }
        let known_at_once = self.options.window == 0.0 && self.tally.decisions > 0;
        self.pass(if known_at_once { at_ms.max(self.now_ms + APART_MS) } else { at_ms });
        let at = Timestamp::from_millisecond(self.now_ms).map_err(|error| error.to_string())?;
        let inputs = Inputs {
            customer: None,
            household: None,
            quotas: &BTreeMap::new(),
            predictor: &self.learner,
            assignment: asked.assignment,
            experiments: &[],
            recorded_worth: None,
            adjustments: &[],
        };
        let request = self.catalogue.request(asked);
        let seed = self.options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(self.tally.decisions);
        let worked = work_out(&self.strategy, &inputs, &request, at, seed);
        let answer = self.answer(asked, &worked);
        let exposed = self.exposed(&worked.decision);
        let decision = worked.decision.id.0;
        let id = answer.action.is_some().then_some(ExposureId { decision, slot: 0 });
        let made = Made { id, subject: decision, at_ms: self.now_ms, discarded: false };
        self.decisions.insert(answer.decision.clone(), made);
        self.fresh = Some((answer.decision.clone(), exposed));
        self.tally.decisions += 1;
        self.tally.silences += u64::from(answer.action.is_none());
        Ok(answer)
    }

    fn answer(&self, asked: &Decide, worked: &Worked<'_>) -> Answer {
        let slot = &worked.decision.slots[0];
        let name = |candidate: u16| {
            let action = worked.decision.fates[usize::from(candidate)].action;
            self.catalogue.name(self.strategy.actions[usize::from(action)].id.as_str()).unwrap_or_default()
        };
        let mut probabilities: Map<String, Value> =
            asked.actions.iter().map(|offered| (offered.id.clone(), 0.0.into())).collect();
        for contender in &slot.contenders {
            probabilities
                .insert(name(contender.candidate).to_owned(), f64::from(contender.probability).into());
        }
        let (mut propensities, mut baselines) = (Map::new(), Map::new());
        for (index, candidate) in (0u16..).zip(&worked.candidates) {
            let Some(goal) = candidate.predictions.first() else {
                continue;
            };
            propensities.insert(name(index).to_owned(), f64::from(goal.probability).into());
            if let Some(baseline) = goal.baseline {
                baselines.insert(name(index).to_owned(), f64::from(baseline).into());
            }
        }
        Answer {
            decision: worked.decision.id.to_string(),
            action: slot.pick.map(|pick| name(pick).to_owned()),
            probability: picked_with(slot),
            probabilities,
            silence: f64::from(slot.silence),
            propensities,
            baselines,
        }
    }

    /// What a decision exposes the customer to when it is displayed.
    fn exposed(&self, decision: &Decision) -> Vec<Exposure> {
        let silence = decision.effects.iter().filter_map(|effect| match effect {
            Effect::ObserveSilence { slot, candidate } => Some((*slot, *candidate, false)),
            _ => None,
        });
        let said = decision.slots.iter().filter_map(|slot| Some((slot.number, slot.pick?, true)));
        said.chain(silence)
            .filter_map(|(slot, candidate, acted)| {
                exposure(&self.strategy, decision, slot, candidate, acted, self.now_ms)
            })
            .collect()
    }

    fn outcome(&mut self, outcome: &Outcome, at_ms: i64) -> Result<(), String> {
        let Some(made) = self.decisions.get(&outcome.decision) else {
            return Err(format!("no decision is called `{}`", outcome.decision));
        };
        if made.discarded {
            return Err(format!("decision `{}` was discarded", outcome.decision));
        }
        if !outcome.value.is_finite() {
            return Err("the value of an outcome is a number".to_owned());
        }
        let side = self.options.outcomes.get(&outcome.kind).map(|side| side.window);
        let goal = self.catalogue.goals(&self.options).contains(outcome.kind.as_str());
        let window = side.or(goal.then_some(self.options.window));
        let Some(window) = window else {
            return Err(format!("no outcome of kind `{}` is expected; name it in `options`", outcome.kind));
        };
        let within_ms = (window * self.options.unit.ms()).max(1e3).ceil();
        if (at_ms - made.at_ms) as f64 > within_ms {
            return Err(format!("`{}` came after its window", outcome.kind));
        }
        let row = Row::Outcome {
            at_ms,
            subject: made.subject,
            event: outcome.kind.as_str().into(),
            exposure: made.id,
        };
        self.pass(at_ms);
        self.learner.apply(&row);
        self.tally.outcomes += 1;
        self.tally.value += outcome.value;
        Ok(())
    }

    fn discard(&mut self, about: &About) -> Result<(), String> {
        let Some(made) = self.decisions.get_mut(&about.decision) else {
            return Err(format!("no decision is called `{}`", about.decision));
        };
        let newest = self.fresh.as_ref().is_some_and(|(name, _)| *name == about.decision);
        if !newest {
            return Err(format!("decision `{}` was displayed before this line", about.decision));
        }
        made.discarded = true;
        self.fresh = None;
        self.tally.discarded += 1;
        Ok(())
    }
}

fn picked_with(slot: &Slot) -> f64 {
    let picked = slot.contenders.iter().find(|contender| Some(contender.candidate) == slot.pick);
    f64::from(picked.map_or(slot.silence, |contender| contender.probability))
}

fn malformed(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
    format!("column {}: {what}", error.column())
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("an answer is plain data")
}

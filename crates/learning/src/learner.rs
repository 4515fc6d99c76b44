//! What does each row of the journal teach, and when? The fold from rows to a model.
//!
//! An exposure opens a window per expected outcome; silence adds negative weight as time passes, an
//! outcome adds one positive. Deliberately absent: recalibration of probabilities per channel, and
//! undoing what was learned: an erased row is gone after the next rebuild without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{Config, Prior, Stage};
use crate::delay::{Timing, Waiting, arrival_weight, owed};
use crate::expert::Observation;
use crate::features::Features;
use crate::model::{Lesson, Model, Settled};
use crate::pending::{Due, Early, EarlyOutcome, Open, Pending, State, Wait};
use crate::prediction::{Arms, ModelVersion, Prediction, Predictor};
use crate::rows::{Exposure, ExposureId, Row};
use crate::scoring;
use crate::snapshot::Snapshot;

/// Less silence than this is weighed at the next checkpoint.
const WEIGHT_MIN: f64 = 0.01;

/// How many rows, or parts of rows, taught nothing, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Exposures seen before.
    pub duplicate_exposures: u64,
    /// Outcomes whose exposure was credited with them before.
    pub duplicate_outcomes: u64,
    /// Outcomes dated after the end of the window.
    pub late_outcomes: u64,
    /// Outcomes for an exposure that does not expect them, or that was withdrawn.
    pub unexpected_outcomes: u64,
    /// Outcomes forgotten before any exposure arrived that expects them.
    pub unmatched_outcomes: u64,
    /// Expected outcomes with a window of 0 or less.
    pub invalid_windows: u64,
    /// Numbers that were NaN or infinite.
    pub non_finite_values: u64,
    /// Values without a column: all were taken.
    pub ignored_values: u64,
}

/// The state of the fold. The same calls in the same order give the same bytes; stored and read
/// back in between, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Kept")]
pub struct Learner {
    model: Model,
    timings: BTreeMap<Arc<str>, Timing>,
    pending: Pending,
    early: Early,
    rejected: Rejected,
    now_ms: i64,
}

/// The state as it was kept, before it is known that its parts fit together.
#[derive(Deserialize)]
struct Kept {
    model: Model,
    timings: BTreeMap<Arc<str>, Timing>,
    pending: Pending,
    early: Early,
    rejected: Rejected,
    now_ms: i64,
}

impl TryFrom<Kept> for Learner {
    type Error = &'static str;

    fn try_from(kept: Kept) -> Result<Self, Self::Error> {
        let Kept { model, timings, pending, early, rejected, now_ms } = kept;
        let sound = model.is_sound()
            && model.is_exact()
            && timings.values().all(Timing::is_sound)
            && pending.is_sound(|lesson| model.has_room_for(lesson))
            && early.is_sound();
        let learner = Self { model, timings, pending, early, rejected, now_ms };
        sound.then_some(learner).ok_or("what was learned is damaged: its parts do not fit together")
    }
}

impl Learner {
    /// Knows its prior and nothing else.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            model: Model::new(config),
            timings: BTreeMap::new(),
            pending: Pending::default(),
            early: Early::default(),
            rejected: Rejected::default(),
            now_ms: i64::MIN,
        }
    }

    /// The assumptions it started with, and those declared since.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.model.config
    }

    /// Declares the starting base rates of an action; an action that has some keeps them, so that what
    /// was learned relative to them stays true.
    pub fn declare(&mut self, action: Arc<str>, priors: Vec<Prior>) {
        self.model.config.action_priors.entry(action).or_insert(priors);
    }

    /// Declares that an outcome comes before another and tells something about it; once declared, it stays.
    pub fn declare_stage(&mut self, stage: Stage) {
        if !self.model.config.stages.contains(&stage) {
            self.model.config.stages.push(stage);
        }
    }

    /// Folds one row. Silence up to the row's time is weighed first; a row dated earlier than one
    /// before it is taken as it is, and the learner's time never runs back.
    pub fn apply(&mut self, row: &Row) {
        self.advance(row.at_ms());
        match row {
            Row::Exposure(exposure) => self.open(exposure),
            Row::Outcome { at_ms, subject, event, exposure } => self.outcome(EarlyOutcome {
                at_ms: *at_ms,
                subject: *subject,
                event: event.clone(),
                exposure: *exposure,
            }),
            Row::Withdrawal { subject, purpose, .. } => {
                self.pending.withdraw(*subject, purpose.as_deref());
                if purpose.is_none() {
                    self.early.withdraw(*subject);
                }
            }
        }
    }

    /// Weighs silence up to this time, the moment itself excluded, in order of due time. A call
    /// between rows is part of the fold: a rebuild repeats it at the same place.
    pub fn advance(&mut self, now_ms: i64) {
        if now_ms <= self.now_ms {
            return;
        }
        self.now_ms = now_ms;
        while let Some((id, due)) = self.pending.pop_due(now_ms) {
            match due {
                Due::Look(index) => self.look(id, index.into()),
                Due::Forget => self.pending.forget(id),
            }
        }
        self.rejected.unmatched_outcomes += self.early.expire(now_ms);
    }

    /// What was learned so far; what is still awaited is not in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.model.rounded())
    }

    /// What taught nothing, by reason.
    #[must_use]
    pub fn rejected(&self) -> Rejected {
        self.rejected
    }

    /// Exposures with an open window.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pending.open_count()
    }

    fn open(&mut self, exposure: &Exposure) {
        if self.pending.knows(exposure.id) {
            self.rejected.duplicate_exposures += 1;
            return;
        }
        let encoder = &mut self.model.encoder;
        encoder.observe(&exposure.features, &mut self.rejected);
        let inputs = encoder.encode(&exposure.features);
        let (action, channel) = (&exposure.action, &exposure.channel);
        let lesson = self.model.lesson(action, channel, exposure.acted, inputs);
        let waits = self.waits(exposure, &lesson);
        let longest_ms = waits.iter().map(|wait| wait.within_ms).max().unwrap_or(0);
        let forget_at_ms =
            exposure.at_ms.saturating_add(longest_ms).saturating_add(self.model.config.remember_ms);
        let open = Open {
            subject: exposure.subject,
            purpose: exposure.purpose.clone(),
            at_ms: exposure.at_ms,
            lesson,
            waits,
        };
        let fits = |outcome: &EarlyOutcome| {
            open.waits.iter().any(|wait| {
                wait.event == outcome.event
                    && part_of_window(outcome.at_ms, &open, wait)
                        .is_some_and(|part| (0.0..=1.0).contains(&part))
            })
        };
        let early = self.early.take(exposure.id, exposure.subject, fits);
        self.pending.insert(exposure.id, open, forget_at_ms);
        early.into_iter().for_each(|outcome| self.outcome(outcome));
    }

    fn waits(&mut self, exposure: &Exposure, lesson: &Lesson) -> Vec<Wait> {
        let mut waits = Vec::with_capacity(exposure.expected.len());
        for expected in &exposure.expected {
            if expected.within_ms <= 0 {
                self.rejected.invalid_windows += 1;
                continue;
            }
            let config = &self.model.config;
            if !self.timings.contains_key(&expected.outcome) {
                let timing = Timing::new(config.prior_probability(&expected.outcome));
                self.timings.insert(expected.outcome.clone(), timing);
            }
            waits.push(Wait {
                outcome: expected.outcome.clone(),
                event: expected.event.clone(),
                within_ms: expected.within_ms,
                waiting: Timing::waiting(expected.within_ms, config),
                state: State::Open,
                given: 0.0,
                foreseen: self.model.foreseen(&expected.outcome, lesson) as f32,
            });
        }
        waits
    }

    /// A checkpoint of this wait has come: silence that lasted is weighed.
    fn look(&mut self, id: ExposureId, index: usize) {
        let Some(open) = self.pending.get_mut(id) else {
            return;
        };
        if let State::Arrived { at_ms } = open.waits[index].state {
            self.teach_arrival(id, index, at_ms);
        }
        let Some(open) = self.pending.get_mut(id) else {
            return;
        };
        let wait = &mut open.waits[index];
        if matches!(wait.state, State::Stopped | State::Elapsed) {
            return;
        }
        if let Some(timing) = self.timings.get_mut(&wait.outcome) {
            timing.record_followed(wait.waiting);
            let arrived = timing.arrived_within(wait.waiting.next_look());
            let owed = owed(arrived, self.model.expected(&wait.outcome, &open.lesson));
            let weight = owed - wait.given;
            if wait.state == State::Open && (weight > WEIGHT_MIN || arrived >= 1.0) && weight > 0.0 {
                wait.given = owed;
                let silence = Observation { positive: false, weight };
                self.model.learn(&wait.outcome, &open.lesson, silence, weight);
            }
        }
        if wait.state == State::Open && wait.waiting.after_look().is_none() {
            self.model.settle(&wait.outcome, &open.lesson, wait.foreseen, Settled::Silent);
        }
        self.pending.look_again(id, index);
    }

    fn outcome(&mut self, outcome: EarlyOutcome) {
        match outcome.exposure {
            Some(id) if self.pending.knows(id) => self.credit_named(id, &outcome),
            Some(_) => self.remember(outcome),
            None => self.credit_last(outcome),
        }
    }

    fn remember(&mut self, outcome: EarlyOutcome) {
        let config = &self.model.config;
        let expires_ms = self.now_ms.saturating_add(config.remember_ms);
        let gone = self.early.remember(outcome, expires_ms, config.remember_count_max);
        self.rejected.unmatched_outcomes += gone;
    }

    fn credit_named(&mut self, id: ExposureId, outcome: &EarlyOutcome) {
        let Some(open) = self.pending.get(id) else {
            self.rejected.unexpected_outcomes += 1;
            return;
        };
        let expecting = expecting(open, &outcome.event);
        if expecting.is_empty() {
            self.rejected.unexpected_outcomes += 1;
        }
        for index in expecting {
            self.credit(id, index, outcome.at_ms);
        }
    }

    /// Credits the last displayed exposure that expects the event and is not done with it; when
    /// nothing was shown there, all that was withheld in the same decision. The others stop.
    fn credit_last(&mut self, outcome: EarlyOutcome) {
        let mut matches = Vec::new();
        let mut late = false;
        for id in self.pending.of_subject(outcome.subject, outcome.at_ms) {
            let Some(open) = self.pending.get(id) else {
                continue;
            };
            for index in expecting(open, &outcome.event) {
                let wait = &open.waits[index];
                if part_of_window(outcome.at_ms, open, wait).is_some_and(|part| part <= 1.0) {
                    matches.push((id, index, wait.state, open.lesson.acted));
                } else {
                    late = true;
                }
            }
        }
        let creditable = |state| matches!(state, State::Open | State::Elapsed);
        let last = matches.iter().find(|(_, _, state, _)| creditable(*state));
        let Some(&(last_id, _, _, acted)) = last else {
            match (matches.is_empty(), late) {
                (false, _) => self.rejected.duplicate_outcomes += 1,
                (true, true) => self.rejected.late_outcomes += 1,
                (true, false) => self.remember(outcome),
            }
            return;
        };
        for &(id, index, state, also_acted) in &matches {
            let withheld_together = !acted && !also_acted && id.decision == last_id.decision;
            if (id == last_id || withheld_together) && creditable(state) {
                self.credit(id, index, outcome.at_ms);
            } else if state == State::Open {
                self.stop(id, index);
            }
        }
    }

    fn stop(&mut self, id: ExposureId, index: usize) {
        if let Some(open) = self.pending.get_mut(id) {
            open.waits[index].state = State::Stopped;
        }
    }

    /// The outcome of this wait came. It is learned at the next checkpoint, beside the silences of the same age:
    /// taught at once, it would stand alone until then, and look too frequent.
    fn credit(&mut self, id: ExposureId, index: usize, at_ms: i64) {
        let Some(open) = self.pending.get_mut(id) else {
            return;
        };
        let part = part_of_window(at_ms, open, &open.waits[index]);
        let wait = &mut open.waits[index];
        if part.is_none_or(|part| part > 1.0) {
            self.rejected.late_outcomes += 1;
            return;
        }
        match wait.state {
            State::Credited | State::Arrived { .. } => self.rejected.duplicate_outcomes += 1,
            State::Open => wait.state = State::Arrived { at_ms },
            State::Elapsed | State::Stopped => self.teach_arrival(id, index, at_ms),
        }
    }

    /// One positive, and as much as takes back the negative weight that silence had gathered.
    fn teach_arrival(&mut self, id: ExposureId, index: usize, at_ms: i64) {
        let Some(open) = self.pending.get_mut(id) else {
            return;
        };
        let part = part_of_window(at_ms, open, &open.waits[index]);
        let wait = &mut open.waits[index];
        let settled = if wait.state == State::Elapsed { Settled::AfterAll } else { Settled::Happened };
        wait.state = State::Credited;
        self.model.settle(&wait.outcome, &open.lesson, wait.foreseen, settled);
        let exposures = 1.0 - wait.given;
        if let (Waiting::Incremental { .. }, Some(timing)) =
            (wait.waiting, self.timings.get_mut(&wait.outcome))
        {
            timing.record_delay(part.unwrap_or(1.0).clamp(0.0, 1.0));
        }
        let probability = self.model.expected(&wait.outcome, &open.lesson);
        let arrival = Observation { positive: true, weight: arrival_weight(wait.given, probability) };
        self.model.learn(&wait.outcome, &open.lesson, arrival, exposures);
    }
}

/// What it knows at this moment, without waiting for a snapshot: for a program that learns and asks row by
/// row. It has no version: nothing was published.
impl Predictor for Learner {
    fn predict(&self, features: &Features, arms: Arms<'_>) -> Vec<Prediction> {
        scoring::predict(&self.model, None, features, arms)
    }

    fn deviations(&self, features: &Features, arms: Arms<'_>) -> Vec<f32> {
        scoring::deviations(&self.model, features, arms)
    }

    fn version(&self) -> ModelVersion {
        ModelVersion::NONE
    }
}

fn expecting(open: &Open, event: &str) -> Vec<usize> {
    let waits = open.waits.iter().enumerate();
    waits.filter(|(_, wait)| &*wait.event == event).map(|(index, _)| index).collect()
}

/// How far into the window this time lies: 0 at the exposure, 1 at the end; `None` when the
/// distance in time cannot be expressed.
fn part_of_window(at_ms: i64, open: &Open, wait: &Wait) -> Option<f64> {
    let delay_ms = at_ms.checked_sub(open.at_ms)?;
    Some(delay_ms as f64 / wait.within_ms as f64)
}

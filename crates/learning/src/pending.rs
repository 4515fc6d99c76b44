//! What are we still waiting for? Exposures whose windows are open or were closed a short while
//! ago, and outcomes that came before their exposure.
//!
//! Deliberately absent: what an outcome teaches; this only keeps and finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::delay::Waiting;
use crate::model::Lesson;
use crate::rows::ExposureId;

/// How far a weight given in parts may be off by rounding.
const ROUNDING: f64 = 1e-6;

/// Where one expected outcome of an exposure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    /// Silence still adds negative weight.
    Open,
    /// The window ended in silence.
    Elapsed,
    /// Another exposure was credited.
    Stopped,
    /// The outcome came at this time, and is taught at the next checkpoint.
    Arrived { at_ms: i64 },
    /// The outcome came, and was taught.
    Credited,
}

/// One expected outcome of an exposure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wait {
    pub(crate) outcome: Arc<str>,
    pub(crate) event: Arc<str>,
    pub(crate) within_ms: i64,
    pub(crate) waiting: Waiting,
    pub(crate) state: State,
    /// Negative weight given so far, 0 to 1.
    pub(crate) given: f64,
    /// The probability expected when it was displayed.
    pub(crate) foreseen: f32,
}

impl Wait {
    fn is_sound(&self) -> bool {
        self.within_ms > 0
            && self.foreseen.is_finite()
            && self.waiting.is_sound()
            && (-ROUNDING..=1.0 + ROUNDING).contains(&self.given)
    }
}

/// An exposure that may still teach or be recognised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) subject: u128,
    pub(crate) purpose: Arc<str>,
    pub(crate) at_ms: i64,
    pub(crate) lesson: Lesson,
    pub(crate) waits: Vec<Wait>,
}

/// What is due for an exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Due {
    /// Silence of the wait with this index is weighed.
    Look(u16),
    /// The exposure, and with it the customer's key, is forgotten.
    Forget,
}

/// An exposure is held, or only the fact that it must not teach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Held {
    Open(Box<Open>),
    Withdrawn,
}

/// Exposures by id, by due time and by customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    held: BTreeMap<ExposureId, Held>,
    due: BTreeSet<(i64, ExposureId, Due)>,
    by_subject: BTreeMap<u128, BTreeSet<(i64, ExposureId)>>,
}

impl Pending {
    /// Whether everything that is due has a wait, and every wait could still be weighed.
    pub(crate) fn is_sound(&self, fits: impl Fn(&Lesson) -> bool) -> bool {
        let held = self.held.values().all(|held| match held {
            Held::Open(open) => fits(&open.lesson) && open.waits.iter().all(Wait::is_sound),
            Held::Withdrawn => true,
        });
        let due = |(_, id, due): &(i64, ExposureId, Due)| match (due, self.get(*id)) {
            (Due::Look(index), Some(open)) => usize::from(*index) < open.waits.len(),
            _ => true,
        };
        held && self.due.iter().all(due)
    }

    /// Whether the exposure was seen, also when it was withdrawn since.
    pub(crate) fn knows(&self, id: ExposureId) -> bool {
        self.held.contains_key(&id)
    }

    pub(crate) fn insert(&mut self, id: ExposureId, open: Open, forget_at_ms: i64) {
        for (index, wait) in open.waits.iter().enumerate() {
            let due = Due::Look(index as u16);
            self.due.insert((next_look_ms(open.at_ms, wait), id, due));
        }
        self.due.insert((forget_at_ms, id, Due::Forget));
        let mine = self.by_subject.entry(open.subject).or_default();
        mine.insert((open.at_ms, id));
        self.held.insert(id, Held::Open(Box::new(open)));
    }

    /// The earliest thing due strictly before this time: a window includes its last millisecond.
    pub(crate) fn pop_due(&mut self, before_ms: i64) -> Option<(ExposureId, Due)> {
        let first = self.due.first()?;
        if first.0 >= before_ms {
            return None;
        }
        self.due.pop_first().map(|(_, id, due)| (id, due))
    }

    /// Puts the wait at its next look, or ends it.
    pub(crate) fn look_again(&mut self, id: ExposureId, index: usize) {
        let Some(Held::Open(open)) = self.held.get_mut(&id) else {
            return;
        };
        let wait = &mut open.waits[index];
        match wait.waiting.after_look() {
            Some(waiting) => {
                wait.waiting = waiting;
                let due = Due::Look(index as u16);
                self.due.insert((next_look_ms(open.at_ms, wait), id, due));
            }
            None if wait.state == State::Open => wait.state = State::Elapsed,
            None => {}
        }
    }

    pub(crate) fn get_mut(&mut self, id: ExposureId) -> Option<&mut Open> {
        match self.held.get_mut(&id) {
            Some(Held::Open(open)) => Some(open),
            _ => None,
        }
    }

    pub(crate) fn get(&self, id: ExposureId) -> Option<&Open> {
        match self.held.get(&id) {
            Some(Held::Open(open)) => Some(open),
            _ => None,
        }
    }

    /// The customer's exposures displayed at or before this time, the last one first.
    pub(crate) fn of_subject(&self, subject: u128, until_ms: i64) -> Vec<ExposureId> {
        let Some(mine) = self.by_subject.get(&subject) else {
            return Vec::new();
        };
        mine.iter().rev().filter(|(at_ms, _)| *at_ms <= until_ms).map(|(_, id)| *id).collect()
    }

    pub(crate) fn forget(&mut self, id: ExposureId) {
        if let Some(Held::Open(open)) = self.held.remove(&id) {
            self.detach(id, &open);
        }
    }

    /// Drops the subject's exposures (under the purpose); they stay known, so that a repeated row
    /// does not bring them back.
    pub(crate) fn withdraw(&mut self, subject: u128, purpose: Option<&str>) {
        for id in self.of_subject(subject, i64::MAX) {
            let Some(Held::Open(open)) = self.held.get(&id) else {
                continue;
            };
            if purpose.is_none_or(|purpose| purpose == &*open.purpose)
                && let Some(Held::Open(open)) = self.held.insert(id, Held::Withdrawn)
            {
                self.detach(id, &open);
            }
        }
    }

    fn detach(&mut self, id: ExposureId, open: &Open) {
        if let Some(mine) = self.by_subject.get_mut(&open.subject) {
            mine.remove(&(open.at_ms, id));
            if mine.is_empty() {
                self.by_subject.remove(&open.subject);
            }
        }
    }

    /// Exposures of which at least one outcome may still come.
    pub(crate) fn open_count(&self) -> usize {
        let open = |held: &&Held| match held {
            Held::Open(open) => open.waits.iter().any(|wait| wait.state == State::Open),
            Held::Withdrawn => false,
        };
        self.held.values().filter(open).count()
    }
}

fn next_look_ms(at_ms: i64, wait: &Wait) -> i64 {
    let after_ms = (wait.within_ms as f64 * wait.waiting.next_look()) as i64;
    at_ms.saturating_add(after_ms)
}

/// An outcome whose exposure has not arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EarlyOutcome {
    pub(crate) at_ms: i64,
    pub(crate) subject: u128,
    pub(crate) event: Arc<str>,
    pub(crate) exposure: Option<ExposureId>,
}

/// How an exposure finds outcomes that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum EarlyKey {
    Exposure(ExposureId),
    Subject(u128),
}

impl EarlyKey {
    fn of(outcome: &EarlyOutcome) -> Self {
        outcome.exposure.map_or(Self::Subject(outcome.subject), Self::Exposure)
    }
}

/// Outcomes kept for a bounded time and in a bounded number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Early {
    outcomes: BTreeMap<(EarlyKey, u64), EarlyOutcome>,
    /// Order of expiry: time, then order of arrival.
    expiry: BTreeMap<(i64, u64), EarlyKey>,
    arrivals: u64,
}

impl Early {
    /// Whether every outcome expires, under an arrival of its own that was handed out.
    pub(crate) fn is_sound(&self) -> bool {
        let expiring: BTreeMap<u64, EarlyKey> =
            self.expiry.iter().map(|((_, arrival), key)| (*arrival, *key)).collect();
        let last = expiring.last_key_value().map_or(0, |(arrival, _)| *arrival);
        expiring.len() == self.expiry.len()
            && last <= self.arrivals
            && self.arrivals < u64::MAX / 2
            && self.outcomes.keys().all(|(key, arrival)| expiring.get(arrival) == Some(key))
    }

    /// Remembers the outcome; returns how many older ones had to give way.
    pub(crate) fn remember(&mut self, outcome: EarlyOutcome, expires_ms: i64, count_max: usize) -> u64 {
        let key = EarlyKey::of(&outcome);
        self.arrivals += 1;
        self.outcomes.insert((key, self.arrivals), outcome);
        self.expiry.insert((expires_ms, self.arrivals), key);
        let mut gone = 0;
        while self.outcomes.len() > count_max {
            gone += self.drop_first();
        }
        gone
    }

    /// Forgets what expired; returns how many.
    pub(crate) fn expire(&mut self, now_ms: i64) -> u64 {
        let mut gone = 0;
        while self.expiry.first_key_value().is_some_and(|((expires_ms, _), _)| *expires_ms < now_ms) {
            gone += self.drop_first();
        }
        gone
    }

    fn drop_first(&mut self) -> u64 {
        let Some(((_, arrival), key)) = self.expiry.pop_first() else {
            return 0;
        };
        u64::from(self.outcomes.remove(&(key, arrival)).is_some())
    }

    /// Takes out, in order of arrival, the outcomes that name this exposure, and those of its
    /// customer for which `fits` holds.
    pub(crate) fn take(
        &mut self,
        id: ExposureId,
        subject: u128,
        fits: impl Fn(&EarlyOutcome) -> bool,
    ) -> Vec<EarlyOutcome> {
        let named = self.range(EarlyKey::Exposure(id)).collect::<Vec<_>>();
        let own =
            self.range(EarlyKey::Subject(subject)).filter(|key| self.outcomes.get(key).is_some_and(&fits));
        let mut keys: Vec<_> = named.into_iter().chain(own).collect();
        keys.sort_by_key(|(_, arrival)| *arrival);
        keys.iter().filter_map(|key| self.outcomes.remove(key)).collect()
    }

    fn range(&self, key: EarlyKey) -> impl Iterator<Item = (EarlyKey, u64)> + '_ {
        let keys = self.outcomes.range((key, 0)..=(key, u64::MAX));
        keys.map(|(key, _)| *key)
    }

    /// Forgets a subject's outcomes.
    pub(crate) fn withdraw(&mut self, subject: u128) {
        self.outcomes.retain(|_, outcome| outcome.subject != subject);
    }
}

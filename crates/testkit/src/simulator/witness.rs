//! Who remembers what was promised? The witness: a small, obvious model of every person over time.
//!
//! It knows what each client was told and nothing of how the engine works. A fact is *queued* when the engine
//! accepted it (the next decision must heed it), *sure* once its ticket resolved (it must survive anything),
//! and *unsure* when a crash came first (it may have survived: nothing is claimed about it until the client
//! has sent it again). Promises are checked against queued and sure facts only.

use super::{
    journal::{self, wrong},
    letters::{Letter, Says},
    organisation::{LIMITS, VOUCHER, VOUCHERS},
};
use decision::{
    Duration, Timestamp,
    id::DecisionId,
    invariant::Violation,
    profile::{ConsentStatus, ContactHistory},
    record::Decision,
    strategy::{Class, Strategy},
};
use engine::{
    Engine, Identifier,
    storage::{Read, Store, Table},
};
use std::collections::{BTreeMap, BTreeSet};

type Checked = Result<(), Violation>;

/// How certain a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Accepted since the last start; must be heeded.
    Queued,
    /// Acknowledged; must survive.
    Sure,
    /// A crash came before the acknowledgement.
    Unsure,
}

/// A statement about a purpose.
struct Heard {
    by: u64,
    purpose: &'static str,
    channel: Option<&'static str>,
    status: ConsentStatus,
}

/// A contact that a decision made.
struct Contact {
    by: u64,
    decision: DecisionId,
    slot: u16,
    action: String,
    channel: String,
    at: Timestamp,
    until: Timestamp,
    /// Reports that made it count: by which letter, and when.
    counted: Vec<(u64, Timestamp)>,
}

/// Something that happened: what, of which event, about which action, when.
type Happened = (String, Option<String>, Option<String>, Timestamp);

/// One person as the outside world knows them.
#[derive(Default)]
pub struct Person {
    /// By what they are known.
    pub identifiers: Vec<Identifier>,
    /// A text that occurs in everything personal they send.
    pub marker: String,
    /// The erasure that is not certain yet.
    pub erasing: Option<u64>,
    letters: BTreeSet<u64>,
    heard: Vec<Heard>,
    contacts: Vec<Contact>,
    happened: Vec<(u64, Happened)>,
    erased_markers: Vec<String>,
}

impl Person {
    /// Somebody nobody has heard of yet.
    pub fn new(identifiers: Vec<Identifier>, marker: String) -> Self {
        Self { identifiers, marker, ..Self::default() }
    }
}

/// A decision that was answered, or soon will be.
pub struct Answered {
    /// Its number among everything sent.
    pub by: u64,
    /// Its id.
    pub id: DecisionId,
    /// To whom.
    pub person: usize,
    /// Slots in which something new was said, with the first decision that said it.
    pub said: Vec<(u16, DecisionId, u16)>,
    bytes: Vec<u8>,
    personal: bool,
    erased: bool,
    vouchers: u64,
}

/// Everything that was promised.
#[derive(Default)]
pub struct Witness {
    /// The persons.
    pub persons: Vec<Person>,
    /// Decisions, oldest first.
    pub answers: Vec<Answered>,
    /// Whether anything was withdrawn or erased, so that a rebuilt model may differ.
    pub masked: bool,
    /// Slots filled.
    pub said: u64,
    standings: BTreeMap<u64, Standing>,
    unlearned: bool,
}

impl Witness {
    /// How certain something is; `None` when it was never accepted.
    pub fn standing(&self, by: u64) -> Option<Standing> {
        self.standings.get(&by).copied()
    }

    fn holds(&self, by: u64) -> bool {
        matches!(self.standing(by), Some(Standing::Queued | Standing::Sure))
    }

    /// Its ticket resolved.
    pub fn acknowledged(&mut self, by: u64) {
        self.standings.insert(by, Standing::Sure);
    }

    /// INV-12: what was accepted before is a duplicate now, and what is new is not.
    pub fn accepted(&mut self, by: u64, duplicate: bool) -> Checked {
        let known = self.standing(by);
        self.standings
            .insert(by, if known == Some(Standing::Sure) { Standing::Sure } else { Standing::Queued });
        match (known, duplicate) {
            (Some(Standing::Queued | Standing::Sure), false) => Err(wrong("INV-12", "a report counts again")),
            (None, true) => Err(wrong("INV-12", "a report that was never sent is taken for a duplicate")),
            _ => Ok(()),
        }
    }

    /// Whether the engine certainly knows this person.
    pub fn is_known(&self, person: usize) -> bool {
        self.persons[person].letters.iter().any(|by| self.holds(*by))
    }

    /// Whether the letter reports on a decision that was about nobody.
    pub fn about_nobody(&self, letter: &Letter) -> bool {
        let Says::Outcome { first, .. } = &letter.says else {
            return false;
        };
        self.answers.iter().any(|answer| answer.id == first.0 && !answer.personal)
    }

    /// The model was built again: from now on it knows nothing of those erased before.
    pub fn rebuilt(&mut self) {
        self.unlearned = true;
    }

    /// An erasure that a crash had undone is done after all: the model may still know of them.
    pub fn must_unlearn(&mut self) {
        self.unlearned = false;
    }

    /// By this letter the person became known.
    pub fn introduced(&mut self, person: usize, by: u64) {
        self.persons[person].letters.insert(by);
    }

    /// A statement about a purpose was accepted.
    pub fn heard(
        &mut self,
        person: usize,
        by: u64,
        purpose: &'static str,
        channel: Option<&'static str>,
        status: ConsentStatus,
    ) {
        self.masked |= status != ConsentStatus::Given;
        self.persons[person].heard.push(Heard { by, purpose, channel, status });
    }

    /// Whether this person said something about the purpose after that.
    pub fn heard_since(&self, person: usize, by: u64, purpose: &str) -> bool {
        self.persons[person].heard.iter().any(|heard| heard.purpose == purpose && heard.by > by)
    }

    /// What was accepted before did not survive: it is accepted anew.
    pub fn begins_again(&mut self, person: usize, by: u64) {
        let person = &mut self.persons[person];
        person.happened.retain(|(other, _)| *other != by);
        person.contacts.iter_mut().for_each(|contact| contact.counted.retain(|(other, _)| *other != by));
    }

    /// Something happened to a person.
    pub fn happened(&mut self, person: usize, by: u64, what: Happened) {
        self.persons[person].happened.push((by, what));
    }

    /// A report made a contact count.
    pub fn counted(&mut self, person: usize, by: u64, decision: DecisionId, slot: u16, at: Timestamp) {
        let mine = |contact: &&mut Contact| contact.decision == decision && contact.slot == slot;
        if let Some(contact) = self.persons[person].contacts.iter_mut().find(mine) {
            contact.counted.push((by, at));
        }
    }

    /// Whether nothing may be said or learned for this purpose: the last certain word about it was no,
    /// and no later yes may have survived.
    pub fn withheld(&self, person: usize, purpose: &str, channel: &str) -> bool {
        let heard = &self.persons[person].heard;
        [None, Some(channel)].into_iter().any(|scope| {
            let about = heard.iter().filter(|heard| heard.purpose == purpose && heard.channel == scope);
            about.fold(false, |no, heard| match heard.status {
                ConsentStatus::Given => false,
                ConsentStatus::Objected => no || self.holds(heard.by),
                _ => no || (purpose == "offers" && self.holds(heard.by)),
            })
        })
    }

    /// Checks a decision against everything known about the person, and remembers it.
    pub fn decided(
        &mut self,
        person: usize,
        by: u64,
        at: Timestamp,
        strategy: &Strategy,
        decision: &Decision,
    ) -> Checked {
        decision::invariant::check(strategy, decision)?;
        self.recognised(person, decision)?;
        let until = |channel: &str| {
            let reservation = strategy.channel(channel).map_or(Duration::ZERO, |channel| channel.reservation);
            at.saturating_add(reservation).unwrap_or(Timestamp::MAX)
        };
        let channel = decision.request.channel.as_str();
        let mut answered = Answered {
            by,
            id: decision.id,
            person,
            said: Vec::new(),
            bytes: decision.encode(),
            personal: decision.customer.is_some(),
            erased: false,
            vouchers: 0,
        };
        for slot in &decision.slots {
            let Some(pick) = slot.pick else { continue };
            let action = &strategy.actions[usize::from(decision.fates[usize::from(pick)].action)];
            let path = action.id.as_str();
            self.said += 1;
            if decision.customer.is_some() {
                let purpose = strategy.purposes[usize::from(action.purpose)].id.as_str();
                self.may_say(
                    person,
                    at,
                    channel,
                    purpose,
                    path,
                    strategy.goal_event(action).as_str(),
                    action.goal.closed_for,
                )?;
            }
            let original =
                slot.reuses.map_or((decision.id, slot.number), |reuse| (reuse.decision, reuse.slot));
            answered.said.push((slot.number, original.0, original.1));
            if slot.reuses.is_some() {
                continue;
            }
            if action.class == Class::Normal {
                self.within_limits(person, at, channel, path)?;
            }
            answered.vouchers += u64::from(path == VOUCHER);
            if decision.customer.is_some() {
                self.persons[person].contacts.push(Contact {
                    by,
                    decision: decision.id,
                    slot: slot.number,
                    action: path.to_owned(),
                    channel: channel.to_owned(),
                    at,
                    until: until(channel),
                    counted: Vec::new(),
                });
            }
            // Later slots of this decision count this one.
            self.standings.insert(by, Standing::Queued);
        }
        self.standings.insert(by, Standing::Queued);
        self.answers.push(answered);
        let used = self.vouchers();
        match used > VOUCHERS {
            true => Err(wrong("INV-10", format!("{used} vouchers of {VOUCHERS}"))),
            false => Ok(()),
        }
    }

    fn vouchers(&self) -> u64 {
        self.answers.iter().filter(|answer| self.holds(answer.by)).map(|answer| answer.vouchers).sum()
    }

    fn recognised(&self, person: usize, decision: &Decision) -> Checked {
        let letters = &self.persons[person].letters;
        match decision.customer {
            None if self.is_known(person) => {
                Err(wrong("INV-3", "what was accepted of this person is not known"))
            }
            Some(_) if letters.is_empty() => Err(wrong("INV-9", "somebody who was erased is recognised")),
            _ => Ok(()),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one action in one situation")]
    fn may_say(
        &self,
        person: usize,
        at: Timestamp,
        channel: &str,
        purpose: &str,
        action: &str,
        goal: &str,
        closed_for: Duration,
    ) -> Checked {
        let no = |what: &str| Err(wrong("INV-4", format!("`{action}` is said {what}")));
        let person_heard = &self.persons[person].heard;
        if self.withheld(person, purpose, channel) {
            return no("after an acknowledged no");
        }
        let given = |heard: &Heard| heard.purpose == purpose && heard.status == ConsentStatus::Given;
        if purpose == "offers" && !person_heard.iter().any(given) {
            return no("without consent");
        }
        let happened = &self.persons[person].happened;
        let since = |moment: Timestamp| at.duration_since(moment);
        let certain = || happened.iter().filter(|(by, _)| self.holds(*by)).map(|(_, fact)| fact);
        let month = Duration::from_hours(30 * 24);
        if certain().any(|(what, _, about, when)| {
            what == "rejected" && about.as_deref() == Some(action) && since(*when) < month
        }) {
            return no("after it was rejected");
        }
        if certain().any(|(what, event, _, when)| {
            what == "goal" && event.as_deref() == Some(goal) && since(*when) < closed_for
        }) {
            return no("after its goal was reached");
        }
        let complaint = certain().filter(|(what, ..)| what == "complaint").map(|fact| fact.3).max();
        let resolved =
            happened.iter().filter(|(_, fact)| fact.0 == "complaint_resolved").map(|(_, fact)| fact.3).max();
        if action.starts_with("sales/") && complaint.is_some_and(|complaint| resolved < Some(complaint)) {
            return no("while a complaint is open");
        }
        Ok(())
    }

    fn within_limits(&self, person: usize, at: Timestamp, channel: &str, action: &str) -> Checked {
        for (id, on, per_action, at_most, hours) in LIMITS {
            if on.is_some_and(|on| on != channel) {
                continue;
            }
            let start = at - Duration::from_hours(hours);
            let contacts = self.persons[person].contacts.iter().filter(|contact| {
                on.is_none_or(|on| contact.channel == on)
                    && (!per_action || contact.action == action)
                    && self.takes_attention(contact, start, at)
            });
            let made = contacts.count();
            if made >= at_most {
                return Err(wrong("INV-10", format!("`{id}` allows {at_most}, and {made} were made before")));
            }
        }
        Ok(())
    }

    /// Whether the contact certainly counts at `at` in a window from `start`.
    fn takes_attention(&self, contact: &Contact, start: Timestamp, at: Timestamp) -> bool {
        let counted = contact.counted.iter().any(|(by, _)| self.holds(*by));
        let in_window = contact.counted.iter().all(|(_, when)| *when > start);
        self.holds(contact.by)
            && in_window
            && if counted { true } else { contact.at > start && contact.until > at }
    }

    /// A person asked to be forgotten, and was: at once, as far as they can see.
    pub fn erased(&mut self, person: usize, by: u64, marker: String) {
        (self.masked, self.unlearned) = (true, false);
        let gone = &mut self.persons[person];
        gone.erased_markers.push(std::mem::replace(&mut gone.marker, marker));
        gone.letters.clear();
        gone.heard.clear();
        gone.contacts.clear();
        gone.happened.clear();
        gone.erasing = Some(by);
        let own = |answer: &&mut Answered| answer.person == person && answer.personal;
        self.answers.iter_mut().filter(own).for_each(|answer| answer.erased = true);
        self.standings.insert(by, Standing::Queued);
    }

    /// The store started again on what survived. INV-3: everything acknowledged is there.
    pub fn restarted(&mut self, engine: &Engine) -> Checked {
        for standing in self.standings.values_mut().filter(|standing| **standing == Standing::Queued) {
            *standing = Standing::Unsure;
        }
        self.answers_are_kept(engine)?;
        let lost: BTreeSet<u64> =
            self.answers.iter().filter(|answer| !self.holds(answer.by)).map(|answer| answer.by).collect();
        self.answers.retain(|answer| !lost.contains(&answer.by));
        for person in &mut self.persons {
            person.contacts.retain(|contact| !lost.contains(&contact.by));
        }
        Ok(())
    }

    /// INV-3 and INV-9: an acknowledged decision is read back as it was, an erased person's not at all.
    /// What was unsure and is there is sure from now on.
    fn answers_are_kept(&mut self, engine: &Engine) -> Checked {
        for answer in &self.answers {
            let kept = engine.decision(answer.id).map_err(|error| wrong("INV-3", error.to_string()))?;
            let erased = answer.erased && self.persons[answer.person].erasing.is_none();
            match (&kept, self.standing(answer.by)) {
                (Some(_), _) if erased => {
                    return Err(wrong("INV-9", "a decision of an erased person is read back"));
                }
                (None, Some(Standing::Sure | Standing::Queued)) if !answer.erased => {
                    return Err(wrong("INV-3", "an acknowledged decision is gone"));
                }
                (Some(decision), _) if decision.encode() != answer.bytes => {
                    return Err(wrong("INV-3", "a decision changed after it was answered"));
                }
                (Some(_), Some(Standing::Unsure)) => {
                    self.standings.insert(answer.by, Standing::Sure);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Everything is durable and everybody has been answered: now all of it must add up.
    pub fn all_is_quiet(&mut self, engine: &Engine, store: &dyn Store) -> Checked {
        self.answers_are_kept(engine)?;
        for person in &self.persons {
            self.history_adds_up(engine, person)?;
        }
        self.nothing_of_the_erased_is_left(store)?;
        self.vouchers_add_up(store)?;
        let entries = store.journal(0, usize::MAX).map_err(|error| wrong("journal", error.to_string()))?;
        journal::check(&journal::read(&entries)?)
    }

    /// INV-12, seen from the customer: every report is there once.
    fn history_adds_up(&self, engine: &Engine, person: &Person) -> Checked {
        let state =
            engine.customer(&person.identifiers).map_err(|error| wrong("INV-3", error.to_string()))?;
        let history = state.map_or_else(ContactHistory::default, |state| state.customer.history);
        let mut found: Vec<Happened> = history
            .outcomes
            .iter()
            .map(|outcome| {
                let event = outcome.event.as_ref().map(|event| event.as_str().to_owned());
                let action = outcome.action.as_ref().map(|action| action.as_str().to_owned());
                (outcome.outcome.as_str().to_owned(), event, action, outcome.at)
            })
            .collect();
        for (by, fact) in &person.happened {
            match found.iter().position(|other| other == fact) {
                Some(position) => drop(found.swap_remove(position)),
                None if self.holds(*by) => {
                    return Err(wrong("INV-12", format!("`{}` was acknowledged and does not count", fact.0)));
                }
                None => {}
            }
        }
        match found.first() {
            Some(extra) => Err(wrong("INV-12", format!("`{}` counts more often than it was sent", extra.0))),
            None => Ok(()),
        }
    }

    /// INV-9 at the store: no readable row holds anything an erased person sent. The learner forgets with the
    /// next rebuild; the models it published before that expire.
    fn nothing_of_the_erased_is_left(&self, store: &dyn Store) -> Checked {
        let done = self.persons.iter().filter(|person| person.erasing.is_none());
        let markers: Vec<&[u8]> =
            done.flat_map(|person| person.erased_markers.iter().map(|marker| marker.as_bytes())).collect();
        if markers.is_empty() {
            return Ok(());
        }
        let shows = |bytes: &[u8]| {
            markers.iter().any(|marker| bytes.windows(marker.len()).any(|window| window == *marker))
        };
        for table in Table::ALL {
            let rows = store.scan(*table, &[], None, usize::MAX);
            let rows = rows.map_err(|error| wrong("INV-9", error.to_string()))?;
            let concerned = |key: &[u8]| *table != Table::Meta || (self.unlearned && key == b"learner");
            if rows.iter().any(|(key, value)| concerned(key) && (shows(key) || shows(value))) {
                return Err(wrong("INV-9", format!("`{}` shows what an erased person sent", table.name())));
            }
        }
        Ok(())
    }

    /// INV-10 the other way round: what nobody was told is not taken from the volume.
    fn vouchers_add_up(&self, store: &dyn Store) -> Checked {
        let read = Read::new(Table::Quota, VOUCHER);
        let rows = store.get(&[read]).map_err(|error| wrong("INV-10", error.to_string()))?;
        let left = match rows[0].value().and_then(|bytes| bytes.split_first()) {
            Some((_, body)) => {
                postcard::from_bytes::<u64>(body).map_err(|error| wrong("INV-10", error.to_string()))?
            }
            None => VOUCHERS,
        };
        let used = self.vouchers();
        match left + used == VOUCHERS {
            true => Ok(()),
            false => Err(wrong("INV-10", format!("{used} vouchers used, {left} of {VOUCHERS} left"))),
        }
    }
}

//! What would we have decided then, with what was known then? Real customers, contacts and outcomes pass in
//! order of time through the real engine; before each occasion's contacts it decides for everybody.
//!
//! Decisions are dry runs: they leave no trace. The engine learns only from what was really sent and
//! happened. Where chance chose the real contacts, and its probabilities are known, the value of a policy is
//! estimated; where nobody knows what chose them, none is claimed.

mod drift;
mod measure;
mod occasion;
mod page;
mod report;
mod worth;

pub use measure::{AttributeUse, Measured, Spared, measure};
pub use occasion::Occasion;
pub use page::page;
pub use report::{json, text};

use crate::import::{self, Feed, Gathered, Happened, Item, Mapping};
use decision::{
    Timestamp,
    candidate::Step,
    id::ActionId,
    inputs::Assignment,
    record::{Decision, SilenceReason},
    request::Request,
};
use engine::{Ask, Engine, EngineError, Identifier, PastContact};
use jiff::tz::TimeZone;
use learning::{Features, Predictor, Snapshot};
use occasion::Made;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// What happened on one occasion.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Held {
    /// The occasion.
    pub occasion: String,
    /// Decisions.
    pub decisions: u64,
    /// In how many something would have been said.
    pub said: u64,
    /// Contacts really made.
    pub sent: u64,
    /// When.
    pub at: Timestamp,
}

/// One contact that was really made, with what was expected of it just before.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Position of the occasion in [`Backtest::held`].
    pub occasion: usize,
    /// When.
    pub at: Timestamp,
    /// What was said.
    pub action: ActionId,
    /// What the model knew.
    pub features: Features,
    /// Whether it is scored.
    pub scored: bool,
    /// The model's probability of the goal.
    pub probability: f64,
    /// The same with one attribute hidden, for each that was known.
    pub hidden: BTreeMap<String, f64>,
    /// Whether the goal was reached within its window.
    pub answered: bool,
    /// Whether we would have said it too.
    pub said: bool,
}

/// One customer on one occasion, of whom it is known with which probability chance chose what was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Who.
    pub who: Identifier,
    /// What was said; `None` is silence.
    pub done: Option<ActionId>,
    /// With which probability that was drawn.
    pub probability: f64,
    /// With which probability we would have done the same.
    pub ours: f64,
    /// Whether the goal was reached within its window.
    pub answered: bool,
    /// Whether it is scored.
    pub scored: bool,
}

/// A finished backtest.
#[derive(Debug, Clone)]
pub struct Backtest {
    /// What the data are.
    pub name: String,
    /// Customers known at the end.
    pub customers: usize,
    /// Every occasion, in order of time.
    pub held: Vec<Held>,
    /// Why nothing would have been said, and how often.
    pub silences: BTreeMap<String, u64>,
    /// Every contact really made on an occasion.
    pub sent: Vec<Sent>,
    /// Everything that chance chose with a known probability.
    pub drawn: Vec<Drawn>,
    /// Contacts made on no occasion or with a purpose without basis; they are not scored.
    pub not_scorable: u64,
    /// Time spent deciding.
    pub deciding: Duration,
    /// Of the organisation.
    zone: TimeZone,
}

/// Why a backtest could not run.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The mapping or the files.
    #[error("{0}")]
    Input(String),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Runs through all rows. `each` hears of every decision, `progress` of every occasion.
pub fn run(
    gathered: &mut Gathered,
    mapping: &Mapping,
    engine: &Engine,
    each: &mut dyn FnMut(&Occasion, &Decision),
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Backtest, Trouble> {
    let question =
        mapping.backtest.as_ref().ok_or_else(|| Trouble::Input("the mapping has no `[backtest]`".into()))?;
    let occasions = occasion::all(question, gathered, engine).map_err(Trouble::Input)?;
    let mut running = Running {
        engine,
        feed: Feed::new(engine, mapping),
        known: BTreeSet::new(),
        answers: answers(&gathered.items),
        ours: BTreeMap::new(),
        backtest: Backtest::new(mapping, engine.published().strategy.organisation.time_zone.clone()),
    };
    let mut items = gathered.items.iter().peekable();
    for (number, occasion) in occasions.iter().enumerate() {
        while let Some(item) = items.next_if(|item| item.at < occasion.at) {
            running.pass(item, &mut gathered.tally)?;
        }
        running.feed.settle()?;
        engine.learn(occasion.at)?;
        let made = occasion.made(&gathered.items);
        running.decide(occasion, &made, each)?;
        for made in &made {
            running.compare(occasion, number, made)?;
        }
        progress(number + 1, occasions.len());
    }
    for item in items {
        running.pass(item, &mut gathered.tally)?;
    }
    Ok(running.finish(&gathered.items))
}

/// The first moment of each outcome, by customer, contact and event, and all moments of events, by customer
/// and event.
#[derive(Debug, Default)]
struct Answers {
    named: BTreeMap<(Identifier, String, String), Timestamp>,
    events: BTreeMap<(Identifier, String), Vec<Timestamp>>,
}

fn answers(items: &[Item]) -> Answers {
    let mut answers = Answers::default();
    for item in items {
        match &item.happened {
            Happened::Outcome(outcome) => {
                let who = outcome.identifiers[0].clone();
                let key = (who, outcome.contact.clone(), outcome.outcome.as_str().to_owned());
                answers.named.entry(key).or_insert(outcome.at);
            }
            Happened::Event(report) => {
                let key = (report.identifiers[0].clone(), report.event.clone());
                answers.events.entry(key).or_default().push(item.at);
            }
            Happened::Contact(_) | Happened::Silence(_) | Happened::Consent(_) => {}
        }
    }
    answers
}

struct Running<'a> {
    engine: &'a Engine,
    feed: Feed<'a>,
    known: BTreeSet<Identifier>,
    answers: Answers,
    /// What we would have done on the present occasion, and to whom.
    ours: BTreeMap<Identifier, Ours>,
    backtest: Backtest,
}

/// What we would have done with one customer.
#[derive(Debug, Default)]
struct Ours {
    said: Option<ActionId>,
    probabilities: BTreeMap<ActionId, f64>,
    silence: f64,
}

impl Running<'_> {
    fn pass(&mut self, item: &Item, tally: &mut import::Tally) -> Result<(), EngineError> {
        let identifiers = match &item.happened {
            Happened::Event(report) => &report.identifiers,
            Happened::Consent(report) => &report.identifiers,
            Happened::Contact(contact) => &contact.identifiers,
            Happened::Silence(silence) => &silence.identifiers,
            Happened::Outcome(outcome) => &outcome.identifiers,
        };
        if !self.known.contains(&identifiers[0]) {
            self.known.insert(identifiers[0].clone());
        }
        self.feed.take(item, tally)
    }

    fn decide(
        &mut self,
        occasion: &Occasion,
        made: &[Made<'_>],
        each: &mut dyn FnMut(&Occasion, &Decision),
    ) -> Result<(), EngineError> {
        let model = self.engine.model();
        self.ours.clear();
        let (id, at) = (occasion.id.clone(), occasion.at);
        let mut held = Held { occasion: id, decisions: 0, said: 0, sent: 0, at };
        let asked: Vec<(Identifier, Request)> = match &occasion.request {
            Some(request) => self.known.iter().map(|who| (who.clone(), request.clone())).collect(),
            None => made.iter().map(Made::asked).collect(),
        };
        for (who, request) in asked {
            let ask = Ask { identifiers: vec![who.clone()], request, adjustments: Vec::new() };
            let seed = seed(&who, &occasion.id);
            let started = Instant::now();
            let decided = self.engine.decide_with(&ask, &*model, Some(Assignment::Strategy), at, seed)?;
            self.backtest.deciding += started.elapsed();
            held.decisions += 1;
            held.said += u64::from(!decided.decision.is_silent());
            for slot in &decided.decision.slots {
                if let Some(reason) = slot.silence_reason {
                    *self.backtest.silences.entry(reason_word(reason)).or_default() += 1;
                }
            }
            each(occasion, &decided.decision);
            let mut ours = self.probabilities(&decided.decision);
            ours.said = decided.answer.slots.into_iter().find_map(|slot| slot.action);
            self.ours.insert(who, ours);
        }
        self.backtest.held.push(held);
        Ok(())
    }

    /// The probabilities of the first slot.
    fn probabilities(&self, decision: &Decision) -> Ours {
        let mut ours = Ours::default();
        let Some(slot) = decision.slots.first() else {
            return ours;
        };
        let published = self.engine.published();
        ours.silence = f64::from(slot.silence);
        for contender in &slot.contenders {
            let action = decision.fates[usize::from(contender.candidate)].action;
            let id = published.strategy.actions[usize::from(action)].id.clone();
            *ours.probabilities.entry(id).or_default() += f64::from(contender.probability);
        }
        if slot.contenders.is_empty() && slot.pick.is_none() {
            ours.silence = 1.0;
        }
        ours
    }

    /// Notes what was really done beside what we expected of it and would have done.
    fn compare(&mut self, occasion: &Occasion, number: usize, made: &Made<'_>) -> Result<(), EngineError> {
        if let (Some(probability), Some(ours)) = (made.probability(), self.ours.get(made.who())) {
            let drawn = Drawn {
                who: made.who().clone(),
                done: made.said().cloned(),
                probability: f64::from(probability),
                ours: match made.said() {
                    Some(action) => ours.probabilities.get(action).copied().unwrap_or(0.0),
                    None => ours.silence,
                },
                answered: made.actions().iter().any(|action| self.answered(made, action)),
                scored: occasion.scored,
            };
            self.backtest.drawn.push(drawn);
        }
        match made {
            Made::Contact(contact) => self.expect(occasion, number, contact),
            Made::Silence(_) => Ok(()),
        }
    }

    /// Notes what the model expects of a contact that is about to be made.
    fn expect(
        &mut self,
        occasion: &Occasion,
        number: usize,
        contact: &PastContact,
    ) -> Result<(), EngineError> {
        self.backtest.held[number].sent += 1;
        let outlook =
            self.engine.outlook(&contact.identifiers, &contact.action, &contact.request, contact.at)?;
        let Some(outlook) = outlook else {
            self.backtest.not_scorable += 1;
            return Ok(());
        };
        let model = self.engine.model();
        let ask = |features: &Features| probability(&model, features, outlook.arm());
        let hidden = outlook.features.iter().map(|hide| {
            let others = outlook.features.iter();
            let others = others.filter(|feature| feature.name != hide.name).cloned();
            (hide.name.to_string(), ask(&Features::new(others.collect())))
        });
        let ours = self.ours.get(&contact.identifiers[0]).and_then(|ours| ours.said.as_ref());
        let sent = Sent {
            occasion: number,
            at: occasion.at,
            action: contact.action.clone(),
            scored: occasion.scored,
            probability: ask(&outlook.features),
            hidden: hidden.collect(),
            answered: self.answered(&Made::Contact(contact), &contact.action),
            said: ours == Some(&contact.action),
            features: outlook.features,
        };
        self.backtest.sent.push(sent);
        Ok(())
    }

    /// Whether the goal was reached in its window, known only afterwards: named by its contact, or as an
    /// event after it.
    fn answered(&self, made: &Made<'_>, action: &ActionId) -> bool {
        let published = self.engine.published();
        let strategy = &published.strategy;
        let Some(index) = strategy.action_index(action.as_str()) else {
            return false;
        };
        let action = &strategy.actions[usize::from(index)];
        let (who, id, at) = (made.who(), made.id(), made.at());
        let goal = strategy.goal_event(action).as_str().to_owned();
        let ends = at.saturating_add(action.goal.within).unwrap_or(Timestamp::MAX);
        let named = self.answers.named.get(&(who.clone(), id.to_owned(), goal.clone()));
        let events = self.answers.events.get(&(who.clone(), goal));
        let followed =
            |moments: &Vec<Timestamp>| moments.iter().any(|moment| at < *moment && *moment <= ends);
        named.is_some_and(|moment| *moment <= ends) || events.is_some_and(followed)
    }

    fn finish(mut self, items: &[Item]) -> Backtest {
        let made = items.iter().filter(|item| matches!(item.happened, Happened::Contact(_))).count();
        let on_occasions: u64 = self.backtest.held.iter().map(|held| held.sent).sum();
        self.backtest.not_scorable += made as u64 - on_occasions;
        self.backtest.customers = self.known.len();
        self.backtest
    }
}

impl Backtest {
    fn new(mapping: &Mapping, zone: TimeZone) -> Self {
        Self {
            name: mapping.name.clone(),
            customers: 0,
            held: Vec::new(),
            silences: BTreeMap::new(),
            sent: Vec::new(),
            drawn: Vec::new(),
            not_scorable: 0,
            deciding: Duration::ZERO,
            zone,
        }
    }

    fn day(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).date().to_string()
    }
}

fn probability(model: &Snapshot, features: &Features, arm: learning::Arm<'_>) -> f64 {
    f64::from(model.expect(features, arm).probability)
}

/// The draws of one customer on one occasion; nothing that happens elsewhere changes them.
fn seed(who: &Identifier, occasion: &str) -> u64 {
    let text = format!("{}\n{}\n{occasion}", who.kind, who.value);
    u64::from_le_bytes(*blake3::hash(text.as_bytes()).as_bytes().first_chunk().expect("a hash has 32 bytes"))
}

fn reason_word(reason: SilenceReason) -> String {
    match reason {
        SilenceReason::NoCandidates => "nothing to say here".into(),
        SilenceReason::AllDropped(step) => format!("dropped: {}", step_word(step)),
        SilenceReason::WorthMore => "silence is worth more".into(),
        SilenceReason::SlotsTaken => "said elsewhere".into(),
        SilenceReason::Chance => "chance, to learn what silence brings".into(),
    }
}

fn step_word(step: Step) -> &'static str {
    match step {
        Step::Consent => "no basis",
        Step::Catalogue => "not published",
        Step::Eligibility => "not eligible",
        Step::Applicability => "does not apply",
        Step::Suitability => "not suitable",
        Step::Principle => "a principle",
        Step::ContactPolicy => "contact policy",
        Step::Arbitration => "value unknown",
        Step::Integrity => "below the value floor",
    }
}

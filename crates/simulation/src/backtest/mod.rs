//! What would we have decided then, with what was known then? Real customers, contacts and outcomes pass in
//! order of time through the real engine; before each occasion's contacts it decides for everybody.
//!
//! Decisions are dry runs: they leave no trace. The engine learns only from what was really sent and
//! happened. Whatever chose the real contacts is unknown, so no value of a policy is claimed here.

mod measure;
mod page;
mod report;

pub use measure::{AttributeUse, Measured, Spared, measure};
pub use page::page;
pub use report::{json, text};

use crate::import::{self, Feed, Gathered, Happened, Item, Mapping, Question};
use decision::{
    Timestamp,
    candidate::Step,
    id::ActionId,
    inputs::Assignment,
    record::{Decision, SilenceReason},
    request::{Direction, PlacementRequest, Request},
};
use engine::{Ask, Engine, EngineError, Identifier, PastContact};
use learning::{Features, Predictor, Snapshot};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// One moment at which everybody is decided about.
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    /// The id of the contacts that were really made on it.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Whether its predictions are scored.
    pub scored: bool,
    request: Request,
}

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
}

/// One contact that was really made, with what was expected of it just before.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Position of the occasion in [`Backtest::held`].
    pub occasion: usize,
    /// What was said.
    pub action: ActionId,
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
    /// Contacts made on no occasion or with a purpose without basis; they are not scored.
    pub not_scorable: u64,
    /// Time spent deciding.
    pub deciding: Duration,
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
    let occasions = occasions(question, gathered, engine).map_err(Trouble::Input)?;
    let mut running = Running {
        engine,
        feed: Feed::new(engine, mapping),
        known: BTreeSet::new(),
        answers: answers(&gathered.items),
        saying: BTreeMap::new(),
        backtest: Backtest::new(mapping),
    };
    let mut items = gathered.items.iter().peekable();
    for (number, occasion) in occasions.iter().enumerate() {
        while let Some(item) = items.next_if(|item| item.at < occasion.at) {
            running.pass(item, &mut gathered.tally)?;
        }
        running.feed.settle()?;
        engine.learn(occasion.at)?;
        running.decide(occasion, each)?;
        let sent = gathered.items.iter().filter_map(|item| match &item.happened {
            Happened::Contact(contact) if contact.at == occasion.at => Some(contact),
            _ => None,
        });
        for contact in sent.filter(|contact| contact.id == occasion.id) {
            running.expect(occasion, number, contact)?;
        }
        progress(number + 1, occasions.len());
    }
    for item in items {
        running.pass(item, &mut gathered.tally)?;
    }
    Ok(running.finish(&gathered.items))
}

/// The rows of the question's table, in order of time.
fn occasions(question: &Question, gathered: &Gathered, engine: &Engine) -> Result<Vec<Occasion>, String> {
    let published = engine.published();
    let strategy = &published.strategy;
    let zone = &strategy.organisation.time_zone;
    let rows = gathered.tables.get(&question.table).into_iter().flatten();
    let occasion = |(_, fields): (&String, &import::Fields)| {
        let at = import::moment(&question.at, fields, strategy)?;
        let id = fields
            .get(&question.contact)
            .ok_or_else(|| format!("there is no column `{}`", question.contact))?;
        Ok(Occasion {
            id: id.clone(),
            at,
            scored: at.to_zoned(zone.clone()).date() > question.scored_after,
            request: Request {
                channel: question.channel.as_str().into(),
                direction: Direction::Outbound,
                placements: vec![PlacementRequest {
                    placement: question.placement.as_str().into(),
                    slots: 1,
                }],
                context: import::context(&question.context, fields, strategy)?,
                language: None,
                global_privacy_control: false,
                dry_run: true,
            },
        })
    };
    let mut occasions: Vec<Occasion> = rows.map(occasion).collect::<Result<_, String>>()?;
    occasions.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    Ok(occasions)
}

/// The first moment of each outcome, by customer, contact and event.
type Answers = BTreeMap<(Identifier, String, String), Timestamp>;

fn answers(items: &[Item]) -> Answers {
    let mut answers = Answers::new();
    for item in items {
        if let Happened::Outcome(outcome) = &item.happened {
            let key = (
                outcome.identifiers[0].clone(),
                outcome.contact.clone(),
                outcome.outcome.as_str().to_owned(),
            );
            answers.entry(key).or_insert(outcome.at);
        }
    }
    answers
}

struct Running<'a> {
    engine: &'a Engine,
    feed: Feed<'a>,
    known: BTreeSet<Identifier>,
    answers: Answers,
    /// What would have been said on the present occasion, and to whom.
    saying: BTreeMap<Identifier, ActionId>,
    backtest: Backtest,
}

impl Running<'_> {
    fn pass(&mut self, item: &Item, tally: &mut import::Tally) -> Result<(), EngineError> {
        let identifiers = match &item.happened {
            Happened::Event(report) => &report.identifiers,
            Happened::Contact(contact) => &contact.identifiers,
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
        each: &mut dyn FnMut(&Occasion, &Decision),
    ) -> Result<(), EngineError> {
        let model = self.engine.model();
        self.saying.clear();
        let mut held = Held { occasion: occasion.id.clone(), decisions: 0, said: 0, sent: 0 };
        for who in &self.known {
            let ask = Ask {
                identifiers: vec![who.clone()],
                request: occasion.request.clone(),
                adjustments: Vec::new(),
            };
            let seed = seed(who, &occasion.id);
            let started = Instant::now();
            let decided =
                self.engine.decide_with(&ask, &*model, Some(Assignment::Strategy), occasion.at, seed)?;
            self.backtest.deciding += started.elapsed();
            held.decisions += 1;
            held.said += u64::from(!decided.decision.is_silent());
            let said = decided.answer.slots.into_iter().find_map(|slot| slot.action);
            self.saying.extend(said.map(|action| (who.clone(), action)));
            for slot in &decided.decision.slots {
                if let Some(reason) = slot.silence_reason {
                    *self.backtest.silences.entry(reason_word(reason)).or_default() += 1;
                }
            }
            each(occasion, &decided.decision);
        }
        self.backtest.held.push(held);
        Ok(())
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
        let ask = |features: &Features| probability(&model, features, &outlook.arm);
        let hidden = outlook.features.iter().map(|hide| {
            let others = outlook.features.iter();
            let others = others.filter(|feature| feature.name != hide.name).cloned();
            (hide.name.to_string(), ask(&Features::new(others.collect())))
        });
        let said = self.saying.get(&contact.identifiers[0]) == Some(&contact.action);
        let sent = Sent {
            occasion: number,
            action: contact.action.clone(),
            scored: occasion.scored,
            probability: ask(&outlook.features),
            hidden: hidden.collect(),
            answered: self.answered(contact),
            said,
        };
        self.backtest.sent.push(sent);
        Ok(())
    }

    /// Whether the goal was reached in its window, known only afterwards.
    fn answered(&self, contact: &PastContact) -> bool {
        let published = self.engine.published();
        let strategy = &published.strategy;
        let Some(index) = strategy.action_index(contact.action.as_str()) else {
            return false;
        };
        let action = &strategy.actions[usize::from(index)];
        let key = (
            contact.identifiers[0].clone(),
            contact.id.clone(),
            strategy.goal_event(action).as_str().to_owned(),
        );
        let ends = contact.at.saturating_add(action.goal.within).unwrap_or(Timestamp::MAX);
        self.answers.get(&key).is_some_and(|at| *at <= ends)
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
    fn new(mapping: &Mapping) -> Self {
        Self {
            name: mapping.name.clone(),
            customers: 0,
            held: Vec::new(),
            silences: BTreeMap::new(),
            sent: Vec::new(),
            not_scorable: 0,
            deciding: Duration::ZERO,
        }
    }
}

fn probability(model: &Snapshot, features: &Features, arm: &learning::Arm) -> f64 {
    let predicted = model.predict(features, std::slice::from_ref(arm));
    predicted.first().map_or(f64::NAN, |prediction| f64::from(prediction.probability))
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

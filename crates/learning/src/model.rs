//! What has been learned, apart from what is still awaited? Encoder, hierarchy of actions, and per
//! outcome a mixture for acting and one for not acting.
//!
//! Deliberately absent: time. The learner decides when something counts; the model takes it in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::card::Card;
use crate::config::{Config, Stage};
use crate::design::{CLIP, Design, Inputs};
use crate::encoder::Encoder;
use crate::expert::{LEVELS, Observation, Path, TREATMENT, logistic, logit};
use crate::mixture::Mixture;
use crate::prediction::group_of;
use crate::recalibration::{Correction, Recalibration};
use crate::stages::Stages;

/// The nodes of every level, numbered in order of first appearance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hierarchy {
    groups: BTreeMap<Arc<str>, u32>,
    actions: BTreeMap<Arc<str>, Node>,
    treatments: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    group: u32,
    action: u32,
    channels: BTreeMap<Arc<str>, u32>,
}

impl Hierarchy {
    /// How many nodes each level has.
    pub(crate) fn nodes(&self) -> [usize; LEVELS] {
        [1, self.groups.len(), self.actions.len(), self.treatments as usize]
    }

    /// Whether every node was numbered in order of appearance, and no other number occurs.
    fn is_sound(&self) -> bool {
        let numbered = |mut numbers: Vec<u32>, count: usize| {
            numbers.sort_unstable();
            numbers.len() == count && numbers.into_iter().zip(0..).all(|(number, place)| number == place)
        };
        let [_, groups, actions, treatments] = self.nodes();
        let nodes = || self.actions.values();
        numbered(self.groups.values().copied().collect(), groups)
            && numbered(nodes().map(|node| node.action).collect(), actions)
            && numbered(nodes().flat_map(|node| node.channels.values().copied()).collect(), treatments)
            && nodes().all(|node| (node.group as usize) < groups)
    }

    pub(crate) fn path(&self, action: &str, channel: &str) -> Path {
        match self.actions.get(action) {
            Some(node) => [Some(0), Some(node.group), Some(node.action), node.channels.get(channel).copied()],
            None => [Some(0), self.groups.get(group_of(action)).copied(), None, None],
        }
    }

    /// Every action on every channel it was met on, ascending, with its path.
    pub(crate) fn arms(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, Path)> {
        self.actions.iter().flat_map(|(action, node)| {
            let path = |channel: &u32| [Some(0), Some(node.group), Some(node.action), Some(*channel)];
            node.channels.iter().map(move |(channel, number)| (action, channel, path(number)))
        })
    }

    /// The path, with nodes made where they are new.
    fn claim(&mut self, action: &Arc<str>, channel: &Arc<str>) -> Path {
        if !self.actions.contains_key(action) {
            let next_group = self.groups.len() as u32;
            let group = *self.groups.entry(group_of(action).into()).or_insert(next_group);
            let node = Node { group, action: self.actions.len() as u32, channels: BTreeMap::new() };
            self.actions.insert(action.clone(), node);
        }
        if let Some(node) = self.actions.get_mut(action)
            && !node.channels.contains_key(channel)
        {
            node.channels.insert(channel.clone(), self.treatments);
            self.treatments += 1;
        }
        self.path(action, channel)
    }
}

/// The model of one outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OutcomeModel {
    pub(crate) acting: Mixture,
    pub(crate) not_acting: Mixture,
    /// By channel.
    pub(crate) recalibrations: BTreeMap<Arc<str>, Recalibration>,
    stages: Stages,
    /// By action on a channel.
    cards: Vec<Card>,
}

/// How an exposure ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Settled {
    Happened,
    Silent,
    /// Counted as silent before.
    AfterAll,
}

impl OutcomeModel {
    fn new(config: &Config) -> Self {
        Self {
            acting: Mixture::new(config),
            not_acting: Mixture::new(config),
            recalibrations: BTreeMap::new(),
            stages: Stages::default(),
            cards: Vec::new(),
        }
    }

    fn is_sound(&self, nodes: [usize; LEVELS]) -> bool {
        self.acting.is_sound(nodes)
            && self.not_acting.is_sound(nodes)
            && self.recalibrations.values().all(Recalibration::is_sound)
            && self.stages.is_sound()
            && self.cards.len() <= nodes[TREATMENT]
            && self.cards.iter().all(Card::is_sound)
    }

    fn is_exact(&self) -> bool {
        self.acting.is_exact()
            && self.not_acting.is_exact()
            && self.recalibrations.values().all(Recalibration::is_exact)
            && self.stages.is_exact()
    }

    fn rounded(&self) -> Self {
        let channel = |(channel, known): (&Arc<str>, &Recalibration)| (channel.clone(), known.rounded());
        Self {
            acting: self.acting.rounded(),
            not_acting: self.not_acting.rounded(),
            recalibrations: self.recalibrations.iter().map(channel).collect(),
            stages: self.stages.rounded(),
            cards: self.cards.clone(),
        }
    }

    /// What was counted of an action on a channel.
    pub(crate) fn card(&self, path: &Path) -> Option<&Card> {
        path[TREATMENT].and_then(|node| self.cards.get(node as usize))
    }

    /// What experience on this channel does to a prediction.
    pub(crate) fn correction(&self, channel: &str) -> Correction {
        self.recalibrations.get(channel).map_or(Correction::NONE, Recalibration::correction)
    }
}

/// Everything a prediction needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) config: Config,
    pub(crate) encoder: Encoder,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) outcomes: BTreeMap<Arc<str>, OutcomeModel>,
}

/// Where and on what an exposure teaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lesson {
    pub(crate) action: Arc<str>,
    pub(crate) channel: Arc<str>,
    pub(crate) acted: bool,
    pub(crate) path: Path,
    pub(crate) inputs: Inputs,
}

impl Model {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            encoder: Encoder::default(),
            hierarchy: Hierarchy::default(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Whether all parts fit together, so that asking and teaching it cannot go wrong. What was written by
    /// a learner always does.
    pub(crate) fn is_sound(&self) -> bool {
        let nodes = self.hierarchy.nodes();
        self.config.is_sound()
            && self.encoder.is_sound()
            && self.hierarchy.is_sound()
            && self.outcomes.values().all(|outcome| outcome.is_sound(nodes))
    }

    /// Whether learning can go on from it.
    pub(crate) fn is_exact(&self) -> bool {
        self.outcomes.values().all(OutcomeModel::is_exact)
    }

    /// What is published of it: the same answers, less to keep.
    pub(crate) fn rounded(&self) -> Self {
        let outcome = |(name, outcome): (&Arc<str>, &OutcomeModel)| (name.clone(), outcome.rounded());
        Self {
            config: self.config.clone(),
            encoder: self.encoder.clone(),
            hierarchy: self.hierarchy.clone(),
            outcomes: self.outcomes.iter().map(outcome).collect(),
        }
    }

    /// Whether the lesson is about nodes of this model, with inputs for its columns.
    pub(crate) fn has_room_for(&self, lesson: &Lesson) -> bool {
        let nodes = self.hierarchy.nodes();
        let known = |(node, count): (&Option<u32>, usize)| node.is_none_or(|node| (node as usize) < count);
        lesson.path.iter().zip(nodes).all(known) && lesson.inputs.is_sound(self.encoder.columns())
    }

    /// Without acting there is no channel, so such a lesson leaves that level alone.
    pub(crate) fn lesson(
        &mut self,
        action: &Arc<str>,
        channel: &Arc<str>,
        acted: bool,
        inputs: Inputs,
    ) -> Lesson {
        let mut path = self.hierarchy.claim(action, channel);
        if !acted {
            path[TREATMENT] = None;
        }
        Lesson { action: action.clone(), channel: channel.clone(), acted, path, inputs }
    }

    /// The prior's logit; weights are learned relative to it.
    pub(crate) fn offset(&self, action: &str, outcome: &str) -> f64 {
        logit(self.config.action_probability(action, outcome))
    }

    /// What early signs of the action add to the prior's logit when acting.
    pub(crate) fn shift(&self, outcome: &str, path: &Path) -> f64 {
        let taught = self.outcomes.get(outcome).zip(self.signs(outcome, path));
        taught.map_or(0.0, |(taught, signs)| taught.stages.shift(&signs))
    }

    /// How far each early outcome lies from what is usual, in logits; `None` when there are none.
    fn signs(&self, outcome: &str, path: &Path) -> Option<Inputs> {
        let early = self.config.stages.iter().filter(|stage| &*stage.late == outcome);
        let sign = |stage: &Stage| {
            let taught = self.outcomes.get(&stage.early);
            taught.map_or(0.0, |taught| taught.acting.usual(path).clamp(-CLIP, CLIP) as f32)
        };
        let columns: Vec<f32> = early.map(sign).collect();
        (!columns.is_empty()).then(|| Inputs { columns, features: 1, ..Inputs::default() })
    }

    /// The probability its experts expect where the lesson was given.
    pub(crate) fn expected(&self, outcome: &str, lesson: &Lesson) -> f64 {
        let offset = self.lesson_offset(outcome, lesson);
        let Some(model) = self.outcomes.get(outcome) else {
            return logistic(offset);
        };
        let mixture = if lesson.acted { &model.acting } else { &model.not_acting };
        logistic(mixture.logit(&lesson.path, offset, &Design::of(&lesson.inputs), &self.config))
    }

    /// The probability that would be answered where the lesson is given.
    pub(crate) fn foreseen(&self, outcome: &str, lesson: &Lesson) -> f64 {
        let correction =
            self.outcomes.get(outcome).map_or(Correction::NONE, |taught| taught.correction(&lesson.channel));
        logistic(correction.logit(logit(self.expected(outcome, lesson))))
    }

    /// Counts how an exposure ended for which this had been foreseen; not acting has no card.
    pub(crate) fn settle(&mut self, outcome: &Arc<str>, lesson: &Lesson, foreseen: f32, settled: Settled) {
        let Some(node) = lesson.path[TREATMENT].map(|node| node as usize) else {
            return;
        };
        let cards = &mut self.outcome(outcome).cards;
        if cards.len() <= node {
            cards.resize_with(node + 1, Card::default);
        }
        let foreseen = f64::from(foreseen);
        match settled {
            Settled::Happened => cards[node].settle(foreseen, true),
            Settled::Silent => cards[node].settle(foreseen, false),
            Settled::AfterAll => cards[node].correct(foreseen),
        }
    }

    fn outcome(&mut self, outcome: &Arc<str>) -> &mut OutcomeModel {
        let config = &self.config;
        self.outcomes.entry(outcome.clone()).or_insert_with(|| OutcomeModel::new(config))
    }

    fn lesson_offset(&self, outcome: &str, lesson: &Lesson) -> f64 {
        let shift = if lesson.acted { self.shift(outcome, &lesson.path) } else { 0.0 };
        self.offset(&lesson.action, outcome) + shift
    }

    /// Learns an observation; `exposures` is the part of an exposure it completes.
    pub(crate) fn learn(&mut self, outcome: &Arc<str>, lesson: &Lesson, seen: Observation, exposures: f64) {
        let offset = self.lesson_offset(outcome, lesson);
        let signs = self.signs(outcome, &lesson.path);
        let config = &self.config;
        let model = self.outcomes.entry(outcome.clone()).or_insert_with(|| OutcomeModel::new(config));
        let design = Design::of(&lesson.inputs);
        let mixture = if lesson.acted { &mut model.acting } else { &mut model.not_acting };
        let predicted = mixture.learn(&lesson.path, &design, offset, seen, &self.config);
        mixture.count(&lesson.path, exposures);
        if lesson.acted {
            let channel = model.recalibrations.entry(lesson.channel.clone()).or_default();
            let memory = self.config.memories[0];
            channel.learn(predicted, seen, memory);
            if let Some(signs) = signs {
                model.stages.learn(&signs, predicted, seen, memory);
            }
        }
    }
}

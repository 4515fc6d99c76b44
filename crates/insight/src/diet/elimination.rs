//! Which attributes are missed least, one after another? Models are taught again and again without them.
//!
//! A round hides each attribute that is left from the models as they are, drops the quarter that is missed least,
//! and teaches new models without them (backward elimination; Guyon, Elisseeff 2003, "An introduction to variable
//! and feature selection"). Deliberately not here: what is proposed.

use super::{Dropping, Name, Occasion, Plan, Point, Study};
use crate::{
    interval::Interval,
    off_policy::{Log, Policy, Row as Valued, Target},
};
use learning::{Exposure, Features, Row, Snapshot, exploration::keyed_uniform};
use std::{collections::BTreeSet, thread};

/// Occasions by which it is seen, within a round, what is missed least.
const SCREENED_MAX: usize = 3_000;
/// Each round drops one in so many.
const DROPPED_PER_ROUND: usize = 4;

/// Models taught without some attributes, and what they would decide.
struct Taught {
    without: BTreeSet<Name>,
    models: Vec<Snapshot>,
    targets: Vec<Target>,
}

/// One round: what it dropped, and what is decided after it.
struct Round {
    dropped: Vec<Name>,
    targets: Vec<Target>,
}

/// Work in progress.
pub(super) struct Weighing<'a> {
    study: &'a dyn Study,
    plan: Plan,
    all: Taught,
    taught: usize,
    to_teach: usize,
    progress: &'a mut dyn FnMut(usize, usize),
}

impl<'a> Weighing<'a> {
    pub fn new(
        study: &'a dyn Study,
        plan: Plan,
        attributes: usize,
        progress: &'a mut dyn FnMut(usize, usize),
    ) -> Self {
        let to_teach = 2 + attributes + 2 * rounds(attributes);
        let all = teach(study, plan, BTreeSet::new());
        progress(1, to_teach);
        Self { study, plan, all, taught: 1, to_teach, progress }
    }

    /// The value with all attributes.
    pub fn value(&self) -> Interval {
        self.compared(&self.all.targets).value(Policy::Ours, self.study.estimator())
    }

    /// What is lost without these.
    pub fn without(&mut self, names: &BTreeSet<Name>) -> Interval {
        let targets = self.teach(names.clone()).targets;
        self.lost(&targets)
    }

    /// The curve, and the attributes in the order in which they go.
    pub fn flatten(&mut self, names: &[Name]) -> (Vec<Point>, Vec<Name>) {
        let seed = self.plan.seed;
        let one = self.rounds(names, &|occasion| half(seed, occasion));
        let other = self.rounds(names, &|occasion| !half(seed, occasion));
        let mut curve = vec![self.point(names.len(), &self.all.targets)];
        let mut kept = names.len();
        for (one, other) in one.iter().zip(&other) {
            kept -= one.dropped.len();
            let chosen_by_others = |(index, occasion): (usize, &Occasion)| match half(seed, occasion) {
                true => other.targets[index],
                false => one.targets[index],
            };
            let targets: Vec<Target> =
                self.study.occasions().iter().enumerate().map(chosen_by_others).collect();
            curve.push(self.point(kept, &targets));
        }
        (curve, order(names, &one, &other))
    }

    /// What is lost without all of these, seen together with the curve.
    pub fn drop(&mut self, names: Vec<Name>, curve: &[Point]) -> Dropping {
        let lost = match names.is_empty() {
            true => self.lost(&self.all.targets),
            false => self.without(&names.iter().cloned().collect()),
        };
        let kept = curve[0].kept - names.len();
        let on_curve = curve.iter().find(|point| point.kept == kept).map(|point| point.lost.high);
        let at_most = lost.high.max(on_curve.unwrap_or(lost.high));
        Dropping { attributes: names, lost, lost_share_at_most: self.share(at_most) }
    }

    fn point(&self, kept: usize, targets: &[Target]) -> Point {
        let lost = self.lost(targets);
        let value = self.compared(targets).value(Policy::Theirs, self.study.estimator());
        Point { kept, value, lost, lost_share_at_most: self.share(lost.high) }
    }

    /// An amount as a part of the value with all attributes; at least 0.
    fn share(&self, amount: f64) -> Option<f64> {
        let value = self.value().mean;
        (value > 0.0).then(|| amount.max(0.0) / value)
    }

    fn lost(&self, targets: &[Target]) -> Interval {
        self.compared(targets).difference(self.study.estimator())
    }

    /// All occasions: `ours` is with all attributes, `theirs` with fewer.
    fn compared(&self, fewer: &[Target]) -> Log {
        let decided = self.study.occasions().iter().zip(self.all.targets.iter().zip(fewer));
        Log::new(decided.map(|(occasion, (all, fewer))| valued(occasion, *all, *fewer)))
    }

    fn teach(&mut self, without: BTreeSet<Name>) -> Taught {
        let taught = teach(self.study, self.plan, without);
        self.taught += 1;
        (self.progress)(self.taught, self.to_teach);
        taught
    }

    /// All rounds, chosen by the occasions that `choose`.
    fn rounds(&mut self, names: &[Name], choose: &dyn Fn(&Occasion) -> bool) -> Vec<Round> {
        let screened = self.screened(choose);
        let mut left: Vec<Name> = names.to_vec();
        let mut rounds = Vec::new();
        let mut taught: Option<Taught> = None;
        while !left.is_empty() {
            let missed = self.missed(taught.as_ref().unwrap_or(&self.all), &left, &screened);
            let mut by_loss: Vec<(f64, Name)> = missed.into_iter().zip(left).collect();
            by_loss.sort_by(|one, other| one.0.total_cmp(&other.0));
            left = by_loss.into_iter().map(|(_, name)| name).collect();
            let dropped: Vec<Name> = left.drain(..dropped_of(left.len())).collect();
            let mut without = taught.map_or_else(BTreeSet::new, |taught| taught.without);
            without.extend(dropped.iter().cloned());
            let next = self.teach(without);
            rounds.push(Round { dropped, targets: next.targets.clone() });
            taught = Some(next);
        }
        rounds
    }

    /// Occasions of the choosing half, evenly over time.
    fn screened(&self, choose: &dyn Fn(&Occasion) -> bool) -> Vec<usize> {
        let occasions = self.study.occasions().iter().enumerate();
        let chosen: Vec<usize> = occasions.filter(|(_, one)| choose(one)).map(|(index, _)| index).collect();
        let step = chosen.len().div_ceil(SCREENED_MAX).max(1);
        chosen.into_iter().step_by(step).collect()
    }

    /// What is lost on these occasions when one more attribute is hidden from models that know it.
    fn missed(&self, taught: &Taught, left: &[Name], screened: &[usize]) -> Vec<f64> {
        let (study, plan) = (self.study, self.plan);
        let occasions = study.occasions();
        let hide = |name: &Name| {
            let mut without = taught.without.clone();
            without.insert(name.clone());
            let log = Log::new(screened.iter().map(|&index| {
                let occasion = &occasions[index];
                let model = &taught.models[fold(plan, occasion.customer)];
                valued(occasion, taught.targets[index], study.target(index, &without, model))
            }));
            log.difference(study.estimator()).mean
        };
        side_by_side(left, hide)
    }
}

fn valued(occasion: &Occasion, ours: Target, theirs: Target) -> Valued {
    let Occasion { customer, propensity, reward, expected } = *occasion;
    Valued { cluster: customer, propensity: Some(propensity), reward, expected, ours, theirs }
}

/// Rounds until nothing is left.
fn rounds(mut left: usize) -> usize {
    let mut rounds = 0;
    while left > 0 {
        left -= dropped_of(left);
        rounds += 1;
    }
    rounds
}

fn dropped_of(left: usize) -> usize {
    left.div_ceil(DROPPED_PER_ROUND)
}

/// By the mean of the places at which the two halves dropped it.
fn order(names: &[Name], one: &[Round], other: &[Round]) -> Vec<Name> {
    let places = |rounds: &[Round]| -> Vec<Name> {
        rounds.iter().flat_map(|round| round.dropped.iter().cloned()).collect()
    };
    let (one, other) = (places(one), places(other));
    let place = |order: &[Name], name: &Name| order.iter().position(|found| found == name).unwrap_or(0);
    let mut order: Vec<Name> = names.to_vec();
    order.sort_by_key(|name| place(&one, name) + place(&other, name));
    order
}

fn half(seed: u64, occasion: &Occasion) -> bool {
    keyed_uniform(seed ^ 0x6861_6c66, occasion.customer as u64 ^ (occasion.customer >> 64) as u64) < 0.5
}

fn fold(plan: Plan, customer: u128) -> usize {
    let uniform = keyed_uniform(plan.seed, customer as u64 ^ (customer >> 64) as u64);
    ((uniform * plan.folds as f64) as usize).min(plan.folds - 1)
}

/// Teaches one model per fold, by everybody outside it, and asks each about the customers in it.
fn teach(study: &dyn Study, plan: Plan, without: BTreeSet<Name>) -> Taught {
    let folds: Vec<usize> = (0..plan.folds).collect();
    let models = side_by_side(&folds, |&held_out| {
        let mut learner = study.learner();
        for row in study.rows() {
            if fold(plan, subject(row)) != held_out {
                learner.apply(&hidden(row, &without));
            }
        }
        learner.advance(i64::MAX);
        learner.snapshot()
    });
    let occasions: Vec<usize> = (0..study.occasions().len()).collect();
    let targets = side_by_side(&occasions, |&index| {
        let model = &models[fold(plan, study.occasions()[index].customer)];
        study.target(index, &without, model)
    });
    Taught { without, models, targets }
}

fn subject(row: &Row) -> u128 {
    match row {
        Row::Exposure(exposure) => exposure.subject,
        Row::Outcome { subject, .. } | Row::Withdrawal { subject, .. } => *subject,
    }
}

/// The row as somebody sees it who does not know these attributes.
fn hidden(row: &Row, without: &BTreeSet<Name>) -> Row {
    match row {
        Row::Exposure(exposure) if !without.is_empty() => {
            let features = known(&exposure.features, without);
            Row::Exposure(Exposure { features, ..exposure.clone() })
        }
        row => row.clone(),
    }
}

/// The features without some of them.
pub(super) fn known(features: &Features, without: &BTreeSet<Name>) -> Features {
    Features::new(features.iter().filter(|feature| !without.contains(&feature.name)).cloned().collect())
}

/// The same for each, on as many threads as there are cores; results in order.
fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len()).max(1);
    let part = items.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(part)
            .map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<R>>()))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

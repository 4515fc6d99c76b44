//! What would the same strategy have been worth on the decisions that were really made, had an attribute not been
//! known? The occasions of a data diet, taken from a store's own log.
//!
//! Everything goes without the attribute: rules and texts read it as unknown, and the model never saw it. Each
//! decision is made again from its record. In a simulated world the truth says what everything would have
//! been worth; otherwise the outcomes and the recorded probabilities do.

use super::{
    Name, Yardstick,
    happenings::Happenings,
    last_moment,
    moment::{Looked, Spot, View, Views, look, unsupported, views},
};
use crate::chance::Chance;
use decision::{
    Timestamp,
    inputs::Assignment,
    record::Decision,
    strategy::{Strategy, StrategyVersion},
    what_if::Past,
};
use engine::{Engine, EngineError, Published, new_learner};
use insight::{
    diet::{Attribute, Occasion, Study},
    off_policy::{Estimator, Target},
    reading::readers,
};
use learning::{Learner, Predictor, Row};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const DAY_S: f64 = 86_400.0;

/// What saying each action at each decision is truly worth, more than silence, in euro. Only a simulated
/// world knows.
pub type Truths = BTreeMap<u128, BTreeMap<Name, f64>>;

/// Which decisions are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// From this moment on.
    pub since: Timestamp,
    /// Before this moment.
    pub until: Timestamp,
    /// At most about so many decisions; those of the same customers are taken together.
    pub decisions_max: usize,
    /// Picks the customers.
    pub seed: u64,
}

/// The log of a store.
pub struct OwnLog {
    published: Arc<Published>,
    strategies: BTreeMap<StrategyVersion, Arc<Published>>,
    decided: Vec<Decided>,
    occasions: Vec<Occasion>,
    rows: Vec<Row>,
    truths: Option<Truths>,
}

/// A decision whose slots were drawn.
struct Decided {
    record: Decision,
    logged: Vec<(Spot, View)>,
}

impl OwnLog {
    /// Reads the log of a store; with the truth when there is one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn of(engine: &Engine, sample: Sample, truths: Option<Truths>) -> Result<Self, EngineError> {
        let happenings = Happenings::of(engine)?;
        let complete_until = last_moment(engine, &happenings)?;
        let mut count = 0_usize;
        engine.each_decision(sample.since, sample.until, &mut |_| {
            count += 1;
            Ok(())
        })?;
        let share = sample.decisions_max as f64 / count.max(1) as f64;
        let mut log = Self {
            published: engine.published(),
            strategies: BTreeMap::new(),
            decided: Vec::new(),
            occasions: Vec::new(),
            rows: engine.lessons()?,
            truths,
        };
        engine.each_decision(sample.since, sample.until, &mut |record| {
            let customer = record.customer.map_or(record.id.0, |customer| customer.0);
            let drawn = Chance::new(sample.seed).about("diet").at(customer as u64).uniform();
            if drawn < share {
                log.add(engine, record, &happenings, complete_until)?;
            }
            Ok(())
        })?;
        Ok(log)
    }

    fn add(
        &mut self,
        engine: &Engine,
        record: Decision,
        happenings: &Happenings,
        complete_until: i64,
    ) -> Result<(), EngineError> {
        let published = engine.strategy_at(record.strategy)?;
        let strategy = &published.strategy;
        let Ok(past) = Past::of(strategy, &record, None) else {
            return Ok(());
        };
        let Looked::Used(moment) = look(&past, strategy, &[], Yardstick::Decided, happenings, complete_until)
        else {
            return Ok(());
        };
        let logged: Vec<(Spot, View)> =
            views(strategy, &record).into_iter().filter(|(_, view)| !view.fixed).collect();
        let reward = match &self.truths {
            None => moment.reward[super::report::TOTAL],
            Some(truths) => logged
                .iter()
                .filter_map(|(_, view)| view.pick.as_ref())
                .map(|said| truth(truths, &record, said))
                .sum(),
        };
        let expected = if self.truths.is_some() { reward } else { 0.0 };
        self.occasions.push(Occasion {
            customer: moment.subject,
            propensity: moment.propensity,
            reward,
            expected,
        });
        self.strategies.insert(record.strategy, published);
        self.decided.push(Decided { record, logged });
        Ok(())
    }
}

fn truth(truths: &Truths, record: &Decision, action: &Name) -> f64 {
    truths.get(&record.id.0).and_then(|worth| worth.get(action)).copied().unwrap_or(0.0)
}

impl Study for OwnLog {
    /// Every attribute that some decision read.
    fn attributes(&self) -> Vec<Attribute> {
        let strategy = &self.published.strategy;
        let mut read = BTreeSet::new();
        for decided in &self.decided {
            let then = &self.strategies[&decided.record.strategy].strategy;
            let known = decided.record.trace.attributes.iter().filter(|traced| traced.value.is_some());
            read.extend(
                known
                    .filter_map(|traced| then.attributes.get(usize::from(traced.attribute)))
                    .map(|one| one.name.clone()),
            );
        }
        let floor = strategy.organisation.confidence_floor;
        let declared = (0_u16..).zip(&strategy.attributes).filter(|(_, one)| read.contains(&one.name));
        declared
            .map(|(index, attribute)| Attribute {
                name: attribute.name.shared(),
                source: attribute.source,
                sensitivity: attribute.sensitivity,
                cost: attribute.cost,
                retention_days: attribute.retention.as_secs_f64() / DAY_S,
                readable_days: attribute
                    .half_life
                    .map(|half_life| {
                        let halvings = libm::log2(f64::from(attribute.confidence / floor));
                        half_life.as_secs_f64() / DAY_S * halvings.max(0.0)
                    })
                    .filter(|days| days.is_finite()),
                read_by: readers(strategy, index),
            })
            .collect()
    }

    fn learner(&self) -> Learner {
        new_learner(&self.published.strategy)
    }

    fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn occasions(&self) -> &[Occasion] {
        &self.occasions
    }

    fn target(&self, occasion: usize, without: &BTreeSet<Name>, model: &dyn Predictor) -> Target {
        let Decided { record, logged } = &self.decided[occasion];
        let strategy = &self.strategies[&record.strategy].strategy;
        let record = unknowing(strategy, record, without);
        let past = Past::of(strategy, &record, Some(model)).expect("it was decided by this strategy");
        let seen = |views_of: &Views| seen(views_of, logged);
        match &self.truths {
            None => {
                past.under(strategy, Assignment::Strategy, |worked| seen(&views(strategy, &worked.decision)))
            }
            Some(truths) => past.freely_under(strategy, Assignment::Strategy, |worked| {
                let views = views(strategy, &worked.decision);
                let arms = views.values().filter(|view| !view.fixed).flat_map(|view| &view.arms);
                let expected = arms.map(|(action, chance)| chance * truth(truths, &record, action)).sum();
                Target { expected, unsupported: 0.0, ..seen(&views) }
            }),
        }
    }

    fn estimator(&self) -> Estimator {
        if self.truths.is_some() { Estimator::Dr } else { Estimator::Snips }
    }

    fn measured_by(&self) -> &'static str {
        match self.truths {
            None => "value of both ledgers per decision, by the outcomes and probabilities of the log",
            Some(_) => "SIMULATED: true value of both ledgers per decision",
        }
    }
}

/// The record as it would have been had these attributes not been known, and without what was expected then.
fn unknowing(strategy: &Strategy, record: &Decision, without: &BTreeSet<Name>) -> Decision {
    let mut record = record.clone();
    record.trace.predictions.clear();
    let name = |index: u16| strategy.attributes.get(usize::from(index)).map(|one| one.name.shared());
    record
        .trace
        .attributes
        .retain(|traced| name(traced.attribute).is_none_or(|name| !without.contains(&name)));
    record
}

/// One policy at one decision: with which probability it would have filled all drawn slots the same way.
fn seen(policy: &Views, logged: &[(Spot, View)]) -> Target {
    let nothing = View::nothing();
    let (mut probability, mut supported) = (1.0, 1.0);
    for (spot, then) in logged {
        let mine = policy.get(spot).unwrap_or(&nothing);
        probability *= mine.of_pick(then);
        supported *= 1.0 - unsupported(mine, then);
    }
    Target {
        probability: probability.clamp(0.0, 1.0),
        expected: 0.0,
        unsupported: (1.0_f64 - supported).clamp(0.0, 1.0),
    }
}

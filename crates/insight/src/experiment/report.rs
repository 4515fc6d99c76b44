//! How does every experiment and every control group stand at this look?
//!
//! One pass over the engine's observations. A goal whose value could not be told for a customer counts as the
//! mean of those of the same event that could, in whichever arm, so that no arm gains by what is unknown.

use super::{
    advice::{Advice, Compared, Grounds, Phase},
    power::Design,
    ratio::Ratio,
    sequence::{ALPHA, Moments, Sequence},
};
use decision::{
    Duration, Timestamp,
    id::{EventName, OutcomeName},
    inputs::Assignment,
    strategy::{Arm, Experiment, Guard, Strategy, Weights},
};
use engine::{CameOf, Engine, EngineError, Observation, Subject};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the control groups are called among the experiments.
pub const CONTROL: &str = "control";
const DAY_S: f64 = 86_400.0;

/// One comparison at one look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Id of the experiment; `control` for the control groups.
    pub id: String,
    /// Who answers for it; `None` for the control groups.
    pub owner: Option<String>,
    /// Where it stands in time.
    pub phase: Phase,
    /// How often it has been looked at, this time included; the bounds hold for all looks together.
    pub looks: u64,
    /// What is compared per customer: `value` in euro, or the share to whom an outcome happened.
    pub metric: String,
    /// A lower mean is the better one.
    pub less_is_better: bool,
    /// How many days every customer is looked at.
    pub within_days: f64,
    /// Smallest difference that matters.
    pub minimum_effect: f64,
    /// The arms or groups.
    pub arms: Vec<ArmReport>,
    /// The differences.
    pub differences: Vec<Difference>,
    /// Whether customers are spread as declared.
    pub ratio: Ratio,
    /// Customers in two arms after which the smallest difference that matters would be seen, four times in five.
    pub customers_needed: Option<u64>,
    /// The difference that the customers of the last day of the experiment would show, four times in five.
    pub detectable_at_end: Option<f64>,
    /// Reached goals without a value that is known of any customer; they count as nothing.
    pub unvalued: u64,
    /// What to do.
    pub advice: Advice,
    /// The same in words.
    pub advice_text: String,
}

/// One arm or control group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmReport {
    /// Id.
    pub arm: String,
    /// Declared share of customers.
    pub share: f64,
    /// Customers in it.
    pub enrolled: u64,
    /// What is compared, over those who have been looked at for the whole time.
    pub metric: Moments,
    /// Mean value for the customer in euro.
    pub value_for_customer: f64,
    /// Mean value for the organisation in euro, after the cost of contacts.
    pub value_for_organisation: f64,
}

/// `arm − minus`, per customer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Which arm.
    pub arm: String,
    /// Minus which.
    pub minus: String,
    /// In what is compared.
    pub metric: Sequence,
    /// In what may hardly rise.
    pub guards: Vec<GuardReport>,
}

/// One guard of one arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuardReport {
    /// What may hardly rise.
    pub outcome: String,
    /// The rise, as a share of customers.
    pub rise: Sequence,
    /// Largest rise that is borne.
    pub at_most: f64,
}

/// Looks at everything that is compared, or at `only` one of them, as of `at`. Every look is counted.
///
/// # Errors
/// The store fails.
pub fn look(engine: &Engine, only: Option<&str>, at: Timestamp) -> Result<Vec<Report>, EngineError> {
    let published = engine.published();
    let strategy = &published.strategy;
    let mut comparisons: Vec<Comparison> = Comparison::of_control(strategy).into_iter().collect();
    let experiments = strategy.experiments.iter();
    comparisons.extend(experiments.map(|experiment| Comparison::of_experiment(strategy, experiment)));
    comparisons.retain(|comparison| only.is_none_or(|only| comparison.id == only));
    let mut later = Vec::new();
    let mut values = Values::default();
    engine.observe(at, &mut |Observation { subject, since, came_of }| {
        let place = comparisons
            .iter()
            .enumerate()
            .find_map(|(index, found)| Some((index, found.arm(strategy, subject)?)));
        let Some((comparison, arm)) = place else {
            return;
        };
        comparisons[comparison].enrol(arm, since);
        if let Some(came_of) = came_of {
            values.learn(&came_of);
            match came_of.goals.iter().all(|goal| goal.value.is_some()) {
                true => comparisons[comparison].add(arm, &came_of, &values),
                false => later.push((comparison, arm, came_of)),
            }
        }
    })?;
    later.iter().for_each(|(comparison, arm, came_of)| comparisons[*comparison].add(*arm, came_of, &values));
    let report = |comparison: Comparison| Ok(comparison.report(engine.look(&comparison.id)?, at));
    comparisons.into_iter().map(report).collect()
}

/// What goals are worth on average to those of whom it is known.
#[derive(Default)]
struct Values(BTreeMap<EventName, (f64, f64, f64)>);

impl Values {
    fn learn(&mut self, came_of: &CameOf) {
        for goal in &came_of.goals {
            if let Some((customer, organisation)) = goal.value {
                let (sum, sum_of_organisation, times) = self.0.entry(goal.event.clone()).or_default();
                *sum += goal.times * customer;
                *sum_of_organisation += goal.times * organisation;
                *times += goal.times;
            }
        }
    }

    fn mean(&self, event: &EventName) -> Option<(f64, f64)> {
        let (customer, organisation, times) = self.0.get(event)?;
        Some((customer / times, organisation / times))
    }
}

/// One comparison while the observations come in.
struct Comparison {
    id: String,
    owner: Option<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    within: Duration,
    metric: Option<OutcomeName>,
    less_is_better: bool,
    minimum_effect: f64,
    weights: Weights,
    guards: Vec<Guard>,
    arms: Vec<Tally>,
    /// Which arm is compared with which, the first pair for advice.
    pairs: Vec<(usize, usize)>,
    first: Option<Timestamp>,
    unvalued: u64,
}

/// What came of one arm.
#[derive(Default)]
struct Tally {
    name: String,
    group: Assignment,
    share: f64,
    enrolled: u64,
    metric: Moments,
    customer: Moments,
    organisation: Moments,
    guards: Vec<Moments>,
}

impl Comparison {
    fn of_experiment(strategy: &Strategy, experiment: &Experiment) -> Self {
        let tally = |arm: &Arm| Tally {
            name: arm.id.to_string(),
            share: arm.share,
            guards: vec![Moments::default(); experiment.guards.len()],
            ..Tally::default()
        };
        Self {
            id: experiment.id.to_string(),
            owner: Some(experiment.owner.clone()),
            from: Some(experiment.from),
            until: experiment.until,
            within: experiment.metric.within,
            metric: experiment.metric.outcome.clone(),
            less_is_better: experiment.metric.less_is_better,
            minimum_effect: experiment.minimum_effect,
            weights: strategy.organisation.weights,
            guards: experiment.guards.clone(),
            arms: experiment.arms.iter().map(tally).collect(),
            pairs: (1..experiment.arms.len()).map(|arm| (arm, 0)).collect(),
            first: None,
            unvalued: 0,
        }
    }

    /// The strategy against every control group there is; `None` without any.
    fn of_control(strategy: &Strategy) -> Option<Self> {
        let control = &strategy.organisation.control;
        let groups = [
            ("silence", Assignment::Silence, control.silence_share),
            ("today", Assignment::Today, control.today_share),
            ("random", Assignment::RandomRelevant, control.random_share),
        ];
        let groups = groups.into_iter().filter(|(_, _, share)| *share > 0.0);
        let rest = 1.0 - groups.clone().map(|(_, _, share)| share).sum::<f64>();
        let all = std::iter::once(("strategy", Assignment::Strategy, rest)).chain(groups);
        let arms: Vec<Tally> = all
            .map(|(name, group, share)| Tally { name: name.to_owned(), group, share, ..Tally::default() })
            .collect();
        (arms.len() > 1).then(|| Self {
            id: CONTROL.to_owned(),
            owner: None,
            from: None,
            until: None,
            within: control.within,
            metric: None,
            less_is_better: false,
            minimum_effect: control.minimum_effect,
            weights: strategy.organisation.weights,
            guards: Vec::new(),
            pairs: (1..arms.len()).map(|group| (0, group)).collect(),
            arms,
            first: None,
            unvalued: 0,
        })
    }

    fn enrol(&mut self, arm: usize, since: Timestamp) {
        self.arms[arm].enrolled += 1;
        self.first = Some(self.first.map_or(since, |first| first.min(since)));
    }

    fn add(&mut self, arm: usize, came_of: &CameOf, values: &Values) {
        let (mut customer, mut organisation) = (came_of.customer, came_of.organisation);
        for goal in &came_of.goals {
            match goal.value.or_else(|| values.mean(&goal.event)) {
                Some(value) => {
                    customer += goal.times * value.0;
                    organisation += goal.times * value.1;
                }
                None => self.unvalued += 1,
            }
        }
        let happened = |outcome: &OutcomeName| f64::from(u8::from(came_of.happened.contains(outcome)));
        let value = self.weights.customer * customer + self.weights.organisation * organisation;
        let tally = &mut self.arms[arm];
        tally.metric.add(self.metric.as_ref().map_or(value, happened));
        tally.customer.add(customer);
        tally.organisation.add(organisation);
        for (moments, guard) in tally.guards.iter_mut().zip(&self.guards) {
            moments.add(happened(&guard.outcome));
        }
    }

    fn report(&self, looks: u64, at: Timestamp) -> Report {
        let phase = self.phase(at);
        let customers: Vec<u64> = self.arms.iter().map(|arm| arm.enrolled).collect();
        let shares: Vec<f64> = self.arms.iter().map(|arm| arm.share).collect();
        let ratio = Ratio::of(&customers, &shares);
        let differences: Vec<Difference> = self.pairs.iter().map(|pair| self.difference(*pair)).collect();
        let customers_needed = self.designs().map(|design| design.customers_for(self.minimum_effect)).max();
        let customers_needed = customers_needed.flatten();
        let advice = Advice::of(&Grounds {
            phase,
            ratio_broken: ratio.broken,
            baseline: self.arms[self.pairs[0].1].name.clone(),
            others: self.compared(&differences),
            minimum_effect: self.minimum_effect,
            customers_needed,
            customers: differences.iter().map(|difference| difference.metric.customers).max().unwrap_or(0),
            days_more: customers_needed
                .filter(|_| phase == Phase::Running)
                .and_then(|needed| self.days_more(needed, at)),
        });
        Report {
            id: self.id.clone(),
            owner: self.owner.clone(),
            phase,
            looks,
            metric: self.metric.as_ref().map_or_else(|| "value".to_owned(), ToString::to_string),
            less_is_better: self.less_is_better,
            within_days: days(self.within),
            minimum_effect: self.minimum_effect,
            arms: self.arms.iter().map(Tally::report).collect(),
            differences,
            ratio,
            customers_needed,
            detectable_at_end: self.detectable_at_end(at),
            unvalued: self.unvalued,
            advice_text: advice.to_string(),
            advice,
        }
    }

    fn phase(&self, at: Timestamp) -> Phase {
        let looked_at = |until: Timestamp| until.saturating_add(self.within).unwrap_or(Timestamp::MAX);
        match (self.from, self.until) {
            (Some(from), _) if at < from => Phase::Planned,
            (_, Some(until)) if looked_at(until) <= at => Phase::Over,
            (_, Some(until)) if until <= at => Phase::Finishing,
            _ => Phase::Running,
        }
    }

    /// Claims are shared out over the comparisons (Bonferroni).
    fn alpha(&self) -> f64 {
        ALPHA / self.pairs.len() as f64
    }

    fn difference(&self, (arm, minus): (usize, usize)) -> Difference {
        let (ours, theirs) = (&self.arms[arm], &self.arms[minus]);
        let of = |ours: &Moments, theirs: &Moments| Sequence::of_difference(ours, theirs, self.alpha());
        let guards = self.guards.iter().zip(ours.guards.iter().zip(&theirs.guards));
        Difference {
            arm: ours.name.clone(),
            minus: theirs.name.clone(),
            metric: of(&ours.metric, &theirs.metric),
            guards: guards
                .map(|(guard, (ours, theirs))| GuardReport {
                    outcome: guard.outcome.to_string(),
                    rise: of(ours, theirs),
                    at_most: guard.worse_by_at_most,
                })
                .collect(),
        }
    }

    /// What advice is about: the arms of an experiment, or the strategy against its first control group.
    fn compared(&self, differences: &[Difference]) -> Vec<Compared> {
        let about = if self.owner.is_some() { differences } else { &differences[..1] };
        let compared = |difference: &Difference| Compared {
            arm: difference.arm.clone(),
            better_by: if self.less_is_better { difference.metric.reversed() } else { difference.metric },
            guards: difference
                .guards
                .iter()
                .map(|guard| (guard.outcome.clone(), guard.rise, guard.at_most))
                .collect(),
        };
        about.iter().map(compared).collect()
    }

    /// What each pair could show, as far as the spread between customers is known.
    fn designs(&self) -> impl Iterator<Item = Design> {
        self.pairs.iter().filter_map(|(arm, minus)| {
            let (ours, theirs) = (&self.arms[*arm], &self.arms[*minus]);
            let share = ours.share / (ours.share + theirs.share);
            let variance = (1.0 - share) * ours.metric.variance() + share * theirs.metric.variance();
            let deviation = libm::sqrt(variance);
            (deviation > 0.0).then(|| Design { deviation, share, alpha: self.alpha() })
        })
    }

    /// Customers a day in the smallest pair, since the first one came.
    fn pace(&self, at: Timestamp) -> Option<f64> {
        let since = days(at.duration_since(self.first?)).max(1.0);
        self.enrolled_in_smallest_pair().map(|enrolled| enrolled as f64 / since)
    }

    fn enrolled_in_smallest_pair(&self) -> Option<u64> {
        self.pairs.iter().map(|(arm, minus)| self.arms[*arm].enrolled + self.arms[*minus].enrolled).min()
    }

    fn days_more(&self, needed: u64, at: Timestamp) -> Option<u64> {
        let missing = needed.saturating_sub(self.enrolled_in_smallest_pair()?) as f64;
        let days_more = missing / self.pace(at).filter(|pace| *pace > 0.0)? + days(self.within);
        Some(libm::ceil(days_more) as u64)
    }

    fn detectable_at_end(&self, at: Timestamp) -> Option<f64> {
        let left = days(self.until?.duration_since(at)).max(0.0);
        let customers = self.enrolled_in_smallest_pair()? as f64 + left * self.pace(at)?;
        self.designs().map(|design| design.detectable(customers)).reduce(f64::max)
    }

    fn arm(&self, strategy: &Strategy, subject: Subject) -> Option<usize> {
        match subject {
            Subject::Control(group) => {
                let here = self.owner.is_none();
                self.arms.iter().position(|arm| here && arm.group == group)
            }
            Subject::Experiment { experiment, arm } => {
                let id = strategy.experiments.get(usize::from(experiment))?.id.as_str();
                (self.owner.is_some() && self.id == id).then_some(usize::from(arm))
            }
        }
    }
}

impl Tally {
    fn report(&self) -> ArmReport {
        ArmReport {
            arm: self.name.clone(),
            share: self.share,
            enrolled: self.enrolled,
            metric: self.metric,
            value_for_customer: self.customer.mean,
            value_for_organisation: self.organisation.mean,
        }
    }
}

fn days(duration: Duration) -> f64 {
    duration.as_secs_f64() / DAY_S
}

//! What do all valued decisions add up to? Ledgers, reach and volume, who gains and who loses, what was left
//! out and what is missing.

use super::{
    Name, Plan,
    moment::{Moment, Seen},
};
use decision::{Timestamp, inputs::Assignment};
use insight::{
    interval::Interval,
    off_policy::{Estimator, Log, Policy, Row, Support, Target, Wanting},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Customer, organisation, both.
pub(super) const LEDGERS: usize = 3;
pub(super) const TOTAL: usize = 2;
/// A group with fewer customers is not shown: it would tell about persons.
const GROUP_CUSTOMERS_MIN: usize = 30;
/// How values are estimated: unbiased whatever the model, and steadied by it.
const ESTIMATOR: Estimator = Estimator::Dr;

/// A ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ledger {
    /// Value for the customer.
    Customer,
    /// Value for the organisation, after the cost of contacts.
    Organisation,
    /// Both, as the board weighs them, after the cost of contacts.
    Total,
}

impl Ledger {
    const ALL: [Self; LEDGERS] = [Self::Customer, Self::Organisation, Self::Total];
}

/// What the history says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The other strategy is worth more.
    Better,
    /// The other strategy is worth less.
    Worse,
    /// There is enough evidence and no difference to be seen.
    Undecided,
    /// Nothing would change.
    Same,
    /// There is too little evidence to say.
    TooLittle(Wanting),
}

/// One ledger, in euro per decision.
#[derive(Debug, Clone, Serialize)]
pub struct LedgerLine {
    /// Which.
    pub ledger: Ledger,
    /// What the strategies that decided are worth.
    pub then: Interval,
    /// What the other one would have been worth.
    pub other: Interval,
    /// What it would have added.
    pub difference: Interval,
    /// Whether that can be told.
    pub verdict: Verdict,
}

/// How often and to how many an action is said.
#[derive(Debug, Clone, Serialize)]
pub struct VolumeLine {
    /// The action.
    pub action: String,
    /// Over what.
    pub channel: String,
    /// Expected times then and with the other strategy.
    pub said: [f64; 2],
    /// Expected number of different customers, then and with the other strategy.
    pub reach: [f64; 2],
}

/// What a group of customers gains or loses.
#[derive(Debug, Clone, Serialize)]
pub struct Gained {
    /// The attribute.
    pub attribute: String,
    /// Its value.
    pub value: String,
    /// Customers in the group.
    pub customers: usize,
    /// Decisions about them.
    pub decisions: usize,
    /// What the other strategy would add for the customer, in euro per decision.
    pub for_customer: Interval,
    /// Whether the group gains or loses.
    pub verdict: Verdict,
}

/// Silence, as a share of slots.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Silence {
    /// With the strategies that decided, 0 to 1.
    pub then: f64,
    /// With the other one, 0 to 1.
    pub other: f64,
}

/// Decisions that were not valued.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LeftOut {
    /// The customer was in a control group that the strategy does not decide for.
    pub control_group: u64,
    /// Everything shown was fixed: required, or an open contact shown again.
    pub nothing_drawn: u64,
    /// Outcomes may still come.
    pub too_recent: u64,
    /// When the last of those will have their outcomes, in milliseconds since 1970 UTC.
    pub ready_ms: Option<i64>,
    /// The decision cannot be made again from its record.
    pub not_repeatable: u64,
    /// Since then the customer said no to a use of data that was possible then.
    pub withdrawn: u64,
    /// The recorded numbers cannot be used.
    pub unusable: u64,
}

impl LeftOut {
    pub(super) fn too_recent(&mut self, ready_ms: i64) {
        self.too_recent += 1;
        self.ready_ms = self.ready_ms.max(Some(ready_ms));
    }
}

/// What the other strategy would have read or asked for and the records do not hold, with the number of
/// decisions concerned.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Missing {
    /// Attributes, taken as unknown.
    pub attributes: BTreeMap<String, u64>,
    /// Purposes, taken as not agreed to.
    pub purposes: BTreeMap<String, u64>,
    /// Actions whose estimates come from the model of that moment.
    pub estimated_by_model: BTreeMap<String, u64>,
    /// Actions of which only the declared prior is known.
    pub estimated_by_prior: BTreeMap<String, u64>,
}

/// A changed strategy, valued on history.
#[derive(Debug, Clone, Serialize)]
pub struct Hindsight {
    /// Version of the other strategy.
    pub strategy: String,
    /// First moment.
    pub since: Timestamp,
    /// Last moment, exclusive.
    pub until: Timestamp,
    /// Decisions that were valued.
    pub decisions: usize,
    /// Customers behind them.
    pub customers: usize,
    /// The answer, for both ledgers together.
    pub verdict: Verdict,
    /// What the log can tell.
    pub support: Support,
    /// Ledger by ledger.
    pub ledgers: Vec<LedgerLine>,
    /// The difference in total value by each estimator, in euro per decision.
    pub estimators: BTreeMap<&'static str, Interval>,
    /// Share of choices that would be others, 0 to 1.
    pub changed: f64,
    /// Silence.
    pub silence: Silence,
    /// By action and channel.
    pub volumes: Vec<VolumeLine>,
    /// Groups of customers, the surest losses first.
    pub groups: Vec<Gained>,
    /// Decisions that were not valued.
    pub left_out: LeftOut,
    /// What the records do not hold.
    pub missing: Missing,
}

/// One layer of a strategy on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Chance among what is relevant and allowed.
    Random,
    /// Without applicability and suitability.
    EligibilityOnly,
    /// By propensity alone.
    PropensityOnly,
    /// Without levers.
    WithoutLevers,
    /// All of it.
    Whole,
}

impl Layer {
    /// All, chance first.
    pub const ALL: [Self; 5] =
        [Self::Random, Self::EligibilityOnly, Self::PropensityOnly, Self::WithoutLevers, Self::Whole];

    /// How the decision is told to decide so.
    pub fn assignment(self) -> Assignment {
        match self {
            Self::Random => Assignment::RandomRelevant,
            Self::EligibilityOnly => Assignment::EligibilityOnly,
            Self::PropensityOnly => Assignment::PropensityOnly,
            Self::WithoutLevers => Assignment::WithoutLevers,
            Self::Whole => Assignment::Strategy,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Random => "random relevant",
            Self::EligibilityOnly => "eligibility only",
            Self::PropensityOnly => "propensity only",
            Self::WithoutLevers => "without levers",
            Self::Whole => "whole",
        })
    }
}

/// What a layer is worth, in total, in euro per decision.
#[derive(Debug, Clone, Serialize)]
pub struct LayerLine {
    /// Which.
    pub layer: Layer,
    /// Its worth.
    pub worth: Interval,
    /// What it adds to chance.
    pub over_random: Interval,
    /// Whether that can be told.
    pub verdict: Verdict,
    /// What the log can tell.
    pub support: Support,
}

/// The layers of the strategy that decides, valued on history.
#[derive(Debug, Clone, Serialize)]
pub struct Layers {
    /// First moment.
    pub since: Timestamp,
    /// Last moment, exclusive.
    pub until: Timestamp,
    /// Decisions that were valued.
    pub decisions: usize,
    /// Customers behind them.
    pub customers: usize,
    /// Layer by layer, chance first.
    pub lines: Vec<LayerLine>,
    /// Decisions that were not valued.
    pub left_out: LeftOut,
}

/// What is added up on the way.
pub(super) struct Tally {
    moments: Vec<Kept>,
    policies: usize,
    groups: BTreeMap<(Name, String), Vec<u32>>,
    volumes: BTreeMap<(Name, Name), Vec<f64>>,
    /// Probability of never having been told, by action, channel and customer.
    untold: BTreeMap<(Name, Name, u128), Vec<f64>>,
    silent: Vec<f64>,
    slots: f64,
    changed: Vec<f64>,
    missing: Missing,
    pub left_out: LeftOut,
}

/// What stays of a moment.
struct Kept {
    subject: u128,
    propensity: f64,
    reward: [f64; LEDGERS],
    policies: Vec<(f64, [f64; LEDGERS], f64)>,
}

impl Tally {
    pub(super) fn new(policies: usize) -> Self {
        Self {
            moments: Vec::new(),
            policies,
            groups: BTreeMap::new(),
            volumes: BTreeMap::new(),
            untold: BTreeMap::new(),
            silent: vec![0.0; policies],
            slots: 0.0,
            changed: vec![0.0; policies],
            missing: Missing::default(),
            left_out: LeftOut::default(),
        }
    }

    pub(super) fn add(&mut self, moment: Moment) {
        let number = u32::try_from(self.moments.len()).unwrap_or(u32::MAX);
        for group in moment.groups {
            self.groups.entry(group).or_default().push(number);
        }
        self.slots += moment.policies.first().map_or(0.0, |seen| seen.slots);
        for (policy, seen) in moment.policies.iter().enumerate() {
            self.add_volume(policy, seen, moment.subject, &moment.channel);
        }
        let names = |names: Vec<String>, counts: &mut BTreeMap<String, u64>| {
            names.into_iter().for_each(|name| *counts.entry(name).or_default() += 1);
        };
        fn texts<T: ToString>(set: &BTreeSet<T>) -> Vec<String> {
            set.iter().map(ToString::to_string).collect()
        }
        names(texts(&moment.gaps.attributes), &mut self.missing.attributes);
        names(texts(&moment.gaps.purposes), &mut self.missing.purposes);
        names(texts(&moment.gaps.by_model), &mut self.missing.estimated_by_model);
        names(texts(&moment.gaps.by_prior), &mut self.missing.estimated_by_prior);
        let kept = |seen: &Seen| (seen.probability, seen.correction, seen.unsupported);
        self.moments.push(Kept {
            subject: moment.subject,
            propensity: moment.propensity,
            reward: moment.reward,
            policies: moment.policies.iter().map(kept).collect(),
        });
    }

    fn add_volume(&mut self, policy: usize, seen: &Seen, subject: u128, channel: &Name) {
        self.silent[policy] += seen.silent;
        self.changed[policy] += seen.changed;
        for (action, said) in &seen.said {
            let key = (action.clone(), channel.clone());
            self.volumes.entry(key).or_insert_with(|| vec![0.0; self.policies])[policy] += said;
            let key = (action.clone(), channel.clone(), subject);
            let untold = self.untold.entry(key).or_insert_with(|| vec![1.0; self.policies]);
            untold[policy] *= 1.0 - said.min(1.0);
        }
    }

    fn log(&self, ledger: usize, ours: usize, theirs: usize, moments: impl Iterator<Item = usize>) -> Log {
        let target = |moment: &Kept, policy: usize| {
            let (probability, correction, unsupported) = moment.policies[policy];
            Target { probability: probability.min(1.0), expected: correction[ledger], unsupported }
        };
        Log::new(moments.map(|index| {
            let moment = &self.moments[index];
            Row {
                cluster: moment.subject,
                propensity: Some(moment.propensity),
                reward: moment.reward[ledger],
                expected: 0.0,
                ours: target(moment, ours),
                theirs: target(moment, theirs),
            }
        }))
    }

    fn whole_log(&self, ledger: usize, ours: usize, theirs: usize) -> Log {
        self.log(ledger, ours, theirs, 0..self.moments.len())
    }

    pub(super) fn hindsight(mut self, strategy: String, plan: Plan) -> Hindsight {
        let (then, other) = (0, 1);
        let total = self.whole_log(TOTAL, other, then);
        self.left_out.unusable = total.unusable().total();
        let line = |ledger: usize| {
            let log = self.whole_log(ledger, other, then);
            LedgerLine {
                ledger: Ledger::ALL[ledger],
                then: log.value(Policy::Theirs, ESTIMATOR),
                other: log.value(Policy::Ours, ESTIMATOR),
                difference: log.difference(ESTIMATOR),
                verdict: verdict(&log),
            }
        };
        let estimators = [("ips", Estimator::Ips), ("snips", Estimator::Snips), ("dr", Estimator::Dr)];
        let share = |sum: f64, of: f64| if of > 0.0 { sum / of } else { 0.0 };
        Hindsight {
            strategy,
            since: plan.since,
            until: plan.until,
            decisions: total.len(),
            customers: total.customers(),
            verdict: verdict(&total),
            support: total.support(),
            ledgers: (0..LEDGERS).map(line).collect(),
            estimators: estimators.map(|(name, estimator)| (name, total.difference(estimator))).into(),
            changed: share(self.changed[other], self.moments.len() as f64),
            silence: Silence {
                then: share(self.silent[then], self.slots),
                other: share(self.silent[other], self.slots),
            },
            volumes: self.volume_lines(),
            groups: self.group_lines(),
            left_out: self.left_out,
            missing: self.missing,
        }
    }

    fn volume_lines(&self) -> Vec<VolumeLine> {
        let mut reach: BTreeMap<(&Name, &Name), [f64; 2]> = BTreeMap::new();
        for ((action, channel, _), untold) in &self.untold {
            let sums = reach.entry((action, channel)).or_default();
            (0..2).for_each(|policy| sums[policy] += 1.0 - untold[policy]);
        }
        let line = |((action, channel), said): (&(Name, Name), &Vec<f64>)| VolumeLine {
            action: action.to_string(),
            channel: channel.to_string(),
            said: [said[0], said[1]],
            reach: reach.get(&(action, channel)).copied().unwrap_or_default(),
        };
        self.volumes.iter().map(line).collect()
    }

    fn group_lines(&self) -> Vec<Gained> {
        let line = |((attribute, value), numbers): (&(Name, String), &Vec<u32>)| {
            let log = self.log(0, 1, 0, numbers.iter().map(|number| *number as usize));
            Gained {
                attribute: attribute.to_string(),
                value: value.clone(),
                customers: log.customers(),
                decisions: log.len(),
                for_customer: log.difference(ESTIMATOR),
                verdict: verdict(&log),
            }
        };
        let mut lines: Vec<Gained> =
            self.groups.iter().map(line).filter(|line| line.customers >= GROUP_CUSTOMERS_MIN).collect();
        lines.sort_by(|a, b| a.for_customer.high.total_cmp(&b.for_customer.high));
        lines
    }

    pub(super) fn layers(mut self, plan: Plan) -> Layers {
        let random = 0;
        let line = |position: usize| {
            let log = self.whole_log(TOTAL, position, random);
            LayerLine {
                layer: Layer::ALL[position],
                worth: log.value(Policy::Ours, ESTIMATOR),
                over_random: log.difference(ESTIMATOR),
                verdict: verdict(&log),
                support: log.support(),
            }
        };
        let lines: Vec<LayerLine> = (0..Layer::ALL.len()).map(line).collect();
        let log = self.whole_log(TOTAL, random, random);
        self.left_out.unusable = log.unusable().total();
        Layers {
            since: plan.since,
            until: plan.until,
            decisions: log.len(),
            customers: log.customers(),
            lines,
            left_out: self.left_out,
        }
    }
}

fn verdict(log: &Log) -> Verdict {
    use insight::off_policy::Verdict as Found;
    let support = log.support();
    match log.verdict(ESTIMATOR) {
        Found::Better => Verdict::Better,
        Found::Worse => Verdict::Worse,
        Found::Undecided if support.changed + support.unsupported == 0.0 => Verdict::Same,
        Found::Undecided => Verdict::Undecided,
        Found::TooLittle(wanting) => Verdict::TooLittle(wanting),
    }
}

//! Are groups treated alike? How many customers of each group are chosen to hear something, and how many it does
//! good, compared with everybody else, with intervals and alarms.
//!
//! A customer counts once. The groups are those of protected attributes, which decisions cannot read
//! ([`crate::protected`]). An alarm needs both: a difference that chance alone would hardly bring about, also when
//! that many comparisons are made (Holm 1979, over all of them), and a ratio of rates below four fifths or
//! above five quarters (the four-fifths rule, 29 CFR 1607.4). Deliberately not here: why, and what to do about it.

use crate::protected::{self, Column, Table};
use decision::{Timestamp, id::CustomerId, strategy::Strategy};
use engine::{Engine, EngineError};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A group with fewer customers is not told of: it would tell about persons.
pub const GROUP_CUSTOMERS_MIN: usize = 30;
/// Chance that an equal world raises any alarm.
const ALPHA: f64 = 0.05;
/// Rates whose ratio lies within are alike enough.
const ALIKE: (f64, f64) = (0.8, 1.25);
const Z95: f64 = 1.959_963_984_540_054;

/// What became of one customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Treated {
    /// Issues about which something was said to them.
    pub selected: BTreeSet<String>,
    /// Issues of which they then reached a goal.
    pub benefited: BTreeSet<String>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// Something was said.
    Selection,
    /// Something was said, and its goal was reached.
    Benefit,
}

/// How groups are treated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fairness {
    /// Customers about whom something was decided.
    pub customers: usize,
    /// Protected attributes, by name; empty when none is declared.
    pub protected: Vec<String>,
    /// Protected attributes that do not split customers into two groups large enough to tell of.
    pub not_compared: Vec<String>,
    /// Each group against everybody else.
    pub compared: Vec<Compared>,
}

/// One group against everybody else, in one issue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The protected attribute.
    pub attribute: String,
    /// The group.
    pub group: String,
    /// The issue, or `all`.
    pub issue: String,
    /// What is compared.
    pub rate: Rate,
    /// The group.
    pub ours: Share,
    /// Everybody else of whom the attribute is known.
    pub others: Share,
    /// Probability of a difference at least as large when groups are treated alike, after accounting for all
    /// comparisons, 0 to 1.
    pub p: f64,
    /// Worth a look.
    pub alarm: bool,
}

/// A share of customers with its 95 % interval (Wilson 1927).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Customers.
    pub customers: usize,
    /// Of these, to how many it happened.
    pub happened: usize,
    /// As a share, 0 to 1.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    /// Of a number of customers.
    pub fn of(happened: usize, customers: usize) -> Self {
        let (happened_f, count) = (happened as f64, customers.max(1) as f64);
        let share = happened_f / count;
        let square = Z95 * Z95;
        let middle = (share + square / (2.0 * count)) / (1.0 + square / count);
        let spread = Z95 / (1.0 + square / count)
            * libm::sqrt(share * (1.0 - share) / count + square / (4.0 * count * count));
        let (low, high) = match customers {
            0 => (0.0, 1.0),
            _ => ((middle - spread).max(0.0), (middle + spread).min(1.0)),
        };
        Self { customers, happened, share, low, high }
    }
}

impl Fairness {
    /// Comparisons that are worth a look.
    pub fn alarms(&self) -> impl Iterator<Item = &Compared> {
        self.compared.iter().filter(|compared| compared.alarm)
    }
}

/// How the decisions of a time treated groups, with what came of them so far.
///
/// # Errors
/// The store cannot be read, or a record is damaged.
pub fn look(
    engine: &Engine,
    since: Timestamp,
    until: Timestamp,
    at: Timestamp,
) -> Result<Fairness, EngineError> {
    let published = engine.published();
    let table = protected::read(engine, &published.strategy, at)?;
    if table.protected.is_empty() {
        return Ok(judge(&table, &BTreeMap::new()));
    }
    Ok(judge(&table, &treated(engine, since, until)?))
}

/// What became of everybody about whom something was decided.
fn treated(
    engine: &Engine,
    since: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<CustomerId, Treated>, EngineError> {
    let mut reached: BTreeMap<(u128, std::sync::Arc<str>), Vec<i64>> = BTreeMap::new();
    engine.each_happening(&mut |happened| {
        reached.entry((happened.subject, happened.event)).or_default().push(happened.at_ms);
    })?;
    let mut treated: BTreeMap<CustomerId, Treated> = BTreeMap::new();
    engine.each_decision(since, until, &mut |decision| {
        let Some(customer) = decision.customer else {
            return Ok(());
        };
        let of_customer = treated.entry(customer).or_default();
        let published = match engine.strategy_at(decision.strategy) {
            Ok(published) => published,
            Err(EngineError::UnknownStrategy(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        for pick in decision.slots.iter().filter_map(|slot| slot.pick) {
            let action = decision.fates[usize::from(pick)].action;
            let said = said(&published.strategy, action);
            let key = (customer.0, said.event);
            let from_ms = decision.at.as_millisecond();
            let window = from_ms..=from_ms.saturating_add(said.within_ms);
            let came = reached.get(&key).is_some_and(|times| times.iter().any(|at| window.contains(at)));
            if came {
                of_customer.benefited.insert(said.issue.clone());
            }
            of_customer.selected.insert(said.issue);
        }
        Ok(())
    })?;
    Ok(treated)
}

/// What was said, as far as it is compared.
struct Said {
    issue: String,
    event: std::sync::Arc<str>,
    within_ms: i64,
}

fn said(strategy: &Strategy, action: u16) -> Said {
    let action = &strategy.actions[usize::from(action)];
    Said {
        issue: action.id.issue().to_owned(),
        event: strategy.goal_event(action).shared(),
        within_ms: i64::try_from(action.goal.within.as_millis()).unwrap_or(i64::MAX),
    }
}

/// Compares every group with everybody else, in every issue and over all of them.
pub fn judge(table: &Table, treated: &BTreeMap<CustomerId, Treated>) -> Fairness {
    let of = |customer: &CustomerId| treated.get(customer);
    let issues: BTreeSet<&String> = treated.values().flat_map(|one| &one.selected).collect();
    let (mut compared, mut not_compared) = (Vec::new(), Vec::new());
    for (attribute, groups) in &table.protected {
        let people: Vec<(usize, &Treated)> = table
            .customers
            .iter()
            .zip(&groups.of)
            .filter_map(|(customer, group)| Some(((*group)?, of(customer)?)))
            .collect();
        let comparable = comparable(groups, &people);
        if comparable.len() < 2 {
            not_compared.push(attribute.clone());
            continue;
        }
        // Of two groups each is everybody else of the other; one comparison says it all.
        let told = if comparable.len() == 2 { &comparable[..1] } else { &comparable[..] };
        for group in told {
            for rate in [Rate::Selection, Rate::Benefit] {
                let all = counted(&people, *group, |one| !rate.of(one).is_empty());
                compared.push(all.named(attribute, &groups.parts[*group], "all", rate));
                compared.extend(issues.iter().map(|issue| {
                    counted(&people, *group, |one| rate.of(one).contains(*issue)).named(
                        attribute,
                        &groups.parts[*group],
                        issue,
                        rate,
                    )
                }));
            }
        }
    }
    correct(&mut compared);
    Fairness {
        customers: treated.len(),
        protected: table.protected.keys().cloned().collect(),
        not_compared,
        compared,
    }
}

impl Rate {
    fn of(self, treated: &Treated) -> &BTreeSet<String> {
        match self {
            Self::Selection => &treated.selected,
            Self::Benefit => &treated.benefited,
        }
    }
}

/// Groups that are large enough, as are all others together.
fn comparable(groups: &Column, people: &[(usize, &Treated)]) -> Vec<usize> {
    let size = |group: usize| people.iter().filter(|(of, _)| *of == group).count();
    let large = |size: usize| size >= GROUP_CUSTOMERS_MIN && people.len() - size >= GROUP_CUSTOMERS_MIN;
    (0..groups.parts.len()).filter(|group| large(size(*group))).collect()
}

/// How often something happened in a group and elsewhere.
struct Counted([(usize, usize); 2]);

fn counted(people: &[(usize, &Treated)], group: usize, happened: impl Fn(&Treated) -> bool) -> Counted {
    let mut counts = [(0, 0); 2];
    for (of, treated) in people {
        let (times, customers) = &mut counts[usize::from(*of != group)];
        *customers += 1;
        *times += usize::from(happened(treated));
    }
    Counted(counts)
}

impl Counted {
    fn named(&self, attribute: &str, group: &str, issue: &str, rate: Rate) -> Compared {
        let [ours, others] = self.0.map(|(happened, customers)| Share::of(happened, customers));
        Compared {
            attribute: attribute.to_owned(),
            group: group.to_owned(),
            issue: issue.to_owned(),
            rate,
            p: p_of(&ours, &others),
            ours,
            others,
            alarm: false,
        }
    }
}

/// Two-sided, of the difference of two shares; 1 when nothing can be seen.
fn p_of(ours: &Share, others: &Share) -> f64 {
    let (n, m) = (ours.customers as f64, others.customers as f64);
    let pooled = (ours.happened + others.happened) as f64 / (n + m);
    let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
    match variance > 0.0 {
        true => libm::erfc((ours.share - others.share).abs() / libm::sqrt(2.0 * variance)),
        false => 1.0,
    }
}

/// Holm's step-down: the least probable is held to all comparisons, the next to one fewer.
fn correct(compared: &mut [Compared]) {
    let mut order: Vec<usize> = (0..compared.len()).collect();
    order.sort_by(|one, other| compared[*one].p.total_cmp(&compared[*other].p));
    let mut least: f64 = 0.0;
    for (rank, index) in order.iter().enumerate() {
        let one = &mut compared[*index];
        least = least.max((one.p * (order.len() - rank) as f64).min(1.0));
        one.p = least;
        one.alarm = one.p < ALPHA && !alike(&one.ours, &one.others);
    }
}

fn alike(ours: &Share, others: &Share) -> bool {
    let (low, high) = ALIKE;
    ours.share >= low * others.share && ours.share <= high * others.share
}

impl fmt::Display for Fairness {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.protected.is_empty() {
            return writeln!(
                page,
                "No protected attribute is declared, so nobody can see whether groups are treated alike: give one a \
                 purpose with `audit_only = true`."
            );
        }
        writeln!(page, "{} customers about whom something was decided", self.customers)?;
        for name in &self.not_compared {
            writeln!(
                page,
                "`{name}`: fewer than two groups of at least {GROUP_CUSTOMERS_MIN} customers, so nothing is compared"
            )?;
        }
        for one in &self.compared {
            let word = match one.rate {
                Rate::Selection => "heard something",
                Rate::Benefit => "reached its goal",
            };
            let percent = |share: &Share| {
                format!("{:.1} % [{:.1}, {:.1}]", 100.0 * share.share, 100.0 * share.low, 100.0 * share.high)
            };
            writeln!(
                page,
                "{} {} = {}, {}: {word} {}, others {}",
                if one.alarm { "ALARM" } else { "     " },
                one.attribute,
                one.group,
                one.issue,
                percent(&one.ours),
                percent(&one.others),
            )?;
        }
        let alarms = self.alarms().count();
        match (alarms, self.compared.is_empty()) {
            (_, true) => Ok(()),
            (0, _) => writeln!(page, "No alarm in {} comparisons.", self.compared.len()),
            _ => writeln!(page, "{alarms} alarms in {} comparisons.", self.compared.len()),
        }
    }
}

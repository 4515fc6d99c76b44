//! What to do now: start, wait, stop or ship? One of a closed set of answers, each with its reason.
//!
//! Nothing is stopped or shipped here; people do that by changing the strategy.

use super::sequence::Sequence;
use serde::Serialize;
use std::fmt;

/// Where an experiment stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has not begun.
    Planned,
    /// Customers enter it.
    Running,
    /// Nobody enters any more, and some are still looked at.
    Finishing,
    /// Everybody has been looked at for the whole time.
    Over,
}

/// One arm compared with another, the better direction up.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The arm.
    pub arm: String,
    /// How much better per customer.
    pub better_by: Sequence,
    /// By how much each guarded outcome rises, with the rise that is borne.
    pub guards: Vec<(String, Sequence, f64)>,
}

/// What advice rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Grounds {
    /// Where it stands in time.
    pub phase: Phase,
    /// The spread over the arms is not what was declared.
    pub ratio_broken: bool,
    /// The arm that the others are compared with.
    pub baseline: String,
    /// The others.
    pub others: Vec<Compared>,
    /// Smallest difference that matters.
    pub minimum_effect: f64,
    /// Customers per arm pair after which that difference would be seen; `None` when it cannot be told.
    pub customers_needed: Option<u64>,
    /// Customers of the largest pair so far.
    pub customers: u64,
    /// Days until then at the present pace.
    pub days_more: Option<u64>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "advice", rename_all = "snake_case")]
pub enum Advice {
    /// Nothing: it has not begun.
    Wait,
    /// Stop and find the fault: customers are not spread as declared.
    StopRatio,
    /// Stop: something that was to be guarded got worse.
    StopGuard {
        /// In which arm.
        arm: String,
        /// What.
        outcome: String,
    },
    /// Ship an arm: it is better than the baseline.
    Ship {
        /// Which.
        arm: String,
    },
    /// Stop and keep the baseline: every other arm is worse.
    StopWorse {
        /// The baseline.
        keep: String,
    },
    /// Stop: no difference is as large as one that matters.
    StopSame {
        /// The baseline.
        keep: String,
    },
    /// Go on: nothing is certain yet.
    KeepRunning {
        /// Why.
        because: Undecided,
        /// Customers after which a difference that matters would be seen.
        customers_needed: Option<u64>,
        /// Customers so far.
        customers: u64,
        /// Days until then at the present pace.
        days_more: Option<u64>,
    },
    /// It is over and showed neither a difference nor that there is none.
    Undecided {
        /// Customers that would have been needed.
        customers_needed: Option<u64>,
        /// Customers there were.
        customers: u64,
    },
}

/// Why it is too early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undecided {
    /// Too few customers have been looked at for the whole time.
    TooFew,
    /// The difference may be either way, or nothing.
    Difference,
    /// An arm is better, and whether a guarded outcome got worse is open.
    Guard {
        /// The arm.
        arm: String,
        /// The outcome.
        outcome: String,
    },
}

impl Advice {
    /// What follows from the grounds.
    pub fn of(grounds: &Grounds) -> Self {
        if grounds.phase == Phase::Planned {
            return Self::Wait;
        }
        if grounds.ratio_broken {
            return Self::StopRatio;
        }
        if let Some((arm, outcome)) = grounds.others.iter().find_map(broken_guard) {
            return Self::StopGuard { arm, outcome };
        }
        let better = grounds.others.iter().filter(|other| other.better_by.low > 0.0);
        let best = better.max_by(|one, other| one.better_by.mean.total_cmp(&other.better_by.mean));
        let open_guard = best.and_then(|best| Some((best, open_guard(best)?)));
        match (best, &open_guard) {
            (Some(best), None) => return Self::Ship { arm: best.arm.clone() },
            (None, _) => {
                if let Some(stop) = stop(grounds) {
                    return stop;
                }
            }
            (Some(_), Some(_)) => {}
        }
        let Grounds { customers_needed, customers, days_more, .. } = *grounds;
        if grounds.phase == Phase::Over {
            return Self::Undecided { customers_needed, customers };
        }
        let because = match open_guard {
            Some((best, outcome)) => Undecided::Guard { arm: best.arm.clone(), outcome },
            None if grounds.others.iter().any(|other| other.better_by.speaks()) => Undecided::Difference,
            None => Undecided::TooFew,
        };
        Self::KeepRunning { because, customers_needed, customers, days_more }
    }

    /// Whether something should be done now.
    pub fn is_verdict(&self) -> bool {
        !matches!(self, Self::Wait | Self::KeepRunning { .. })
    }
}

fn broken_guard(compared: &Compared) -> Option<(String, String)> {
    let broken = compared.guards.iter().find(|(_, rise, at_most)| rise.low > *at_most);
    broken.map(|(outcome, _, _)| (compared.arm.clone(), outcome.clone()))
}

fn open_guard(compared: &Compared) -> Option<String> {
    let open = compared.guards.iter().find(|(_, rise, at_most)| rise.high > *at_most);
    open.map(|(outcome, _, _)| outcome.clone())
}

fn stop(grounds: &Grounds) -> Option<Advice> {
    let keep = || grounds.baseline.clone();
    let worse = |other: &Compared| other.better_by.high < 0.0;
    let same = |other: &Compared| {
        other.better_by.low > -grounds.minimum_effect && other.better_by.high < grounds.minimum_effect
    };
    if grounds.others.iter().all(worse) {
        Some(Advice::StopWorse { keep: keep() })
    } else if grounds.others.iter().all(|other| worse(other) || same(other)) {
        Some(Advice::StopSame { keep: keep() })
    } else {
        None
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait => write!(formatter, "wait: it has not begun"),
            Self::StopRatio => write!(
                formatter,
                "stop: ratio broken, customers are not spread over the arms as declared, so no difference can be trusted"
            ),
            Self::StopGuard { arm, outcome } => {
                write!(formatter, "stop: `{outcome}` rose under `{arm}` by more than is borne")
            }
            Self::Ship { arm } => write!(formatter, "ship `{arm}`: it is better, whenever one looks"),
            Self::StopWorse { keep } => write!(formatter, "stop and keep `{keep}`: every other arm is worse"),
            Self::StopSame { keep } => {
                write!(formatter, "stop and keep `{keep}`: whatever difference there is does not matter")
            }
            Self::KeepRunning { because, customers_needed, customers, days_more } => {
                write!(formatter, "keep running: {because}; {customers} customers so far")?;
                if let Some(needed) = customers_needed {
                    write!(formatter, ", about {needed} to see a difference that matters")?;
                }
                days_more.map_or(Ok(()), |days| write!(formatter, ", {days} days more at this pace"))
            }
            Self::Undecided { customers_needed, customers } => {
                write!(formatter, "undecided: it is over with {customers} customers")?;
                match customers_needed {
                    Some(needed) => write!(formatter, ", and about {needed} were needed"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Undecided {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew => write!(formatter, "too little has happened yet to say anything"),
            Self::Difference => write!(formatter, "the difference may still be either way, or none"),
            Self::Guard { arm, outcome } => {
                write!(formatter, "`{arm}` is better, and whether `{outcome}` rises is not certain yet")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(low: f64, high: f64) -> Sequence {
        Sequence { mean: (low + high) / 2.0, low, high, customers: 1_000 }
    }

    fn arm(name: &str, better_by: Sequence) -> Compared {
        Compared { arm: name.to_owned(), better_by, guards: Vec::new() }
    }

    fn grounds(others: Vec<Compared>) -> Grounds {
        Grounds {
            phase: Phase::Running,
            ratio_broken: false,
            baseline: "a".to_owned(),
            others,
            minimum_effect: 1.0,
            customers_needed: Some(4_000),
            customers: 1_000,
            days_more: Some(30),
        }
    }

    fn told(grounds: &Grounds) -> String {
        Advice::of(grounds).to_string()
    }

    #[test]
    fn the_best_arm_that_is_surely_better_is_shipped() {
        let found = grounds(vec![arm("b", between(0.1, 0.9)), arm("c", between(0.2, 2.0))]);
        assert_eq!(told(&found), "ship `c`: it is better, whenever one looks");
    }

    #[test]
    fn a_broken_ratio_stops_whatever_the_difference() {
        let found = Grounds { ratio_broken: true, ..grounds(vec![arm("b", between(0.1, 0.9))]) };
        assert!(told(&found).starts_with("stop: ratio broken"));
    }

    #[test]
    fn a_rise_in_complaints_stops_a_better_arm_and_an_open_one_holds_it_back() {
        let mut better = arm("b", between(0.1, 0.9));
        better.guards.push(("complaint".to_owned(), between(0.02, 0.04), 0.01));
        assert_eq!(
            told(&grounds(vec![better.clone()])),
            "stop: `complaint` rose under `b` by more than is borne"
        );
        better.guards[0].1 = between(-0.01, 0.02);
        assert!(
            told(&grounds(vec![better.clone()])).contains("whether `complaint` rises is not certain yet")
        );
        better.guards[0].1 = between(-0.01, 0.009);
        assert_eq!(Advice::of(&grounds(vec![better])), Advice::Ship { arm: "b".to_owned() });
    }

    #[test]
    fn what_is_worse_or_does_not_matter_is_stopped() {
        let (worse, same) = (arm("b", between(-2.0, -0.1)), arm("c", between(-0.5, 0.5)));
        assert_eq!(Advice::of(&grounds(vec![worse.clone()])), Advice::StopWorse { keep: "a".to_owned() });
        assert_eq!(Advice::of(&grounds(vec![worse, same])), Advice::StopSame { keep: "a".to_owned() });
    }

    #[test]
    fn what_is_open_keeps_running_until_it_is_over() {
        let open = grounds(vec![arm("b", between(-2.0, 2.0))]);
        assert_eq!(
            told(&open),
            "keep running: the difference may still be either way, or none; 1000 customers so far, about 4000 to see a difference that matters, 30 days more at this pace"
        );
        let over = Grounds { phase: Phase::Over, ..open.clone() };
        assert!(told(&over).starts_with("undecided: it is over with 1000 customers"));
        let planned = Grounds { phase: Phase::Planned, ..open };
        assert!(!Advice::of(&planned).is_verdict());
    }
}

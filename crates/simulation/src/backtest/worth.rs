//! What would our decisions have been worth? Only where chance chose what was really done, with a probability
//! that is known: whoever happened to get what a policy would have given stands for the others.

use super::{Backtest, Drawn};
use decision::id::ActionId;
use engine::Identifier;
use insight::interval::Interval;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The policies that are compared, each by how many reach the goal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worth {
    /// What was really done, ours, always silent, and always the same action.
    pub policies: Vec<Policy>,
    /// How much more often the goal is reached with our decisions than in silence.
    pub ours_over_silence: Interval,
    /// The share in which we would have said something, weighed as the rest.
    pub ours_said: f64,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Share that reaches the goal, with its 95 % interval over customers.
    pub goal: Interval,
}

/// Inverse propensity weighting (Horvitz and Thompson 1952): the mean of `ours / probability × answered`
/// over the scored rows is the goal rate of ours, without bias while every probability is the true one.
/// `None` when nothing that is scored was drawn by chance.
pub fn worth(backtest: &Backtest) -> Option<Worth> {
    let scored: Vec<&Drawn> = backtest.drawn.iter().filter(|drawn| drawn.scored).collect();
    if scored.is_empty() {
        return None;
    }
    let of = |chance: &dyn Fn(&Drawn) -> f64| per_customer(&scored, &|drawn| chance(drawn) * gain(drawn));
    let always = |action: Option<&ActionId>| of(&|drawn| f64::from(u8::from(drawn.done.as_ref() == action)));
    let ours = of(&|drawn| drawn.ours);
    let silence = always(None);
    let mut policies = vec![
        Policy { name: "as it was really done".into(), goal: Interval::of(&of(&|drawn| drawn.probability)) },
        Policy { name: "as we would have decided".into(), goal: Interval::of(&ours) },
        Policy { name: "always silent".into(), goal: Interval::of(&silence) },
    ];
    let actions: BTreeSet<&ActionId> = scored.iter().filter_map(|drawn| drawn.done.as_ref()).collect();
    policies.extend(actions.into_iter().map(|action| Policy {
        name: format!("always {action}"),
        goal: Interval::of(&always(Some(action))),
    }));
    let said = per_customer(&scored, &|drawn| match drawn.done {
        Some(_) => drawn.ours / drawn.probability,
        None => 0.0,
    });
    Some(Worth {
        policies,
        ours_over_silence: Interval::of_difference(&ours, &silence),
        ours_said: Interval::of(&said).mean,
    })
}

fn gain(drawn: &Drawn) -> f64 {
    f64::from(u8::from(drawn.answered)) / drawn.probability
}

/// The mean of a value for each customer: whatever happens to one customer is one observation.
fn per_customer(scored: &[&Drawn], value: &dyn Fn(&Drawn) -> f64) -> Vec<f64> {
    let mut sums: BTreeMap<&Identifier, (f64, f64)> = BTreeMap::new();
    for drawn in scored {
        let (sum, count) = sums.entry(&drawn.who).or_default();
        *sum += value(drawn);
        *count += 1.0;
    }
    sums.values().map(|(sum, count)| sum / count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Mapping;

    fn drawn(number: u32, done: Option<&str>, ours: f64, answered: bool) -> Drawn {
        Drawn {
            who: Identifier::new("user_id", &number.to_string()),
            done: done.map(Into::into),
            probability: 0.5,
            ours,
            answered,
            scored: true,
        }
    }

    fn backtest(drawn: Vec<Drawn>) -> Backtest {
        let mapping = "name = 'n'\nstrategy = 's'\nsources = []";
        Backtest { drawn, ..Backtest::new(&Mapping::parse(mapping).unwrap(), jiff::tz::TimeZone::UTC) }
    }

    #[test]
    fn who_happened_to_get_what_we_would_have_given_stands_for_the_others() {
        let rows = vec![
            drawn(1, Some("a/b/c"), 1.0, true),
            drawn(2, Some("a/b/c"), 0.0, false),
            drawn(3, None, 0.0, false),
            drawn(4, None, 1.0, true),
        ];
        let worth = worth(&backtest(rows)).unwrap();
        let goal = |name: &str| worth.policies.iter().find(|policy| policy.name == name).unwrap().goal.mean;
        assert_eq!(goal("as it was really done"), 0.5);
        assert_eq!(goal("as we would have decided"), 1.0);
        assert_eq!(goal("always silent"), 0.5);
        assert_eq!(goal("always a/b/c"), 0.5);
        assert_eq!(worth.ours_said, 0.5);
        assert_eq!(worth.ours_over_silence.mean, 0.5);
    }

    #[test]
    fn without_known_probabilities_nothing_is_claimed() {
        assert_eq!(worth(&backtest(Vec::new())), None);
    }
}

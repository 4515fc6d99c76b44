//! The smallest change is enough, half of it is not.

use crate::generated::{case, cases, organisation};
use decision::{
    explain::{Change, smallest::smallest},
    record::Decision,
    replay::Circumstances,
    strategy::Strategy,
    value::Value,
};
use proptest::{collection::vec, prelude::*};

/// A value that lies on the border needs no more than the next number or millisecond.
fn hardly_differs(change: &Change) -> bool {
    let Change::Facts { facts } = change else {
        return false;
    };
    facts.iter().any(|fact| match (&fact.from, &fact.to) {
        (Some(Value::Number(from)), Value::Number(to)) => (to - from).abs() <= 1e-9 * from.abs().max(1.0),
        (Some(Value::Time(from)), Value::Time(to)) => {
            (to.as_millisecond() - from.as_millisecond()).abs() <= 1
        }
        _ => false,
    })
}

/// Computes the smallest change of the candidate at `position`, applies it whole and half.
fn whole_flips_and_half_does_not(
    strategy: &Strategy,
    record: &Decision,
    position: usize,
) -> Result<(), TestCaseError> {
    let circumstances = Circumstances::of(strategy, record).expect("the same strategy");
    let worked = circumstances.work_out();
    let index = position % worked.candidates.len();
    let candidate = u16::try_from(index).expect("few candidates");
    let found = smallest(&circumstances, &worked, candidate);
    let Some(aim) = found.aim else {
        prop_assert!(
            found.changes.is_empty() && found.obstacle.is_some(),
            "neither a change nor why not: {found:?}"
        );
        return Ok(());
    };
    prop_assert!(!aim.reached(candidate, record), "reached without a change: {found:?}");
    let change = &found.changes[position / worked.candidates.len() % found.changes.len()];
    let decide = |change: &Change| change.apply(&circumstances).map(|changed| changed.decide());
    let whole = decide(change).expect("a change that is offered can be applied");
    prop_assert!(aim.reached(candidate, &whole), "not enough: {aim:?} {change:?} {:?}", whole.fates[index]);
    if found.on_the_edge {
        prop_assert!(hardly_differs(change), "half is enough, but not because of a border: {change:?}");
        return Ok(());
    }
    let half = decide(&change.half(&circumstances)).expect("half of it too");
    prop_assert!(
        !aim.reached(candidate, &half),
        "half is enough: {aim:?} {change:?} {:?}",
        record.fates[index]
    );
    Ok(())
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn the_smallest_change_flips_the_outcome_and_half_of_it_does_not(
        organisation in organisation(),
        requests in vec((case(), any::<u16>()), 40),
    ) {
        let strategy = organisation.strategy();
        for (case, position) in &requests {
            let record = case.decide(&strategy);
            if !record.fates.is_empty() {
                whole_flips_and_half_does_not(&strategy, &record, usize::from(*position))?;
            }
        }
    }
}

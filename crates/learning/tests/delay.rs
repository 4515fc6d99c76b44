//! Do late, early, double and competing outcomes count as they should?

use learning::{Config, Expected, Exposure, ExposureId, Features, Learner, Row};

use crate::journal::*;

const ACTION: &str = "sales/bread/rye";

fn evidence_and_probability(learner: &Learner) -> (f32, f32) {
    let found = goal(learner, &Features::default(), ACTION);
    (found.evidence, found.probability)
}

/// Exposures every few minutes; outcomes after an exponential delay with a mean of a tenth of the
/// window.
fn delayed(rate: f64, exposures: u128) -> Vec<Row> {
    let mut dice = Dice::new(5);
    let mut rows = Vec::new();
    for decision in 0..exposures {
        let at_ms = decision as i64 * 10 * MINUTE_MS;
        rows.push(Row::Exposure(exposure(decision, decision, at_ms, ACTION)));
        let delay_ms = -(3.0 * DAY_MS as f64) * libm::log(1.0 - dice.uniform());
        if dice.chance(rate) {
            let at_ms = at_ms + delay_ms as i64;
            rows.push(bought(at_ms, decision, Some(id(decision))));
        }
    }
    rows.sort_by_key(Row::at_ms);
    let end_ms = exposures as i64 * 10 * MINUTE_MS;
    rows.retain(|row| row.at_ms() <= end_ms);
    rows
}

#[test]
fn incremental_credit_comes_close_to_the_rate_where_counting_what_arrived_is_biased() {
    let rate = 0.05;
    let rows = delayed(rate, 6_000);
    let exposures = rows.iter().filter(|row| matches!(row, Row::Exposure(_)));
    let arrived = rows.iter().filter(|row| matches!(row, Row::Outcome { .. }));
    let naive = arrived.count() as f64 / exposures.count() as f64;
    let learner = learned(starting_at(0.02), &rows);
    let found = f64::from(evidence_and_probability(&learner).1);
    assert!(learner.waiting() > 1_000, "most windows are still open");
    assert!((naive / rate - 1.0).abs() > 0.05, "naive {naive}");
    assert!((found / rate - 1.0).abs() < 0.15, "found {found}, naive {naive}");
}

#[test]
fn a_frequent_outcome_is_not_overestimated_while_the_silences_beside_it_still_last() {
    let rate = 0.3;
    let learner = learned(starting_at(0.2), &delayed(rate, 6_000));
    let found = f64::from(evidence_and_probability(&learner).1);
    assert!(learner.waiting() > 1_000, "most windows are still open");
    assert!((found / rate - 1.0).abs() < 0.15, "found {found}");
}

#[test]
fn silence_counts_in_full_only_at_the_end_of_the_window() {
    let mut learner = Learner::new(starting_at(0.05));
    learner.apply(&Row::Exposure(exposure(1, 1, 0, ACTION)));
    let mut seen = Vec::new();
    for day in [0, 2, 10, 20, 30] {
        learner.advance(day * DAY_MS);
        seen.push(evidence_and_probability(&learner));
    }
    learner.advance(30 * DAY_MS + 1);
    let last = evidence_and_probability(&learner);
    assert!(seen.windows(2).all(|two| two[0].0 <= two[1].0 && two[0].1 >= two[1].1));
    assert_eq!(seen[0].0, 0.0);
    assert!((0.05..0.1).contains(&seen[1].0), "{seen:?}");
    assert!((0.4..0.8).contains(&seen[4].0), "{seen:?}");
    assert!((last.0 - 1.0).abs() < 1e-6 && last.1 < seen[4].1);
    assert_eq!(learner.waiting(), 0);
}

#[test]
fn a_short_window_waits_for_its_end() {
    let mut learner = Learner::new(starting_at(0.05));
    let hour_ms = 60 * MINUTE_MS;
    let mut shown = exposure(1, 1, 0, ACTION);
    shown.expected = vec![expected(hour_ms)];
    learner.apply(&Row::Exposure(shown));
    learner.advance(hour_ms);
    assert_eq!(evidence_and_probability(&learner).0, 0.0);
    learner.advance(hour_ms + 1);
    assert_eq!(evidence_and_probability(&learner).0, 1.0);
}

#[test]
fn an_outcome_in_the_last_millisecond_counts_and_one_later_is_reported_late() {
    let end_ms = 30 * DAY_MS;
    for (at_ms, late) in [(end_ms, 0), (end_ms + 1, 1)] {
        for named in [Some(id(1)), None] {
            let rows = [Row::Exposure(exposure(1, 1, 0, ACTION)), bought(at_ms, 1, named)];
            let mut learner = learned(starting_at(0.05), &rows);
            learner.advance(31 * DAY_MS);
            assert_eq!(learner.rejected().late_outcomes, late);
            assert_eq!(evidence_and_probability(&learner).1 > 0.05, late == 0);
        }
    }
}

#[test]
fn an_outcome_reported_after_the_window_but_dated_within_it_counts() {
    let mut learner = Learner::new(starting_at(0.05));
    learner.apply(&Row::Exposure(exposure(1, 1, 0, ACTION)));
    learner.advance(31 * DAY_MS);
    let silent = evidence_and_probability(&learner).1;
    learner.apply(&bought(29 * DAY_MS, 1, None));
    assert!(evidence_and_probability(&learner).1 > silent);
    assert_eq!(learner.rejected().late_outcomes, 0);
}

#[test]
fn an_outcome_sent_twice_counts_once() {
    for named in [Some(id(1)), None] {
        let shown = Row::Exposure(exposure(1, 1, 0, ACTION));
        let outcome = bought(DAY_MS, 1, named);
        let once = learned(starting_at(0.05), [&shown, &outcome]);
        let twice = learned(starting_at(0.05), [&shown, &shown, &outcome, &outcome]);
        assert_eq!(once.snapshot(), twice.snapshot());
        assert_eq!(twice.rejected().duplicate_outcomes, 1);
        assert_eq!(twice.rejected().duplicate_exposures, 1);
    }
}

#[test]
fn an_outcome_that_comes_before_its_exposure_is_credited_when_the_exposure_arrives() {
    for named in [Some(id(1)), None] {
        let shown = Row::Exposure(exposure(1, 1, 0, ACTION));
        let outcome = bought(DAY_MS, 1, named);
        let mut learner = learned(starting_at(0.05), [&outcome, &shown]);
        learner.advance(2 * DAY_MS);
        let (evidence, probability) = evidence_and_probability(&learner);
        assert!(evidence == 1.0 && probability > 0.05);
        assert_eq!(learner.waiting(), 0);
    }
}

#[test]
fn an_outcome_that_was_there_before_the_exposure_was_displayed_is_not_its_doing() {
    let rows = [bought(0, 1, None), Row::Exposure(exposure(1, 1, DAY_MS, ACTION))];
    let learner = learned(starting_at(0.05), &rows);
    assert_eq!(evidence_and_probability(&learner), (0.0, 0.05));
}

#[test]
fn outcomes_without_exposure_are_remembered_for_a_bounded_time_and_in_a_bounded_number() {
    let mut learner = Learner::new(starting_at(0.05));
    learner.apply(&bought(0, 1, Some(id(1))));
    learner.advance(8 * DAY_MS);
    assert_eq!(learner.rejected().unmatched_outcomes, 1);
    learner.apply(&Row::Exposure(exposure(1, 1, 8 * DAY_MS, ACTION)));
    assert_eq!(evidence_and_probability(&learner).0, 0.0);

    let crowded = Config { remember_count_max: 10, ..starting_at(0.05) };
    let rows: Vec<_> = (0..25).map(|subject| bought(0, subject, None)).collect();
    assert_eq!(learned(crowded, &rows).rejected().unmatched_outcomes, 15);
}

#[test]
fn the_last_displayed_exposure_is_credited_and_the_others_stop() {
    let other = "sales/cake/apple";
    let mut rows = vec![
        Row::Exposure(exposure(1, 1, 0, ACTION)),
        Row::Exposure(exposure(2, 1, DAY_MS, other)),
        Row::Exposure(exposure(3, 1, 3 * DAY_MS, "sales/jam/plum")),
    ];
    rows.push(bought(2 * DAY_MS, 1, None));
    let mut learner = Learner::new(starting_at(0.05));
    rows.iter().for_each(|row| learner.apply(row));
    learner.advance(5 * DAY_MS);
    let features = Features::default();
    assert_eq!(goal(&learner, &features, other).evidence, 1.0);
    assert_eq!(learner.waiting(), 1, "only the exposure after the outcome waits on");
    let stopped_at = goal(&learner, &features, ACTION).evidence;
    learner.advance(60 * DAY_MS);
    assert_eq!(goal(&learner, &features, ACTION).evidence, stopped_at);
    assert!(stopped_at < 0.1);
}

#[test]
fn an_outcome_that_names_its_exposure_leaves_the_others_alone() {
    let rows = [
        Row::Exposure(exposure(1, 1, 0, ACTION)),
        Row::Exposure(exposure(2, 1, DAY_MS, "sales/cake/apple")),
        bought(DAY_MS, 1, Some(id(1))),
    ];
    let mut learner = learned(starting_at(0.05), &rows);
    learner.advance(2 * DAY_MS);
    assert_eq!(evidence_and_probability(&learner).0, 1.0);
    assert_eq!(learner.waiting(), 1);
}

#[test]
fn what_was_withheld_together_is_credited_together_and_what_was_withheld_before_is_not() {
    let withheld = |decision, slot, at_ms| {
        Row::Exposure(Exposure {
            id: ExposureId { decision, slot },
            acted: false,
            ..exposure(1, 1, at_ms, &format!("group{slot}/item"))
        })
    };
    let rows = [
        withheld(1, 2, 0),
        withheld(2, 0, MINUTE_MS),
        withheld(2, 1, MINUTE_MS),
        bought(2 * MINUTE_MS, 1, None),
    ];
    let always_a_baseline = Config { baseline_evidence: 0.0, ..starting_at(0.05) };
    let mut learner = learned(always_a_baseline, &rows);
    assert_eq!((learner.waiting(), learner.rejected().duplicate_outcomes), (0, 0));
    learner.advance(60 * DAY_MS);
    let [first, second, before] = [0, 1, 2].map(|slot| {
        let found = goal(&learner, &Features::default(), &format!("group{slot}/item"));
        found.baseline.expect("a baseline needs no evidence here")
    });
    assert!(first > 1.1 * before && second > 1.1 * before, "{first} {second} {before}");
}

#[test]
fn outcomes_nobody_expects_and_impossible_windows_are_counted() {
    let mut shown = exposure(1, 1, 0, ACTION);
    shown.expected.push(Expected { outcome: "complaint".into(), event: "complained".into(), within_ms: 0 });
    let complaint = Row::Outcome { at_ms: 1, subject: 1, event: "complained".into(), exposure: Some(id(1)) };
    let learner = learned(starting_at(0.05), &[Row::Exposure(shown), complaint]);
    assert_eq!(learner.rejected().invalid_windows, 1);
    assert_eq!(learner.rejected().unexpected_outcomes, 1);
}

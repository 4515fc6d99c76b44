//! The arithmetic of one priority, worked out by hand.

use crate::hand::{COMPLAINT, RENEW, Story, strategy};
use decision::value::Value;

/// Estimates are rounded to a thousandth when they are recorded.
const ROUNDING: f64 = 0.02;

fn close(found: f64, by_hand: f64) {
    assert!((found - by_hand).abs() < ROUNDING, "{found} instead of {by_hand}");
}

#[test]
fn the_priority_of_renewing_is_what_pen_and_paper_give() {
    let strategy = strategy();
    let mut story = Story::default();
    story.contact(2.0);
    story.contact(10.0);
    story.contact(20.0);
    story.request.context.insert("page".into(), Value::Text("bill".into()));
    let worked = story.work_out(&strategy);
    let index = strategy.action_index(RENEW).expect("renew");
    let candidate =
        worked.candidates.iter().find(|candidate| candidate.action == index).expect("a candidate");
    let priority = candidate.priority.expect("it got that far");

    close(priority.gain_in_probability(), 0.25 - 0.05);
    close(priority.value, 1.0 * 40.0 + 0.5 * 60.0);
    close(priority.side_value, f64::from(COMPLAINT.0 - COMPLAINT.1) * (-15.0 + 0.5 * -40.0));
    close(priority.gain(), 0.20 * 70.0 - 0.21);
    close(priority.gain_for_customer(), 0.20 * 40.0 - 0.09);
    close(priority.context_weight, 1.5);
    close(priority.lever, 1.2);
    close(priority.contact_cost, 0.5);
    close(priority.fatigue, 2.0 * 0.25);
    close(priority.total, 1.2 * 1.5 * 13.79 - 0.5 - 0.5);
}

#[test]
fn a_loss_is_not_made_smaller_by_a_weight_or_lever() {
    let strategy = strategy();
    let mut story = Story::default();
    story.model.0.insert(RENEW, (0.05, Some(0.25)));
    story.request.context.insert("page".into(), Value::Text("bill".into()));
    let worked = story.work_out(&strategy);
    let priority = worked.candidates[0].priority.expect("it got that far");
    close(priority.total, -0.20 * 70.0 - 0.21 - 0.5);
}

#[test]
fn a_score_without_a_baseline_is_gross() {
    let strategy = strategy();
    let mut story = Story::default();
    story.model.0.insert(RENEW, (0.25, None));
    let priority = story.work_out(&strategy).candidates[0].priority.expect("it got that far");
    assert_eq!(priority.baseline, None);
    close(priority.total, 1.2 * (0.25 * 70.0 - 0.21) - 0.5);
}

//! INV-12: an event or outcome counts once, however often and however late it is sent.

use crate::shop::{Shop, at, jan};
use decision::{Duration, id::DecisionId};
use engine::{OutcomeReport, Verdict};
use proptest::prelude::*;

const START: &str = "2026-03-09T09:00:00Z";

/// One thing that happens, some hours after the one before it.
#[derive(Debug, Clone)]
enum Step {
    Visit,
    Outcome(&'static str),
    Bought,
}

fn step() -> impl Strategy<Value = (Step, i64, usize)> {
    let outcome = prop::sample::select(vec!["displayed", "clicked", "accepted", "rejected"]);
    let step = prop_oneof![Just(Step::Visit), outcome.prop_map(Step::Outcome), Just(Step::Bought)];
    (step, 0..60_i64, 1..4_usize)
}

/// A report that can be sent again.
enum Sent {
    Outcome(OutcomeReport),
    Event(String),
}

fn send(shop: &Shop, sent: &Sent, moment: &str) -> Verdict {
    match sent {
        Sent::Outcome(report) => shop.engine.report(report, "", at(moment)).unwrap().0,
        Sent::Event(id) => shop.happen(id, "bought", moment),
    }
}

/// Lives through the steps; `again` says how often every report is repeated, also the ones long ago.
fn live(steps: &[(Step, i64, usize)], again: bool) -> Shop {
    let shop = Shop::with_jan(START);
    let mut now = at(START);
    let mut last: Option<DecisionId> = None;
    let mut sent: Vec<Sent> = Vec::new();
    for (number, (step, hours, times)) in steps.iter().enumerate() {
        now += Duration::from_hours(*hours);
        let moment = now.to_string();
        match (step, last) {
            (Step::Visit, _) => last = Some(shop.home(&moment, number as u64).decision.id),
            (Step::Outcome(outcome), Some(decision)) => {
                let report = OutcomeReport { decision, slot: 0, outcome: (*outcome).into(), at: Some(now) };
                sent.push(Sent::Outcome(report));
            }
            (Step::Bought, _) => sent.push(Sent::Event(format!("b{number}"))),
            (Step::Outcome(_), None) => continue,
        }
        let Some(newest) = sent.last() else { continue };
        let first = send(&shop, newest, &moment);
        for _ in 0..if again { *times } else { 0 } {
            let repeated = send(&shop, newest, &moment);
            assert!(first != Verdict::Accepted || repeated == Verdict::Duplicate, "{repeated:?}");
            sent.iter().for_each(|earlier| drop(send(&shop, earlier, &moment)));
        }
    }
    shop
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_sent_again_changes_neither_the_customer_nor_the_model(steps in prop::collection::vec(step(), 1..25)) {
        let (once, often) = (live(&steps, false), live(&steps, true));
        let state = |shop: &Shop| shop.engine.customer(&jan()).unwrap().unwrap();
        prop_assert_eq!(state(&once), state(&often));
        let end = at("2027-01-01T00:00:00Z");
        prop_assert_eq!(once.engine.learn(end).unwrap(), often.engine.learn(end).unwrap());
    }
}

//! The backtest on real data: its numbers, and that it never looks ahead.

use crate::retailer::{self, write_rows};
use simulation::backtest::{Backtest, Sent, measure, page, text};
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn the_expectations_rank_the_letters_of_the_last_year_and_the_numbers_add_up() {
    let Some(data) = retailer::data() else { return };
    let backtest = retailer::run(&data, &mut |_, _| {});
    let measured = measure(&backtest);
    println!("{}", text(&measured));
    let scored: Vec<&Sent> = backtest.sent.iter().filter(|sent| sent.scored).collect();
    let auc = measured.scored.auc.unwrap();
    assert!(auc >= 0.79, "{auc}");
    assert!((auc - auc_by_pairs(&scored)).abs() < 1e-9, "{auc}");
    assert!((measured.scored.log_loss - log_loss_in_bits(&scored) * 2f64.ln()).abs() < 1e-9);
    assert!(measured.scored.log_loss < measured.scored_base_log_loss);
    let agreement = measured.agreement;
    assert_eq!(agreement.said + agreement.spared, scored.len());
    let answered = scored.iter().filter(|sent| sent.answered).count();
    assert_eq!(agreement.said_answered + agreement.spared_answered, answered);
    assert_eq!(measured.curve.last().unwrap().lost, answered);
    assert_eq!((backtest.sent.len(), measured.not_scorable), (5_837, 0));
    assert_eq!(measured.decisions, 30 * 2_000);
    assert!(text(&measured).contains("no value of\na policy is estimated"));
    assert!(page(&measured).contains("<polyline"));
}

/// The share of pairs in the right order, ties half: the definition itself.
fn auc_by_pairs(sent: &[&Sent]) -> f64 {
    let mut right = 0.0;
    let mut pairs = 0.0;
    for answered in sent.iter().filter(|sent| sent.answered) {
        for silent in sent.iter().filter(|sent| !sent.answered) {
            pairs += 1.0;
            right += match answered.probability.total_cmp(&silent.probability) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    right / pairs
}

fn log_loss_in_bits(sent: &[&Sent]) -> f64 {
    let surprise = |sent: &&Sent| match sent.answered {
        true => -sent.probability.log2(),
        false => -(1.0 - sent.probability).log2(),
    };
    sent.iter().map(surprise).sum::<f64>() / sent.len() as f64
}

/// The start of campaign 18, on which more letters went out than on any other.
const DAY: &str = "2017-10-30";
const CAMPAIGNS_AFTER: [&str; 8] = ["19", "20", "21", "22", "23", "24", "25", "18"];

#[test]
fn what_happens_at_or_after_a_decision_changes_nothing_in_it() {
    let Some(data) = retailer::data() else { return };
    let (past, changed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    some_households(&data, past.path());
    some_households(past.path(), changed.path());
    change_the_future(changed.path());
    let (before, after) = (records(past.path()), records(changed.path()));
    let until = |records: &[(String, Vec<u8>)]| {
        let same = records.iter().filter(|(day, _)| day.as_str() <= DAY);
        same.map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>()
    };
    assert_eq!(until(&before).len(), 23 * 100);
    assert!(until(&before) == until(&after), "a decision knew its future");
    assert_eq!(before.len(), after.len());
    assert!(before != after, "nothing was changed");
}

/// Every decision of a backtest, with its day.
fn records(data: &Path) -> Vec<(String, Vec<u8>)> {
    let mut records = Vec::new();
    let done: Backtest = retailer::run(data, &mut |occasion, decision| {
        records.push((occasion.at.to_string()[..10].to_owned(), decision.encode()));
    });
    assert_eq!(done.customers, 100);
    records
}

const PER_HOUSEHOLD: [&str; 4] = [
    "households.csv.gz",
    "campaign_received.csv.gz",
    "coupon_redemptions.csv.gz",
    "household_campaign_spend_derived.csv.gz",
];

/// One household in twenty-five, and none of the files that are not needed.
fn some_households(from: &Path, into: &Path) {
    fs::copy(from.join("campaigns.csv"), into.join("campaigns.csv")).unwrap();
    for file in PER_HOUSEHOLD {
        let mut rows = retailer::rows(&from.join(file));
        let key = retailer::column(&rows, "household_key");
        let header = rows.remove(0);
        rows.retain(|row| row[key].parse::<u32>().unwrap() % 25 == 1);
        rows.insert(0, header);
        write_rows(&into.join(file), b',', &rows);
    }
}

/// Other letters from that day on, other redemptions, other spending, other ends of campaigns.
fn change_the_future(data: &Path) {
    let path = data.join("campaigns.csv");
    let mut rows = retailer::rows(&path);
    let ends = retailer::column(&rows, "end_date");
    rows[1..].iter_mut().for_each(|row| row[ends] = "2019-01-01".into());
    write_rows(&path, b',', &rows);

    let path = data.join("campaign_received.csv.gz");
    let mut rows = retailer::rows(&path);
    let campaign = retailer::column(&rows, "campaign");
    let households: BTreeSet<String> = rows[1..].iter().map(|row| row[0].clone()).collect();
    rows.retain(|row| !CAMPAIGNS_AFTER.contains(&row[campaign].as_str()));
    let others = households.into_iter().step_by(3);
    rows.extend(others.map(|key| vec![key, "18".into()]));
    write_rows(&path, b',', &rows);

    let path = data.join("coupon_redemptions.csv.gz");
    let mut rows = retailer::rows(&path);
    let date = retailer::column(&rows, "date");
    rows.retain(|row| row[date].as_str() < DAY || row[date] == "date");
    rows.push(["1", "588", "2017-10-31", "1", "18"].map(str::to_owned).to_vec());
    write_rows(&path, b',', &rows);

    let path = data.join("household_campaign_spend_derived.csv.gz");
    let mut rows = retailer::rows(&path);
    let campaign = retailer::column(&rows, "campaign");
    let (spent, then) =
        (retailer::column(&rows, "spend_28d_before_start"), retailer::column(&rows, "spend_28d_from_start"));
    for row in &mut rows[1..] {
        row[then] = "123456".into();
        if CAMPAIGNS_AFTER[..7].contains(&row[campaign].as_str()) {
            row[spent] = "77".into();
        }
    }
    write_rows(&path, b',', &rows);
}

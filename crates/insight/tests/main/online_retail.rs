//! The lines of a real web shop ("Online Retail", UCI) that are purchases of a known customer.

use flate2::read::GzDecoder;
use jiff::civil::DateTime;
use std::{collections::BTreeSet, fs::File, path::PathBuf};

/// One line of an order.
pub struct Line {
    pub customer: u32,
    pub item: String,
    pub at: DateTime,
    /// In pounds.
    pub amount: f64,
}

/// All of them in order of time; `None` without the data. Left out: lines without customer, cancellations, amounts
/// that are not above 0, postage and the like, and exact repetitions.
pub fn lines() -> Option<Vec<Line>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/online-retail/online_retail.csv.gz");
    let Ok(file) = File::open(path) else {
        eprintln!("skipped: the lines of the web shop are not here");
        return None;
    };
    let mut table = csv::Reader::from_reader(GzDecoder::new(file));
    let (mut lines, mut seen) = (Vec::new(), BTreeSet::new());
    for row in table.records() {
        let row = row.expect("a row");
        let number = |column: usize| row[column].parse::<f64>().unwrap_or(0.0);
        let (quantity, price) = (number(3), number(5));
        let is_product = row[1].starts_with(|first: char| first.is_ascii_digit());
        let is_bought = !row[0].starts_with('C') && quantity > 0.0 && price > 0.0 && is_product;
        if row[6].is_empty() || !is_bought || !seen.insert(row.clone().into_byte_record().as_slice().to_vec())
        {
            continue;
        }
        let at = DateTime::strptime("%Y-%m-%d %H:%M:%S", &row[4]).expect("a moment");
        let (item, customer) = (row[2].trim().to_owned(), number(6) as u32);
        lines.push(Line { customer, item, at, amount: quantity * price });
    }
    lines.sort_by_key(|line| line.at);
    Some(lines)
}

//! Do the inputs still look as they did? The population stability index per column.
//!
//! `PSI = Σ (a − b) ln (a / b)` over the bins' shares before (`b`) and after (`a`). When both samples come
//! from one population, `PSI / (1/n + 1/m)` is nearly chi-square with one degree less than bins (Yurdakul and
//! Naranjo 2020, "Statistical properties of the population stability index", Journal of Risk Model
//! Validation). A column has moved when it is above the usual 0.25 and above that distribution's
//! 99.99 % point.

use super::Columns;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The customary limit above which a population has shifted.
const SHIFTED: f64 = 0.25;
/// 99.99 % point of the standard normal distribution.
const Z9999: f64 = 3.719_016_485_455_709;
/// Numbers are cut into this many bins of equal size.
const BINS: usize = 10;
/// Fewer rows than this on either side are not compared.
const ROWS_MIN: usize = 20;
/// Added to every bin, so that an empty one has a logarithm.
const SMOOTHING: f64 = 0.5;

/// One input of an estimate. An input that is not there is unknown, which is a bin of its own.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A quantity.
    Number(f64),
    /// A word.
    Word(String),
}

/// A column whose distribution differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    /// Its name.
    pub column: String,
    /// The population stability index, at least 0.
    pub index: f64,
    /// Mean before, of a number; the most frequent word otherwise.
    pub from: String,
    /// The same after.
    pub to: String,
}

/// The columns that moved between two samples, the most moved first; none when a sample is too small.
pub fn moved(before: &[Columns], after: &[Columns]) -> Vec<Moved> {
    if before.len().min(after.len()) < ROWS_MIN {
        return Vec::new();
    }
    let names: BTreeSet<&String> = before.iter().chain(after).flat_map(BTreeMap::keys).collect();
    let mut moved: Vec<Moved> = names.into_iter().filter_map(|name| compare(name, before, after)).collect();
    moved.sort_by(|one, other| other.index.total_cmp(&one.index));
    moved
}

fn compare(name: &str, before: &[Columns], after: &[Columns]) -> Option<Moved> {
    let cuts = cuts(name, before);
    let (counted_before, counted_after) = (counts(name, before, &cuts), counts(name, after, &cuts));
    let bins: BTreeSet<&Bin> = counted_before.keys().chain(counted_after.keys()).collect();
    let share = |counts: &BTreeMap<Bin, f64>, bin: &Bin, rows: usize| {
        (counts.get(bin).unwrap_or(&0.0) + SMOOTHING) / (rows as f64 + SMOOTHING * bins.len() as f64)
    };
    let part = |bin: &&Bin| {
        let (a, b) = (share(&counted_after, bin, after.len()), share(&counted_before, bin, before.len()));
        (a - b) * libm::log(a / b)
    };
    let index: f64 = bins.iter().map(part).sum();
    let by_chance =
        chi_square_9999(bins.len() as f64 - 1.0) * (1.0 / before.len() as f64 + 1.0 / after.len() as f64);
    (index > SHIFTED.max(by_chance)).then(|| Moved {
        column: name.to_owned(),
        index,
        from: typical(name, before),
        to: typical(name, after),
    })
}

/// Wilson and Hilferty 1931: the 99.99 % point of the chi-square distribution.
fn chi_square_9999(degrees: f64) -> f64 {
    if degrees < 1.0 {
        return 0.0;
    }
    let part = 2.0 / (9.0 * degrees);
    let root = 1.0 - part + Z9999 * libm::sqrt(part);
    degrees * root * root * root
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Bin {
    Unknown,
    Below(usize),
    Word(String),
}

/// Where numbers are cut: the deciles of the sample before, each once.
fn cuts(name: &str, before: &[Columns]) -> Vec<f64> {
    let number = |row: &Columns| match row.get(name) {
        Some(Cell::Number(number)) => Some(*number),
        _ => None,
    };
    let mut numbers: Vec<f64> = before.iter().filter_map(number).collect();
    numbers.sort_by(f64::total_cmp);
    let mut cuts: Vec<f64> =
        (1..BINS).filter_map(|step| numbers.get(numbers.len() * step / BINS).copied()).collect();
    cuts.dedup();
    cuts
}

fn counts(name: &str, rows: &[Columns], cuts: &[f64]) -> BTreeMap<Bin, f64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let bin = match row.get(name) {
            None => Bin::Unknown,
            Some(Cell::Number(number)) => Bin::Below(cuts.partition_point(|cut| cut < number)),
            Some(Cell::Word(word)) => Bin::Word(word.clone()),
        };
        *counts.entry(bin).or_default() += 1.0;
    }
    counts
}

fn typical(name: &str, rows: &[Columns]) -> String {
    let (mut sum, mut numbers) = (0.0, 0.0);
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        match row.get(name) {
            None => *words.entry("unknown").or_default() += 1,
            Some(Cell::Word(word)) => *words.entry(word).or_default() += 1,
            Some(Cell::Number(number)) => {
                sum += number;
                numbers += 1.0;
            }
        }
    }
    if numbers > 0.0 {
        return format!("{:.2}", sum / numbers);
    }
    words.into_iter().max_by_key(|(_, count)| *count).map_or_else(String::new, |(word, _)| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, cell: impl Fn(usize) -> Option<Cell>) -> Vec<Columns> {
        (0..count).map(|row| cell(row).map(|cell| ("it".to_owned(), cell)).into_iter().collect()).collect()
    }

    #[test]
    fn the_index_of_two_known_samples_is_the_one_by_hand() {
        let words = |red: usize| {
            rows(100, move |row| Some(Cell::Word(if row < red { "red" } else { "blue" }.into())))
        };
        let found = moved(&words(20), &words(80));
        let (low, high) = (20.5 / 101.0, 80.5 / 101.0);
        let by_hand: f64 = 2.0 * (high - low) * f64::ln(high / low);
        assert!((found[0].index - by_hand).abs() < 1e-12, "{found:?}");
        assert_eq!((found[0].from.as_str(), found[0].to.as_str()), ("blue", "red"));
    }

    #[test]
    fn the_chi_square_points_are_those_of_the_tables_or_a_little_above() {
        for (degrees, table, off) in [(1.0, 15.137, 0.08), (9.0, 33.720, 0.02), (20.0, 52.386, 0.01)] {
            let ratio = chi_square_9999(degrees) / table;
            assert!((0.999..1.0 + off).contains(&ratio), "{degrees}: {ratio}");
        }
    }

    #[test]
    fn what_stays_alike_has_not_moved_and_what_goes_missing_has() {
        let number = |row: usize| Some(Cell::Number((row * 7 % 100) as f64));
        let before = rows(500, number);
        assert_eq!(moved(&before, &rows(300, number)), []);
        let gone = moved(&before, &rows(300, |row| number(row).filter(|_| row % 2 == 0)));
        assert_eq!(gone[0].column, "it");
        assert_eq!(moved(&before, &rows(19, |_| None)), [], "too few to say");
    }

    #[test]
    fn few_rows_need_more_than_the_customary_limit() {
        let half = |shift: usize| rows(24, move |row| Some(Cell::Number(((row * 5 + shift) % 24) as f64)));
        let other = rows(24, |row| Some(Cell::Number((row % 12) as f64)));
        assert_eq!(moved(&half(0), &half(3)), []);
        let by_chance = compare("it", &half(0), &other);
        assert_eq!(by_chance, None, "half of twelve rows may be chance");
    }
}

//! What goes with what somebody chose? Items that the same customers choose, each with the choice that speaks for it.
//!
//! A neighbourhood of items: how often two are chosen by one customer, against how often each is chosen at all.
//! Customers with many choices count less per choice, rarely chosen items are drawn towards unknown, and an item
//! chosen by very few is never suggested, because it would tell about them. Memory is bounded by [`ITEMS_MAX`];
//! counts are whole numbers, so the order in which customers come does not matter. What was chosen already is
//! never suggested. Nothing here knows what an item is or who chose it.

use std::collections::BTreeMap;

/// Most items that are compared with each other: the ones chosen by most customers.
pub const ITEMS_MAX: usize = 4096;
/// Most choices of one customer that are used, the newest.
pub const CHOICES_MAX: usize = 50;
/// Most items kept as similar to one item.
const NEIGHBOURS_MAX: usize = 50;
/// An item that fewer customers chose is neither suggested nor a reason.
pub const CUSTOMERS_MIN: u64 = 5;
/// So many names are counted before the rarest are forgotten.
const NAMES_MAX: usize = 16 * ITEMS_MAX;
/// One customer with one choice; counts are whole multiples of its parts.
const ONE: f64 = 65_536.0;
/// Every item is compared as if so many customers more had chosen it.
const SHRINKAGE: f64 = 10.0;
/// Of the product of how often both are chosen, the part that the given item has in the comparison; the other has
/// the rest. A half is the cosine.
const GIVEN_PART: f64 = 0.4;
/// After so many newer choices a choice counts half.
const HALF_AFTER: f64 = 25.0;

/// First pass: which items are chosen by most customers.
#[derive(Debug, Default)]
pub struct Chosen {
    customers: BTreeMap<String, u64>,
    forgotten: u64,
}

impl Chosen {
    /// Counts what one customer chose, each item once.
    pub fn count<'a>(&mut self, choices: impl IntoIterator<Item = &'a str>) {
        for item in distinct(choices) {
            match self.customers.get_mut(item) {
                Some(customers) => *customers += 1,
                // As often as an item may have been forgotten before, which keeps the frequent ones in.
                None => drop(self.customers.insert(item.to_owned(), self.forgotten + 1)),
            }
            while self.customers.len() > NAMES_MAX {
                self.forgotten += 1;
                let least = self.forgotten;
                self.customers.retain(|_, customers| *customers > least);
            }
        }
    }

    /// The items that are compared, most chosen first.
    pub fn most_chosen(&self) -> Vec<&str> {
        let enough = |(_, customers): &(&String, &u64)| **customers >= CUSTOMERS_MIN + self.forgotten;
        let mut items: Vec<(&String, &u64)> = self.customers.iter().filter(enough).collect();
        items.sort_by(|(one, often), (other, less)| less.cmp(often).then(one.cmp(other)));
        items.truncate(ITEMS_MAX);
        items.into_iter().map(|(item, _)| item.as_str()).collect()
    }
}

/// Second pass: which of them are chosen together.
#[derive(Debug)]
pub struct Together {
    items: Vec<String>,
    by_name: BTreeMap<String, u32>,
    customers: Vec<u64>,
    /// The triangle below the diagonal and the diagonal, row by row.
    pairs: Vec<u64>,
}

impl Together {
    /// Nobody has been counted; memory for the pairs is taken here, 8 bytes each.
    pub fn new(chosen: &Chosen) -> Self {
        let items: Vec<String> = chosen.most_chosen().into_iter().map(str::to_owned).collect();
        let by_name = (0u32..).zip(&items).map(|(index, item)| (item.clone(), index)).collect();
        let pairs = vec![0; items.len() * (items.len() + 1) / 2];
        Self { customers: vec![0; items.len()], items, by_name, pairs }
    }

    /// Counts what one customer chose, newest first.
    pub fn count<'a>(&mut self, choices: impl IntoIterator<Item = &'a str>) {
        let newest = distinct(choices.into_iter().take(CHOICES_MAX));
        let mut known: Vec<u32> = newest.iter().filter_map(|item| self.by_name.get(*item).copied()).collect();
        known.sort_unstable();
        let weight = (ONE / libm::sqrt(newest.len().max(1) as f64)).round() as u64;
        for (position, &larger) in known.iter().enumerate() {
            self.customers[larger as usize] += 1;
            for &smaller in &known[..=position] {
                self.pairs[place(larger, smaller)] += weight;
            }
        }
    }

    /// What is similar to what.
    pub fn similar(self) -> Similar {
        let counted: u64 = self.customers.iter().sum();
        let own: Vec<f64> = (0..self.items.len() as u32).map(|i| self.pairs[place(i, i)] as f64).collect();
        let usual = own.iter().sum::<f64>() / counted.max(1) as f64;
        let often: Vec<f64> = own.iter().map(|own| libm::log(own + SHRINKAGE * usual)).collect();
        let neighbours = (0..self.items.len() as u32).map(|given| self.neighbours(given, &often)).collect();
        Similar { items: self.items, by_name: self.by_name, neighbours }
    }

    fn neighbours(&self, given: u32, often: &[f64]) -> Vec<(u32, f32)> {
        let against =
            |other: u32| GIVEN_PART * often[given as usize] + (1.0 - GIVEN_PART) * often[other as usize];
        let mut found: Vec<(u32, f32)> = (0..self.items.len() as u32)
            .filter(|other| *other != given)
            .filter_map(|other| {
                let together = self.pairs[place(given.max(other), given.min(other))];
                let likeness = together as f64 * libm::exp(-against(other));
                (together > 0).then_some((other, likeness as f32))
            })
            .collect();
        found.sort_by(|(one, most), (other, less)| less.total_cmp(most).then(one.cmp(other)));
        found.truncate(NEIGHBOURS_MAX);
        found
    }
}

fn place(larger: u32, smaller: u32) -> usize {
    larger as usize * (larger as usize + 1) / 2 + smaller as usize
}

fn distinct<'a>(choices: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut choices: Vec<&str> = choices.into_iter().collect();
    choices.sort_unstable();
    choices.dedup();
    choices
}

/// What is similar to what.
#[derive(Debug)]
pub struct Similar {
    items: Vec<String>,
    by_name: BTreeMap<String, u32>,
    neighbours: Vec<Vec<(u32, f32)>>,
}

/// One suggestion.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion<'a> {
    /// What is suggested.
    pub item: &'a str,
    /// The choice that speaks for it most.
    pub because: &'a str,
    /// How much all choices speak for it, above 0; comparable within one customer only.
    pub likeness: f32,
}

impl Similar {
    /// Items that are compared.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// Pairs of an item and one that is similar to it.
    pub fn pairs(&self) -> usize {
        self.neighbours.iter().map(Vec::len).sum()
    }

    /// What goes with these choices, newest first: at most `most`, the best first, none of them among the choices.
    pub fn suggest(&self, choices: &[&str], most: usize) -> Vec<Suggestion<'_>> {
        let known: Vec<Option<u32>> = choices.iter().map(|item| self.by_name.get(*item).copied()).collect();
        // Per item: the sum, the largest part of it, and whose part that is.
        let mut spoken_for: BTreeMap<u32, (f64, f64, u32)> = BTreeMap::new();
        for (newer, given) in known.iter().enumerate().take(CHOICES_MAX) {
            let Some(given) = *given else { continue };
            let recent = libm::exp2(-(newer as f64) / HALF_AFTER);
            for &(item, likeness) in &self.neighbours[given as usize] {
                let part = recent * f64::from(likeness);
                let (sum, largest, because) = spoken_for.entry(item).or_insert((0.0, 0.0, given));
                *sum += part;
                if part > *largest {
                    (*largest, *because) = (part, given);
                }
            }
        }
        for chosen in known.into_iter().flatten() {
            spoken_for.remove(&chosen);
        }
        let mut ranked: Vec<(u32, (f64, f64, u32))> = spoken_for.into_iter().collect();
        ranked.sort_by(|(one, (most, ..)), (other, (less, ..))| less.total_cmp(most).then(one.cmp(other)));
        ranked.truncate(most);
        let named = |(item, (sum, _, because)): (u32, (f64, f64, u32))| Suggestion {
            item: &self.items[item as usize],
            because: &self.items[because as usize],
            likeness: sum as f32,
        };
        ranked.into_iter().map(named).collect()
    }
}

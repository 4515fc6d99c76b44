//! What goes with what was chosen: by hand, and on the purchases of a real web shop.

use crate::online_retail;
use insight::similar::{CHOICES_MAX, CUSTOMERS_MIN, Chosen, ITEMS_MAX, Similar, Together};
use jiff::civil::date;
use std::collections::{BTreeMap, BTreeSet};

fn similar(customers: &[Vec<&str>]) -> Similar {
    let mut chosen = Chosen::default();
    customers.iter().for_each(|choices| chosen.count(choices.iter().copied()));
    let mut together = Together::new(&chosen);
    customers.iter().for_each(|choices| together.count(choices.iter().copied()));
    together.similar()
}

fn tea_and_bulbs() -> Vec<Vec<&'static str>> {
    let mut customers = vec![vec!["tea", "cup"]; 12];
    customers.extend(vec![vec!["cup", "tea", "pot"]; 8]);
    customers.extend(vec![vec!["bulb", "lamp"]; 10]);
    customers.extend(vec![vec!["lamp"]; 5]);
    customers
}

#[test]
fn what_the_same_customers_choose_is_suggested_with_the_choice_that_speaks_for_it() {
    let similar = similar(&tea_and_bulbs());
    let suggested = similar.suggest(&["tea"], 3);
    let named: Vec<_> = suggested.iter().map(|found| (found.item, found.because)).collect();
    assert_eq!(named, [("cup", "tea"), ("pot", "tea")]);
    let mixed = similar.suggest(&["lamp", "pot"], 3);
    assert!(mixed.iter().any(|found| (found.item, found.because) == ("bulb", "lamp")), "{mixed:?}");
    assert!(mixed.iter().any(|found| (found.item, found.because) == ("tea", "pot")), "{mixed:?}");
}

#[test]
fn what_was_chosen_is_never_suggested() {
    let similar = similar(&tea_and_bulbs());
    for choices in [vec!["tea", "cup"], vec!["tea", "cup", "pot", "bulb", "lamp"], vec!["unheard of"]] {
        let suggested = similar.suggest(&choices, 10);
        assert!(suggested.iter().all(|found| !choices.contains(&found.item)), "{suggested:?}");
        assert!(choices.len() < 5 || suggested.is_empty(), "{suggested:?}");
    }
    let long_ago: Vec<&str> = (0..CHOICES_MAX).map(|_| "lamp").chain(["bulb"]).collect();
    assert!(similar.suggest(&long_ago, 10).iter().all(|found| found.item != "bulb"));
}

#[test]
fn the_order_of_customers_makes_no_difference() {
    let forwards = tea_and_bulbs();
    let backwards: Vec<_> = forwards.iter().rev().cloned().collect();
    let (one, other) = (similar(&forwards), similar(&backwards));
    for choices in [["tea", "lamp"], ["pot", "bulb"], ["cup", "lamp"]] {
        assert_eq!(one.suggest(&choices, 10), other.suggest(&choices, 10));
    }
}

#[test]
fn an_item_that_few_customers_chose_is_neither_suggested_nor_a_reason() {
    let mut customers = tea_and_bulbs();
    customers.extend(vec![vec!["tea", "wig"]; usize::try_from(CUSTOMERS_MIN).unwrap() - 1]);
    let seldom = similar(&customers);
    assert!(seldom.suggest(&["tea"], 10).iter().all(|found| found.item != "wig"));
    assert!(seldom.suggest(&["wig"], 10).is_empty());
    customers.push(vec!["tea", "wig"]);
    assert!(similar(&customers).suggest(&["tea"], 10).iter().any(|found| found.item == "wig"));
}

#[test]
fn a_flood_of_names_leaves_the_frequent_items_and_a_bounded_memory() {
    let mut chosen = Chosen::default();
    for number in 0..30 * ITEMS_MAX {
        let name = format!("only once {number}");
        let mut choices = vec![name.as_str()];
        if number % 50 == 0 {
            choices.extend(["tea", "cup"]);
        }
        chosen.count(choices);
    }
    let most = chosen.most_chosen();
    assert_eq!(most[..2], ["cup", "tea"]);
    assert!(most.len() <= ITEMS_MAX);
}

/// Of the new items that customers bought after a day, the part that ten suggestions of the day before held:
/// ours and the ten most chosen ones.
fn recall_at_ten(split: jiff::civil::Date, lines: &[online_retail::Line]) -> (f64, f64, usize) {
    let mut before: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    let mut after: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for line in lines {
        match line.at.date() < split {
            true => before.entry(line.customer).or_default().insert(0, &line.item),
            false => drop(after.entry(line.customer).or_default().insert(&line.item)),
        }
    }
    let mut chosen = Chosen::default();
    for choices in before.values_mut() {
        let mut seen = BTreeSet::new();
        choices.retain(|item| seen.insert(*item));
        chosen.count(choices.iter().copied());
    }
    let mut together = Together::new(&chosen);
    before.values().for_each(|choices| together.count(choices.iter().copied()));
    let similar = together.similar();
    let popular = chosen.most_chosen();
    let (mut ours, mut theirs, mut customers) = (0.0, 0.0, 0);
    for (customer, bought) in &after {
        let Some(choices) = before.get(customer) else { continue };
        let new: BTreeSet<&str> = bought.iter().copied().filter(|item| !choices.contains(item)).collect();
        if new.is_empty() {
            continue;
        }
        let part = |suggested: &mut dyn Iterator<Item = &str>| {
            suggested.take(10).filter(|item| new.contains(item)).count() as f64 / new.len().min(10) as f64
        };
        ours += part(&mut similar.suggest(choices, 10).iter().map(|found| found.item));
        theirs += part(&mut popular.iter().copied().filter(|item| !choices.contains(item)));
        customers += 1;
    }
    (ours / f64::from(customers), theirs / f64::from(customers), customers as usize)
}

#[test]
fn ten_suggestions_hold_twice_as_much_of_what_is_bought_next_as_the_ten_most_popular_items() {
    let Some(lines) = online_retail::lines() else { return };
    for split in [date(2011, 9, 1), date(2011, 11, 1)] {
        let (ours, theirs, customers) = recall_at_ten(split, &lines);
        eprintln!(
            "from {split}, {customers} customers: {ours:.4} against {theirs:.4}, {:.2} times",
            ours / theirs
        );
        assert!(ours >= 2.0 * theirs, "{ours} against {theirs}");
    }
}

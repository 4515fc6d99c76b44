//! Which rules and customers do the peers get, and what is the right answer? The made-up organisation as
//! one JSON file, so that every peer decides by the same rules and each answer can be checked; beside it
//! the strategy and store of the product, with the same rules and customers.

use crate::{
    data,
    organisation::{action_path, predicates, values},
};
use serde_json::json;
use std::{fs, io, path::Path};

type Predicate = (usize, bool, f64);

/// Writes `organisation.json` into a new folder: the rules of so many actions and their paths, the values of
/// so many customers, and for each customer the actions whose three predicates all hold. Then the folders
/// `strategy` and `data`.
///
/// # Errors
/// The files cannot be written.
pub fn run(actions: usize, customers: usize, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("organisation.json"), organisation(actions, customers).to_string())?;
    data::write(folder, actions, customers, (actions * 20).clamp(2_000, 40_000));
    Ok(())
}

fn organisation(actions: usize, customers: usize) -> serde_json::Value {
    let rules: Vec<[Predicate; 3]> = (0..actions).map(predicates).collect();
    let customers: Vec<_> = (0..customers).map(|number| values(number as u64)).collect();
    let eligible = |values: &[f64]| -> Vec<usize> {
        let holds = |rule: &[Predicate; 3]| rule.iter().all(|predicate| holds(predicate, values));
        (0..actions).filter(|action| holds(&rules[*action])).collect()
    };
    let expected: Vec<_> = customers.iter().map(|values| eligible(values)).collect();
    let paths: Vec<_> = (0..actions).map(action_path).collect();
    let customers: Vec<_> = customers.iter().map(|values| values.to_vec()).collect();
    json!({ "predicates": rules, "paths": paths, "customers": customers, "expected": expected })
}

fn holds(&(attribute, above, threshold): &Predicate, values: &[f64]) -> bool {
    (values[attribute] > threshold) == above
}

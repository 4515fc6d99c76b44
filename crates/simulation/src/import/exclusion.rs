//! Which rows are no evidence, and why? Cancelled, nameless, free of charge, repeated: each is counted by the reason that the mapping gives.

use super::{mapping::Exclusion, table::Fields};
use std::collections::BTreeMap;

/// Why a row that came for the `times`th time is left out; `None` when it is not.
pub fn reason<'m>(rules: &'m [Exclusion], fields: &Fields, times: u32) -> Result<Option<&'m str>, String> {
    for rule in rules {
        if fits(rule, fields, times)? {
            return Ok(Some(&rule.because));
        }
    }
    Ok(None)
}

fn fits(rule: &Exclusion, fields: &Fields, times: u32) -> Result<bool, String> {
    if rule.repeated {
        return Ok(times > 1);
    }
    let field = column(fields, &rule.column)?;
    let below = |most: f64| field.parse::<f64>().is_ok_and(|number| number <= most);
    Ok((rule.empty && field.is_empty())
        || rule.starts_with.iter().any(|start| field.starts_with(start.as_str()))
        || rule.one_of.iter().any(|word| word == field)
        || rule.at_most.is_some_and(below))
}

/// Adds the products of columns.
pub fn multiply(fields: &mut Fields, products: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
    for (name, factors) in products {
        let mut product = 1.0;
        for factor in factors {
            let number = column(fields, factor)?.parse::<f64>();
            product *= number.map_err(|_| format!("column `{factor}` does not hold a number"))?;
        }
        fields.insert(name.clone(), product.to_string());
    }
    Ok(())
}

fn column<'f>(fields: &'f Fields, name: &str) -> Result<&'f str, String> {
    fields.get(name).map(|field| field.trim()).ok_or_else(|| format!("there is no column `{name}`"))
}

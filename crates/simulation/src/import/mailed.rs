//! Who was mailed and bought, in a table with a row per person? Every other column is something that is known of them.
//!
//! What a column means is not told here: a text that reads as a number is one, and an empty one is not known.

use super::{
    mapping::Writing,
    table::{self, Line},
};
use decision::{profile::Source, strategy::Sensitivity};
use insight::diet::{Attribute, mailing::Mailed};
use learning::{Feature, FeatureValue, Features};
use std::path::Path;

/// The people of a table, and the columns that might go: those whose name begins with `prefix`. `bought` is the column
/// that says who bought, and its word for yes.
///
/// # Errors
/// A sentence for the user when the table cannot be read or a row is not like the others.
pub fn mailed(
    path: &Path,
    bought: (&str, &str),
    prefix: &str,
) -> Result<(Vec<Mailed>, Vec<Attribute>), String> {
    let (mut people, mut attributes, mut trouble) = (Vec::new(), Vec::new(), None);
    table::read(path, &Writing::default(), &mut |line: Line| {
        let read = line.fields.and_then(|mut fields| {
            let outcome =
                fields.remove(bought.0).ok_or_else(|| format!("there is no column `{}`", bought.0))?;
            if people.is_empty() {
                attributes =
                    fields.keys().filter(|name| name.starts_with(prefix)).map(|name| column(name)).collect();
            }
            let known = fields.into_iter().filter(|(_, text)| !text.trim().is_empty());
            let features = known.map(|(name, text)| feature(&name, text.trim())).collect();
            Ok(Mailed { features: Features::new(features), bought: outcome.trim() == bought.1 })
        });
        match read {
            Ok(mailed) => people.push(mailed),
            Err(why) => _ = trouble.get_or_insert(format!("line {}: {why}", line.number)),
        }
    })?;
    match trouble {
        Some(trouble) => Err(format!("`{}`, {trouble}", path.display())),
        None => Ok((people, attributes)),
    }
}

fn feature(name: &str, text: &str) -> Feature {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let value = number.map_or_else(|| FeatureValue::Category(text.into()), FeatureValue::Number);
    Feature { name: name.into(), value, confidence: 1.0 }
}

/// A column, of which nothing else is declared.
fn column(name: &str) -> Attribute {
    Attribute {
        name: name.into(),
        source: Source::ThirdParty,
        sensitivity: Sensitivity::Ordinary,
        cost: 0.0,
        retention_days: 365.0,
        readable_days: None,
        read_by: Vec::new(),
    }
}

//! What does a model see of the situation? Named inputs, sorted by name, each with a confidence.
//!
//! Deliberately absent: what may be seen. The caller hands over permitted values only; a value that
//! is not here does not exist.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The value of one named input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FeatureValue {
    /// A quantity in any unit; NaN and infinity are treated as missing.
    Number(f64),
    /// One of a set of words.
    Category(Arc<str>),
    /// Yes or no.
    Flag(bool),
}

/// One named input of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Unique within [`Features`].
    pub name: Arc<str>,
    /// What is known.
    pub value: FeatureValue,
    /// How sure the value is, 0 to 1; it multiplies the contribution. NaN counts as 0.
    pub confidence: f32,
}

/// The inputs of one decision: unique names in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Feature>")]
pub struct Features(Vec<Feature>);

impl Features {
    /// Sorts by name; of features with the same name the first one given is kept.
    #[must_use]
    pub fn new(mut features: Vec<Feature>) -> Self {
        features.sort_by(|a, b| a.name.cmp(&b.name));
        features.dedup_by(|later, kept| later.name == kept.name);
        Self(features)
    }

    /// In ascending order of name.
    pub fn iter(&self) -> std::slice::Iter<'_, Feature> {
        self.0.iter()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Feature>> for Features {
    fn from(features: Vec<Feature>) -> Self {
        Self::new(features)
    }
}

impl<'a> IntoIterator for &'a Features {
    type Item = &'a Feature;
    type IntoIter = std::slice::Iter<'a, Feature>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(name: &str, value: bool) -> Feature {
        Feature { name: name.into(), value: FeatureValue::Flag(value), confidence: 1.0 }
    }

    #[test]
    fn features_are_sorted_and_the_first_of_a_name_is_kept() {
        let features = Features::new(vec![flag("b", true), flag("a", true), flag("b", false)]);
        let seen: Vec<_> = features.iter().cloned().collect();
        assert_eq!(seen, [flag("a", true), flag("b", true)]);
    }

    #[test]
    fn features_read_back_from_bytes_are_sorted_again() {
        let unsorted = postcard::to_stdvec(&vec![flag("b", true), flag("a", false)]).unwrap();
        let features: Features = postcard::from_bytes(&unsorted).unwrap();
        assert_eq!(features, Features::new(vec![flag("a", false), flag("b", true)]));
    }
}

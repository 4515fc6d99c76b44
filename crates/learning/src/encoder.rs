//! How do named features become the columns of a model? Numbers are compressed, standardised with
//! what was seen so far and clipped; each category and flag has a column of its own.
//!
//! A missing value contributes nothing: who withholds something is treated as the average customer,
//! and that it was withheld is deliberately not a column. Columns are handed out in order of first
//! appearance, the first of them with the better seats; when they have run out, further ones are ignored
//! and counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::design::{CLIP, COLUMNS, EXTRA, Inputs};
use crate::features::{Feature, FeatureValue, Features};
use crate::learner::Rejected;

const COLUMNS_MAX: u16 = (COLUMNS + EXTRA) as u16;
/// Columns one category may claim, so that a million-valued one leaves room for others.
const COLUMNS_PER_CATEGORY_MAX: usize = 16;
/// A column varying less than this part of its size is constant and contributes nothing.
const RELATIVE_VARIANCE_MIN: f64 = 1e-12;

/// So many numbers are watched; one that never varies needs no column.
const NUMBERS_MAX: usize = 4_096;

/// Running mean and variance (Welford 1962).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
    /// Whether anything but 0 and 1 was seen: without, it is a category in disguise, and stays as it is.
    many: bool,
}

impl Moments {
    fn observe(&mut self, value: f64) {
        self.many |= value != 0.0 && value != compress(1.0);
        self.count += 1.0;
        let before = value - self.mean;
        self.mean += before / self.count;
        self.squares += before * (value - self.mean);
    }

    fn is_sound(&self) -> bool {
        self.mean.is_finite() && [self.count, self.squares].iter().all(|sum| sum.is_finite() && *sum >= 0.0)
    }

    fn standardise(&self, value: f64) -> f64 {
        let variance = self.squares / self.count;
        if !self.many && (value == 0.0 || value == compress(1.0)) {
            return if variance > 0.0 && value > 0.0 { 1.0 } else { 0.0 };
        }
        if variance > RELATIVE_VARIANCE_MIN * (1.0 + self.mean * self.mean) {
            ((value - self.mean) / variance.sqrt()).clamp(-CLIP, CLIP)
        } else {
            0.0
        }
    }
}

/// The columns known so far; column 0 is the intercept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Encoder {
    columns: u16,
    /// Column 0: it has not varied yet.
    numbers: BTreeMap<Arc<str>, (u16, Moments)>,
    flags: BTreeMap<Arc<str>, u16>,
    categories: BTreeMap<Arc<str>, BTreeMap<Arc<str>, u16>>,
    /// Rows seen, and their columns that were not 0.
    rows: f64,
    active: f64,
}

impl Encoder {
    /// Claims columns for what is new and updates the scaling.
    pub(crate) fn observe(&mut self, features: &Features, rejected: &mut Rejected) {
        for feature in features.iter().filter(|feature| trust(feature) > 0.0) {
            match &feature.value {
                FeatureValue::Number(number) if !number.is_finite() => {
                    rejected.non_finite_values += 1;
                }
                FeatureValue::Number(number) => {
                    self.observe_number(&feature.name, *number, rejected);
                }
                FeatureValue::Flag(_) => self.observe_flag(&feature.name, rejected),
                FeatureValue::Category(word) => {
                    self.observe_category(&feature.name, word, rejected);
                }
            }
        }
        let set = features.iter().filter_map(|feature| self.column(feature));
        self.active += set.filter(|(_, value)| *value != 0.0).count() as f64;
        self.rows += 1.0;
    }

    fn observe_number(&mut self, name: &Arc<str>, number: f64, rejected: &mut Rejected) {
        if !self.numbers.contains_key(name) {
            if self.numbers.len() >= NUMBERS_MAX {
                rejected.ignored_values += 1;
                return;
            }
            self.numbers.insert(name.clone(), (0, Moments::default()));
        }
        let Some((column, moments)) = self.numbers.get_mut(name) else {
            return;
        };
        moments.observe(compress(number));
        if *column == 0 && moments.squares > 0.0 {
            if self.columns >= COLUMNS_MAX {
                rejected.ignored_values += 1;
                return;
            }
            self.columns += 1;
            *column = self.columns;
        }
    }

    fn observe_flag(&mut self, name: &Arc<str>, rejected: &mut Rejected) {
        if !self.flags.contains_key(name)
            && let Some(column) = self.claim(rejected)
        {
            self.flags.insert(name.clone(), column);
        }
    }

    fn observe_category(&mut self, name: &Arc<str>, word: &Arc<str>, rejected: &mut Rejected) {
        let known = self.categories.get(name);
        if known.is_some_and(|words| words.contains_key(word)) {
            return;
        }
        if known.is_some_and(|words| words.len() >= COLUMNS_PER_CATEGORY_MAX) {
            rejected.ignored_values += 1;
            return;
        }
        if let Some(column) = self.claim(rejected) {
            let words = self.categories.entry(name.clone()).or_default();
            words.insert(word.clone(), column);
        }
    }

    fn claim(&mut self, rejected: &mut Rejected) -> Option<u16> {
        if self.columns >= COLUMNS_MAX {
            rejected.ignored_values += 1;
            return None;
        }
        self.columns += 1;
        Some(self.columns)
    }

    /// Whether every column was handed out once, and there are no others.
    pub(crate) fn is_sound(&self) -> bool {
        let mut handed_out: Vec<u16> = self.names().into_iter().map(|(column, ..)| column).collect();
        handed_out.sort_unstable();
        self.columns <= COLUMNS_MAX
            && handed_out.into_iter().eq(1..=self.columns)
            && self.numbers.len() <= NUMBERS_MAX
            && self.numbers.values().all(|(_, moments)| moments.is_sound())
            && [self.rows, self.active].iter().all(|sum| (0.0..=f64::MAX).contains(sum))
    }

    /// Columns handed out, without the intercept.
    pub(crate) fn columns(&self) -> usize {
        usize::from(self.columns)
    }

    /// How many columns of a row are usually not 0, from 1.
    pub(crate) fn features(&self) -> u16 {
        (self.active / self.rows.max(1.0)).round().max(1.0) as u16
    }

    /// The row of these features under the scaling so far; never NaN or infinite.
    pub(crate) fn encode(&self, features: &Features) -> Inputs {
        let mut inputs = Inputs {
            columns: vec![0.0; COLUMNS.min(usize::from(self.columns))],
            features: self.features(),
            ..Inputs::default()
        };
        for feature in features {
            let Some((column, value)) = self.column(feature) else {
                continue;
            };
            let (trust, place) = (trust(feature), usize::from(column) - 1);
            let trusted = value as f32 * trust;
            if place >= COLUMNS {
                inputs.extra.push((column, trusted));
                continue;
            }
            inputs.columns[place] = trusted;
            if self.has_square(feature) && value != 0.0 {
                let square = (value * value - 1.0) * std::f64::consts::FRAC_1_SQRT_2;
                inputs.squares.push((column, square as f32 * trust));
            }
        }
        inputs.extra.retain(|(_, value)| *value != 0.0);
        let length = inputs.columns.iter().rposition(|&value| value != 0.0).map_or(0, |last| last + 1);
        inputs.columns.truncate(length);
        inputs
    }

    /// The square of a number that takes more than two values is news.
    fn has_square(&self, feature: &Feature) -> bool {
        let number =
            self.numbers.get(&feature.name).filter(|_| matches!(feature.value, FeatureValue::Number(_)));
        number.is_some_and(|(_, moments)| moments.many)
    }

    fn column(&self, feature: &Feature) -> Option<(u16, f64)> {
        match &feature.value {
            FeatureValue::Number(number) if number.is_finite() => {
                let (column, moments) = self.numbers.get(&feature.name).filter(|(column, _)| *column > 0)?;
                Some((*column, moments.standardise(compress(*number))))
            }
            FeatureValue::Number(_) => None,
            FeatureValue::Flag(flag) => {
                let column = self.flags.get(&feature.name)?;
                Some((*column, if *flag { 1.0 } else { -1.0 }))
            }
            FeatureValue::Category(word) => {
                let column = self.categories.get(&feature.name)?.get(word)?;
                Some((*column, 1.0))
            }
        }
    }

    /// The name of each column, with the word for columns of a category, in order of name.
    pub(crate) fn names(&self) -> Vec<(u16, Arc<str>, Option<Arc<str>>)> {
        let numbers = self.numbers.iter().map(|(name, (column, _))| (*column, name, None));
        let numbers = numbers.filter(|(column, ..)| *column > 0);
        let flags = self.flags.iter().map(|(name, column)| (*column, name, None));
        let categories = self
            .categories
            .iter()
            .flat_map(|(name, words)| words.iter().map(move |(word, column)| (*column, name, Some(word))));
        let mut names: Vec<_> = numbers
            .chain(flags)
            .chain(categories)
            .map(|(column, name, word)| (column, name.clone(), word.cloned()))
            .collect();
        names.sort_by(|a, b| (&a.1, &a.2).cmp(&(&b.1, &b.2)));
        names
    }
}

/// The confidence within 0 to 1; NaN is 0.
fn trust(feature: &Feature) -> f32 {
    if feature.confidence > 0.0 { feature.confidence.min(1.0) } else { 0.0 }
}

fn compress(number: f64) -> f64 {
    libm::copysign(libm::log1p(libm::fabs(number)), number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(value: FeatureValue, confidence: f32) -> Features {
        Features::new(vec![Feature { name: "it".into(), value, confidence }])
    }

    fn seen(numbers: &[f64]) -> Encoder {
        let mut encoder = Encoder::default();
        for &number in numbers {
            let features = feature(FeatureValue::Number(number), 1.0);
            encoder.observe(&features, &mut Rejected::default());
        }
        encoder
    }

    #[test]
    fn a_number_is_standardised_and_clipped() {
        let encoder = seen(&[0.0, 3.0, 0.0, 3.0]);
        let row = |number| encoder.encode(&feature(FeatureValue::Number(number), 1.0)).columns;
        assert_eq!(row(3.0), [1.0]);
        assert_eq!(row(1e300), [3.0]);
        assert_eq!(row(-1e300), [-3.0]);
        assert!(row(f64::NAN).is_empty());
    }

    #[test]
    fn a_constant_number_contributes_nothing() {
        let encoder = seen(&[7.0; 50]);
        for number in [7.0, 8.0] {
            let row = encoder.encode(&feature(FeatureValue::Number(number), 1.0));
            assert!(row.columns.is_empty() && row.squares.is_empty());
        }
    }

    #[test]
    fn confidence_shrinks_the_contribution() {
        let encoder = seen(&[0.0, 3.0, 0.0, 3.0]);
        for (confidence, expected) in [(1.0, 1.0), (0.25, 0.25), (7.0, 1.0)] {
            let row = encoder.encode(&feature(FeatureValue::Number(3.0), confidence));
            assert_eq!(row.columns, [expected]);
        }
        for confidence in [0.0, -1.0, f32::NAN] {
            let row = encoder.encode(&feature(FeatureValue::Number(3.0), confidence));
            assert!(row.columns.is_empty());
        }
    }

    #[test]
    fn a_value_nobody_trusts_claims_no_column() {
        let (mut encoder, mut rejected) = (Encoder::default(), Rejected::default());
        encoder.observe(&feature(FeatureValue::Number(f64::NAN), 0.0), &mut rejected);
        encoder.observe(&feature(FeatureValue::Flag(true), 0.0), &mut rejected);
        assert_eq!((encoder.columns, rejected), (0, Rejected::default()));
    }

    #[test]
    fn a_million_valued_category_leaves_room_for_others() {
        let (mut encoder, mut rejected) = (Encoder::default(), Rejected::default());
        for number in 0..1000 {
            let word = FeatureValue::Category(format!("w{number}").into());
            encoder.observe(&feature(word, 1.0), &mut rejected);
        }
        assert_eq!(usize::from(encoder.columns), COLUMNS_PER_CATEGORY_MAX);
        assert_eq!(rejected.ignored_values, 1000 - COLUMNS_PER_CATEGORY_MAX as u64);
    }

    #[test]
    fn a_square_is_how_far_a_number_is_from_the_usual() {
        let encoder = seen(&[0.0, 3.0, 0.0, 3.0]);
        let squares =
            |number, confidence| encoder.encode(&feature(FeatureValue::Number(number), confidence)).squares;
        assert_eq!(squares(3.0, 1.0), [(1, 0.0)]);
        let far = 8.0 / 2.0_f32.sqrt();
        assert!((squares(1e300, 1.0)[0].1 - far).abs() < 1e-6);
        assert!((squares(1e300, 0.5)[0].1 - far / 2.0).abs() < 1e-6);
        assert!(squares(f64::NAN, 1.0).is_empty());
    }

    #[test]
    fn a_column_beyond_the_first_is_kept_too() {
        let mut encoder = Encoder::default();
        let flag = |number: usize| Feature {
            name: format!("f{number:03}").into(),
            value: FeatureValue::Flag(true),
            confidence: 1.0,
        };
        let all = Features::new((0..70).map(flag).collect());
        encoder.observe(&all, &mut Rejected::default());
        let row = encoder.encode(&all);
        assert_eq!((row.columns.len(), row.extra.len(), row.features), (COLUMNS, 6, 70));
        assert!(row.is_sound(encoder.columns()));
        let one = encoder.encode(&Features::new(vec![flag(69)]));
        assert!(one.columns.is_empty());
        assert_eq!(one.extra, [(70, 1.0)]);
    }

    #[test]
    fn when_columns_have_run_out_the_rest_is_ignored_and_counted() {
        let (mut encoder, mut rejected) = (Encoder::default(), Rejected::default());
        for number in 0..600 {
            let flag = Feature {
                name: format!("f{number}").into(),
                value: FeatureValue::Flag(true),
                confidence: 1.0,
            };
            encoder.observe(&Features::new(vec![flag]), &mut rejected);
        }
        assert_eq!(encoder.columns, COLUMNS_MAX);
        assert_eq!(rejected.ignored_values, 600 - u64::from(COLUMNS_MAX));
    }
}

//! What are weights multiplied with? The columns of a customer, brought to a common length, then their
//! products two by two, folded into a fixed number of places.
//!
//! Deliberately absent: what a column means; that is the encoder's.

use serde::{Deserialize, Serialize};

/// Columns whose weights are learned together, with all their covariances.
pub(crate) const COLUMNS: usize = 64;
/// Columns beyond those; their weights are learned each for itself.
pub(crate) const EXTRA: usize = 448;
/// Places for products of two columns. With up to 15 columns every product has one of its own.
pub(crate) const PAIRS: usize = 128;
/// The intercept, the columns and the pairs.
pub(crate) const WIDTH: usize = 1 + COLUMNS + PAIRS;

/// With more features than this, each column counts for less, so that all of them together vary the logit
/// as much as this many.
const FEATURES_FULL: f64 = 8.0;

/// The largest number in a row, in standard deviations.
pub(crate) const CLIP: f64 = 3.0;

/// The row of one customer, as it is kept while an outcome is awaited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    /// Of column 1, 2, … up to the last that is not 0.
    pub(crate) columns: Vec<f32>,
    /// Columns with a number, and how far its square is from 1, the mean of squares, over √2.
    pub(crate) squares: Vec<(u16, f32)>,
    /// Columns from `COLUMNS` + 1 on that are not 0.
    pub(crate) extra: Vec<(u16, f32)>,
    /// Features known when it was encoded.
    pub(crate) features: u16,
}

impl Inputs {
    /// Whether it is a row of so many columns, with numbers within the clip.
    pub(crate) fn is_sound(&self, columns: usize) -> bool {
        let within = |value: f32| f64::from(value.abs()) <= CLIP * CLIP;
        let extra = |&(column, value): &(u16, f32)| {
            (COLUMNS + 1..=columns).contains(&usize::from(column)) && within(value)
        };
        let square = |&(column, value): &(u16, f32)| {
            (1..=columns.min(COLUMNS)).contains(&usize::from(column)) && within(value)
        };
        self.columns.len() <= columns.min(COLUMNS)
            && self.columns.iter().all(|&value| within(value))
            && self.squares.iter().all(square)
            && self.extra.iter().all(extra)
    }
}

/// A row of the design matrix.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Design {
    /// 1, then the columns, then the pairs: [`WIDTH`] numbers.
    pub(crate) dense: Vec<f64>,
    /// Columns beyond, by their place from 0, below [`EXTRA`].
    pub(crate) extra: Vec<(usize, f64)>,
}

impl Design {
    /// Columns are scaled by √(8 / features) when there are more than 8 features; products by one over the
    /// root of the number of pairs of features, so that neither part outgrows the other. Signs of products
    /// vary by a fixed hash: what shares a place then cancels out on average (count sketch, Charikar, Chen,
    /// Farach-Colton 2002; of products, Pham and Pagh 2013).
    pub(crate) fn of(inputs: &Inputs) -> Self {
        let features = f64::from(inputs.features.max(1));
        let scale = column_scale(inputs.features);
        let mut dense = vec![0.0; WIDTH];
        dense[0] = 1.0;
        let set: Vec<(usize, f64)> = inputs
            .columns
            .iter()
            .enumerate()
            .filter(|(_, value)| **value != 0.0)
            .map(|(index, &value)| (index + 1, f64::from(value)))
            .collect();
        for &(column, value) in &set {
            dense[column] = value * scale;
        }
        let pair_scale = (2.0 / (features * (features - 1.0)).max(2.0)).sqrt();
        let mut fold = |high: usize, low: usize, product: f64| {
            let pair = high * (high - 1) / 2 + low - 1;
            dense[1 + COLUMNS + pair % PAIRS] += sign(pair) * product * pair_scale;
        };
        for (index, &(high, value)) in set.iter().enumerate() {
            for &(low, other) in &set[..index] {
                fold(high, low, value * other);
            }
        }
        for &(column, square) in &inputs.squares {
            fold(usize::from(column), usize::from(column), f64::from(square));
        }
        let extra = inputs.extra.iter();
        let extra = extra
            .map(|&(column, value)| (usize::from(column) - COLUMNS - 1, f64::from(value) * scale))
            .collect();
        Self { dense, extra }
    }
}

/// What a column is multiplied with when so many features are known.
pub(crate) fn column_scale(features: u16) -> f64 {
    (FEATURES_FULL / f64::from(features.max(1))).sqrt().min(1.0)
}

fn sign(pair: usize) -> f64 {
    if (pair as u32).wrapping_mul(0x9e37_79b1) >> 31 == 0 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(columns: &[f32], features: u16) -> Inputs {
        Inputs { columns: columns.to_vec(), features, ..Inputs::default() }
    }

    #[test]
    fn few_columns_have_a_place_for_each_product() {
        let columns: Vec<f32> = (1..=15_u8).map(f32::from).collect();
        let design = Design::of(&inputs(&columns, 2));
        let pairs = &design.dense[1 + COLUMNS..];
        let mut found: Vec<f64> =
            pairs.iter().map(|value| value.abs()).filter(|value| *value > 0.0).collect();
        let mut expected = Vec::new();
        for high in 1..=15 {
            expected.extend((1..high).map(|low| f64::from(high * low)));
        }
        found.sort_by(f64::total_cmp);
        expected.sort_by(f64::total_cmp);
        assert_eq!(found, expected);
    }

    #[test]
    fn many_features_count_as_much_together_as_few() {
        let length = |features: usize| {
            let design = Design::of(&inputs(&vec![1.0; features], features as u16));
            design.dense[1..=COLUMNS].iter().map(|value| value * value).sum::<f64>()
        };
        assert!((length(8) - 8.0).abs() < 1e-9 && (length(60) - 8.0).abs() < 1e-9);
        assert!((length(3) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_known_is_the_intercept_alone() {
        let design = Design::of(&Inputs::default());
        assert_eq!(design.dense.iter().sum::<f64>(), 1.0);
        assert!(design.extra.is_empty());
    }

    #[test]
    fn signs_of_products_are_balanced() {
        let sum: f64 = (0..2_080).map(sign).sum();
        assert!(sum.abs() < 50.0, "{sum}");
    }
}

//! How sure can we be of a mean? Intervals over customers: whatever happens to one customer is one
//! observation, however many contacts it took.

use serde::Serialize;

/// 97.5 % point of the standard normal distribution.
const Z95: f64 = 1.959_963_984_540_054;

/// A mean over customers with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Customers behind it.
    pub customers: usize,
}

impl Interval {
    /// The normal interval of the mean of one value per customer: `mean ± 1.96 · sd / √n`.
    ///
    /// With fewer than two customers it spans everything.
    pub fn of(per_customer: &[f64]) -> Self {
        let customers = per_customer.len();
        let mean = per_customer.iter().sum::<f64>() / customers.max(1) as f64;
        if customers < 2 {
            return Self { mean, low: f64::NEG_INFINITY, high: f64::INFINITY, customers };
        }
        let squares: f64 = per_customer.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = libm::sqrt(squares / (customers - 1) as f64 / customers as f64);
        Self { mean, low: mean - Z95 * error, high: mean + Z95 * error, customers }
    }

    /// The interval of the mean difference `ours − theirs`, customer by customer.
    ///
    /// Both must list the same customers in the same order; what is beyond the shorter is ignored.
    pub fn of_difference(ours: &[f64], theirs: &[f64]) -> Self {
        let differences: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect();
        Self::of(&differences)
    }

    /// Whether 0 lies outside.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_known_sample_is_the_one_by_hand() {
        let interval = Interval::of(&[1.0, 2.0, 3.0, 4.0]);
        let error = (5.0_f64 / 3.0 / 4.0).sqrt();
        assert_eq!(interval.mean, 2.5);
        assert!((interval.high - (2.5 + Z95 * error)).abs() < 1e-12);
        assert!((interval.low - (2.5 - Z95 * error)).abs() < 1e-12);
    }

    #[test]
    fn pairing_removes_what_differs_between_customers() {
        let theirs: Vec<f64> = (0..100).map(f64::from).collect();
        let ours: Vec<f64> =
            theirs.iter().enumerate().map(|(n, value)| value + 1.0 + (n % 2) as f64 * 0.1).collect();
        assert!(Interval::of_difference(&ours, &theirs).excludes_zero());
        assert!(Interval::of(&theirs).high - Interval::of(&theirs).low > 10.0);
    }

    #[test]
    fn one_customer_proves_nothing() {
        assert!(!Interval::of(&[1000.0]).excludes_zero());
        assert!(!Interval::of(&[]).excludes_zero());
    }
}

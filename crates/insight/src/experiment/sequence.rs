//! Between which bounds does a difference per customer lie, however often one looks? Confidence sequences.
//!
//! The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform
//! central limit theory and asymptotic confidence sequences" (Annals of Statistics 52, 2024), theorem 2.2,
//! for the difference of the means of two randomised groups: with `t` customers in both and standard error
//! `e = √(s₁²/n₁ + s₂²/n₂)` it is `difference ± e · √(2 (tρ² + 1)/(tρ²) · ln(√(tρ² + 1)/α))`.

use serde::Serialize;

/// Share of comparisons without a difference in which one is claimed at some look, at most.
pub const ALPHA: f64 = 0.05;
/// The sequence is tightest at so many customers (its `ρ` is the optimal one there), and valid at any number.
const TIGHTEST_AT: f64 = 5_000.0;
/// Fewer customers per group say nothing: what a sequence rests on holds for many.
const CUSTOMERS_MIN: u64 = 100;
/// Nor do fewer customers per group for whom anything at all came of it.
const EVENTFUL_MIN: u64 = 10;

/// Count, mean and spread of one value per customer, updated one by one (Welford 1962).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Moments {
    /// Customers.
    pub customers: u64,
    /// Mean per customer.
    pub mean: f64,
    #[serde(skip)]
    squares: f64,
    #[serde(skip)]
    eventful: u64,
}

impl Moments {
    /// Adds one customer.
    pub fn add(&mut self, value: f64) {
        self.customers += 1;
        self.eventful += u64::from(value != 0.0);
        let apart = value - self.mean;
        self.mean += apart / self.customers as f64;
        self.squares += apart * (value - self.mean);
    }

    /// Variance between customers; 0 below two of them.
    pub fn variance(&self) -> f64 {
        if self.customers < 2 { 0.0 } else { self.squares / (self.customers - 1) as f64 }
    }

    /// Whether there are enough customers, and enough to whom something happened, for a sequence.
    fn speak(&self) -> bool {
        self.customers >= CUSTOMERS_MIN && self.eventful >= EVENTFUL_MIN
    }
}

/// A difference per customer between its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sequence {
    /// The difference of the means.
    pub mean: f64,
    /// Lower bound; minus infinity while there is too little to say.
    pub low: f64,
    /// Upper bound; infinity while there is too little to say.
    pub high: f64,
    /// Customers in both groups.
    pub customers: u64,
}

impl Sequence {
    /// `ours − theirs`: with probability `1 − alpha` the true difference lies between the bounds at every look.
    pub fn of_difference(ours: &Moments, theirs: &Moments, alpha: f64) -> Self {
        let customers = ours.customers + theirs.customers;
        let mean = ours.mean - theirs.mean;
        if !(ours.speak() && theirs.speak()) {
            return Self { mean, low: f64::NEG_INFINITY, high: f64::INFINITY, customers };
        }
        let error =
            libm::sqrt(ours.variance() / ours.customers as f64 + theirs.variance() / theirs.customers as f64);
        let apart = factor(customers as f64, alpha) * error;
        Self { mean, low: mean - apart, high: mean + apart, customers }
    }

    /// The same difference the other way round.
    pub fn reversed(self) -> Self {
        Self { mean: -self.mean, low: -self.high, high: -self.low, ..self }
    }

    /// Whether there is enough to say anything.
    pub fn speaks(&self) -> bool {
        self.low.is_finite()
    }
}

/// By how many standard errors the bounds lie apart from the mean after so many customers; where a single
/// look would take 1.96.
pub fn factor(customers: f64, alpha: f64) -> f64 {
    let twice = -2.0 * libm::log(alpha);
    let spread = customers * (twice + libm::log(twice) + 1.0) / TIGHTEST_AT;
    libm::sqrt(2.0 * (spread + 1.0) / spread * libm::log(libm::sqrt(spread + 1.0) / alpha))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.add(*value));
        moments
    }

    #[test]
    fn moments_are_those_by_hand() {
        let found = moments(&[1.0, 2.0, 4.0, 9.0]);
        assert_eq!((found.customers, found.mean), (4, 4.0));
        assert!((found.variance() - 38.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_bounds_are_those_of_the_formula() {
        let ours: Vec<f64> = (0..400).map(|n| f64::from(n % 4)).collect();
        let theirs: Vec<f64> = (0..600).map(|n| f64::from(n % 3)).collect();
        let found = Sequence::of_difference(&moments(&ours), &moments(&theirs), 0.05);
        let error = (moments(&ours).variance() / 400.0 + moments(&theirs).variance() / 600.0).sqrt();
        let rho2 = (-2.0 * 0.05_f64.ln() + (-2.0 * 0.05_f64.ln()).ln() + 1.0) / 5_000.0;
        let t_rho2 = 1_000.0 * rho2;
        let apart = error * (2.0 * (t_rho2 + 1.0) / t_rho2 * ((t_rho2 + 1.0).sqrt() / 0.05).ln()).sqrt();
        assert!((found.mean - 0.5).abs() < 1e-12);
        assert!((found.high - (0.5 + apart)).abs() < 1e-12 && (found.low - (0.5 - apart)).abs() < 1e-12);
    }

    #[test]
    fn bounds_that_hold_at_every_look_are_wider_than_those_of_one_look() {
        for customers in [200.0, 1_000.0, 5_000.0, 50_000.0, 1e6] {
            let factor = factor(customers, 0.05);
            assert!((2.5..6.0).contains(&factor), "{factor} at {customers}");
        }
    }

    #[test]
    fn a_few_customers_or_a_few_with_whom_anything_happened_prove_nothing() {
        let busy = moments(&[1.0; 99]);
        let quiet = moments(&[[1.0; 9].as_slice(), &[0.0; 900]].concat());
        let enough = moments(&[[5.0; 50].as_slice(), &[0.0; 50]].concat());
        assert!(!Sequence::of_difference(&busy, &enough, 0.05).speaks());
        assert!(!Sequence::of_difference(&enough, &quiet, 0.05).speaks());
        assert!(Sequence::of_difference(&enough, &enough, 0.05).speaks());
    }
}

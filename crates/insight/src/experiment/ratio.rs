//! Did everybody land in the arm they were drawn for? The sample-ratio check: when customers are not spread
//! as declared, something loses or moves them, and no difference between the arms can be trusted.
//!
//! Sequential, so that it may be looked at as often as the rest: the Bayes factor of a Dirichlet prior around
//! the declared shares against those shares is a martingale while they are right (Lindon and Malek,
//! "Anytime-valid inference for multinomial count data", NeurIPS 2022); its inverse is the p-value.

use serde::Serialize;

/// Spread is called wrong below this p-value: strict, as a wrong spread ends an experiment.
pub const BROKEN_BELOW: f64 = 0.001;
/// How firmly the prior holds to the declared shares, in customers.
const FIRMNESS: f64 = 200.0;

/// How customers are spread over the arms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// Probability that this, or more, would come about at any look when customers are spread as declared.
    pub p: f64,
    /// Whether they are not.
    pub broken: bool,
}

impl Ratio {
    /// Customers per arm against the declared shares, in the same order; shares need not sum to 1, and an arm
    /// without a share has no say.
    pub fn of(customers: &[u64], shares: &[f64]) -> Self {
        let total: f64 = shares.iter().sum();
        let pairs = || customers.iter().zip(shares).filter(|(_, share)| **share > 0.0);
        let all: f64 = pairs().map(|(customers, _)| *customers as f64).sum();
        let mut log_factor = libm::lgamma(FIRMNESS) - libm::lgamma(FIRMNESS + all);
        for (customers, share) in pairs() {
            let (customers, share) = (*customers as f64, share / total);
            let prior = FIRMNESS * share;
            log_factor += libm::lgamma(prior + customers) - libm::lgamma(prior);
            log_factor -= customers * libm::log(share);
        }
        let p = libm::exp(-log_factor).min(1.0);
        Self { p, broken: p < BROKEN_BELOW }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_spread_as_declared_are_as_expected() {
        assert!(!Ratio::of(&[], &[]).broken);
        assert!(!Ratio::of(&[0, 0], &[0.5, 0.5]).broken);
        assert!(!Ratio::of(&[5_020, 4_980], &[0.5, 0.5]).broken);
        assert!(!Ratio::of(&[9_001, 499, 500], &[0.9, 0.05, 0.05]).broken);
        assert!(!Ratio::of(&[1_000, 1_020], &[0.1, 0.1]).broken, "shares that leave customers out");
    }

    #[test]
    fn an_arm_that_loses_customers_is_noticed() {
        assert!(Ratio::of(&[5_250, 4_750], &[0.5, 0.5]).broken);
        assert!(Ratio::of(&[9_000, 600, 400], &[0.9, 0.05, 0.05]).broken);
        assert!(Ratio::of(&[100, 0], &[0.5, 0.5]).broken);
    }

    #[test]
    fn two_arms_give_the_beta_binomial_by_hand() {
        let beta = |a: f64, b: f64| libm::exp(libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b));
        let factor = beta(100.0 + 30.0, 100.0 + 10.0) / beta(100.0, 100.0) / 0.5_f64.powi(40);
        assert!((Ratio::of(&[30, 10], &[0.5, 0.5]).p - (1.0 / factor).min(1.0)).abs() < 1e-9);
    }
}

//! How many customers does it take to see an effect, and which effect can be seen with so many?
//!
//! For the sequences of [`super::sequence`]: an effect is seen with probability 0.8 when it is as far from 0 as
//! the bounds lie from the mean, and 0.84 standard errors more. Looking earlier only finds it earlier, so
//! this is on the safe side.

use super::sequence::factor;
use serde::Serialize;

/// 80 % point of the standard normal distribution.
const Z80: f64 = 0.841_621_233_572_914_3;
/// More customers than these are never needed by anybody.
const CUSTOMERS_MAX: f64 = 1e10;

/// Two arms, before anything is known of their difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Design {
    /// Standard deviation of the value between customers, above 0.
    pub deviation: f64,
    /// Share of the customers of both arms that is in the first one, above 0 and below 1.
    pub share: f64,
    /// Share of comparisons without a difference in which one is claimed, at most.
    pub alpha: f64,
}

impl Design {
    /// The smallest effect seen with probability 0.8 by the time there are so many customers in both arms.
    pub fn detectable(&self, customers: f64) -> f64 {
        let per_customer = 1.0 / self.share + 1.0 / (1.0 - self.share);
        let error = self.deviation * libm::sqrt(per_customer / customers.max(1.0));
        (factor(customers.max(1.0), self.alpha) + Z80) * error
    }

    /// Customers in both arms after which an effect of this size is seen with probability 0.8; `None` when no
    /// number of customers would do.
    pub fn customers_for(&self, effect: f64) -> Option<u64> {
        if self.detectable(CUSTOMERS_MAX) > effect.abs() {
            return None;
        }
        let (mut low, mut high) = (1.0, CUSTOMERS_MAX);
        while high - low > 1.0 {
            let middle = libm::floor((low + high) / 2.0);
            if self.detectable(middle) > effect.abs() { low = middle } else { high = middle }
        }
        Some(high as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: Design = Design { deviation: 10.0, share: 0.5, alpha: 0.05 };

    #[test]
    fn half_the_effect_takes_about_four_times_the_customers() {
        let one = DESIGN.customers_for(1.0).expect("it can be seen") as f64;
        let half = DESIGN.customers_for(0.5).expect("it can be seen") as f64;
        assert!((3.5..5.0).contains(&(half / one)), "{one} and {half}");
    }

    #[test]
    fn the_planned_customers_are_just_enough() {
        let customers = DESIGN.customers_for(1.0).expect("it can be seen") as f64;
        assert!(DESIGN.detectable(customers) <= 1.0 && DESIGN.detectable(customers - 2.0) > 1.0);
    }

    #[test]
    fn a_lopsided_spread_takes_more_customers() {
        let lopsided = Design { share: 0.9, ..DESIGN };
        assert!(lopsided.customers_for(1.0) > DESIGN.customers_for(1.0));
    }

    #[test]
    fn no_number_of_customers_shows_no_effect() {
        assert_eq!(DESIGN.customers_for(0.0), None);
    }
}

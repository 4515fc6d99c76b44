//! How far may the true value lie from an estimate whose errors are lopsided?
//!
//! Weighted outcomes are skewed: many zeros, a few large values. The normal interval then misses too often,
//! and always on the same side. Hall's transformation of the studentised mean (P. Hall 1992, "On the removal of
//! skewness by transformation", Journal of the Royal Statistical Society B 54) takes the skewness out.

use crate::interval::Interval;

/// How often the interval holds the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    P95,
    P99,
}

impl Level {
    /// Points of the standard normal distribution.
    fn z(self) -> f64 {
        match self {
            Self::P95 => 1.959_963_984_540_054,
            Self::P99 => 2.575_829_303_548_901,
        }
    }
}

/// The variance of an estimate that is the sum of one influence per customer; the influences sum to 0.
pub(super) fn variance(influences: &[f64]) -> f64 {
    let count = influences.len() as f64;
    let squares: f64 = influences.iter().map(|influence| influence * influence).sum();
    if influences.len() < 2 { f64::INFINITY } else { squares * count / (count - 1.0) }
}

/// The interval of an estimate with these influences, one per customer; spans everything with fewer than two.
pub(super) fn skewed(value: f64, influences: &[f64], level: Level) -> Interval {
    let customers = influences.len();
    let error = libm::sqrt(variance(influences));
    if customers < 2 || !error.is_finite() {
        return Interval { mean: value, low: f64::NEG_INFINITY, high: f64::INFINITY, customers };
    }
    if error == 0.0 {
        return Interval { mean: value, low: value, high: value, customers };
    }
    let point = student(level.z(), customers - 1);
    let lopsided = skewness(influences) / libm::sqrt(customers as f64);
    Interval {
        mean: value,
        low: value - error * back(point, lopsided),
        high: value - error * back(-point, lopsided),
        customers,
    }
}

/// Point of Student's distribution from the normal one (Abramowitz, Stegun 1964, equation 26.7.5, two terms).
fn student(z: f64, freedom: usize) -> f64 {
    let (cube, freedom) = (z * z * z, freedom as f64);
    let second = 5.0 * cube * z * z + 16.0 * cube + 3.0 * z;
    z + (cube + z) / (4.0 * freedom) + second / (96.0 * freedom * freedom)
}

/// Third standardised moment.
fn skewness(influences: &[f64]) -> f64 {
    let count = influences.len() as f64;
    let moment = |power: i32| influences.iter().map(|value| value.powi(power)).sum::<f64>() / count;
    let spread = moment(2);
    if spread > 0.0 { moment(3) / (spread * libm::sqrt(spread)) } else { 0.0 }
}

/// The studentised error that Hall's transformation takes to `z`; `lopsided` is skewness over the square root
/// of the sample size.
fn back(z: f64, lopsided: f64) -> f64 {
    if lopsided.abs() < 1e-9 {
        return z;
    }
    3.0 / lopsided * (libm::cbrt(1.0 + lopsided * (z - lopsided / 6.0)) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_skewness_it_is_students_interval() {
        let influences: Vec<f64> = (0..40).map(|n| if n % 2 == 0 { 0.1 } else { -0.1 }).collect();
        let interval = skewed(3.0, &influences, Level::P95);
        let error = (0.4_f64 * 40.0 / 39.0).sqrt();
        // 97.5 % point of Student's distribution with 39 degrees of freedom: 2.0227
        assert!((interval.high - (3.0 + 2.0227 * error)).abs() < 1e-3, "{interval:?}");
        assert!((interval.high - 3.0 - (3.0 - interval.low)).abs() < 1e-9);
    }

    #[test]
    fn rare_large_gains_leave_more_room_above_than_below() {
        let mut influences = vec![-0.01; 99];
        influences.push(0.99);
        let interval = skewed(1.0, &influences, Level::P95);
        assert!(interval.high - 1.0 > 2.0 * (1.0 - interval.low), "{interval:?}");
    }

    #[test]
    fn one_customer_or_none_proves_nothing() {
        assert_eq!(skewed(1.0, &[0.0], Level::P95).low, f64::NEG_INFINITY);
        assert_eq!(skewed(1.0, &[], Level::P99).high, f64::INFINITY);
    }
}

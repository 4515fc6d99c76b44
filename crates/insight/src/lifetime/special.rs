//! Functions that the likelihoods need and `libm` does not have.

/// The derivative of `lgamma`, for `x` above 0: recurrence up to 8, then the asymptotic series
/// (Abramowitz and Stegun 6.3.5 and 6.3.18); absolute error below 1e-12.
pub fn digamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 8.0 {
        below -= 1.0 / x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = inverse
        * (1.0 / 12.0
            - inverse
                * (1.0 / 120.0
                    - inverse
                        * (1.0 / 252.0
                            - inverse * (1.0 / 240.0 - inverse * (1.0 / 132.0 - inverse / 47.4)))));
    below + libm::log(x) - 0.5 / x - series
}

/// A number as `mantissa × exp(ln_scale)`, for what would overflow.
#[derive(Debug, Clone, Copy)]
pub struct Scaled {
    pub mantissa: f64,
    pub ln_scale: f64,
}

/// Most terms that are added up.
const TERMS_MAX: u32 = 100_000;
/// Above this size the sum is scaled down.
const LARGE: f64 = 1e200;

/// Gauss' hypergeometric function ₂F₁(a, b; c; z) for z from 0 to below 1 and c above 0, by its series.
pub fn hypergeometric(a: f64, b: f64, c: f64, z: f64) -> Scaled {
    let (mut term, mut sum, mut ln_scale) = (1.0, 1.0, 0.0);
    for number in 0..TERMS_MAX {
        let n = f64::from(number);
        let ratio = (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
        term *= ratio;
        sum += term;
        if term == 0.0 || (term.abs() < f64::EPSILON / 8.0 * sum.abs() && ratio.abs() < 1.0) {
            break;
        }
        if sum.abs() > LARGE || term.abs() > LARGE {
            (term, sum) = (term / LARGE, sum / LARGE);
            ln_scale += libm::log(LARGE);
        }
    }
    Scaled { mantissa: sum, ln_scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digamma_has_the_values_of_the_tables() {
        // Abramowitz and Stegun, table 6.1 and ψ(1) = −γ, ψ(1/2) = −γ − 2 ln 2.
        let known = [
            (1.0, -0.577_215_664_901_532_9),
            (0.5, -1.963_510_026_021_423_5),
            (2.0, 0.422_784_335_098_467_1),
            (10.0, 2.251_752_589_066_721),
        ];
        for (x, expected) in known {
            assert!((digamma(x) - expected).abs() < 1e-12, "{x}: {}", digamma(x));
        }
    }

    #[test]
    fn the_hypergeometric_function_has_its_closed_forms() {
        // ₂F₁(1,1;2;z) = −ln(1−z)/z and ₂F₁(a,b;b;z) = (1−z)^−a.
        let value = |scaled: Scaled| scaled.mantissa * libm::exp(scaled.ln_scale);
        for z in [0.1, 0.5, 0.95] {
            let logarithm = -libm::log(1.0 - z) / z;
            assert!((value(hypergeometric(1.0, 1.0, 2.0, z)) / logarithm - 1.0).abs() < 1e-12, "{z}");
            let power = libm::pow(1.0 - z, -2.5);
            assert!((value(hypergeometric(2.5, 0.7, 0.7, z)) / power - 1.0).abs() < 1e-12, "{z}");
        }
        let huge = hypergeometric(900.0, 3.0, 3.0, 0.9);
        let ln = libm::log(huge.mantissa) + huge.ln_scale;
        assert!((ln - 900.0 * libm::log(10.0)).abs() < 1e-6, "{ln}");
    }
}

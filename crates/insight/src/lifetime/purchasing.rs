//! How often does a customer still buy? The BG/NBD model of Fader, Hardie and Lee, "Counting Your Customers the
//! Easy Way", Marketing Science 24 (2005); equation numbers are theirs.

use super::{
    CUSTOMERS_MIN, Fit, NotFitted,
    maximum::{Slope, maximise},
    special::{digamma, hypergeometric},
};
use std::collections::BTreeMap;

/// When a customer bought, in one unit of time throughout (days, weeks).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    /// Purchases after the first: `x`.
    pub repeats: u32,
    /// From the first purchase to the last: `t_x`; 0 without repeats.
    pub last: f64,
    /// From the first purchase to now: `T`, at least `last`.
    pub age: f64,
}

/// Customers buy at their own constant rate until, after one of their purchases, they leave for good. Rates differ
/// between customers as a gamma distribution, probabilities of leaving as a beta distribution.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Purchasing {
    /// Shape of the rates.
    pub r: f64,
    /// Inverse scale of the rates, in the unit of time.
    pub alpha: f64,
    /// First parameter of the probabilities of leaving.
    pub a: f64,
    /// Second parameter of the probabilities of leaving.
    pub b: f64,
}

impl Purchasing {
    /// The parameters that make these histories most likely.
    ///
    /// # Errors
    /// Too few customers came back, or the likelihood has no maximum. Histories that are not finite, or whose last
    /// purchase lies after now, are left out.
    pub fn fit(histories: &[History]) -> Result<Fit<Self>, NotFitted> {
        let histories: Vec<History> = histories.iter().copied().filter(History::is_sound).collect();
        if histories.iter().filter(|history| history.repeats > 0).count() < CUSTOMERS_MIN {
            return Err(NotFitted::TooFew);
        }
        let ages: f64 = histories.iter().map(|history| history.age).sum();
        let start = [1.0, ages / histories.len() as f64, 1.0, 2.0];
        let mut repeats: BTreeMap<u32, f64> = BTreeMap::new();
        for history in &histories {
            *repeats.entry(history.repeats).or_default() += 1.0;
        }
        let slope = |parameters: &[f64; 4]| Self::of(*parameters).slope(&histories, &repeats);
        let (parameters, log_likelihood) = maximise(start, slope).ok_or(NotFitted::NoMaximum)?;
        Ok(Fit { model: Self::of(parameters), log_likelihood, customers: histories.len() })
    }

    fn of([r, alpha, a, b]: [f64; 4]) -> Self {
        Self { r, alpha, a, b }
    }

    /// The logarithm of the likelihood of one history: equation 6.
    pub fn log_likelihood(&self, history: &History) -> f64 {
        let counts = BTreeMap::from([(history.repeats, 1.0)]);
        self.slope(std::slice::from_ref(history), &counts).0
    }

    /// The log-likelihood of all, with derivatives by the logarithms of the parameters. What depends on the number
    /// of repeats alone is added up once per number.
    fn slope(&self, histories: &[History], repeats: &BTreeMap<u32, f64>) -> Slope<4> {
        let Self { r, alpha, a, b } = *self;
        let (mut value, mut by) = (0.0, [0.0; 4]);
        for (&x, &customers) in repeats {
            let x = f64::from(x);
            let of_rates = libm::lgamma(r + x) - libm::lgamma(r) + r * libm::log(alpha);
            let of_leaving =
                libm::lgamma(a + b) - libm::lgamma(b) + libm::lgamma(b + x) - libm::lgamma(a + b + x);
            value += customers * (of_rates + of_leaving);
            let shared = digamma(a + b) - digamma(a + b + x);
            by[0] += customers * (digamma(r + x) - digamma(r) + libm::log(alpha));
            by[1] += customers * r / alpha;
            by[2] += customers * shared;
            by[3] += customers * (shared + digamma(b + x) - digamma(b));
        }
        for history in histories {
            let shape = r + f64::from(history.repeats);
            let (now, last) = (alpha + history.age, alpha + history.last);
            let left = self.odds_left(history);
            let (stays, leaves) = (1.0 / (1.0 + left), left / (1.0 + left));
            value += -shape * libm::log(now) + libm::log1p(left);
            by[0] -= stays * libm::log(now) + leaves * libm::log(last);
            by[1] -= shape * (stays / now + leaves / last);
            if history.repeats > 0 {
                by[2] += leaves / a;
                by[3] -= leaves / (b + f64::from(history.repeats) - 1.0);
            }
        }
        (value, [by[0] * r, by[1] * alpha, by[2] * a, by[3] * b])
    }

    /// How many times likelier it is that the customer has left after the last purchase than not.
    fn odds_left(&self, history: &History) -> f64 {
        if history.repeats == 0 {
            return 0.0;
        }
        let x = f64::from(history.repeats);
        let silence = libm::log((self.alpha + history.age) / (self.alpha + history.last));
        // Capped where the probability of being here is 0 in any reading, so that nothing overflows.
        self.a / (self.b + x - 1.0) * libm::exp(((self.r + x) * silence).min(600.0))
    }

    /// Probability that the customer has not left, 0 to 1. Who bought once only has had no occasion to leave: 1.
    /// (Fader and Hardie, "Computing P(alive) Using the BG/NBD Model", 2008.)
    pub fn alive(&self, history: &History) -> f64 {
        1.0 / (1.0 + self.odds_left(history))
    }

    /// Purchases to be expected from now on within a time: equation 10, with ₂F₁ in Euler's transformation, whose
    /// series converges for every horizon.
    pub fn expected(&self, history: &History, within: f64) -> f64 {
        let x = f64::from(history.repeats);
        // The formula is continuous at a = 1 and cannot be computed there.
        let a = if (self.a - 1.0).abs() < 1e-6 { 1.0 + 1e-6 } else { self.a };
        let (c, whole) = (a + self.b + x - 1.0, self.alpha + history.age + within);
        let z = within / whole;
        let sum = hypergeometric(a - 1.0, a + self.b - 1.0 - self.r, c, z);
        let remaining = sum.mantissa
            * libm::exp(sum.ln_scale + (a - 1.0) * libm::log((self.alpha + history.age) / whole));
        c / (a - 1.0) * (1.0 - remaining) * self.alive(history)
    }

    /// Purchases after the first to be expected of a new customer within a time: equation 9.
    pub fn expected_of_new(&self, within: f64) -> f64 {
        self.expected(&History { repeats: 0, last: 0.0, age: 0.0 }, within)
    }
}

impl History {
    fn is_sound(&self) -> bool {
        self.age.is_finite() && self.age >= 0.0 && (0.0..=self.age).contains(&self.last)
    }
}

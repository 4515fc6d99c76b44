//! For how much does a customer buy? The Gamma-Gamma model of Fader and Hardie, "The Gamma-Gamma Model of Monetary
//! Value", note 025 (2013).

use super::{CUSTOMERS_MIN, Fit, NotFitted, maximum::Slope, maximum::maximise, special::digamma};

/// What a customer spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// Purchases, at least 1: `x`.
    pub purchases: u32,
    /// Average amount of one, above 0: `m`.
    pub average: f64,
}

/// Amounts vary around each customer's own average as a gamma distribution, whose scale differs between customers
/// as another one. The more purchases, the more the customer's own average counts.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Spending {
    /// Shape of the amounts.
    pub p: f64,
    /// Shape of the scales.
    pub q: f64,
    /// Inverse scale of the scales, in the unit of money.
    pub v: f64,
}

impl Spending {
    /// The parameters that make these amounts most likely.
    ///
    /// # Errors
    /// Too few customers, or the likelihood has no maximum. Averages that are not above 0 are left out.
    pub fn fit(spent: &[Spent]) -> Result<Fit<Self>, NotFitted> {
        let sound = |spent: &&Spent| spent.purchases > 0 && spent.average > 0.0 && spent.average.is_finite();
        let spent: Vec<Spent> = spent.iter().filter(sound).copied().collect();
        if spent.len() < CUSTOMERS_MIN {
            return Err(NotFitted::TooFew);
        }
        let average: f64 = spent.iter().map(|spent| spent.average).sum::<f64>() / spent.len() as f64;
        let slope = |parameters: &[f64; 3]| Self::of(*parameters).slope(&spent);
        let (parameters, log_likelihood) =
            maximise([2.0, 3.0, average], slope).ok_or(NotFitted::NoMaximum)?;
        Ok(Fit { model: Self::of(parameters), log_likelihood, customers: spent.len() })
    }

    fn of([p, q, v]: [f64; 3]) -> Self {
        Self { p, q, v }
    }

    /// The log-likelihood of all (equation 1a), with derivatives by the logarithms of the parameters.
    fn slope(&self, spent: &[Spent]) -> Slope<3> {
        let Self { p, q, v } = *self;
        let (mut value, mut by) = (0.0, [0.0; 3]);
        for spent in spent {
            let (x, m) = (f64::from(spent.purchases), spent.average);
            let (px, all) = (p * x, x * m + v);
            value += libm::lgamma(px + q) - libm::lgamma(px) - libm::lgamma(q)
                + q * libm::log(v)
                + (px - 1.0) * libm::log(m)
                + px * libm::log(x)
                - (px + q) * libm::log(all);
            by[0] += x * (digamma(px + q) - digamma(px) + libm::log(m * x) - libm::log(all));
            by[1] += digamma(px + q) - digamma(q) + libm::log(v) - libm::log(all);
            by[2] += q / v - (px + q) / all;
        }
        (value, [by[0] * p, by[1] * q, by[2] * v])
    }

    /// The average amount of a purchase to be expected of this customer: equation 5. `None` when the average of
    /// everybody does not exist (`q` at most 1) and the customer's own purchases do not make up for it.
    pub fn expected(&self, spent: &Spent) -> Option<f64> {
        let x = f64::from(spent.purchases);
        let weight = self.p * x + self.q - 1.0;
        (weight > 0.0).then(|| self.p * (self.v + x * spent.average) / weight)
    }

    /// The average amount over everybody; `None` when `q` is at most 1.
    pub fn expected_of_new(&self) -> Option<f64> {
        self.expected(&Spent { purchases: 0, average: 0.0 })
    }
}

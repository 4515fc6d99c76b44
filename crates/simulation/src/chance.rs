//! Which way does chance fall, for this customer, about this, on this day?
//!
//! Every draw has its own key, so that two policies in the same world meet the same luck and can be
//! compared pair by pair. Nothing here is shared, advanced or reseeded.

/// One point of chance: a key from which a number follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(u64);

impl Chance {
    /// The chance of a whole world.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The chance about something with a name.
    pub fn about(self, name: &str) -> Self {
        let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        self.at(hash)
    }

    /// The chance at a number: a customer, a day.
    pub fn at(self, number: u64) -> Self {
        Self(mix(self.0 ^ mix(number.wrapping_add(0x9E37_79B9_7F4A_7C15))))
    }

    /// The key itself, for draws made elsewhere.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Uniform in `[0, 1)`.
    pub fn uniform(self) -> f64 {
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Whether something with this probability happens.
    pub fn happens(self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Uniform in `[low, high)`.
    pub fn between(self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Whole and uniform in `0..count`; `count` is at least 1.
    pub fn below(self, count: u32) -> u32 {
        (self.uniform() * f64::from(count)) as u32
    }

    /// An exponential waiting time in whole days, at least 1 and at most `at_most`.
    pub fn days(self, mean: f64, at_most: u32) -> u32 {
        let wait = -mean * libm::log(1.0 - self.uniform());
        (1.0 + wait).min(f64::from(at_most)) as u32
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_key_meets_the_same_luck_and_another_key_another() {
        let chance = Chance::new(7).about("visit").at(3);
        assert_eq!(chance, Chance::new(7).about("visit").at(3));
        assert_ne!(chance, Chance::new(7).about("visit").at(4));
        assert_ne!(chance, Chance::new(7).about("call").at(3));
        assert_ne!(chance, Chance::new(8).about("visit").at(3));
    }

    #[test]
    fn a_probability_is_met_in_the_long_run() {
        let happened = (0..20_000).filter(|&day| Chance::new(1).at(day).happens(0.3)).count();
        assert!((5_800..6_200).contains(&happened), "{happened}");
    }

    #[test]
    fn waiting_times_stay_between_one_day_and_their_bound() {
        let waits: Vec<u32> = (0..5_000).map(|key| Chance::new(2).at(key).days(6.0, 28)).collect();
        assert!(waits.iter().all(|wait| (1..=28).contains(wait)));
        let mean = f64::from(waits.iter().sum::<u32>()) / waits.len() as f64;
        assert!((5.8..7.0).contains(&mean), "{mean}");
    }
}

//! Is this customer in a control group? Stable within a period, by a keyed hash with a period salt.

use crate::Engine;
use decision::{Timestamp, id::CustomerId, inputs::Assignment, strategy::Strategy};

impl Engine {
    /// How this customer's decisions are made in the period that contains `at`.
    pub fn assignment(&self, strategy: &Strategy, customer: CustomerId, at: Timestamp) -> Assignment {
        let control = strategy.organisation.control;
        let period = at.as_second().div_euclid(control.period.as_secs().max(1));
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(b"control");
        hasher.update(&period.to_be_bytes());
        hasher.update(&customer.0.to_be_bytes());
        let bytes: [u8; 8] = hasher.finalize().as_bytes()[..8].try_into().expect("8 of 32 bytes");
        let share = u64::from_be_bytes(bytes) as f64 / u64::MAX as f64;
        if share < control.silence_share {
            Assignment::Silence
        } else if share < control.silence_share + control.random_share {
            Assignment::RandomRelevant
        } else {
            Assignment::Strategy
        }
    }
}

//! What becomes of bytes that nobody meant? One function per door; each panics when a promise breaks.
//!
//! The fuzz targets in `fuzz/` call these functions with bytes that a fuzzer makes up, and a test calls
//! them with the bytes it found worth keeping. Which bytes those are is deliberately not known here.

pub mod base;
mod import;
mod model;
mod record;
mod requests;
mod rule;
mod strategy;

/// A door, and what has to hold whatever bytes come through it.
pub type Target = fn(&[u8]);

/// Every door by the name of its folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 7] = [
    ("document", strategy::document),
    ("import", import::import),
    ("model", model::model),
    ("record", record::record),
    ("requests", requests::requests),
    ("rule", rule::rule),
    ("strategy", strategy::strategy),
];

/// Sends the bytes through one door.
///
/// # Panics
/// When there is no such door, or a promise breaks there.
pub fn run(target: &str, bytes: &[u8]) {
    let (_, door) = TARGETS.iter().find(|(name, _)| *name == target).expect("the target is listed");
    door(bytes);
}

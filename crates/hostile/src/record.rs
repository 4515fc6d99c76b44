//! A decision record: refused, or exactly what was written; and whatever it says, replaying and
//! explaining it end with an answer.

use crate::base;
use decision::{
    explain::explain,
    record::{Decision, FORMAT},
    replay::replay,
    strategy::Strategy,
};
use std::sync::LazyLock;

static STRATEGY: LazyLock<Strategy> = LazyLock::new(|| base::loaded().strategy);
const CHECKSUM_BYTES: usize = 8;

/// The bytes as they are, and as the content of a record whose checksum fits.
pub(crate) fn record(bytes: &[u8]) {
    if let Ok(record) = Decision::decode(bytes) {
        assert_eq!(record.encode(), bytes, "a record reads as another one");
        again(record);
    }
    if let Ok(record) = Decision::decode(&sealed(bytes)) {
        again(record);
    }
}

/// As if it had been decided by the strategy at hand.
fn again(mut record: Decision) {
    record.strategy = STRATEGY.version;
    let replayed = replay(&STRATEGY, &record);
    let explained = explain(&STRATEGY, &record);
    assert_eq!(replayed.is_ok(), explained.is_ok(), "what can be made again can be explained");
}

/// Format byte, content, checksum.
pub(crate) fn sealed(content: &[u8]) -> Vec<u8> {
    let mut bytes = [&[FORMAT], content].concat();
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(&hash.as_bytes()[..CHECKSUM_BYTES]);
    bytes
}

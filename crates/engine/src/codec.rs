//! How are the engine's rows written? As postcard with a version byte in front.
//!
//! A row written by a newer version is refused with a sentence, never misread.

use crate::EngineError;
use serde::{Serialize, de::DeserializeOwned};

/// The version every row is written with.
const VERSION: u8 = 2;

/// Encodes a row.
pub fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    postcard::to_extend(row, vec![VERSION]).expect("rows hold nothing that cannot be written")
}

/// Decodes a row; `what` names its kind in the error.
pub fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, EngineError> {
    match bytes.split_first() {
        Some((&VERSION, body)) => match postcard::take_from_bytes(body) {
            Ok((row, [])) => Ok(row),
            _ => Err(EngineError::Damaged { what }),
        },
        Some((&version, _)) => Err(EngineError::Newer { what, version }),
        None => Err(EngineError::Damaged { what }),
    }
}

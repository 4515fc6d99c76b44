//! Whom is a command about? Typed identifiers as a user writes them.

use engine::Identifier;
use serde_json::{Map, Value, json};

/// One identifier, written `KIND=VALUE`.
///
/// # Errors
/// How to write it.
pub fn identifier(text: &str) -> Result<Identifier, String> {
    let parts = text.split_once('=').filter(|(kind, value)| !kind.is_empty() && !value.is_empty());
    parts.map(|(kind, value)| Identifier::new(kind, value)).ok_or_else(|| "write KIND=VALUE".to_owned())
}

/// Identifiers as the API reads them.
pub fn json(identifiers: &[Identifier]) -> Value {
    let named = |known: &Identifier| (known.kind.clone(), Value::from(known.value.clone()));
    Value::Object(identifiers.iter().map(named).collect::<Map<_, _>>())
}

/// A customer by one identifier, or by the key that a list shows.
#[derive(Debug, Clone)]
pub struct Whom(Value);

impl Whom {
    /// Written `KIND=VALUE` or `c_…`.
    ///
    /// # Errors
    /// How to write it.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.starts_with("c_") && !text.contains('=') {
            return Ok(Self(json!({ "customer": text })));
        }
        let identifier = identifier(text).map_err(|_| "write KIND=VALUE, or a key such as c_0198…")?;
        Ok(Self(json!({ "identifiers": json(&[identifier]) })))
    }

    /// As the API reads it.
    pub fn json(&self) -> &Value {
        &self.0
    }
}

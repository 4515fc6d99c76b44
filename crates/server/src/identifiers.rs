//! Whom is a body about? Identifiers, as `customer.identifiers` or at the top.

use crate::problem::Problem;
use engine::Identifier;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most identifiers of one customer in one body.
const IDENTIFIERS_MAX: usize = 16;
/// Longest kind of identifier, in bytes.
const KIND_BYTES_MAX: usize = 64;
/// Longest value of an identifier, in bytes.
const VALUE_BYTES_MAX: usize = 512;

/// Kind to value, for example `user_id` to `42`. A value is text or a whole number; `null` is as if it
/// were not there.
pub type Identifiers = BTreeMap<String, Value>;

/// A customer, by what the channel knows.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerRef {
    /// Typed keys that point to the customer, for example `{"user_id": "42"}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub identifiers: Identifiers,
}

/// The identifiers of both forms together, by kind.
///
/// # Errors
/// 422 when there are too many, or one is too long or neither text nor a whole number.
pub fn read(customer: Option<CustomerRef>, top: Identifiers) -> Result<Vec<Identifier>, Problem> {
    let all: Identifiers = customer.unwrap_or_default().identifiers.into_iter().chain(top).collect();
    let refuse = |field: &str, message: String| Err(Problem::unfit("identifier", field, message));
    if all.len() > IDENTIFIERS_MAX {
        return refuse("identifiers", format!("give at most {IDENTIFIERS_MAX} identifiers"));
    }
    let mut identifiers = Vec::new();
    for (kind, value) in all {
        let value = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Number(number) if !number.is_f64() => number.to_string(),
            _ => {
                return refuse("identifiers", "an identifier is text or a whole number".into());
            }
        };
        if kind.is_empty() || kind.len() > KIND_BYTES_MAX || value.is_empty() || value.len() > VALUE_BYTES_MAX
        {
            let limits = format!(
                "an identifier has a kind of 1 to {KIND_BYTES_MAX} bytes and a value of 1 to {VALUE_BYTES_MAX}"
            );
            return refuse("identifiers", limits);
        }
        identifiers.push(Identifier { kind, value });
    }
    Ok(identifiers)
}

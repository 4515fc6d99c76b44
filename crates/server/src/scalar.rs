//! How do JSON values and the values of a strategy meet? Text, numbers and truths pass; `null` is unknown.

use crate::problem::Problem;
use decision::value::Value;
use jiff::Timestamp;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A value from JSON; `None` for `null`, lists and objects.
pub fn from_json(json: &Json) -> Option<Value> {
    match json {
        Json::Bool(truth) => Some(Value::Bool(*truth)),
        Json::Number(number) => number.as_f64().and_then(Value::number),
        Json::String(text) => Some(Value::Text(text.as_str().into())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// All known values of an object.
///
/// # Errors
/// 422 for a list or an object, which are no values.
pub fn known(field: &str, object: &BTreeMap<String, Json>) -> Result<BTreeMap<String, Value>, Problem> {
    let mut known = BTreeMap::new();
    for (name, json) in object {
        match from_json(json) {
            Some(value) => {
                known.insert(name.clone(), value);
            }
            None if json.is_null() => {}
            None => {
                let message = "a value is text, a number, true or false; not a list or an object";
                return Err(Problem::unfit("wrong_shape", format!("{field}.{name}"), message));
            }
        }
    }
    Ok(known)
}

/// A value as JSON; a moment as RFC 3339 text.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text.to_string()),
        Value::Time(moment) => Json::String(moment.to_string()),
    }
}

/// A moment in a body.
///
/// # Errors
/// 422 when the text is not RFC 3339.
pub fn moment(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let parse = |text: &str| {
        text.parse().map_err(|_| {
            Problem::unfit(
                "moment",
                field,
                format!("`{field}` must be a moment such as `2026-03-09T12:00:00Z`"),
            )
        })
    };
    text.map(parse).transpose()
}

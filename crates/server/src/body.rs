//! What does the body say? JSON from bytes, whatever `Content-Type` claims, unpacked when it is gzip.
//!
//! Messages name the place in the body and never repeat a value from it.

use crate::problem::Problem;
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use std::{io::Read, time::Duration};

/// How much of a body that is too large is still read, in bytes.
const THROWN_AWAY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most values in a body: a value takes far more room once it is read than the two bytes it can be sent in.
const VALUES_MAX: usize = 100_000;
/// Deepest nesting of lists and objects.
const DEPTH_MAX: usize = 64;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether the browser sent `Sec-GPC: 1`.
pub fn refuses_sharing(headers: &HeaderMap) -> bool {
    headers.get("sec-gpc").is_some_and(|value| value == "1")
}

/// Reads a whole body of at most `bytes_max`, also after unpacking, within a time.
///
/// # Errors
/// 408 when it comes too slowly, 413 when it is too large, 415 for another encoding than gzip.
pub async fn read(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
    within: Duration,
) -> Result<Bytes, Problem> {
    let too_large = || {
        let message = format!("the body is larger than {bytes_max} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    let too_slow =
        |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body took too long to arrive");
    let received = tokio::time::timeout(within, receive(body, bytes_max)).await.map_err(too_slow)??;
    let bytes = received.ok_or_else(too_large)?;
    let encoding = headers.get(header::CONTENT_ENCODING).map_or(&b"identity"[..], |value| value.as_bytes());
    if bytes.starts_with(&GZIP_MAGIC) {
        return unpack(&bytes, bytes_max)?.map(Bytes::from).ok_or_else(too_large);
    }
    match encoding {
        b"gzip" | b"x-gzip" if !bytes.is_empty() => {
            Err(Problem::unreadable("not_gzip", "the body is not gzip, though its header says so"))
        }
        b"gzip" | b"x-gzip" | b"identity" | b"" => Ok(bytes),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unknown_encoding",
            "send the body as it is, or as gzip",
        )),
    }
}

/// A body of at most `bytes_max`; `None` when there is more. What is too much is read and thrown away up to
/// a limit, because a client that is still sending would not see the answer.
async fn receive(mut body: Body, bytes_max: usize) -> Result<Option<Bytes>, Problem> {
    let mut bytes = Vec::new();
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::unreadable("body_cut_off", "the body broke off"))?;
        let data = frame.into_data().unwrap_or_default();
        received += data.len();
        if received <= bytes_max {
            bytes.extend_from_slice(&data);
        } else if received > THROWN_AWAY_BYTES_MAX {
            break;
        }
    }
    Ok((received <= bytes_max).then(|| bytes.into()))
}

/// Unpacks gzip; `None` when that gives more than `bytes_max`.
fn unpack(packed: &[u8], bytes_max: usize) -> Result<Option<Vec<u8>>, Problem> {
    let mut unpacked = Vec::new();
    GzDecoder::new(packed)
        .take(bytes_max as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_| Problem::unreadable("not_gzip", "the body is damaged gzip"))?;
    Ok((unpacked.len() <= bytes_max).then_some(unpacked))
}

/// Parses bytes as JSON of a known shape.
///
/// # Errors
/// 400 when it is not JSON or too much of it, 422 naming the place when it has another shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    bounded(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        refuse(&field, error.inner())
    })?;
    reader.end().map_err(|error| refuse("", &error))?;
    Ok(parsed)
}

/// Looks at the bytes before they are parsed: how deep, and how many values at most?
fn bounded(bytes: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut values, mut in_text, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in bytes {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => (depth, values) = (depth + 1, values + 1),
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, b',') => values += 1,
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(Problem::unreadable(
                "too_deep",
                format!("the body is nested deeper than {DEPTH_MAX} levels"),
            ));
        }
        if values > VALUES_MAX {
            let message = format!("the body has more than {VALUES_MAX} values");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_values", message));
        }
    }
    Ok(())
}

/// Reads a value that has been parsed before as a known shape.
///
/// # Errors
/// 422 naming the place.
pub fn fit<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        refuse(&field, error.inner())
    })
}

fn refuse(field: &str, error: &serde_json::Error) -> Problem {
    let said = error.to_string();
    match error.classify() {
        serde_json::error::Category::Data => {
            let field = if field == "." { "" } else { field };
            Problem::unfit("wrong_shape", field, shape(field, &said))
        }
        _ => Problem::unreadable("not_json", format!("the body is not JSON: {said}")),
    }
}

/// What a shape should have been, in words of JSON and without the value that was found.
fn shape(field: &str, said: &str) -> String {
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    if let Some(name) = said.strip_prefix("missing field ") {
        return format!("{} lacks {name}", place(field));
    }
    let (what, expected) = said.rsplit_once(", expected ").unwrap_or(("", said));
    if let Some(name) = what.strip_prefix("unknown field ") {
        let own = name.trim_matches('`');
        let parent = field.strip_suffix(own).unwrap_or(field).trim_end_matches('.');
        return format!("{} has {name}, which does not exist; expected {expected}", place(parent));
    }
    if what.starts_with("unknown variant ") {
        return format!("{} must be {expected}", place(field));
    }
    format!("{} must be {}", place(field), in_words(expected))
}

fn place(field: &str) -> String {
    match field {
        "" => "the body".to_owned(),
        field => format!("`{field}`"),
    }
}

fn in_words(expected: &str) -> &str {
    match expected {
        "u16" | "u32" | "u64" | "usize" => "a whole number of at least 0",
        "a string" | "string" | "str" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "f32" | "f64" => "a number",
        expected if expected.starts_with("a map") || expected.starts_with("struct ") => "an object",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is tested")]
    struct Letter {
        to: String,
        pages: Vec<u16>,
    }

    fn said(json: &str) -> String {
        serde_json::to_string(&parse::<Letter>(json.as_bytes()).unwrap_err().details()).unwrap()
    }

    #[test]
    fn a_wrong_shape_names_the_place_and_keeps_the_value_to_itself() {
        let said = said(r#"{"to": "us", "pages": [1, "secret"]}"#);
        assert!(said.contains("`pages[1]` must be a whole number of at least 0"), "{said}");
        assert!(!said.contains("secret") && !said.contains("u16"), "{said}");
    }

    #[test]
    fn a_missing_or_invented_field_is_named() {
        assert!(said(r#"{"to": "us"}"#).contains("the body lacks `pages`"));
        assert!(
            said(r#"{"too": "us"}"#)
                .contains("the body has `too`, which does not exist; expected `to` or `pages`")
        );
        assert!(said("[]").contains("the body"), "{}", said("[]"));
    }

    #[test]
    fn what_would_take_too_much_room_is_refused_before_it_is_parsed() {
        for (json, code) in [
            ("[".repeat(1_000_000), "too_deep"),
            (r#"{"a":"#.repeat(100), "too_deep"),
            (format!("[{}0]", "0,".repeat(500_000)), "too_many_values"),
            (format!("{{{}}}", r#""a":0,"#.repeat(150_000)), "too_many_values"),
        ] {
            assert!(said(&json).contains(code), "{code}");
        }
        let text = format!(r#"{{"to": "{}\\\"[", "pages": []}}"#, "[,{".repeat(200_000));
        parse::<Letter>(text.as_bytes()).expect("what stands in a text is no value");
    }

    #[test]
    fn what_is_not_json_is_unreadable() {
        for text in ["", "{", "NaN", r#"{"to": "us", "pages": []} {}"#, "\u{feff}{}"] {
            assert!(said(text).contains("not_json"), "{text}");
        }
    }
}

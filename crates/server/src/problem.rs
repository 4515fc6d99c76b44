//! How does the server say "no"? As RFC 9457 problem details, with `code` and `message` for clients that
//! read those instead.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use decision::request::NotAccepted;
use engine::{EngineError, storage::StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// Seconds after which a busy server may be asked again.
const RETRY_AFTER_SECONDS: u16 = 1;

/// Why a request was not carried out.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    /// Stable code, for a program.
    pub code: &'static str,
    message: String,
    errors: Vec<Part>,
}

/// A problem as it is sent: RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Details<'a> {
    /// `urn:attent:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for a person.
    detail: &'a str,
    /// Stable code, for a program.
    code: &'a str,
    /// The same as `detail`.
    message: &'a str,
    /// Each thing that is wrong, when there may be several.
    #[serde(skip_serializing_if = "<[Part]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [Part],
}

/// One thing that is wrong with a body.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Part {
    /// Stable code.
    code: &'static str,
    /// Which part of the body.
    field: String,
    /// What is wrong with it.
    message: String,
}

impl Problem {
    /// A problem with a status, a stable code and a sentence.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), errors: Vec::new() }
    }

    /// 400: what was sent cannot be read.
    pub fn unreadable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 422: what was sent can be read, but does not fit.
    pub fn unfit(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        let part = Part { code, field: field.into(), message: message.clone() };
        Self { errors: vec![part], ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message) }
    }

    /// 404: there is nothing here.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 503: not now.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    /// 422 for a question that names things the strategy does not have.
    pub fn not_accepted(refusals: Vec<NotAccepted>) -> Self {
        let sentences: Vec<&str> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
        let code = refusals.first().map_or("not_accepted", |refusal| refusal.code);
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, sentences.join("; "));
        problem.errors = refusals
            .into_iter()
            .map(|NotAccepted { code, field, message }| Part { code, field, message })
            .collect();
        problem
    }

    /// What is wrong, for a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// As it is sent.
    pub fn details(&self) -> Details<'_> {
        Details {
            kind: format!("urn:attent:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.message,
            code: self.code,
            message: &self.message,
            errors: &self.errors,
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::SeveralPersons => Self::unfit("several_persons", "identifiers", error.to_string()),
            other => {
                tracing::error!(error = %other, "the engine failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "engine_failed", other.to_string())
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Stalled { .. } | StoreError::Conflict { .. } => {
                Self::unavailable("busy", error.to_string())
            }
            StoreError::Stopped { .. } => {
                Self::unavailable("stopped", "the store has stopped; try again later")
            }
            other => {
                tracing::error!(error = %other, "the store failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store_failed", other.to_string())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.details()).expect("a problem holds text and numbers only");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer, Basic realm=\"attent\""),
                );
            }
            _ => {}
        }
        response
    }
}

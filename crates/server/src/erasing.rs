//! `POST /v1/customers/erase`: how is a person forgotten? By identifiers in the body, so that they do not end up in
//! the logs of what stands in between.

use crate::{
    app::App,
    body,
    identifiers::{self, CustomerRef, Identifiers},
    keys::KeyInfo,
    problem::{Details, Problem},
};
use axum::{Extension, Json, body::Body, extract::State, http::HeaderMap};
use engine::Certificate;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::ToSchema;

const BODY_BYTES_MAX: usize = 32 * 1024;

/// Whom to erase.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// Who.
    customer: Option<CustomerRef>,
    /// Who, at the top.
    #[serde(default)]
    #[schema(value_type = Object)]
    identifiers: Identifiers,
}

/// What an erasure did; the same shape whether or not anybody was known by the identifiers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasureCertificate {
    /// When, in milliseconds since 1970 UTC. Whatever is dated then or before is refused from now on.
    erased_at_ms: i64,
    /// How many rows went, by kind of row.
    rows: BTreeMap<&'static str, u64>,
    /// How many identifiers are refused from now on.
    identifiers: usize,
    /// The entry of the audit that says so: its chain and number.
    audit: AuditPlace,
    /// Until when models may hold what was learned from the person, and files sealed remains of rows, in
    /// milliseconds since 1970 UTC. A running server is mostly done within the hour.
    finished_by_ms: i64,
    /// Until when rejected input may be kept that nobody could tell to be about this person.
    rejects_until_ms: i64,
}

/// A place in the audit.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct AuditPlace {
    /// The chain.
    pub chain: u16,
    /// The number within the chain, from 1.
    pub number: u64,
}

impl From<engine::audit::Place> for AuditPlace {
    fn from(place: engine::audit::Place) -> Self {
        Self { chain: place.chain, number: place.number }
    }
}

/// Erase a person
///
/// Everything the identifiers lead to goes at once, with all identifiers of the same person. Old events, consents
/// and outcomes about them are refused from then on, with code `erased`; newer ones are about somebody new.
#[utoipa::path(
    post, path = "/v1/customers/erase", tag = "data", request_body = Erase,
    responses(
        (status = 200, description = "The certificate", body = ErasureCertificate),
        (status = 422, description = "No identifiers, or of more than one person", body = Details),
    ),
)]
pub async fn erase(
    State(app): State<Arc<App>>,
    Extension(key): Extension<KeyInfo>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ErasureCertificate>, Problem> {
    let bytes = body::read(&headers, body, BODY_BYTES_MAX, app.settings.body_within).await?;
    let asked: Erase = body::parse(&bytes)?;
    let identifiers = identifiers::read(asked.customer, asked.identifiers)?;
    if identifiers.is_empty() {
        return Err(Problem::unfit("no_identifier", "identifiers", "name at least one identifier"));
    }
    let at = (app.clock)();
    let erased = app.blocking(move |app| {
        let (certificate, ticket) = app.engine.erase(&identifiers, Some(&key.prefix), at)?;
        ticket.wait()?;
        Ok(certificate)
    });
    Ok(Json(erased.await?.into()))
}

impl From<Certificate> for ErasureCertificate {
    fn from(certificate: Certificate) -> Self {
        Self {
            erased_at_ms: certificate.erased_at_ms,
            rows: certificate.rows,
            identifiers: certificate.identifiers,
            audit: certificate.audit.into(),
            finished_by_ms: certificate.finished_by_ms,
            rejects_until_ms: certificate.rejects_until_ms,
        }
    }
}

//! `/v1/audit`: what was done, by which key, and how far are the chains?

use crate::{app::App, erasing::AuditPlace, problem::Problem};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use engine::{
    EngineError,
    audit::{Filter, Kind, Note, Noted, Place},
    storage::StoreError,
};
use serde::{Deserialize, Serialize};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::mpsc::{self, Receiver, Sender};
use utoipa::{IntoParams, ToSchema};

/// Most entries in one answer.
const ENTRIES_MAX: usize = 1_000;

/// Which entries to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// A kind: `decision`, `publication`, `consent`, `read`, `key_made`, `key_revoked`, `erasure`, `merge`,
    /// `unmerge`, `right`, `review`, `rotation` or `retention`; every kind when left out.
    kind: Option<String>,
    /// The prefix of an API key.
    key: Option<String>,
    /// From this moment on (RFC 3339).
    from: Option<String>,
    /// Before this moment (RFC 3339).
    until: Option<String>,
    /// Beyond this place, as `next` of the answer before: chain, colon, number.
    after: Option<String>,
}

/// Which readings to find.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReadsQuery {
    /// The prefix of the API key.
    key: String,
    /// From this moment on (RFC 3339).
    from: Option<String>,
    /// Before this moment (RFC 3339).
    until: Option<String>,
    /// Beyond this place, as `next` of the answer before.
    after: Option<String>,
}

/// Entries of the audit.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntries {
    /// The entries, in order of their chain, at most 1,000.
    entries: Vec<AuditEntry>,
    /// Where to go on, when there may be more.
    next: Option<String>,
}

/// One thing that was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Where it is.
    place: AuditPlace,
    /// When, in milliseconds since 1970 UTC.
    at_ms: i64,
    /// What kind of thing.
    kind: &'static str,
    /// By which key, named by its prefix.
    key: Option<String>,
    /// What exactly.
    about: String,
    /// Whom it is about, by the minted key; null for nobody and for who was erased.
    customer: Option<String>,
}

/// How far the chains are, signed with Ed25519 over the moment and every chain's number and link.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditHead {
    /// When, in milliseconds since 1970 UTC.
    at_ms: i64,
    /// The chains: `chain`, `number` of the last entry, its `link`.
    #[schema(value_type = Vec<Object>)]
    chains: Vec<engine::audit::head::ChainHead>,
    /// The public key, in hexadecimal digits.
    public_key: String,
    /// The signature, in hexadecimal digits.
    signature: String,
}

/// Read the head of the audit
///
/// Keep it elsewhere: `attent verify --head FILE` shows whether anything before it was changed since.
#[utoipa::path(
    get, path = "/v1/audit/head", tag = "audit",
    responses((status = 200, description = "The signed head", body = AuditHead)),
)]
pub async fn head(State(app): State<Arc<App>>) -> Result<Json<AuditHead>, Problem> {
    let at = (app.clock)();
    let head = app.blocking(move |app| app.engine.audit_head(at)).await?;
    let engine::audit::head::SignedHead { at_ms, chains, public_key, signature } = head;
    Ok(Json(AuditHead { at_ms, chains, public_key, signature }))
}

/// Read what was done
#[utoipa::path(
    get, path = "/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "Entries", body = AuditEntries)),
)]
pub async fn audit(
    State(app): State<Arc<App>>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<AuditEntries>, Problem> {
    let Query(query) = query.map_err(|_| {
        Problem::unfit("wrong_query", "query", "the filters are `kind`, `key`, `from`, `until` and `after`")
    })?;
    let kind = query.kind.as_deref().map(kind).transpose()?;
    entries(app, kind, query.key, (query.from, query.until), query.after).await
}

/// Find whose data a key read
///
/// For when a key was in wrong hands: every reading of a customer's data with it, between two moments.
#[utoipa::path(
    get, path = "/v1/audit/reads", tag = "audit", params(ReadsQuery),
    responses((status = 200, description = "Readings", body = AuditEntries)),
)]
pub async fn reads(
    State(app): State<Arc<App>>,
    query: Result<Query<ReadsQuery>, QueryRejection>,
) -> Result<Json<AuditEntries>, Problem> {
    let Query(query) = query.map_err(|_| {
        Problem::unfit("wrong_query", "query", "give `key`, and `from`, `until` and `after` when needed")
    })?;
    entries(app, Some(Kind::Read), Some(query.key), (query.from, query.until), query.after).await
}

async fn entries(
    app: Arc<App>,
    kind: Option<Kind>,
    by: Option<String>,
    (from, until): (Option<String>, Option<String>),
    after: Option<String>,
) -> Result<Json<AuditEntries>, Problem> {
    let from = crate::scalar::moment("from", from.as_deref())?;
    let until = crate::scalar::moment("until", until.as_deref())?;
    let after = after.as_deref().map(place).transpose()?;
    let filter = Filter { kind, by, from, until };
    let found = app.blocking(move |app| app.engine.audit(&filter, after, ENTRIES_MAX)).await?;
    let last = found.last().filter(|_| found.len() == ENTRIES_MAX);
    let next = last.map(|last| format!("{}:{}", last.place.chain, last.place.number));
    Ok(Json(AuditEntries { entries: found.into_iter().map(entry).collect(), next }))
}

fn entry(Noted { place, entry, customer }: Noted) -> AuditEntry {
    AuditEntry {
        place: place.into(),
        at_ms: entry.at_ms,
        kind: entry.kind.as_str(),
        key: entry.by,
        about: entry.about,
        customer: customer.map(|customer| customer.to_string()),
    }
}

fn kind(word: &str) -> Result<Kind, Problem> {
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == word);
    found.ok_or_else(|| Problem::unfit("wrong_kind", "kind", format!("a kind is `{}`", words.join("`, `"))))
}

fn place(text: &str) -> Result<Place, Problem> {
    let parts =
        text.split_once(':').and_then(|(chain, number)| Some((chain.parse().ok()?, number.parse().ok()?)));
    let wrong = || Problem::unfit("wrong_place", "after", "a place is a chain, a colon and a number");
    parts.map(|(chain, number)| Place { chain, number }).ok_or_else(wrong)
}

/// The note that the holder of a key reads.
pub(crate) fn note_of(prefix: &str, route: &str) -> Note {
    Note::new(Kind::Read, route).by(prefix)
}

/// Notes that a customer's data is about to be told to the holder of a key; nothing is told before it is durable.
pub(crate) fn note_read(
    app: &App,
    prefix: &str,
    route: &str,
    customer: Option<decision::id::CustomerId>,
) -> Result<(), EngineError> {
    let mut note = note_of(prefix, route);
    if let Some(customer) = customer {
        note = note.of(customer);
    }
    Ok(app.engine.note(note, (app.clock)())?.wait()?)
}

/// Parts of a backup that may wait to be sent.
const PARTS_WAITING: usize = 8;
const PART_BYTES: usize = 64 * 1024;

/// Back up the store
///
/// Everything of one moment, while work goes on: what belongs to customers stays sealed. The master key and the
/// list of erasures are not in it.
#[utoipa::path(
    get, path = "/v1/backup", tag = "administration",
    responses((status = 200, description = "The backup", body = String, content_type = "application/octet-stream")),
)]
pub async fn backup(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let (parts, mut sent) = mpsc::channel(PARTS_WAITING);
    tokio::task::spawn_blocking(move || {
        let mut out = io::BufWriter::with_capacity(PART_BYTES, Parts(parts.clone()));
        if let Err(error) = app.engine.backup(&mut out) {
            tracing::error!(%error, "a backup was not completed");
            drop(parts.blocking_send(Err(error)));
        }
    });
    let kind = HeaderValue::from_static("application/octet-stream");
    let first = sent.recv().await.unwrap_or(Ok(Bytes::new()))?;
    Ok(([(header::CONTENT_TYPE, kind)], Body::new(Sent(Some(first), sent))).into_response())
}

type Part = Result<Bytes, StoreError>;

/// Takes bytes and passes them on.
struct Parts(Sender<Part>);

impl io::Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body of what is passed on.
struct Sent(Option<Bytes>, Receiver<Part>);

impl hyper::body::Body for Sent {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, StoreError>>> {
        if let Some(first) = self.0.take() {
            return Poll::Ready(Some(Ok(hyper::body::Frame::data(first))));
        }
        self.1.poll_recv(context).map(|part| part.map(|part| part.map(hyper::body::Frame::data)))
    }
}

//! Bodies of requests with a valid key: never a failure of the server, and every refusal is a problem
//! as RFC 9457 has it.

use crate::base;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use engine::{Engine, storage::MemoryStore};
use http_body_util::BodyExt;
use jiff::Timestamp;
use server::{App, Settings, keys::Scope};
use std::{
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// Every route that takes a body; a request names it by its position.
pub const ROUTES: [&str; 6] =
    ["/v1/decide", "/v1/outcomes", "/v1/events", "/v1/consents", "/v1/customers/lookup", "/v1/keys"];
/// Stands before every request: then a digit for the route, then the body up to the next mark.
const MARK: &[u8] = b"\n>> ";
/// Requests to one server before it is replaced by an empty one.
const REQUESTS_MAX: u64 = 512;
const PATIENCE: Duration = Duration::from_secs(60);

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("there is a runtime"));
static SERVER: LazyLock<Mutex<Server>> = LazyLock::new(|| Mutex::new(Server::new()));

/// One or more requests to one server.
pub(crate) fn requests(bytes: &[u8]) {
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if server.requests > REQUESTS_MAX {
        *server = Server::new();
    }
    let mut rest = bytes;
    while let Some((&route, body)) = rest.split_first() {
        let end = body.windows(MARK.len()).position(|window| window == MARK);
        let (body, next) = body.split_at(end.unwrap_or(body.len()));
        rest = next.get(MARK.len()..).unwrap_or_default();
        let path = ROUTES[usize::from(route) % ROUTES.len()];
        RUNTIME.block_on(server.ask(path, body.to_vec()));
    }
}

struct Server {
    /// Made once: describing every route takes longer than answering a request.
    router: Router,
    key: String,
    requests: u64,
}

impl Server {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::default());
        let engine = Engine::open(store.clone(), &base::files(), [7; 32]).expect("the engine opens");
        let settings = Settings { decide_within: PATIENCE, ..Settings::default() };
        let mut app = App::new(Arc::new(engine), store, settings).expect("the keys can be read");
        let now = Timestamp::from_second(1_773_000_000).expect("the moment exists");
        app.clock = Arc::new(move || now);
        let seeds = AtomicU64::new(1);
        app.seeds = Arc::new(move || seeds.fetch_add(1, Ordering::Relaxed));
        let (key, _) = app.keys.create("hostile", &[Scope::Admin], now).expect("a key can be made");
        Self { router: server::router(Arc::new(app)), key, requests: 0 }
    }

    async fn ask(&mut self, path: &str, body: Vec<u8>) {
        self.requests += 1;
        let request = Request::post(path).header("x-api-key", &self.key).body(Body::from(body));
        let answer = self.router.clone().oneshot(request.expect("the request is well formed")).await;
        let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        let body = body.collect().await.expect("the answer is complete").to_bytes();
        let json: serde_json::Value = serde_json::from_slice(&body).expect("every answer is JSON");
        assert!(!head.status.is_server_error(), "{path} answered {}: {json}", head.status);
        if !head.status.is_success() {
            let kind = head.headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes());
            assert_eq!(kind, Some(&b"application/problem+json"[..]), "{path} answered {}", head.status);
            assert!(json["code"].is_string() && json["message"].is_string(), "{json}");
        }
        if path == ROUTES[0] && head.status == StatusCode::OK {
            assert!(json["reason"] != "failed", "a decision failed");
        }
    }
}

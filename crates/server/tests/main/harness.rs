//! One running server per test, with a small strategy of one offer and a store that can be held up.

use decision::strategy::Files;
use engine::{
    Engine,
    storage::{
        Batch, Expired, Health, JournalEntry, MemoryStore, Read, Row, Store, StoreError, Table, Ticket,
        Value as Bytes, Vault,
    },
};
use serde_json::{Value, json};
use server::{App, Settings, keys::Scope};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Runtime, sync::oneshot, task::JoinHandle};

/// The strategy: one offer that needs consent, on three channels, silenced by a complaint.
pub fn files() -> Files {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    Files(
        [
            file("organisation.toml", include_str!("strategy/organisation.toml")),
            file("purposes.toml", include_str!("strategy/purposes.toml")),
            file("channels.toml", include_str!("strategy/channels.toml")),
            file("placements.toml", include_str!("strategy/placements.toml")),
            file("contact-policy.toml", include_str!("strategy/contact-policy.toml")),
            file("inventory/all.toml", include_str!("strategy/inventory/all.toml")),
            file(
                "actions/sales/contract/renew.toml",
                include_str!("strategy/actions/sales/contract/renew.toml"),
            ),
        ]
        .into(),
    )
}

/// A memory store that can be held up and filled up.
#[derive(Default)]
pub struct Held {
    memory: MemoryStore,
    held: Mutex<bool>,
    released: Condvar,
    waiting: AtomicBool,
    full: AtomicBool,
}

impl Held {
    pub fn hold(&self) {
        *self.held.lock().unwrap() = true;
    }

    pub fn release(&self) {
        *self.held.lock().unwrap() = false;
        self.released.notify_all();
    }

    pub fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    /// Waits until somebody waits for the store.
    pub fn until_somebody_waits(&self) {
        while !self.waiting.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn rows(&self, table: Table) -> usize {
        self.memory.scan(table, &[], None, 1000).unwrap().len()
    }
}

impl Store for Held {
    fn get(&self, reads: &[Read]) -> Result<Vec<Row>, StoreError> {
        let mut held = self.held.lock().unwrap();
        while *held {
            self.waiting.store(true, Ordering::SeqCst);
            held = self.released.wait(held).unwrap();
        }
        drop(held);
        self.memory.get(reads)
    }
    fn commit(&self, batch: Batch) -> Result<Ticket, StoreError> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(StoreError::Busy),
            false => self.memory.commit(batch),
        }
    }
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        self.memory.scan(table, prefix, after, limit)
    }
    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        self.memory.journal(after, limit)
    }
    fn erase_with(&self, customers: &[decision::id::CustomerId], batch: Batch) -> Result<Ticket, StoreError> {
        self.memory.erase_with(customers, batch)
    }
    fn vault(&self) -> Arc<dyn Vault> {
        self.memory.vault()
    }
    fn expire(&self, at_ms: i64) -> Result<Expired, StoreError> {
        self.memory.expire(at_ms)
    }
    fn health(&self) -> Health {
        self.memory.health()
    }
    fn close(&self) -> Result<(), StoreError> {
        self.memory.close()
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    pub app: Arc<App>,
    pub store: Arc<Held>,
    pub address: SocketAddr,
    pub key: String,
    now_ms: Arc<AtomicI64>,
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

/// An answer: status, JSON (or `null`), text and two headers.
pub struct Answer {
    pub status: u16,
    pub json: Value,
    pub text: String,
    pub content_type: String,
    pub retry_after: Option<String>,
}

/// Enough time for any decision on a busy machine.
pub fn patient() -> Settings {
    Settings { decide_within: Duration::from_secs(60), ..Settings::default() }
}

impl Server {
    pub fn start() -> Self {
        Self::with(patient())
    }

    pub fn with(settings: Settings) -> Self {
        let store = Arc::new(Held::default());
        let engine = Arc::new(Engine::open(store.clone(), &files(), [7; 32]).unwrap());
        let mut app = App::new(engine, store.clone(), settings).unwrap();
        let now_ms = Arc::new(AtomicI64::new(0));
        let clock = now_ms.clone();
        app.clock =
            Arc::new(move || jiff::Timestamp::from_millisecond(clock.load(Ordering::SeqCst)).unwrap());
        let seeds = AtomicU64::new(1);
        app.seeds = Arc::new(move || seeds.fetch_add(1, Ordering::SeqCst));
        let key = app.keys.create("test", &[Scope::Admin], jiff::Timestamp::UNIX_EPOCH).unwrap().0;
        let app = Arc::new(app);
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = runtime.spawn(server::serve(listener, app.clone(), async {
            drop(stopped.await);
        }));
        let server = Self {
            app,
            store,
            address,
            key,
            now_ms,
            runtime: Some(runtime),
            stop: Some(stop),
            serving: Some(serving),
        };
        server.at("2026-03-09T08:00:00+01:00");
        server
    }

    /// Sets the clock.
    pub fn at(&self, moment: &str) {
        let moment: jiff::Timestamp = moment.parse().unwrap();
        self.now_ms.store(moment.as_millisecond(), Ordering::SeqCst);
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(120)))
            .build();
        let agent: ureq::Agent = config.into();
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = agent.run(request.body(body).unwrap()).unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (content_type, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
        let text = response.body_mut().read_to_string().unwrap();
        Answer {
            status: response.status().as_u16(),
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            content_type,
            retry_after,
        }
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, &[("x-api-key", &self.key)], body.to_string().as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[("x-api-key", &self.key)], b"")
    }

    pub fn get_text(&self, path: &str) -> String {
        self.call("GET", path, &[("x-api-key", &self.key), ("accept", "text/plain")], b"").text
    }

    /// Customer 42 exists and allows personal offers.
    pub fn with_customer(self) -> Self {
        let known = self.post(
            "/v1/events",
            &json!({
                "id": "first", "event": "customer_updated", "identifiers": {"user_id": 42},
                "attributes": {"first_name": "Noor"},
            }),
        );
        assert_eq!(known.json["accepted"], 1, "{}", known.text);
        assert_eq!(self.consent("given").json["accepted"], 1);
        self
    }

    pub fn consent(&self, status: &str) -> Answer {
        let consent =
            json!({"identifiers": {"user_id": "42"}, "purpose": "personal_offers", "status": status});
        self.post("/v1/consents", &consent)
    }

    /// Asks for customer 42.
    pub fn decide(&self, channel: &str, direction: &str, placement: &str) -> Answer {
        let answer = self.post("/v1/decide", &question(channel, direction, placement));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// Asks the server to stop; the result of serving comes from [`Server::stopped`].
    pub fn ask_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub fn stopped(&mut self) -> std::io::Result<()> {
        let serving = self.serving.take().unwrap();
        self.runtime.as_ref().unwrap().block_on(serving).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.store.release();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

/// A question about customer 42.
pub fn question(channel: &str, direction: &str, placement: &str) -> Value {
    json!({
        "customer": {"identifiers": {"user_id": "42"}},
        "channel": channel, "direction": direction,
        "placements": [{"placement": placement}],
        "language": "en",
    })
}

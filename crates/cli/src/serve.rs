//! `attent serve`: who answers the channels? The HTTP server on an embedded store.

use crate::{
    check::report_trouble,
    folder,
    opening::{self, Opened},
};
use clap::ValueEnum;
use engine::{
    Engine,
    audit::{Kind, Note},
};
use serde_json::json;
use server::{App, BROWSER_LESSONS_PER_MINUTE, Background, ReadFolder, Settings, keys::Scope};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime};

/// Serve decisions over HTTP
///
/// The first start makes an API key and prints it once. A changed strategy folder is taken over as soon
/// as it checks; until then the strategy before it keeps deciding. SIGTERM or ctrl-c finishes what is
/// open, makes everything durable and stops.
///
/// A write to disk that failed stops it too; a new start reads back what was acknowledged.
///
/// Exit code 0: stopped as asked. 2: could not start, or not everything could be made durable.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the strategy
    #[arg(long, value_name = "DIR", env = "ATTENT_STRATEGY", default_value = "strategy")]
    strategy: PathBuf,
    /// Folder of the store; it is made when it does not exist
    #[arg(long, value_name = "DIR", env = "ATTENT_DATA", default_value = "attent-data")]
    data: PathBuf,
    /// Keep everything in memory instead; it is gone when the server stops
    #[arg(long)]
    memory: bool,
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", env = "ATTENT_LISTEN", default_value = "127.0.0.1:7878")]
    listen: SocketAddr,
    /// Time for a decision before the neutral default is given, in milliseconds
    #[arg(long, value_name = "MS", env = "ATTENT_DEADLINE_MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    deadline_ms: u64,
    /// How often to learn from what is new, in seconds
    #[arg(long, value_name = "SECONDS", env = "ATTENT_LEARN_EVERY", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    learn_every: u64,
    /// In how many slots a minute models learn from what unidentified visitors of a page see, per key for browsers
    #[arg(long, value_name = "SLOTS", env = "ATTENT_BROWSER_LESSONS_PER_MINUTE", default_value_t = BROWSER_LESSONS_PER_MINUTE)]
    browser_lessons_per_minute: u32,
    /// Make one more key with all scopes and print it, for when the first one is lost
    #[arg(long)]
    new_key: bool,
    /// Shape of the log on standard error
    #[arg(long, value_enum, env = "ATTENT_LOG", default_value_t = LogShape::Text)]
    log: LogShape,
    /// Print the address, and the key when one is made, as JSON
    #[arg(long)]
    json: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogShape {
    /// For people.
    Text,
    /// For machines, one object per line.
    Json,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    start_log(arguments.log);
    let data = (!arguments.memory).then_some(arguments.data.as_path());
    let opened = match opening::with_strategy(&arguments.strategy, data) {
        Ok(opened) => opened,
        Err(error) => return error.report(),
    };
    let plan = Plan {
        strategy: &arguments.strategy,
        decide_within: Duration::from_millis(arguments.deadline_ms),
        learn_every: Duration::from_secs(arguments.learn_every),
        browser_lessons_per_minute: arguments.browser_lessons_per_minute,
        new_key: arguments.new_key,
    };
    let tell = |app: &App, url: &str, key: Option<&str>| announce(app, url, key, arguments.json);
    match listen(arguments.listen).and_then(|listening| listening.serve(opened, &plan, &tell)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => report_trouble(&trouble),
    }
}

/// How to serve.
pub struct Plan<'a> {
    /// The strategy folder to watch.
    pub strategy: &'a Path,
    /// Time for a decision.
    pub decide_within: Duration,
    /// How often to learn.
    pub learn_every: Duration,
    /// In how many slots a minute models learn from unidentified visitors, per key for browsers.
    pub browser_lessons_per_minute: u32,
    /// Make a key also when there are some.
    pub new_key: bool,
}

/// An address that is ours, before anybody is answered.
pub struct Listening {
    runtime: Runtime,
    listener: TcpListener,
}

/// Takes an address, or says why it is not to be had.
pub fn listen(address: SocketAddr) -> Result<Listening, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the server could not start: {error}"))?;
    let listener =
        runtime.block_on(TcpListener::bind(address)).map_err(|error| not_listening(address, &error))?;
    Ok(Listening { runtime, listener })
}

pub fn start_log(shape: LogShape) {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(tracing::Level::INFO);
    match shape {
        LogShape::Text => log.with_target(false).init(),
        LogShape::Json => log.json().init(),
    }
}

impl Listening {
    /// Serves until asked to stop. `tell` hears of the address, and of the first key when one is made.
    pub fn serve(
        self,
        Opened { engine, store }: Opened,
        plan: &Plan<'_>,
        tell: &dyn Fn(&App, &str, Option<&str>),
    ) -> Result<(), String> {
        let address = self.listener.local_addr().map_err(|error| error.to_string())?;
        let settings = Settings {
            decide_within: plan.decide_within,
            browser_lessons_per_minute: plan.browser_lessons_per_minute,
            ..Settings::default()
        };
        let app = App::new(engine.clone(), store.clone(), settings);
        let app = Arc::new(app.map_err(|error| error.to_string())?);
        if let Some(damage) = app.engine.learner_damage() {
            tracing::warn!(%damage, "what was learned could not be read, and was folded again from the journal");
        }
        let key = made_key(&app, plan.new_key)?;
        tell(&app, &format!("http://{address}"), key.as_deref());
        let background = Background::start(&app, store, plan.learn_every, Some(watched(plan.strategy)))
            .map_err(|error| format!("the server could not start: {error}"))?;
        let served =
            self.runtime.block_on(async { server::serve(self.listener, app, time_to_stop(&engine)).await });
        background.stop();
        let closed = engine.close();
        served.map_err(|error| error.to_string())?;
        closed.map_err(|error| error.to_string())
    }
}

fn not_listening(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "`{address}` is in use already; stop what listens there, or choose another address with --listen"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("listening on `{address}` is not allowed; choose a port above 1023 with --listen")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no address `{}`; choose another with --listen", address.ip())
        }
        _ => format!("cannot listen on `{address}`: {error}"),
    }
}

/// Makes the first key of a store that has none, or one more when asked to.
fn made_key(app: &App, new_key: bool) -> Result<Option<String>, String> {
    let name = match (app.keys.list().is_empty(), new_key) {
        (true, _) => "first key",
        (false, true) => "key made at start",
        (false, false) => return Ok(None),
    };
    let made = app.keys.create(name, &[Scope::Admin], (app.clock)());
    let (key, info) = made.map_err(|error| error.to_string())?;
    let note = Note::new(Kind::KeyMade, format!("{} {}", info.prefix, Scope::Admin.as_str()));
    let noted = app.engine.note(note, (app.clock)()).and_then(|ticket| Ok(ticket.wait()?));
    noted.map_err(|error| error.to_string())?;
    Ok(Some(key))
}

fn announce(app: &App, url: &str, key: Option<&str>, as_json: bool) {
    let published = app.engine.published();
    if as_json {
        println!("{}", json!({ "url": url, "key": key, "strategy": published.strategy.version.to_string() }));
        return;
    }
    println!("serving {} at {url}", published.strategy.organisation.name);
    if let Some(key) = key {
        println!("API key (shown once): {key}");
    }
}

fn watched(strategy: &Path) -> ReadFolder {
    let path = strategy.to_owned();
    Box::new(move || folder::read(&path).map(|folder| (folder.files, folder.problems)))
}

/// How often the store is asked whether it has stopped.
const STORE_ASKED_EVERY: Duration = Duration::from_millis(250);

/// Resolves when somebody asks the server to stop, or its store has stopped: only a new start can read back
/// what is certain.
async fn time_to_stop(engine: &Engine) {
    let store_stopped = async {
        while engine.health().stopped.is_none() {
            tokio::time::sleep(STORE_ASKED_EVERY).await;
        }
    };
    tokio::select! {
        () = asked_to_stop() => {}
        () = store_stopped => tracing::error!("the store has stopped, and so does the server"),
    }
}

/// Resolves when the system or a person asks the server to stop.
async fn asked_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

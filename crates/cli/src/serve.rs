//! `attent serve`: who answers the channels? The HTTP server on an embedded store.

use crate::{
    check::report_trouble,
    folder,
    opening::{self, Opened},
};
use clap::ValueEnum;
use serde_json::json;
use server::{App, Background, ReadFolder, Settings, keys::Scope};
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;

/// Serve decisions over HTTP
///
/// The first start makes an API key and prints it once. A changed strategy folder is taken over as soon
/// as it checks; until then the strategy before it keeps deciding. SIGTERM or ctrl-c finishes what is
/// open, makes everything durable and stops.
///
/// Exit code 0: stopped as asked. 2: could not start, or not everything could be made durable.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder of the strategy
    #[arg(
        long,
        value_name = "DIR",
        env = "ATTENT_STRATEGY",
        default_value = "strategy"
    )]
    strategy: PathBuf,
    /// Folder of the store; it is made when it does not exist
    #[arg(
        long,
        value_name = "DIR",
        env = "ATTENT_DATA",
        default_value = "attent-data"
    )]
    data: PathBuf,
    /// Keep everything in memory; it is gone when the server stops
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// Address and port to listen on
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "ATTENT_LISTEN",
        default_value = "127.0.0.1:7878"
    )]
    listen: SocketAddr,
    /// Time for a decision before the neutral default is given, in milliseconds
    #[arg(long, value_name = "MS", env = "ATTENT_DEADLINE_MS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    deadline_ms: u64,
    /// How often to learn from what is new, in seconds
    #[arg(long, value_name = "SECONDS", env = "ATTENT_LEARN_EVERY", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    learn_every: u64,
    /// Shape of the log on standard error
    #[arg(long, value_enum, env = "ATTENT_LOG", default_value_t = LogShape::Text)]
    log: LogShape,
    /// Print the address, and the key when one is made, as JSON
    #[arg(long)]
    json: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogShape {
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
    match serve(arguments, opened) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => report_trouble(&trouble),
    }
}

fn start_log(shape: LogShape) {
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(tracing::Level::INFO);
    match shape {
        LogShape::Text => log.with_target(false).init(),
        LogShape::Json => log.json().init(),
    }
}

fn serve(arguments: &Arguments, Opened { engine, store }: Opened) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("the server could not start: {error}"))?;
    let listener = runtime
        .block_on(TcpListener::bind(arguments.listen))
        .map_err(|error| not_listening(arguments.listen, &error))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let settings = Settings {
        decide_within: Duration::from_millis(arguments.deadline_ms),
        ..Settings::default()
    };
    let app = Arc::new(
        App::new(engine.clone(), store.clone(), settings).map_err(|error| error.to_string())?,
    );
    announce(&app, address, arguments.json)?;
    let learn_every = Duration::from_secs(arguments.learn_every);
    let background =
        Background::start(&app, store, learn_every, Some(watched(&arguments.strategy)))
            .map_err(|error| format!("the server could not start: {error}"))?;
    let served = runtime.block_on(async { server::serve(listener, app, asked_to_stop()).await });
    background.stop();
    let closed = engine.close();
    served.map_err(|error| error.to_string())?;
    closed.map_err(|error| error.to_string())
}

fn not_listening(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "`{address}` is in use already; stop what listens there, or choose another address with --listen"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!(
                "listening on `{address}` is not allowed; choose a port above 1023 with --listen"
            )
        }
        io::ErrorKind::AddrNotAvailable => {
            format!(
                "this machine has no address `{}`; choose another with --listen",
                address.ip()
            )
        }
        _ => format!("cannot listen on `{address}`: {error}"),
    }
}

/// Tells where the server is, and makes the first key.
fn announce(app: &App, address: SocketAddr, as_json: bool) -> Result<(), String> {
    let url = format!("http://{address}");
    let key = match app.keys.list().is_empty() {
        true => {
            let made = app.keys.create("first key", &[Scope::Admin], (app.clock)());
            Some(made.map_err(|error| error.to_string())?.0)
        }
        false => None,
    };
    let published = app.engine.published();
    if as_json {
        println!(
            "{}",
            json!({ "url": url, "key": key, "strategy": published.strategy.version.to_string() })
        );
        return Ok(());
    }
    println!("serving {} at {url}", published.strategy.organisation.name);
    if let Some(key) = key {
        println!("API key (shown once): {key}");
    }
    Ok(())
}

fn watched(strategy: &Path) -> ReadFolder {
    let path = strategy.to_owned();
    Box::new(move || folder::read(&path).map(|folder| (folder.files, folder.problems)))
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

//! How do bytes on a socket become requests, and how does the server stop without dropping any?
//!
//! The accept loop is our own because `axum::serve` waits for ever for a request's head.

use crate::{app::App, patience::Patience, routes::router};
use axum::Router;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::ServiceExt;

/// Pause after the system refused a connection, for example because too many files are open.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);
/// Largest head of a request, and most that one connection keeps to read and to write, in bytes.
const CONNECTION_BYTES_MAX: usize = 64 * 1024;
/// Files that the system leaves to the store and to everything else, when it counts them.
const FILES_KEPT_FREE: usize = 256;

/// Serves until `stop` resolves, then finishes open requests and makes everything durable. The store
/// stays open; closing it is for whoever opened it.
///
/// # Errors
/// What was queued last could not be made durable.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) -> io::Result<()> {
    let router = router(app.clone());
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(connections(app.settings.connections_max, open_files_max())));
    let mut stop = pin!(stop);
    loop {
        let accept = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            (accepted, place) = accept => match (accepted, place) {
                (Ok((stream, _)), Ok(place)) => open(stream, &router, &app, &graceful, place),
                (Err(error), _) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                }
                (_, Err(_)) => break,
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    app.drain();
    tracing::info!("stopping: no new connections, finishing open requests");
    if tokio::time::timeout(app.settings.drain_within, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    let engine = app.engine.clone();
    tokio::task::spawn_blocking(move || engine.flush())
        .await
        .map_err(io::Error::other)?
        .map_err(io::Error::other)
}

/// As many connections as wanted, as long as the store can still open its files.
fn connections(wanted: usize, files_max: Option<usize>) -> usize {
    let most = files_max.map_or(wanted, |files| files.saturating_sub(FILES_KEPT_FREE).max(files / 2).max(1));
    if most < wanted {
        tracing::warn!(connections = most, "the system allows few open files; so many connections at once");
    }
    wanted.min(most)
}

/// How many files this process may have open, where the system tells.
fn open_files_max() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok())
}

fn open(
    stream: TcpStream,
    router: &Router,
    app: &App,
    graceful: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = TowerToHyperService::new(
        router.clone().map_request(|request: hyper::Request<Incoming>| request.map(axum::body::Body::new)),
    );
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.settings.head_within)
        .max_buf_size(CONNECTION_BYTES_MAX)
        .serve_connection(TokioIo::new(Patience::new(stream, app.settings.read_within)), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_the_store() {
        assert_eq!(connections(8192, Some(20_000)), 8192);
        assert_eq!(connections(8192, Some(1024)), 768);
        assert_eq!(connections(8192, Some(64)), 32);
        assert_eq!(connections(8192, None), 8192);
    }
}

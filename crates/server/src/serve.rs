//! How do bytes on a socket become requests, and how does the server stop without dropping any?
//!
//! The accept loop is our own because `axum::serve` waits for ever for a request's head.

use crate::{app::App, routes::router};
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

/// Serves until `stop` resolves, then finishes open requests and makes everything durable. The store
/// stays open; closing it is for whoever opened it.
///
/// # Errors
/// What was queued last could not be made durable.
pub async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) -> io::Result<()> {
    let router = router(app.clone());
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(app.settings.connections_max));
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
        .serve_connection(TokioIo::new(stream), service);
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        let _place = place;
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

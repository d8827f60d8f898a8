//! Serving a router until the process is told to stop, then letting what runs finish.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::connections::{ConnectionMetrics, Connections, Terms};
use crate::shutdown::Shutdown;

/// How long requests have that run when it is time to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Serves `router` on `listener`; after a shutdown, requests that run have ten seconds to finish.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) {
    serve_on(listener, router, shutdown, Terms::new(ConnectionMetrics::default())).await;
}

/// As [`serve`], on other terms.
pub async fn serve_on(listener: TcpListener, router: Router, shutdown: Shutdown, terms: Terms) {
    let connections = Connections::new(terms);
    let mut stop = shutdown.clone();
    let accepting = async {
        loop {
            let accepted = connections.accept(&listener).await;
            let room = connections.room().await;
            let served = Arc::clone(&connections).serve(accepted, room, router.clone(), shutdown.clone());
            tokio::spawn(served);
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.requested() => {}
    }
    // Who comes now is sent to another node.
    drop(listener);
    if timeout(LAST_REQUESTS, connections.all_gone()).await.is_err() {
        tracing::warn!("requests were still running ten seconds after the signal to stop");
    }
}

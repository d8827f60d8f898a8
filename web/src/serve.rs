//! Serving a router until the process is told to stop, then letting what runs finish.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Tells every task of a server to stop.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A pair: what is told, and what tells it.
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// A shutdown that comes with SIGTERM or Ctrl-C.
    pub fn on_signal() -> Self {
        let (sender, shutdown) = Self::channel();
        tokio::spawn(async move {
            let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            {
                Ok(terminate) => terminate,
                Err(error) => {
                    tracing::error!(%error, "cannot listen for SIGTERM");
                    return;
                }
            };
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            let _ = sender.send(true);
        });
        shutdown
    }

    /// Returns once it is time to stop.
    pub async fn requested(&mut self) {
        // A sender that is gone can ask no more; the server then ends with its process.
        if self.0.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Serves `router` on `listener`; after a shutdown, requests that run have ten seconds to finish.
///
/// # Errors
/// If the listener fails.
pub async fn serve(listener: TcpListener, router: Router, shutdown: Shutdown) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut stop = shutdown.clone();
    let graceful =
        axum::serve(listener, service).with_graceful_shutdown(async move { stop.requested().await });
    let mut limit = shutdown;
    tokio::select! {
        result = graceful => result,
        () = async { limit.requested().await; tokio::time::sleep(Duration::from_secs(10)).await } => {
            tracing::warn!("requests were still running ten seconds after the signal to stop");
            Ok(())
        }
    }
}

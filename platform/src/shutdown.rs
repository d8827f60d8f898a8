//! The word to stop, which every task of a server hears.

use tokio::signal::unix::{SignalKind, signal};
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

    /// A shutdown that comes with SIGTERM or Ctrl-C. What other programs mean by SIGHUP, SIGUSR1 and SIGUSR2 (read the
    /// settings again, open the log anew) there is nothing of here: they end nothing, as they would unheard.
    pub fn on_signal() -> Self {
        let (sender, shutdown) = Self::channel();
        // Heard from now on, not from when the task below is first run.
        let signals = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let ignored = [SignalKind::hangup(), SignalKind::user_defined1(), SignalKind::user_defined2()];
        let ignored = ignored.map(signal);
        tokio::spawn(async move {
            let ([Ok(mut terminate), Ok(mut interrupt)], [Ok(mut hangup), Ok(mut one), Ok(mut two)]) =
                (signals, ignored)
            else {
                tracing::error!("cannot listen for signals");
                return;
            };
            loop {
                tokio::select! {
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                    _ = hangup.recv() => {}
                    _ = one.recv() => {}
                    _ = two.recv() => {}
                }
                tracing::info!("a signal that means nothing here; the configuration is read at start alone");
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

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn sighup_is_not_death() {
        // Without a handler each of these ends this process.
        let mut shutdown = Shutdown::on_signal();
        for signal in [Signal::HUP, Signal::USR1, Signal::USR2] {
            kill_process(getpid(), signal).unwrap();
        }
        kill_process(getpid(), Signal::TERM).unwrap();
        shutdown.requested().await;
    }
}

//! What runs in the background: one lane a kind of message, so that a mail server that hangs delays no SMS. Each
//! lane sends several at once, and looks again when it is woken, when one is done, and every few seconds.

use std::time::Duration;

use tokio::task::JoinSet;
use web::serve::Shutdown;

use super::{Delivery, Kind, SendError, Sent, retry};
use crate::store::StoreError;
use crate::store::outbox::Claimed;

/// How many messages of a kind are on their way at once.
pub(super) const AT_ONCE: usize = 8;

/// How often the outbox is looked at without being woken: for second attempts, and for what a node that died left.
const POLL: Duration = Duration::from_secs(2);

/// What became of the messages that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub delivered: usize,
    pub delayed: usize,
    pub given_up: usize,
}

impl Counts {
    fn add(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Delivered | Outcome::Accepted) => self.delivered += 1,
            Some(Outcome::Delayed) => self.delayed += 1,
            Some(Outcome::GivenUp) => self.given_up += 1,
            None => {}
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Delivered,
    /// Taken by an SMS gateway, which may report more.
    Accepted,
    Delayed,
    GivenUp,
}

impl Delivery {
    /// Delivers until `shutdown`, then lets what is on its way finish.
    pub async fn run(&self, shutdown: Shutdown) {
        let [mail, sms, logout] = Kind::ALL;
        tokio::join!(
            self.lane(mail, shutdown.clone()),
            self.lane(sms, shutdown.clone()),
            self.lane(logout, shutdown)
        );
    }

    async fn lane(&self, kind: Kind, mut shutdown: Shutdown) {
        let mut running = JoinSet::new();
        let wake = &self.0.wake[kind as usize];
        loop {
            while running.len() < AT_ONCE {
                let Some(claimed) = self.claim(kind).await else { break };
                let delivery = self.clone();
                running.spawn(async move { delivery.attempt(claimed).await });
            }
            tokio::select! {
                () = shutdown.requested() => break,
                () = wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                Some(_) = running.join_next() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Delivers what is due now and waits for it; for tests, and for a command that must not end before.
    pub async fn deliver_pending(&self) -> Counts {
        let mut counts = Counts::default();
        for kind in Kind::ALL {
            let mut running = JoinSet::new();
            while let Some(claimed) = self.claim(kind).await {
                let delivery = self.clone();
                running.spawn(async move { delivery.attempt(claimed).await });
                if running.len() >= AT_ONCE
                    && let Some(Ok(outcome)) = running.join_next().await
                {
                    counts.add(outcome);
                }
            }
            while let Some(done) = running.join_next().await {
                counts.add(done.ok().flatten());
            }
        }
        counts
    }

    async fn claim(&self, kind: Kind) -> Option<Claimed> {
        match self.0.store.claim_message(kind, self.0.lease).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(kind = kind.name(), %error, "cannot read the outbox");
                None
            }
        }
    }

    async fn attempt(&self, claimed: Claimed) -> Option<Outcome> {
        let kind = claimed.message.kind();
        let store = &self.0.store;
        if claimed.is_settled {
            // It was accepted long ago: all that is left to do is to let the payload go.
            if let Err(error) = store.message_delivered(&claimed).await {
                tracing::error!(id = claimed.id, %error, "cannot write to the outbox");
            }
            return None;
        }
        let age = || store.clock.now().since(claimed.created_at);
        let result = if age() > retry::max_age(kind) {
            Err(SendError::Never("it became too old".into()))
        } else {
            self.send(&claimed).await
        };
        let chance = u16::from_be_bytes(store.random.bytes());
        let (outcome, written, error) = match &result {
            Ok(Sent::Done) => (Outcome::Delivered, store.message_delivered(&claimed).await, None),
            Ok(Sent::Accepted(gateway)) => {
                let written = store.message_accepted(&claimed, gateway, retry::max_age(kind)).await;
                (Outcome::Accepted, written, None)
            }
            Err(error) => {
                let text = error.to_string();
                let wait = match error {
                    SendError::Later(_) => retry::wait(kind, claimed.attempts, age(), chance),
                    SendError::Never(_) => None,
                };
                match wait {
                    Some(wait) => {
                        (Outcome::Delayed, store.message_delayed(&claimed, wait, &text).await, Some(text))
                    }
                    None => (Outcome::GivenUp, store.message_given_up(&claimed, &text).await, Some(text)),
                }
            }
        };
        report(&claimed, outcome, error.as_deref(), &written);
        written.is_ok().then_some(outcome)
    }
}

fn report(claimed: &Claimed, outcome: Outcome, error: Option<&str>, written: &Result<bool, StoreError>) {
    let (id, kind, attempts) = (claimed.id.as_str(), claimed.message.kind().name(), claimed.attempts);
    match outcome {
        Outcome::Delivered => tracing::info!(id, kind, attempts, "message delivered"),
        Outcome::Accepted => tracing::info!(id, kind, attempts, "message accepted"),
        Outcome::Delayed => tracing::warn!(id, kind, attempts, error, "message not delivered yet"),
        Outcome::GivenUp => tracing::error!(id, kind, attempts, error, "message given up"),
    }
    match written {
        Ok(true) => {}
        Ok(false) => tracing::warn!(id, kind, "another node took this message over; it may go out twice"),
        Err(error) => {
            tracing::error!(id, kind, %error, "cannot write to the outbox; the message may go out twice");
        }
    }
}

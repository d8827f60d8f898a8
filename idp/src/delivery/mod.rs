//! From the outbox to the world: mail, SMS and logout tokens. Owns when a message is tried again and when it is
//! given up; what it says was decided by whoever put it into the outbox. Nothing here logs an address, a number
//! or a text.

mod caught;
mod logout;
pub mod outbound;
mod mail;
mod metrics;
mod reports;
mod retry;
mod sms;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use web::config::ConfigError;

pub use crate::store::outbox::{Kind, Message};
pub use caught::Caught;
pub use metrics::DeliveryMetrics;
pub use reports::Reported;
pub use sms::Incoming;
pub use worker::Counts;

use crate::config::Config;
use crate::keys::KeyRing;
use crate::store::outbox::Claimed;
use crate::store::{Store, StoreError};

/// For how long a gateway that took an SMS counts as one that takes them.
const LATELY: Duration = Duration::from_mins(1);

/// Why a message did not go out. The text names no person: it is logged and kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum SendError {
    /// Trying again may help: no connection, a busy server, a wrong password of ours.
    #[error("{0}")]
    Later(String),
    /// This message will never be taken: no such address.
    #[error("{0}")]
    Never(String),
}

/// How far a message came.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sent {
    /// It is out, and nothing more will be heard of it.
    Done,
    /// The SMS gateway of this id took it, and may report what became of it.
    Accepted(String),
}

/// Where messages go: out, or into a list that a developer reads.
enum Ways {
    Real { mail: Box<mail::Mailer>, sms: sms::Gateways },
    Caught(caught::CaughtList),
}

struct Inner {
    store: Store,
    ways: Ways,
    logout: logout::LogoutClient,
    metrics: DeliveryMetrics,
    /// When a gateway last took an SMS of this node.
    sms_taken_at: AtomicI64,
    /// How long a message belongs to the node that took it; longer than any attempt may last.
    lease: Duration,
    wake: [Notify; Kind::ALL.len()],
}

/// A handle to the delivery; clones share it.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivery")
    }
}

/// The ways out, made ready: every address, certificate and secret of theirs was looked at.
pub struct Prepared {
    ways: Ways,
    http: reqwest::Client,
    lease: Duration,
}

impl Prepared {
    /// Makes ready what the configuration names; connects to nothing.
    ///
    /// # Errors
    /// [`ConfigError`] for an address, a certificate or a secret that cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let ways = if config.dev.outbox {
            Ways::Caught(caught::CaughtList::default())
        } else {
            Ways::Real { mail: Box::new(mail::Mailer::new(config)?), sms: sms::Gateways::new(config)? }
        };
        let of_sms = config.sms.gateways.iter().map(|gateway| gateway.timeout_seconds).sum();
        let longest = config.mail.timeout_seconds.max(of_sms).max(30);
        let lease = Duration::from_secs(u64::from(longest) * 3);
        Ok(Self { ways, http: outbound::client(config)?, lease })
    }
}

impl Delivery {
    /// A delivery by the ways out that the configuration names; connects to nothing yet.
    ///
    /// # Errors
    /// As [`Prepared::new`].
    pub fn new(store: Store, keys: KeyRing, config: &Config) -> Result<Self, ConfigError> {
        Ok(Self::with(store, keys, Prepared::new(config)?))
    }

    /// As [`Delivery::new`], by ways that were made ready before.
    pub fn with(store: Store, keys: KeyRing, prepared: Prepared) -> Self {
        let Prepared { ways, http, lease } = prepared;
        Self(Arc::new(Inner {
            store,
            ways,
            logout: logout::LogoutClient::new(http, keys),
            metrics: DeliveryMetrics::default(),
            sms_taken_at: AtomicI64::new(i64::MIN),
            lease,
            wake: Default::default(),
        }))
    }

    /// Says that a commit put something into the outbox; returns at once.
    pub fn wake(&self) {
        self.0.wake.iter().for_each(Notify::notify_one);
    }

    /// What was counted of messages.
    pub fn metrics(&self) -> &DeliveryMetrics {
        &self.0.metrics
    }

    /// Whether the SMS `id` does not get out. One that is yet to be tried does not if another one fails at every gateway,
    /// unless gateways take SMS: then it is something about that other one.
    ///
    /// # Errors
    /// The database's.
    pub async fn sms_is_stuck(&self, id: &str) -> Result<bool, StoreError> {
        let store = &self.0.store;
        if let Some(is_stuck) = store.sms_is_stuck(id).await? {
            return Ok(is_stuck);
        }
        let lately = store.clock.now().minus(LATELY).0;
        Ok(self.0.sms_taken_at.load(Ordering::Relaxed) < lately && store.any_sms_fails().await?)
    }

    /// What was caught instead of sent, newest last; empty outside development.
    pub fn caught(&self) -> Vec<Caught> {
        match &self.0.ways {
            Ways::Caught(list) => list.all(),
            Ways::Real { .. } => Vec::new(),
        }
    }

    /// One attempt to send a message.
    async fn send(&self, claimed: &Claimed) -> Result<Sent, SendError> {
        let now = self.0.store.clock.now();
        let done = match (&claimed.message, &self.0.ways) {
            (Message::Logout { uri, alg, claims }, _) => self.0.logout.send(uri, alg, claims, now).await,
            (message, Ways::Caught(list)) => {
                list.add(&claimed.id, message, now);
                Ok(())
            }
            (Message::Mail { to, subject, text, html }, Ways::Real { mail, .. }) => {
                mail.send(&claimed.id, now, &mail::Letter { to, subject, text, html }).await
            }
            (Message::Sms { to, text }, Ways::Real { sms, .. }) => {
                let message = sms::Sms { reference: &claimed.id, to, text };
                let gateway = sms.send(&message, &claimed.gateways, &self.0.metrics).await?;
                self.0.sms_taken_at.store(self.0.store.clock.now().0, Ordering::Relaxed);
                if gateway.reports() {
                    return Ok(Sent::Accepted(gateway.id.clone()));
                }
                Ok(())
            }
        };
        done.map(|()| Sent::Done)
    }
}

//! From the outbox to the world: mail, SMS and logout tokens. Owns when a message is tried again and when it is
//! given up; what it says was decided by whoever put it into the outbox. Nothing here logs an address, a number
//! or a text.

mod breaker;
mod budget;
mod caught;
mod logout;
mod mail;
mod metrics;
pub mod outbound;
mod reports;
mod retry;
mod send_error;
mod sms;
mod smtp;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use platform::clock::Clock;
use platform::config::ConfigError;
use platform::ephemeral::Ephemeral;
use serde_json::{Map, Value};

pub use crate::store::outbox::{Kind, Message};
pub use budget::Budget;
pub use caught::Caught;
pub use metrics::DeliveryMetrics;
pub use reports::Reported;
pub use sms::{Incoming, SMS_REPORT};
pub use worker::Counts;

use send_error::SendError;

use crate::config::Config;
use crate::keys::KeyRing;
use crate::store::outbox::Claimed;
use crate::store::{Store, StoreError};

/// For how long a gateway that took an SMS counts as one that takes them.
const LATELY: Duration = Duration::from_mins(1);

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
    budget: Budget,
    /// Addresses of logout tokens that do not answer.
    lanes: breaker::Breaker,
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
}

impl Prepared {
    /// Makes ready what the configuration names; connects to nothing.
    ///
    /// # Errors
    /// [`ConfigError`] for an address, a certificate or a secret that cannot be used.
    pub fn new(config: &Config, clock: &Clock) -> Result<Self, ConfigError> {
        let ways = if config.dev.outbox {
            Ways::Caught(caught::CaughtList::default())
        } else {
            Ways::Real { mail: Box::new(mail::Mailer::new(config)?), sms: sms::Gateways::new(config, clock)? }
        };
        Ok(Self { ways, http: outbound::client(config)? })
    }
}

impl Delivery {
    /// A delivery by the ways out that the configuration names; connects to nothing yet.
    pub fn new(
        store: Store,
        ephemeral: Ephemeral,
        keys: KeyRing,
        config: &Config,
    ) -> Result<Self, ConfigError> {
        let prepared = Prepared::new(config, &store.clock)?;
        Ok(Self::with(store, ephemeral, keys, config, prepared))
    }

    /// As [`Delivery::new`], by ways that were made ready before.
    pub fn with(
        store: Store,
        ephemeral: Ephemeral,
        keys: KeyRing,
        config: &Config,
        prepared: Prepared,
    ) -> Self {
        let Prepared { ways, http } = prepared;
        let budget = Budget::new(ephemeral, config.codes.total_per_day);
        let (first, longest) = retry::lane_pauses();
        Self(Arc::new(Inner {
            store,
            ways,
            logout: logout::LogoutClient::new(http, keys),
            metrics: DeliveryMetrics::default(),
            sms_taken_at: AtomicI64::new(i64::MIN),
            budget,
            lanes: breaker::Breaker::new(first, longest),
        }))
    }

    /// The day's budget of SMS.
    pub fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// What was counted of messages.
    pub fn metrics(&self) -> &DeliveryMetrics {
        &self.0.metrics
    }

    /// Whether the SMS `id` does not get out. One that is yet to be tried does not if another one fails at every gateway,
    /// unless gateways take SMS: then it is something about that other one.
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
            (Message::Logout { uri, alg, claims }, _) => {
                self.send_logout(&claimed.lane, uri, alg, claims).await
            }
            (message, Ways::Caught(list)) => {
                list.add(&claimed.id, message, now);
                Ok(())
            }
            (Message::Mail { to, subject, text, html }, Ways::Real { mail, .. }) => {
                let letter = mail::Letter { to, subject, text, html };
                mail.send(&claimed.id, now, &letter, &self.0.metrics).await
            }
            (Message::Sms { to, text }, Ways::Real { sms, .. }) => {
                let message = sms::Sms { reference: &claimed.id, to, text };
                let gateway = sms.send(&message, &claimed.gateways, &self.0.metrics, &self.0.budget).await?;
                self.0.sms_taken_at.store(self.0.store.clock.now().0, Ordering::Relaxed);
                if gateway.reports() {
                    return Ok(Sent::Accepted(gateway.id.clone()));
                }
                Ok(())
            }
        };
        done.map(|()| Sent::Done)
    }

    /// A logout token; of a portal that failed only one is tried at a time.
    async fn send_logout(
        &self,
        lane: &str,
        uri: &str,
        alg: &str,
        claims: &Map<String, Value>,
    ) -> Result<(), SendError> {
        let now = || self.0.store.clock.now();
        let Some(turn) = self.0.lanes.turn(lane, now()) else {
            return Err(SendError::Later(
                "the portal fails; another message tries whether it works again".into(),
            ));
        };
        let sent = self.0.logout.send(uri, alg, claims, now()).await;
        match &sent {
            Err(SendError::Later(_) | SendError::Uncertain(_)) => turn.failed(now()),
            Ok(()) | Err(SendError::Never(_)) => turn.worked(),
        }
        sent
    }
}

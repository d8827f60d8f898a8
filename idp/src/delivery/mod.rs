//! From the outbox to the world: mail, SMS and logout tokens. Owns when a message is tried again and when it is
//! given up; what it says was decided by whoever put it into the outbox. Nothing here logs an address, a number
//! or a text.

mod caught;
mod logout;
pub mod outbound;
mod mail;
mod retry;
mod sms;
#[cfg(test)]
mod tests;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use web::config::ConfigError;

pub use crate::store::outbox::{Kind, Message};
pub use caught::Caught;
pub use worker::Counts;

use crate::config::Config;
use crate::store::Store;
use crate::store::outbox::Claimed;

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

/// Where messages go: out, or into a list that a developer reads.
enum Ways {
    Real { mail: Box<mail::Mailer>, sms: sms::Gateway },
    Caught(caught::CaughtList),
}

struct Inner {
    store: Store,
    ways: Ways,
    logout: logout::LogoutClient,
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

impl Delivery {
    /// Prepares the ways out that the configuration names; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] for an address, a certificate or a secret that cannot be used.
    pub fn new(store: Store, config: &Config) -> Result<Self, ConfigError> {
        let ways = if config.dev.outbox {
            Ways::Caught(caught::CaughtList::default())
        } else {
            Ways::Real { mail: Box::new(mail::Mailer::new(config)?), sms: sms::Gateway::new(config)? }
        };
        let longest = config.mail.timeout_seconds.max(config.sms.timeout_seconds).max(30);
        Ok(Self(Arc::new(Inner {
            store,
            ways,
            logout: logout::LogoutClient::new(config)?,
            lease: Duration::from_secs(u64::from(longest) * 3),
            wake: Default::default(),
        })))
    }

    /// Says that a commit put something into the outbox; returns at once.
    pub fn wake(&self) {
        self.0.wake.iter().for_each(Notify::notify_one);
    }

    /// What was caught instead of sent, newest last; empty outside development.
    pub fn caught(&self) -> Vec<Caught> {
        match &self.0.ways {
            Ways::Caught(list) => list.all(),
            Ways::Real { .. } => Vec::new(),
        }
    }

    /// One attempt to send a message.
    async fn send(&self, claimed: &Claimed) -> Result<(), SendError> {
        let now = self.0.store.clock.now();
        match (&claimed.message, &self.0.ways) {
            (Message::LogoutToken { uri, token }, _) => self.0.logout.send(uri, token).await,
            (message, Ways::Caught(list)) => {
                list.add(&claimed.id, message, now);
                Ok(())
            }
            (Message::Mail { to, subject, text, html }, Ways::Real { mail, .. }) => {
                mail.send(&claimed.id, now, &mail::Letter { to, subject, text, html }).await
            }
            (Message::Sms { to, text }, Ways::Real { sms, .. }) => sms.send(&claimed.id, to, text).await,
        }
    }
}

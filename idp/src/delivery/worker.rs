//! What runs in the background: one lane a kind of message, so that a mail server that hangs delays no SMS; and within
//! logout tokens one for each address, so that a portal that hangs delays no other one's. Each lane sends several at
//! once, and looks again when it is woken, when one is done, and every few seconds.

use std::collections::HashMap;
use std::time::Duration;

use platform::shutdown::Shutdown;
use tokio::task::JoinSet;

use super::send_error::SendError;
use super::{Delivery, Kind, Message, Sent, retry};
use crate::store::StoreError;
use crate::store::outbox::Claimed;
use crate::store::refused::Undelivered;

/// How many messages of a kind are on their way at once: as many as a mail server likes; more SMS, for a gateway that is
/// silent must not keep those waiting that another one would take; and as many logout tokens as there may be portals that
/// are silent at the same time.
pub(super) fn at_once(kind: Kind) -> usize {
    match kind {
        Kind::Mail => 8,
        Kind::Sms => 32,
        Kind::Logout => 64,
    }
}

/// How many logout tokens are on their way to one address at once.
const AT_ONCE_TO_ONE: usize = 4;

/// How long a message belongs to the node that took it, unless that node says that it is still at work. What a node that
/// died had taken is taken over after this.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// How often a node says so.
const HEARTBEAT: Duration = Duration::from_secs(3);

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
        let mut running = Running::default();
        let wake = self.0.store.waits_for(kind);
        loop {
            self.start_due(kind, &mut running).await;
            tokio::select! {
                () = shutdown.requested() => break,
                () = wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                Some(_) = running.next() => {}
            }
        }
        while running.next().await.is_some() {}
    }

    /// Starts what is due and has room.
    async fn start_due(&self, kind: Kind, running: &mut Running) {
        while running.attempts.len() < at_once(kind) {
            let Some(claimed) = self.claim(kind, running).await else { break };
            let (delivery, lane) = (self.clone(), claimed.lane.clone());
            *running.by_lane.entry(lane.clone()).or_default() += 1;
            running.attempts.spawn(async move { (lane, delivery.attempt(claimed).await) });
        }
    }

    /// Delivers what is due now and waits for it; for tests, and for a command that must not end before.
    pub async fn deliver_pending(&self) -> Counts {
        let mut counts = Counts::default();
        for kind in Kind::ALL {
            let mut running = Running::default();
            loop {
                self.start_due(kind, &mut running).await;
                let Some(outcome) = running.next().await else { break };
                counts.add(outcome);
            }
        }
        counts
    }

    async fn claim(&self, kind: Kind, running: &Running) -> Option<Claimed> {
        let held = if kind == Kind::Logout { self.held(running) } else { Vec::new() };
        match self.0.store.claim_message(kind, &held, LEASE).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!(kind = kind.name(), %error, "cannot read the outbox");
                None
            }
        }
    }

    /// The lanes of logout tokens from which nothing is taken now: as many are on their way as may be, or the portal does
    /// not answer.
    fn held(&self, running: &Running) -> Vec<String> {
        let mut held = self.0.lanes.held(self.0.store.clock.now());
        // Of one that is tried again only one is on its way.
        let most = |lane: &str| if self.0.lanes.works(lane) { AT_ONCE_TO_ONE } else { 1 };
        let full = running.by_lane.iter().filter(|(lane, count)| **count >= most(lane));
        held.extend(full.map(|(lane, _)| lane.clone()));
        held
    }

    /// Sends a message, and says all the while that it is at work. `None` if another node took the message over.
    async fn send_and_hold(&self, claimed: &Claimed) -> Option<Result<Sent, SendError>> {
        let lost = async {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                match self.0.store.renew_claim(claimed, LEASE).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => tracing::error!(id = claimed.id, %error, "cannot write to the outbox"),
                }
            }
        };
        tokio::select! {
            sent = self.send(claimed) => Some(sent),
            () = lost => None,
        }
    }

    /// Remembers for the care team whether mail for an address arrives.
    async fn note_address(&self, message: &Message, outcome: Outcome, result: &Result<Sent, SendError>) {
        let (Message::Mail { to, .. }, store) = (message, &self.0.store) else { return };
        let noted = match (outcome, result) {
            (Outcome::GivenUp, Err(SendError::Never(_))) => {
                store.note_undelivered(to, Undelivered::Refused).await
            }
            (Outcome::GivenUp, _) => store.note_undelivered(to, Undelivered::Late).await,
            (Outcome::Delivered, _) => store.note_delivered(to).await,
            _ => Ok(()),
        };
        if let Err(error) = noted {
            tracing::error!(%error, "cannot write down whether mail arrives");
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
            Err(SendError::Later("it became too old".into()))
        } else if let Some(result) = self.send_and_hold(&claimed).await {
            result
        } else {
            report(&claimed, Outcome::Delayed, Some("taken over"), &Ok(false));
            return None;
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
                    SendError::Uncertain(_) => retry::wait_in_doubt(kind, claimed.attempts, age()),
                    SendError::Never(_) => None,
                };
                if let Some(wait) = wait {
                    (Outcome::Delayed, store.message_delayed(&claimed, wait, &text).await, Some(text))
                } else {
                    self.0.metrics.given_up(kind);
                    (Outcome::GivenUp, store.message_given_up(&claimed, &text).await, Some(text))
                }
            }
        };
        self.note_address(&claimed.message, outcome, &result).await;
        report(&claimed, outcome, error.as_deref(), &written);
        written.is_ok().then_some(outcome)
    }
}

/// What is on its way.
#[derive(Default)]
struct Running {
    attempts: JoinSet<(String, Option<Outcome>)>,
    by_lane: HashMap<String, usize>,
}

impl Running {
    /// Waits for the next one to end; `None` if nothing is on its way.
    async fn next(&mut self) -> Option<Option<Outcome>> {
        let (lane, outcome) = match self.attempts.join_next().await? {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "an attempt at a message ended in a fault of this program");
                // Which lane it had is gone with it.
                self.by_lane.clear();
                return Some(None);
            }
        };
        if let Some(count) = self.by_lane.get_mut(&lane) {
            *count -= 1;
            if *count == 0 {
                self.by_lane.remove(&lane);
            }
        }
        Some(outcome)
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

//! The table `outbox`: messages that must leave the house, written in the transaction that caused them. Payloads
//! are sealed, because they hold codes, links and addresses, and are gone once a message is delivered. What follows for
//! an SMS that a gateway took is in [`super::sms`].

use std::sync::Arc;
use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::{KINDS, Result, Store, StoreError};

/// A message to somebody outside.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    Mail {
        to: String,
        subject: String,
        text: String,
        html: String,
    },
    /// `to` in the form of E.164.
    Sms {
        to: String,
        text: String,
    },
    /// What a logout token for a client's registered URI says (Back-Channel Logout section 2.4), but for its times. It
    /// is signed, as `alg` wants it, when it is sent: a key that was revoked meanwhile signs nothing.
    Logout {
        uri: String,
        alg: String,
        claims: Map<String, Value>,
    },
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({})", self.kind().name())
    }
}

impl Message {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Mail { .. } => Kind::Mail,
            Self::Sms { .. } => Kind::Sms,
            Self::Logout { .. } => Kind::Logout,
        }
    }
}

/// By which way a message leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mail,
    Sms,
    Logout,
}

impl Kind {
    pub const ALL: [Self; KINDS] = [Self::Mail, Self::Sms, Self::Logout];

    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
            Self::Logout => "logout",
        }
    }
}

/// A message that this node may deliver now, until its lease ends.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: String,
    pub created_at: Timestamp,
    /// This attempt included.
    pub attempts: u32,
    pub message: Message,
    /// Which messages of its kind it may hold up: those to the same place.
    pub lane: String,
    /// The SMS gateways that took it before.
    pub gateways: Vec<String>,
    /// The last of them reported nothing in the time in which the message was of use.
    pub is_settled: bool,
}

/// Later than every moment: a message that is done stands behind all that wait in the index.
pub(super) const NEVER: i64 = i64::MAX;

/// The names of gateways, which are kept as one text; they hold no comma.
pub(super) fn names(gateways: &str) -> Vec<String> {
    gateways.split(',').filter(|gateway| !gateway.is_empty()).map(str::to_owned).collect()
}

impl Store {
    /// Puts a message into the outbox, as part of `write`, which wakes the delivery.
    pub async fn enqueue(&self, write: &mut Write, message: &Message) -> Result<()> {
        self.enqueue_as(write, &self.message_id(), message).await
    }

    /// A name for a message that is yet to be put into the outbox: letters and digits, as SMS gateways want references.
    pub fn message_id(&self) -> String {
        self.random.pick(22, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    }

    /// As [`Store::enqueue`], under a name of [`Store::message_id`].
    pub async fn enqueue_as(&self, write: &mut Write, id: &str, message: &Message) -> Result<()> {
        let payload = serde_json::to_vec(message).map_err(|_| StoreError::Corrupt("outbox.payload"))?;
        Query::new(
            "INSERT INTO outbox (id, kind, payload_sealed, created_at, next_attempt_at, attempts, lane) \
             VALUES ($1, $2, $3, $4, $4, 0, $5)",
        )
        .bind(id)
        .bind(message.kind().name())
        .bind(self.root.sealer("outbox").seal(&payload))
        .bind(self.clock.now().0)
        .bind(self.lane(message))
        .execute(write)
        .await?;
        write.wakes(self.waits_for(message.kind()));
        Ok(())
    }

    /// Who waits for messages of a kind.
    pub fn waits_for(&self, kind: Kind) -> &Arc<Notify> {
        &self.outbox[kind as usize]
    }

    /// The lane of a message. Logout tokens for one address have one of their own; the address does not stand in it.
    fn lane(&self, message: &Message) -> String {
        match message {
            Message::Logout { uri, .. } => self.root.hasher("outbox lane").hash(uri),
            Message::Mail { .. } | Message::Sms { .. } => String::new(),
        }
    }

    /// Takes one message that is due and in none of the lanes that are `held`. Until `lease` is over no other node takes
    /// it, and [`Store::renew_claim`] makes that longer; if this one dies, it is due again then. A message that cannot be
    /// read keeps nobody waiting: it is given up.
    pub async fn claim_message(
        &self,
        kind: Kind,
        held: &[String],
        lease: Duration,
    ) -> Result<Option<Claimed>> {
        let now = self.clock.now();
        let places: Vec<String> = (3..held.len() + 3).map(|place| format!("${place}")).collect();
        let apart =
            if held.is_empty() { String::new() } else { format!("AND lane NOT IN ({})", places.join(", ")) };
        let due = format!(
            "SELECT id, next_attempt_at FROM outbox WHERE next_attempt_at <= $1 AND kind = $2 {apart} \
             AND delivered_at IS NULL AND given_up_at IS NULL ORDER BY next_attempt_at LIMIT 16"
        );
        let due = Query::new(AssertSqlSafe(due)).bind(now.0).bind(kind.name());
        let due = held.iter().fold(due, |query, lane| query.bind(lane.as_str()));
        let rows = due.fetch_all(&self.db).await?;
        for row in rows {
            let id: String = row.try_get("id")?;
            let seen: i64 = row.try_get("next_attempt_at")?;
            // Whoever changes the time first has it.
            let take = "UPDATE outbox SET next_attempt_at = $1, attempts = attempts + 1 \
                        WHERE id = $2 AND next_attempt_at = $3 AND delivered_at IS NULL AND given_up_at IS NULL \
                        RETURNING attempts, created_at, payload_sealed, lane, gateways, accepted_at";
            // One millisecond at least, or two could take it at the same moment.
            let until = now.plus(lease.max(Duration::from_millis(1)));
            let taken = Query::new(take).bind(until.0).bind(id.as_str()).bind(seen);
            let Some(row) = self.db.execute_returning(taken).await? else { continue };
            let payload = self.root.sealer("outbox").open(row.try_get("payload_sealed")?);
            let Some(message) = payload.ok().and_then(|payload| serde_json::from_slice(&payload).ok()) else {
                tracing::error!(
                    id,
                    "a message cannot be read: sealed under another root key, or by another version"
                );
                self.give_up_unreadable(&id).await?;
                continue;
            };
            return Ok(Some(Claimed {
                id,
                created_at: Timestamp(row.try_get("created_at")?),
                attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
                message,
                lane: row.try_get("lane")?,
                gateways: names(row.try_get("gateways")?),
                is_settled: row.try_get::<Option<i64>, _>("accepted_at")?.is_some(),
            }));
        }
        Ok(None)
    }

    /// Keeps a message for `lease` from now on. False if another node holds it by now, or its story is over.
    pub async fn renew_claim(&self, claimed: &Claimed, lease: Duration) -> Result<bool> {
        let text = "UPDATE outbox SET next_attempt_at = $1 \
                    WHERE id = $2 AND attempts = $3 AND delivered_at IS NULL AND given_up_at IS NULL";
        let query = Query::new(text).bind(self.clock.now().plus(lease).0).bind(claimed.id.as_str());
        Ok(self.db.execute(query.bind(i64::from(claimed.attempts))).await? > 0)
    }

    /// Gives up a message that nobody here can read; the payload stays, for whoever still can.
    async fn give_up_unreadable(&self, id: &str) -> Result<()> {
        let text = "UPDATE outbox SET given_up_at = $1, last_error = 'unreadable', next_attempt_at = $2 WHERE id = $3";
        self.db.execute(Query::new(text).bind(self.clock.now().0).bind(NEVER).bind(id)).await?;
        Ok(())
    }

    /// The message is out: its payload goes. False if another node holds it by now.
    pub async fn message_delivered(&self, claimed: &Claimed) -> Result<bool> {
        let text = "UPDATE outbox SET delivered_at = $1, payload_sealed = '', last_error = NULL, next_attempt_at = $2 \
                    WHERE id = $3 AND attempts = $4 AND delivered_at IS NULL AND given_up_at IS NULL";
        let query = Query::new(text).bind(self.clock.now().0).bind(NEVER);
        Ok(self.db.execute(query.bind(claimed.id.as_str()).bind(i64::from(claimed.attempts))).await? > 0)
    }

    /// The message will not go out: its payload goes too. `error` names no person.
    pub async fn message_given_up(&self, claimed: &Claimed, error: &str) -> Result<bool> {
        let text = "UPDATE outbox SET given_up_at = $1, payload_sealed = '', last_error = $2, next_attempt_at = $3 \
                    WHERE id = $4 AND attempts = $5 AND delivered_at IS NULL";
        let query = Query::new(text).bind(self.clock.now().0).bind(error).bind(NEVER);
        Ok(self.db.execute(query.bind(claimed.id.as_str()).bind(i64::from(claimed.attempts))).await? > 0)
    }

    /// The message did not go out; it is due again `after` now. `error` names no person.
    pub async fn message_delayed(&self, claimed: &Claimed, after: Duration, error: &str) -> Result<bool> {
        let text = "UPDATE outbox SET next_attempt_at = $1, last_error = $2 \
                    WHERE id = $3 AND attempts = $4 AND delivered_at IS NULL AND given_up_at IS NULL";
        let query = Query::new(text).bind(self.clock.now().plus(after).0).bind(error);
        Ok(self.db.execute(query.bind(claimed.id.as_str()).bind(i64::from(claimed.attempts))).await? > 0)
    }

    /// How long the oldest waiting message of a kind has waited; `None` if none does.
    pub async fn queue_age(&self, kind: Kind) -> Result<Option<Duration>> {
        let text = "SELECT MIN(created_at) AS oldest FROM outbox
                    WHERE kind = $1 AND next_attempt_at < $2 AND accepted_at IS NULL";
        let row = Query::new(text).bind(kind.name()).bind(NEVER).fetch_one(&self.db).await?;
        let oldest: Option<i64> = row.try_get("oldest")?;
        Ok(oldest.map(|oldest| self.clock.now().since(Timestamp(oldest))))
    }

    /// Removes what was delivered or given up and is older than `keep`.
    pub async fn remove_messages(&self, keep: Duration) -> Result<u64> {
        let text = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox
                      WHERE next_attempt_at = $1 AND created_at < $2 ORDER BY created_at LIMIT 100)";
        let query = Query::new(text).bind(NEVER).bind(self.clock.now().minus(keep).0);
        Ok(self.db.remove_in_pieces(query).await?)
    }
}

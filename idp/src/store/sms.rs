//! The life of an SMS in the table `outbox` after a gateway took it: until a delivery report, or the age at which its code
//! is dead, the sealed payload stays, because it may have to go out again through another gateway.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::Query;

use super::outbox::{Claimed, Kind, NEVER, names};
use super::{Result, Store};

/// Where an SMS stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsStage {
    /// It waits for an attempt.
    Waiting,
    /// A node is asking gateways at this moment.
    Sending,
    /// A gateway took it; a report may follow.
    Accepted,
    /// Delivered or given up.
    Done,
}

/// What is known of an SMS.
#[derive(Clone, Debug)]
pub struct SmsState {
    pub created_at: Timestamp,
    /// Those that took it, in this order.
    pub gateways: Vec<String>,
    pub stage: SmsStage,
    /// Writes hold only while this is the same.
    attempts: i64,
}

impl Store {
    /// A gateway took the message. Its payload stays for as long as it may be of use, at most until it is `useful` old;
    /// then it is due once more, to be let go. False if another node holds it by now.
    pub async fn message_accepted(&self, claimed: &Claimed, gateway: &str, useful: Duration) -> Result<bool> {
        let mut gateways = claimed.gateways.clone();
        gateways.push(gateway.to_owned());
        let text = "UPDATE outbox SET accepted_at = $1, gateways = $2, last_error = NULL, next_attempt_at = $3 \
                    WHERE id = $4 AND attempts = $5 AND delivered_at IS NULL AND given_up_at IS NULL";
        let query = Query::new(text)
            .bind(self.clock.now().0)
            .bind(gateways.join(","))
            // Later than the last moment at which it could be sent.
            .bind(claimed.created_at.plus(useful + Duration::from_millis(1)).0)
            .bind(claimed.id.as_str())
            .bind(i64::from(claimed.attempts));
        Ok(self.db.execute(query).await? > 0)
    }

    /// What became of an SMS so far; `None` if it is not there any more, or no SMS.
    pub async fn sms_state(&self, id: &str) -> Result<Option<SmsState>> {
        let text = "SELECT created_at, next_attempt_at, attempts, accepted_at, delivered_at, given_up_at, gateways \
                    FROM outbox WHERE id = $1 AND kind = 'sms'";
        let Some(row) = Query::new(text).bind(id).fetch_optional(&self.db).await? else {
            return Ok(None);
        };
        let is_set = |column| row.try_get::<Option<i64>, _>(column).map(|time| time.is_some());
        let attempts: i64 = row.try_get("attempts")?;
        let is_leased = attempts > 0 && row.try_get::<i64, _>("next_attempt_at")? > self.clock.now().0;
        let stage = if is_set("delivered_at")? || is_set("given_up_at")? {
            SmsStage::Done
        } else if is_set("accepted_at")? {
            SmsStage::Accepted
        } else if is_leased {
            SmsStage::Sending
        } else {
            SmsStage::Waiting
        };
        Ok(Some(SmsState {
            created_at: Timestamp(row.try_get("created_at")?),
            gateways: names(row.try_get("gateways")?),
            stage,
            attempts,
        }))
    }

    /// It was delivered: its payload goes. False if it has moved on since `seen`.
    pub async fn sms_reported_delivered(&self, id: &str, seen: &SmsState) -> Result<bool> {
        let text = "UPDATE outbox SET delivered_at = $1, payload_sealed = '', last_error = NULL, next_attempt_at = $2 \
                    WHERE id = $3 AND attempts = $4 AND delivered_at IS NULL AND given_up_at IS NULL";
        let query = Query::new(text).bind(self.clock.now().0).bind(NEVER).bind(id).bind(seen.attempts);
        Ok(self.db.execute(query).await? > 0)
    }

    /// The gateway that took it did not deliver it: it is due again now. False if it has moved on since `seen`.
    pub async fn sms_reported_failed(&self, id: &str, seen: &SmsState) -> Result<bool> {
        let text = "UPDATE outbox SET accepted_at = NULL, next_attempt_at = $1 WHERE id = $2 AND attempts = $3 \
                    AND accepted_at IS NOT NULL AND delivered_at IS NULL AND given_up_at IS NULL";
        let query = Query::new(text).bind(self.clock.now().0).bind(id).bind(seen.attempts);
        let is_due = self.db.execute(query).await? > 0;
        if is_due {
            self.waits_for(Kind::Sms).notify_one();
        }
        Ok(is_due)
    }

    /// No gateway delivers it: its payload goes. False if it has moved on since `seen`.
    pub async fn sms_reported_lost(&self, id: &str, seen: &SmsState) -> Result<bool> {
        let text = "UPDATE outbox SET given_up_at = $1, payload_sealed = '', last_error = $2, next_attempt_at = $3 \
                    WHERE id = $4 AND attempts = $5 AND accepted_at IS NOT NULL AND delivered_at IS NULL \
                    AND given_up_at IS NULL";
        let error = "every gateway that took it reports that it was not delivered";
        let query = Query::new(text).bind(self.clock.now().0).bind(error).bind(NEVER);
        Ok(self.db.execute(query.bind(id).bind(seen.attempts)).await? > 0)
    }

    /// Whether an SMS does not get out: it was given up, or no gateway takes it. `None` if it was not tried yet.
    pub async fn sms_is_stuck(&self, id: &str) -> Result<Option<bool>> {
        let text =
            "SELECT attempts, last_error, given_up_at FROM outbox WHERE id = $1 AND delivered_at IS NULL";
        let Some(row) = Query::new(text).bind(id).fetch_optional(&self.db).await? else {
            return Ok(Some(false));
        };
        let is_given_up = row.try_get::<Option<i64>, _>("given_up_at")?.is_some();
        let is_failing = row.try_get::<Option<String>, _>("last_error")?.is_some();
        let is_tried = row.try_get::<i64, _>("attempts")? > 0;
        Ok(is_tried.then_some(is_given_up || is_failing))
    }

    /// Whether there is an SMS that no gateway took, and that is yet to be tried again.
    pub async fn any_sms_fails(&self) -> Result<bool> {
        let text = "SELECT id FROM outbox WHERE next_attempt_at < $1 AND kind = 'sms' AND last_error IS NOT NULL LIMIT 1";
        Ok(Query::new(text).bind(NEVER).fetch_optional(&self.db).await?.is_some())
    }
}

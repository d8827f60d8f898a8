//! The table `lockouts`: wrong passwords, counted before they are checked, so that of many at once never
//! more than the limit are looked at.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{Query, Write};

use super::{Result, Store};
use crate::domain::account::AccountId;

/// The answer to asking for one more try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The password may be checked; unless it is right, the account is locked until then.
    Allowed { locks_until: Option<Timestamp> },
    /// Locked; the password must not be looked at.
    Locked,
}

impl Store {
    /// Counts one try as a failure, in advance. `device` is the known device it comes from, or ''.
    pub async fn begin_attempt(
        &self,
        account: &AccountId,
        device: &str,
        limit: u32,
        lock_for: Duration,
    ) -> Result<Attempt> {
        let now = self.clock.now();
        let until = now.plus(lock_for);
        let query = Query::new(
            "INSERT INTO lockouts (account_id, device_id, failures, locked_until) VALUES ($1, $2, 1, NULL)
             ON CONFLICT (account_id, device_id) DO UPDATE SET
               failures = CASE WHEN lockouts.locked_until IS NULL THEN lockouts.failures + 1 ELSE 1 END,
               locked_until = CASE WHEN lockouts.locked_until IS NULL AND lockouts.failures + 1 >= $3
                                   THEN CAST($4 AS BIGINT) ELSE NULL END
             WHERE lockouts.locked_until IS NULL OR lockouts.locked_until <= $5
             RETURNING locked_until",
        );
        let query = query.bind(&account.0).bind(device).bind(i64::from(limit)).bind(until.0).bind(now.0);
        Ok(match self.db.execute_returning(query).await? {
            Some(row) => Attempt::Allowed { locks_until: row.try_get::<Option<i64>, _>(0)?.map(Timestamp) },
            None => Attempt::Locked,
        })
    }

    /// Takes a try back that came to nothing because the password was never looked at.
    pub async fn undo_attempt(
        &self,
        account: &AccountId,
        device: &str,
        own_lock: Option<Timestamp>,
    ) -> Result<()> {
        let query = Query::new(
            "UPDATE lockouts SET failures = failures - 1, locked_until = NULL
             WHERE account_id = $1 AND device_id = $2 AND failures > 0
               AND (locked_until IS NULL OR locked_until = $3)",
        );
        let query = query.bind(&account.0).bind(device).bind(own_lock.map_or(-1, |until| until.0));
        self.db.execute(query).await?;
        Ok(())
    }

    /// Ends the count after the right password. False if other tries locked the account meanwhile: the
    /// lock stands, and this sign-in fails like any other.
    pub async fn end_attempts(
        &self,
        account: &AccountId,
        device: &str,
        own_lock: Option<Timestamp>,
    ) -> Result<bool> {
        let query = Query::new(
            "UPDATE lockouts SET failures = 0, locked_until = NULL
             WHERE account_id = $1 AND device_id = $2 AND (locked_until IS NULL OR locked_until = $3)",
        );
        let query = query.bind(&account.0).bind(device).bind(own_lock.map_or(-1, |until| until.0));
        Ok(self.db.execute(query).await? == 1)
    }

    /// Opens every lock of an account: after a password reset, or by the desk; the counts start anew. False if
    /// no lock held.
    pub async fn unlock(&self, write: &mut Write, account: &AccountId) -> Result<bool> {
        let query = Query::new("DELETE FROM lockouts WHERE account_id = $1 RETURNING locked_until");
        let rows = query.bind(&account.0).fetch_all(&mut *write).await?;
        let now = self.clock.now().0;
        let ends: Vec<Option<i64>> =
            rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?;
        Ok(ends.into_iter().flatten().any(|until| until > now))
    }

    /// Until when tries from this known device (or '' for all others) are locked out, if they are.
    pub async fn locked_until(&self, account: &AccountId, device: &str) -> Result<Option<Timestamp>> {
        let row = Query::new(
            "SELECT locked_until FROM lockouts WHERE account_id = $1 AND device_id = $2 AND locked_until > $3",
        )
        .bind(&account.0)
        .bind(device)
        .bind(self.clock.now().0)
        .fetch_optional(&self.db)
        .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(Timestamp))
    }

    /// Until when the holder of an account is locked out on some device.
    pub async fn latest_lock(&self, account: &AccountId) -> Result<Option<Timestamp>> {
        let sql = "SELECT MAX(locked_until) FROM lockouts WHERE account_id = $1 AND locked_until > $2";
        let row = Query::new(sql).bind(&account.0).bind(self.clock.now().0).fetch_one(&self.db).await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp))
    }
}

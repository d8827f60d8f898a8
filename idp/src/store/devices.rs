//! The table `devices`: browsers that need no code for a while. Only a hash of their secret is kept.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Write};
use platform::seal::sha256;

use super::{Result, Store};
use crate::domain::account::AccountId;
use crate::domain::device::Device;

/// The columns of a device, under names of their own: an account's stand beside them.
pub(super) const COLUMNS: &str = "devices.id AS device_id, devices.label AS device_label, \
     devices.last_used_at AS device_last_used_at, devices.code_at AS device_code_at, \
     devices.trusted_until AS device_trusted_until";

/// The device of a row, if there is one.
pub(super) fn device(row: &Row) -> Result<Option<Device>> {
    let Some(id) = row.try_get("device_id")? else { return Ok(None) };
    Ok(Some(Device {
        id,
        label: row.try_get("device_label")?,
        last_used_at: Timestamp(row.try_get("device_last_used_at")?),
        code_at: row.try_get::<Option<i64>, _>("device_code_at")?.map(Timestamp),
        trusted_until: Timestamp(row.try_get("device_trusted_until")?),
    }))
}

impl Store {
    /// Makes a device known under a new secret; after a code, trusts it for `trusted_for` from now on. Returns its id and
    /// whether it is new to the account.
    ///
    /// A secret that the browser brought (`brought`) is never trusted: somebody else may have put it there. Whoever else
    /// this browser is known to goes on to the new secret as well, so that it stays a known device to all of them.
    pub async fn trust_device(
        &self,
        write: &mut Write,
        account: &AccountId,
        brought: Option<&str>,
        secret: &str,
        label: &str,
        trusted_for: Option<Duration>,
    ) -> Result<(String, bool)> {
        if let Some(brought) = brought {
            Query::new("UPDATE devices SET secret_hash = $1 WHERE secret_hash = $2")
                .bind(sha256(secret))
                .bind(sha256(brought))
                .execute(write)
                .await?;
        }
        let now = self.clock.now();
        let id = self.random.id();
        let row = Query::new(
            "INSERT INTO devices (id, account_id, secret_hash, label, created_at, last_used_at, code_at, trusted_until)
             VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
             ON CONFLICT (account_id, secret_hash) DO UPDATE
             SET label = excluded.label, last_used_at = excluded.last_used_at, code_at = excluded.code_at,
               trusted_until = excluded.trusted_until
             RETURNING id",
        )
        .bind(&id)
        .bind(&account.0)
        .bind(sha256(secret))
        .bind(label)
        .bind(now.0)
        .bind(trusted_for.map(|_| now.0))
        .bind(now.plus(trusted_for.unwrap_or_default()).0)
        .fetch_one(&mut *write)
        .await?;
        let kept: String = row.try_get(0)?;
        let is_new = kept == id;
        Ok((kept, is_new))
    }

    /// Notes that a known device was used.
    pub fn touch_device(&self, write: &mut Write, id: &str) {
        let sql = "UPDATE devices SET last_used_at = $1 WHERE id = $2";
        write.later(Query::new(sql).bind(self.clock.now().0).bind(id));
    }

    /// All devices of an account, the latest used first.
    pub async fn devices(&self, account: &AccountId) -> Result<Vec<Device>> {
        let sql = format!("SELECT {COLUMNS} FROM devices WHERE account_id = $1 ORDER BY last_used_at DESC");
        let query = Query::new(AssertSqlSafe(sql)).bind(&account.0);
        let rows = query.fetch_all(&self.db).await?;
        rows.iter().filter_map(|row| device(row).transpose()).collect()
    }

    /// Forgets the devices that were neither used nor trusted since `before`.
    pub async fn remove_devices(&self, before: Timestamp) -> Result<u64> {
        let text = "DELETE FROM devices WHERE id IN (SELECT id FROM devices
                      WHERE last_used_at < $1 AND trusted_until < $1 ORDER BY last_used_at LIMIT 100)";
        Ok(self.db.remove_in_pieces(Query::new(text).bind(before.0)).await?)
    }

    /// Forgets one device of an account, or all of them.
    pub async fn forget_devices(
        &self,
        write: &mut Write,
        account: &AccountId,
        one: Option<&str>,
    ) -> Result<u64> {
        let query = match one {
            Some(id) => {
                Query::new("DELETE FROM devices WHERE account_id = $1 AND id = $2").bind(&account.0).bind(id)
            }
            None => Query::new("DELETE FROM devices WHERE account_id = $1").bind(&account.0),
        };
        Ok(query.execute(write).await?)
    }
}

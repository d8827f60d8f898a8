//! The table `passkeys`: public keys of authenticators. What is secret of them never came here.

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Write};

use super::{Result, Store, StoreError};
use crate::domain::account::AccountId;
use crate::domain::passkey::{Backup, MOST, NewPasskey, Passkey, Proven};

const COLUMNS: &str =
    "id, account_id, key_material, counter, name, aaguid, backup, transports, created_at, last_used_at";

/// What came of a new passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    Yes,
    /// The account has as many as it may have.
    TooMany,
    /// The credential id is known already: of this account or of another one.
    Taken,
    /// There is no such account any more.
    NoAccount,
}

fn word(backup: Backup) -> &'static str {
    match backup {
        Backup::Bound => "bound",
        Backup::Eligible => "eligible",
        Backup::BackedUp => "backed-up",
    }
}

fn passkey(row: &Row) -> Result<Passkey> {
    let backup: String = row.try_get("backup")?;
    let all = [Backup::Bound, Backup::Eligible, Backup::BackedUp];
    let counter: i64 = row.try_get("counter")?;
    let transports: String = row.try_get("transports")?;
    Ok(Passkey {
        id: row.try_get("id")?,
        account_id: AccountId(row.try_get("account_id")?),
        key: row.try_get("key_material")?,
        counter: u32::try_from(counter).map_err(|_| StoreError::Corrupt("passkeys.counter"))?,
        name: row.try_get("name")?,
        aaguid: row.try_get("aaguid")?,
        backup: all
            .into_iter()
            .find(|one| word(*one) == backup)
            .ok_or(StoreError::Corrupt("passkeys.backup"))?,
        transports: transports.split_whitespace().map(str::to_owned).collect(),
        created_at: Timestamp(row.try_get("created_at")?),
        last_used_at: row.try_get::<Option<i64>, _>("last_used_at")?.map(Timestamp),
    })
}

impl Store {
    /// Gives an account a passkey. The account is held meanwhile, so that of several at once no more come in than there
    /// is room for.
    pub async fn insert_passkey(
        &self,
        write: &mut Write,
        account: &AccountId,
        new: &NewPasskey,
        name: Option<&str>,
    ) -> Result<Inserted> {
        if self.hold_account(write, account).await?.is_none() {
            return Ok(Inserted::NoAccount);
        }
        let count = Query::new("SELECT COUNT(*) FROM passkeys WHERE account_id = $1").bind(&account.0);
        let count: i64 = count.fetch_one(&mut *write).await?.try_get(0)?;
        if usize::try_from(count).is_ok_and(|count| count >= MOST) {
            return Ok(Inserted::TooMany);
        }
        let inserted = Query::new(
            "INSERT INTO passkeys (id, account_id, key_material, counter, name, aaguid, backup, transports, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&new.id)
        .bind(&account.0)
        .bind(&new.key)
        .bind(i64::from(new.counter))
        .bind(name)
        .bind(&new.aaguid)
        .bind(word(new.backup))
        .bind(new.transports.join(" "))
        .bind(self.clock.now().0)
        .execute(write)
        .await?;
        Ok(if inserted == 1 { Inserted::Yes } else { Inserted::Taken })
    }

    /// All passkeys of an account, the oldest first.
    pub async fn passkeys(&self, account: &AccountId) -> Result<Vec<Passkey>> {
        let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE account_id = $1 ORDER BY created_at, id");
        let rows = Query::new(AssertSqlSafe(sql)).bind(&account.0).fetch_all(&self.db).await?;
        rows.iter().map(passkey).collect()
    }

    /// The passkey with a credential id, whoever's it is.
    pub async fn passkey(&self, id: &str) -> Result<Option<Passkey>> {
        let sql = format!("SELECT {COLUMNS} FROM passkeys WHERE id = $1");
        let row = Query::new(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.db).await?;
        row.as_ref().map(passkey).transpose()
    }

    /// Writes down that a passkey proved something; false if it is gone, or was used since it was read and counts. Then
    /// the proof is worth nothing: of two with one counter one is a copy.
    pub async fn use_passkey(&self, write: &mut Write, proven: &Proven) -> Result<bool> {
        let sql = "UPDATE passkeys SET counter = $1, backup = $2, last_used_at = $3
                   WHERE id = $4 AND account_id = $5 AND counter = $6";
        let query = Query::new(sql)
            .bind(i64::from(proven.counter))
            .bind(word(proven.backup))
            .bind(self.clock.now().0)
            .bind(&proven.id)
            .bind(&proven.account_id.0)
            .bind(i64::from(proven.counter_seen));
        Ok(query.execute(write).await? == 1)
    }

    /// Gives a passkey another name; false if the account has none with this id.
    pub async fn rename_passkey(
        &self,
        write: &mut Write,
        account: &AccountId,
        id: &str,
        name: &str,
    ) -> Result<bool> {
        let sql = "UPDATE passkeys SET name = $1 WHERE id = $2 AND account_id = $3";
        Ok(Query::new(sql).bind(name).bind(id).bind(&account.0).execute(write).await? == 1)
    }

    /// Takes a passkey away, or all of an account; how many went.
    pub async fn remove_passkeys(
        &self,
        write: &mut Write,
        account: &AccountId,
        one: Option<&str>,
    ) -> Result<u64> {
        let query = match one {
            Some(id) => {
                Query::new("DELETE FROM passkeys WHERE account_id = $1 AND id = $2").bind(&account.0).bind(id)
            }
            None => Query::new("DELETE FROM passkeys WHERE account_id = $1").bind(&account.0),
        };
        Ok(query.execute(write).await?)
    }
}

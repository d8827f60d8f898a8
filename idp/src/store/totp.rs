//! The table `totp`: authenticator apps. The key is sealed; of a used code the time step is kept, so that it works once.

use platform::clock::Timestamp;
use platform::db::{Query, Write};
use platform::seal::Sealer;
use zeroize::Zeroizing;

use super::{Result, Store};
use crate::domain::account::AccountId;

/// An account's app.
pub struct App {
    pub key: Zeroizing<Vec<u8>>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

impl Store {
    fn app_sealer(&self) -> Sealer {
        self.root.sealer("totp.secret_sealed")
    }

    /// The app of an account.
    pub async fn app(&self, account: &AccountId) -> Result<Option<App>> {
        let sql = "SELECT secret_sealed, created_at, last_used_at FROM totp WHERE account_id = $1";
        let Some(row) = Query::new(sql).bind(&account.0).fetch_optional(&self.db).await? else {
            return Ok(None);
        };
        let sealed: String = row.try_get("secret_sealed")?;
        Ok(Some(App {
            key: Zeroizing::new(self.app_sealer().open(&sealed)?),
            created_at: Timestamp(row.try_get("created_at")?),
            last_used_at: row.try_get::<Option<i64>, _>("last_used_at")?.map(Timestamp),
        }))
    }

    /// Makes `key` the one of an account, in the place of any other; the code of `step` has shown that an app has it.
    pub async fn set_app(&self, write: &mut Write, account: &AccountId, key: &[u8], step: i64) -> Result<()> {
        let query = Query::new(
            "INSERT INTO totp (account_id, secret_sealed, last_step, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id) DO UPDATE SET secret_sealed = excluded.secret_sealed,
               last_step = excluded.last_step, created_at = excluded.created_at, last_used_at = NULL",
        );
        let query = query.bind(&account.0).bind(self.app_sealer().seal(key));
        query.bind(step).bind(self.clock.now().0).execute(write).await?;
        Ok(())
    }

    /// Uses up the code of a step, with all before it; false if that one, or a later one, was used before.
    pub async fn use_app_step(&self, write: &mut Write, account: &AccountId, step: i64) -> Result<bool> {
        let sql =
            "UPDATE totp SET last_step = $1, last_used_at = $2 WHERE account_id = $3 AND last_step < $1";
        let query = Query::new(sql).bind(step).bind(self.clock.now().0).bind(&account.0);
        Ok(query.execute(write).await? == 1)
    }

    /// Takes the app away; false if there was none.
    pub async fn remove_app(&self, write: &mut Write, account: &AccountId) -> Result<bool> {
        let query = Query::new("DELETE FROM totp WHERE account_id = $1").bind(&account.0);
        Ok(query.execute(write).await? == 1)
    }
}

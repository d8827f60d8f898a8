//! The table `recovery_codes`: a set for each account that wants one. Only slow hashes are kept.

use platform::clock::Timestamp;
use platform::db::{Query, Write};

use super::{Result, Store};
use crate::domain::account::AccountId;

impl Store {
    /// Gives an account a new set, each of a selector and a hash; the one before is void.
    pub async fn set_recovery_codes(
        &self,
        write: &mut Write,
        account: &AccountId,
        codes: &[(String, String)],
    ) -> Result<()> {
        self.remove_recovery_codes(write, account).await?;
        for (selector, hash) in codes {
            let query = Query::new(
                "INSERT INTO recovery_codes (account_id, selector, hash, created_at) VALUES ($1, $2, $3, $4)",
            );
            let query = query.bind(&account.0).bind(selector).bind(hash).bind(self.clock.now().0);
            query.execute(&mut *write).await?;
        }
        Ok(())
    }

    /// The hash of the code with this selector, unless it was used.
    pub async fn recovery_code(&self, account: &AccountId, selector: &str) -> Result<Option<String>> {
        let sql =
            "SELECT hash FROM recovery_codes WHERE account_id = $1 AND selector = $2 AND used_at IS NULL";
        let row = Query::new(sql).bind(&account.0).bind(selector).fetch_optional(&self.db).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Uses up the code of a hash; false if another request was first, or the set is another one by now.
    pub async fn use_recovery_code(
        &self,
        write: &mut Write,
        account: &AccountId,
        selector: &str,
        hash: &str,
    ) -> Result<bool> {
        let sql = "UPDATE recovery_codes SET used_at = $1
                   WHERE account_id = $2 AND selector = $3 AND hash = $4 AND used_at IS NULL";
        let query = Query::new(sql).bind(self.clock.now().0).bind(&account.0).bind(selector).bind(hash);
        Ok(query.execute(write).await? == 1)
    }

    /// How many are left.
    pub async fn recovery_codes_left(&self, write: &mut Write, account: &AccountId) -> Result<u32> {
        let sql = "SELECT COUNT(*) FROM recovery_codes WHERE account_id = $1 AND used_at IS NULL";
        let row = Query::new(sql).bind(&account.0).fetch_one(&mut *write).await?;
        Ok(row.try_get::<i64, _>(0)?.try_into().unwrap_or(u32::MAX))
    }

    /// When the set of an account was made.
    pub async fn recovery_codes_made_at(&self, account: &AccountId) -> Result<Option<Timestamp>> {
        let sql = "SELECT created_at FROM recovery_codes WHERE account_id = $1 LIMIT 1";
        let row = Query::new(sql).bind(&account.0).fetch_optional(&self.db).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(Timestamp))
    }

    /// Takes the whole set away; false if there was none.
    pub async fn remove_recovery_codes(&self, write: &mut Write, account: &AccountId) -> Result<bool> {
        let query = Query::new("DELETE FROM recovery_codes WHERE account_id = $1").bind(&account.0);
        Ok(query.execute(write).await? > 0)
    }
}

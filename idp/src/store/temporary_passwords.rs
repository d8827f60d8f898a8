//! The columns `temporary_password_until` and `temporary_password_used_at` of the table `accounts`: a password that
//! somebody was mailed works until a time, once.

use platform::clock::Timestamp;
use platform::db::{Query, Write};

use super::{Result, Store};
use crate::domain::account::AccountId;

impl Store {
    /// Gives an account whose holder has chosen no password yet a temporary one (its hash, and until when it works),
    /// or takes the one it has away. False if the holder has chosen a password meanwhile: that one stays.
    pub async fn set_temporary_password(
        &self,
        write: &mut Write,
        id: &AccountId,
        password: Option<(&str, Timestamp)>,
    ) -> Result<bool> {
        let sql = "UPDATE accounts SET password_hash = $1, temporary_password_until = $2,
                     temporary_password_used_at = NULL, updated_at = $3
                   WHERE id = $4 AND (password_hash IS NULL OR temporary_password_until IS NOT NULL)";
        let query = Query::new(sql)
            .bind(password.map(|(hash, _)| hash))
            .bind(password.map(|(_, until)| until.0))
            .bind(self.clock.now().0)
            .bind(&id.0);
        Ok(query.execute(write).await? == 1)
    }

    /// Uses a temporary password up. False if another sign-in was first, if it is too old, or if the account has
    /// another one by now: of any number at once one gets true.
    pub async fn use_temporary_password(&self, id: &AccountId, hash: &str) -> Result<bool> {
        let query = Query::new(
            "UPDATE accounts SET temporary_password_used_at = $1
             WHERE id = $2 AND password_hash = $3 AND temporary_password_until > $1
               AND temporary_password_used_at IS NULL AND blocked_at IS NULL",
        );
        Ok(self.db.execute(query.bind(self.clock.now().0).bind(&id.0).bind(hash)).await? == 1)
    }
}

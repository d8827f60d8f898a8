//! The check of an activation code: counted before it is looked at, void after a few.

use platform::clock::Timestamp;
use platform::db::{Query, Write};

use super::code::ActivationCode;
use super::store::Links;
use crate::session::Person;

impl Links {
    /// Tries an activation code on a person's own request; false for every kind of failure. The attempt is
    /// counted before the code is looked at, so that of many attempts at once no more than `attempts` are
    /// looked at; the code is void after that. The count has to be committed, also when the code is wrong.
    pub async fn activate(
        &self,
        write: &mut Write,
        id: &str,
        person: &Person,
        code: &ActivationCode,
        attempts: i64,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let typed = self.codes.hash(id, code);
        let counted = Query::new(
            "UPDATE links SET code_failures = code_failures + 1
             WHERE id = $1 AND iss = $2 AND sub = $3 AND activated_at IS NULL AND ended_at IS NULL
               AND code_hash IS NOT NULL AND code_expires_at > $4 AND code_failures < $5
             RETURNING code_hash",
        );
        let counted = counted.bind(id).bind(&person.iss).bind(&person.sub).bind(now.0).bind(attempts);
        let Some(row) = counted.fetch_optional(&mut *write).await? else { return Ok(false) };
        let stored: String = row.try_get(0)?;
        if !platform::seal::same(&stored, &typed) {
            return Ok(false);
        }
        let opened = Query::new(
            "UPDATE links SET activated_at = $1, code_hash = NULL, code_failures = 0
             WHERE id = $2 AND code_hash = $3 AND activated_at IS NULL AND ended_at IS NULL",
        );
        let done = opened.bind(now.0).bind(id).bind(stored).execute(write).await?;
        Ok(done == 1)
    }
}

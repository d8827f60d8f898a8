//! The column `claims_sealed` of `accounts`: standard claims that sign-in itself does not need.

use platform::db::{Query, Write};
use serde_json::{Map, Value};

use super::{Result, Store, StoreError};
use crate::domain::account::AccountId;

impl Store {
    /// Keeps these claims of an account, in place of those before.
    pub async fn set_claims(
        &self,
        write: &mut Write,
        id: &AccountId,
        claims: &Map<String, Value>,
    ) -> Result<()> {
        let json = serde_json::to_vec(claims).map_err(|_| StoreError::Corrupt("accounts.claims_sealed"))?;
        Query::new("UPDATE accounts SET claims_sealed = $1, updated_at = $2 WHERE id = $3")
            .bind(self.root.sealer("claims").seal(&json))
            .bind(self.clock.now().0)
            .bind(&id.0)
            .execute(write)
            .await?;
        Ok(())
    }

    /// The claims in their sealed form.
    ///
    /// # Errors
    /// If they were sealed under another root key.
    pub fn open_claims(&self, sealed: &str) -> Result<Map<String, Value>> {
        let json = self.root.sealer("claims").open(sealed)?;
        serde_json::from_slice(&json).map_err(|_| StoreError::Corrupt("accounts.claims_sealed"))
    }
}

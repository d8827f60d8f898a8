//! The table `accepted_terms`: which terms of use the holder of an account agreed to, at which portal, and when.

use platform::clock::Timestamp;
use platform::db::{Query, Write};

use super::{Result, Store};
use crate::domain::account::AccountId;

/// Terms that somebody agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedTerms {
    pub portal_id: String,
    pub version: String,
    pub digest: String,
    pub accepted_at: Timestamp,
}

impl Store {
    /// Keeps that the holder agrees to these terms; false if that was kept before, whose time stands.
    pub async fn accept_terms(
        &self,
        write: &mut Write,
        account: &AccountId,
        portal_id: &str,
        digest: &str,
        version: &str,
    ) -> Result<bool> {
        let query = Query::new(
            "INSERT INTO accepted_terms (account_id, portal_id, digest, version, accepted_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, portal_id, digest) DO NOTHING",
        );
        let query =
            query.bind(&account.0).bind(portal_id).bind(digest).bind(version).bind(self.clock.now().0);
        Ok(query.execute(write).await? == 1)
    }

    /// Whether the holder agreed to these terms of this portal.
    pub async fn has_accepted_terms(
        &self,
        account: &AccountId,
        portal_id: &str,
        digest: &str,
    ) -> Result<bool> {
        let sql = "SELECT 1 FROM accepted_terms WHERE account_id = $1 AND portal_id = $2 AND digest = $3";
        let query = Query::new(sql).bind(&account.0).bind(portal_id).bind(digest);
        Ok(query.fetch_optional(&self.db).await?.is_some())
    }

    /// Everything that the holder agreed to, the latest first.
    pub async fn accepted_terms(&self, account: &AccountId) -> Result<Vec<AcceptedTerms>> {
        let sql = "SELECT portal_id, version, digest, accepted_at FROM accepted_terms WHERE account_id = $1
                   ORDER BY accepted_at DESC";
        let rows = Query::new(sql).bind(&account.0).fetch_all(&self.db).await?;
        let terms = rows.iter().map(|row| {
            Ok(AcceptedTerms {
                portal_id: row.try_get("portal_id")?,
                version: row.try_get("version")?,
                digest: row.try_get("digest")?,
                accepted_at: Timestamp(row.try_get("accepted_at")?),
            })
        });
        terms.collect()
    }
}

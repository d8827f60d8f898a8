//! The tables `clients` and `initial_access_tokens`: clients that registered themselves.

use std::time::Duration;

use sqlx::Row as _;
use web::seal::sha256;

use super::{Result, Store, StoreError};
use crate::config::Client;

/// A client that registered itself.
#[derive(Clone, Debug)]
pub struct ClientRow {
    pub client: Client,
    pub secret_hash: Option<String>,
    pub token_hash: String,
}

fn settings(client: &Client) -> Result<String> {
    serde_json::to_string(client).map_err(|_| StoreError::Corrupt("clients.settings"))
}

impl Store {
    /// A client that registered itself.
    ///
    /// # Errors
    /// The engine's.
    pub async fn registered_client(&self, client_id: &str) -> Result<Option<ClientRow>> {
        let sql = "SELECT settings, secret_hash, token_hash FROM clients WHERE client_id = $1";
        let Some(row) = sqlx::query(sql).bind(client_id).fetch_optional(self.db.pool()).await? else {
            return Ok(None);
        };
        let client = serde_json::from_str(row.try_get("settings")?)
            .map_err(|_| StoreError::Corrupt("clients.settings"))?;
        Ok(Some(ClientRow {
            client,
            secret_hash: row.try_get("secret_hash")?,
            token_hash: row.try_get("token_hash")?,
        }))
    }

    /// Keeps a new client and takes one use of the initial access token; false if that has none left.
    ///
    /// # Errors
    /// The engine's.
    pub async fn register_client(
        &self,
        initial_token: &str,
        client: &Client,
        secret_hash: Option<&str>,
        token_hash: &str,
    ) -> Result<bool> {
        let now = self.clock.now().0;
        let mut write = self.begin_write().await?;
        let taken = sqlx::query(
            "UPDATE initial_access_tokens SET uses_left = uses_left - 1
             WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2",
        )
        .bind(sha256(initial_token))
        .bind(now)
        .execute(write.connection())
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO clients (client_id, settings, secret_hash, token_hash, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $5)",
        )
        .bind(&client.client_id)
        .bind(settings(client)?)
        .bind(secret_hash)
        .bind(token_hash)
        .bind(now)
        .execute(write.connection())
        .await?;
        write.commit().await?;
        Ok(true)
    }

    /// Whether an initial access token is still good; takes no use of it.
    ///
    /// # Errors
    /// The engine's.
    pub async fn is_initial_token(&self, token: &str) -> Result<bool> {
        let sql =
            "SELECT 1 FROM initial_access_tokens WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2";
        let query = sqlx::query(sql).bind(sha256(token)).bind(self.clock.now().0);
        Ok(query.fetch_optional(self.db.pool()).await?.is_some())
    }

    /// Keeps other settings of a client that registered itself, if it is still there.
    ///
    /// # Errors
    /// The engine's.
    pub async fn update_client(&self, client: &Client, secret_hash: Option<&str>) -> Result<bool> {
        let query = sqlx::query(
            "UPDATE clients SET settings = $1, secret_hash = $2, updated_at = $3 WHERE client_id = $4",
        );
        let query = query.bind(settings(client)?).bind(secret_hash).bind(self.clock.now().0);
        Ok(self.db.execute(query.bind(&client.client_id)).await? == 1)
    }

    /// Removes a client that registered itself; what was granted to it ends.
    ///
    /// # Errors
    /// The engine's.
    pub async fn remove_client(&self, client_id: &str) -> Result<bool> {
        let mut write = self.begin_write().await?;
        let removed = sqlx::query("DELETE FROM clients WHERE client_id = $1")
            .bind(client_id)
            .execute(write.connection())
            .await?;
        sqlx::query("UPDATE grants SET revoked_at = $1 WHERE client_id = $2 AND revoked_at IS NULL")
            .bind(self.clock.now().0)
            .bind(client_id)
            .execute(write.connection())
            .await?;
        sqlx::query("DELETE FROM consents WHERE client_id = $1")
            .bind(client_id)
            .execute(write.connection())
            .await?;
        write.commit().await?;
        Ok(removed.rows_affected() == 1)
    }

    /// Makes an initial access token (RFC 7591 section 1.2) that is good for `uses` registrations.
    ///
    /// # Errors
    /// The engine's.
    pub async fn add_initial_token(
        &self,
        token: &str,
        note: &str,
        uses: u32,
        lifetime: Duration,
    ) -> Result<()> {
        let now = self.clock.now();
        let query = sqlx::query(
            "INSERT INTO initial_access_tokens (token_hash, note, uses_left, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
        );
        let query = query.bind(sha256(token)).bind(note).bind(i64::from(uses)).bind(now.0);
        self.db.execute(query.bind(now.plus(lifetime).0)).await?;
        Ok(())
    }

    /// Removes initial access tokens that can do nothing any more.
    ///
    /// # Errors
    /// The engine's.
    pub async fn remove_initial_tokens(&self) -> Result<u64> {
        let query = sqlx::query("DELETE FROM initial_access_tokens WHERE uses_left <= 0 OR expires_at <= $1");
        Ok(self.db.execute(query.bind(self.clock.now().0)).await?)
    }
}

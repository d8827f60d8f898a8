//! The tables `clients`, `client_origins`, `asked_algorithms` and `initial_access_tokens`: clients that registered
//! themselves, and what is known because of them.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Write};
use platform::seal::sha256;

use super::{Result, Store, StoreError};
use crate::config::{Client, SigningAlgorithm};

/// A client that registered itself.
#[derive(Clone, Debug)]
pub struct ClientRow {
    pub client: Client,
    /// Where its logo lay when it registered.
    pub logo_uri: Option<String>,
    pub secret_hash: Option<String>,
    /// Of its registration access token.
    pub token_hash: String,
}

fn settings(client: &Client) -> Result<String> {
    serde_json::to_string(client).map_err(|_| StoreError::Corrupt("clients.settings"))
}

impl Store {
    /// A client that registered itself.
    pub async fn registered_client(&self, client_id: &str) -> Result<Option<ClientRow>> {
        let sql = "SELECT settings, logo_uri, secret_hash, token_hash FROM clients WHERE client_id = $1";
        let Some(row) = Query::new(sql).bind(client_id).fetch_optional(&self.db).await? else {
            return Ok(None);
        };
        let client = serde_json::from_str(row.try_get("settings")?)
            .map_err(|_| StoreError::Corrupt("clients.settings"))?;
        Ok(Some(ClientRow {
            client,
            logo_uri: row.try_get("logo_uri")?,
            secret_hash: row.try_get("secret_hash")?,
            token_hash: row.try_get("token_hash")?,
        }))
    }

    /// Keeps a new client with its picture (a `data:` URI), and takes one use of the initial access token; false if
    /// that has none left.
    pub async fn register_client(
        &self,
        initial_token: &str,
        row: &ClientRow,
        logo: Option<&str>,
    ) -> Result<bool> {
        let now = self.clock.now().0;
        let mut write = self.begin_write().await?;
        let taken = Query::new(
            "UPDATE initial_access_tokens SET uses_left = uses_left - 1
             WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2",
        )
        .bind(sha256(initial_token))
        .bind(now)
        .execute(&mut write)
        .await?;
        if taken == 0 {
            return Ok(false);
        }
        Query::new(
            "INSERT INTO clients
               (client_id, settings, logo_uri, logo, secret_hash, token_hash, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        )
        .bind(&row.client.client_id)
        .bind(settings(&row.client)?)
        .bind(row.logo_uri.as_deref())
        .bind(logo)
        .bind(row.secret_hash.as_deref())
        .bind(&row.token_hash)
        .bind(now)
        .execute(&mut write)
        .await?;
        keep_origins(&mut write, &row.client).await?;
        tell(&mut write).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Whether an initial access token is still good; takes no use of it.
    pub async fn is_initial_token(&self, token: &str) -> Result<bool> {
        let sql =
            "SELECT 1 FROM initial_access_tokens WHERE token_hash = $1 AND uses_left > 0 AND expires_at > $2";
        let query = Query::new(sql).bind(sha256(token)).bind(self.clock.now().0);
        Ok(query.fetch_optional(&self.db).await?.is_some())
    }

    /// Keeps other settings of a client that registered itself, and its picture, if it is still there.
    pub async fn update_client(&self, row: &ClientRow, logo: Option<&str>) -> Result<bool> {
        let mut write = self.begin_write().await?;
        let updated = Query::new(
            "UPDATE clients SET settings = $1, logo_uri = $2, logo = $3, secret_hash = $4, updated_at = $5
             WHERE client_id = $6",
        )
        .bind(settings(&row.client)?)
        .bind(row.logo_uri.as_deref())
        .bind(logo)
        .bind(row.secret_hash.as_deref())
        .bind(self.clock.now().0)
        .bind(&row.client.client_id)
        .execute(&mut write)
        .await?;
        if updated == 0 {
            return Ok(false);
        }
        keep_origins(&mut write, &row.client).await?;
        tell(&mut write).await?;
        write.commit().await?;
        Ok(true)
    }

    /// The logo of a client that registered itself, as a `data:` URI.
    pub async fn client_logo(&self, client_id: &str) -> Result<Option<String>> {
        let query = Query::new("SELECT logo FROM clients WHERE client_id = $1").bind(client_id);
        let row = query.fetch_optional(&self.db).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
    }

    /// Whether a public client that registered itself is at this origin.
    pub async fn is_client_origin(&self, origin: &str) -> Result<bool> {
        let query = Query::new("SELECT 1 FROM client_origins WHERE origin = $1 LIMIT 1").bind(origin);
        Ok(query.fetch_optional(&self.db).await?.is_some())
    }

    /// Whether a client that registered itself wants something signed with this algorithm. Reads them all.
    pub async fn has_client_that_asks(&self, algorithm: SigningAlgorithm) -> Result<bool> {
        let pattern = |field: &str| format!("%\"{field}\":\"{}\"%", algorithm.name());
        let sql = "SELECT 1 FROM clients WHERE settings LIKE $1 OR settings LIKE $2 LIMIT 1";
        let query = Query::new(sql)
            .bind(pattern("id_token_signed_response_alg"))
            .bind(pattern("userinfo_signed_response_alg"));
        Ok(query.fetch_optional(&self.db).await?.is_some())
    }

    /// Notes that a client asks for this algorithm; once an hour is enough.
    pub async fn note_asked_algorithm(&self, algorithm: SigningAlgorithm) -> Result<()> {
        let now = self.clock.now();
        let query = Query::new(
            "INSERT INTO asked_algorithms (algorithm, asked_at) VALUES ($1, $2)
             ON CONFLICT (algorithm) DO UPDATE SET asked_at = excluded.asked_at
             WHERE asked_algorithms.asked_at < $3",
        );
        let hour_ago = now.minus(Duration::from_hours(1));
        self.db.execute(query.bind(algorithm.name()).bind(now.0).bind(hour_ago.0)).await?;
        Ok(())
    }

    /// Whether a client asked for this algorithm after `since`.
    pub async fn was_algorithm_asked(&self, algorithm: SigningAlgorithm, since: Timestamp) -> Result<bool> {
        let sql = "SELECT 1 FROM asked_algorithms WHERE algorithm = $1 AND asked_at > $2";
        let query = Query::new(sql).bind(algorithm.name()).bind(since.0);
        Ok(query.fetch_optional(&self.db).await?.is_some())
    }

    /// Removes a client that registered itself; what was granted to it ends.
    pub async fn remove_client(&self, client_id: &str) -> Result<bool> {
        let mut write = self.begin_write().await?;
        let removed = Query::new("DELETE FROM clients WHERE client_id = $1")
            .bind(client_id)
            .execute(&mut write)
            .await?;
        Query::new("UPDATE grants SET revoked_at = $1 WHERE client_id = $2 AND revoked_at IS NULL")
            .bind(self.clock.now().0)
            .bind(client_id)
            .execute(&mut write)
            .await?;
        for table in ["consents", "client_origins"] {
            Query::new(AssertSqlSafe(format!("DELETE FROM {table} WHERE client_id = $1")))
                .bind(client_id)
                .execute(&mut write)
                .await?;
        }
        tell(&mut write).await?;
        write.commit().await?;
        Ok(removed == 1)
    }

    /// Makes an initial access token (RFC 7591 section 1.2) that is good for `uses` registrations.
    pub async fn add_initial_token(
        &self,
        token: &str,
        note: &str,
        uses: u32,
        lifetime: Duration,
    ) -> Result<()> {
        let now = self.clock.now();
        let query = Query::new(
            "INSERT INTO initial_access_tokens (token_hash, note, uses_left, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
        );
        let query = query.bind(sha256(token)).bind(note).bind(i64::from(uses)).bind(now.0);
        self.db.execute(query.bind(now.plus(lifetime).0)).await?;
        Ok(())
    }

    /// Removes initial access tokens that can do nothing any more.
    pub async fn remove_initial_tokens(&self) -> Result<u64> {
        let query = Query::new("DELETE FROM initial_access_tokens WHERE uses_left <= 0 OR expires_at <= $1");
        Ok(self.db.execute(query.bind(self.clock.now().0)).await?)
    }
}

/// Lets every process know, once this is committed, that a client is not what it was.
async fn tell(write: &mut Write) -> Result<()> {
    let text = "UPDATE signing_keys_version SET clients_version = clients_version + 1 WHERE id = 1";
    Query::new(text).execute(write).await?;
    Ok(())
}

/// Keeps the origins that a public client runs at, in place of those of before.
async fn keep_origins(write: &mut Write, client: &Client) -> Result<()> {
    Query::new("DELETE FROM client_origins WHERE client_id = $1")
        .bind(&client.client_id)
        .execute(write)
        .await?;
    for origin in client.origins().into_iter().filter(|_| client.is_public()) {
        Query::new("INSERT INTO client_origins (client_id, origin) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(&client.client_id)
            .bind(origin)
            .execute(write)
            .await?;
    }
    Ok(())
}

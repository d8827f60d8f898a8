//! The tables `grants`, `refresh_tokens` and `consents`. Codes and refresh tokens are kept as hashes, also
//! after their use: a replay must be recognised.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use web::clock::Timestamp;
use web::db::Write;
use web::seal::sha256;

use super::{Result, Store, StoreError};
use crate::domain::account::AccountId;

/// What tokens of a grant carry besides its columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantDetails {
    pub nonce: Option<String>,
    pub acr: String,
    pub amr: Vec<String>,
    /// When the password was given: `auth_time`.
    pub auth_time: Timestamp,
}

/// What was granted to one client at the end of one sign-in.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: String,
    pub session_id: String,
    pub account_id: AccountId,
    pub client_id: String,
    pub redirect_uri: String,
    pub scope: String,
    pub code_challenge: Option<String>,
    pub details: GrantDetails,
    pub revoked_at: Option<Timestamp>,
}

/// What a sign-in grants.
#[derive(Clone, Debug)]
pub struct NewGrant<'a> {
    pub session_id: &'a str,
    pub account_id: &'a AccountId,
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub scope: &'a str,
    pub code_challenge: Option<&'a str>,
    pub details: &'a GrantDetails,
    pub code: &'a str,
    pub code_lifetime: Duration,
}

/// What presenting a code or refresh token came to.
#[derive(Clone, Debug)]
pub enum Redeemed {
    /// Its first and only use.
    Granted(Box<Grant>),
    /// Unknown, expired, of another client, or used before; in the last case everything issued from the
    /// grant is revoked by now.
    Refused,
}

const COLUMNS: &str =
    "id, session_id, account_id, client_id, redirect_uri, scope, details, code_challenge, revoked_at";

fn grant(row: &AnyRow) -> Result<Grant> {
    let details: String = row.try_get("details")?;
    Ok(Grant {
        id: row.try_get("id")?,
        session_id: row.try_get("session_id")?,
        account_id: AccountId(row.try_get("account_id")?),
        client_id: row.try_get("client_id")?,
        redirect_uri: row.try_get("redirect_uri")?,
        scope: row.try_get("scope")?,
        code_challenge: row.try_get("code_challenge")?,
        details: serde_json::from_str(&details).map_err(|_| StoreError::Corrupt("grants.details"))?,
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp),
    })
}

impl Store {
    /// Adds a grant with its authorization code.
    ///
    /// # Errors
    /// The engine's.
    pub async fn insert_grant(&self, write: &mut Write, new: &NewGrant<'_>) -> Result<()> {
        let now = self.clock.now();
        let details =
            serde_json::to_string(new.details).map_err(|_| StoreError::Corrupt("grants.details"))?;
        sqlx::query(
            "INSERT INTO grants (id, session_id, account_id, client_id, redirect_uri, scope, details, code_hash,
               code_challenge, code_expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(self.random.id())
        .bind(new.session_id)
        .bind(&new.account_id.0)
        .bind(new.client_id)
        .bind(new.redirect_uri)
        .bind(new.scope)
        .bind(details)
        .bind(sha256(new.code))
        .bind(new.code_challenge)
        .bind(now.plus(new.code_lifetime).0)
        .bind(now.0)
        .execute(write.connection())
        .await?;
        Ok(())
    }

    /// Uses up an authorization code of this client. Of two that come at once one wins, and the other one
    /// revokes what the winner gets (RFC 6749 section 4.1.2).
    ///
    /// # Errors
    /// The engine's.
    pub async fn redeem_code(&self, code: &str, client_id: &str) -> Result<Redeemed> {
        let now = self.clock.now().0;
        let hash = sha256(code);
        let sql = format!(
            "UPDATE grants SET code_used_at = $1
             WHERE code_hash = $2 AND client_id = $3 AND code_used_at IS NULL AND code_expires_at > $1
               AND revoked_at IS NULL
             RETURNING {COLUMNS}"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now).bind(&hash).bind(client_id);
        if let Some(row) = self.db.execute_returning(query).await? {
            return Ok(Redeemed::Granted(Box::new(grant(&row)?)));
        }
        let query = sqlx::query(
            "UPDATE grants SET revoked_at = $1
             WHERE code_hash = $2 AND client_id = $3 AND code_used_at IS NOT NULL AND revoked_at IS NULL",
        );
        if self.db.execute(query.bind(now).bind(&hash).bind(client_id)).await? > 0 {
            tracing::warn!(client_id, "an authorization code was used twice; its tokens are revoked");
        }
        Ok(Redeemed::Refused)
    }

    /// # Errors
    /// The engine's.
    pub async fn grant(&self, id: &str) -> Result<Option<Grant>> {
        let sql = format!("SELECT {COLUMNS} FROM grants WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(self.db.pool()).await?;
        row.as_ref().map(grant).transpose()
    }

    /// Ends a grant and with it every token issued from it.
    ///
    /// # Errors
    /// The engine's.
    pub async fn revoke_grant(&self, id: &str) -> Result<()> {
        let query = sqlx::query("UPDATE grants SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL");
        self.db.execute(query.bind(self.clock.now().0).bind(id)).await?;
        Ok(())
    }

    /// Adds a refresh token to a grant.
    ///
    /// # Errors
    /// The engine's.
    pub async fn insert_refresh_token(&self, grant_id: &str, token: &str, lifetime: Duration) -> Result<()> {
        let now = self.clock.now();
        let query = sqlx::query(
            "INSERT INTO refresh_tokens (token_hash, grant_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        );
        self.db
            .execute(query.bind(sha256(token)).bind(grant_id).bind(now.0).bind(now.plus(lifetime).0))
            .await?;
        Ok(())
    }

    /// Uses up a refresh token of this client; one that was used before revokes the whole family
    /// (RFC 9700 section 4.14.2).
    ///
    /// # Errors
    /// The engine's.
    pub async fn redeem_refresh_token(&self, token: &str, client_id: &str) -> Result<Redeemed> {
        let now = self.clock.now().0;
        let hash = sha256(token);
        let query = sqlx::query(
            "UPDATE refresh_tokens SET used_at = $1
             WHERE token_hash = $2 AND used_at IS NULL AND expires_at > $1
               AND grant_id IN (SELECT id FROM grants WHERE client_id = $3 AND revoked_at IS NULL)
             RETURNING grant_id",
        );
        if let Some(row) = self.db.execute_returning(query.bind(now).bind(&hash).bind(client_id)).await? {
            let id: String = row.try_get(0)?;
            let found = self.grant(&id).await?.ok_or(StoreError::Corrupt("refresh_tokens.grant_id"))?;
            return Ok(Redeemed::Granted(Box::new(found)));
        }
        let query = sqlx::query(
            "UPDATE grants SET revoked_at = $1
             WHERE client_id = $3 AND revoked_at IS NULL
               AND id IN (SELECT grant_id FROM refresh_tokens WHERE token_hash = $2 AND used_at IS NOT NULL)",
        );
        if self.db.execute(query.bind(now).bind(&hash).bind(client_id)).await? > 0 {
            tracing::warn!(client_id, "a refresh token was used twice; its family is revoked");
        }
        Ok(Redeemed::Refused)
    }

    /// The scope that the person let this client have, if any.
    ///
    /// # Errors
    /// The engine's.
    pub async fn consented_scope(&self, account: &AccountId, client_id: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT scope FROM consents WHERE account_id = $1 AND client_id = $2")
            .bind(&account.0)
            .bind(client_id)
            .fetch_optional(self.db.pool())
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Keeps what the person let this client have.
    ///
    /// # Errors
    /// The engine's.
    pub async fn keep_consent(&self, account: &AccountId, client_id: &str, scope: &str) -> Result<()> {
        let query = sqlx::query(
            "INSERT INTO consents (account_id, client_id, scope, given_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id, client_id) DO UPDATE SET scope = excluded.scope, given_at = excluded.given_at",
        );
        self.db.execute(query.bind(&account.0).bind(client_id).bind(scope).bind(self.clock.now().0)).await?;
        Ok(())
    }
}

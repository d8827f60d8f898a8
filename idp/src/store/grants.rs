//! The tables `grants`, `refresh_tokens` and `consents`. Codes and refresh tokens are kept as hashes, also
//! after their use: a replay must be recognised.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Write};
use platform::seal::sha256;
use serde::{Deserialize, Serialize};

use super::{Result, Store, StoreError};
use crate::domain::account::AccountId;
use crate::protocol::claims::RequestedClaims;

/// What tokens of a grant carry besides its columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantDetails {
    pub nonce: Option<String>,
    pub acr: String,
    pub amr: Vec<String>,
    /// When the password was given: `auth_time`.
    pub auth_time: Timestamp,
    /// What the request asked for by name.
    #[serde(default)]
    pub claims: RequestedClaims,
    /// The resource that access tokens are for (RFC 8707).
    #[serde(default)]
    pub resource: Option<String>,
    /// The thumbprint of the key that tokens are bound to (RFC 9449).
    #[serde(default)]
    pub jkt: Option<String>,
}

impl GrantDetails {
    /// Whether `jkt`, the key that a request proves, is the one that tokens are bound to, if they are (RFC 9449
    /// sections 5 and 10).
    pub fn is_of_key(&self, jkt: Option<&str>) -> bool {
        self.jkt.as_deref().is_none_or(|bound| jkt == Some(bound))
    }
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
    pub code_expires_at: Timestamp,
    pub code_used_at: Option<Timestamp>,
    pub details: GrantDetails,
    pub created_at: Timestamp,
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

/// A refresh token to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewRefreshToken<'a> {
    pub grant_id: &'a str,
    pub token: &'a str,
    pub expires_at: Timestamp,
}

/// A refresh token that was presented, in whatever state it is.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    pub hash: String,
    pub grant: Grant,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, session_id, account_id, client_id, redirect_uri, scope, details, code_challenge,
     code_expires_at, code_used_at, created_at, revoked_at";

fn grant(row: &Row) -> Result<Grant> {
    let details: String = row.try_get("details")?;
    Ok(Grant {
        id: row.try_get("id")?,
        session_id: row.try_get("session_id")?,
        account_id: AccountId(row.try_get("account_id")?),
        client_id: row.try_get("client_id")?,
        redirect_uri: row.try_get("redirect_uri")?,
        scope: row.try_get("scope")?,
        code_challenge: row.try_get("code_challenge")?,
        code_expires_at: Timestamp(row.try_get("code_expires_at")?),
        code_used_at: row.try_get::<Option<i64>, _>("code_used_at")?.map(Timestamp),
        created_at: Timestamp(row.try_get("created_at")?),
        details: serde_json::from_str(&details).map_err(|_| StoreError::Corrupt("grants.details"))?,
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp),
    })
}

fn as_json(details: &GrantDetails) -> Result<String> {
    serde_json::to_string(details).map_err(|_| StoreError::Corrupt("grants.details"))
}

impl Store {
    /// Adds a grant with its authorization code.
    pub fn insert_grant(&self, write: &mut Write, new: &NewGrant<'_>) -> Result<()> {
        let now = self.clock.now();
        let details = as_json(new.details)?;
        let query = Query::new(
            "INSERT INTO grants (id, session_id, account_id, client_id, redirect_uri, scope, details, code_hash,
               code_challenge, code_expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        );
        let query = query
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
            .bind(now.0);
        write.later(query);
        Ok(())
    }

    /// The grant of an authorization code of this client, in whatever state it is.
    pub async fn grant_of_code(&self, code: &str, client_id: &str) -> Result<Option<Grant>> {
        let sql = format!("SELECT {COLUMNS} FROM grants WHERE code_hash = $1 AND client_id = $2");
        let query = Query::new(AssertSqlSafe(sql)).bind(sha256(code)).bind(client_id);
        query.fetch_optional(&self.db).await?.as_ref().map(grant).transpose()
    }

    /// Uses up the code of a grant, keeps what its tokens will carry and the first refresh token. False if
    /// it was used, has expired or was revoked: of two that come at once one wins.
    pub async fn redeem_code(
        &self,
        grant_id: &str,
        details: &GrantDetails,
        refresh: Option<NewRefreshToken<'_>>,
    ) -> Result<bool> {
        let now = self.clock.now().0;
        let details = as_json(details)?;
        let query = Query::new(
            "UPDATE grants SET code_used_at = $1, details = $2
             WHERE id = $3 AND code_used_at IS NULL AND code_expires_at > $1 AND revoked_at IS NULL",
        );
        let query = query.bind(now).bind(details).bind(grant_id);
        let Some(new) = refresh else {
            return Ok(self.db.execute(query).await? == 1);
        };
        let mut write = self.begin_write().await?;
        if query.execute(&mut write).await? == 0 {
            return Ok(false);
        }
        self.insert_refresh_token(&mut write, new, None).await?;
        write.commit().await?;
        Ok(true)
    }

    pub async fn grant(&self, id: &str) -> Result<Option<Grant>> {
        let sql = format!("SELECT {COLUMNS} FROM grants WHERE id = $1");
        let row = Query::new(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.db).await?;
        row.as_ref().map(grant).transpose()
    }

    /// Keeps what the next tokens of a grant will carry.
    pub async fn keep_grant_details(&self, id: &str, details: &GrantDetails) -> Result<()> {
        let query = Query::new("UPDATE grants SET details = $1 WHERE id = $2");
        self.db.execute(query.bind(as_json(details)?).bind(id)).await?;
        Ok(())
    }

    /// Ends a grant and with it every token issued from it.
    pub async fn revoke_grant(&self, id: &str) -> Result<()> {
        let query = Query::new("UPDATE grants SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL");
        self.db.execute(query.bind(self.clock.now().0).bind(id)).await?;
        Ok(())
    }

    async fn insert_refresh_token(
        &self,
        write: &mut Write,
        new: NewRefreshToken<'_>,
        replaces: Option<&str>,
    ) -> Result<()> {
        Query::new(
            "INSERT INTO refresh_tokens (token_hash, grant_id, created_at, expires_at, replaces)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(sha256(new.token))
        .bind(new.grant_id)
        .bind(self.clock.now().0)
        .bind(new.expires_at.0)
        .bind(replaces)
        .execute(write)
        .await?;
        Ok(())
    }

    /// A refresh token of this client with its grant, in whatever state they are.
    pub async fn refresh_token(&self, token: &str, client_id: &str) -> Result<Option<RefreshToken>> {
        let hash = sha256(token);
        let query = Query::new(
            "SELECT grants.*, refresh_tokens.expires_at, refresh_tokens.used_at
             FROM refresh_tokens JOIN grants ON grants.id = refresh_tokens.grant_id
             WHERE refresh_tokens.token_hash = $1 AND grants.client_id = $2",
        );
        let Some(row) = query.bind(&hash).bind(client_id).fetch_optional(&self.db).await? else {
            return Ok(None);
        };
        Ok(Some(RefreshToken {
            hash,
            grant: grant(&row)?,
            expires_at: Timestamp(row.try_get("expires_at")?),
            used_at: row.try_get::<Option<i64>, _>("used_at")?.map(Timestamp),
        }))
    }

    /// Uses up a refresh token and keeps a successor. One that was used no longer than `grace` ago gets another
    /// successor beside those that it has: two tabs, or an answer that was lost. False if it was used before that,
    /// has expired, or its grant is revoked. Without a grace, of two that come at once one wins.
    pub async fn rotate_refresh_token(
        &self,
        old: &str,
        grace: Duration,
        new: NewRefreshToken<'_>,
    ) -> Result<bool> {
        let now = self.clock.now();
        // Another node's clock may be a little ahead, so that no grace cannot be a moment of the present.
        let used_after = if grace.is_zero() { i64::MAX } else { now.minus(grace).0 };
        let mut write = self.begin_write().await?;
        // The time of the first use stays: the grace does not grow by using it.
        let used = Query::new(
            "UPDATE refresh_tokens SET used_at = COALESCE(used_at, $1)
             WHERE token_hash = $2 AND (used_at IS NULL OR used_at > $3) AND expires_at > $1
               AND EXISTS (SELECT 1 FROM grants WHERE grants.id = refresh_tokens.grant_id AND revoked_at IS NULL)",
        )
        .bind(now.0)
        .bind(old)
        .bind(used_after)
        .execute(&mut write)
        .await?;
        if used == 0 {
            return Ok(false);
        }
        self.insert_refresh_token(&mut write, new, Some(old)).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Lets a refresh token that does not rotate live until `expires_at`.
    pub async fn extend_refresh_token(&self, hash: &str, expires_at: Timestamp) -> Result<()> {
        let query = Query::new("UPDATE refresh_tokens SET expires_at = $1 WHERE token_hash = $2");
        self.db.execute(query.bind(expires_at.0).bind(hash)).await?;
        Ok(())
    }

    /// The scope that the person let this client have, if any.
    pub async fn consented_scope(&self, account: &AccountId, client_id: &str) -> Result<Option<String>> {
        let row = Query::new("SELECT scope FROM consents WHERE account_id = $1 AND client_id = $2")
            .bind(&account.0)
            .bind(client_id)
            .fetch_optional(&self.db)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Takes back what the holder let a client have, and ends what it got: codes, access and refresh tokens. False if there
    /// was nothing.
    pub async fn withdraw_consent(
        &self,
        write: &mut Write,
        account: &AccountId,
        client_id: &str,
    ) -> Result<bool> {
        let sql = "DELETE FROM consents WHERE account_id = $1 AND client_id = $2";
        let withdrawn = Query::new(sql).bind(&account.0).bind(client_id).execute(&mut *write).await?;
        let sql = "UPDATE grants SET revoked_at = $1
                   WHERE account_id = $2 AND client_id = $3 AND revoked_at IS NULL";
        let query = Query::new(sql).bind(self.clock.now().0).bind(&account.0).bind(client_id);
        query.execute(&mut *write).await?;
        Ok(withdrawn > 0)
    }

    /// Keeps what the person let this client have.
    pub async fn keep_consent(&self, account: &AccountId, client_id: &str, scope: &str) -> Result<()> {
        let query = Query::new(
            "INSERT INTO consents (account_id, client_id, scope, given_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account_id, client_id) DO UPDATE SET scope = excluded.scope, given_at = excluded.given_at",
        );
        self.db.execute(query.bind(&account.0).bind(client_id).bind(scope).bind(self.clock.now().0)).await?;
        Ok(())
    }
}

//! The table `sessions`. The cookie holds a secret of which only a hash is kept; portals know a session
//! by its `sid`, which stays when the secret is renewed.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Write};
use platform::seal::sha256;

use super::{Result, Store};
use crate::domain::account::AccountId;
use crate::domain::journey::{Method, Proofs};

/// A session that has neither ended nor expired.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: String,
    pub account_id: AccountId,
    /// The known device it lives on.
    pub device_id: Option<String>,
    pub label: String,
    pub proofs: Proofs,
    pub last_seen_at: Timestamp,
    /// When it ends whatever its holder does.
    pub expires_at: Timestamp,
}

impl Session {
    /// When its holder last proved who they are.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.proofs.authenticated_at()
    }

    /// When its holder last gave a second factor.
    pub fn second_factor_at(&self) -> Option<Timestamp> {
        self.proofs.second_factor_at()
    }
}

/// What a sign-in writes into its session.
#[derive(Clone, Debug)]
pub struct SignedIn<'a> {
    pub account_id: &'a AccountId,
    pub device_id: Option<&'a str>,
    pub label: &'a str,
    pub proofs: Proofs,
    pub lifetime: Duration,
}

const COLUMNS: &str = "id, account_id, device_id, label, proofs, authenticated_at, code_at, last_seen_at, \
     expires_at";

/// The list, unless a server of the version before wrote down something newer in the columns that it knows.
fn proofs(row: &Row) -> Result<Proofs> {
    let list: Proofs = serde_json::from_str(&row.try_get::<String, _>("proofs")?).unwrap_or_default();
    let at = Timestamp(row.try_get("authenticated_at")?);
    if list.authenticated_at() >= Some(at) {
        return Ok(list);
    }
    let code_at = row.try_get::<Option<i64>, _>("code_at")?.map(Timestamp);
    let password = Proofs::default().with(Method::Password, at);
    Ok(code_at.map_or(password.clone(), |at| password.with(Method::Sms, at)))
}

fn session(row: &Row) -> Result<Session> {
    Ok(Session {
        id: row.try_get("id")?,
        account_id: AccountId(row.try_get("account_id")?),
        device_id: row.try_get("device_id")?,
        label: row.try_get("label")?,
        proofs: proofs(row)?,
        last_seen_at: Timestamp(row.try_get("last_seen_at")?),
        expires_at: Timestamp(row.try_get("expires_at")?),
    })
}

impl Store {
    /// The live session of a cookie: not ended, not expired, not idle for longer than `idle`.
    pub async fn session_by_secret(&self, secret: &str, idle: Duration) -> Result<Option<Session>> {
        let now = self.clock.now();
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions
             WHERE secret_hash = $1 AND ended_at IS NULL AND expires_at > $2 AND last_seen_at > $3"
        );
        let query = Query::new(AssertSqlSafe(sql)).bind(sha256(secret)).bind(now.0).bind(now.minus(idle).0);
        query.fetch_optional(&self.db).await?.as_ref().map(session).transpose()
    }

    /// Whose session a cookie is of, also if the session has ended by itself; not if somebody ended it.
    pub async fn account_behind(&self, secret: &str) -> Result<Option<AccountId>> {
        let query = Query::new("SELECT account_id FROM sessions WHERE secret_hash = $1 AND ended_at IS NULL");
        let row = query.bind(sha256(secret)).fetch_optional(&self.db).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.map(AccountId))
    }

    /// A session that nobody has ended, as it is for this transaction: also one that has reached its limit, since
    /// refresh tokens may outlive that.
    pub async fn session_in(&self, write: &mut Write, id: &str) -> Result<Option<Session>> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id = $1 AND ended_at IS NULL");
        let query = Query::new(AssertSqlSafe(sql)).bind(id);
        query.fetch_optional(&mut *write).await?.as_ref().map(session).transpose()
    }

    /// Begins a session; returns its `sid`.
    pub fn insert_session(&self, write: &mut Write, secret: &str, signed_in: &SignedIn<'_>) -> String {
        let now = self.clock.now();
        let id = self.random.id();
        let query = Query::new(
            "INSERT INTO sessions
               (id, secret_hash, account_id, device_id, label, proofs, authenticated_at, code_at, last_seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        let query = query
            .bind(id.as_str())
            .bind(sha256(secret))
            .bind(&signed_in.account_id.0)
            .bind(signed_in.device_id)
            .bind(signed_in.label)
            .bind(signed_in.proofs.to_json())
            .bind(signed_in.proofs.authenticated_at().map_or(0, |at| at.0))
            .bind(signed_in.proofs.second_factor_at().map(|at| at.0))
            .bind(now.0)
            .bind(now.plus(signed_in.lifetime).0);
        write.later(query);
        id
    }

    /// Gives a live session of the same account a new secret and the proofs of a new sign-in; the old
    /// secret is dead. False if the session ended meanwhile.
    pub async fn renew_session(
        &self,
        write: &mut Write,
        id: &str,
        secret: &str,
        signed_in: &SignedIn<'_>,
    ) -> Result<bool> {
        let changed = Query::new(
            "UPDATE sessions SET secret_hash = $1, proofs = $2, authenticated_at = $3, code_at = $4, last_seen_at = $5,
               label = $6, device_id = $7
             WHERE id = $8 AND account_id = $9 AND ended_at IS NULL",
        )
        .bind(sha256(secret))
        .bind(signed_in.proofs.to_json())
        .bind(signed_in.proofs.authenticated_at().map_or(0, |at| at.0))
        .bind(signed_in.proofs.second_factor_at().map(|at| at.0))
        .bind(self.clock.now().0)
        .bind(signed_in.label)
        .bind(signed_in.device_id)
        .bind(id)
        .bind(&signed_in.account_id.0)
        .execute(write)
        .await?;
        Ok(changed == 1)
    }

    /// Keeps a session from being ended until the transaction is over: whoever ends it then finds what was granted in
    /// it. Notes activity in it, unless it is only polled. False if it has ended.
    pub async fn hold_session(&self, write: &mut Write, id: &str, is_polled: bool) -> Result<bool> {
        let sql = "UPDATE sessions SET last_seen_at = COALESCE($1, last_seen_at) WHERE id = $2 AND ended_at IS NULL";
        let held =
            Query::new(sql).bind((!is_polled).then(|| self.clock.now().0)).bind(id).execute(write).await?;
        Ok(held == 1)
    }

    /// Notes activity in a session.
    pub async fn touch_session(&self, id: &str) -> Result<()> {
        let query = Query::new("UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND ended_at IS NULL");
        self.db.execute(query.bind(self.clock.now().0).bind(id)).await?;
        Ok(())
    }

    /// Notes activity at a portal in a session that nothing has ended, nor `idle` without activity.
    pub async fn continue_session(&self, id: &str, idle: Duration) -> Result<()> {
        let now = self.clock.now();
        let sql = "UPDATE sessions SET last_seen_at = $1
                   WHERE id = $2 AND ended_at IS NULL AND expires_at > $1 AND last_seen_at > $3";
        self.db.execute(Query::new(sql).bind(now.0).bind(id).bind(now.minus(idle).0)).await?;
        Ok(())
    }

    /// The live sessions of an account, the latest seen first.
    pub async fn sessions(&self, account: &AccountId) -> Result<Vec<Session>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM sessions WHERE account_id = $1 AND ended_at IS NULL AND expires_at > $2
             ORDER BY last_seen_at DESC"
        );
        let query = Query::new(AssertSqlSafe(sql)).bind(&account.0).bind(self.clock.now().0);
        query.fetch_all(&self.db).await?.iter().map(session).collect()
    }

    /// Ends a session and revokes what was granted in it. False if it had ended before.
    pub async fn end_session(&self, write: &mut Write, id: &str) -> Result<bool> {
        let now = self.clock.now().0;
        let ended = Query::new("UPDATE sessions SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL")
            .bind(now)
            .bind(id)
            .execute(write)
            .await?;
        Query::new("UPDATE grants SET revoked_at = $1 WHERE session_id = $2 AND revoked_at IS NULL")
            .bind(now)
            .bind(id)
            .execute(write)
            .await?;
        Ok(ended == 1)
    }

    /// All sessions of an account that nobody has ended, as [`Store::session_in`] finds each.
    pub async fn sessions_in(&self, write: &mut Write, account: &AccountId) -> Result<Vec<Session>> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE account_id = $1 AND ended_at IS NULL");
        let query = Query::new(AssertSqlSafe(sql)).bind(&account.0);
        query.fetch_all(&mut *write).await?.iter().map(session).collect()
    }

    /// The clients that a session signed somebody in to, as they are for this transaction.
    pub async fn clients_in(&self, write: &mut Write, id: &str) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT client_id FROM grants WHERE session_id = $1 AND code_used_at IS NOT NULL";
        let rows = Query::new(sql).bind(id).fetch_all(&mut *write).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// The clients that the sessions of an account signed its holder in to, each with the session.
    pub async fn clients_of_account(&self, account: &AccountId) -> Result<Vec<(String, String)>> {
        let sql = "SELECT DISTINCT session_id, client_id FROM grants
                   WHERE account_id = $1 AND code_used_at IS NOT NULL";
        let rows = Query::new(sql).bind(&account.0).fetch_all(&self.db).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Removes sessions that ended or expired long ago, with their grants; not those of which a refresh token
    /// is still good. How many went.
    pub async fn remove_old_sessions(&self, before: Timestamp) -> Result<u64> {
        let ended = Query::new(
            "DELETE FROM sessions WHERE id IN
               (SELECT id FROM sessions WHERE ended_at < $1 ORDER BY ended_at LIMIT 100)",
        );
        let mut removed = self.db.remove_in_pieces(ended.bind(before.0)).await?;
        // Those that stay are passed each time: a piece is found by who only reads, and what may go of it is one statement.
        let (mut from, mut from_id) = (i64::MIN, String::new());
        loop {
            let piece = Query::new(
                "SELECT id, expires_at FROM sessions WHERE expires_at < $1 AND (expires_at, id) > ($2, $3)
                 ORDER BY expires_at, id LIMIT 100",
            );
            let piece = piece.bind(before.0).bind(from).bind(from_id.as_str()).fetch_all(&self.db).await?;
            let Some(last) = piece.last() else { return Ok(removed) };
            let (until, until_id): (i64, String) = (last.try_get("expires_at")?, last.try_get("id")?);
            let remove = Query::new(
                "DELETE FROM sessions WHERE (expires_at, id) > ($2, $3) AND (expires_at, id) <= ($4, $5)
                   AND (SELECT COUNT(*) FROM grants JOIN refresh_tokens ON refresh_tokens.grant_id = grants.id
                        WHERE grants.session_id = sessions.id AND grants.revoked_at IS NULL
                          AND refresh_tokens.expires_at >= $1) = 0",
            );
            let remove = remove.bind(before.0).bind(from).bind(from_id).bind(until).bind(until_id.as_str());
            removed += self.db.execute(remove).await?;
            (from, from_id) = (until, until_id);
        }
    }
}

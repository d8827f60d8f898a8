//! Sessions, on the server's side: a row for each, found by the hash of the token in the browser's cookie.
//! How long they live is judged by the server's clock; only what a person does extends one.

use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use web::clock::{Clock, Timestamp};
use web::db::Db;
use web::random::Random;
use web::seal::{RootKey, Sealer, sha256};

use crate::config::SessionRules;

/// The cookie that holds the token of a session. Its name differs from the provider's, because on one
/// host (localhost) browsers do not tell ports apart.
pub const COOKIE: &str = "portal-session";
/// What the column `purpose` says of a session that was asked for with a care team's role.
const FOR_TEAM: &str = "team";

/// Who somebody is, here and at the provider. No more of a person is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub iss: String,
    pub sub: String,
    pub name: String,
    pub email: String,
}

impl Person {
    /// Whether these are the same person; names change, `iss` and `sub` do not.
    pub fn is(&self, iss: &str, sub: &str) -> bool {
        self.iss == iss && self.sub == sub
    }
}

/// What a care team's member may be, within one organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CareRole {
    CareTeam,
    Administrator,
}

impl CareRole {
    fn word(self) -> &'static str {
        match self {
            Self::CareTeam => "care_team",
            Self::Administrator => "administrator",
        }
    }

    /// From the claim `care_role`.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::CareTeam, Self::Administrator].into_iter().find(|role| role.word() == word)
    }
}

/// A role and where it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Care {
    pub role: CareRole,
    pub organisation: String,
}

/// What a sign-in at the provider came to.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub person: Person,
    /// The provider's session, by which it ends ours (`sid`); empty if it named none.
    pub sid: String,
    /// How well the provider knows that this is the person (`acr`).
    pub acr: String,
    /// Whether it was asked for with a care team's role and second factor; without that, `care` is empty.
    pub for_team: bool,
    pub care: Option<Care>,
    /// The ID token, to show at sign-out.
    pub id_token: String,
}

/// A session that lives.
#[derive(Clone, Debug)]
pub struct Session {
    key: String,
    pub person: Person,
    pub acr: String,
    pub for_team: bool,
    pub care: Option<Care>,
    pub signed_in_at: Timestamp,
    pub seen_at: Timestamp,
}

impl Session {
    /// A name for this session that is no secret, to bind other values to it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// When it ends, if nothing is done from now on.
    pub fn ends_at(&self, rules: SessionRules) -> Timestamp {
        self.seen_at.plus(rules.idle).min(self.signed_in_at.plus(rules.absolute))
    }
}

/// The sessions in the database.
#[derive(Clone, Debug)]
pub struct Sessions {
    db: Db,
    clock: Clock,
    rules: SessionRules,
    sealer: Sealer,
}

impl Sessions {
    pub fn new(db: Db, clock: Clock, rules: SessionRules, root: &RootKey) -> Self {
        Self { db, clock, rules, sealer: root.sealer("id token") }
    }

    /// How long sessions live.
    pub fn rules(&self) -> SessionRules {
        self.rules
    }

    /// Starts a session and returns the token for its cookie; the session behind `old`, the cookie that the
    /// browser had, ends in the same step (T31).
    ///
    /// # Errors
    /// The database's; the old session lives on then.
    pub async fn start(
        &self,
        random: &Random,
        sign_in: &SignIn,
        old: Option<&str>,
    ) -> Result<String, sqlx::Error> {
        let token = random.token();
        let now = self.clock.now();
        let care = sign_in.care.as_ref();
        let mut write = self.db.begin_write().await?;
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(old.map(sha256).unwrap_or_default())
            .execute(write.connection())
            .await?;
        sqlx::query(
            "INSERT INTO sessions (token_hash, iss, sub, sid, name, email, acr, care_role, care_organisation,
               purpose, id_token, signed_in_at, seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)",
        )
        .bind(sha256(&token))
        .bind(&sign_in.person.iss)
        .bind(&sign_in.person.sub)
        .bind(&sign_in.sid)
        .bind(&sign_in.person.name)
        .bind(&sign_in.person.email)
        .bind(&sign_in.acr)
        .bind(care.map_or("", |care| care.role.word()))
        .bind(care.map_or("", |care| care.organisation.as_str()))
        .bind(if sign_in.for_team { FOR_TEAM } else { "" })
        .bind(self.sealer.seal(sign_in.id_token.as_bytes()))
        .bind(now.0)
        .execute(write.connection())
        .await?;
        write.commit().await?;
        Ok(token)
    }

    /// The session behind a cookie, extended: somebody did something.
    ///
    /// # Errors
    /// The database's.
    pub async fn touch(&self, token: &str) -> Result<Option<Session>, sqlx::Error> {
        let now = self.clock.now();
        let query = sqlx::query(
            "UPDATE sessions SET seen_at = $1
             WHERE token_hash = $2 AND seen_at > $3 AND signed_in_at > $4 RETURNING *",
        );
        let (idle, absolute) = self.limits(now);
        let row = self
            .db
            .execute_returning(query.bind(now.0).bind(sha256(token)).bind(idle).bind(absolute))
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The session behind a cookie, left as it is: a page asks how long it has.
    ///
    /// # Errors
    /// The database's.
    pub async fn peek(&self, token: &str) -> Result<Option<Session>, sqlx::Error> {
        let (idle, absolute) = self.limits(self.clock.now());
        let query = "SELECT * FROM sessions WHERE token_hash = $1 AND seen_at > $2 AND signed_in_at > $3";
        let row = sqlx::query(query)
            .bind(sha256(token))
            .bind(idle)
            .bind(absolute)
            .fetch_optional(self.db.pool())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Ends a session; returns its ID token, or nothing if it does not open or there was none.
    ///
    /// # Errors
    /// The database's.
    pub async fn end(&self, token: &str) -> Result<Option<String>, sqlx::Error> {
        let query = sqlx::query("DELETE FROM sessions WHERE token_hash = $1 RETURNING id_token");
        let row = self.db.execute_returning(query.bind(sha256(token))).await?;
        let sealed: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
        Ok(sealed.and_then(|sealed| self.sealer.open_text(&sealed).ok()))
    }

    /// Ends the sessions that came from a session at the provider, or all of a person; returns how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_for(&self, iss: &str, sid: Option<&str>, sub: Option<&str>) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(
            "DELETE FROM sessions WHERE iss = $1 AND ($2 = '' OR sid = $2) AND ($3 = '' OR sub = $3)
             AND ($2 <> '' OR $3 <> '')",
        );
        let query = query.bind(iss).bind(sid.unwrap_or_default()).bind(sub.unwrap_or_default());
        self.db.execute(query).await
    }

    /// Removes sessions that have ended by themselves; returns how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep(&self) -> Result<u64, sqlx::Error> {
        let (idle, absolute) = self.limits(self.clock.now());
        let query = sqlx::query("DELETE FROM sessions WHERE seen_at <= $1 OR signed_in_at <= $2");
        self.db.execute(query.bind(idle).bind(absolute)).await
    }

    /// A session lives while it was seen, and began, after these moments.
    fn limits(&self, now: Timestamp) -> (i64, i64) {
        (now.minus(self.rules.idle).0, now.minus(self.rules.absolute).0)
    }
}

fn read(row: &AnyRow) -> Result<Session, sqlx::Error> {
    let role = CareRole::from_word(row.try_get("care_role")?);
    let organisation: String = row.try_get("care_organisation")?;
    Ok(Session {
        key: row.try_get("token_hash")?,
        person: Person {
            iss: row.try_get("iss")?,
            sub: row.try_get("sub")?,
            name: row.try_get("name")?,
            email: row.try_get("email")?,
        },
        acr: row.try_get("acr")?,
        for_team: row.try_get::<String, _>("purpose")? == FOR_TEAM,
        care: role.map(|role| Care { role, organisation }),
        signed_in_at: Timestamp(row.try_get("signed_in_at")?),
        seen_at: Timestamp(row.try_get("seen_at")?),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::Store;

    const MINUTE: Duration = Duration::from_mins(1);

    async fn sessions() -> (Store, Clock, Sessions) {
        let store = Store::new().await;
        let clock = Clock::fixed(Timestamp(1_795_000_000_000));
        let rules = SessionRules { idle: MINUTE * 15, warn: MINUTE * 2, absolute: MINUTE * 60 };
        let sessions = Sessions::new(store.db.clone(), clock.clone(), rules, &store.root);
        (store, clock, sessions)
    }

    fn sign_in(sid: &str) -> SignIn {
        let person = Person { iss: "i".into(), sub: "s".into(), name: "Piet".into(), email: String::new() };
        let care = Some(Care { role: CareRole::CareTeam, organisation: "a".into() });
        SignIn {
            person,
            sid: sid.into(),
            acr: "code".into(),
            for_team: true,
            care,
            id_token: "ey.token".into(),
        }
    }

    #[tokio::test]
    async fn t32_idle_and_absolute_limits_hold_by_the_servers_clock_and_polling_extends_nothing() {
        let (_store, clock, sessions) = sessions().await;
        let random = Random::system();
        let token = sessions.start(&random, &sign_in("1"), None).await.unwrap();
        clock.advance(MINUTE * 14);
        assert!(sessions.touch(&token).await.unwrap().is_some());
        clock.advance(MINUTE * 14);
        // A page that asks how long there is left does not make it longer.
        assert!(sessions.peek(&token).await.unwrap().is_some());
        clock.advance(MINUTE);
        assert!(sessions.peek(&token).await.unwrap().is_none());
        assert!(sessions.touch(&token).await.unwrap().is_none(), "fifteen minutes idle");

        let token = sessions.start(&random, &sign_in("1"), None).await.unwrap();
        for _ in 0..5 {
            clock.advance(MINUTE * 11);
            assert!(sessions.touch(&token).await.unwrap().is_some());
        }
        clock.advance(MINUTE * 5);
        assert!(sessions.touch(&token).await.unwrap().is_none(), "an hour in all");
        assert_eq!(sessions.sweep().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn t31_a_sign_in_gives_a_new_session_and_the_old_one_is_dead() {
        let (store, _clock, sessions) = sessions().await;
        let old = sessions.start(&Random::system(), &sign_in("1"), None).await.unwrap();
        let new = sessions.start(&Random::system(), &sign_in("1"), Some(&old)).await.unwrap();
        assert!(sessions.touch(&old).await.unwrap().is_none());
        let session = sessions.touch(&new).await.unwrap().unwrap();
        assert_eq!(session.care.unwrap().organisation, "a");
        let stored: Vec<(String, String)> = sqlx::query_as("SELECT token_hash, id_token FROM sessions")
            .fetch_all(store.db.pool())
            .await
            .unwrap();
        assert!(stored.iter().all(|(hash, id_token)| *hash != new && !id_token.contains("ey.")));
        assert_eq!(sessions.end(&new).await.unwrap().as_deref(), Some("ey.token"));
        assert!(sessions.touch(&new).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_provider_ends_sessions_by_sid_or_by_subject_and_never_all() {
        let (_store, _clock, sessions) = sessions().await;
        let random = Random::system();
        let one = sessions.start(&random, &sign_in("1"), None).await.unwrap();
        let two = sessions.start(&random, &sign_in("2"), None).await.unwrap();
        assert_eq!(sessions.end_for("i", None, None).await.unwrap(), 0);
        assert_eq!(sessions.end_for("other", Some("1"), None).await.unwrap(), 0);
        assert_eq!(sessions.end_for("i", Some("1"), Some("s")).await.unwrap(), 1);
        assert!(sessions.peek(&one).await.unwrap().is_none());
        assert_eq!(sessions.end_for("i", None, Some("s")).await.unwrap(), 1);
        assert!(sessions.peek(&two).await.unwrap().is_none());
    }
}

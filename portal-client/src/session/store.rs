//! The rows of sessions, and the marks that ended ones leave.

use std::time::Duration;

use platform::clock::{Clock, Timestamp};
use platform::db::{Db, Query, Row, Write};
use platform::random::Random;
use platform::seal::{RootKey, Sealer, sha256};

use super::{Care, CareRole, Person, Session, SignIn};
use crate::config::SessionRules;

/// What the column `purpose` says of a session that was asked for with a care team's role.
const FOR_TEAM: &str = "team";
/// How long it is remembered that a session ended: longer than a provider's session should live.
const REMEMBERED: Duration = Duration::from_hours(24);

/// What came of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A session began; this is the token for its cookie.
    Begun(String),
    /// The provider has ended its session meanwhile (Back-Channel Logout 1.0): nobody is signed in.
    Ended,
    /// A session of the same sign-in ended here after the person last proved who they are.
    ProofTooOld,
}

/// What a mark is about, as the column `kind` has it.
#[derive(Clone, Copy)]
enum Kind {
    Sid,
    Sub,
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

    /// Starts a session, unless its sign-in is over already or too old; the session behind `old`, the
    /// cookie that the browser had, ends in the same step (T31).
    ///
    /// # Errors
    /// The database's; the old session lives on then.
    pub async fn start(
        &self,
        random: &Random,
        sign_in: &SignIn,
        old: Option<&str>,
    ) -> Result<Start, sqlx::Error> {
        let token = random.token();
        let now = self.clock.now();
        let (iss, sub, sid) = (&sign_in.person.iss, &sign_in.person.sub, &sign_in.sid);
        let old = old.map(sha256).unwrap_or_default();
        let mut write = self.db.begin_write().await?;
        // A logout token that comes now waits for these rows, and then finds the session.
        let ended =
            if sid.is_empty() { None } else { self.mark(&mut write, iss, Kind::Sid, sid, None).await? };
        // A person may sign in again after all their sessions were ended; what was issued before may not.
        let all_ended = self.mark(&mut write, iss, Kind::Sub, sub, None).await?;
        if ended.is_some() || all_ended.is_some_and(|at| at >= sign_in.issued_at) {
            return Ok(Start::Ended);
        }
        let proof = sign_in.authenticated_at.unwrap_or(Timestamp(i64::MIN));
        if self.ended_since(&mut write, (iss, sid), proof, &old).await? {
            return Ok(Start::ProofTooOld);
        }
        Query::new("DELETE FROM sessions WHERE token_hash = $1").bind(old).execute(&mut write).await?;
        let care = sign_in.care.as_ref();
        Query::new(
            "INSERT INTO sessions (token_hash, iss, sub, sid, name, email, acr, care_role, care_organisation,
               purpose, id_token, signed_in_at, seen_at, refresh_token, refreshed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $12)",
        )
        .bind(sha256(&token))
        .bind(iss)
        .bind(sub)
        .bind(sid)
        .bind(&sign_in.person.name)
        .bind(&sign_in.person.email)
        .bind(&sign_in.acr)
        .bind(care.map_or("", |care| care.role.word()))
        .bind(care.map_or("", |care| care.organisation.as_str()))
        .bind(if sign_in.for_team { FOR_TEAM } else { "" })
        .bind(self.sealer.seal(sign_in.id_token.as_bytes()))
        .bind(now.0)
        .bind(sign_in.refresh_token.as_ref().map(|token| self.sealer.seal(token.as_bytes())))
        .execute(&mut write)
        .await?;
        write.commit().await?;
        Ok(Start::Begun(token))
    }

    /// Whether it is time to tell the provider that somebody is here.
    pub fn is_refresh_due(&self, session: &Session) -> bool {
        self.rules.keeps_provider && session.refreshed_at <= self.clock.now().minus(self.rules.idle / 3)
    }

    /// The refresh token of a session, if it is due still; whoever gets it is the only one for a third of the idle time.
    pub async fn take_refresh_token(&self, session: &Session) -> Result<Option<String>, sqlx::Error> {
        let now = self.clock.now();
        let query = Query::new(
            "UPDATE sessions SET refreshed_at = $1
             WHERE token_hash = $2 AND refreshed_at <= $3 AND refresh_token IS NOT NULL RETURNING refresh_token",
        );
        let query = query.bind(now.0).bind(&session.key).bind(now.minus(self.rules.idle / 3).0);
        let Some(row) = self.db.execute_returning(query).await? else { return Ok(None) };
        Ok(self.sealer.open_text(row.try_get(0)?).ok())
    }

    /// Keeps the token that comes after; none if the provider takes no more.
    pub async fn keep_refresh_token(
        &self,
        session: &Session,
        token: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        let sealed = token.map(|token| self.sealer.seal(token.as_bytes()));
        let query = Query::new("UPDATE sessions SET refresh_token = $1 WHERE token_hash = $2");
        self.db.execute(query.bind(sealed).bind(&session.key)).await?;
        Ok(())
    }

    /// The session behind a cookie, extended: somebody did something.
    pub async fn touch(&self, token: &str) -> Result<Option<Session>, sqlx::Error> {
        let now = self.clock.now();
        let query = Query::new(
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
    pub async fn peek(&self, token: &str) -> Result<Option<Session>, sqlx::Error> {
        let (idle, absolute) = self.limits(self.clock.now());
        let query = "SELECT * FROM sessions WHERE token_hash = $1 AND seen_at > $2 AND signed_in_at > $3";
        let row =
            Query::new(query).bind(sha256(token)).bind(idle).bind(absolute).fetch_optional(&self.db).await?;
        row.as_ref().map(read).transpose()
    }

    /// Whose session a cookie is of (`iss`, `sub`), also if the session has ended by itself; not if somebody ended it.
    pub async fn person_behind(&self, token: &str) -> Result<Option<(String, String)>, sqlx::Error> {
        let query = Query::new("SELECT iss, sub FROM sessions WHERE token_hash = $1 AND ended_at IS NULL");
        let row = query.bind(sha256(token)).fetch_optional(&self.db).await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// Ends a session for good; returns its ID token, or nothing if it does not open or there was none. What
    /// stays is when it ended: the provider may not hear of it, and then only a new proof opens the next.
    pub async fn end(&self, token: &str, random: &Random) -> Result<Option<String>, sqlx::Error> {
        let mut write = self.db.begin_write().await?;
        let query = Query::new("SELECT id_token FROM sessions WHERE token_hash = $1");
        let row = query.bind(sha256(token)).fetch_optional(&mut write).await?;
        let sealed: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
        // No cookie leads to the row any more, and it names nobody.
        Query::new(
            "UPDATE sessions SET token_hash = $1, ended_at = $2, name = '', email = '', id_token = ''
             WHERE token_hash = $3",
        )
        .bind(format!("ended {}", random.id()))
        .bind(self.clock.now().0)
        .bind(sha256(token))
        .execute(&mut write)
        .await?;
        write.commit().await?;
        Ok(sealed.and_then(|sealed| self.sealer.open_text(&sealed).ok()))
    }

    /// Ends the sessions that came from a session at the provider, or all of a person, and those of sign-ins
    /// that are under way; returns how many there were. `issued_at` is when the provider said so.
    ///
    /// # Errors
    /// The database's; nothing has ended then.
    pub async fn end_for(
        &self,
        iss: &str,
        sid: Option<&str>,
        sub: Option<&str>,
        issued_at: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let (kind, name) = match (sid, sub) {
            (Some(sid), _) => (Kind::Sid, sid),
            (None, Some(sub)) => (Kind::Sub, sub),
            (None, None) => return Ok(0),
        };
        let mut write = self.db.begin_write().await?;
        self.mark(&mut write, iss, kind, name, Some(issued_at)).await?;
        let done = Query::new(
            "DELETE FROM sessions WHERE iss = $1 AND ($2 = '' OR sid = $2) AND ($3 = '' OR sub = $3)",
        )
        .bind(iss)
        .bind(sid.unwrap_or_default())
        .bind(sub.unwrap_or_default())
        .execute(&mut write)
        .await?;
        write.commit().await?;
        Ok(done)
    }

    /// Forgets sessions and marks that are old enough; returns how many sessions went.
    pub async fn sweep(&self) -> Result<u64, sqlx::Error> {
        let now = self.clock.now();
        let (idle, absolute) = self.limits(now.minus(REMEMBERED));
        let marks = Query::new(
            "DELETE FROM provider_sessions WHERE (iss, kind, name) IN
               (SELECT iss, kind, name FROM provider_sessions WHERE forget_at <= $1 ORDER BY forget_at LIMIT 100)",
        );
        self.db.remove_in_pieces(marks.bind(now.0)).await?;
        let mut removed = 0;
        for (text, before) in [
            (
                "DELETE FROM sessions WHERE token_hash IN
                   (SELECT token_hash FROM sessions WHERE seen_at <= $1 ORDER BY seen_at LIMIT 100)",
                idle,
            ),
            (
                "DELETE FROM sessions WHERE token_hash IN
                   (SELECT token_hash FROM sessions WHERE signed_in_at <= $1 ORDER BY signed_in_at LIMIT 100)",
                absolute,
            ),
            (
                "DELETE FROM sessions WHERE token_hash IN
                   (SELECT token_hash FROM sessions WHERE ended_at <= $1 ORDER BY ended_at LIMIT 100)",
                now.minus(REMEMBERED).0,
            ),
        ] {
            removed += self.db.remove_in_pieces(Query::new(text).bind(before)).await?;
        }
        Ok(removed)
    }

    /// Takes the row of a session or a person at the provider until `write` ends, and says when the provider
    /// ended it, if it did; `ended_at` says that it does now.
    async fn mark(
        &self,
        write: &mut Write,
        iss: &str,
        kind: Kind,
        name: &str,
        ended_at: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, sqlx::Error> {
        let row = Query::new(
            "INSERT INTO provider_sessions (iss, kind, name, ended_at, forget_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (iss, kind, name) DO UPDATE SET
               ended_at = CASE
                 WHEN provider_sessions.ended_at IS NULL OR excluded.ended_at > provider_sessions.ended_at
                 THEN excluded.ended_at ELSE provider_sessions.ended_at END,
               forget_at = excluded.forget_at
             RETURNING ended_at",
        )
        .bind(iss)
        .bind(match kind {
            Kind::Sid => "sid",
            Kind::Sub => "sub",
        })
        .bind(name)
        .bind(ended_at.map(|at| at.0))
        .bind(self.clock.now().plus(REMEMBERED).0)
        .fetch_one(&mut *write)
        .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp))
    }

    /// Whether a session of this sign-in at the provider ended here, by itself or by the person, after `proof`; not if
    /// the browser shows one that lives.
    async fn ended_since(
        &self,
        write: &mut Write,
        (iss, sid): (&str, &str),
        proof: Timestamp,
        old: &str,
    ) -> Result<bool, sqlx::Error> {
        let (idle, absolute) = self.limits(self.clock.now());
        let (idle_of_proof, absolute_of_proof) = self.limits(proof);
        let row = Query::new(
            "SELECT COUNT(*) FROM sessions WHERE iss = $1 AND sid = $2 AND sid <> ''
             AND (ended_at > $3 OR ended_at IS NULL
               AND (seen_at <= $4 AND seen_at > $5 OR signed_in_at <= $6 AND signed_in_at > $7))
             AND NOT EXISTS (SELECT 1 FROM sessions lives WHERE lives.token_hash = $8
               AND lives.iss = $1 AND lives.sid = $2 AND lives.seen_at > $4 AND lives.signed_in_at > $6)",
        )
        .bind(iss)
        .bind(sid)
        .bind(proof.0)
        .bind(idle)
        .bind(idle_of_proof)
        .bind(absolute)
        .bind(absolute_of_proof)
        .bind(old)
        .fetch_one(&mut *write)
        .await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// A session lives at `now` while it was seen, and began, after these moments.
    fn limits(&self, now: Timestamp) -> (i64, i64) {
        (now.minus(self.rules.idle).0, now.minus(self.rules.absolute).0)
    }
}

fn read(row: &Row) -> Result<Session, sqlx::Error> {
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
        refreshed_at: Timestamp(row.try_get("refreshed_at")?),
    })
}

//! The care team's acts on links and the log of them: who did what to whose access, when and why. The rows of
//! links themselves are `links`'.

use platform::clock::Timestamp;
use platform::db::{Db, Query, Row, Write};
use platform::request_log::current_request;

use crate::config::TeamAcr;
use crate::links::Link;
use crate::paging::{Page, Paged};
use crate::session::{Care, Person, Session};

/// Something done to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Requested,
    Withdrawn,
    CodeIssued,
    CodeVoided,
    Activated,
    LevelFull,
    LevelLimited,
    Ended,
}

impl Act {
    /// The word in the log and in translation keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Withdrawn => "withdrawn",
            Self::CodeIssued => "code-issued",
            Self::CodeVoided => "code-voided",
            Self::Activated => "activated",
            Self::LevelFull => "level-full",
            Self::LevelLimited => "level-limited",
            Self::Ended => "ended",
        }
    }
}

/// Why somebody may not be at the care team's desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAtDesk {
    /// Signed in without the second factor, or without asking for the role: sign in again, for the desk.
    StepUp,
    /// Signed in for the desk, and no member of a care team.
    NoRole,
}

/// The role and organisation by which a session may use the desk (T46: role and second factor, by the values of `acr` that
/// are `enough`).
///
/// # Errors
/// [`NotAtDesk`], which says what would help.
pub fn desk<'a>(session: &'a Session, enough: &TeamAcr) -> Result<&'a Care, NotAtDesk> {
    if !enough.accepts(&session.acr) || !session.for_team {
        return Err(NotAtDesk::StepUp);
    }
    session.care.as_ref().ok_or(NotAtDesk::NoRole)
}

/// Whether a member of the team may act on a link: never on their own (T46).
pub fn may_act_on(member: &Person, link: &Link) -> bool {
    !link.person.is(&member.iss, &member.sub)
}

/// An act as it is done.
#[derive(Clone, Copy, Debug)]
pub struct AuditEntry<'a> {
    pub actor: &'a Person,
    pub link: &'a str,
    pub organisation: &'a str,
    pub act: Act,
    /// Empty for what people do with their own.
    pub reason: &'a str,
}

impl<'a> AuditEntry<'a> {
    /// What somebody does to a link.
    pub fn new(actor: &'a Person, link: &'a Link, act: Act, reason: &'a str) -> Self {
        Self { actor, link: &link.id, organisation: &link.organisation, act, reason }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub person_name: String,
    pub act: String,
    pub reason: String,
}

/// The log in the database; lines are only ever added.
#[derive(Clone, Debug)]
pub struct Audit(Db);

impl Audit {
    pub fn new(db: Db) -> Self {
        Self(db)
    }

    /// Removes the rows from before a moment.
    pub async fn forget(&self, before: Timestamp) -> Result<u64, sqlx::Error> {
        let text = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY at LIMIT 100)";
        self.0.remove_in_pieces(Query::new(text).bind(before.0)).await
    }

    /// Adds a line to the transaction of the act that it is about: neither stands without the other.
    pub async fn add(
        &self,
        write: &mut Write,
        id: &str,
        deed: AuditEntry<'_>,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let query = Query::new(
            "INSERT INTO audit (id, at, iss, sub, person_name, organisation, link_id, act, reason, request_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        );
        let query = query
            .bind(id)
            .bind(now.0)
            .bind(&deed.actor.iss)
            .bind(&deed.actor.sub)
            .bind(&deed.actor.name)
            .bind(deed.organisation)
            .bind(deed.link)
            .bind(deed.act.word())
            .bind(deed.reason)
            .bind(current_request());
        query.execute(write).await.map(|_| ())
    }

    /// A page of what was done to a link, newest first.
    pub async fn of_link(&self, link: &str, page: Page) -> Result<Paged<Entry>, sqlx::Error> {
        let rows = Query::new(
            "SELECT at, person_name, act, reason FROM audit WHERE link_id = $1
             ORDER BY at DESC, id DESC LIMIT $2 OFFSET $3",
        )
        .bind(link)
        .bind(page.limit())
        .bind(page.offset())
        .fetch_all(&self.0)
        .await?;
        let entry = |row: &Row| -> Result<Entry, sqlx::Error> {
            Ok(Entry {
                at: Timestamp(row.try_get(0)?),
                person_name: row.try_get(1)?,
                act: row.try_get(2)?,
                reason: row.try_get(3)?,
            })
        };
        let entries: Result<Vec<Entry>, sqlx::Error> = rows.iter().map(entry).collect();
        Ok(page.of(entries?))
    }
}

//! The rows of links, as a care team needs them. Every statement names the organisation: a team cannot reach
//! another's rows, whatever identifier it sends (T46).

use platform::clock::Timestamp;
use platform::db::{Query, Write};

use super::code::ActivationCode;
use super::store::read;
use super::{Level, Link, Links};
use crate::paging::{Page, Paged};

/// A code to be issued.
#[derive(Clone, Copy, Debug)]
pub struct NewCode<'a> {
    pub code: &'a ActivationCode,
    pub dossier: &'a str,
    pub level: Level,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Links {
    /// A page of what an organisation has to do and has done: requests, then links that are open, then those that
    /// have ended, each newest first.
    pub async fn of_organisation(&self, organisation: &str, page: Page) -> Result<Paged<Link>, sqlx::Error> {
        let query = "SELECT * FROM links WHERE organisation = $1
             ORDER BY CASE WHEN ended_at IS NOT NULL THEN 2 WHEN activated_at IS NOT NULL THEN 1 ELSE 0 END,
               requested_at DESC, id LIMIT $2 OFFSET $3";
        let query = Query::new(query).bind(organisation).bind(page.limit()).bind(page.offset());
        let rows = query.fetch_all(&self.db).await?;
        let links: Result<Vec<Link>, sqlx::Error> = rows.iter().map(read).collect();
        Ok(page.of(links?))
    }

    /// One link of an organisation.
    pub async fn in_organisation(&self, id: &str, organisation: &str) -> Result<Option<Link>, sqlx::Error> {
        let query = "SELECT * FROM links WHERE id = $1 AND organisation = $2";
        let row = Query::new(query).bind(id).bind(organisation).fetch_optional(&self.db).await?;
        row.as_ref().map(read).transpose()
    }

    /// Issues a code for a request, for this dossier at this level; the code before it is void. False if
    /// the request is not there to be opened any more.
    pub async fn issue_code(
        &self,
        write: &mut Write,
        link: &Link,
        new: NewCode<'_>,
    ) -> Result<bool, sqlx::Error> {
        let query = Query::new(
            "UPDATE links SET dossier_id = $1, level = $2, code_hash = $3, code_issued_at = $4,
               code_expires_at = $5, code_failures = 0
             WHERE id = $6 AND organisation = $7 AND activated_at IS NULL AND ended_at IS NULL",
        );
        let query = query
            .bind(new.dossier)
            .bind(new.level.word())
            .bind(self.codes.hash(&link.id, new.code))
            .bind(new.issued_at.0)
            .bind(new.expires_at.0)
            .bind(&link.id)
            .bind(&link.organisation);
        Ok(query.execute(write).await? == 1)
    }

    /// Makes the code of a request worthless; false if there was none.
    pub async fn void_code(&self, write: &mut Write, link: &Link) -> Result<bool, sqlx::Error> {
        let query = Query::new(
            "UPDATE links SET code_hash = NULL
             WHERE id = $1 AND organisation = $2 AND code_hash IS NOT NULL AND ended_at IS NULL",
        );
        let query = query.bind(&link.id).bind(&link.organisation);
        Ok(query.execute(write).await? == 1)
    }

    /// Sets how much an open link shows; false if it is not open.
    pub async fn set_level(&self, write: &mut Write, link: &Link, level: Level) -> Result<bool, sqlx::Error> {
        let query = Query::new(
            "UPDATE links SET level = $1
             WHERE id = $2 AND organisation = $3 AND activated_at IS NOT NULL AND ended_at IS NULL",
        );
        let query = query.bind(level.word()).bind(&link.id).bind(&link.organisation);
        Ok(query.execute(write).await? == 1)
    }
}

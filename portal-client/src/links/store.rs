//! The rows of links, as their holders need them: ask, withdraw, activate, read, end. What changes a row is part
//! of a transaction, so that the line about it stands or falls with it.

use platform::clock::Timestamp;
use platform::db::{Db, Query, Row, Write};
use platform::seal::{Hasher, RootKey, SealError, Sealer};

use super::code::CodeHasher;
use super::{IssuedCode, Level, Link, Relation, State};
use crate::dossiers::identity::{BirthDate, Bsn, Matcher};
use crate::session::Person;

/// What somebody filled in to ask for access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRequest {
    pub relation: Relation,
    pub birth_date: BirthDate,
    pub bsn: Bsn,
    pub organisation: String,
}

/// The links in the database.
#[derive(Clone, Debug)]
pub struct Links {
    pub(super) db: Db,
    pub(super) codes: CodeHasher,
    matcher: Matcher,
    bsn: Sealer,
    birth_date: Sealer,
    open_keys: Hasher,
}

impl Links {
    pub fn new(db: Db, root: &RootKey) -> Self {
        Self {
            db,
            codes: CodeHasher::new(root),
            matcher: Matcher::new(root),
            bsn: root.sealer("link bsn"),
            birth_date: root.sealer("link birth date"),
            open_keys: root.hasher("link open key"),
        }
    }

    /// Keeps a request and returns its identifier. Whether there is such a client is not looked at here, so
    /// this does and takes the same for every combination (T43). Asking again for the same client gives
    /// the request that stands.
    pub async fn request(
        &self,
        write: &mut Write,
        id: &str,
        person: &Person,
        request: &NewRequest,
        now: Timestamp,
    ) -> Result<String, sqlx::Error> {
        let match_hash = self.matcher.key(&request.organisation, &request.bsn, request.birth_date);
        let open_key = self.open_keys.hash(&format!("{}\n{}\n{match_hash}", person.iss, person.sub));
        let query = Query::new(
            "INSERT INTO links (id, iss, sub, person_name, person_email, relation, organisation, match_hash,
               bsn, birth_date, open_key, requested_at, level, code_failures)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0)
             ON CONFLICT (open_key) DO UPDATE SET person_name = excluded.person_name
             RETURNING id",
        );
        let level = if request.relation == Relation::ContactPerson { Level::Limited } else { Level::Full };
        let query = query
            .bind(id)
            .bind(&person.iss)
            .bind(&person.sub)
            .bind(&person.name)
            .bind(&person.email)
            .bind(request.relation.word())
            .bind(&request.organisation)
            .bind(match_hash)
            .bind(self.bsn.seal(request.bsn.reveal().as_bytes()))
            .bind(self.birth_date.seal(request.birth_date.iso().as_bytes()))
            .bind(open_key)
            .bind(now.0)
            .bind(level.word());
        query.fetch_one(&mut *write).await?.try_get(0)
    }

    /// The links of a person that have not ended, oldest first.
    pub async fn of_person(&self, iss: &str, sub: &str) -> Result<Vec<Link>, sqlx::Error> {
        let query = "SELECT * FROM links WHERE iss = $1 AND sub = $2 AND ended_at IS NULL
             ORDER BY requested_at, id";
        let rows = Query::new(query).bind(iss).bind(sub).fetch_all(&self.db).await?;
        rows.iter().map(read).collect()
    }

    /// A person's own link that has not ended.
    pub async fn own(&self, id: &str, person: &Person) -> Result<Option<Link>, sqlx::Error> {
        let links = self.of_person(&person.iss, &person.sub).await?;
        Ok(links.into_iter().find(|link| link.id == id))
    }

    /// The link by which a person may open a dossier now.
    pub async fn opening(&self, dossier: &str, person: &Person) -> Result<Option<Link>, sqlx::Error> {
        let links = self.of_person(&person.iss, &person.sub).await?;
        Ok(links.into_iter().find(|link| link.opens() == Some(dossier)))
    }

    /// Everyone's links that open a dossier now, longest first.
    pub async fn of_dossier(&self, dossier: &str) -> Result<Vec<Link>, sqlx::Error> {
        let query = "SELECT * FROM links
             WHERE dossier_id = $1 AND activated_at IS NOT NULL AND ended_at IS NULL ORDER BY activated_at, id";
        let rows = Query::new(query).bind(dossier).fetch_all(&self.db).await?;
        rows.iter().map(read).collect()
    }

    /// Ends a link, which is gone at the next request; false if it had ended.
    pub async fn end(&self, write: &mut Write, id: &str, now: Timestamp) -> Result<bool, sqlx::Error> {
        let query = Query::new(
            "UPDATE links SET ended_at = $1, open_key = NULL, code_hash = NULL
             WHERE id = $2 AND ended_at IS NULL",
        );
        Ok(query.bind(now.0).bind(id).execute(write).await? == 1)
    }

    /// The client's number and date of birth as they were filled in, for a care team's page.
    ///
    /// # Errors
    /// If they were sealed with another root secret.
    pub fn reveal(&self, link: &Link) -> Result<(Bsn, BirthDate), SealError> {
        let bsn = Bsn::parse(&self.bsn.open_text(&link.sealed_bsn)?);
        let birth_date = BirthDate::from_iso(&self.birth_date.open_text(&link.sealed_birth_date)?);
        bsn.zip(birth_date).ok_or(SealError::DoesNotOpen)
    }
}

pub(super) fn read(row: &Row) -> Result<Link, sqlx::Error> {
    let strange = |column: &str| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: "a word this program does not know".into(),
    };
    let dossier: Option<String> = row.try_get("dossier_id")?;
    let activated_at: Option<i64> = row.try_get("activated_at")?;
    let ended_at: Option<i64> = row.try_get("ended_at")?;
    let code_hash: Option<String> = row.try_get("code_hash")?;
    let code_expires_at: Option<i64> = row.try_get("code_expires_at")?;
    let state = match (ended_at, activated_at, dossier) {
        (Some(at), _, dossier) => State::Ended { dossier, at: Timestamp(at) },
        (None, Some(since), Some(dossier)) => State::Active { dossier, since: Timestamp(since) },
        (None, _, _) => {
            let failures = row.try_get("code_failures")?;
            let code = code_hash
                .zip(code_expires_at)
                .map(|(_, at)| IssuedCode { expires_at: Timestamp(at), failures });
            State::Requested { code }
        }
    };
    Ok(Link {
        id: row.try_get("id")?,
        person: Person {
            iss: row.try_get("iss")?,
            sub: row.try_get("sub")?,
            name: row.try_get("person_name")?,
            email: row.try_get("person_email")?,
        },
        relation: Relation::from_word(row.try_get("relation")?).ok_or_else(|| strange("relation"))?,
        level: Level::from_word(row.try_get("level")?).ok_or_else(|| strange("level"))?,
        organisation: row.try_get("organisation")?,
        requested_at: Timestamp(row.try_get("requested_at")?),
        state,
        match_hash: row.try_get("match_hash")?,
        sealed_bsn: row.try_get("bsn")?,
        sealed_birth_date: row.try_get("birth_date")?,
    })
}

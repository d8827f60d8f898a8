//! Who looked where: one row for every look at a dossier, allowed or refused, with the fields that NEN 7513
//! asks for. Rows are only ever added.

use sqlx::Row as _;
use web::clock::Timestamp;
use web::db::Db;

use crate::dossiers::Section;
use crate::links::Act;
use crate::session::Person;

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Refused,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
        }
    }
}

/// A look, as it happens.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub person: &'a Person,
    /// The relation by which the person had access; `None` if there was no access at all.
    pub relation: Option<&'static str>,
    /// The link that gave access; empty if there was none.
    pub link: &'a str,
    pub organisation: &'a str,
    pub dossier: &'a str,
    pub section: Section,
    pub act: Act,
    pub outcome: Outcome,
}

/// A look, as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub person_name: String,
    pub relation: String,
    pub section: String,
    pub action: String,
    pub outcome: String,
}

/// The log in the database.
#[derive(Clone, Debug)]
pub struct AccessLog(Db);

impl AccessLog {
    pub fn new(db: Db) -> Self {
        Self(db)
    }

    /// Adds a row. Whoever shows a dossier does this first: what cannot be logged is not shown.
    ///
    /// # Errors
    /// The database's.
    pub async fn add(&self, id: &str, look: Look<'_>, now: Timestamp) -> Result<(), sqlx::Error> {
        let query = sqlx::query(
            "INSERT INTO access_log (id, at, iss, sub, person_name, relation, link_id, organisation,
               dossier_id, section, action, outcome)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        );
        let query = query
            .bind(id)
            .bind(now.0)
            .bind(&look.person.iss)
            .bind(&look.person.sub)
            .bind(&look.person.name)
            .bind(look.relation.unwrap_or("none"))
            .bind(look.link)
            .bind(look.organisation)
            .bind(look.dossier)
            .bind(look.section.slug())
            .bind(look.act.word())
            .bind(look.outcome.word());
        self.0.execute(query).await.map(|_| ())
    }

    /// The latest looks at a dossier, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_dossier(&self, dossier: &str, limit: i64) -> Result<Vec<Entry>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT at, person_name, relation, section, action, outcome FROM access_log
             WHERE dossier_id = $1 ORDER BY at DESC, id DESC LIMIT $2",
        )
        .bind(dossier)
        .bind(limit)
        .fetch_all(self.0.pool())
        .await?;
        let entry = |row: &sqlx::any::AnyRow| -> Result<Entry, sqlx::Error> {
            Ok(Entry {
                at: Timestamp(row.try_get(0)?),
                person_name: row.try_get(1)?,
                relation: row.try_get(2)?,
                section: row.try_get(3)?,
                action: row.try_get(4)?,
                outcome: row.try_get(5)?,
            })
        };
        rows.iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn t44_refused_looks_are_kept_beside_allowed_ones() {
        let store = crate::testing::Store::new().await;
        let log = AccessLog::new(store.db.clone());
        let person = Person { iss: "i".into(), sub: "s".into(), name: "Piet".into(), email: String::new() };
        let look = Look {
            person: &person,
            relation: Some("client"),
            link: "l",
            organisation: "a",
            dossier: "d",
            section: Section::Medical,
            act: Act::Read,
            outcome: Outcome::Allowed,
        };
        log.add("1", look, Timestamp(1)).await.unwrap();
        log.add("2", Look { outcome: Outcome::Refused, relation: None, link: "", ..look }, Timestamp(2))
            .await
            .unwrap();
        let entries = log.of_dossier("d", 10).await.unwrap();
        let outcomes: Vec<&str> = entries.iter().map(|entry| entry.outcome.as_str()).collect();
        assert_eq!(outcomes, ["refused", "allowed"]);
        assert_eq!((entries[0].relation.as_str(), entries[0].section.as_str()), ("none", "medical"));
    }
}

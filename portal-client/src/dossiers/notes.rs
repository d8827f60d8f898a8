//! What people write in a dossier through the portal: sealed texts, each with its author. Everybody has a text of their own in
//! a life story; a new one takes the place of their last one, which is kept, and never of another's.

use platform::clock::Timestamp;
use platform::db::{Db, Query, Row, Write};
use platform::seal::{RootKey, Sealer};

use crate::paging::{Page, Paged};
use crate::session::Person;

/// What a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    ThisIsMe,
    MyLife,
    Report,
    /// A personal appointment.
    Appointment,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::ThisIsMe => "this-is-me",
            Self::MyLife => "my-life",
            Self::Report => "report",
            Self::Appointment => "appointment",
        }
    }

    /// Whether a new one takes the place of its writer's last.
    fn stands_alone(self) -> bool {
        matches!(self, Self::ThisIsMe | Self::MyLife)
    }
}

/// A note that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub id: String,
    pub body: String,
    pub author: String,
    iss: String,
    sub: String,
    pub written_at: Timestamp,
}

impl Note {
    /// Whether this person wrote it.
    pub fn is_by(&self, person: &Person) -> bool {
        person.is(&self.iss, &self.sub)
    }
}

/// Who writes, and where.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub name: &'a str,
    pub dossier: &'a str,
}

/// The notes in the database.
#[derive(Clone, Debug)]
pub struct Notes {
    db: Db,
    sealer: Sealer,
}

impl Notes {
    pub fn new(db: Db, root: &RootKey) -> Self {
        Self { db, sealer: root.sealer("note") }
    }

    /// The notes of one kind that stand, newest first. One that does not open (sealed with another root
    /// secret) is left out and logged.
    pub async fn list(&self, dossier: &str, kind: Kind) -> Result<Vec<Note>, sqlx::Error> {
        self.read(dossier, kind, i64::MAX, 0)
            .await?
            .iter()
            .filter_map(|row| self.open(row).transpose())
            .collect()
    }

    /// A page of [`Notes::list`].
    pub async fn page(&self, dossier: &str, kind: Kind, page: Page) -> Result<Paged<Note>, sqlx::Error> {
        let Paged { rows, next } = page.of(self.read(dossier, kind, page.limit(), page.offset()).await?);
        let notes: Result<_, sqlx::Error> =
            rows.iter().filter_map(|row| self.open(row).transpose()).collect();
        Ok(Paged { rows: notes?, next })
    }

    async fn read(
        &self,
        dossier: &str,
        kind: Kind,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Row>, sqlx::Error> {
        let query = Query::new(
            "SELECT id, body, person_name, written_at, iss, sub FROM notes
             WHERE dossier_id = $1 AND kind = $2 AND replaced_at IS NULL
             ORDER BY written_at DESC, id LIMIT $3 OFFSET $4",
        );
        let query = query.bind(dossier).bind(kind.word()).bind(limit).bind(offset);
        query.fetch_all(&self.db).await
    }

    fn open(&self, row: &Row) -> Result<Option<Note>, sqlx::Error> {
        let id: String = row.try_get(0)?;
        match self.sealer.open_text(row.try_get(1)?) {
            Ok(body) => {
                let (author, written_at) = (row.try_get(2)?, Timestamp(row.try_get(3)?));
                let (iss, sub) = (row.try_get(4)?, row.try_get(5)?);
                Ok(Some(Note { id, body, author, iss, sub, written_at }))
            }
            Err(error) => {
                tracing::error!(note = %id, %error, "a note does not open");
                Ok(None)
            }
        }
    }

    /// Writes a note; of a life story, its writer's one before is replaced in the same transaction. One with this
    /// `id` that was written before is this one, and stays.
    pub async fn write(
        &self,
        write: &mut Write,
        id: &str,
        writer: Writer<'_>,
        kind: Kind,
        body: &str,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        if kind.stands_alone() {
            let query = Query::new(
                "UPDATE notes SET replaced_at = $1
                 WHERE dossier_id = $2 AND kind = $3 AND iss = $4 AND sub = $5 AND replaced_at IS NULL AND id <> $6",
            );
            let query = query.bind(now.0).bind(writer.dossier).bind(kind.word()).bind(writer.iss);
            query.bind(writer.sub).bind(id).execute(write).await?;
        }
        self.insert(write, id, writer, kind, body, now).await
    }

    /// Puts a new text in the place of note `old`, or takes it away when `body` is `None`; false if that
    /// note is not there (any more).
    pub async fn change(
        &self,
        write: &mut Write,
        old: &str,
        new: Option<(&str, &str)>,
        writer: Writer<'_>,
        kind: Kind,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        if self.replace(write, writer.dossier, kind, old, now).await? == 0 {
            return Ok(false);
        }
        if let Some((id, body)) = new {
            self.insert(write, id, writer, kind, body, now).await?;
        }
        Ok(true)
    }

    async fn replace(
        &self,
        write: &mut Write,
        dossier: &str,
        kind: Kind,
        only: &str,
        now: Timestamp,
    ) -> Result<u64, sqlx::Error> {
        let done = Query::new(
            "UPDATE notes SET replaced_at = $1
             WHERE dossier_id = $2 AND kind = $3 AND replaced_at IS NULL AND id = $4",
        )
        .bind(now.0)
        .bind(dossier)
        .bind(kind.word())
        .bind(only)
        .execute(write)
        .await?;
        Ok(done)
    }

    async fn insert(
        &self,
        write: &mut Write,
        id: &str,
        writer: Writer<'_>,
        kind: Kind,
        body: &str,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        Query::new(
            "INSERT INTO notes (id, dossier_id, kind, body, iss, sub, person_name, written_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(writer.dossier)
        .bind(kind.word())
        .bind(self.sealer.seal(body.as_bytes()))
        .bind(writer.iss)
        .bind(writer.sub)
        .bind(writer.name)
        .bind(now.0)
        .execute(write)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_life_story_has_a_text_of_each_writer_and_reports_pile_up_and_both_are_sealed() {
        let store = crate::testing::Store::new().await;
        let notes = Notes::new(store.db.clone(), &store.root);
        let writer = Writer { iss: "i", sub: "s", name: "Piet", dossier: "d" };
        let texts = [
            ("1", Kind::ThisIsMe, "koffie"),
            ("2", Kind::ThisIsMe, "thee"),
            ("3", Kind::Report, "goed"),
            ("4", Kind::Report, "beter"),
        ];
        for (at, (id, kind, text)) in (1..).zip(texts) {
            let mut write = store.db.begin_write().await.unwrap();
            notes.write(&mut write, id, writer, kind, text, Timestamp(at)).await.unwrap();
            write.commit().await.unwrap();
        }
        let bodies = |list: Vec<Note>| list.into_iter().map(|note| note.body).collect::<Vec<_>>();
        assert_eq!(bodies(notes.list("d", Kind::ThisIsMe).await.unwrap()), ["thee"]);
        let sister = Writer { sub: "s2", name: "Marjan", ..writer };
        let mut write = store.db.begin_write().await.unwrap();
        notes.write(&mut write, "6", sister, Kind::ThisIsMe, "water", Timestamp(5)).await.unwrap();
        notes.write(&mut write, "6", sister, Kind::ThisIsMe, "water", Timestamp(6)).await.unwrap();
        write.commit().await.unwrap();
        let both = notes.list("d", Kind::ThisIsMe).await.unwrap();
        assert_eq!(
            both.iter().map(|note| (note.author.as_str(), note.body.as_str())).collect::<Vec<_>>(),
            [("Marjan", "water"), ("Piet", "thee")],
            "neither takes the other's place or name, and the same one twice is one"
        );
        assert_eq!(bodies(notes.list("d", Kind::Report).await.unwrap()), ["beter", "goed"]);
        assert!(notes.list("other", Kind::Report).await.unwrap().is_empty());
        let mut write = store.db.begin_write().await.unwrap();
        let new = Some(("5", "prima"));
        assert!(notes.change(&mut write, "3", new, writer, Kind::Report, Timestamp(5)).await.unwrap());
        let again = notes.change(&mut write, "3", None, writer, Kind::Report, Timestamp(6)).await.unwrap();
        assert!(!again, "replaced already");
        write.commit().await.unwrap();
        assert_eq!(bodies(notes.list("d", Kind::Report).await.unwrap()), ["prima", "beter"]);
        let stored = Query::new("SELECT body FROM notes").fetch_all(&store.db).await.unwrap();
        assert!(stored.iter().all(|row| !row.try_get::<String, _>(0).unwrap().contains("thee")));
    }
}

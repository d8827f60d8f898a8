//! What tables a program needs, what tables a database has, and whether the two go together.

use include_dir::Dir;
use sqlx::migrate::{Migrate as _, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, Connection as _, Row as _};

use super::{Db, Engine, Found, OpenError, Query};
use crate::seal::RootKey;

/// The tables of a program.
#[derive(Debug)]
pub struct Schema {
    /// The name of its binary.
    pub program: &'static str,
    /// Files named `NNNN_what_it_does.sql`.
    pub migrations: &'static Dir<'static>,
    /// A query for one sealed value, and what it was sealed for: proves the root key where the database does not say.
    pub witness: (&'static str, &'static str),
    /// Tables whose rows are counted for whoever copies or restores a database.
    pub counted: &'static [&'static str],
}

/// Sealed with the root key into every database.
const PROOF: (&str, &[u8]) = ("root key", b"this is the key");

impl Schema {
    pub(super) fn migrations(&self) -> Result<Migrator, OpenError> {
        let mut migrations = Vec::new();
        for file in self.migrations.files() {
            let name = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let (version, description) = name
                .split_once('_')
                .and_then(|(number, words)| Some((number.parse::<i64>().ok()?, words.replace('_', " "))))
                .ok_or_else(|| OpenError::MigrationName(name.clone()))?;
            let sql = file.contents_utf8().ok_or_else(|| OpenError::MigrationName(name.clone()))?;
            let text = sqlx::SqlStr::from_static(sql);
            migrations.push(Migration::new(version, description.into(), MigrationType::Simple, text, false));
        }
        let mut migrator = Migrator::with_migrations(migrations);
        // A newer program's are looked at in [`Schema::goes_with`].
        migrator.set_ignore_missing(true);
        Ok(migrator)
    }

    /// The schema of a database; `None` if it has no table of this kind.
    pub(super) async fn found(
        &self,
        connection: &mut AnyConnection,
        place: &str,
    ) -> Result<Option<Found>, OpenError> {
        let migrator = self.migrations()?;
        let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
        let text = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
        let rows = match sqlx::query(text).fetch_all(connection).await {
            Err(error) if is_missing_table(&error) => return Ok(None),
            rows => rows.map_err(|error| OpenError::of(place, error))?,
        };
        let mut version = 0;
        for row in &rows {
            version = row.try_get(0).map_err(|error| OpenError::of(place, error))?;
            let checksum: Vec<u8> = row.try_get(1).map_err(|error| OpenError::of(place, error))?;
            let own = migrator.iter().find(|migration| migration.version == version);
            if own.is_some_and(|own| *own.checksum != checksum[..]) {
                return Err(OpenError::Foreign { place: place.to_owned(), program: self.program });
            }
        }
        Ok((version > 0).then_some(Found { version, known }))
    }

    /// Whether this program may work with a database of `found`: a newer one says which is the oldest program for it.
    pub(super) async fn goes_with(
        &self,
        connection: &mut AnyConnection,
        found: Found,
        place: &str,
    ) -> Result<(), OpenError> {
        if found.version <= found.known {
            return Ok(());
        }
        let oldest =
            fact(connection, "oldest_schema", place).await?.and_then(|text| text.parse::<i64>().ok());
        if oldest.is_some_and(|oldest| oldest <= found.known) {
            return Ok(());
        }
        Err(OpenError::SchemaNewer { place: place.to_owned(), found, program: self.program })
    }

    /// Whether the database was made with this root key. One without sealed values was made with any.
    pub(super) async fn knows_root(
        &self,
        connection: &mut AnyConnection,
        root: &RootKey,
        place: &str,
    ) -> Result<(), OpenError> {
        let (sealed, purpose) = if let Some(sealed) = fact(connection, "root_key", place).await? {
            (sealed, PROOF.0)
        } else {
            let row = sqlx::query(self.witness.0).fetch_optional(connection).await;
            let Some(row) = row.map_err(|error| OpenError::of(place, error))? else { return Ok(()) };
            (row.try_get(0).map_err(|error| OpenError::of(place, error))?, self.witness.1)
        };
        match root.sealer(purpose).open(&sealed) {
            Ok(_) => Ok(()),
            Err(_) => Err(OpenError::WrongRoot { place: place.to_owned() }),
        }
    }

    /// Whether [`Schema::apply`] would change nothing: every migration is there, none failed, and the root key is known.
    pub(super) async fn lacks_nothing(
        &self,
        connection: &mut AnyConnection,
        place: &str,
    ) -> Result<bool, OpenError> {
        let migrator = self.migrations()?;
        let failed = connection.dirty_version(&migrator.table_name).await.map_err(OpenError::Migrate)?;
        let applied =
            connection.list_applied_migrations(&migrator.table_name).await.map_err(OpenError::Migrate)?;
        let is_applied = |own: &Migration| applied.iter().any(|applied| applied.version == own.version);
        let is_complete = failed.is_none() && migrator.iter().all(is_applied);
        Ok(is_complete && fact(connection, "root_key", place).await?.is_some())
    }

    /// Applies what is missing. On PostgreSQL sqlx holds a lock meanwhile; on SQLite it is one transaction, and whoever
    /// opens holds a lock on the folder.
    pub(super) async fn apply(
        &self,
        connection: &mut AnyConnection,
        engine: Engine,
        root: &RootKey,
        place: &str,
    ) -> Result<(), OpenError> {
        let migrator = self.migrations()?;
        match engine {
            Engine::Sqlite => {
                let begun = connection.begin_with("BEGIN IMMEDIATE").await;
                let mut transaction = begun.map_err(|error| OpenError::of(place, error))?;
                migrator.run(&mut *transaction).await.map_err(OpenError::Migrate)?;
                transaction.commit().await.map_err(|error| OpenError::of(place, error))?;
            }
            Engine::Postgres => migrator.run(&mut *connection).await.map_err(OpenError::Migrate)?,
        }
        // The first one to write it is right; whoever comes with another key reads it next.
        let text = "INSERT INTO facts (name, value) VALUES ('root_key', $1) ON CONFLICT (name) DO NOTHING";
        let proof = root.sealer(PROOF.0).seal(PROOF.1);
        sqlx::query(text)
            .bind(proof)
            .execute(&mut *connection)
            .await
            .map_err(|error| OpenError::of(place, error))?;
        self.knows_root(connection, root, place).await
    }

    /// How many rows the counted tables have, as far as they are there: an older version has fewer.
    pub(super) async fn counts(&self, db: &Db, place: &str) -> Result<Vec<(&'static str, i64)>, OpenError> {
        let mut counts = Vec::new();
        for table in self.counted {
            let text = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
            let rows = match db.apart(Query::new(text)).await {
                Err(error) if is_missing_table(&error) => continue,
                rows => rows.map_err(|error| OpenError::of(place, error))?,
            };
            let count = rows.first().ok_or(sqlx::Error::RowNotFound).and_then(|row| row.try_get(0));
            counts.push((*table, count.map_err(|error| OpenError::of(place, error))?));
        }
        Ok(counts)
    }
}

/// What a database says of itself; nothing in one of before there was such a table.
async fn fact(connection: &mut AnyConnection, name: &str, place: &str) -> Result<Option<String>, OpenError> {
    let query = sqlx::query("SELECT value FROM facts WHERE name = $1").bind(name);
    let row = match query.fetch_optional(connection).await {
        Err(error) if is_missing_table(&error) => None,
        row => row.map_err(|error| OpenError::of(place, error))?,
    };
    row.map(|row| row.try_get(0)).transpose().map_err(|error| OpenError::of(place, error))
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
}

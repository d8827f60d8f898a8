//! How a database is opened: by a server, which makes what is missing, or by a command, which makes nothing.

use std::fs::File;
use std::path::Path;

use sqlx::{AnyConnection, Connection as _, Row as _};

use super::place::{self, Place, State, make_private};
use super::postgres::{Postgres, patiently};
use super::schema::Schema;
use super::sqlite::Sqlite;
use super::{Connected, Db, Engine, Found, OpenError};
use crate::seal::RootKey;

/// Which schema a command can work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// All tables of this program.
    Current,
    /// Whatever an earlier version of it left: to copy it, or to bring it up to date.
    Any,
}

impl Db {
    /// Opens `url` for a server: makes the database if there is none, and applies what is missing of the schema. Of
    /// several that come at once, one does it and the others wait.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong; nothing is half applied.
    pub async fn open(url: &str, schema: &Schema, root: &RootKey) -> Result<Self, OpenError> {
        let place = Place::parse(url)?;
        let shown = place.shown();
        let _lock = lock(&place).await?;
        let mut is_new = false;
        if let Some(file) = place.file() {
            is_new = make(file)?;
        }
        let mut first = connect(&place, &shown).await?;
        let opened = async {
            let (is_new, found) = bring_up(&mut first, place.engine(), is_new, &shown, schema, root).await?;
            let db =
                Self::connect(&place, true, found).await.map_err(|error| OpenError::of(&shown, error))?;
            Ok(Self { is_new, ..db })
        };
        let opened = opened.await;
        // Only now: the last one to leave an embedded database takes its log away, which costs the disk four turns.
        close(first).await;
        opened
    }

    /// Opens `url` for a command: the database is there, is of this program and of this root key, and its schema stays
    /// as it is.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong; nothing was made or changed.
    pub async fn open_existing(
        url: &str,
        schema: &Schema,
        root: &RootKey,
        needs: Needs,
    ) -> Result<(Self, Found), OpenError> {
        let place = Place::parse(url)?;
        Self::open_at(&place, &place.shown(), schema, root, needs).await
    }

    /// As [`Db::open_existing`]; errors call it `shown`.
    pub(super) async fn open_at(
        place: &Place,
        shown: &str,
        schema: &Schema,
        root: &RootKey,
        needs: Needs,
    ) -> Result<(Self, Found), OpenError> {
        let state = place.file().map(place::inspect).transpose()?;
        match (state, place.file()) {
            (Some(State::Missing), Some(file)) => return Err(OpenError::Missing(file.to_owned())),
            (Some(State::Empty), Some(file)) => return Err(OpenError::Empty(file.to_owned())),
            _ => {}
        }
        let mut first = connect(place, shown).await?;
        let looked_at = look_at(&mut first, state == Some(State::Short), shown, schema, root, needs).await;
        // In order, so that SQLite leaves nothing beside it.
        close(first).await;
        let found = looked_at?;
        let db = Self::connect(place, false, found).await.map_err(|error| OpenError::of(shown, error))?;
        Ok((db, found))
    }

    /// Whether the database was made, or found without a table, when it was opened.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The schema that it has, now that it is open.
    pub fn found(&self) -> Found {
        self.found
    }

    /// `keeps_log`: whether SQLite is told to keep a write-ahead log, which changes the file.
    async fn connect(place: &Place, keeps_log: bool, found: Found) -> Result<Self, sqlx::Error> {
        let (connected, file) = match place {
            Place::Sqlite { file, .. } => {
                let opened = Sqlite::open(&place.uri(), keeps_log).map_err(sqlx::Error::database)?;
                (Connected::Sqlite(opened), Some(file.clone()))
            }
            Place::Postgres { url } => (Connected::Postgres(Postgres::open(url).await?), None),
        };
        Ok(Self { connected, file, is_new: false, found })
    }
}

/// A connection of the driver that applies schemas.
pub(super) async fn connect(place: &Place, shown: &str) -> Result<AnyConnection, OpenError> {
    sqlx::any::install_default_drivers();
    let url = place.url(Some("rw"));
    let connected = async {
        let mut first = patiently(|| AnyConnection::connect(&url)).await?;
        if place.engine() == Engine::Sqlite {
            let pragmas = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";
            sqlx::raw_sql(pragmas).execute(&mut first).await?;
        }
        Ok(first)
    };
    connected.await.map_err(|error| OpenError::of(shown, error))
}

async fn close(first: AnyConnection) {
    if let Err(error) = first.close().await {
        tracing::warn!(%error, "a connection of the database did not close in order");
    }
}

/// Applies what is missing; whether there was nothing, and what there is now.
async fn bring_up(
    connection: &mut AnyConnection,
    engine: Engine,
    is_new: bool,
    shown: &str,
    schema: &Schema,
    root: &RootKey,
) -> Result<(bool, Found), OpenError> {
    let found = schema.found(connection, shown).await?;
    match found {
        Some(found) => {
            schema.goes_with(connection, found, shown).await?;
            schema.knows_root(connection, root, shown).await?;
            if found.version < found.known {
                let (from, to) = (found.version, found.known);
                tracing::warn!(database = %shown, from, to, "the schema of the database is brought up to date");
            } else if schema.lacks_nothing(connection, shown).await? {
                return Ok((false, found));
            }
        }
        None if !is_new && engine == Engine::Sqlite && has_tables(connection, shown).await? => {
            return Err(OpenError::Foreign { place: shown.to_owned(), program: schema.program });
        }
        None => {}
    }
    schema.apply(connection, engine, root, shown).await?;
    Ok((found.is_none(), schema.found(connection, shown).await?.unwrap_or_default()))
}

/// Whether a database that a command has opened goes with this program and this root key.
async fn look_at(
    connection: &mut AnyConnection,
    is_short: bool,
    shown: &str,
    schema: &Schema,
    root: &RootKey,
    needs: Needs,
) -> Result<Found, OpenError> {
    if is_short {
        is_whole(connection, "quick_check(1)", shown).await?;
    }
    let found = schema.found(connection, shown).await?;
    let found =
        found.ok_or_else(|| OpenError::NoTables { place: shown.to_owned(), program: schema.program })?;
    schema.goes_with(connection, found, shown).await?;
    schema.knows_root(connection, root, shown).await?;
    if found.version < found.known && needs == Needs::Current {
        return Err(OpenError::SchemaOlder { place: shown.to_owned(), found, program: schema.program });
    }
    Ok(found)
}

/// Makes an empty file for a database if none is there, and takes what is there away from others; whether it is new.
fn make(file: &Path) -> Result<bool, OpenError> {
    let state = place::inspect(file)?;
    if matches!(state, State::Missing | State::Empty) && place::has_log(file) {
        return Err(OpenError::Log(file.to_owned()));
    }
    if state == State::Missing {
        place::create_private(file).map_err(|error| OpenError::Folder { folder: file.to_owned(), error })?;
    }
    make_private(file);
    Ok(matches!(state, State::Missing | State::Empty))
}

/// Lets one process at a time make or change an embedded database; it is free again when the result is dropped, or the
/// process ends. The folder is locked, so that no further file is needed.
pub(super) async fn lock(place: &Place) -> Result<Option<File>, OpenError> {
    let Some(folder) = place.file().and_then(Path::parent).map(Path::to_owned) else { return Ok(None) };
    let named = folder.clone();
    let locked = tokio::task::spawn_blocking(move || {
        let folder = File::open(folder)?;
        folder.lock()?;
        Ok(folder)
    });
    let locked = locked.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    locked.map(Some).map_err(|error| OpenError::Folder { folder: named, error })
}

async fn has_tables(connection: &mut AnyConnection, shown: &str) -> Result<bool, OpenError> {
    let row = sqlx::query("SELECT COUNT(*) FROM sqlite_master").fetch_one(connection).await;
    let count: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| OpenError::of(shown, error))?;
    Ok(count > 0)
}

/// Asks SQLite whether a database is whole, by a pragma that answers `ok`.
pub(super) async fn is_whole(
    connection: &mut AnyConnection,
    pragma: &'static str,
    shown: &str,
) -> Result<(), OpenError> {
    let text = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
    let row = sqlx::query(text).fetch_one(connection).await.map_err(|error| OpenError::of(shown, error))?;
    let verdict: String = row.try_get(0).map_err(|error| OpenError::of(shown, error))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(OpenError::Damaged { place: shown.to_owned(), error: verdict })
}

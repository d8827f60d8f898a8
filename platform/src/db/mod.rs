//! The database handle: one SQL text for SQLite and PostgreSQL. TEXT and BIGINT columns only, times as
//! Unix milliseconds. Whoever reads before writing does it inside [`Db::begin_write`].

use std::path::PathBuf;

mod copy;
mod engine;
mod found;
mod mark;
mod note;
mod open;
mod open_error;
mod place;
mod postgres;
mod query;
mod schema;
mod sqlite;
mod turn;
mod write;

pub use copy::{Copied, CopyError, Restored, backup, restore};
pub use engine::Engine;
pub use found::Found;
pub use mark::Marks;
pub use note::STATEMENTS;
use note::note;
pub use open::Needs;
pub use open_error::OpenError;
pub use place::{beside, create_private, file_of, name_of};
use postgres::Postgres;
pub use query::{Cell, Column, FromCell, Query, Reads, Row, Value};
pub use schema::Schema;
use sqlite::Sqlite;
pub use sqlx::AssertSqlSafe;
pub use write::Write;

/// So many rows are removed or read at once where there may be many: a few milliseconds.
const PIECE: u64 = 100;

/// A database that is open.
#[derive(Clone)]
pub struct Db {
    connected: Connected,
    /// SQLite's.
    file: Option<PathBuf>,
    is_new: bool,
    /// The schema, as of when it was opened.
    found: Found,
}

#[derive(Clone)]
enum Connected {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({:?})", self.engine())
    }
}

impl Db {
    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        match self.connected {
            Connected::Sqlite(_) => Engine::Sqlite,
            Connected::Postgres(_) => Engine::Postgres,
        }
    }

    /// A unit of work that may write: on SQLite nobody else writes meanwhile, so what it reads cannot change before it
    /// writes. Dropped without [`Write::commit`], it is rolled back.
    ///
    /// # Errors
    /// The engine's; or that its turn did not come in time.
    pub async fn begin_write(&self) -> Result<Write, sqlx::Error> {
        Ok(match &self.connected {
            Connected::Sqlite(sqlite) => sqlite.begin().await?.into(),
            Connected::Postgres(postgres) => postgres.begin().await?.into(),
        })
    }

    /// As [`Db::begin_write`], if each of the guarded statements that it begins with changes its row. Each is about one row,
    /// by a key, and ends in `RETURNING`.
    ///
    /// # Errors
    /// As [`Db::begin_write`].
    pub async fn begin_write_if(&self, guards: Vec<Query>) -> Result<Option<Write>, sqlx::Error> {
        let mut write = self.begin_write().await?;
        for guard in guards {
            if guard.fetch_optional(&mut write).await?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(write))
    }

    /// Runs one guarded statement by itself; returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Db::begin_write`].
    pub async fn execute(&self, query: Query) -> Result<u64, sqlx::Error> {
        let sql = query.sql.clone();
        note(&sql, async {
            match &self.connected {
                Connected::Sqlite(sqlite) => sqlite.alone(&query).await.map(|(_, changed)| changed),
                Connected::Postgres(postgres) => postgres.execute(query).await,
            }
        })
        .await
    }

    /// Runs one guarded statement with `RETURNING` by itself.
    ///
    /// # Errors
    /// As [`Db::begin_write`].
    pub async fn execute_returning(&self, query: Query) -> Result<Option<Row>, sqlx::Error> {
        let sql = query.sql.clone();
        note(&sql, async {
            let rows = match &self.connected {
                Connected::Sqlite(sqlite) => sqlite.alone(&query).await?.0,
                Connected::Postgres(postgres) => postgres.returning(query).await?,
            };
            Ok(rows.into_iter().next())
        })
        .await
    }

    /// Runs a statement that removes what is over, in pieces: each is a unit of its own, and whoever waits comes in between.
    /// The statement says `LIMIT 100`, and not by a value: PostgreSQL plans for what it can see. How many rows went.
    ///
    /// # Errors
    /// As [`Db::begin_write`]; the pieces before are gone.
    pub async fn remove_in_pieces(&self, query: Query) -> Result<u64, sqlx::Error> {
        debug_assert!(query.sql.as_str().contains(&format!("LIMIT {PIECE}")), "{}", query.sql.as_str());
        let mut removed = 0;
        loop {
            let piece = self.execute(query.clone()).await?;
            removed += piece;
            if piece < PIECE {
                return Ok(removed);
            }
        }
    }

    /// Runs a statement that takes long, on a thread and a connection of its own: one that walks a table, or copies the
    /// whole database.
    ///
    /// # Errors
    /// The engine's.
    pub async fn apart(&self, query: Query) -> Result<Vec<Row>, sqlx::Error> {
        match &self.connected {
            Connected::Sqlite(sqlite) => {
                let sqlite = sqlite.clone();
                let running = tokio::task::spawn_blocking(move || sqlite.apart(&query));
                match running.await {
                    Ok(done) => done.map_err(sqlx::Error::database),
                    Err(_) => Err(sqlx::Error::WorkerCrashed),
                }
            }
            Connected::Postgres(postgres) => postgres.read(query).await,
        }
    }

    /// Closes the connections that lie idle; what still runs closes its own at its end.
    pub async fn close(&self) {
        match &self.connected {
            Connected::Sqlite(sqlite) => sqlite.close().await,
            Connected::Postgres(postgres) => postgres.close().await,
        }
    }
}

impl Reads for &Db {
    async fn rows(self, query: Query) -> Result<Vec<Row>, sqlx::Error> {
        let sql = query.sql.clone();
        note(&sql, async {
            match &self.connected {
                Connected::Sqlite(sqlite) => sqlite.read(&query).map_err(sqlx::Error::database),
                Connected::Postgres(postgres) => postgres.read(query).await,
            }
        })
        .await
    }
}

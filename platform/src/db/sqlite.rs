//! SQLite within this process. Statements run where they are asked for: reads on a connection at hand, which sees the
//! last commit; writes in units of work ([`writer`]).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::query::{Query, Row};
use error::Result;
pub(super) use error::SqliteError;
use statement::{connect, run};
pub(super) use writer::Unit;
use writer::Writer;

mod error;
mod statement;
mod writer;

/// The connections for reading that are kept. More are open while more threads read.
const READERS: usize = 16;

/// A database in a file.
#[derive(Clone)]
pub(super) struct Sqlite {
    readers: Arc<Readers>,
    writer: Arc<Writer>,
}

impl Sqlite {
    /// Opens the file at the address `uri`. It is there; `keeps_log` says whether it is to have a write-ahead log.
    pub(super) fn open(uri: &str, keeps_log: bool) -> Result<Self> {
        let raw = connect(uri)?;
        if keeps_log {
            raw.execute_batch("PRAGMA journal_mode = WAL")?;
        }
        // With NORMAL, an acknowledged commit can be lost with the power.
        raw.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
        let readers = Readers { uri: uri.to_owned(), idle: Mutex::new(Some(Vec::new())) };
        // Whatever is wrong with the file shows at once.
        readers.run(&Query::new("SELECT COUNT(*) FROM sqlite_master"))?;
        Ok(Self { readers: Arc::new(readers), writer: Writer::start(raw)? })
    }

    /// Runs a statement that reads.
    pub(super) fn read(&self, query: &Query) -> Result<Vec<Row>> {
        self.readers.run(query)
    }

    /// Runs a statement on a connection of its own.
    pub(super) fn apart(&self, query: &Query) -> Result<Vec<Row>> {
        run(&connect(&self.readers.uri)?, query).map(|(rows, _)| rows)
    }

    /// Begins a unit of several statements.
    pub(super) async fn begin(&self) -> std::result::Result<Unit, sqlx::Error> {
        self.writer.begin(true).await
    }

    /// Runs a statement that writes as a unit of its own: its rows, and how many it changed.
    pub(super) async fn alone(&self, query: &Query) -> std::result::Result<(Vec<Row>, u64), sqlx::Error> {
        let mut unit = self.writer.begin(false).await?;
        let done = unit.run(query).map_err(sqlx::Error::database)?;
        unit.commit().await?;
        Ok(done)
    }

    /// Closes all connections. Units of work that are open come to their end before.
    pub(super) async fn close(&self) {
        self.writer.close(|| drop(self.readers.idle().take())).await;
    }
}

/// Connections that read.
struct Readers {
    uri: String,
    /// None once the database was closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, query: &Query) -> Result<Vec<Row>> {
        let idle = self.idle().as_mut().ok_or_else(SqliteError::closed)?.pop();
        let raw = if let Some(raw) = idle {
            raw
        } else {
            let raw = connect(&self.uri)?;
            raw.execute_batch("PRAGMA query_only = ON")?;
            raw
        };
        let found = run(&raw, query);
        if let Some(idle) = self.idle().as_mut().filter(|idle| idle.len() < READERS) {
            idle.push(raw);
        }
        found.map(|(rows, _)| rows)
    }
}

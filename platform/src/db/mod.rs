//! The database handle: one SQL text for SQLite and PostgreSQL. TEXT and BIGINT columns only, times as
//! Unix milliseconds. Whoever reads before writing does it inside [`Db::begin_write`].

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::Any;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

mod copy;
mod engine;
mod found;
mod mark;
mod open;
mod open_error;
mod place;
mod pool;
mod schema;
mod write;

pub use copy::{Copied, CopyError, Restored, backup, restore};
pub use engine::Engine;
pub use found::Found;
pub use mark::Marks;
pub use open::Needs;
pub use open_error::OpenError;
pub use place::{beside, create_private, file_of, name_of};
use pool::WAIT;
pub use pool::{Acquired, Pool};
pub use schema::Schema;
pub use write::{Statement, Value, Write, bound};

/// A query of this database.
pub type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

const MAX_CONNECTIONS: usize = 16;

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    /// On SQLite, the connection of [`Db::execute_unsynced`].
    unsynced: Option<Pool>,
    engine: Engine,
    /// SQLite has one writer at a time: waiting here is fair and wakes at once, where its own busy handler
    /// sleeps and may starve a waiter. On PostgreSQL half of the connections may be in a transaction at once.
    writers: Arc<Semaphore>,
    /// For statements by themselves. On SQLite the same; on PostgreSQL a quarter of the connections, so that a transaction
    /// that reads beside itself always finds one, whatever waits for the rows that it holds.
    alone: Arc<Semaphore>,
    /// SQLite's.
    file: Option<PathBuf>,
    is_new: bool,
    /// The schema, as of when it was opened.
    found: Found,
}

impl Db {
    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The pool, for reads alone: what writes by itself goes through [`Db::execute`] and its like.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn write(&self) -> Result<Write, sqlx::Error> {
        let permit = permit(&self.writers).await?;
        Ok(Write::new(self.pool.get().await?, self.engine, permit))
    }

    /// A transaction that may write: on SQLite it takes the write lock at once, so what it reads cannot
    /// change before it writes. Dropped without [`Write::commit`], it is rolled back.
    pub async fn begin_write(&self) -> Result<Write, sqlx::Error> {
        let mut write = self.write().await?;
        write.begin().await?;
        Ok(write)
    }

    /// As [`Db::begin_write`], if each of the guarded statements that it begins with changes its row. Each is about one row,
    /// by a key, and ends in `RETURNING`. On SQLite they are one round trip with the begin.
    pub async fn begin_write_if(&self, guards: Vec<Statement>) -> Result<Option<Write>, sqlx::Error> {
        let mut write = self.write().await?;
        Ok(write.begin_if(guards).await?.then_some(write))
    }

    /// Runs one guarded statement by itself; returns how many rows it changed.
    pub async fn execute(&self, query: AnyQuery<'_>) -> Result<u64, sqlx::Error> {
        let _permit = permit(&self.alone).await?;
        Ok(query.execute(&self.pool).await?.rows_affected())
    }

    /// Runs one guarded statement with `RETURNING` by itself.
    pub async fn execute_returning(&self, query: AnyQuery<'_>) -> Result<Option<AnyRow>, sqlx::Error> {
        let _permit = permit(&self.alone).await?;
        returned(query, &self.pool).await
    }

    /// As [`Db::execute_returning`], without waiting for the disk on SQLite: what the last moments before a power cut
    /// wrote may be gone, but not what came before any other commit, which takes the log to disk up to itself. For
    /// what expires and for counts: nothing is answered for good on the strength of them alone.
    pub async fn execute_returning_unsynced(
        &self,
        query: AnyQuery<'_>,
    ) -> Result<Option<AnyRow>, sqlx::Error> {
        let _permit = permit(&self.alone).await?;
        returned(query, self.unsynced.as_ref().unwrap_or(&self.pool)).await
    }

    /// As [`Db::execute_returning_unsynced`], for a statement without `RETURNING`; how many rows it changed.
    pub async fn execute_unsynced(&self, query: AnyQuery<'_>) -> Result<u64, sqlx::Error> {
        let _permit = permit(&self.alone).await?;
        Ok(query.execute(self.unsynced.as_ref().unwrap_or(&self.pool)).await?.rows_affected())
    }

    /// Closes the connections that lie idle; what still runs closes its own at its end.
    pub async fn close(&self) {
        if let Some(unsynced) = &self.unsynced {
            unsynced.close().await;
        }
        self.pool.close().await;
    }
}

/// The row that a statement returns, run to its end. sqlx leaves one at its first row where only that is wanted; SQLite
/// then commits while the statement is put away, and nobody hears of it if that fails.
async fn returned(query: AnyQuery<'_>, pool: &Pool) -> Result<Option<AnyRow>, sqlx::Error> {
    Ok(query.fetch_all(pool).await?.into_iter().next())
}

/// The right to write, for one statement or a transaction.
async fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, sqlx::Error> {
    match timeout(WAIT, Arc::clone(of).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) => Err(sqlx::Error::PoolClosed),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

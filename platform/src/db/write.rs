//! A unit of work: statements that happen together or not at all.

use std::sync::Arc;

use tokio::sync::Notify;

use super::note::note;
use super::query::{Query, Reads, Row};
use super::{postgres, sqlite};

/// A unit of work that may write. Dropped without [`Write::commit`], it leaves nothing.
pub struct Write {
    unit: Unit,
    later: Vec<Query>,
    wakes: Vec<Arc<Notify>>,
}

enum Unit {
    Sqlite(sqlite::Unit),
    Postgres(postgres::Transaction),
}

impl From<sqlite::Unit> for Write {
    fn from(unit: sqlite::Unit) -> Self {
        Self { unit: Unit::Sqlite(unit), later: Vec::new(), wakes: Vec::new() }
    }
}

impl From<postgres::Transaction> for Write {
    fn from(transaction: postgres::Transaction) -> Self {
        Self { unit: Unit::Postgres(transaction), later: Vec::new(), wakes: Vec::new() }
    }
}

impl Write {
    /// Runs a statement; returns how many rows it changed.
    ///
    /// # Errors
    /// The engine's; the unit must be dropped then.
    pub async fn execute(&mut self, query: Query) -> Result<u64, sqlx::Error> {
        let sql = query.sql.clone();
        note(&sql, async {
            match &mut self.unit {
                Unit::Sqlite(unit) => {
                    unit.run(&query).map(|(_, changed)| changed).map_err(sqlx::Error::database)
                }
                Unit::Postgres(transaction) => transaction.execute(query).await,
            }
        })
        .await
    }

    /// Keeps a statement until the commit, for rows that nothing in this unit reads or counts.
    pub fn later(&mut self, query: Query) {
        self.later.push(query);
    }

    /// Wakes one who waits for what this unit does, once it is durable.
    pub fn wakes(&mut self, waiting: &Arc<Notify>) {
        self.wakes.push(Arc::clone(waiting));
    }

    /// Makes it all durable, and wakes who waits for it. A unit in which a statement failed must be dropped: PostgreSQL
    /// answers its commit as if it were one.
    ///
    /// # Errors
    /// The engine's; nothing was written then, unless the connection to a server was lost at this moment.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        for query in std::mem::take(&mut self.later) {
            self.execute(query).await?;
        }
        match self.unit {
            Unit::Sqlite(unit) => unit.commit().await,
            Unit::Postgres(transaction) => transaction.commit().await,
        }?;
        self.wakes.iter().for_each(|waiting| waiting.notify_one());
        Ok(())
    }
}

impl Query {
    /// Runs it in a unit of work; how many rows it changed.
    ///
    /// # Errors
    /// The engine's; the unit must be dropped then.
    pub async fn execute(self, write: &mut Write) -> Result<u64, sqlx::Error> {
        write.execute(self).await
    }
}

impl Reads for &mut Write {
    async fn rows(self, query: Query) -> Result<Vec<Row>, sqlx::Error> {
        let sql = query.sql.clone();
        note(&sql, async {
            match &mut self.unit {
                Unit::Sqlite(unit) => unit.run(&query).map(|(rows, _)| rows).map_err(sqlx::Error::database),
                Unit::Postgres(transaction) => transaction.rows(query).await,
            }
        })
        .await
    }
}

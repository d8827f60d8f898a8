//! The database handle: one SQL text for SQLite and PostgreSQL. TEXT and BIGINT columns only, times as
//! Unix milliseconds. Whoever reads before writing does it inside [`Db::begin_write`].

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use include_dir::Dir;
use sqlx::any::{AnyArguments, AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A query of this database.
pub type AnyQuery<'q> = Query<'q, Any, AnyArguments>;

const MAX_CONNECTIONS: u32 = 16;

/// Which engine the connection URL named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("database url '{0}': it must start with sqlite: or postgres:")]
    UnknownEngine(String),
    #[error("cannot open the database: {0}")]
    Connect(#[source] sqlx::Error),
    #[error("cannot bring the database schema up to date: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("migration file '{0}' is not named NNNN_what_it_does.sql")]
    MigrationName(String),
}

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Db {
    pool: AnyPool,
    /// On SQLite, the connection of [`Db::execute_unsynced`].
    unsynced: Option<AnyPool>,
    engine: Engine,
    /// SQLite has one writer at a time: waiting here is fair and wakes at once, where its own busy handler
    /// sleeps and may starve a waiter. On PostgreSQL half of the connections may write at once, so that a
    /// transaction that reads beside itself always finds a connection.
    writers: Arc<Semaphore>,
}

impl Db {
    /// Opens `url` and applies what is missing of `migrations`.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong; nothing is half applied.
    pub async fn open(url: &str, migrations: &Dir<'static>) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let engine = match url.split(':').next() {
            Some("sqlite") => Engine::Sqlite,
            Some("postgres" | "postgresql") => Engine::Postgres,
            _ => return Err(OpenError::UnknownEngine(url.split(':').next().unwrap_or_default().to_owned())),
        };
        let url = match engine {
            Engine::Sqlite if !url.contains("mode=") => {
                format!("{url}{}mode=rwc", if url.contains('?') { '&' } else { '?' })
            }
            _ => url.to_owned(),
        };
        // synchronous=FULL: with NORMAL an acknowledged commit can be lost with the power.
        let pool =
            options(engine, MAX_CONNECTIONS, "FULL").connect(&url).await.map_err(OpenError::Connect)?;
        migrator(migrations)?.run(&pool).await.map_err(OpenError::Migrate)?;
        let (unsynced, writers) = match engine {
            Engine::Sqlite => {
                let one = options(engine, 1, "NORMAL").connect(&url).await.map_err(OpenError::Connect)?;
                (Some(one), 1)
            }
            Engine::Postgres => (None, MAX_CONNECTIONS as usize / 2),
        };
        Ok(Self { pool, unsynced, engine, writers: Arc::new(Semaphore::new(writers)) })
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The pool, for reads.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.writers).acquire_owned().await.ok()
    }

    /// A permit for one statement, which holds no connection while it waits for another.
    async fn permit_alone(&self) -> Option<OwnedSemaphorePermit> {
        match self.engine {
            Engine::Sqlite => self.permit().await,
            Engine::Postgres => None,
        }
    }

    /// A transaction that may write: on SQLite it takes the write lock at once, so what it reads cannot
    /// change before it writes. Dropped without [`Write::commit`], it is rolled back.
    ///
    /// # Errors
    /// The engine's.
    pub async fn begin_write(&self) -> Result<Write, sqlx::Error> {
        let permit = self.permit().await;
        let transaction = match self.engine {
            Engine::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.pool.begin().await?,
        };
        Ok(Write { transaction, engine: self.engine, later: Vec::new(), _permit: permit })
    }

    /// Runs one guarded statement by itself; returns how many rows it changed.
    ///
    /// # Errors
    /// The engine's.
    pub async fn execute(&self, query: AnyQuery<'_>) -> Result<u64, sqlx::Error> {
        let _permit = self.permit_alone().await;
        Ok(query.execute(&self.pool).await?.rows_affected())
    }

    /// Runs one guarded statement with `RETURNING` by itself.
    ///
    /// # Errors
    /// The engine's.
    pub async fn execute_returning(&self, query: AnyQuery<'_>) -> Result<Option<AnyRow>, sqlx::Error> {
        let _permit = self.permit_alone().await;
        query.fetch_optional(&self.pool).await
    }

    /// As [`Db::execute_returning`], without waiting for the disk on SQLite: what the last moments before a power cut
    /// wrote may be gone, but not what came before any other commit, which takes the log to disk up to itself. For
    /// what expires and for counts: nothing is answered for good on the strength of them alone.
    ///
    /// # Errors
    /// The engine's.
    pub async fn execute_returning_unsynced(
        &self,
        query: AnyQuery<'_>,
    ) -> Result<Option<AnyRow>, sqlx::Error> {
        let _permit = self.permit_alone().await;
        query.fetch_optional(self.unsynced.as_ref().unwrap_or(&self.pool)).await
    }

    /// As [`Db::execute_returning_unsynced`], for a statement without `RETURNING`; how many rows it changed.
    ///
    /// # Errors
    /// The engine's.
    pub async fn execute_unsynced(&self, query: AnyQuery<'_>) -> Result<u64, sqlx::Error> {
        let _permit = self.permit_alone().await;
        Ok(query.execute(self.unsynced.as_ref().unwrap_or(&self.pool)).await?.rows_affected())
    }

    /// Closes every connection, after what runs has ended.
    pub async fn close(&self) {
        if let Some(unsynced) = &self.unsynced {
            unsynced.close().await;
        }
        self.pool.close().await;
    }
}

/// `synchronous` is SQLite's.
fn options(engine: Engine, connections: u32, synchronous: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // An idle SQLite connection cannot have gone bad; asking it every time costs a round trip.
        .test_before_acquire(engine == Engine::Postgres)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if engine == Engine::Sqlite {
                    let pragmas = format!(
                        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
                         PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; \
                         PRAGMA cache_size = -2000;"
                    );
                    sqlx::raw_sql(sqlx::AssertSqlSafe(pragmas)).execute(connection).await?;
                }
                Ok(())
            })
        })
}

/// A value of a statement that runs with others.
#[derive(Clone, Debug)]
pub enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A write transaction.
pub struct Write {
    transaction: Transaction<'static, Any>,
    engine: Engine,
    later: Vec<(&'static str, Vec<Value>)>,
    // Declared after the transaction: it is released once the transaction is gone.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Write {
    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// Keeps a statement until the commit, for rows that nothing in this transaction reads or counts. On SQLite all that
    /// were kept are one round trip: each costs two changes of thread, more than the statement itself.
    pub fn later(&mut self, sql: &'static str, values: Vec<Value>) {
        self.later.push((sql, values));
    }

    /// Makes it all durable.
    ///
    /// # Errors
    /// The engine's; nothing was written then.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        let mut later = std::mem::take(&mut self.later);
        if self.engine == Engine::Sqlite && later.len() > 1 {
            let (sql, values) = joined(later);
            run(sqlx::AssertSqlSafe(sql), values, &mut self.transaction).await?;
            later = Vec::new();
        }
        for (sql, values) in later {
            run(sql, values, &mut self.transaction).await?;
        }
        self.transaction.commit().await
    }
}

async fn run(
    sql: impl sqlx::SqlSafeStr,
    values: Vec<Value>,
    connection: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let query = values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    });
    query.execute(connection).await.map(drop)
}

/// Statements as one text, whose placeholders count on from one to the next.
fn joined(statements: Vec<(&'static str, Vec<Value>)>) -> (String, Vec<Value>) {
    let (mut text, mut all) = (String::new(), Vec::new());
    for (sql, values) in statements {
        let mut parts = sql.split('$');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: usize = part[..digits].parse().unwrap_or(0);
            let _ = write!(text, "${}{}", number + all.len(), &part[digits..]);
        }
        text.push_str(";\n");
        all.extend(values);
    }
    (text, all)
}

fn migrator(files: &Dir<'static>) -> Result<Migrator, OpenError> {
    let mut migrations = Vec::new();
    for file in files.files() {
        let name = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (version, description) = name
            .split_once('_')
            .and_then(|(number, words)| Some((number.parse::<i64>().ok()?, words.replace('_', " "))))
            .ok_or_else(|| OpenError::MigrationName(name.clone()))?;
        let sql = file.contents_utf8().ok_or_else(|| OpenError::MigrationName(name.clone()))?;
        let simple = MigrationType::Simple;
        migrations.push(Migration::new(
            version,
            description.into(),
            simple,
            sqlx::SqlStr::from_static(sql),
            false,
        ));
    }
    Ok(Migrator::with_migrations(migrations))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_statements_count_their_placeholders_on() {
        let (text, values) = joined(vec![
            ("INSERT INTO a VALUES ($1, $2, $1)", vec!["x".into(), 1.into()]),
            ("DELETE FROM b", Vec::new()),
            ("UPDATE c SET d = $2 WHERE e = $1", vec![None::<&str>.into(), 2.into()]),
        ]);
        assert_eq!(
            text,
            "INSERT INTO a VALUES ($1, $2, $1);\nDELETE FROM b;\nUPDATE c SET d = $4 WHERE e = $3;\n"
        );
        assert_eq!(values.len(), 4);
    }
}

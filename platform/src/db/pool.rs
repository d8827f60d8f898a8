//! Connections that stay open. sqlx's own pool asks a connection for a sign of life each time that it comes back: with
//! SQLite in the same process that is as long a way as the statement itself, and cannot fail.

use std::fmt;
use std::io::ErrorKind;
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::any::{AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{Any, AnyConnection, Connection as _, Either, Execute, Executor, SqlStr};
use tokio::time::timeout;

use super::Engine;

/// How long a statement waits for a connection, whatever keeps it.
pub(super) const WAIT: Duration = Duration::from_secs(5);

/// A server that does not answer within this is gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// For how long a connection to a server is used, and how long it may have lain idle: whatever stands in between forgets it
/// after some time, and a server may have become another one's copy.
const LIFETIME: Duration = Duration::from_mins(30);
const IDLE: Duration = Duration::from_mins(10);

/// Makes connections and tells whether one may be used again.
pub(super) struct Connector {
    pub url: String,
    pub engine: Engine,
    /// SQLite's.
    pub synchronous: &'static str,
    /// Whether SQLite is to keep a write-ahead log; if not, it keeps to what it finds.
    pub keeps_log: bool,
}

/// An open connection.
pub(super) struct Connection {
    pub raw: AnyConnection,
    /// A transaction was begun and its end has not been seen.
    pub in_transaction: bool,
    is_broken: bool,
}

impl managed::Manager for Connector {
    type Type = Connection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Connection, sqlx::Error> {
        let mut raw = AnyConnection::connect(&self.url).await;
        // A server that starts is waited for, somewhat shorter than a statement waits, so that the error is told.
        for pause in [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000] {
            if !raw.as_ref().is_err_and(is_starting) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
            raw = AnyConnection::connect(&self.url).await;
        }
        let mut raw = raw?;
        if self.engine == Engine::Sqlite {
            let log = if self.keeps_log { "PRAGMA journal_mode = WAL;" } else { "" };
            let pragmas = format!(
                "PRAGMA busy_timeout = 5000; {log} PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; \
                 PRAGMA cache_size = -2000;",
                self.synchronous
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(pragmas)).execute(&mut raw).await?;
        }
        Ok(Connection { raw, in_transaction: false, is_broken: false })
    }

    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if connection.in_transaction || connection.is_broken {
            return Err(RecycleError::message("its state is not known"));
        }
        if self.engine == Engine::Sqlite {
            return Ok(());
        }
        if metrics.age() > LIFETIME || metrics.last_used() > IDLE {
            return Err(RecycleError::message("it is too old"));
        }
        // The server may have been started anew since.
        match timeout(SIGN_OF_LIFE, connection.raw.ping()).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(RecycleError::message("it does not answer")),
        }
    }
}

/// Whether a server will take connections in a moment: nobody listens yet, it starts, or it has too many.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300")),
        _ => false,
    }
}

/// Runs statements, each by itself on a connection that is free.
#[derive(Clone)]
pub struct Pool(managed::Pool<Connector>);

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    /// A pool whose first connection is open: whatever is wrong with the address shows at once.
    pub(super) async fn open(connector: Connector, size: usize) -> Result<Self, sqlx::Error> {
        let pool = managed::Pool::builder(connector)
            .max_size(size)
            // The one that was used last has its statements and pages at hand.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| sqlx::Error::Configuration(Box::new(error)))?;
        let pool = Self(pool);
        drop(pool.get().await?);
        Ok(pool)
    }

    pub(super) async fn get(&self) -> Result<Object<Connector>, sqlx::Error> {
        match timeout(WAIT, self.0.get()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(PoolError::Closed)) => Err(sqlx::Error::PoolClosed),
            Ok(Err(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// How many connections are open.
    pub fn size(&self) -> usize {
        self.0.status().size
    }

    /// A connection for several statements.
    ///
    /// # Errors
    /// The engine's; or that none became free in time.
    pub async fn acquire(&self) -> Result<Acquired, sqlx::Error> {
        Ok(Acquired(self.get().await?))
    }

    /// Closes what lies idle; what is in use closes when it comes back.
    pub(super) async fn close(&self) {
        for connection in self.0.retain(|_, _| false).removed {
            if let Err(error) = connection.raw.close().await {
                tracing::warn!(%error, "a connection of the database did not close in order");
            }
        }
        self.0.close();
    }
}

/// A connection that goes back to its pool when it is dropped.
pub struct Acquired(Object<Connector>);

impl Acquired {
    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.0.raw
    }
}

impl Connection {
    /// After an error that is not the engine's answer to a statement, the connection is not used again.
    fn checked<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.is_broken |= result.as_ref().is_err_and(|error| !matches!(error, sqlx::Error::Database(_)));
        result
    }
}

impl<'p> Executor<'p> for &Pool {
    type Database = Any;

    /// The rows are gathered before the first one is handed out, so that no connection waits for a slow reader.
    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let pool = self.clone();
        let all = async move {
            let mut connection = pool.get().await?;
            let all: Result<Vec<_>, _> = connection.raw.fetch_many(query).try_collect().await;
            Ok::<_, sqlx::Error>(stream::iter(connection.checked(all)?).map(Ok))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let pool = self.clone();
        Box::pin(async move {
            let mut connection = pool.get().await?;
            let row = connection.raw.fetch_optional(query).await;
            connection.checked(row)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        let pool = self.clone();
        Box::pin(async move { pool.get().await?.raw.prepare_with(sql, parameters).await })
    }
}

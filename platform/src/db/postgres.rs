//! Connections to a PostgreSQL server, which stay open and prepare each statement once.

use std::io::ErrorKind;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{
    Column as _, ConnectOptions as _, Connection as _, PgConnection, Row as _, SqlStr, TypeInfo as _,
    ValueRef as _,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::query::{Cell, Query, Row, Value};
use super::turn::{WAIT, permit};

type Result<T> = std::result::Result<T, sqlx::Error>;

const MAX_CONNECTIONS: usize = 16;

/// A server that does not answer within this is gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// For how long a connection is used, and how long it may have lain idle: whatever stands in between forgets it after
/// some time, and a server may have become another one's copy.
const LIFETIME: Duration = Duration::from_mins(30);
const IDLE: Duration = Duration::from_mins(10);
/// One that was used this short a time ago is not asked for a sign of life, which would double what a statement costs.
const FRESH: Duration = Duration::from_millis(500);

/// More statements than the programs have.
const STATEMENTS: usize = 400;

/// Makes connections and tells whether one may be used again.
struct Connector {
    options: PgConnectOptions,
}

/// An open connection.
struct Connection {
    raw: PgConnection,
    /// A transaction was begun and its end has not been seen.
    in_transaction: bool,
    is_broken: bool,
}

impl managed::Manager for Connector {
    type Type = Connection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Connection> {
        let raw = Box::pin(patiently(|| self.options.connect())).await?;
        Ok(Connection { raw, in_transaction: false, is_broken: false })
    }

    async fn recycle(&self, connection: &mut Connection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if connection.in_transaction || connection.is_broken {
            return Err(RecycleError::message("its state is not known"));
        }
        if metrics.age() > LIFETIME || metrics.last_used() > IDLE {
            return Err(RecycleError::message("it is too old"));
        }
        if metrics.last_used() < FRESH {
            return Ok(());
        }
        // The server may have been started anew since.
        match timeout(SIGN_OF_LIFE, connection.raw.ping()).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(RecycleError::message("it does not answer")),
        }
    }
}

/// Connects; a server that starts is waited for, somewhat shorter than a statement waits, so that the error is told.
pub(super) async fn patiently<T, F: Future<Output = Result<T>>>(connect: impl Fn() -> F) -> Result<T> {
    let mut connected = connect().await;
    for pause in [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000] {
        if !connected.as_ref().is_err_and(is_starting) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
        connected = connect().await;
    }
    connected
}

/// Whether a server will take connections in a moment: nobody listens yet, it starts, or it has too many.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300")),
        _ => false,
    }
}

/// A database on a server.
#[derive(Clone)]
pub(super) struct Postgres {
    pool: managed::Pool<Connector>,
    /// Half of the connections may be in a transaction at once.
    writers: Arc<Semaphore>,
    /// For statements by themselves that write: a quarter of the connections, so that a transaction that reads beside
    /// itself always finds one, whatever waits for the rows that it holds.
    alone: Arc<Semaphore>,
}

impl Postgres {
    /// Opens the database at `url`, with one connection: whatever is wrong with the address shows at once.
    pub(super) async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?.statement_cache_capacity(STATEMENTS);
        // What takes long is told by [`Db`](super::Db), for both engines.
        let pool = managed::Pool::builder(Connector { options: options.disable_statement_logging() })
            .max_size(MAX_CONNECTIONS)
            // The one that was used last has its statements at hand.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| sqlx::Error::Configuration(Box::new(error)))?;
        let opened = Self {
            pool,
            writers: Arc::new(Semaphore::new(MAX_CONNECTIONS / 2)),
            alone: Arc::new(Semaphore::new(MAX_CONNECTIONS / 4)),
        };
        drop(opened.get().await?);
        Ok(opened)
    }

    async fn get(&self) -> Result<Object<Connector>> {
        match timeout(WAIT, self.pool.get()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(PoolError::Closed)) => Err(sqlx::Error::PoolClosed),
            Ok(Err(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// Runs a statement that reads, by itself; on a connection that turns out to be dead, once more on another.
    pub(super) async fn read(&self, query: Query) -> Result<Vec<Row>> {
        loop {
            let mut connection = self.get().await?;
            let done = connection.rows(query.clone()).await;
            if !(connection.is_broken && was_used(&connection)) {
                return done;
            }
        }
    }

    /// Runs a statement by itself: its rows.
    pub(super) async fn returning(&self, query: Query) -> Result<Vec<Row>> {
        let _permit = permit(&self.alone).await?;
        self.get().await?.rows(query).await
    }

    /// Runs a statement by itself: how many rows it changed.
    pub(super) async fn execute(&self, query: Query) -> Result<u64> {
        let _permit = permit(&self.alone).await?;
        self.get().await?.execute(query).await
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        let permit = permit(&self.writers).await?;
        loop {
            let mut connection = self.get().await?;
            connection.in_transaction = true;
            let begun = connection.control("BEGIN").await;
            if !(connection.is_broken && was_used(&connection)) {
                begun?;
                return Ok(Transaction { connection: Some(connection), permit: Some(permit) });
            }
        }
    }

    /// Closes what lies idle; what is in use closes when it comes back.
    pub(super) async fn close(&self) {
        for connection in self.pool.retain(|_, _| false).removed {
            if let Err(error) = connection.raw.close().await {
                tracing::warn!(%error, "a connection of the database did not close in order");
            }
        }
        self.pool.close();
    }
}

/// Whether a connection is of no use after this error: it is not the answer to a statement, or the server ends, or takes no
/// writes any more.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("57P01" | "57P02" | "57P03" | "25006"))
        }
        _ => true,
    }
}

/// Whether a connection was at rest before it was handed out: it may have died meanwhile. A new one is tried once.
fn was_used(connection: &Object<Connector>) -> bool {
    Object::metrics(connection).recycle_count > 0
}

impl Connection {
    /// After some errors the connection is not used again.
    fn checked<T>(&mut self, result: Result<T>) -> Result<T> {
        self.is_broken |= result.as_ref().is_err_and(is_lost);
        result
    }

    async fn rows(&mut self, query: Query) -> Result<Vec<Row>> {
        let (sql, values) = bound(query);
        let found = sqlx::query_with(sql, values).fetch_all(&mut self.raw).await;
        let rows = self.checked(found)?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let names: Arc<[String]> = first.columns().iter().map(|column| column.name().to_owned()).collect();
        rows.iter().map(|row| read(row, &names)).collect()
    }

    async fn execute(&mut self, query: Query) -> Result<u64> {
        let (sql, values) = bound(query);
        let done = sqlx::query_with(sql, values).execute(&mut self.raw).await;
        self.checked(done).map(|done| done.rows_affected())
    }

    async fn control(&mut self, sql: &'static str) -> Result<()> {
        let done = sqlx::raw_sql(sql).execute(&mut self.raw).await;
        self.checked(done).map(|_| ())
    }
}

fn bound(query: Query) -> (SqlStr, PgArguments) {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
    for value in query.values {
        let added = match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
        };
        added.expect("a text or a number can be sent");
    }
    (query.sql, arguments)
}

fn read(row: &PgRow, names: &Arc<[String]>) -> Result<Row> {
    let cells = (0..names.len()).map(|index| cell(row, index)).collect::<Result<_>>()?;
    Ok(Row { names: Arc::clone(names), cells })
}

fn cell(row: &PgRow, index: usize) -> Result<Cell> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INT8" => Cell::Number(row.try_get(index)?),
        "INT4" => Cell::Number(row.try_get::<i32, _>(index)?.into()),
        "BOOL" => Cell::Number(row.try_get::<bool, _>(index)?.into()),
        _ => Cell::Text(row.try_get(index)?),
    })
}

/// A transaction. Dropped without [`Transaction::commit`], it is rolled back.
pub(super) struct Transaction {
    /// Absent once it has ended.
    connection: Option<Object<Connector>>,
    permit: Option<OwnedSemaphorePermit>,
}

const ENDED: &str = "only a commit, which takes the transaction with it, takes its connection";

impl Transaction {
    pub(super) async fn rows(&mut self, query: Query) -> Result<Vec<Row>> {
        self.connection.as_mut().expect(ENDED).rows(query).await
    }

    pub(super) async fn execute(&mut self, query: Query) -> Result<u64> {
        self.connection.as_mut().expect(ENDED).execute(query).await
    }

    /// Makes it all durable. One in which a statement failed must be dropped: the server answers its commit as if it were
    /// one.
    pub(super) async fn commit(mut self) -> Result<()> {
        self.connection.as_mut().expect(ENDED).control("COMMIT").await?;
        if let Some(mut connection) = self.connection.take() {
            connection.in_transaction = false;
        }
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let permit = self.permit.take();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Closing it rolls back.
            drop(Object::take(connection));
            return;
        };
        runtime.spawn(async move {
            if matches!(timeout(WAIT, connection.control("ROLLBACK")).await, Ok(Ok(()))) {
                connection.in_transaction = false;
                drop(connection);
            } else {
                drop(Object::take(connection));
            }
            // The next writer waits until now.
            drop(permit);
        });
    }
}

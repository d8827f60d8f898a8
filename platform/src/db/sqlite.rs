//! SQLite within this process. Statements run where they are asked for: reads on a connection at hand, which sees the
//! last commit; writes one unit of work after the other, on the one connection that writes. A unit is a savepoint of a
//! transaction that it shares with those that come before its commit: one thread commits for all that wait, so that the
//! disk is waited for once. Nobody is answered before the commit that holds their unit.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, ffi};
use sqlx::error::{DatabaseError, ErrorKind};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::{Instant, sleep};

use super::query::{Cell, Query, Row, Value};
use super::turn::permit;

/// What SQLite answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SqliteError {
    /// The extended result code: <https://www.sqlite.org/rescode.html>.
    code: i32,
    message: String,
}

impl fmt::Display for SqliteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl std::error::Error for SqliteError {}

impl DatabaseError for SqliteError {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        match self.code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => ErrorKind::UniqueViolation,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ErrorKind::ForeignKeyViolation,
            ffi::SQLITE_CONSTRAINT_NOTNULL => ErrorKind::NotNullViolation,
            ffi::SQLITE_CONSTRAINT_CHECK => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
        Self { code, message: error.to_string() }
    }
}

impl SqliteError {
    /// The transaction that a unit was part of is gone, with all units in it.
    fn lost() -> Self {
        Self { code: ffi::SQLITE_ABORT_ROLLBACK, message: "the transaction was rolled back".into() }
    }

    fn closed() -> Self {
        Self { code: ffi::SQLITE_MISUSE, message: "the database was closed".into() }
    }

    fn is_busy(&self) -> bool {
        self.code & 0xff == ffi::SQLITE_BUSY
    }
}

type Result<T> = std::result::Result<T, SqliteError>;

/// How long another process is waited for that holds the file.
const BUSY: Duration = Duration::from_secs(5);
/// More statements than the programs have: each is parsed once for a connection.
const STATEMENTS: usize = 400;
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
        readers.run(&Query::from(("SELECT COUNT(*) FROM sqlite_master", Vec::new())))?;
        Ok(Self { readers: Arc::new(readers), writer: Writer::start(raw) })
    }

    /// Runs a statement that reads.
    pub(super) async fn read(&self, query: &Query) -> Result<Vec<Row>> {
        self.writer.what_was_seen().await;
        self.readers.run(query)
    }

    /// Runs a statement on a connection of its own.
    pub(super) fn apart(&self, query: &Query) -> Result<Vec<Row>> {
        run(&connect(&self.readers.uri)?, query).map(|(rows, _)| rows)
    }

    pub(super) fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    /// Closes all connections. Units of work that are open end as if they were dropped.
    pub(super) async fn close(&self) {
        let turn = Arc::clone(&self.writer.turn).acquire_owned().await;
        self.writer.turn.close();
        // The one that writes is the last, and moves the log into the file.
        drop(self.readers.idle().take());
        let closed = turn.map(|_turn| {
            let (raw, waiting) = {
                let mut state = self.writer.state();
                let committed = state.commit();
                (state.raw.take(), committed)
            };
            waiting.answer(&self.writer);
            raw.map_or(Ok(()), |raw| raw.close().map_err(|(_, error)| error))
        });
        if let Ok(Err(error)) = closed {
            tracing::warn!(%error, "a connection of the database did not close in order");
        }
    }
}

fn connect(uri: &str) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let raw = Connection::open_with_flags(uri, flags)?;
    raw.busy_timeout(BUSY)?;
    raw.set_prepared_statement_cache_capacity(STATEMENTS);
    raw.execute_batch("PRAGMA cache_size = -2000")?;
    Ok(raw)
}

/// Runs one statement to its end: its rows, and how many it changed.
fn run(raw: &Connection, query: &Query) -> Result<(Vec<Row>, u64)> {
    let mut statement = raw.prepare_cached(query.sql.as_str())?;
    for index in 1..=statement.parameter_count() {
        // Placeholders are numbered as they are written, and found in the order in which they come.
        let number = statement.parameter_name(index).and_then(|name| name.get(1..)?.parse::<usize>().ok());
        let value = number.and_then(|number| query.values.get(number.checked_sub(1)?));
        match value {
            Some(Value::Text(text)) => statement.raw_bind_parameter(index, text)?,
            Some(Value::Number(number)) => statement.raw_bind_parameter(index, number)?,
            None => {
                let message = format!("placeholder {index} of a statement has no value");
                return Err(SqliteError { code: ffi::SQLITE_RANGE, message });
            }
        }
    }
    let width = statement.column_count();
    let names: Arc<[String]> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let cells = (0..width).map(|index| Ok(cell(row.get_ref(index)?))).collect::<Result<_>>()?;
        found.push(Row { names: Arc::clone(&names), cells });
    }
    drop(rows);
    drop(statement);
    Ok((found, raw.changes()))
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> Cell {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Number(number),
        ValueRef::Real(number) => Cell::Text(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Cell::Text(String::from_utf8_lossy(bytes).into_owned())
        }
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

/// Who waits for a commit.
type Waiting = oneshot::Sender<Result<()>>;

/// The one connection that writes.
pub(super) struct Writer {
    /// Whoever has it may touch the connection. Those who wait get it in their order.
    turn: Arc<Semaphore>,
    state: Mutex<State>,
    /// Tells the thread that commits that somebody waits.
    wake: SyncSender<()>,
    /// The number of the last transaction that has ended.
    ended: watch::Sender<u64>,
    /// The one that must have ended before anybody reads.
    seen: AtomicU64,
}

struct State {
    /// Absent once the database was closed. A transaction is open on it while a unit is, or while units wait for its
    /// commit.
    raw: Option<Connection>,
    waiting: Vec<Waiting>,
    /// Of the transaction that is open, or of the next one.
    number: u64,
}

/// Those who waited for a commit, and what came of it.
#[must_use]
struct Committed {
    number: u64,
    waiting: Vec<Waiting>,
    result: Result<()>,
}

impl Committed {
    fn answer(self, writer: &Writer) {
        writer.ended.send_modify(|ended| *ended = self.number.max(*ended));
        for waiting in self.waiting {
            // Whoever went away meanwhile is not told.
            let _ = waiting.send(self.result.clone());
        }
    }
}

impl State {
    fn raw(&self) -> Result<&Connection> {
        self.raw.as_ref().ok_or_else(SqliteError::closed)
    }

    /// Makes the units that wait durable, or none of them.
    fn commit(&mut self) -> Committed {
        let result = match &self.raw {
            _ if self.waiting.is_empty() => Ok(()),
            None => Err(SqliteError::closed()),
            Some(raw) => control(raw, "COMMIT").inspect_err(|_| roll_back(raw)),
        };
        self.end(result)
    }

    fn end(&mut self, result: Result<()>) -> Committed {
        self.number += 1;
        Committed { number: self.number - 1, waiting: std::mem::take(&mut self.waiting), result }
    }

    /// After an error: if SQLite rolled back the transaction by itself (full disk, out of memory), the units in it are
    /// gone with it.
    fn look_after(&mut self, error: &SqliteError) -> Option<Committed> {
        let is_gone = self.raw.as_ref().is_none_or(Connection::is_autocommit);
        is_gone.then(|| self.end(Err(error.clone())))
    }
}

/// Runs a statement of the transaction's own.
fn control(raw: &Connection, sql: &str) -> Result<()> {
    raw.prepare_cached(sql)?.raw_execute().map(|_| ()).map_err(Into::into)
}

fn roll_back(raw: &Connection) {
    if !raw.is_autocommit()
        && let Err(error) = control(raw, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction of the database was not rolled back");
    }
}

impl Writer {
    fn start(raw: Connection) -> Arc<Self> {
        let (wake, wakes) = sync_channel(1);
        let state = Mutex::new(State { raw: Some(raw), waiting: Vec::new(), number: 1 });
        let (turn, ended) = (Arc::new(Semaphore::new(1)), watch::Sender::new(0));
        let writer = Arc::new(Self { turn, state, wake, ended, seen: AtomicU64::new(0) });
        let (turn, weak) = (Arc::clone(&writer.turn), Arc::downgrade(&writer));
        let runtime = Handle::current();
        let commits = move || commits(&wakes, &runtime, &turn, &weak);
        if let Err(error) = std::thread::Builder::new().name("commit".into()).spawn(commits) {
            tracing::error!(%error, "no thread for commits");
        }
        writer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A unit that ended without a commit may have stood on what others before it did, in the same transaction: whoever
    /// reads after it must find that. So they wait for the end of that transaction, all of them, since nobody knows who
    /// comes after whom. It happens in races only.
    async fn what_was_seen(&self) {
        let seen = self.seen.load(Ordering::Acquire);
        if *self.ended.borrow() < seen {
            let _ = self.ended.subscribe().wait_for(|ended| *ended >= seen).await;
        }
    }

    /// The right to write. Its savepoint is set where several statements belong together.
    pub(super) async fn begin(self: &Arc<Self>, is_several: bool) -> std::result::Result<Unit, sqlx::Error> {
        let turn = permit(&self.turn).await?;
        let mut unit = Unit { writer: Arc::clone(self), turn: Some(turn), is_several: false, is_lost: false };
        let until = Instant::now() + BUSY;
        let mut pause = Duration::from_millis(1);
        // Another process, such as a command, may hold the file. Waiting for it must hold up no thread.
        loop {
            match unit.open(is_several) {
                Err(error) if error.is_busy() && Instant::now() < until => sleep(pause).await,
                opened => {
                    opened.map_err(sqlx::Error::database)?;
                    return Ok(unit);
                }
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

/// Commits whenever somebody waits, until the database is dropped.
fn commits(wakes: &Receiver<()>, runtime: &Handle, turn: &Arc<Semaphore>, writer: &std::sync::Weak<Writer>) {
    while wakes.recv().is_ok() {
        // Units that wait for their turn already come before, and are part of it.
        let Ok(permit) = runtime.block_on(Arc::clone(turn).acquire_owned()) else { return };
        let Some(writer) = writer.upgrade() else { return };
        let committed = writer.state().commit();
        drop(permit);
        committed.answer(&writer);
    }
}

/// A unit of work. Dropped without [`Unit::commit`], it leaves nothing.
pub(super) struct Unit {
    writer: Arc<Writer>,
    /// Absent once it has ended.
    turn: Option<OwnedSemaphorePermit>,
    /// Whether it has a savepoint.
    is_several: bool,
    /// Whether what it did was rolled back with the whole transaction.
    is_lost: bool,
}

impl Unit {
    fn open(&mut self, is_several: bool) -> Result<()> {
        let state = self.writer.state();
        let raw = state.raw()?;
        if raw.is_autocommit() {
            raw.busy_timeout(Duration::ZERO)?;
            let begun = control(raw, "BEGIN IMMEDIATE");
            raw.busy_timeout(BUSY)?;
            begun?;
        }
        if is_several {
            control(raw, "SAVEPOINT unit")?;
            self.is_several = true;
        }
        Ok(())
    }

    /// Runs a statement: its rows, and how many it changed.
    pub(super) fn run(&mut self, query: &Query) -> Result<(Vec<Row>, u64)> {
        if self.is_lost {
            return Err(SqliteError::lost());
        }
        let mut state = self.writer.state();
        let done = state.raw().and_then(|raw| run(raw, query));
        let gone = done.as_ref().err().and_then(|error| state.look_after(error));
        drop(state);
        if let Some(gone) = gone {
            self.is_lost = true;
            gone.answer(&self.writer);
        }
        done
    }

    /// Ends it, and waits until it is durable.
    pub(super) async fn commit(mut self) -> std::result::Result<(), sqlx::Error> {
        let told = self.hand_over().map_err(sqlx::Error::database)?;
        match told.await {
            Ok(result) => result.map_err(sqlx::Error::database),
            Err(_) => Err(sqlx::Error::PoolClosed),
        }
    }

    /// Leaves what it did to the next commit, which it will be told of.
    fn hand_over(&mut self) -> Result<oneshot::Receiver<Result<()>>> {
        if self.is_lost {
            return Err(SqliteError::lost());
        }
        let (tell, told) = oneshot::channel();
        let mut state = self.writer.state();
        if self.is_several {
            control(state.raw()?, "RELEASE unit")?;
        }
        state.waiting.push(tell);
        let is_first = state.waiting.len() == 1;
        drop(state);
        self.turn = None;
        if is_first {
            // If one is there already, the thread comes to this one too.
            let _ = self.writer.wake.try_send(());
        }
        Ok(told)
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        let Some(turn) = self.turn.take() else { return };
        let mut state = self.writer.state();
        let mut gone = None;
        if let (false, Some(raw)) = (self.is_lost, &state.raw) {
            if state.waiting.is_empty() {
                roll_back(raw);
            } else {
                self.writer.seen.fetch_max(state.number, Ordering::AcqRel);
                if self.is_several
                    && let Err(error) =
                        control(raw, "ROLLBACK TO unit").and_then(|()| control(raw, "RELEASE unit"))
                {
                    // What it did cannot be told from what the others did.
                    roll_back(raw);
                    gone = state.look_after(&error);
                }
            }
        }
        drop(state);
        drop(turn);
        if let Some(gone) = gone {
            gone.answer(&self.writer);
        }
    }
}

#[cfg(test)]
mod tests;

//! Units of work, which take turns on the one connection that writes. Each is a savepoint of a transaction that it shares
//! with those that come before its commit: one thread commits for all that wait, so that the disk is waited for once.
//! Nobody is answered before the commit that holds their unit.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rusqlite::{Connection, ffi};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep};

use super::error::{Result, SqliteError};
use super::statement::{BUSY, control, roll_back, run};
use crate::db::query::{Query, Row};
use crate::db::turn::permit;

/// Who waits for a commit.
type Waiting = oneshot::Sender<Result<()>>;

/// The one connection that writes.
pub(in crate::db) struct Writer {
    /// Whoever has it may touch the connection. Those who wait get it in their order.
    turn: Arc<Semaphore>,
    state: Mutex<State>,
    /// Tells the thread that commits that somebody waits.
    wake: SyncSender<()>,
}

struct State {
    /// Absent once the database was closed. A transaction is open on it while a unit is, or while units wait for its
    /// commit.
    raw: Option<Connection>,
    waiting: Vec<Waiting>,
}

/// Those who waited for a commit, and what came of it.
#[must_use]
struct Committed {
    waiting: Vec<Waiting>,
    result: Result<()>,
}

impl Committed {
    fn answer(self) {
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
        Committed { waiting: std::mem::take(&mut self.waiting), result }
    }

    /// After an error: if SQLite rolled back the transaction by itself (full disk, out of memory), the units in it are
    /// gone with it.
    fn look_after(&mut self, error: &SqliteError) -> Option<Committed> {
        let is_gone = self.raw.as_ref().is_none_or(Connection::is_autocommit);
        is_gone.then(|| self.end(Err(error.clone())))
    }
}

impl Writer {
    /// Takes over a connection.
    pub(super) fn start(raw: Connection) -> Result<Arc<Self>> {
        let (wake, wakes) = sync_channel(1);
        let state = Mutex::new(State { raw: Some(raw), waiting: Vec::new() });
        let writer = Arc::new(Self { turn: Arc::new(Semaphore::new(1)), state, wake });
        let (turn, weak) = (Arc::clone(&writer.turn), Arc::downgrade(&writer));
        let runtime = Handle::current();
        let commits = move || commits(&wakes, &runtime, &turn, &weak);
        let started = std::thread::Builder::new().name("commit".into()).spawn(commits);
        let refused = |error| {
            let message = format!("cannot start a thread for commits: {error}");
            SqliteError { code: ffi::SQLITE_ERROR, message }
        };
        started.map(|_| writer).map_err(refused)
    }

    /// Closes the connection, after the other ones: the last one moves the log into the file.
    pub(super) async fn close(&self, others: impl FnOnce()) {
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        self.turn.close();
        others();
        if turn.is_err() {
            return;
        }
        let (committed, raw) = {
            let mut state = self.state();
            (state.commit(), state.raw.take())
        };
        committed.answer();
        if let Some(Err((_, error))) = raw.map(Connection::close) {
            tracing::warn!(%error, "a connection of the database did not close in order");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
fn commits(wakes: &Receiver<()>, runtime: &Handle, turn: &Arc<Semaphore>, writer: &Weak<Writer>) {
    while wakes.recv().is_ok() {
        // Units that wait for their turn already come before, and are part of it.
        let Ok(permit) = runtime.block_on(Arc::clone(turn).acquire_owned()) else { return };
        let Some(writer) = writer.upgrade() else { return };
        let committed = writer.state().commit();
        drop(permit);
        committed.answer();
    }
}

/// A unit of work. Dropped without [`Unit::commit`], it leaves nothing.
pub(in crate::db) struct Unit {
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
    pub(in crate::db) fn run(&mut self, query: &Query) -> Result<(Vec<Row>, u64)> {
        if self.is_lost {
            return Err(SqliteError::lost());
        }
        let mut state = self.writer.state();
        let done = state.raw().and_then(|raw| run(raw, query));
        let gone = done.as_ref().err().and_then(|error| state.look_after(error));
        drop(state);
        if let Some(gone) = gone {
            self.is_lost = true;
            gone.answer();
        }
        done
    }

    /// Ends it, and waits until it is durable.
    pub(in crate::db) async fn commit(mut self) -> std::result::Result<(), sqlx::Error> {
        let told = self.hand_over().map_err(sqlx::Error::database)?;
        match told.await {
            Ok(result) => result.map_err(sqlx::Error::database),
            Err(_) => Err(sqlx::Error::PoolClosed),
        }
    }

    /// Takes back what it did. It may have seen what others before it did in the same transaction, and whoever left it acts on
    /// that: so that is made durable at once. It happens in races only.
    fn leave(&self, state: &mut State) -> Option<Committed> {
        let raw = state.raw.as_ref().filter(|_| !self.is_lost)?;
        if state.waiting.is_empty() {
            roll_back(raw);
            return None;
        }
        let undo = || control(raw, "ROLLBACK TO unit").and_then(|()| control(raw, "RELEASE unit"));
        if let Err(error) = if self.is_several { undo() } else { Ok(()) } {
            // What it did cannot be told from what the others did.
            roll_back(raw);
            return Some(state.end(Err(error)));
        }
        Some(state.commit())
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
        let ended = self.leave(&mut state);
        drop(state);
        drop(turn);
        if let Some(ended) = ended {
            ended.answer();
        }
    }
}

#[cfg(test)]
mod tests;

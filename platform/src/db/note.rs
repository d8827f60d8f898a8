//! What the log says of statements.

use std::time::{Duration, Instant};

use sqlx::SqlStr;

use super::query::Row;

/// Where the log has every statement, at the level of traces.
pub const STATEMENTS: &str = "statements";

/// A statement that takes longer than this stands in the log.
const SLOW: Duration = Duration::from_secs(1);

/// What a statement did, in rows.
pub(super) trait Counted {
    fn count(&self) -> u64;
}

impl Counted for u64 {
    fn count(&self) -> u64 {
        *self
    }
}

impl Counted for Vec<Row> {
    fn count(&self) -> u64 {
        self.len() as u64
    }
}

impl Counted for Option<Row> {
    fn count(&self) -> u64 {
        self.is_some().into()
    }
}

/// Tells the log of a statement that takes long, and of each if it is asked to. Values stand in no log.
pub(super) async fn note<T: Counted>(
    sql: &SqlStr,
    running: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let started = Instant::now();
    let done = running.await;
    let took = started.elapsed();
    if let Ok(done) = &done {
        tracing::trace!(target: STATEMENTS, statement = sql.as_str(), rows = done.count());
    }
    if took >= SLOW {
        tracing::warn!(statement = sql.as_str(), ?took, "a statement took long");
    }
    done
}

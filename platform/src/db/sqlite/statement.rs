//! Connections, and how statements run on them.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, ffi};

use super::error::{Result, SqliteError};
use crate::db::query::{Cell, Query, Row, Value};

/// How long another process is waited for that holds the file.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// More statements than the programs have: each is parsed once for a connection.
const STATEMENTS: usize = 400;

/// Opens a connection to the file at `uri`, which is there.
pub(super) fn connect(uri: &str) -> Result<Connection> {
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
pub(super) fn run(raw: &Connection, query: &Query) -> Result<(Vec<Row>, u64)> {
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
    let names: Arc<[String]> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let cells = (0..names.len()).map(|index| Ok(cell(row.get_ref(index)?))).collect::<Result<_>>()?;
        found.push(Row { names: Arc::clone(&names), cells });
    }
    drop(rows);
    drop(statement);
    Ok((found, raw.changes()))
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Number(number),
        ValueRef::Real(number) => Cell::Text(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Cell::Text(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

/// Runs a statement of the transaction's own.
pub(super) fn control(raw: &Connection, sql: &str) -> Result<()> {
    raw.prepare_cached(sql)?.raw_execute().map(|_| ()).map_err(Into::into)
}

/// Ends the transaction that is open, if one is, without anything of it.
pub(super) fn roll_back(raw: &Connection) {
    if !raw.is_autocommit()
        && let Err(error) = control(raw, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction of the database was not rolled back");
    }
}

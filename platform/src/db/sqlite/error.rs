//! What SQLite answers, as sqlx tells of databases.

use std::borrow::Cow;
use std::fmt;

use rusqlite::ffi;
use sqlx::error::{DatabaseError, ErrorKind};

/// What SQLite answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::db) struct SqliteError {
    /// The extended result code: <https://www.sqlite.org/rescode.html>.
    pub(super) code: i32,
    pub(super) message: String,
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
    pub(super) fn lost() -> Self {
        Self { code: ffi::SQLITE_ABORT_ROLLBACK, message: "the transaction was rolled back".into() }
    }

    pub(super) fn closed() -> Self {
        Self { code: ffi::SQLITE_MISUSE, message: "the database was closed".into() }
    }

    pub(super) fn is_busy(&self) -> bool {
        self.code & 0xff == ffi::SQLITE_BUSY
    }
}

pub(super) type Result<T> = std::result::Result<T, SqliteError>;

//! Why a database could not be opened, in words for the operator.

use std::path::PathBuf;

use super::found::Found;

/// Why a database could not be opened. Each names the place and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("database url '{0}': it must start with sqlite: or postgres:")]
    UnknownEngine(String),
    #[error("database: name a file, as in sqlite:FILE; a database in memory alone would forget everybody")]
    NoFile,
    #[error("{}: the folder of the database is not there or cannot be used: {error}", folder.display())]
    Folder { folder: PathBuf, error: std::io::Error },
    #[error(
        "{}: there is no database. `serve` makes one. If there was one: is database in the configuration right, is its \
         disk there? Otherwise restore a backup", .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "{}: this file is empty, no database. If there was one in its place, restore a backup; if not, start `serve`, \
         which makes one", .0.display()
    )]
    Empty(PathBuf),
    #[error(
        "{}: the database is gone, but its log stands beside it (a file that ends in -wal or -journal): it would be \
         lost. Put the database back, or restore a backup, which keeps the log under another name", .0.display()
    )]
    Log(PathBuf),
    #[error("{}: this is not an SQLite database", .0.display())]
    NotADatabase(PathBuf),
    #[error(
        "{}: this is a part of a database: it has {has} bytes and should have {should}. It was copied or written \
         half; restore a backup", file.display()
    )]
    Truncated { file: PathBuf, has: u64, should: u64 },
    #[error("{}: cannot be read: {error}", file.display())]
    Unreadable { file: PathBuf, error: std::io::Error },
    #[error("{place}: this database is damaged: {error}. Restore a backup")]
    Damaged { place: String, error: String },
    #[error("{place}: this database has no tables of {program}; `serve` makes them in an empty one")]
    NoTables { place: String, program: &'static str },
    #[error("{place}: this is a database of another program, not of {program}")]
    Foreign { place: String, program: &'static str },
    #[error(
        "{place}: this database has schema {}, this program knows {} and works with no other. Make a backup, then \
         run `{program} migrate`, or start `serve`", found.version, found.known
    )]
    SchemaOlder { place: String, found: Found, program: &'static str },
    #[error(
        "{place}: this database has schema {}, this program knows {}: it is too old for it. Install the newer \
         {program}, or restore the backup of before", found.version, found.known
    )]
    SchemaNewer { place: String, found: Found, program: &'static str },
    #[error(
        "{place}: secrets.root is not the root key that this database was made with; put the right one there"
    )]
    WrongRoot { place: String },
    #[error("cannot open the database {place}: {error}")]
    Connect { place: String, error: sqlx::Error },
    #[error("cannot bring the database schema up to date: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    #[error("migration file '{0}' is not named NNNN_what_it_does.sql")]
    MigrationName(String),
}

impl OpenError {
    /// What the engine says about `place`.
    pub(super) fn of(place: &str, error: sqlx::Error) -> Self {
        // SQLITE_CORRUPT and SQLITE_NOTADB, with their extended codes.
        let code = match &error {
            sqlx::Error::Database(error) => error.code().and_then(|code| code.parse::<u32>().ok()),
            _ => None,
        };
        let place = place.to_owned();
        match code.map(|code| code & 0xff) {
            Some(11 | 26) => Self::Damaged { place, error: error.to_string() },
            _ => Self::Connect { place, error },
        }
    }
}

//! Copies of an embedded database: made while servers write, and put back in one step. PostgreSQL has `pg_dump`.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use sqlx::{AnyConnection, Connection as _};

use super::open::{is_whole, lock};
use super::place::{self, BESIDE, Place, State, create_private, make_private, with_ending};
use super::{Db, Found, Needs, OpenError, Query, Schema};
use crate::clock::Timestamp;
use crate::seal::RootKey;

/// Why a copy was not made or not put back. Nothing was left behind, and what was there is there.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{}: this file exists; a backup overwrites nothing", .0.display())]
    Exists(PathBuf),
    #[error("database is PostgreSQL; use pg_dump and pg_restore, and keep secrets.root with the dump")]
    Postgres,
    #[error("{}: this is the database itself, no backup of it", .0.display())]
    Itself(PathBuf),
    #[error("{}: this database is in use; stop the servers first, then restore", .0.display())]
    InUse(PathBuf),
    #[error("{}: {error}", file.display())]
    File { file: PathBuf, error: io::Error },
    #[error("{0}")]
    Refused(String),
}

type Result<T> = std::result::Result<T, CopyError>;

/// What is in a copy.
#[derive(Debug)]
pub struct Copied {
    pub found: Found,
    /// Tables, and how many rows each has.
    pub counts: Vec<(&'static str, i64)>,
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema {}; rows:", self.found.version)?;
        for (index, (table, count)) in self.counts.iter().enumerate() {
            write!(f, "{} {table} {count}", if index == 0 { "" } else { "," })?;
        }
        f.write_str(".")
    }
}

impl Copied {
    /// How many rows each table has, for machines.
    pub fn rows(&self) -> serde_json::Value {
        let rows = self.counts.iter().map(|(table, count)| ((*table).to_owned(), (*count).into()));
        serde_json::Value::Object(rows.collect())
    }
}

/// A restored database.
#[derive(Debug)]
pub struct Restored {
    pub file: PathBuf,
    pub copied: Copied,
    /// Where the files of before are now; none if there were none.
    pub kept: Vec<PathBuf>,
}

fn at(file: &Path) -> impl Fn(io::Error) -> CopyError + '_ {
    move |error| CopyError::File { file: file.to_owned(), error }
}

/// Files that go away again unless they were put in place.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for file in [""].iter().chain(&BESIDE).map(|ending| with_ending(&self.0, ending)) {
            let _ = fs::remove_file(file);
        }
    }
}

/// Writes a copy to `to` that is whole, of one moment, while servers write; its owner alone may read it.
///
/// # Errors
/// [`CopyError`]; `to` is not there then.
pub async fn backup(db: &Db, schema: &Schema, root: &RootKey, to: &Path) -> Result<Copied> {
    if db.file.is_none() {
        return Err(CopyError::Postgres);
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(CopyError::Exists(to.to_owned()));
    }
    let half = Unfinished(with_ending(to, ".unfinished"));
    // One that a kill left.
    let _ = fs::remove_file(&half.0);
    create_private(&half.0).map_err(at(&half.0))?;
    let target = half.0.to_str().ok_or_else(|| CopyError::Refused(format!("{}: not UTF-8", to.display())))?;
    let refused = |error| OpenError::of(&to.display().to_string(), error);
    db.apart(Query::new("VACUUM INTO $1").bind(target)).await.map_err(refused)?;
    let copied = looked_at(&half.0, &to.display().to_string(), schema, root, async |_| Ok(())).await?;
    fs::hard_link(&half.0, to)
        .or_else(|error| {
            // A file system without links: nothing stands there, as far as anybody knows.
            if error.kind() == io::ErrorKind::AlreadyExists { Err(error) } else { fs::rename(&half.0, to) }
        })
        .map_err(at(to))?;
    settle(to)?;
    Ok(copied)
}

/// Puts the copy `from` where `url` wants its database. It is made beside, looked at, given to `mark` and then put in
/// place; what was there stays under a name with the date.
///
/// # Errors
/// [`CopyError`]; everything is then as it was.
pub async fn restore(
    url: &str,
    from: &Path,
    schema: &Schema,
    root: &RootKey,
    now: Timestamp,
    mark: impl AsyncFnOnce(Db) -> std::result::Result<(), String>,
) -> Result<Restored> {
    let place = Place::parse(url)?;
    let Some(file) = place.file() else { return Err(CopyError::Postgres) };
    let file = file.to_owned();
    match place::inspect(from)? {
        State::Missing => return Err(OpenError::Missing(from.to_owned()).into()),
        State::Empty => return Err(OpenError::Empty(from.to_owned()).into()),
        State::Whole | State::Short => {}
    }
    if fs::canonicalize(from).is_ok_and(|from| from == file) {
        return Err(CopyError::Itself(file));
    }
    let _lock = lock(&place).await?;
    let _unused = unused(&file)?;
    let half = Unfinished(with_ending(&file, &format!(".restoring-{}", now.0)));
    // The log of a copy that was made by hand belongs to it.
    for ending in ["", "-wal", "-journal"] {
        let (from, to) = (with_ending(from, ending), with_ending(&half.0, ending));
        if ending.is_empty() || fs::metadata(&from).is_ok_and(|log| log.len() > 0) {
            let mut made = create_private(&to).map_err(at(&to))?;
            let mut source = File::open(&from).map_err(at(&from))?;
            io::copy(&mut source, &mut made).map_err(at(&to))?;
        }
    }
    let copied = looked_at(&half.0, &from.display().to_string(), schema, root, mark).await?;
    settle(&half.0)?;
    let kept = exchange(&half.0, &file, now)?;
    Ok(Restored { file, copied, kept })
}

/// Whether a copy is whole, of this program and of this root key. It is one file without a log afterwards.
async fn looked_at(
    file: &Path,
    shown: &str,
    schema: &Schema,
    root: &RootKey,
    mark: impl AsyncFnOnce(Db) -> std::result::Result<(), String>,
) -> Result<Copied> {
    let name = file.to_str().ok_or_else(|| CopyError::Refused(format!("{}: not UTF-8", file.display())))?;
    let place = Place::Sqlite { file: PathBuf::from(name), parameters: String::new() };
    let refused = |error| OpenError::of(shown, error);
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&place.url(Some("rw"))).await.map_err(refused)?;
    sqlx::raw_sql("PRAGMA journal_mode = DELETE").execute(&mut connection).await.map_err(refused)?;
    is_whole(&mut connection, "integrity_check(1)", shown).await?;
    connection.close().await.map_err(refused)?;
    make_private(file);

    let (db, found) = Db::open_at(&place, shown, schema, root, Needs::Any).await?;
    mark(db.clone()).await.map_err(CopyError::Refused)?;
    let counts = schema.counts(&db, shown).await?;
    db.close().await;
    Ok(Copied { found, counts })
}

/// The database at `file`, locked against every other process for as long as the result lives.
fn unused(file: &Path) -> Result<Option<File>> {
    let opened = match OpenOptions::new().read(true).write(true).open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(at(file))?,
    };
    // Whoever has it open with SQLite holds a lock of this kind on a part of it, also while nothing happens:
    // https://www.sqlite.org/wal.html section 5.
    match fcntl_lock(&opened, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(opened)),
        Err(_) => Err(CopyError::InUse(file.to_owned())),
    }
}

/// Puts `new` in the place of `file`. What stood there, its log too, gets the date of `now` in its name; on an error it
/// gets its own back.
fn exchange(new: &Path, file: &Path, now: Timestamp) -> Result<Vec<PathBuf>> {
    let date: String = now.rfc3339().chars().take(19).filter(char::is_ascii_alphanumeric).collect();
    let mut aside = with_ending(file, &format!(".before-{date}Z"));
    let mut again = 1;
    while [""].iter().chain(&BESIDE).any(|ending| with_ending(&aside, ending).exists()) {
        again += 1;
        aside = with_ending(file, &format!(".before-{date}Z-{again}"));
    }
    let mut moved = Vec::new();
    let done = (|| {
        for ending in [""].iter().chain(&BESIDE) {
            let (old, kept) = (with_ending(file, ending), with_ending(&aside, ending));
            match fs::rename(&old, &kept) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                renamed => {
                    renamed.map_err(at(&old))?;
                    moved.push((old, kept));
                }
            }
        }
        fs::rename(new, file).map_err(at(file))
    })();
    if let Err(error) = done {
        for (old, kept) in moved.iter().rev() {
            let _ = fs::rename(kept, old);
        }
        return Err(error);
    }
    settle(file)?;
    Ok(moved.into_iter().map(|(_, kept)| kept).collect())
}

/// Takes a file and its name to the disk.
fn settle(file: &Path) -> Result<()> {
    File::open(file).and_then(|opened| opened.sync_all()).map_err(at(file))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|opened| opened.sync_all()).map_err(at(folder))
}

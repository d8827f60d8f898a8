//! A mark where a database and a root key are in use, so that an empty database in their place is noticed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::place::create_private;
use super::{Db, file_of};

/// The marks of a database and of the file with its root key, where they are or would be.
#[derive(Clone, Debug)]
pub struct Marks(Vec<PathBuf>);

impl Marks {
    /// Of the database at `url`; a root key that stands in no file has none, nor has PostgreSQL.
    pub fn of(url: &str, root_file: Option<&Path>) -> Self {
        let database = file_of(url);
        Self(database.as_deref().into_iter().chain(root_file).filter_map(mark_of).collect())
    }

    /// A mark that says that the database or the root key was in use before.
    pub fn found(&self) -> Option<&Path> {
        self.0.iter().find(|mark| mark.exists()).map(PathBuf::as_path)
    }

    /// Marks both as in use; a folder that this server may only read gets no mark.
    pub fn leave(&self) {
        for mark in &self.0 {
            if let Ok(mut file) = create_private(mark) {
                let _ = file.write_all(
                    b"A server of Voordeur uses the file beside this one. If its database is ever missing, this file\n\
                      makes the server say so. Remove it together with a database that you no longer want.\n",
                );
            }
        }
    }

    /// Tells the log of a server if its database was made just now, loudly if there should have been one; and leaves the
    /// marks.
    pub fn tell(&self, db: &Db) {
        if db.is_new() {
            let database =
                db.file.as_ref().map_or_else(|| "PostgreSQL".to_owned(), |file| file.display().to_string());
            match self.found() {
                Some(mark) => tracing::error!(
                    %database, mark = %mark.display(),
                    "THE DATABASE WAS MISSING OR EMPTY, although this root key or a database in this place was in \
                     use before: a new one was made, and nobody has an account in it. If that is not meant, stop this \
                     server now, and put the database back or restore a backup. If it is meant, remove the file of \
                     the mark"
                ),
                None => {
                    tracing::info!(%database, "there was no database, or an empty one: a new one was made");
                }
            }
        }
        self.leave();
    }
}

/// `idp.db` has its mark in `.idp.db.in-use`.
fn mark_of(file: &Path) -> Option<PathBuf> {
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let name = file.file_name()?.to_string_lossy().into_owned();
    Some(file.with_file_name(format!(".{name}.in-use")))
}

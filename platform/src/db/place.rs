//! Where a database is, as `database` in a configuration says it; and whether a file there can be one at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::{Engine, OpenError};

/// What does not stand in a path of an address as it is.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// What SQLite keeps beside a database: its write-ahead log, the index of that, and a journal of an older kind.
pub(super) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// An address of a database. SQLite's has an absolute file name.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Sqlite { file: PathBuf, parameters: String },
    Postgres { url: String },
}

/// What stands where the file of an embedded database should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    /// Without a byte, or with the beginnings of a database that was never whole.
    Empty,
    /// Its first page is one of a database, and the rest of it seems to be there.
    Whole,
    /// Shorter than its first page says. That is as it should be after a kill in the middle of moving the log into the
    /// file; what is in the log decides.
    Short,
}

/// The address with a relative file name made relative to the configuration file, whatever folder a command starts in.
pub fn beside(config: &Path, url: &str) -> String {
    let Ok(Place::Sqlite { file, parameters }) = Place::read(url) else { return url.to_owned() };
    let folder = config.parent().unwrap_or(Path::new("."));
    let file = std::path::absolute(folder.join(&file)).unwrap_or(file);
    Place::Sqlite { file, parameters }.url(None)
}

/// The file of an embedded database; `None` for one on a server.
pub fn file_of(url: &str) -> Option<PathBuf> {
    Place::parse(url).ok()?.file().map(Path::to_owned)
}

/// What people call the database at `url`: its file, or the server and the name there, never a password.
pub fn name_of(url: &str) -> String {
    Place::parse(url).map(|place| place.shown()).unwrap_or_default()
}

impl Place {
    /// Reads an address; a relative file name starts at the working directory.
    pub(super) fn parse(url: &str) -> Result<Self, OpenError> {
        match Self::read(url)? {
            Self::Sqlite { file, parameters } => {
                let file = std::path::absolute(&file).unwrap_or(file);
                // A link leads to where SQLite lays its log, and `..` means what it means to the system.
                let folder = file.parent().and_then(|folder| fs::canonicalize(folder).ok());
                let file = match (fs::canonicalize(&file), folder, file.file_name()) {
                    (Ok(file), _, _) => file,
                    (_, Some(folder), Some(name)) => folder.join(name),
                    _ => file,
                };
                Ok(Self::Sqlite { file, parameters })
            }
            postgres @ Self::Postgres { .. } => Ok(postgres),
        }
    }

    fn read(url: &str) -> Result<Self, OpenError> {
        let (engine, rest) = url.split_once(':').unwrap_or((url, ""));
        match engine {
            "postgres" | "postgresql" => Ok(Self::Postgres { url: url.to_owned() }),
            "sqlite" => {
                let (name, parameters) = rest.split_once('?').unwrap_or((rest, ""));
                let name = percent_decode_str(name.strip_prefix("//").unwrap_or(name)).decode_utf8_lossy();
                let parameters: Vec<&str> = parameters
                    .split('&')
                    .filter(|part| !part.is_empty() && !part.starts_with("mode="))
                    .collect();
                if name.is_empty() || name == ":memory:" || rest.contains("mode=memory") {
                    return Err(OpenError::NoFile);
                }
                Ok(Self::Sqlite { file: PathBuf::from(name.as_ref()), parameters: parameters.join("&") })
            }
            // The rest may hold a password.
            _ => Err(OpenError::UnknownEngine(engine.to_owned())),
        }
    }

    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }

    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite { file, .. } => Some(file),
            Self::Postgres { .. } => None,
        }
    }

    /// The address of the file for SQLite itself: <https://www.sqlite.org/uri.html>.
    pub(super) fn uri(&self) -> String {
        self.url(Some("rw")).replacen("sqlite:", "file:", 1)
    }

    /// The address for the driver, which never makes a file: this program does that, so that it is private.
    pub(super) fn url(&self, mode: Option<&str>) -> String {
        match self {
            Self::Sqlite { file, parameters } => {
                let mode = mode.map(|mode| format!("mode={mode}"));
                let all: Vec<&str> = mode
                    .iter()
                    .map(String::as_str)
                    .chain([parameters.as_str()])
                    .filter(|part| !part.is_empty())
                    .collect();
                let file = file.to_string_lossy();
                let name = utf8_percent_encode(&file, ENCODED);
                if all.is_empty() {
                    format!("sqlite:{name}")
                } else {
                    format!("sqlite:{name}?{}", all.join("&"))
                }
            }
            Self::Postgres { url } => url.clone(),
        }
    }

    /// What errors call it: the file, or the server and the name there, never a password.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Sqlite { file, .. } => file.display().to_string(),
            Self::Postgres { url } => match Url::parse(url) {
                Ok(url) => {
                    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                    format!("postgres://{}{port}{}", url.host_str().unwrap_or_default(), url.path())
                }
                Err(_) => "postgres".to_owned(),
            },
        }
    }
}

/// The file with an ending of SQLite's.
pub(super) fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Whether what SQLite has not moved into `file` yet stands beside it: its log, or a journal of an older kind, which holds
/// what was there before.
pub(super) fn has_log(file: &Path) -> bool {
    fs::metadata(with_ending(file, "-wal")).is_ok_and(|log| log.len() > 0)
        || journal(file).is_some_and(|pages| pages > 0)
}

/// How many pages the database had before the change that the journal beside `file` takes back. None if there is no journal,
/// or one that takes nothing back: <https://www.sqlite.org/fileformat.html> section 3.
fn journal(file: &Path) -> Option<u32> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let mut header = [0; 20];
    File::open(with_ending(file, "-journal")).and_then(|mut journal| journal.read_exact(&mut header)).ok()?;
    let pages = header[16..].try_into().ok()?;
    header.starts_with(&MAGIC).then(|| u32::from_be_bytes(pages))
}

/// Looks at a file without SQLite, which would make what is missing. Not for one that this process has open: closing it
/// here gives up the locks that SQLite holds on it.
pub(super) fn inspect(file: &Path) -> Result<State, OpenError> {
    let unreadable = |error| OpenError::Unreadable { file: file.to_owned(), error };
    let found = match fs::metadata(file) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
        Err(error) => return Err(unreadable(error)),
    };
    if !found.is_file() {
        return Err(OpenError::NotADatabase(file.to_owned()));
    }
    // SQLite was making the database when the process or the machine ended, and will empty the file.
    let is_unmade = journal(file) == Some(0);
    if found.len() == 0 || is_unmade {
        return Ok(State::Empty);
    }
    // https://www.sqlite.org/fileformat.html section 1.3: the header, in the first 100 bytes.
    let mut header = Vec::new();
    File::open(file).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(unreadable)?;
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase(file.to_owned()));
    }
    let number = |at: usize| {
        header
            .get(at..at + 4)
            .map_or(0, |bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    // A page of 65536 bytes is written as 1. The size in pages counts only if the counter beside it is of the same change.
    let page = match header.get(16..18) {
        Some([0, 1]) | None => 65_536,
        Some(bytes) => bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    let should = if number(24) == number(92) { page * number(28) } else { page };
    match (found.len() >= should, has_log(file)) {
        (true, _) => Ok(State::Whole),
        (false, true) => Ok(State::Short),
        (false, false) => Err(OpenError::Truncated { file: file.to_owned(), has: found.len(), should }),
    }
}

/// Makes a file that its owner alone may read, whatever the umask; it must not exist.
pub fn create_private(file: &Path) -> io::Result<File> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    made.set_permissions(Permissions::from_mode(0o600))?;
    Ok(made)
}

/// Takes a file, and what stands beside it, away from everybody but its owner.
pub(super) fn make_private(file: &Path) {
    for file in [""].iter().chain(&BESIDE).map(|ending| with_ending(file, ending)) {
        let is_open = fs::metadata(&file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
        if is_open && let Err(error) = fs::set_permissions(&file, Permissions::from_mode(0o600)) {
            tracing::warn!(%error, file = %file.display(), "others may read this file; make it yours alone: chmod 600");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_file_is_relative_to_the_configuration_file() {
        let config = Path::new("/etc/voordeur/idp.toml");
        for (written, read) in [
            ("sqlite:idp.db", "sqlite:/etc/voordeur/idp.db"),
            ("sqlite://idp.db", "sqlite:/etc/voordeur/idp.db"),
            ("sqlite:state/idp.db?cache=private", "sqlite:/etc/voordeur/state/idp.db?cache=private"),
            ("sqlite:/var/lib/idp.db", "sqlite:/var/lib/idp.db"),
            ("sqlite:///var/lib/idp.db?mode=rwc", "sqlite:/var/lib/idp.db"),
            ("sqlite:a%20b%3F.db", "sqlite:/etc/voordeur/a%20b%3F.db"),
            ("postgres://idp:secret@db/idp", "postgres://idp:secret@db/idp"),
        ] {
            assert_eq!(beside(config, written), read, "{written}");
        }
    }

    #[test]
    fn what_is_no_place_for_a_database_is_refused_and_no_password_is_shown() {
        for nowhere in ["sqlite:", "sqlite::memory:", "sqlite:?mode=rwc", "sqlite:a.db?mode=memory"] {
            assert!(matches!(Place::parse(nowhere), Err(OpenError::NoFile)), "{nowhere}");
        }
        let refused = Place::parse("mysql://idp:secret@db/idp").unwrap_err().to_string();
        assert!(refused.contains("'mysql'") && !refused.contains("secret"), "{refused}");
        assert_eq!(name_of("postgres://idp:secret@db:5433/idp?password=secret"), "postgres://db:5433/idp");
    }
}

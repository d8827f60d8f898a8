//! What both servers ask of values of their configuration before they start: whether what is named is there and can be
//! used. Everything here looks and changes nothing, so that `config check` can do it beside a running server.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use ipnet::IpNet;
use rustix::fs::{Access, access};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::json;
use sqlx::Connection as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use url::{Host, Url};

use crate::config::ConfigError;

type Result<T> = std::result::Result<T, ConfigError>;

/// How long a backend may take to answer a check.
const PATIENCE: Duration = Duration::from_secs(5);

/// RFC 6749 section 10.10 asks for a chance of guessing below 2^-128. Random letters and digits have that from 22 on;
/// what is shorter than this is somebody's word.
const SHORTEST_SECRET: usize = 16;
/// What `openssl rand -hex 16` makes.
const GOOD_SECRET: usize = 32;
const FEWEST_CHARACTERS: usize = 5;

/// One place of a configuration file: what errors about it name.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub file: &'a Path,
    pub key: &'a str,
}

impl<'a> Place<'a> {
    pub fn new(file: &'a Path, key: &'a str) -> Self {
        Self { file, key }
    }

    fn refuse<T>(self, value: impl std::fmt::Display, advice: impl Into<String>) -> Result<T> {
        Err(self.remark(value, advice))
    }

    /// An error about this place, or a warning.
    pub fn remark(self, value: impl std::fmt::Display, advice: impl Into<String>) -> ConfigError {
        ConfigError::refused(self.file, self.key, value, advice)
    }

    /// A file or folder that stands here, relative to the configuration file.
    pub fn beside(self, name: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new(".")).join(name)
    }
}

/// Whether a URL names this machine itself.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // RFC 6761 section 6.3: the names below `localhost` are this machine too. Outside the web's schemes an address is
        // a name to the parser.
        Some(Host::Domain(name)) => {
            let is_address = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            name == "localhost" || name.ends_with(".localhost") || is_address
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an address of a database can be used: an engine that is known, and for SQLite a folder to write in.
///
/// # Errors
/// What to write instead. The address itself is never shown: it may hold a password.
pub fn database(at: Place<'_>, url: &str) -> Result<()> {
    const HIDDEN: &str = "(hidden)";
    match url.split(':').next() {
        Some("sqlite") => {
            let options = SqliteConnectOptions::from_str(url)
                .or_else(|error| at.refuse(HIDDEN, format!("write sqlite:FILE ({error})")))?;
            let has_no_name = url.trim_start_matches("sqlite:").trim_start_matches('/').is_empty();
            if has_no_name || url.contains(":memory:") || url.contains("mode=memory") {
                let advice = "a database in memory ends with the server; write sqlite:FILE";
                return at.refuse(HIDDEN, advice);
            }
            sqlite_file(at, options.get_filename())
        }
        Some("postgres" | "postgresql") => PgConnectOptions::from_str(url)
            .map(|_| ())
            .or_else(|error| at.refuse(HIDDEN, format!("write postgres://USER@HOST/DATABASE ({error})"))),
        _ => at.refuse(HIDDEN, "write sqlite:FILE or postgres://USER@HOST/DATABASE"),
    }
}

fn sqlite_file(at: Place<'_>, file: &Path) -> Result<()> {
    let shown = file.display();
    if file.as_os_str().is_empty() {
        return at.refuse("sqlite:", "the name of the file is missing; write sqlite:FILE");
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let advice = format!("there is no folder {}; make it, or write another name", folder.display());
        return at.refuse(shown, advice);
    }
    // SQLite writes its log beside the database.
    if access(folder, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let advice = format!("{} cannot be written in; give it to the user of the server", folder.display());
        return at.refuse(shown, advice);
    }
    match file.metadata() {
        Ok(found) if !found.is_file() => at.refuse(shown, "this is no file; write the name of one"),
        Ok(_) if access(file, Access::READ_OK | Access::WRITE_OK).is_err() => {
            at.refuse(shown, "this file cannot be read and written; give it to the user of the server")
        }
        _ => Ok(()),
    }
}

/// Whether an address of a Redis is one.
///
/// # Errors
/// What to write instead. The address itself is never shown: it may hold a password.
pub fn redis(at: Place<'_>, url: &str) -> Result<()> {
    let advice = "write \"database\", redis://HOST:PORT/NUMBER, or rediss:// for TLS";
    if !(url.starts_with("redis://") || url.starts_with("rediss://")) {
        return at.refuse("(hidden)", advice);
    }
    if url.contains('#') {
        return at.refuse(
            "(hidden)",
            "leave out what follows the #: the certificate of a Redis is always checked",
        );
    }
    match redis::Client::open(url) {
        Ok(_) => Ok(()),
        Err(error) => at.refuse("(hidden)", format!("{advice} ({error})")),
    }
}

/// Whether what goes to a Redis can be read on the way.
pub fn is_unprotected(redis: &str) -> bool {
    redis.starts_with("redis://") && !Url::parse(redis).is_ok_and(|url| is_loopback(&url))
}

/// Whether a PostgreSQL at `url` lets this server in. SQLite is no server.
///
/// # Errors
/// What it said.
pub async fn postgres_answers(at: Place<'_>, url: &str) -> Result<()> {
    if !url.starts_with("postgres") {
        return Ok(());
    }
    let asked = async {
        let mut connection = sqlx::PgConnection::connect(url).await?;
        connection.ping().await?;
        connection.close().await
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => at.refuse("(hidden)", format!("PostgreSQL does not let this server in: {error}")),
        Err(_) => at.refuse("(hidden)", "PostgreSQL does not answer within five seconds"),
    }
}

/// Whether a Redis at `url` lets this server in.
///
/// # Errors
/// What it said.
pub async fn redis_answers(at: Place<'_>, url: &str) -> Result<()> {
    let asked = async {
        let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => at.refuse("(hidden)", format!("Redis does not let this server in: {error}")),
        Err(_) => at.refuse("(hidden)", "Redis does not answer within five seconds"),
    }
}

/// The content of a file of certificates, of which there is one at least.
///
/// # Errors
/// If the file cannot be read or holds no certificate.
pub fn certificates(at: Place<'_>, name: &Path) -> Result<Vec<u8>> {
    let file = at.beside(name);
    let shown = file.display();
    let pem = std::fs::read(&file)
        .or_else(|error| at.refuse(&shown, format!("this file cannot be read: {error}")))?;
    let all: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(pem),
        _ => at.refuse(shown, "write a file with one certificate or more in PEM form"),
    }
}

/// A folder that is there.
///
/// # Errors
/// If it is not, or cannot be read.
pub fn folder(at: Place<'_>, name: &Path) -> Result<PathBuf> {
    let folder = at.beside(name);
    match std::fs::read_dir(&folder) {
        Ok(_) => Ok(folder),
        Err(error) => at.refuse(folder.display(), format!("write the name of a folder ({error})")),
    }
}

/// Whether this server may listen there. That another process does so now is no error: it may be the one that is
/// going to be replaced.
///
/// # Errors
/// For an address that is not of this machine, or a port that is not for this user.
pub fn can_listen(at: Place<'_>, address: SocketAddr) -> Result<()> {
    if address.port() == 0 {
        return at.refuse(address, "write a port");
    }
    // Ports below 1024 are for root alone on most systems; of others only the address can be wrong, and a port that the
    // system chooses is in nobody's way.
    let port = if address.port() < 1_024 { address.port() } else { 0 };
    match TcpListener::bind((address.ip(), port)) {
        Err(error) if error.kind() != ErrorKind::AddrInUse => {
            at.refuse(address, format!("this server cannot listen there: {error}"))
        }
        _ => Ok(()),
    }
}

/// Whether two listeners would be in each other's way.
pub fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let is_same = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && is_same
}

/// Proxies are machines of the operator's.
///
/// # Errors
/// For a network that is the whole internet: then anybody may say where a request came from.
pub fn proxies(at: Place<'_>, networks: &[IpNet]) -> Result<()> {
    match networks.iter().find(|network| network.prefix_len() == 0) {
        Some(everybody) => {
            let advice = "then anybody may say whom they forward for; write the networks of your proxies";
            at.refuse(everybody, advice)
        }
        None => Ok(()),
    }
}

/// Whether a secret that two servers share is hard to guess.
///
/// # Errors
/// For one that is short, or the same few characters again and again.
pub fn secret(at: Place<'_>, secret: &str) -> Result<()> {
    let make = "make one with: openssl rand -hex 32";
    if secret.len() < SHORTEST_SECRET || !is_varied(secret) {
        return at.refuse("(hidden)", format!("it is easily guessed: {} characters; {make}", secret.len()));
    }
    Ok(())
}

/// Whether a secret is as long as what [`secret`] advises to make, half of it at least.
pub fn is_long(secret: &str) -> bool {
    secret.len() >= GOOD_SECRET
}

/// Whether a secret is more than a few characters again and again.
pub fn is_varied(secret: &str) -> bool {
    let different: std::collections::HashSet<char> = secret.chars().collect();
    different.len() >= FEWEST_CHARACTERS
}

/// Whether everybody on this machine can read a file or change it.
pub fn is_public(file: &Path) -> bool {
    let is_open = |found: Metadata| found.permissions().mode() & 0o006 != 0;
    file.metadata().is_ok_and(is_open)
}

/// What to do about a file that is [`is_public`].
pub fn close(file: &Path) -> String {
    format!("everybody on this machine can read it; run: chmod o-rwx {}", file.display())
}

/// What `config check` tells of a file that is good: one line, and warnings.
#[derive(Debug)]
pub struct Good {
    pub summary: String,
    pub warnings: Vec<ConfigError>,
}

impl Good {
    /// Prints it, as a line each or as JSON.
    pub fn print(&self, file: &Path, as_json: bool) {
        if as_json {
            let warnings: Vec<_> = self.warnings.iter().map(ConfigError::to_json).collect();
            println!(
                "{}",
                json!({ "good": true, "file": file, "summary": self.summary, "warnings": warnings })
            );
            return;
        }
        for warning in &self.warnings {
            println!("warning: {warning}");
        }
        println!("{}: good; {}", file.display(), self.summary);
    }
}

/// Prints why a command failed: for people to standard error, and with `--json` for programs to standard output.
pub fn print_error(program: &str, error: &(dyn std::error::Error + 'static)) {
    eprintln!("{program}: {error}");
    // Whatever was asked for: a value of an option never looks like this one.
    if std::env::args_os().any(|argument| argument == "--json") {
        let refused = error.downcast_ref::<ConfigError>().map(ConfigError::to_json);
        let told = refused.unwrap_or_else(|| json!({ "error": error.to_string() }));
        println!("{told}");
    }
}

/// The file of an embedded database and what SQLite keeps beside it.
pub fn files_of(database: &str) -> Vec<PathBuf> {
    let options = database.starts_with("sqlite:").then(|| SqliteConnectOptions::from_str(database).ok());
    let Some(options) = options.flatten() else { return Vec::new() };
    let file = options.get_filename();
    ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", file.display()))).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Place<'static> {
        Place::new(Path::new("idp.toml"), "key")
    }

    fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
        let text = result.unwrap_err().to_string();
        assert!(text.starts_with("idp.toml: key = "), "{text}");
        text
    }

    #[test]
    fn an_address_of_a_database_that_cannot_work_is_refused_and_never_shown() {
        for url in [
            "",
            "mysql://u:hunter2@h/d",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a?mode=memory",
            "sqlite:a?hunter2=1",
            "sqlite:/nowhere/at/all.db",
            "sqlite:/tmp",
            "postgres://[u:hunter2",
            "postgres://u:hunter2@h:99999/d",
        ] {
            let error = database(here(), url).expect_err(url).to_string();
            assert!(error.starts_with("idp.toml: key = ") && !error.contains("hunter2@"), "{error}");
        }
        for url in ["sqlite:a.db", "postgres://u@h/d", "postgresql:///d?host=/run/postgresql"] {
            database(here(), url).unwrap();
        }
        for url in ["memory", "redis:", "redis://h:port", "unix:///x", "rediss://h/0#insecure"] {
            text(redis(here(), url));
        }
        for url in ["redis://h", "redis://:secret@h:6379/3", "rediss://h:6380/1"] {
            redis(here(), url).unwrap();
        }
        assert!(is_unprotected("redis://cache.example.nl") && !is_unprotected("rediss://cache.example.nl"));
        assert!(!is_unprotected("redis://127.0.0.1:6379"));
    }

    #[test]
    fn addresses_to_listen_at_are_of_this_machine_and_not_taken_twice() {
        can_listen(here(), "127.0.0.1:8080".parse().unwrap()).unwrap();
        text(can_listen(here(), "127.0.0.1:0".parse().unwrap()));
        // RFC 5737: a network for documents, on no machine.
        text(can_listen(here(), "203.0.113.7:8080".parse().unwrap()));
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        can_listen(here(), taken.local_addr().unwrap()).unwrap();
        let at = |text: &str| text.parse().unwrap();
        assert!(collide(at("127.0.0.1:80"), at("127.0.0.1:80")));
        assert!(collide(at("0.0.0.0:80"), at("127.0.0.1:80")) && collide(at("[::1]:80"), at("[::]:80")));
        assert!(!collide(at("127.0.0.1:80"), at("127.0.0.1:81")));
        assert!(!collide(at("127.0.0.1:80"), at("127.0.0.2:80")));
    }

    #[test]
    fn secrets_are_long_and_varied_and_proxies_are_not_everybody() {
        for weak in ["", "s", "portal-secret", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "abababababababab"] {
            text(secret(here(), weak));
        }
        secret(here(), "4f1c9d2b7e6a8035").unwrap();
        text(proxies(here(), &["10.0.0.0/8".parse().unwrap(), "0.0.0.0/0".parse().unwrap()]));
        text(proxies(here(), &["::/0".parse().unwrap()]));
        proxies(here(), &["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]).unwrap();
    }

    #[test]
    fn files_and_folders_are_looked_into() {
        let place =
            std::env::temp_dir().join(format!("voordeur-check-{}", crate::random::Random::system().id()));
        std::fs::create_dir_all(&place).unwrap();
        let config = place.join("idp.toml");
        let at = Place::new(&config, "key");
        std::fs::write(place.join("empty.pem"), "").unwrap();
        std::fs::write(place.join("text.pem"), "hello").unwrap();
        std::fs::write(place.join("half.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
        for name in ["none.pem", "empty.pem", "text.pem", "half.pem"] {
            assert!(certificates(at, Path::new(name)).is_err(), "{name}");
        }
        std::fs::write(
            place.join("one.pem"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        certificates(at, Path::new("one.pem")).unwrap();
        assert!(folder(at, Path::new("none")).is_err() && folder(at, Path::new("one.pem")).is_err());
        assert_eq!(folder(at, Path::new(".")).unwrap(), place.join("."));
        let file = place.join("one.pem");
        for (mode, expected) in [(0o600, false), (0o640, false), (0o644, true), (0o602, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_public(&file), expected, "{mode:o}");
        }
        std::fs::remove_dir_all(&place).unwrap();
    }
}

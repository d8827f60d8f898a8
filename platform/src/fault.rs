//! What the error of a database or of Redis means: a reason in a few words, which may be shown to anybody, and what an
//! operator does about it. The error itself names what the engine said, and stands in the log beside them.

use std::io::ErrorKind;

use redis::RedisError;

/// What is wrong with a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In a few words, from a closed list; never a name, an address or a file.
    pub reason: &'static str,
    /// What an operator does.
    pub advice: &'static str,
}

const fn fault(reason: &'static str, advice: &'static str) -> Fault {
    Fault { reason, advice }
}

/// The file of the embedded database is not the one that was opened.
pub const FILE_GONE: Fault = fault(
    "the file is gone",
    "the file was moved, deleted or replaced while this server ran: stop it, put the file back or restore a backup, start it",
);
/// A look at a backend took longer than it may.
pub const NO_ANSWER: Fault = fault(
    "no answer in time",
    "see whether it hangs, whether its disk does, and what stands between it and this server",
);
/// The same for the embedded database.
pub const LOCKED: Fault = fault(
    "locked",
    "another program holds the file, or its disk hangs: end that program (fuser FILE names it)",
);
/// This machine's clock and the database's differ.
pub const CLOCK: Fault = fault(
    "the clock differs from the database's",
    "see that NTP runs here and at the database (timedatectl); the node is ready again by itself",
);

const FULL: Fault = fault("disk full", "make room on its disk; nothing that was acknowledged is lost");
const READ_ONLY: Fault =
    fault("read-only", "it takes no writes: see the rights on it, or which server is the primary");
const DISK: Fault = fault("disk error", "look at its disk and the kernel's log (dmesg)");
const DAMAGED: Fault = fault("damaged", "stop every server and restore the newest backup");
const CANNOT_OPEN: Fault =
    fault("cannot be opened", "see that it is there, and that the user of this server may read and write it");
const REFUSES: Fault = fault(
    "refuses connections",
    "start it, or correct the address under this key; see what stands in between",
);
const STARTING: Fault =
    fault("is starting or stopping", "wait until it is up; its own log says why it takes long");
const TOO_MANY: Fault = fault("too many connections", "raise its limit of connections, or run fewer nodes");
const NO_ENTRY: Fault =
    fault("refuses this user", "correct user and password under this key, or grant the rights");
const NO_MEMORY: Fault = fault("no memory left", "raise its maxmemory; it must not evict keys (noeviction)");
const LOST: Fault = fault("connection lost", "see whether it was restarted and what stands in between");
const UNKNOWN: Fault = fault("error", "the error beside this says what it answered");

/// What an error of the database means.
pub fn of_database(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // PostgreSQL's codes have five characters, SQLite's are numbers below ten thousand.
            match code.parse::<u32>() {
                Ok(number) if code.len() < 5 => of_sqlite(number),
                _ => of_postgres(&code),
            }
        }
        sqlx::Error::PoolTimedOut => NO_ANSWER,
        sqlx::Error::Io(error) => of_io(error.kind()),
        _ => UNKNOWN,
    }
}

/// SQLite's extended result codes: the lower eight bits are the primary one.
fn of_sqlite(code: u32) -> Fault {
    const DB_MOVED: u32 = 1032;
    const NO_ROOM_FOR_SHARED_MEMORY: u32 = 4874;
    match (code, code & 0xff) {
        (DB_MOVED, _) => FILE_GONE,
        (_, 13) | (NO_ROOM_FOR_SHARED_MEMORY, _) => FULL,
        (_, 5 | 6) => LOCKED,
        (_, 8) => READ_ONLY,
        (_, 10) => DISK,
        (_, 11 | 26) => DAMAGED,
        (_, 14 | 23) => CANNOT_OPEN,
        _ => UNKNOWN,
    }
}

/// SQLSTATE; the first two characters are the class.
fn of_postgres(code: &str) -> Fault {
    match (code, code.get(..2).unwrap_or_default()) {
        ("53100", _) => FULL,
        ("53300", _) => TOO_MANY,
        ("25006", _) => READ_ONLY,
        ("55P03", _) => LOCKED,
        ("42501" | "3D000", _) | (_, "28") => NO_ENTRY,
        (_, "57") => STARTING,
        (_, "58") => DISK,
        (_, "XX") => DAMAGED,
        _ => UNKNOWN,
    }
}

/// What an error of Redis means.
pub fn of_redis(error: &RedisError) -> Fault {
    if error.is_timeout() {
        return NO_ANSWER;
    }
    if error.is_connection_refusal() {
        return REFUSES;
    }
    if error.is_io_error() {
        return LOST;
    }
    match error.code() {
        Some("OOM") => NO_MEMORY,
        Some("MISCONF") => FULL,
        Some("READONLY") => READ_ONLY,
        Some("LOADING" | "BUSY" | "MASTERDOWN") => STARTING,
        Some("NOAUTH" | "WRONGPASS" | "NOPERM") => NO_ENTRY,
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => NO_ENTRY,
        _ => UNKNOWN,
    }
}

fn of_io(kind: ErrorKind) -> Fault {
    match kind {
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => REFUSES,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => NO_ANSWER,
        _ => LOST,
    }
}

/// Where a backend is, without what may be secret in its address: `db.example.nl:5432/idp`, or a file.
pub fn place(address: &str) -> String {
    let Ok(url) = url::Url::parse(address) else { return "(unreadable address)".to_owned() };
    match url.host_str() {
        Some(host) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{host}{port}{}", url.path().trim_end_matches('/'))
        }
        None => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_answers_is_told_in_a_few_words() {
        assert_eq!(of_sqlite(13), FULL);
        assert_eq!(of_sqlite(5), LOCKED);
        // SQLITE_BUSY_SNAPSHOT, SQLITE_READONLY_DBMOVED, SQLITE_IOERR_WRITE
        assert_eq!([517, 1032, 778].map(of_sqlite), [LOCKED, FILE_GONE, DISK]);
        assert_eq!(
            ["53100", "57P03", "28P01", "25006"].map(of_postgres),
            [FULL, STARTING, NO_ENTRY, READ_ONLY]
        );
        assert_eq!(of_database(&sqlx::Error::PoolTimedOut), NO_ANSWER);
    }

    #[test]
    fn a_place_holds_no_password() {
        assert_eq!(place("postgres://idp:secret@db.example.nl:5432/idp"), "db.example.nl:5432/idp");
        assert_eq!(place("redis://:secret@[::1]:6379/2"), "[::1]:6379/2");
        assert_eq!(place("redis://cache"), "cache");
        assert_eq!(place("sqlite:/var/lib/idp.db?mode=rwc"), "/var/lib/idp.db");
        assert_eq!(place("sqlite:idp.db"), "idp.db");
    }
}

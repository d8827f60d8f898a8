//! Whether this node can serve. Its backends are looked at in the way that people's requests use them: with a write. What
//! is wrong is told to whoever asks in a few words, and to the operator in the log, once, when it begins and when it ends.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Serialize;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::db::{Db, Engine, Query};
use crate::ephemeral::{Ephemeral, EphemeralError};
use crate::fault::{self, Fault};
use crate::random::Random;

/// A backend that takes longer than this does not serve people.
const PATIENCE: Duration = Duration::from_secs(3);
/// For so long a look answers whoever asks: anybody may ask, as often as they like.
const FRESH: Duration = Duration::from_secs(1);
/// How far this machine's clock may be from the database's. Codes live a minute, and so do locks on messages; whatever
/// nodes differ by, they differ by twice as much from each other.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);
/// As much as a large request writes, so that a disk with a last page left counts as full.
const WRITTEN: usize = 16 * 1024;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfBackend {
    backend: &'static str,
}

/// Something that keeps this node from serving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceError {
    /// `database`, `redis` or `clock`.
    pub backend: &'static str,
    /// In a few words.
    pub reason: &'static str,
}

/// What a look came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub troubles: Vec<ServiceError>,
}

impl Report {
    pub fn is_ready(&self) -> bool {
        self.troubles.is_empty()
    }

    /// The answer of `/readyz`; `told` stands beside it while all is well.
    pub fn response(&self, told: &serde_json::Value) -> Response {
        let Some(first) = self.troubles.first() else {
            let mut body = json!({ "ready": true });
            if let (Some(body), Some(told)) = (body.as_object_mut(), told.as_object()) {
                body.extend(told.clone());
            }
            return Json(body).into_response();
        };
        let body = json!({
            "ready": false,
            "backend": first.backend,
            "reason": first.reason,
            "troubles": self.troubles,
        });
        (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
    }
}

/// A fault that was seen, and what of it stands in the log.
struct Seen {
    backend: &'static str,
    fault: Fault,
    /// Where: a file, or host and port.
    at: String,
    /// Of the configuration.
    key: &'static str,
    cause: String,
}

#[derive(Default)]
struct Gauges {
    ready: Gauge,
    up: Family<OfBackend, Gauge>,
    seconds: Family<OfBackend, Gauge<f64, AtomicU64>>,
    clock: Gauge<f64, AtomicU64>,
}

/// Looks at the backends of one node.
pub struct Health {
    db: Db,
    ephemeral: Ephemeral,
    clock: Clock,
    /// Whether the clock is the machine's, and nobody moves it by hand.
    compares_clock: bool,
    database_at: String,
    file: Option<OpenedFile>,
    /// The key of the row that this node writes.
    key: String,
    gauges: Gauges,
    last: Mutex<Option<(Instant, Report)>>,
}

impl Health {
    /// For a node whose `database` is at this address; `compares_clock` unless its clock is moved by hand.
    pub async fn new(
        db: &Db,
        address: &str,
        ephemeral: &Ephemeral,
        clock: &Clock,
        random: &Random,
        compares_clock: bool,
    ) -> Result<Self, sqlx::Error> {
        let file = match db.engine() {
            Engine::Sqlite => OpenedFile::of(db).await?,
            Engine::Postgres => None,
        };
        Ok(Self {
            database_at: file
                .as_ref()
                .map_or_else(|| fault::place(address), |file| file.path.display().to_string()),
            db: db.clone(),
            ephemeral: ephemeral.clone(),
            clock: clock.clone(),
            compares_clock: compares_clock && db.engine() == Engine::Postgres,
            file,
            key: format!("ready:{}", random.id()),
            gauges: Gauges::default(),
            last: Mutex::default(),
        })
    }

    /// Where the database is: a file, or host and port.
    pub fn database_at(&self) -> &str {
        &self.database_at
    }

    /// Makes what is seen part of what a server shows.
    pub fn register(&self, registry: &mut Registry) {
        let Gauges { ready, up, seconds, clock } = &self.gauges;
        registry.register("ready", "Whether this node can serve, as /readyz says", ready.clone());
        registry.register("backend_up", "Whether a backend takes a write", up.clone());
        registry.register("backend_seconds", "How long a backend took for one", seconds.clone());
        let help = "How far this machine's clock is ahead of the database's; negative if it is behind";
        registry.register("clock_ahead_seconds", help, clock.clone());
    }

    /// What a look at this moment comes to, or the one of a moment ago. Of those who ask at once, one looks.
    pub async fn report(&self) -> Report {
        let mut last = self.last.lock().await;
        if let Some((at, report)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return report.clone();
        }
        let seen = self.look().await;
        let troubles =
            seen.iter().map(|seen| ServiceError { backend: seen.backend, reason: seen.fault.reason });
        let report = Report { troubles: troubles.collect() };
        let before = last.take().map(|(_, before)| before).unwrap_or_default();
        tell(&before, &report, &seen);
        self.gauges.ready.set(report.is_ready().into());
        *last = Some((Instant::now(), report.clone()));
        report
    }

    async fn look(&self) -> Vec<Seen> {
        let (database, redis) = tokio::join!(self.look_at_database(), self.look_at_redis());
        let clock = if database.is_none() { self.look_at_clock().await } else { None };
        [database, redis, clock].into_iter().flatten().collect()
    }

    async fn look_at_database(&self) -> Option<Seen> {
        let started = Instant::now();
        let answer = timeout(PATIENCE, self.write()).await;
        let failed = |fault: Fault, cause: String| Seen {
            backend: "database",
            fault,
            at: self.database_at.clone(),
            key: "database",
            cause,
        };
        let seen = match answer {
            Ok(Ok(())) => {
                self.file.as_ref().and_then(|file| file.gone().map(|why| failed(fault::FILE_GONE, why)))
            }
            Ok(Err(error)) => Some(failed(fault::of_database(&error), error.to_string())),
            Err(_) => Some(failed(fault::NO_ANSWER, format!("nothing within {PATIENCE:?}"))),
        };
        // A file that waits for its turn is locked; only a server can be silent.
        let seen = seen.map(|seen| match self.db.engine() {
            Engine::Sqlite if seen.fault == fault::NO_ANSWER => Seen { fault: fault::LOCKED, ..seen },
            _ => seen,
        });
        self.gauge("database", seen.is_none(), started.elapsed());
        seen
    }

    async fn write(&self) -> Result<(), sqlx::Error> {
        let query = Query::new(
            "INSERT INTO ephemeral (key, value, version, expires_at) VALUES ($1, $2, 1, $3)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
        );
        let expires = self.clock.now().plus(Duration::from_mins(1));
        self.db.execute(query.bind(&self.key).bind("x".repeat(WRITTEN)).bind(expires.0)).await?;
        Ok(())
    }

    async fn look_at_redis(&self) -> Option<Seen> {
        if !self.ephemeral.is_redis() {
            return None;
        }
        let started = Instant::now();
        let answer = timeout(PATIENCE, self.ephemeral.put(&self.key, "", Duration::from_mins(1))).await;
        let seen = |fault, at: &str, cause: String| {
            Some(Seen { backend: "redis", fault, at: at.to_owned(), key: "ephemeral", cause })
        };
        let seen = match answer {
            Ok(Ok(())) => None,
            Ok(Err(error)) => {
                let at = if let EphemeralError::Redis { at, .. } = &error { at } else { "" };
                seen(error.fault(), at, error.to_string())
            }
            Err(_) => seen(fault::NO_ANSWER, "", format!("nothing within {PATIENCE:?}")),
        };
        self.gauge("redis", seen.is_none(), started.elapsed());
        seen
    }

    /// Nodes agree on the time by the clock of the database that they share.
    async fn look_at_clock(&self) -> Option<Seen> {
        if !self.compares_clock {
            return None;
        }
        let before = self.clock.now();
        let query = Query::new("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)");
        let theirs: i64 = timeout(PATIENCE, query.fetch_one(&self.db)).await.ok()?.ok()?.try_get(0).ok()?;
        let after = self.clock.now();
        // The answer is of some moment in between: only what is outside of both counts.
        let ahead = if before.0 > theirs { before.0 - theirs } else { (after.0 - theirs).min(0) };
        #[allow(clippy::cast_precision_loss, reason = "a gauge need not be exact beyond 285,000 years")]
        self.gauges.clock.set(ahead as f64 / 1000.0);
        let tolerance = i64::try_from(CLOCK_TOLERANCE.as_millis()).unwrap_or(i64::MAX);
        (ahead.abs() > tolerance).then(|| Seen {
            backend: "clock",
            fault: fault::CLOCK,
            at: self.database_at.clone(),
            key: "database",
            cause: format!(
                "this machine is {} ms {}; {} ms are tolerated",
                ahead.abs(),
                if ahead > 0 { "ahead" } else { "behind" },
                CLOCK_TOLERANCE.as_millis()
            ),
        })
    }

    fn gauge(&self, backend: &'static str, is_up: bool, took: Duration) {
        self.gauges.up.get_or_create(&OfBackend { backend }).set(is_up.into());
        self.gauges.seconds.get_or_create(&OfBackend { backend }).set(took.as_secs_f64());
    }
}

/// One line for what is wrong now and was not before, and one when all is well again.
fn tell(before: &Report, now: &Report, seen: &[Seen]) {
    for (trouble, Seen { backend, fault, at, key, cause }) in now.troubles.iter().zip(seen) {
        if !before.troubles.contains(trouble) {
            let Fault { reason, advice } = fault;
            tracing::error!(backend, reason, at, key, cause, advice, "not ready");
        }
    }
    if now.is_ready() && !before.is_ready() {
        tracing::info!("ready again");
    }
}

/// The file of an embedded database, as it was when the server opened it. SQLite goes on writing to a file that no name
/// leads to any more, and whoever opens the name makes a new one.
struct OpenedFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl OpenedFile {
    async fn of(db: &Db) -> Result<Option<Self>, sqlx::Error> {
        let query = Query::new("SELECT file FROM pragma_database_list WHERE name = 'main'");
        let path: String = query.fetch_one(db).await?.try_get(0)?;
        let path = PathBuf::from(path);
        Ok(identity(&path).ok().map(|identity| Self { path, identity }))
    }

    /// What has become of it, if it is not where it was. Its log belongs to it: without it, what it holds is lost.
    fn gone(&self) -> Option<String> {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        match identity(&self.path) {
            Err(error) => Some(format!("{}: {error}", self.path.display())),
            Ok(now) if now != self.identity => Some(format!("{}: another file", self.path.display())),
            Ok(_) => identity(Path::new(&log)).err().map(|error| format!("{}: {error}", log.display())),
        }
    }
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

//! Values with an expiry: journeys, codes, counters, replay marks. Kept in the database or in Redis, with
//! the same behaviour: expiry is stored with the value and judged by the injected clock, so Redis' own
//! expiry only cleans up.

use std::time::Duration;

use redis::RedisError;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

use crate::clock::{Clock, Timestamp};
use crate::db::{Db, Query};
use crate::fault::{self, Fault};

/// How long a connection to Redis may take to come about: somebody waits for the page.
const CONNECTS_WITHIN: Duration = Duration::from_millis(400);
/// How long Redis may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

mod limits;

pub use limits::{Full, Limit, Reserved};

/// Why an expiring value could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum EphemeralError {
    #[error("expiring values in the database: {0}")]
    Sql(#[from] sqlx::Error),
    /// `at` is where, without a password.
    #[error("expiring values in Redis at {at}: {error}")]
    Redis { at: String, error: RedisError },
}

impl EphemeralError {
    /// Which backend failed, as metrics and readiness call it.
    pub fn backend(&self) -> &'static str {
        match self {
            Self::Sql(_) => "database",
            Self::Redis { .. } => "redis",
        }
    }

    /// What it means, and what to do.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Sql(error) => fault::of_database(error),
            Self::Redis { error, .. } => fault::of_redis(error),
        }
    }
}

type Result<T> = std::result::Result<T, EphemeralError>;

/// A value and the version that a [`Ephemeral::swap`] has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    pub value: String,
    pub version: i64,
}

/// What a counter shows after it was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How often it was raised within its window, this time included.
    pub count: i64,
    /// When the window ends and the counter starts over.
    pub resets_at: Timestamp,
}

/// Replaces a value that is still of this version; one row if it was.
fn swap(key: &str, version: i64, value: &str, expires: Timestamp, now: Timestamp) -> Query {
    Query::new(
        "UPDATE ephemeral SET value = $1, version = version + 1, expires_at = $2
         WHERE key = $3 AND version = $4 AND expires_at > $5 RETURNING version",
    )
    .bind(value)
    .bind(expires.0)
    .bind(key)
    .bind(version)
    .bind(now.0)
}

/// A store of expiring values.
#[derive(Clone)]
pub struct Ephemeral {
    backend: Backend,
    clock: Clock,
}

#[derive(Clone)]
enum Backend {
    Sql(Db),
    Redis { connection: ConnectionManager, prefix: String, at: String },
}

impl std::fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.backend {
            Backend::Sql(_) => "Ephemeral(sql)",
            Backend::Redis { .. } => "Ephemeral(redis)",
        })
    }
}

impl Ephemeral {
    /// Kept in the table `ephemeral` of `db`.
    pub fn sql(db: Db, clock: Clock) -> Self {
        Self { backend: Backend::Sql(db), clock }
    }

    /// Kept in the Redis at `url` (`redis://host:port/db`), under keys that start with `prefix`.
    ///
    /// # Errors
    /// If `url` is malformed or nobody answers there.
    pub async fn redis(url: &str, prefix: &str, clock: Clock) -> Result<Self> {
        let at = fault::place(url);
        // No pauses between tries here: who waits for a page gets an error at once, and the next request tries anew.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECTS_WITHIN))
            .set_response_timeout(Some(ANSWERS_WITHIN));
        let connected = async { redis::Client::open(url)?.get_connection_manager_with_config(config).await };
        match connected.await {
            Ok(connection) => {
                Ok(Self { backend: Backend::Redis { connection, prefix: prefix.to_owned(), at }, clock })
            }
            Err(error) => Err(EphemeralError::Redis { at, error }),
        }
    }

    /// Whether the values are kept in Redis, and not in the database.
    pub fn is_redis(&self) -> bool {
        matches!(self.backend, Backend::Redis { .. })
    }

    /// Stores `value`, whatever was there before.
    pub async fn put(&self, key: &str, value: &str, lifetime: Duration) -> Result<()> {
        let expires = self.clock.now().plus(lifetime);
        match &self.backend {
            Backend::Sql(db) => {
                let query = Query::new(
                    "INSERT INTO ephemeral (key, value, version, expires_at) VALUES ($1, $2, 1, $3)
                     ON CONFLICT (key) DO UPDATE
                     SET value = excluded.value, version = ephemeral.version + 1, expires_at = excluded.expires_at",
                );
                db.execute(query.bind(key).bind(value).bind(expires.0)).await?;
            }
            Backend::Redis { .. } => {
                let script = "redis.call('HSET', KEYS[1], 'v', ARGV[1], 'x', ARGV[2])
                     redis.call('HINCRBY', KEYS[1], 'n', 1)
                     redis.call('PEXPIRE', KEYS[1], ARGV[3])
                     return 1";
                self.run::<i64>(script, key, &[value, &text(expires), &keep(lifetime)]).await?;
            }
        }
        Ok(())
    }

    /// Stores `value` only where nothing unexpired stands; false if something does. A replay mark.
    pub async fn put_new(&self, key: &str, value: &str, lifetime: Duration) -> Result<bool> {
        let now = self.clock.now();
        let expires = now.plus(lifetime);
        match &self.backend {
            Backend::Sql(db) => {
                let query = Query::new(
                    "INSERT INTO ephemeral (key, value, version, expires_at) VALUES ($1, $2, 1, $3)
                     ON CONFLICT (key) DO UPDATE
                     SET value = excluded.value, version = ephemeral.version + 1, expires_at = excluded.expires_at
                     WHERE ephemeral.expires_at <= $4",
                );
                Ok(db.execute(query.bind(key).bind(value).bind(expires.0).bind(now.0)).await? == 1)
            }
            Backend::Redis { .. } => {
                let script = "local x = redis.call('HGET', KEYS[1], 'x')
                     if x and tonumber(x) > tonumber(ARGV[4]) then return 0 end
                     redis.call('HSET', KEYS[1], 'v', ARGV[1], 'x', ARGV[2])
                     redis.call('HINCRBY', KEYS[1], 'n', 1)
                     redis.call('PEXPIRE', KEYS[1], ARGV[3])
                     return 1";
                let stored: i64 =
                    self.run(script, key, &[value, &text(expires), &keep(lifetime), &text(now)]).await?;
                Ok(stored == 1)
            }
        }
    }

    /// What is stored and has not expired.
    pub async fn get(&self, key: &str) -> Result<Option<Versioned>> {
        let now = self.clock.now();
        match &self.backend {
            Backend::Sql(db) => {
                let row =
                    Query::new("SELECT value, version FROM ephemeral WHERE key = $1 AND expires_at > $2")
                        .bind(key)
                        .bind(now.0)
                        .fetch_optional(db)
                        .await?;
                row.map(|row| Ok(Versioned { value: row.try_get(0)?, version: row.try_get(1)? })).transpose()
            }
            Backend::Redis { .. } => {
                let script = "local r = redis.call('HMGET', KEYS[1], 'v', 'n', 'x')
                     if r[3] and tonumber(r[3]) > tonumber(ARGV[1]) then return {r[1], r[2]} end
                     return {}";
                let found: Vec<String> = self.run(script, key, &[&text(now)]).await?;
                Ok(match found.as_slice() {
                    [value, version] => {
                        Some(Versioned { value: value.clone(), version: version.parse().unwrap_or(0) })
                    }
                    _ => None,
                })
            }
        }
    }

    /// Replaces the value if it is still the version that was read; false if somebody else was first or
    /// it has expired.
    pub async fn swap(&self, key: &str, version: i64, value: &str, lifetime: Duration) -> Result<bool> {
        let now = self.clock.now();
        let expires = now.plus(lifetime);
        match &self.backend {
            Backend::Sql(db) => {
                Ok(db.execute_returning(swap(key, version, value, expires, now)).await?.is_some())
            }
            Backend::Redis { .. } => {
                let script = "local r = redis.call('HMGET', KEYS[1], 'n', 'x')
                     if not r[1] or r[1] ~= ARGV[5] or tonumber(r[2]) <= tonumber(ARGV[4]) then return 0 end
                     redis.call('HSET', KEYS[1], 'v', ARGV[1], 'x', ARGV[2])
                     redis.call('HINCRBY', KEYS[1], 'n', 1)
                     redis.call('PEXPIRE', KEYS[1], ARGV[3])
                     return 1";
                let version = version.to_string();
                let swapped: i64 = self
                    .run(script, key, &[value, &text(expires), &keep(lifetime), &text(now), &version])
                    .await?;
                Ok(swapped == 1)
            }
        }
    }

    /// What [`Ephemeral::swap`] does, as a guard of a transaction of the database that the values are kept in; `None` if
    /// they are kept elsewhere.
    pub fn swap_within(&self, key: &str, version: i64, value: &str, lifetime: Duration) -> Option<Query> {
        let now = self.clock.now();
        let swap = || swap(key, version, value, now.plus(lifetime), now);
        matches!(self.backend, Backend::Sql(_)).then(swap)
    }

    /// Reads and removes in one step: of two callers only one gets the value.
    pub async fn take(&self, key: &str) -> Result<Option<String>> {
        let now = self.clock.now();
        match &self.backend {
            Backend::Sql(db) => {
                let query =
                    Query::new("DELETE FROM ephemeral WHERE key = $1 AND expires_at > $2 RETURNING value");
                let row = db.execute_returning(query.bind(key).bind(now.0)).await?;
                row.map(|row| Ok(row.try_get(0)?)).transpose()
            }
            Backend::Redis { .. } => {
                let script = "local r = redis.call('HMGET', KEYS[1], 'v', 'x')
                     redis.call('DEL', KEYS[1])
                     if r[2] and tonumber(r[2]) > tonumber(ARGV[1]) then return {r[1]} end
                     return {}";
                let found: Vec<String> = self.run(script, key, &[&text(now)]).await?;
                Ok(found.into_iter().next())
            }
        }
    }

    /// Removes a value, if it is there.
    pub async fn delete(&self, key: &str) -> Result<()> {
        self.take(key).await.map(|_| ())
    }

    /// Raises a counter by one and tells what it shows. The window starts at the first raise.
    pub async fn count(&self, key: &str, window: Duration) -> Result<Count> {
        let now = self.clock.now();
        let ends = now.plus(window);
        match &self.backend {
            Backend::Sql(db) => {
                let query = Query::new(
                    "INSERT INTO ephemeral (key, value, version, expires_at) VALUES ($1, '', 1, $2)
                     ON CONFLICT (key) DO UPDATE SET
                       version = CASE WHEN ephemeral.expires_at <= $3 THEN 1 ELSE ephemeral.version + 1 END,
                       expires_at = CASE WHEN ephemeral.expires_at <= $3 THEN excluded.expires_at
                                         ELSE ephemeral.expires_at END
                     RETURNING version, expires_at",
                );
                let row = db.execute_returning(query.bind(key).bind(ends.0).bind(now.0)).await?;
                let row = row.ok_or(sqlx::Error::RowNotFound)?;
                Ok(Count { count: row.try_get(0)?, resets_at: Timestamp(row.try_get(1)?) })
            }
            Backend::Redis { .. } => {
                let script = "local x = redis.call('HGET', KEYS[1], 'x')
                     if not x or tonumber(x) <= tonumber(ARGV[3]) then
                       redis.call('HSET', KEYS[1], 'v', '', 'n', 0, 'x', ARGV[1])
                       redis.call('PEXPIRE', KEYS[1], ARGV[2])
                       x = ARGV[1]
                     end
                     return {redis.call('HINCRBY', KEYS[1], 'n', 1), tonumber(x)}";
                let (count, resets_at) =
                    self.run(script, key, &[&text(ends), &keep(window), &text(now)]).await?;
                Ok(Count { count, resets_at: Timestamp(resets_at) })
            }
        }
    }

    /// Removes what has expired; returns how many rows went. Redis does this by itself.
    pub async fn sweep(&self) -> Result<u64> {
        match &self.backend {
            Backend::Sql(db) => {
                let query = Query::new(
                    "DELETE FROM ephemeral WHERE key IN
                       (SELECT key FROM ephemeral WHERE expires_at <= $1 ORDER BY expires_at LIMIT 100)",
                );
                Ok(db.remove_in_pieces(query.bind(self.clock.now().0)).await?)
            }
            Backend::Redis { .. } => Ok(0),
        }
    }

    /// Runs a script; on a connection that was cut, once more on a new one. The first run may have been carried out
    /// unheard: then a count shows one more, and what can be had once is gone, which lets in nobody.
    async fn run<T: redis::FromRedisValue>(&self, script: &str, key: &str, arguments: &[&str]) -> Result<T> {
        let Backend::Redis { connection, prefix, at } = &self.backend else {
            unreachable!("only the Redis arms call this")
        };
        let script = redis::Script::new(script);
        let mut invocation = script.prepare_invoke();
        invocation.key(format!("{prefix}{key}"));
        for argument in arguments {
            invocation.arg(*argument);
        }
        let mut answer = invocation.invoke_async(&mut connection.clone()).await;
        if answer.as_ref().is_err_and(RedisError::is_unrecoverable_error) {
            answer = invocation.invoke_async(&mut connection.clone()).await;
        }
        answer.map_err(|error| EphemeralError::Redis { at: at.clone(), error })
    }
}

fn text(at: Timestamp) -> String {
    at.0.to_string()
}

/// Redis' own expiry in milliseconds: later than the stored one, so that a clock which was moved back or
/// differs between nodes never loses a value early.
fn keep(lifetime: Duration) -> String {
    (lifetime.as_millis() + 60_000).to_string()
}

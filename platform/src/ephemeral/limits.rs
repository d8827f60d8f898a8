//! Counters with a limit. What is limited is taken before the work and given back if it was not used after all: whoever
//! looks first and counts later lets in as many as come at once.

use std::time::Duration;

use super::{Backend, Ephemeral, Result, keep, text};
use crate::clock::Timestamp;
use crate::db::Query;

/// So much within a window, which starts with the first of it.
#[derive(Clone, Copy, Debug)]
pub struct Limit<'a> {
    pub key: &'a str,
    /// Zero lifts the limit.
    pub most: u32,
    pub window: Duration,
}

/// What was taken, one of each limit; dropped, it stays taken until the windows end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Reserved(Vec<(String, Timestamp)>);

/// There was none left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// Of which limit, by its place in the list.
    pub index: usize,
    /// When its window ends.
    pub until: Timestamp,
}

impl Ephemeral {
    /// Takes one of each limit, or none of any: [`Full`] names the first that has none left.
    pub async fn reserve(&self, limits: &[Limit<'_>]) -> Result<std::result::Result<Reserved, Full>> {
        let mut reserved = Reserved::default();
        for (index, limit) in limits.iter().enumerate().filter(|(_, limit)| limit.most > 0) {
            let (is_taken, until) = self.take_one(limit).await?;
            if !is_taken {
                self.give_back(reserved).await?;
                return Ok(Err(Full { index, until }));
            }
            reserved.0.push((limit.key.to_owned(), until));
        }
        Ok(Ok(reserved))
    }

    /// Gives back what was taken and not used. Of a window that has ended nothing is left to give back.
    pub async fn give_back(&self, reserved: Reserved) -> Result<()> {
        for (key, until) in &reserved.0 {
            match &self.backend {
                Backend::Sql(db) => {
                    let query = Query::new(
                        "UPDATE ephemeral SET version = version - 1
                         WHERE key = $1 AND expires_at = $2 AND version > 0",
                    );
                    db.execute(query.bind(key.as_str()).bind(until.0)).await?;
                }
                Backend::Redis { .. } => {
                    let script = "local r = redis.call('HMGET', KEYS[1], 'n', 'x')
                         if r[1] and tonumber(r[1]) > 0 and r[2] == ARGV[1] then
                           return redis.call('HINCRBY', KEYS[1], 'n', -1)
                         end
                         return 0";
                    self.run::<i64>(script, key, &[&text(*until)]).await?;
                }
            }
        }
        Ok(())
    }

    /// Raises a counter unless it shows `most` already; and when its window ends.
    async fn take_one(&self, limit: &Limit<'_>) -> Result<(bool, Timestamp)> {
        let now = self.clock.now();
        let ends = now.plus(limit.window);
        match &self.backend {
            Backend::Sql(db) => {
                let query = Query::new(
                    "INSERT INTO ephemeral (key, value, version, expires_at) VALUES ($1, '', 1, $2)
                     ON CONFLICT (key) DO UPDATE SET
                       version = CASE WHEN ephemeral.expires_at <= $3 THEN 1 ELSE ephemeral.version + 1 END,
                       expires_at = CASE WHEN ephemeral.expires_at <= $3 THEN excluded.expires_at
                                         ELSE ephemeral.expires_at END
                     WHERE ephemeral.expires_at <= $3 OR ephemeral.version < $4
                     RETURNING expires_at",
                );
                let query = query.bind(limit.key).bind(ends.0).bind(now.0).bind(i64::from(limit.most));
                if let Some(row) = db.execute_returning(query).await? {
                    return Ok((true, Timestamp(row.try_get(0)?)));
                }
                let query = Query::new("SELECT expires_at FROM ephemeral WHERE key = $1").bind(limit.key);
                let row = query.fetch_optional(db).await?;
                let until = row.map(|row| row.try_get(0)).transpose()?;
                Ok((false, until.map_or(now, Timestamp)))
            }
            Backend::Redis { .. } => {
                let script = "local r = redis.call('HMGET', KEYS[1], 'n', 'x')
                     local n, x = r[1], r[2]
                     if not x or tonumber(x) <= tonumber(ARGV[3]) then
                       redis.call('HSET', KEYS[1], 'v', '', 'n', 0, 'x', ARGV[1])
                       redis.call('PEXPIRE', KEYS[1], ARGV[2])
                       n, x = 0, ARGV[1]
                     end
                     if tonumber(n) >= tonumber(ARGV[4]) then return {0, tonumber(x)} end
                     redis.call('HINCRBY', KEYS[1], 'n', 1)
                     return {1, tonumber(x)}";
                let most = limit.most.to_string();
                let (is_taken, until): (i64, i64) = self
                    .run(script, limit.key, &[&text(ends), &keep(limit.window), &text(now), &most])
                    .await?;
                Ok((is_taken == 1, Timestamp(until)))
            }
        }
    }
}

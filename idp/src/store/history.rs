//! What happened to an account, as people read it. What strangers can bring about as often as they like is counted by the day,
//! so that it pushes out nothing that its holder did.

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row};

use super::{Result, Store};
use crate::domain::account::AccountId;

/// Events that need no proof of who somebody is; see [`crate::store::audit::Event`].
const BY_ANYBODY: &str = "('sign-in-failed', 'locked')";
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// One line of a history.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The last time, where it happened more than once.
    pub at: Timestamp,
    pub event: String,
    /// How often, in the same day (UTC).
    pub times: i64,
    /// Who did it, where that is not the holder.
    pub actor_id: Option<String>,
    pub client_id: Option<String>,
    pub detail: String,
}

impl Store {
    /// The history of an account, the newest first: at most `limit` lines of what its holder and the team did, and
    /// at most as many days of what anybody can bring about.
    pub async fn history(&self, account: &AccountId, limit: u32) -> Result<Vec<Happened>> {
        let one_by_one = format!(
            "SELECT at, event, CAST(1 AS BIGINT) AS times, actor_id, client_id, detail FROM audit
             WHERE account_id = $1 AND event NOT IN {BY_ANYBODY} ORDER BY at DESC LIMIT $2"
        );
        let by_day = format!(
            "SELECT MAX(at) AS at, event, COUNT(*) AS times, NULL AS actor_id, NULL AS client_id, '' AS detail FROM audit
             WHERE account_id = $1 AND event IN {BY_ANYBODY}
             GROUP BY event, at / {DAY_MILLIS} ORDER BY MAX(at) DESC LIMIT $2"
        );
        let mut all = Vec::new();
        for sql in [one_by_one, by_day] {
            let query = Query::new(AssertSqlSafe(sql)).bind(&account.0).bind(i64::from(limit));
            for row in query.fetch_all(&self.db).await? {
                all.push(happened(&row)?);
            }
        }
        all.sort_by_key(|happened| std::cmp::Reverse(happened.at));
        Ok(all)
    }
}

fn happened(row: &Row) -> Result<Happened> {
    Ok(Happened {
        at: Timestamp(row.try_get("at")?),
        event: row.try_get("event")?,
        times: row.try_get("times")?,
        actor_id: row.try_get("actor_id")?,
        client_id: row.try_get("client_id")?,
        detail: row.try_get("detail")?,
    })
}

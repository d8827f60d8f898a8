//! When a session ends, as its pages and their script know it: they warn before, and leave when it is over. Asking
//! for it extends nothing.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::clock::Timestamp;

/// The end of a session, seen from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// Seconds until it, if nothing is done.
    pub ends_in: u64,
    /// Whether doing something moves it; not at the limit that holds whatever somebody does.
    pub can_extend: bool,
    /// How long before it the page warns, in seconds.
    pub warn: u64,
    /// After how long without activity it comes, for the text about it.
    pub idle_minutes: u64,
    /// The page that a page of the session leaves to when it is over.
    #[serde(skip)]
    pub after: &'static str,
}

impl Ending {
    /// Of a session that was seen at `seen_at`, lives for `idle` after that, and until `absolute_end` at most.
    pub fn new(
        now: Timestamp,
        (seen_at, idle): (Timestamp, Duration),
        absolute_end: Timestamp,
        warn: Duration,
        after: &'static str,
    ) -> Self {
        let idle_end = seen_at.plus(idle);
        Self {
            ends_in: idle_end.min(absolute_end).since(now).as_secs(),
            can_extend: absolute_end > idle_end,
            warn: warn.as_secs(),
            idle_minutes: idle.as_secs() / 60,
            after,
        }
    }
}

/// What the script hears of a session; of none: that it is over.
pub fn told(ending: Option<Ending>) -> Response {
    let (seconds, can_extend) = ending.map_or((0, false), |ending| (ending.ends_in, ending.can_extend));
    Json(json!({ "remaining_seconds": seconds, "can_extend": can_extend })).into_response()
}

/// Whether a script asks, which cannot do with a page.
pub fn is_script(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.starts_with("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_ends_counts_and_only_the_idle_one_can_be_moved() {
        let minutes = Duration::from_mins;
        let start = Timestamp(1_795_000_000_000);
        let at = |now: u64, seen: u64| {
            let seen = (start.plus(minutes(seen)), minutes(15));
            Ending::new(start.plus(minutes(now)), seen, start.plus(minutes(60)), minutes(2), "/after")
        };
        let fresh = at(0, 0);
        assert_eq!((fresh.ends_in, fresh.can_extend, fresh.warn, fresh.idle_minutes), (900, true, 120, 15));
        assert_eq!((at(10, 0).ends_in, at(44, 44).can_extend), (300, true));
        let last = at(50, 46);
        assert_eq!((last.ends_in, last.can_extend), (600, false));
        assert_eq!(at(61, 46).ends_in, 0);
    }
}

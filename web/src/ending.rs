//! When a session ends, as its pages and their script know it: they warn before, and leave when it is over. Asking
//! for it extends nothing.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::clock::Timestamp;
use crate::kept;
use crate::request::Visit;

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

/// What the warning on a page knows.
#[derive(Serialize)]
pub(crate) struct Warning {
    #[serde(flatten)]
    ending: Ending,
    /// For a text: the minutes that are left, the last one whole.
    minutes: u64,
    /// The page it stands on, to come back to.
    here: String,
    ended_url: String,
    /// Where a form is sent that stands half filled in on the page when it is over.
    keep_url: String,
}

impl Warning {
    pub(crate) fn new(visit: &Visit, ending: Ending) -> Self {
        let here = visit.uri.path_and_query().and_then(|here| local_path(here.as_str())).unwrap_or("/");
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", here).finish();
        // A slash may stand in a query as it is (RFC 3986 section 3.4).
        let query = query.replace("%2F", "/");
        let joint = if ending.after.contains('?') { '&' } else { '?' };
        Self {
            ending,
            minutes: ending.ends_in.div_ceil(60),
            here: here.to_owned(),
            ended_url: format!("{}{joint}{query}", ending.after),
            keep_url: kept::url(visit, &[("away", "1")]),
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

/// A path of this server to return to: it starts with one slash, so that no browser takes it for another host, and
/// has nothing in it that browsers rewrite.
pub fn local_path(path: &str) -> Option<&str> {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 512
        && path.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    is_local.then_some(path)
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

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for path in ["/account", "/account?notice=email", "/%2F/evil"] {
            assert_eq!(local_path(path), Some(path));
        }
        for path in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "evil", "/a\nb"]
        {
            assert_eq!(local_path(path), None, "{path:?}");
        }
    }
}

//! The cookie of a session, and the one that it leaves behind.

use axum::response::Response;
use platform::request::{RequestContext, append};

use super::names::{ENDED_COOKIE, SESSION_COOKIE};

/// The token of the session that a browser names.
pub fn token(cx: &RequestContext) -> Option<String> {
    cx.cookie(SESSION_COOKIE)
}

/// Whether a session of this browser ended without a sign-out.
pub fn says_ended(cx: &RequestContext) -> bool {
    cx.cookie(ENDED_COOKIE).is_some()
}

/// A session begins.
pub fn begin(cx: &RequestContext, response: &mut Response, token: &str) {
    let cookies = cx.front.cookies;
    append(response, cookies.set(SESSION_COOKIE, token, None));
    append(response, cookies.clear(ENDED_COOKIE));
}

/// Somebody signed out.
pub fn clear(cx: &RequestContext, response: &mut Response) {
    append(response, cx.front.cookies.clear(SESSION_COOKIE));
}

/// A stale cookie traps nobody: it goes, and another says that the next sign-in needs a new proof.
pub fn forget(cx: &RequestContext, response: &mut Response) {
    clear(cx, response);
    append(response, cx.front.cookies.set(ENDED_COOKIE, "yes", None));
}

//! The cookie of a session, and the one that it leaves behind.

use axum::response::Response;
use web::request::{Visit, append};

use super::names::{ENDED_COOKIE, SESSION_COOKIE};

/// The token of the session that a browser names.
pub fn token(visit: &Visit) -> Option<String> {
    visit.cookie(SESSION_COOKIE)
}

/// Whether a session of this browser ended without a sign-out.
pub fn says_ended(visit: &Visit) -> bool {
    visit.cookie(ENDED_COOKIE).is_some()
}

/// A session begins.
pub fn begin(visit: &Visit, response: &mut Response, token: &str) {
    let cookies = visit.front.cookies;
    append(response, cookies.set(SESSION_COOKIE, token, None));
    append(response, cookies.clear(ENDED_COOKIE));
}

/// Somebody signed out.
pub fn clear(visit: &Visit, response: &mut Response) {
    append(response, visit.front.cookies.clear(SESSION_COOKIE));
}

/// A stale cookie traps nobody: it goes, and another says that the next sign-in needs a new proof.
pub fn forget(visit: &Visit, response: &mut Response) {
    clear(visit, response);
    append(response, visit.front.cookies.set(ENDED_COOKIE, "yes", None));
}

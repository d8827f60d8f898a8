//! The cookie of a session, and the one that it leaves behind.

use axum::response::Response;
use web::request::{Visit, append};

/// The cookie that holds the token of a session. Its name differs from the provider's, because on one
/// host (localhost) browsers do not tell ports apart.
const SESSION: &str = "portal-session";
/// The cookie of a browser whose session ended without a sign-out: the next sign-in asks for a new proof.
const ENDED: &str = "portal-ended";

/// The token of the session that a browser names.
pub fn token(visit: &Visit) -> Option<String> {
    visit.cookie(SESSION)
}

/// Whether a session of this browser ended without a sign-out.
pub fn says_ended(visit: &Visit) -> bool {
    visit.cookie(ENDED).is_some()
}

/// A session begins.
pub fn begin(visit: &Visit, response: &mut Response, token: &str) {
    let cookies = visit.front.cookies;
    append(response, cookies.set(SESSION, token, None));
    append(response, cookies.clear(ENDED));
}

/// Somebody signed out.
pub fn clear(visit: &Visit, response: &mut Response) {
    append(response, visit.front.cookies.clear(SESSION));
}

/// A stale cookie traps nobody: it goes, and another says that the next sign-in needs a new proof.
pub fn forget(visit: &Visit, response: &mut Response) {
    clear(visit, response);
    append(response, visit.front.cookies.set(ENDED, "yes", None));
}

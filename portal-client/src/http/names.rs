//! What stands on the wire and is no path: the names of cookies, of form fields and of the parameters of URLs. The same field
//! names stand in the templates, and those of forms that are kept in `platform::kept`.

/// The cookie that holds the token of a session. Its name differs from the provider's, because on one
/// host (localhost) browsers do not tell ports apart.
pub const SESSION_COOKIE: &str = "portal-session";
/// The cookie of a browser whose session ended without a sign-out: the next sign-in asks for a new proof.
pub const ENDED_COOKIE: &str = "portal-ended";

// Fields of a request for access.
pub const RELATION: &str = "relation";
pub const BIRTH_DATE: &str = "birth_date";
pub const BSN: &str = "bsn";
pub const ORGANISATION: &str = "organisation";
pub const ACTIVATION_CODE: &str = "activation_code";

// Fields of what is written in a dossier.
pub const TEXT: &str = "text";
pub const TITLE: &str = "title";
pub const DATE: &str = "date";
pub const TIME: &str = "time";
/// The appointment that is changed.
pub const NOTE: &str = "note";
/// The button that removes it.
pub const REMOVE: &str = "remove";
/// The link whose access is ended.
pub const LINK: &str = "link";

// Fields of the care team's desk.
pub const REASON: &str = "reason";
pub const LEVEL: &str = "level";

/// How far the clock of a development setting is moved.
pub const SECONDS: &str = "seconds";

// What the provider sends: RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207 section 2, Back-Channel Logout 1.0 section 2.5.
pub const STATE: &str = "state";
pub const CODE: &str = "code";
pub const ISS: &str = "iss";
pub const ERROR: &str = "error";
pub const LOGOUT_TOKEN: &str = "logout_token";

// Parameters of our own URLs.
/// Where to go afterwards.
pub const RETURN_TO: &str = "return_to";
/// Why somebody is at the signed-out page.
pub const WHY: &str = "why";
/// What was just done.
pub const DONE: &str = "done";
/// Which page of a long list.
pub const PAGE: &str = "page";
/// Whether a cookie was tried before.
pub const TRIED: &str = "tried";
/// Whether a form was left because the session ended.
pub const AWAY: &str = "away";
/// A request that waits for its confirmation.
pub const DRAFT: &str = "draft";
/// A code that was issued a moment ago.
pub const ISSUED: &str = "issued";
/// Where a page of who looked starts.
pub const BEFORE: &str = "before";
pub const SKIP: &str = "skip";
/// The version of a file, which makes its address good for ever.
pub const VERSION: &str = "v";

//! Errors as clients see them.

use serde::Serialize;

/// An error of RFC 6749 sections 4.1.2.1 and 5.2 or OpenID Connect Core section 3.1.2.6. The description
/// is for the client's developer: English, ASCII, without line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WireError {
    pub error: &'static str,
    pub error_description: &'static str,
    /// What it is exactly, for this server's log alone: the client may not be told which of several it was.
    #[serde(skip)]
    pub reason: Option<&'static str>,
}

impl WireError {
    pub const fn new(error: &'static str, error_description: &'static str) -> Self {
        Self { error, error_description, reason: None }
    }

    /// The same answer, with what the log says of it.
    pub const fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// What the log says of it.
    pub fn reason(&self) -> &'static str {
        self.reason.unwrap_or(self.error_description)
    }
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.error, self.error_description)
    }
}

pub const ACCESS_DENIED: WireError = WireError::new("access_denied", "the person did not sign in");
pub const CONSENT_DENIED: WireError = WireError::new("access_denied", "the person did not consent");
pub const LOGIN_REQUIRED: WireError =
    WireError::new("login_required", "nobody is signed in, or not recently enough");
pub const CONSENT_REQUIRED: WireError =
    WireError::new("consent_required", "the person has to be asked for consent");
pub const INTERACTION_REQUIRED: WireError =
    WireError::new("interaction_required", "the person has to take a step that needs a page");
pub const SERVER_ERROR: WireError = WireError::new("server_error", "something went wrong here; it is logged");
pub const TOO_LARGE: WireError =
    WireError::new("invalid_request", "the request is too large: its parameters may have 8 kB together");
pub const INVALID_CLIENT: WireError = WireError::new("invalid_client", "client authentication failed");
pub const INVALID_REQUEST_URI: WireError = WireError::new(
    "invalid_request_uri",
    "the request_uri is unknown, expired, used, or of another client; push the request again",
);
pub const INVALID_GRANT: WireError = WireError::new(
    "invalid_grant",
    "the code or token is unknown, expired, used, or belongs to another request",
);
pub const INVALID_TOKEN: WireError =
    WireError::new("invalid_token", "the access token is missing, expired, revoked or not one");

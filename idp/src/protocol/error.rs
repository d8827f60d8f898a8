//! Errors as clients see them.

use serde::Serialize;

/// An error of RFC 6749 sections 4.1.2.1 and 5.2 or OpenID Connect Core section 3.1.2.6. The description
/// is for the client's developer: English, ASCII, without line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OAuthError {
    pub error: &'static str,
    pub error_description: &'static str,
    /// What it is exactly, for this server's log alone: the client may not be told which of several it was.
    #[serde(skip)]
    pub reason: Option<&'static str>,
}

impl OAuthError {
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

impl std::fmt::Display for OAuthError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.error, self.error_description)
    }
}

pub const ACCESS_DENIED: OAuthError = OAuthError::new("access_denied", "the person did not sign in");
pub const CONSENT_DENIED: OAuthError = OAuthError::new("access_denied", "the person did not consent");
pub const LOGIN_REQUIRED: OAuthError =
    OAuthError::new("login_required", "nobody is signed in, or not recently enough");
pub const CONSENT_REQUIRED: OAuthError =
    OAuthError::new("consent_required", "the person has to be asked for consent");
pub const INTERACTION_REQUIRED: OAuthError =
    OAuthError::new("interaction_required", "the person has to take a step that needs a page");
pub const SERVER_ERROR: OAuthError =
    OAuthError::new("server_error", "something went wrong here; it is logged");
pub const TOO_LARGE: OAuthError =
    OAuthError::new("invalid_request", "the request is too large: its parameters may have 8 kB together");
pub const INVALID_CLIENT: OAuthError = OAuthError::new("invalid_client", "client authentication failed");
pub const INVALID_REQUEST_URI: OAuthError = OAuthError::new(
    "invalid_request_uri",
    "the request_uri is unknown, expired, used, or of another client; push the request again",
);
pub const INVALID_GRANT: OAuthError = OAuthError::new(
    "invalid_grant",
    "the code or token is unknown, expired, used, or belongs to another request",
);
pub const INVALID_TOKEN: OAuthError =
    OAuthError::new("invalid_token", "the access token is missing, expired, revoked or not one");

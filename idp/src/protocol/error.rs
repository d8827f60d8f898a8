//! Errors as clients see them.

use serde::Serialize;

use super::reason::Reason;

/// An error of RFC 6749 sections 4.1.2.1 and 5.2 or OpenID Connect Core section 3.1.2.6. The description
/// is for the client's developer: English, ASCII, without line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OAuthError {
    pub error: &'static str,
    pub error_description: &'static str,
    /// What it is exactly, for this server's log alone.
    #[serde(skip)]
    reason: Option<Reason>,
}

impl OAuthError {
    pub const fn new(error: &'static str, error_description: &'static str) -> Self {
        Self { error, error_description, reason: None }
    }

    /// The same answer, of which the log says more.
    const fn because(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// What the log says of it: the reason, or what the client is told.
    pub fn reason(&self) -> &'static str {
        self.reason.map_or(self.error_description, Reason::text)
    }

    /// The HTTP status of its answer, where that is no redirect: RFC 6749 section 5.2, RFC 6750 section 3.1.
    pub fn status(&self) -> u16 {
        match self.error {
            "invalid_client" | "invalid_token" => 401,
            "temporarily_unavailable" => 429,
            "server_error" => 500,
            _ => 400,
        }
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
/// OpenID Connect Core Error Code `unmet_authentication_requirements` 1.0.
pub const UNREACHABLE_ACR: OAuthError = OAuthError::new(
    "unmet_authentication_requirements",
    "none of the acr values that are essential can be reached here",
);
pub const SERVER_ERROR: OAuthError =
    OAuthError::new("server_error", "something went wrong here; it is logged");
pub const TOO_LARGE: OAuthError =
    OAuthError::new("invalid_request", "the request is too large: its parameters may have 8 kB together");
pub const NOT_A_FORM: OAuthError =
    OAuthError::new("invalid_request", "the body is not a form, or repeats a parameter");
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
pub const TOO_MANY_REQUESTS: OAuthError =
    OAuthError::new("temporarily_unavailable", "too many requests from this address");

/// Those who are refused for several reasons are told the same.
impl From<Reason> for OAuthError {
    fn from(reason: Reason) -> Self {
        let answer = match reason {
            Reason::UnknownClient
            | Reason::WrongSecret
            | Reason::WrongSecretAndMethod
            | Reason::PublicClientWithProof
            | Reason::NoClientAuthentication
            | Reason::SecretForAssertion
            | Reason::AssertionForSecret => INVALID_CLIENT,
            Reason::UnknownCode
            | Reason::CodeReplayed
            | Reason::CodeRaced
            | Reason::CodeMismatch
            | Reason::NotEntitled
            | Reason::RefreshTokenReplayed
            | Reason::RefreshTokenRaced => INVALID_GRANT,
        };
        answer.because(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_the_same_of_each_and_the_log_which_it_was() {
        let (unknown, replayed) =
            (OAuthError::from(Reason::UnknownCode), OAuthError::from(Reason::CodeReplayed));
        assert_eq!(serde_json::to_value(unknown).unwrap(), serde_json::to_value(replayed).unwrap());
        assert_eq!((unknown.status(), unknown.error), (400, "invalid_grant"));
        assert_eq!(unknown.reason(), "the code is not known, too old, or another client's");
        assert_eq!(OAuthError::from(Reason::WrongSecret).status(), 401);
        assert_eq!(INVALID_GRANT.reason(), INVALID_GRANT.error_description);
    }
}

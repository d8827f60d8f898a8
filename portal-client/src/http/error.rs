//! What may end a request early. Handlers and extractors return an [`AppError`]; it is noted, with its cause, and answered in
//! one place: `pages::failure`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::ephemeral::EphemeralError;
use platform::fault::{self, Fault};
use platform::seal::SealError;

use crate::app::App;
use crate::oidc::OidcError;

/// Why a request ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppError {
    NotFound,
    /// Known, and not allowed.
    Refused,
    /// A form that did not come from a page of ours in this browser.
    ForeignForm,
    /// A form of ours, or a sign-in, from a browser that keeps no cookies.
    CookiesOff,
    /// A body that is no form, or a parameter that cannot be.
    BadInput,
    WrongMethod,
    /// Too many requests from this address; wait so many seconds.
    TooMany(u64),
    /// Too many requests for access today.
    TooManyToday,
    /// Sign in first; then return to this path.
    SignIn(String),
    /// The session ended by itself.
    SessionEnded(String),
    /// The browser came back with a sign-in that is not known here: too late, twice, or in another browser.
    LostSignIn,
    /// The person stopped at the provider.
    Cancelled,
    /// The provider does not answer.
    ProviderAway(String),
    /// The sign-in did not work.
    SignInFailed(String),
    /// No second factor, though the desk needs one.
    TooWeak,
    /// No member of a care team.
    NotInTeam,
    /// This machine's clock and the provider's differ too much.
    ClocksDiffer(String),
    /// A logout token of the provider does not hold; the provider reads the answer.
    LogoutTokenRefused(String),
    /// A logout token could not be handled now.
    LogoutTokenUnhandled(String),
    /// A fault of ours.
    Internal(String),
    /// The database or Redis failed.
    Backend {
        backend: &'static str,
        fault: Fault,
        cause: String,
    },
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        Self::Backend { backend: "database", fault: fault::of_database(&error), cause: error.to_string() }
    }
}

impl From<EphemeralError> for AppError {
    fn from(error: EphemeralError) -> Self {
        Self::Backend { backend: error.backend(), fault: error.fault(), cause: error.to_string() }
    }
}

impl From<serde_json::Error> for AppError {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<SealError> for AppError {
    fn from(error: SealError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<OidcError> for AppError {
    fn from(error: OidcError) -> Self {
        match error {
            OidcError::Unavailable(cause) => Self::ProviderAway(cause),
            OidcError::Refused(code) => match code.as_str() {
                "access_denied" => Self::Cancelled,
                "temporarily_unavailable" | "server_error" => Self::ProviderAway(code),
                "login_required" | "interaction_required" | "consent_required" => Self::LostSignIn,
                _ => Self::SignInFailed(code),
            },
            OidcError::Invalid(cause) => Self::SignInFailed(cause),
            OidcError::Clock(cause) => Self::ClocksDiffer(cause),
            OidcError::TooWeak(_) => Self::TooWeak,
        }
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl AppError {
    /// Why a session was not ended from behind (Back-Channel Logout 1.0 section 2.8).
    pub fn from_behind(error: &OidcError) -> Self {
        match error {
            OidcError::Unavailable(cause) => Self::LogoutTokenUnhandled(cause.clone()),
            error => Self::LogoutTokenRefused(error.to_string()),
        }
    }

    /// Whether a program reads the answer, and not a person.
    pub fn is_for_a_program(&self) -> bool {
        matches!(self, Self::LogoutTokenRefused(_) | Self::LogoutTokenUnhandled(_))
    }

    /// The status of its answer, and the word for it: the `error` that a program reads, or the page whose texts are
    /// `portal-failure-WORD-title` and `portal-failure-WORD-text`.
    pub fn status_and_word(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Refused => (StatusCode::FORBIDDEN, "refused"),
            Self::ForeignForm => (StatusCode::FORBIDDEN, "foreign-form"),
            Self::CookiesOff => (StatusCode::FORBIDDEN, "cookies-off"),
            Self::BadInput => (StatusCode::BAD_REQUEST, "bad-input"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "not-found"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many"),
            Self::TooManyToday => (StatusCode::TOO_MANY_REQUESTS, "too-many-today"),
            Self::SignIn(_) | Self::SessionEnded(_) | Self::LostSignIn => {
                (StatusCode::BAD_REQUEST, "lost-sign-in")
            }
            Self::Cancelled => (StatusCode::OK, "cancelled"),
            Self::ProviderAway(_) | Self::ClocksDiffer(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "provider-away")
            }
            Self::SignInFailed(_) => (StatusCode::BAD_GATEWAY, "sign-in-failed"),
            Self::TooWeak => (StatusCode::FORBIDDEN, "too-weak"),
            Self::NotInTeam => (StatusCode::FORBIDDEN, "not-in-team"),
            Self::LogoutTokenRefused(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::LogoutTokenUnhandled(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            Self::Internal(_) | Self::Backend { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// Counts it, and writes down what an operator has to know.
    pub fn note(&self, app: &App) {
        if !self.is_for_a_program() {
            app.outcomes.refused(self.name());
        }
        match self {
            Self::Internal(cause) => {
                app.outcomes.failure("other");
                tracing::error!(%cause, "a request failed");
            }
            Self::Backend { backend, fault: Fault { reason, advice }, cause } => {
                app.outcomes.failure(backend);
                let (at, key) = match *backend {
                    // The cause names the place itself.
                    "redis" => ("", "ephemeral"),
                    _ => (app.health.database_at(), "database"),
                };
                tracing::error!(%cause, backend, reason, at, key, advice, "a request failed");
            }
            Self::ProviderAway(cause) => {
                app.outcomes.failure("provider");
                tracing::warn!(%cause, key = "oidc.issuer", "the provider is not available");
            }
            Self::ClocksDiffer(cause) => {
                app.outcomes.failure("clock");
                tracing::error!(%cause, advice = fault::CLOCK.advice, "a sign-in failed");
            }
            Self::SignInFailed(cause) => tracing::warn!(%cause, "a sign-in failed"),
            Self::LogoutTokenUnhandled(cause) => {
                tracing::error!(%cause, "a logout token could not be handled");
            }
            Self::LogoutTokenRefused(cause) => tracing::warn!(error = %cause, "a logout token was refused"),
            _ => {}
        }
    }

    /// What it is called in metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::SignIn(_) => "sign-in-asked",
            Self::SessionEnded(_) => "session-ended",
            Self::WrongMethod => "wrong-method",
            Self::ClocksDiffer(_) => "clocks-differ",
            other => other.status_and_word().1,
        }
    }
}

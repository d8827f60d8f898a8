//! What may end a request early, and the page that says so in the visitor's language. Handlers return a
//! [`Failure`]; it is logged, with its cause, and rendered in one place.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;
use web::ephemeral::EphemeralError;
use web::request::Visit;
use web::request_log::RequestId;

use super::{show, sign_out};
use crate::app::App;
use crate::oidc::OidcError;
use crate::paths;

/// Why a request ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
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
    /// A fault of ours.
    Internal(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Internal(format!("database: {error}"))
    }
}

impl From<EphemeralError> for Failure {
    fn from(error: EphemeralError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<OidcError> for Failure {
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
            OidcError::TooWeak(_) => Self::TooWeak,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A page with a heading, a few sentences and at most one way on.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// `portal-failure-KEY-title` and `portal-failure-KEY-text` are its texts.
    pub key: &'static str,
    pub action: Option<Action>,
    /// The request's identifier, to quote to the helpdesk; empty where that helps nobody.
    pub reference: String,
}

/// A button of a [`Message`].
#[derive(Clone, Debug, Serialize)]
pub struct Action {
    pub url: String,
    pub key: &'static str,
}

impl Message {
    pub const TEMPLATE: &'static str = "portal/message.html";

    fn new(key: &'static str, action: Option<Action>) -> Self {
        Self { key, action, reference: String::new() }
    }

    /// Every message there is, for the test that renders pages.
    #[cfg(test)]
    pub fn samples() -> Vec<Self> {
        let all = [
            Failure::NotFound,
            Failure::Refused,
            Failure::ForeignForm,
            Failure::CookiesOff,
            Failure::BadInput,
            Failure::WrongMethod,
            Failure::TooMany(9),
            Failure::TooManyToday,
            Failure::LostSignIn,
            Failure::Cancelled,
            Failure::ProviderAway(String::new()),
            Failure::SignInFailed(String::new()),
            Failure::TooWeak,
            Failure::NotInTeam,
            Failure::Internal(String::new()),
        ];
        all.iter().map(|failure| Self { reference: "yX3".into(), ..failure.message().1 }).collect()
    }
}

impl Failure {
    fn message(&self) -> (StatusCode, Message) {
        let home = || Some(Action { url: paths::HOME.into(), key: "portal-failure-to-home" });
        let again = || Some(Action { url: paths::LOGIN.into(), key: "portal-failure-sign-in-again" });
        let (status, key, action) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", home()),
            Self::Refused => (StatusCode::FORBIDDEN, "refused", home()),
            Self::ForeignForm => (StatusCode::FORBIDDEN, "foreign-form", home()),
            Self::CookiesOff => (StatusCode::FORBIDDEN, "cookies-off", again()),
            Self::BadInput => (StatusCode::BAD_REQUEST, "bad-input", home()),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "not-found", home()),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many", None),
            Self::TooManyToday => (StatusCode::TOO_MANY_REQUESTS, "too-many-today", home()),
            Self::SignIn(_) | Self::SessionEnded(_) | Self::LostSignIn => {
                (StatusCode::BAD_REQUEST, "lost-sign-in", again())
            }
            Self::Cancelled => (StatusCode::OK, "cancelled", again()),
            Self::ProviderAway(_) => (StatusCode::SERVICE_UNAVAILABLE, "provider-away", again()),
            Self::SignInFailed(_) => (StatusCode::BAD_GATEWAY, "sign-in-failed", again()),
            Self::TooWeak => {
                let url = paths::login(paths::TEAM);
                (StatusCode::FORBIDDEN, "too-weak", Some(Action { url, key: "portal-failure-sign-in-again" }))
            }
            Self::NotInTeam => (StatusCode::FORBIDDEN, "not-in-team", home()),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", home()),
        };
        (status, Message::new(key, action))
    }

    fn log(&self, request: &str) {
        match self {
            Self::Internal(cause) => tracing::error!(%request, %cause, "a request failed"),
            Self::ProviderAway(cause) => tracing::warn!(%request, %cause, "the provider is not available"),
            Self::SignInFailed(cause) => tracing::warn!(%request, %cause, "a sign-in failed"),
            _ => {}
        }
    }
}

/// Turns a handler's [`Failure`] into its page.
pub async fn render(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Visit>().cloned();
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let mut response = next.run(request).await;
    let failure = response.extensions_mut().remove::<Failure>().or_else(|| unreadable(&response));
    let (Some(failure), Some(visit)) = (failure, visit) else {
        return response;
    };
    failure.log(&id);
    match &failure {
        Failure::SignIn(return_to) => return Redirect::to(&paths::login(return_to)).into_response(),
        // A sign-in of another browser, or of one that keeps no cookies: the next request tells.
        Failure::LostSignIn if visit.browser_is_new && visit.uri.path() != paths::COOKIES => {
            return Redirect::to(paths::COOKIES).into_response();
        }
        Failure::SessionEnded(return_to) => {
            let mut response = Redirect::to(&paths::signed_out("idle", return_to)).into_response();
            sign_out::forget(&visit, &mut response);
            return response;
        }
        _ => {}
    }
    let (status, mut message) = failure.message();
    if matches!(failure, Failure::Internal(_) | Failure::SignInFailed(_) | Failure::ProviderAway(_)) {
        message.reference = id;
    }
    let mut response = show(&app, &visit, None, status, Message::TEMPLATE, &message);
    if let Failure::TooMany(seconds) = failure {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A URL that the framework could not read, and refused in a line of plain text.
fn unreadable(response: &Response) -> Option<Failure> {
    let is_plain = response.headers().get(header::CONTENT_TYPE)?.as_bytes().starts_with(b"text/plain");
    (is_plain && response.status() == StatusCode::BAD_REQUEST).then_some(Failure::BadInput)
}

/// Any URL that there is not.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub async fn not_found() -> Failure {
    Failure::NotFound
}

/// A URL that exists, asked for in another way than it answers to.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub async fn wrong_method() -> Failure {
    Failure::WrongMethod
}

//! What may end a request early, and the page that says so in the visitor's language. Handlers return a
//! [`Failure`]; it is logged, with its cause, and rendered in one place.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;
use web::ephemeral::EphemeralError;
use web::fault::{self, Fault};
use web::headers::is_bare;
use web::request::{Fields, Visit};
use web::request_log::RequestId;

use super::extract::at_page;
use super::{keep, show, sign_out};
use crate::app::{App, LARGEST_FORM};
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
    /// This machine's clock and the provider's differ too much.
    ClocksDiffer(String),
    /// A fault of ours.
    Internal(String),
    /// The database or Redis failed.
    Backend {
        backend: &'static str,
        fault: Fault,
        cause: String,
    },
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Backend { backend: "database", fault: fault::of_database(&error), cause: error.to_string() }
    }
}

impl From<EphemeralError> for Failure {
    fn from(error: EphemeralError) -> Self {
        Self::Backend { backend: error.backend(), fault: error.fault(), cause: error.to_string() }
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
            OidcError::Clock(cause) => Self::ClocksDiffer(cause),
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
            Self::ProviderAway(_) | Self::ClocksDiffer(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "provider-away", again())
            }
            Self::SignInFailed(_) => (StatusCode::BAD_GATEWAY, "sign-in-failed", again()),
            Self::TooWeak => {
                let url = paths::login(paths::TEAM);
                (StatusCode::FORBIDDEN, "too-weak", Some(Action { url, key: "portal-failure-sign-in-again" }))
            }
            Self::NotInTeam => (StatusCode::FORBIDDEN, "not-in-team", home()),
            Self::Internal(_) | Self::Backend { .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", home())
            }
        };
        (status, Message::new(key, action))
    }

    /// Counts it, and writes down what an operator has to know.
    fn note(&self, app: &App) {
        app.outcomes.refused(self.name());
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
            other => other.message().1.key,
        }
    }
}

/// Turns a handler's [`Failure`] into its page.
pub async fn render(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Visit>().map(|visit| at_page(visit, request.method()));
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let (request, form) = match with_form(request).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let mut response = next.run(request).await;
    let bare = visit.as_ref().and_then(|visit| bare(visit, &response));
    let failure = response.extensions_mut().remove::<Failure>().or(bare);
    let (Some(failure), Some(visit)) = (failure, visit) else {
        return response;
    };
    failure.note(&app);
    match &failure {
        Failure::SignIn(return_to) => return Redirect::to(&paths::login(return_to)).into_response(),
        // A sign-in of another browser, or of one that keeps no cookies: the next request tells.
        Failure::LostSignIn if visit.browser_is_new && visit.uri.path() != paths::COOKIES => {
            return Redirect::to(paths::COOKIES).into_response();
        }
        Failure::SessionEnded(return_to) => {
            let return_to = match &form {
                Some(form) if visit.csrf_accepts(form) => {
                    let kept = keep::keep_form(&app, &visit, return_to, form, true).await;
                    &kept.unwrap_or_else(|_| return_to.clone())
                }
                _ => return_to,
            };
            let mut response = Redirect::to(&paths::signed_out("idle", return_to)).into_response();
            sign_out::forget(&visit, &mut response);
            return response;
        }
        _ => {}
    }
    let (status, mut message) = failure.message();
    let may_be_asked_about = matches!(
        failure,
        Failure::Internal(_)
            | Failure::Backend { .. }
            | Failure::SignInFailed(_)
            | Failure::ProviderAway(_)
            | Failure::ClocksDiffer(_)
    );
    if may_be_asked_about {
        message.reference = id;
    }
    let mut response = show(&app, &visit, None, status, Message::TEMPLATE, &message);
    if let Failure::TooMany(seconds) = failure {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A form that came, read beside its handler: if the session has ended, what was written is kept for its writer.
async fn with_form(request: Request) -> Result<(Request, Option<Fields>), Response> {
    if request.method() != Method::POST {
        return Ok((request, None));
    }
    let (parts, body) = request.into_parts();
    let bytes =
        to_bytes(body, LARGEST_FORM).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    let form = Fields::parse(&bytes).ok();
    Ok((Request::from_parts(parts, Body::from(bytes)), form))
}

/// No address answers a browser with an empty page, or with a line of the framework's.
fn bare(visit: &Visit, response: &Response) -> Option<Failure> {
    if !is_bare(&visit.headers, response) || response.extensions().get::<Failure>().is_some() {
        return None;
    }
    Some(match response.status() {
        StatusCode::NOT_FOUND => Failure::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Failure::WrongMethod,
        _ => Failure::BadInput,
    })
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

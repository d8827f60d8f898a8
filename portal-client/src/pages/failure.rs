//! The answer to a request that ended early: a page that says so in the visitor's language, another address, or JSON for a
//! program.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use platform::headers::is_bare;
use platform::request::{Fields, RequestContext};
use platform::request_log::RequestId;
use serde::Serialize;
use serde_json::json;

use super::{keep, show};
use crate::app::{App, LARGEST_FORM};
use crate::http::error::AppError;
use crate::http::extract::at_page;
use crate::http::{paths, session_cookie};

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

    /// What a page says of a failure, and its one way on.
    fn of(failure: &AppError) -> Self {
        let to = |url: String, key| Some(Action { url, key });
        let again = "portal-failure-sign-in-again";
        let action = match failure {
            AppError::TooMany(_) => None,
            AppError::TooWeak => to(paths::login(paths::TEAM), again),
            AppError::CookiesOff
            | AppError::SignIn(_)
            | AppError::SessionEnded(_)
            | AppError::LostSignIn
            | AppError::Cancelled
            | AppError::ProviderAway(_)
            | AppError::ClocksDiffer(_)
            | AppError::SignInFailed(_) => to(paths::LOGIN.into(), again),
            _ => to(paths::HOME.into(), "portal-failure-to-home"),
        };
        Self { key: failure.status_and_word().1, action, reference: String::new() }
    }

    /// Every message there is, for the test that renders pages.
    #[cfg(test)]
    pub fn samples() -> Vec<Self> {
        let all = [
            AppError::NotFound,
            AppError::Refused,
            AppError::ForeignForm,
            AppError::CookiesOff,
            AppError::BadInput,
            AppError::WrongMethod,
            AppError::TooMany(9),
            AppError::TooManyToday,
            AppError::LostSignIn,
            AppError::Cancelled,
            AppError::ProviderAway(String::new()),
            AppError::SignInFailed(String::new()),
            AppError::TooWeak,
            AppError::NotInTeam,
            AppError::Internal(String::new()),
        ];
        all.iter().map(|failure| Self { reference: "yX3".into(), ..Self::of(failure) }).collect()
    }
}

/// Turns a handler's [`AppError`] into its page.
pub async fn render(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let cx = request.extensions().get::<RequestContext>().map(|cx| at_page(cx, request.method()));
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let (request, form) = match with_form(request).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let mut response = next.run(request).await;
    let bare = cx.as_ref().and_then(|cx| bare(cx, &response));
    let failure = response.extensions_mut().remove::<AppError>().or(bare);
    let (Some(failure), Some(cx)) = (failure, cx) else {
        return response;
    };
    failure.note(&app);
    if failure.is_for_a_program() {
        let (status, error) = failure.status_and_word();
        let json = Json(json!({ "error": error }));
        return (status, [(header::CACHE_CONTROL, "no-store")], json).into_response();
    }
    match &failure {
        AppError::SignIn(return_to) => return Redirect::to(&paths::login(return_to)).into_response(),
        // A sign-in of another browser, or of one that keeps no cookies: the next request tells.
        AppError::LostSignIn if cx.browser_is_new && cx.uri.path() != paths::COOKIES => {
            return Redirect::to(paths::COOKIES).into_response();
        }
        AppError::SessionEnded(return_to) => {
            let return_to = match &form {
                Some(form) if cx.csrf_accepts(form) => {
                    let kept = keep::keep_form(&app, &cx, return_to, form, true).await;
                    &kept.unwrap_or_else(|_| return_to.clone())
                }
                _ => return_to,
            };
            let mut response = Redirect::to(&paths::signed_out("idle", return_to)).into_response();
            session_cookie::forget(&cx, &mut response);
            return response;
        }
        _ => {}
    }
    let (status, mut message) = (failure.status_and_word().0, Message::of(&failure));
    let may_be_asked_about = matches!(
        failure,
        AppError::Internal(_)
            | AppError::Backend { .. }
            | AppError::SignInFailed(_)
            | AppError::ProviderAway(_)
            | AppError::ClocksDiffer(_)
    );
    if may_be_asked_about {
        message.reference = id;
    }
    let mut response = show(&app, &cx, None, status, Message::TEMPLATE, &message);
    if let AppError::TooMany(seconds) = failure {
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
fn bare(cx: &RequestContext, response: &Response) -> Option<AppError> {
    if !is_bare(&cx.headers, response) || response.extensions().get::<AppError>().is_some() {
        return None;
    }
    Some(match response.status() {
        StatusCode::NOT_FOUND => AppError::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => AppError::WrongMethod,
        _ => AppError::BadInput,
    })
}

/// Any URL that there is not.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub async fn not_found() -> AppError {
    AppError::NotFound
}

/// A URL that exists, asked for in another way than it answers to.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub async fn wrong_method() -> AppError {
    AppError::WrongMethod
}

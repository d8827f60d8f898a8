//! With what a handler may end early, and the page that says so in the visitor's language. Handlers return an
//! [`AppError`]; here, and nowhere else, it becomes a page, is counted, and is written down if something of ours failed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use platform::headers;
use platform::request::RequestContext;
use serde::Serialize;

use crate::app::{App, ServiceError, Shared};
use crate::http::pages::retry_after;
use crate::http::paths;

/// What a handler comes to. Boxed with its type forgotten where many handlers contain the same one: the end of a sign-in
/// stands in each of them, and the compiler would look through all of it again every time.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, AppError>> + Send + 'a>>;

/// Why a handler ends early.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Something else comes first: this answer leads there. In a lock because errors are shared between threads, which a
    /// body by itself cannot be.
    #[error("something else comes first")]
    Instead(Box<Mutex<Response>>),
    #[error("nothing stands at this URL")]
    NotFound,
    #[error("the URL answers to forms alone")]
    WrongMethod,
    /// A form whose parameters are not text.
    #[error("the form cannot be read")]
    BadForm,
    /// A form that no page of ours in this browser showed: too old, or from elsewhere.
    #[error("the form is of no page that this browser was shown")]
    PageTooOld,
    #[error("the browser keeps no cookies")]
    CookiesOff,
    /// A sign-in that is over, or of another browser; the client that it was for, where that is known.
    #[error("the sign-in is over")]
    JourneyExpired(Option<String>),
    /// A mailed link that was used or is too old.
    #[error("the link is used up or too old")]
    LinkInvalid,
    #[error("too many requests")]
    TooMany(Duration),
    /// The desk, to somebody who does not work there.
    #[error("the desk is for staff")]
    NoDesk,
    /// What somebody at the desk may do in a day has been done.
    #[error("the desk's limit for today is reached")]
    DeskLimit,
    /// Something of ours failed.
    #[error(transparent)]
    Failed(ServiceError),
}

impl<E: Into<ServiceError>> From<E> for AppError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl AppError {
    /// The answer that comes first.
    pub fn instead(response: Response) -> Self {
        Self::Instead(Box::new(Mutex::new(response)))
    }

    /// Its status, and how its texts are named.
    fn page(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Instead(_) => (StatusCode::OK, ""),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "not-found"),
            Self::BadForm => (StatusCode::BAD_REQUEST, "bad-form"),
            Self::PageTooOld => (StatusCode::FORBIDDEN, "page-too-old"),
            Self::CookiesOff => (StatusCode::FORBIDDEN, "cookies-off"),
            Self::JourneyExpired(_) => (StatusCode::GONE, "journey-expired"),
            Self::LinkInvalid => (StatusCode::GONE, "link-invalid"),
            Self::TooMany(_) | Self::Failed(ServiceError::Full(_)) => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many")
            }
            Self::NoDesk => (StatusCode::FORBIDDEN, "no-desk"),
            Self::DeskLimit => (StatusCode::TOO_MANY_REQUESTS, "desk-limit"),
            Self::Failed(ServiceError::Busy) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server-error"),
        }
    }

    /// How long to wait before the next try.
    fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooMany(wait) | Self::Failed(ServiceError::Full(wait)) => Some(*wait),
            Self::DeskLimit => Some(Duration::from_hours(24)),
            Self::Failed(ServiceError::Busy) => Some(Duration::from_secs(5)),
            _ => None,
        }
    }
}

/// An error on its way to the layer that shows it.
#[derive(Clone)]
struct Ended(Arc<AppError>);

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        if let Self::Instead(response) = self {
            return response.into_inner().unwrap_or_else(PoisonError::into_inner);
        }
        let mut response = self.page().0.into_response();
        response.extensions_mut().insert(Ended(Arc::new(self)));
        response
    }
}

/// `idp/message.html`.
#[derive(Clone, Debug, Serialize)]
pub struct MessagePage {
    pub title: String,
    pub text: String,
    pub link_url: String,
    pub link_label: String,
}

impl MessagePage {
    pub fn sample() -> Self {
        Self::new("journey-expired", "/", "start-again")
    }

    pub fn new(name: &str, link_url: &str, link_label: &str) -> Self {
        Self {
            title: format!("{name}-title"),
            text: format!("{name}-text"),
            link_url: link_url.to_owned(),
            link_label: link_label.to_owned(),
        }
    }
}

/// The layer that shows errors. No address answers a browser with an empty page either, or with a line of the framework's.
pub async fn explain(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Some(Ended(error)) = response.extensions_mut().remove() {
        return app.explain(&cx, &error);
    }
    if !headers::is_bare(&cx.headers, &response) {
        return response;
    }
    let status = response.status();
    let is_absent = status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED;
    app.message(&cx, None, status, if is_absent { "not-found" } else { "bad-form" })
}

/// A visit to the page that the answer stands on, so that the other language is one click away there too.
fn in_place(cx: &RequestContext) -> RequestContext {
    let page = paths::page_of(cx.uri.path());
    cx.at(&format!("{page}?{}", cx.uri.query().unwrap_or_default()))
}

impl App {
    /// The page of an error.
    pub fn explain(&self, cx: &RequestContext, error: &AppError) -> Response {
        if let AppError::Failed(trouble) = error {
            self.note("a request", trouble);
        }
        let (status, name) = error.page();
        let response = match error {
            AppError::JourneyExpired(client_id) => self.message(cx, client_id.as_deref(), status, name),
            AppError::NoDesk => {
                self.page_of(cx, status, &MessagePage::new(name, paths::ACCOUNT, "home-account"))
            }
            AppError::DeskLimit => {
                self.page_of(cx, status, &MessagePage::new(name, paths::DESK, "desk-back"))
            }
            // What the person was doing goes on where it was.
            AppError::Failed(_) if name != "too-many" => {
                self.outcomes.error_page(name);
                let here = in_place(cx);
                self.page_of(&here, status, &MessagePage::new(name, &here.uri.to_string(), "try-again"))
            }
            _ => self.message(cx, None, status, name),
        };
        match error.wait() {
            Some(wait) => retry_after(response, wait),
            None => response,
        }
    }

    /// A page that says what is wrong, and starts again at the portal.
    fn message(
        &self,
        cx: &RequestContext,
        client_id: Option<&str>,
        status: StatusCode,
        name: &'static str,
    ) -> Response {
        self.outcomes.error_page(name);
        let start = self.portal_for(cx, client_id).url.clone();
        let link = if start.is_empty() { "/" } else { &start };
        let page = MessagePage::new(name, link, "start-again");
        self.page(&in_place(cx), client_id, status, "idp/message.html", &page)
    }

    fn page_of(&self, cx: &RequestContext, status: StatusCode, page: &MessagePage) -> Response {
        self.page(cx, None, status, "idp/message.html", page)
    }
}

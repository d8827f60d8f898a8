//! What the endpoints that clients call themselves answer when they do not do it: JSON, never a page.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::request::{Fields, RequestContext};

use crate::app::{App, ServiceError, Shared};
use crate::http::pages::retry_after;
use crate::protocol::assertion;
use crate::protocol::error::{INVALID_CLIENT, OAuthError, SERVER_ERROR, TOO_MANY_REQUESTS};
use crate::protocol::reason::Reason;

/// Why a request of a client is not carried out.
pub enum EndpointError {
    /// The client's fault, told to it.
    Wire(OAuthError),
    /// Ours, logged.
    ServiceError(ServiceError),
}

impl From<OAuthError> for EndpointError {
    fn from(error: OAuthError) -> Self {
        Self::Wire(error)
    }
}

impl From<Reason> for EndpointError {
    fn from(reason: Reason) -> Self {
        Self::Wire(reason.into())
    }
}

impl<E: Into<ServiceError>> From<E> for EndpointError {
    fn from(error: E) -> Self {
        Self::ServiceError(error.into())
    }
}

/// Counts what came of a client's request to `endpoint`. Of a refused one the log says why, and the answer is made.
/// What was done is answered by `answer`.
pub fn settled<T>(
    app: &App,
    cx: &RequestContext,
    body: &[u8],
    endpoint: &'static str,
    result: Result<T, EndpointError>,
    answer: impl FnOnce(T) -> Response,
) -> Response {
    let client = named(cx, body);
    match result {
        Ok(done) => {
            app.outcomes.client_request(endpoint, app.client_label(&client), "ok");
            answer(done)
        }
        Err(EndpointError::Wire(error)) => {
            note(app, endpoint, &client, error);
            json_error(error)
        }
        Err(EndpointError::ServiceError(trouble)) => {
            app.note("a client's request", &trouble);
            let full = if let ServiceError::Full(wait) = trouble { Some(wait) } else { None };
            let error = if full.is_some() { TOO_MANY_REQUESTS } else { SERVER_ERROR };
            app.outcomes.client_request(endpoint, app.client_label(&client), error.error);
            full.map_or_else(|| json_error(error), too_many)
        }
    }
}

/// Counts a client's request that is refused by this error, and writes down why.
pub fn note(app: &App, endpoint: &'static str, client: &str, error: OAuthError) {
    refused(app, endpoint, client, error.error, error.reason());
}

/// Counts a client's request that is refused, and writes down why.
pub fn refused(app: &App, endpoint: &'static str, client: &str, error: &'static str, reason: &str) {
    app.outcomes.client_request(endpoint, app.client_label(client), error);
    tracing::warn!(endpoint, client = plain(client), error, reason, "a client's request is refused");
}

/// What the sender of a request calls itself. It is anybody's text: in a metric only if it is a client's name.
fn named(cx: &RequestContext, body: &[u8]) -> String {
    let fields = Fields::parse(body).unwrap_or_default();
    let of_assertion = || assertion::client_of(fields.get("client_assertion")?);
    let of_header = || {
        let header = cx.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let credentials = STANDARD.decode(header.split_once(' ')?.1).ok()?;
        let name = credentials.split(|byte| *byte == b':').next()?;
        let (name, _) = url::form_urlencoded::parse(name).next()?;
        Some(name.into_owned())
    };
    let name = fields.get("client_id").map(str::to_owned).or_else(of_assertion).or_else(of_header);
    name.unwrap_or_default()
}

/// A name as it may stand in a line of the log.
fn plain(name: &str) -> &str {
    let is_plain = !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain { name } else { "(none)" }
}

/// An error of RFC 6749 section 5.2.
fn json_error(error: OAuthError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, axum::Json(error)).into_response();
    if error.error == INVALID_CLIENT.error {
        let challenge = HeaderValue::from_static("Basic realm=\"token\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Lets no address flood the endpoints for clients: 429 with `Retry-After` (RFC 6585 section 4).
pub async fn hold_back(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    request: Request,
    next: Next,
) -> Response {
    match app.client_flood.check(cx.address) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_many(wait),
    }
}

fn too_many(wait: Duration) -> Response {
    retry_after(json_error(TOO_MANY_REQUESTS), wait)
}

/// Answers with secrets are kept by nobody (RFC 6749 section 5.1).
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

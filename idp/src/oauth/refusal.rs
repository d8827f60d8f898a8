//! What the endpoints that clients call themselves answer when they do not do it: JSON, never a page.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use web::request::Visit;

use crate::app::{Shared, Trouble, retry_after};
use crate::protocol::error::{SERVER_ERROR, WireError};

/// Why a request of a client is not carried out.
pub enum Refusal {
    /// The client's fault, told to it.
    Wire(WireError),
    /// Ours, logged.
    Trouble(Trouble),
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl<E: Into<Trouble>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

impl Refusal {
    /// The answer; `what` names the request in the log.
    pub fn into_json(self, what: &'static str) -> Response {
        match self {
            Self::Wire(error) => json_error(error),
            Self::Trouble(Trouble::Full(wait)) => too_many(wait),
            Self::Trouble(trouble) => {
                tracing::error!(error = %trouble, "{what} failed");
                json_error(SERVER_ERROR)
            }
        }
    }
}

/// An error of RFC 6749 section 5.2.
pub fn json_error(error: WireError) -> Response {
    let status = match error.error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = (status, axum::Json(error)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"token\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Lets no address flood the endpoints for clients: 429 with `Retry-After` (RFC 6585 section 4).
pub async fn hold_back(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    request: Request,
    next: Next,
) -> Response {
    match app.client_flood.check(visit.address) {
        Ok(()) => next.run(request).await,
        Err(wait) => too_many(wait),
    }
}

fn too_many(wait: Duration) -> Response {
    let error = WireError::new("temporarily_unavailable", "too many requests from this address");
    retry_after((StatusCode::TOO_MANY_REQUESTS, axum::Json(error)).into_response(), wait)
}

/// Answers with secrets are kept by nobody (RFC 6749 section 5.1).
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

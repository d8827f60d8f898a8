//! What the endpoints that clients call themselves answer when they do not do it: JSON, never a page.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::Trouble;
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

/// Answers with secrets are kept by nobody (RFC 6749 section 5.1).
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

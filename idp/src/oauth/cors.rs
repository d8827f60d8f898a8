//! Which browser clients of other origins may call the endpoints for clients: those of registered public
//! clients, without cookies (Fetch Standard section 3.2).

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::{App, Shared};

/// A host name has 253 characters at most (RFC 1035 section 2.3.4); scheme and port are beside it.
const LONGEST_ORIGIN: usize = 272;

/// Adds the headers that let a registered browser client read the answer; answers its preflight requests.
pub async fn allow(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let origin = match request.headers().get(header::ORIGIN).cloned() {
        Some(origin) if is_known(&app, &origin).await => Some(origin),
        _ => None,
    };
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return response };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    if is_preflight {
        set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
        set(header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, DPoP");
        set(header::ACCESS_CONTROL_MAX_AGE, "600");
    } else {
        set(header::ACCESS_CONTROL_EXPOSE_HEADERS, "WWW-Authenticate");
    }
    response
}

/// Whether a public client of the file, or one that registered itself, is at this origin.
async fn is_known(app: &App, origin: &HeaderValue) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    if app.registry.is_public_origin(origin) {
        return true;
    }
    if !app.config.registration.enabled || origin.len() > LONGEST_ORIGIN {
        return false;
    }
    app.store.is_client_origin(origin).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the origins of clients cannot be read");
        false
    })
}

//! Which browser clients of other origins may call the endpoints for clients: those of registered public
//! clients, without cookies (Fetch Standard section 3.2).

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::Shared;

/// Adds the headers that let a registered browser client read the answer; answers its preflight requests.
pub async fn allow(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let is_known =
        |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| app.registry.is_public_origin(origin));
    let origin = request.headers().get(header::ORIGIN).filter(|origin| is_known(origin)).cloned();
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

//! Where delivery reports of SMS gateways come in. Whether one is its gateway's and what follows from it is decided in
//! `delivery`; here it gets its answer. No browser comes here, so there is no token of a form and no page.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use platform::request::RequestContext;

use crate::app::Shared;
use crate::delivery::{Incoming, Reported};
use crate::http::pages::retry_after;

/// More than any gateway documents.
pub const LARGEST: usize = 16 * 1024;

/// `POST /sms/report/{gateway}`, and `GET` for gateways that document it.
pub async fn report(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    Path(gateway): Path<String>,
    method: Method,
    body: Bytes,
) -> Response {
    if method == Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if let Err(wait) = app.client_flood.check(cx.address) {
        return retry_after(StatusCode::TOO_MANY_REQUESTS.into_response(), wait);
    }
    // Signatures are over the address as it is known outside, which no header of the request can change.
    let url = app.url(cx.uri.path_and_query().map_or("", |path| path.as_str()));
    let incoming = Incoming { method, url, headers: Arc::unwrap_or_clone(cx.headers), body };
    let status = match app.delivery.report(&gateway, &incoming).await {
        Ok(Reported::Nowhere) => StatusCode::NOT_FOUND,
        Ok(Reported::Forged) => StatusCode::FORBIDDEN,
        Ok(Reported::Malformed) => StatusCode::BAD_REQUEST,
        // Gateways repeat what was not answered with success.
        Ok(Reported::Early) => StatusCode::CONFLICT,
        Ok(_) => StatusCode::OK,
        Err(error) => {
            tracing::error!(%error, "a delivery report cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    status.into_response()
}

//! `/par`: a client sends its authorization request itself, before it sends the person (RFC 9126). Only
//! authenticated clients get this far; the browser then carries nothing but a reference.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::request::{Fields, RequestContext};
use serde_json::json;

use super::refusal::{EndpointError, no_store, settled};
use super::{clients, dpop, oxide, request};
use crate::app::Shared;
use crate::app::room::{self, Left};
use crate::http::paths;
use crate::protocol::authorization::Arrival;
use crate::protocol::error::{NOT_A_FORM, OAuthError, TOO_LARGE};
use crate::store::ephemeral::pushed;

/// `POST /par`
pub async fn post(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    body: Bytes,
) -> Response {
    let result = handle(&app, &cx, &body).await;
    let answer = |answer| (StatusCode::CREATED, axum::Json(answer)).into_response();
    no_store(settled(&app, &cx, &body, "par", result, answer))
}

async fn handle(app: &Shared, cx: &RequestContext, body: &[u8]) -> Result<serde_json::Value, EndpointError> {
    let fields = Fields::parse(body).map_err(|_| NOT_A_FORM)?;
    let registered = clients::authenticate(app, &cx.headers, &fields, paths::PAR).await?;
    let client = &registered.client;
    let proof = dpop::proof_of(app, &cx.headers, "POST", paths::PAR, None).await?;
    if fields.get("request_uri").is_some() {
        return Err(OAuthError::new("invalid_request", "request_uri cannot be pushed (RFC 9126)").into());
    }
    let (fields, signed) = request::open(app, &registered, fields).await?;
    let arrival = Arrival { pushed: true, signed };
    let mut request = oxide::read(&fields, client, arrival).map_err(|(_, error)| error)?;
    if let Some(proof) = proof {
        // RFC 9449 section 10.1: the header binds the code as `dpop_jkt` does; both must say the same.
        if request.dpop_jkt.as_ref().is_some_and(|jkt| *jkt != proof.jkt) {
            let differ = "dpop_jkt is not the thumbprint of the DPoP proof's key";
            return Err(OAuthError::new("invalid_dpop_proof", differ).into());
        }
        request.dpop_jkt = Some(proof.jkt);
    }
    if !room::fits(&request) {
        return Err(TOO_LARGE.into());
    }
    let seconds = app.config.tokens.pushed_request_seconds;
    let lifetime = Duration::from_secs(seconds.into());
    if client.is_public() {
        // Anybody knows its id.
        app.take_room(Left::PushedRequest, cx.address, lifetime).await?;
    }
    let id = app.random.token();
    request.pushed_as = Some(id.clone());
    pushed::keep(&app.ephemeral, &id, &request, lifetime).await?;
    Ok(json!({ "request_uri": pushed::uri(&id), "expires_in": seconds }))
}

//! `/token` (RFC 6749 section 3.2): authenticates the client, picks the grant, and answers with its tokens.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use platform::request::{Fields, RequestContext};

use super::grants::{self, TokenRequest};
use super::refusal::{EndpointError, no_store, settled};
use super::{clients, dpop};
use crate::app::Shared;
use crate::config::GrantType;
use crate::http::paths;
use crate::protocol::error::{NOT_A_FORM, OAuthError};
use crate::protocol::token::TokenResponse;

/// `POST /token`
pub async fn post(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    body: Bytes,
) -> Response {
    let result = handle(&app, &cx, &body).await;
    let answer = |tokens: TokenResponse| axum::Json(tokens).into_response();
    no_store(settled(&app, &cx, &body, "token", result, answer))
}

async fn handle(app: &Shared, cx: &RequestContext, body: &[u8]) -> Result<TokenResponse, EndpointError> {
    let fields = Fields::parse(body).map_err(|_| NOT_A_FORM)?;
    let registered = clients::authenticate(app, &cx.headers, &fields, paths::TOKEN).await?;
    let client = &registered.client;
    let proof = dpop::proof_of(app, &cx.headers, "POST", paths::TOKEN, None).await?;
    if client.dpop_bound_access_tokens && proof.is_none() {
        return Err(OAuthError::new("invalid_dpop_proof", "this client has to send a DPoP proof").into());
    }
    let missing = OAuthError::new("invalid_request", "grant_type is missing");
    let unsupported = OAuthError::new("unsupported_grant_type", "this grant_type is not supported");
    let grant_type = GrantType::parse(fields.get("grant_type").ok_or(missing)?).ok_or(unsupported)?;
    if !client.may(grant_type) {
        return Err(OAuthError::new("unauthorized_client", "this client may not use this grant_type").into());
    }
    grants::tokens(grant_type, &TokenRequest { app, client, fields: &fields, proof }).await
}

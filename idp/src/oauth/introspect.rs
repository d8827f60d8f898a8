//! `/introspect` (RFC 7662) and `/revoke` (RFC 7009): a client asks about tokens, or gives them back. It never
//! learns of another client's.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::request::{Fields, RequestContext};
use serde_json::{Value, json};

use super::clients;
use super::refusal::{EndpointError, no_store, settled};
use super::tokens::{ActiveToken, revoked_key};
use crate::app::Shared;
use crate::config::{Client, RegisteredClient};
use crate::http::paths;
use crate::protocol::error::{INVALID_CLIENT, NOT_A_FORM, OAuthError};

/// `POST /introspect`: clients that can prove who they are.
pub async fn introspect(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    body: Bytes,
) -> Response {
    let result = about(&app, &cx, &body).await;
    let answer = |answer: Value| axum::Json(answer).into_response();
    no_store(settled(&app, &cx, &body, "introspect", result, answer))
}

/// `POST /revoke`: any client, for its own tokens; the answer is the same whether there was such a token.
pub async fn revoke(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    body: Bytes,
) -> Response {
    let result = give_back(&app, &cx, &body).await;
    let answer = |()| StatusCode::OK.into_response();
    no_store(settled(&app, &cx, &body, "revoke", result, answer))
}

async fn client_and_token(
    app: &Shared,
    cx: &RequestContext,
    body: &[u8],
    endpoint: &str,
) -> Result<(std::sync::Arc<RegisteredClient>, String), EndpointError> {
    let fields = Fields::parse(body).map_err(|_| NOT_A_FORM)?;
    let registered = clients::authenticate(app, &cx.headers, &fields, endpoint).await?;
    let token = fields.get("token").ok_or(OAuthError::new("invalid_request", "token is missing"))?;
    Ok((registered, token.to_owned()))
}

async fn about(app: &Shared, cx: &RequestContext, body: &[u8]) -> Result<Value, EndpointError> {
    let (registered, token) = client_and_token(app, cx, body, paths::INTROSPECT).await?;
    let client = &registered.client;
    if client.is_public() {
        // RFC 7662 section 2.1: anybody can send a public client's id.
        return Err(INVALID_CLIENT.into());
    }
    let inactive = json!({ "active": false });
    if let Some(active) = app.active_token(&token).await? {
        return Ok(if may_know(client, &active) { described(&active) } else { inactive });
    }
    let Some(found) = app.store.refresh_token(&token, &client.client_id).await? else { return Ok(inactive) };
    let is_spent = client.rotate_refresh_tokens && found.used_at.is_some();
    if is_spent || app.clock.now() >= found.expires_at {
        return Ok(inactive);
    }
    let Some(account) = app.entitled_account(&found.grant, true).await? else { return Ok(inactive) };
    Ok(json!({
        "active": true,
        "client_id": client.client_id,
        "sub": app.subject_for(client, &account),
        "scope": found.grant.scope,
        "exp": found.expires_at.seconds(),
        "iss": app.config.issuer,
    }))
}

/// The client that the token was issued to, and the resource that it is for.
fn may_know(client: &Client, active: &ActiveToken) -> bool {
    let serves = client.serves.as_ref().is_some_and(|resource| active.claims.aud.contains(resource));
    active.claims.client_id == client.client_id || serves
}

fn described(active: &ActiveToken) -> Value {
    let mut answer = serde_json::to_value(&active.claims).unwrap_or_default();
    answer["active"] = json!(true);
    answer["token_type"] = json!(if active.claims.cnf.is_some() { "DPoP" } else { "Bearer" });
    if let Some(members) = answer.as_object_mut() {
        members.remove("grant_id");
    }
    answer
}

async fn give_back(app: &Shared, cx: &RequestContext, body: &[u8]) -> Result<(), EndpointError> {
    let (registered, token) = client_and_token(app, cx, body, paths::REVOKE).await?;
    let client_id = &registered.client.client_id;
    if let Some(found) = app.store.refresh_token(&token, client_id).await? {
        app.store.revoke_grant(&found.grant.id).await?;
        return Ok(());
    }
    let Some(active) = app.active_token(&token).await?.filter(|active| active.claims.client_id == *client_id)
    else {
        // RFC 7009 section 2.2: an unknown token needs no revoking.
        return Ok(());
    };
    if let Some((grant, _)) = active.person {
        // Section 2.1: the refresh token goes with it.
        app.store.revoke_grant(&grant.id).await?;
    } else {
        let left = u64::try_from(active.claims.exp - app.clock.now().seconds()).unwrap_or(0);
        app.ephemeral.put(&revoked_key(&active.claims.jti), "", Duration::from_secs(left + 1)).await?;
    }
    Ok(())
}

//! The refresh token grant (RFC 6749 section 6): new tokens of a sign-in that was before.

use std::time::Duration;

use super::token_request::TokenRequest;
use crate::config::{Client, ScopeSet};
use crate::oauth::refusal::EndpointError;
use crate::protocol::error::{INVALID_GRANT, OAuthError};
use crate::protocol::reason::Reason;
use crate::protocol::token::TokenResponse;
use crate::store::grants::{Grant, NewRefreshToken, RefreshToken};

pub(super) async fn tokens(request: &TokenRequest<'_>) -> Result<TokenResponse, EndpointError> {
    let (app, client) = (request.app, request.client);
    let token = request.required("refresh_token", "refresh_token is missing")?;
    let found = app.store.refresh_token(token, &client.client_id).await?.ok_or(INVALID_GRANT)?;
    let now = app.clock.now();
    let is_late = found.used_at.is_some_and(|used| now >= used.plus(grace_of(client)));
    if client.rotate_refresh_tokens && is_late {
        return request.revoke_on_replay(&found.grant, Reason::RefreshTokenReplayed).await;
    }
    if now >= found.expires_at || !has_proof_for(request, &found.grant) {
        return Err(INVALID_GRANT.into());
    }
    // All that can be wrong is found before the token is used up.
    let mut grant = found.grant.clone();
    let account = app.entitled_account(&grant, true).await?.ok_or(INVALID_GRANT)?;
    if let Some(scope) = request.fields.get("scope") {
        // RFC 6749 section 6: never more than was granted; the refresh token itself keeps it all.
        if !ScopeSet::parse(scope).is_subset(&ScopeSet::parse(&grant.scope)) {
            return Err(OAuthError::new("invalid_scope", "more than was granted").into());
        }
        scope.clone_into(&mut grant.scope);
    }
    let resource = request.resource(grant.details.resource.as_deref())?;
    if client.is_public()
        && grant.details.jkt.is_none()
        && let Some(jkt) = request.jkt()
    {
        // RFC 9449 section 5: the refresh token that a public client gets for a proof is bound to its key.
        grant.details.jkt = Some(jkt.to_owned());
        app.store.keep_grant_details(&grant.id, &grant.details).await?;
    }
    grant.details.resource = resource;
    // The new access token is bound to the key of this proof, whichever the one before was bound to.
    grant.details.jkt = request.jkt().map(str::to_owned);
    let successor = renew(request, &found).await?;
    let portal = app.registry.portal_of(Some(&client.client_id));
    if portal.policy.refresh_is_activity {
        app.store.continue_session(&grant.session_id, portal.policy.idle(&app.config.sessions)).await?;
    }
    let mut response = app.tokens_of(client, &grant, &account)?;
    response.refresh_token = successor;
    Ok(response)
}

/// Whether a refresh token comes with the proof that it needs (RFC 9449 section 5). A public client has nothing but
/// its key, so its tokens stay with that one. A confidential client has proved who it is, so it may change its
/// key; it may not go back to tokens that whoever finds them can use.
fn has_proof_for(request: &TokenRequest<'_>, grant: &Grant) -> bool {
    if request.client.is_public() {
        grant.details.is_of_key(request.jkt())
    } else {
        grant.details.jkt.is_none() || request.proof.is_some()
    }
}

/// For how long a refresh token may come again after its first use.
fn grace_of(client: &Client) -> Duration {
    Duration::from_secs(client.refresh_grace_seconds.into())
}

/// The successor of a refresh token, where the client's tokens rotate.
async fn renew(request: &TokenRequest<'_>, found: &RefreshToken) -> Result<Option<String>, EndpointError> {
    let (app, client) = (request.app, request.client);
    let expires_at = app.refresh_expiry(client, &found.grant);
    if !client.rotate_refresh_tokens {
        app.store.extend_refresh_token(&found.hash, expires_at).await?;
        return Ok(None);
    }
    let token = app.random.token();
    let new = NewRefreshToken { grant_id: &found.grant.id, token: &token, expires_at };
    if app.store.rotate_refresh_token(&found.hash, grace_of(client), new).await? {
        return Ok(Some(token));
    }
    request.revoke_on_replay(&found.grant, Reason::RefreshTokenRaced).await
}

//! `/token` (RFC 6749 section 3.2): the client exchanges a code, a refresh token or its own standing for tokens.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use web::request::{Fields, Visit};

use super::refusal::{Refusal, no_store, settled};
use super::tokens::AccessTokenParams;
use super::{clients, dpop, oxide};
use crate::app::Shared;
use crate::config::{Client, GrantType, ScopeSet};
use crate::path;
use crate::protocol::dpop::Proof;
use crate::protocol::error::{INVALID_GRANT, OAuthError};
use crate::protocol::token::TokenResponse;
use crate::store::grants::{Grant, NewRefreshToken, RefreshToken};

/// `POST /token`
pub async fn post(State(app): State<Shared>, Extension(visit): Extension<Visit>, body: Bytes) -> Response {
    let result = handle(&app, &visit, &body).await;
    let answer = |tokens: TokenResponse| axum::Json(tokens).into_response();
    no_store(settled(&app, &visit, &body, "token", result, answer))
}

async fn handle(app: &Shared, visit: &Visit, body: &[u8]) -> Result<TokenResponse, Refusal> {
    let malformed = OAuthError::new("invalid_request", "the body is not a form, or repeats a parameter");
    let fields = Fields::parse(body).map_err(|_| malformed)?;
    let registered = clients::authenticate(app, &visit.headers, &fields, path::TOKEN).await?;
    let client = &registered.client;
    let proof = dpop::proof_of(app, &visit.headers, "POST", path::TOKEN, None).await?;
    if client.dpop_bound_access_tokens && proof.is_none() {
        return Err(OAuthError::new("invalid_dpop_proof", "this client has to send a DPoP proof").into());
    }
    let may = |grant_type: GrantType| {
        let refused = OAuthError::new("unauthorized_client", "this client may not use this grant_type");
        if client.may(grant_type) { Ok(()) } else { Err(refused) }
    };
    match fields.get("grant_type") {
        Some("authorization_code") => {
            may(GrantType::AuthorizationCode)?;
            by_code(app, client, &fields, proof).await
        }
        Some("refresh_token") => {
            may(GrantType::RefreshToken)?;
            by_refresh_token(app, client, &fields, proof).await
        }
        Some("client_credentials") => {
            may(GrantType::ClientCredentials)?;
            Ok(by_itself(app, client, &fields, proof.as_ref())?)
        }
        Some(_) => Err(OAuthError::new("unsupported_grant_type", "this grant_type is not supported").into()),
        None => Err(OAuthError::new("invalid_request", "grant_type is missing").into()),
    }
}

async fn by_code(
    app: &Shared,
    client: &Client,
    fields: &Fields,
    proof: Option<Proof>,
) -> Result<TokenResponse, Refusal> {
    let code = fields.get("code").ok_or(OAuthError::new("invalid_request", "code is missing"))?;
    let unknown = INVALID_GRANT.because("the code is not known, too old, or another client's");
    let mut grant = app.store.grant_of_code(code, &client.client_id).await?.ok_or(unknown)?;
    if grant.code_used_at.is_some() {
        return used_again(app, &grant, "an authorization code was used twice").await;
    }
    let is_right = oxide::redeem(fields, client, &grant).is_ok() && is_key_of(&grant, proof.as_ref());
    if !is_right {
        // Whoever holds the code without verifier or key gets nothing now or later.
        app.store.revoke_grant(&grant.id).await?;
        let differs = "code_verifier, redirect_uri, the key of the proof, or the time does not fit the code";
        return Err(INVALID_GRANT.because(differs).into());
    }
    let asked = resource(client, fields, grant.details.resource.as_deref())?;
    grant.details.resource = asked;
    grant.details.jkt = proof.map(|proof| proof.jkt);
    let ended = INVALID_GRANT.because("the session ended, or the account is blocked or locked");
    let account = app.entitled_account(&grant, true).await?.ok_or(ended)?;
    let offline =
        ScopeSet::parse(&grant.scope).contains("offline_access") && client.may(GrantType::RefreshToken);
    let token = offline.then(|| app.random.token());
    let refresh = token.as_deref().map(|token| NewRefreshToken {
        grant_id: &grant.id,
        token,
        expires_at: app.refresh_expiry(client, &grant),
    });
    if !app.store.redeem_code(&grant.id, &grant.details, refresh).await? {
        return match app.store.grant_of_code(code, &client.client_id).await? {
            Some(grant) if grant.code_used_at.is_some() => {
                used_again(app, &grant, "an authorization code was used twice at once").await
            }
            _ => Err(INVALID_GRANT.into()),
        };
    }
    let mut response = app.tokens_of(client, &grant, &account)?;
    response.refresh_token = token;
    Ok(response)
}

/// RFC 6749 section 4.1.2, RFC 9700 section 4.14.2: what comes twice was stolen from one of the two; everything
/// issued from it ends.
async fn used_again<T>(app: &Shared, grant: &Grant, what: &'static str) -> Result<T, Refusal> {
    if grant.revoked_at.is_none() {
        app.store.revoke_grant(&grant.id).await?;
        tracing::warn!(client_id = grant.client_id, "{what}; what was issued from it is revoked");
    }
    Err(INVALID_GRANT.because(what).into())
}

/// Whether a grant that is bound to a key comes with a proof of that key (RFC 9449 sections 5 and 10).
fn is_key_of(grant: &Grant, proof: Option<&Proof>) -> bool {
    grant.details.jkt.as_ref().is_none_or(|jkt| proof.is_some_and(|proof| proof.jkt == *jkt))
}

/// Whether a refresh token comes with the proof that it needs (RFC 9449 section 5). A public client has nothing but
/// its key, so its tokens stay with that one. A confidential client has proved who it is, so it may change its
/// key; it may not go back to tokens that whoever finds them can use.
fn may_refresh(client: &Client, grant: &Grant, proof: Option<&Proof>) -> bool {
    if client.is_public() { is_key_of(grant, proof) } else { grant.details.jkt.is_none() || proof.is_some() }
}

/// The resource of the token (RFC 8707 section 2.2): the one that was granted, or one of the client's if the
/// sign-in named none.
fn resource(client: &Client, fields: &Fields, granted: Option<&str>) -> Result<Option<String>, OAuthError> {
    let Some(asked) = fields.get("resource") else { return Ok(granted.map(str::to_owned)) };
    let may = granted.map_or_else(|| client.resources.iter().any(|known| known == asked), |one| one == asked);
    let refused = OAuthError::new("invalid_target", "the resource is not one that was granted");
    if may { Ok(Some(asked.to_owned())) } else { Err(refused) }
}

async fn by_refresh_token(
    app: &Shared,
    client: &Client,
    fields: &Fields,
    proof: Option<Proof>,
) -> Result<TokenResponse, Refusal> {
    let token =
        fields.get("refresh_token").ok_or(OAuthError::new("invalid_request", "refresh_token is missing"))?;
    let found = app.store.refresh_token(token, &client.client_id).await?.ok_or(INVALID_GRANT)?;
    let now = app.clock.now();
    let is_late = found.used_at.is_some_and(|used| now >= used.plus(grace_of(client)));
    if client.rotate_refresh_tokens && is_late {
        return used_again(app, &found.grant, "a refresh token was used twice").await;
    }
    if now >= found.expires_at || !may_refresh(client, &found.grant, proof.as_ref()) {
        return Err(INVALID_GRANT.into());
    }
    // All that can be wrong is found before the token is used up.
    let mut grant = found.grant.clone();
    let account = app.entitled_account(&grant, true).await?.ok_or(INVALID_GRANT)?;
    if let Some(scope) = fields.get("scope") {
        // RFC 6749 section 6: never more than was granted; the refresh token itself keeps it all.
        if !ScopeSet::parse(scope).is_subset(&ScopeSet::parse(&grant.scope)) {
            return Err(OAuthError::new("invalid_scope", "more than was granted").into());
        }
        scope.clone_into(&mut grant.scope);
    }
    let asked = resource(client, fields, grant.details.resource.as_deref())?;
    if client.is_public()
        && grant.details.jkt.is_none()
        && let Some(proof) = &proof
    {
        // RFC 9449 section 5: the refresh token that a public client gets for a proof is bound to its key.
        grant.details.jkt = Some(proof.jkt.clone());
        app.store.keep_grant_details(&grant.id, &grant.details).await?;
    }
    grant.details.resource = asked;
    // The new access token is bound to the key of this proof, whichever the one before was bound to.
    grant.details.jkt = proof.map(|proof| proof.jkt);
    let successor = renew(app, client, &found).await?;
    let portal = app.registry.portal_of(Some(&client.client_id));
    if portal.policy.refresh_is_activity {
        app.store.continue_session(&grant.session_id, portal.policy.idle(&app.config.sessions)).await?;
    }
    let mut response = app.tokens_of(client, &grant, &account)?;
    response.refresh_token = successor;
    Ok(response)
}

/// For how long a refresh token may come again after its first use.
fn grace_of(client: &Client) -> Duration {
    Duration::from_secs(client.refresh_grace_seconds.into())
}

/// The successor of a refresh token, where the client's tokens rotate.
async fn renew(app: &Shared, client: &Client, found: &RefreshToken) -> Result<Option<String>, Refusal> {
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
    used_again(app, &found.grant, "a refresh token was used twice at once").await
}

/// Client credentials (RFC 6749 section 4.4): a token about the client itself, for nobody's data.
fn by_itself(
    app: &Shared,
    client: &Client,
    fields: &Fields,
    proof: Option<&Proof>,
) -> Result<TokenResponse, Refusal> {
    const PERSONAL: [&str; 7] =
        ["openid", "profile", "email", "phone", "address", "care_team", "offline_access"];
    let own: ScopeSet =
        ScopeSet::parse(&client.scope).iter().filter(|scope| !PERSONAL.contains(scope)).collect();
    let scope = match fields.get("scope").map(ScopeSet::parse) {
        Some(asked) if !asked.is_subset(&own) => {
            let refused = "a scope is not this client's, or is about people";
            return Err(OAuthError::new("invalid_scope", refused).into());
        }
        Some(asked) => asked,
        None => own,
    };
    let resource = resource(client, fields, None)?;
    let params = AccessTokenParams {
        subject: client.client_id.clone(),
        scope: &scope.to_string(),
        resource: resource.as_deref(),
        jkt: proof.map(|proof| proof.jkt.as_str()),
        sign_in: None,
    };
    Ok(app.access_token(client, params)?)
}

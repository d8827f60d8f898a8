//! The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.5): a sign-in's code, once, for tokens.

use super::token_request::TokenRequest;
use crate::config::{GrantType, ScopeSet};
use crate::oauth::oxide;
use crate::oauth::refusal::EndpointError;
use crate::protocol::error::INVALID_GRANT;
use crate::protocol::reason::Reason;
use crate::protocol::token::TokenResponse;
use crate::store::grants::NewRefreshToken;

pub(super) async fn tokens(request: &TokenRequest<'_>) -> Result<TokenResponse, EndpointError> {
    let (app, client) = (request.app, request.client);
    let code = request.required("code", "code is missing")?;
    let mut grant = app.store.grant_of_code(code, &client.client_id).await?.ok_or(Reason::UnknownCode)?;
    if grant.code_used_at.is_some() {
        return request.revoke_on_replay(&grant, Reason::CodeReplayed).await;
    }
    if let Err(mismatch) = oxide::redeem(request.fields, client, &grant, request.jkt()) {
        // Whoever holds the code without verifier or key gets nothing now or later.
        app.store.revoke_grant(&grant.id).await?;
        return Err(mismatch.into());
    }
    let resource = request.resource(grant.details.resource.as_deref())?;
    grant.details.resource = resource;
    grant.details.jkt = request.jkt().map(str::to_owned);
    let account = app.entitled_account(&grant, true).await?.ok_or(Reason::NotEntitled)?;
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
                request.revoke_on_replay(&grant, Reason::CodeRaced).await
            }
            _ => Err(INVALID_GRANT.into()),
        };
    }
    let mut response = app.tokens_of(client, &grant, &account)?;
    response.refresh_token = token;
    Ok(response)
}

//! The client credentials grant (RFC 6749 section 4.4): a token about the client itself, for nobody's data.

use super::token_request::TokenRequest;
use crate::config::ScopeSet;
use crate::oauth::refusal::EndpointError;
use crate::oauth::tokens::AccessTokenParams;
use crate::protocol::error::OAuthError;
use crate::protocol::token::TokenResponse;

/// Scopes that are about people.
const PERSONAL: [&str; 7] = ["openid", "profile", "email", "phone", "address", "care_team", "offline_access"];

pub(super) fn tokens(request: &TokenRequest<'_>) -> Result<TokenResponse, EndpointError> {
    let client = request.client;
    let own: ScopeSet =
        ScopeSet::parse(&client.scope).iter().filter(|scope| !PERSONAL.contains(scope)).collect();
    let scope = match request.fields.get("scope").map(ScopeSet::parse) {
        Some(asked) if !asked.is_subset(&own) => {
            let refused = "a scope is not this client's, or is about people";
            return Err(OAuthError::new("invalid_scope", refused).into());
        }
        Some(asked) => asked,
        None => own,
    };
    let resource = request.resource(None)?;
    let params = AccessTokenParams {
        subject: client.client_id.clone(),
        scope: &scope.to_string(),
        resource: resource.as_deref(),
        jkt: request.jkt(),
        sign_in: None,
    };
    Ok(request.app.access_token(client, params)?)
}

//! The grants of the token endpoint, each in a file of its own, and what they have in common. A new one is such a file,
//! its name in [`GrantType`], and its line in [`tokens`]; the metadata are made of the names.

mod authorization_code;
mod client_credentials;
mod refresh_token;
mod token_request;

pub(crate) use token_request::TokenRequest;

use super::refusal::EndpointError;
use crate::config::GrantType;
use crate::protocol::token::TokenResponse;

/// The tokens that a request by this grant comes to.
pub(crate) async fn tokens(
    grant_type: GrantType,
    request: &TokenRequest<'_>,
) -> Result<TokenResponse, EndpointError> {
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::tokens(request).await,
        GrantType::RefreshToken => refresh_token::tokens(request).await,
        GrantType::ClientCredentials => client_credentials::tokens(request),
    }
}

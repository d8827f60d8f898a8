//! A grant that gives nothing.

use super::token_request::TokenRequest;
use crate::oauth::refusal::EndpointError;
use crate::protocol::error::INVALID_GRANT;
use crate::protocol::token::TokenResponse;

pub(super) fn tokens(request: &TokenRequest<'_>) -> Result<TokenResponse, EndpointError> {
    request.required("code", "code is missing")?;
    Err(INVALID_GRANT.into())
}

//! Opens the envelope of an authorization request: a request object that the client signed (RFC 9101).

use platform::request::Fields;

use super::clients;
use crate::app::App;
use crate::config::{Profile, RegisteredClient};
use crate::protocol::error::OAuthError;
use crate::protocol::jose::{JoseError, Kind, Unverified};
use crate::protocol::request_object::{self, MUST_BE_SIGNED, NOT_SIGNED};

/// The parameters of a request, and whether the client signed them. Of a request with a request object only
/// what stands inside counts.
///
/// # Errors
/// `request_not_supported` for an object that is not signed or a client without keys; `invalid_request_object`, also
/// for an unsigned one of a client that agreed to sign (FAPI 2.0 Message Signing section 5.3.1).
pub(crate) async fn open(
    app: &App,
    registered: &RegisteredClient,
    fields: Fields,
) -> Result<(Fields, bool), OAuthError> {
    let Some(object) = fields.get("request") else { return Ok((fields, false)) };
    let client = &registered.client;
    let strict = client.profile == Some(Profile::Fapi2);
    let agreed =
        strict || client.require_signed_request_object || client.request_object_signing_alg.is_some();
    if Unverified::parse(object).is_err_and(|error| error == JoseError::Unsigned) || !client.has_keys() {
        return Err(if agreed { MUST_BE_SIGNED } else { NOT_SIGNED });
    }
    let allowed = clients::allowed(client.request_object_signing_alg, client.profile);
    let claims =
        app.client_keys.verify(client, object, &allowed, Kind::RequestObject).await.map_err(|error| {
            tracing::info!(client_id = client.client_id, %error, "a request object is refused");
            OAuthError::new(
                "invalid_request_object",
                "the request object does not verify with the client's keys",
            )
        })?;
    let now = app.clock.now().seconds();
    let inner = request_object::parameters(&claims, &client.client_id, &app.config.issuer, strict, now)?;
    Ok((inner, true))
}

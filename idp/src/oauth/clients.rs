//! Client authentication at the endpoints that clients call directly (RFC 6749 section 2.3).

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use web::request::Fields;

use crate::app::App;
use crate::config::Registered;
use crate::config::TokenEndpointAuthMethod;
use crate::protocol::error::{INVALID_CLIENT, WireError};
use crate::protocol::token::basic_credentials;

/// What a client presented.
enum Presented {
    Basic { client_id: String, secret: String },
    Post { client_id: String, secret: String },
    Nothing { client_id: String },
}

/// Authenticates the client of a request by its registered method and no other.
///
/// # Errors
/// `invalid_client`; `invalid_request` if it used two methods at once.
pub fn authenticate(app: &App, headers: &HeaderMap, fields: &Fields) -> Result<Arc<Registered>, WireError> {
    let presented = presented(headers, fields)?;
    let (client_id, secret, method) = match &presented {
        Presented::Basic { client_id, secret } => {
            (client_id, Some(secret), TokenEndpointAuthMethod::ClientSecretBasic)
        }
        Presented::Post { client_id, secret } => {
            (client_id, Some(secret), TokenEndpointAuthMethod::ClientSecretPost)
        }
        Presented::Nothing { client_id } => (client_id, None, TokenEndpointAuthMethod::None),
    };
    let registered = app.registry.client(client_id).ok_or(INVALID_CLIENT)?;
    let secret_fits = match (&registered.secret_hash, secret) {
        (Some(hash), Some(secret)) => web::seal::same(hash, &web::seal::sha256(secret)),
        (None, None) => true,
        _ => false,
    };
    if !secret_fits || registered.client.token_endpoint_auth_method != method {
        return Err(INVALID_CLIENT);
    }
    Ok(Arc::clone(registered))
}

fn presented(headers: &HeaderMap, fields: &Fields) -> Result<Presented, WireError> {
    let header = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let client_id = fields.get("client_id").map(str::to_owned);
    match (header, fields.get("client_secret")) {
        (Some(_), Some(_)) => Err(WireError::new("invalid_request", "two client authentications at once")),
        (Some(header), None) => {
            let (basic_id, secret) = basic_credentials(header).ok_or(INVALID_CLIENT)?;
            if client_id.is_some_and(|id| id != basic_id) {
                return Err(WireError::new("invalid_request", "two client ids at once"));
            }
            Ok(Presented::Basic { client_id: basic_id, secret })
        }
        (None, Some(secret)) => {
            Ok(Presented::Post { client_id: client_id.ok_or(INVALID_CLIENT)?, secret: secret.to_owned() })
        }
        (None, None) => Ok(Presented::Nothing { client_id: client_id.ok_or(INVALID_CLIENT)? }),
    }
}

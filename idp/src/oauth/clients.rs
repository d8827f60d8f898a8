//! Which client is calling: authentication at the endpoints that clients call themselves (RFC 6749 section
//! 2.3, RFC 7523 section 2.2).

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use web::request::Fields;
use web::seal::sha256;

use super::refusal::Refusal;
use crate::app::{App, Trouble};
use crate::config::{Profile, Registered, SigningAlgorithm, TokenEndpointAuthMethod};
use crate::path;
use crate::protocol::assertion::{self, ASSERTION_TYPE};
use crate::protocol::error::{INVALID_CLIENT, WireError};
use crate::protocol::token::basic_credentials;

/// What a client presented.
enum Presented {
    Basic { client_id: String, secret: String },
    Post { client_id: String, secret: String },
    Assertion { client_id: String, assertion: String },
    Nothing { client_id: String },
}

impl Presented {
    fn method(&self) -> TokenEndpointAuthMethod {
        match self {
            Self::Basic { .. } => TokenEndpointAuthMethod::ClientSecretBasic,
            Self::Post { .. } => TokenEndpointAuthMethod::ClientSecretPost,
            Self::Assertion { .. } => TokenEndpointAuthMethod::PrivateKeyJwt,
            Self::Nothing { .. } => TokenEndpointAuthMethod::None,
        }
    }

    fn client_id(&self) -> &str {
        match self {
            Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::Assertion { client_id, .. }
            | Self::Nothing { client_id } => client_id,
        }
    }
}

impl App {
    /// A client by its id: of the configuration, or one that registered itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn client(&self, client_id: &str) -> Result<Option<Arc<Registered>>, Trouble> {
        if let Some(known) = self.registry.client(client_id) {
            return Ok(Some(Arc::clone(known)));
        }
        if !self.config.registration.enabled || client_id.len() > 64 {
            return Ok(None);
        }
        let row = self.store.registered_client(client_id).await?;
        Ok(row.map(|row| self.registry.registered(row.client, row.secret_hash)))
    }
}

/// Authenticates the client of a request to `endpoint` by its registered method and no other.
///
/// # Errors
/// `invalid_client`; `invalid_request` if it used two methods at once.
pub async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    fields: &Fields,
    endpoint: &str,
) -> Result<Arc<Registered>, Refusal> {
    let presented = presented(headers, fields)?;
    let registered = app.client(presented.client_id()).await?.ok_or(INVALID_CLIENT)?;
    if registered.client.token_endpoint_auth_method != presented.method() {
        return Err(INVALID_CLIENT.into());
    }
    match &presented {
        Presented::Basic { secret, .. } | Presented::Post { secret, .. } => {
            let hash = registered.secret_hash.as_ref().ok_or(INVALID_CLIENT)?;
            if !web::seal::same(hash, &sha256(secret)) {
                return Err(INVALID_CLIENT.into());
            }
        }
        Presented::Assertion { assertion, .. } => by_assertion(app, &registered, assertion, endpoint).await?,
        Presented::Nothing { .. } => {}
    }
    Ok(registered)
}

async fn by_assertion(
    app: &App,
    registered: &Registered,
    assertion: &str,
    endpoint: &str,
) -> Result<(), Refusal> {
    let client = &registered.client;
    let allowed = allowed(client.token_endpoint_auth_signing_alg, client.profile);
    let claims = app.client_keys.verify(client, assertion, &allowed).await.map_err(|error| {
        tracing::info!(client_id = client.client_id, %error, "a client assertion is refused");
        WireError::new("invalid_client", "the client assertion does not verify with the client's keys")
    })?;
    let audiences = [app.config.issuer.clone(), app.url(path::TOKEN), app.url(endpoint)];
    let audiences: Vec<&str> = audiences.iter().map(String::as_str).collect();
    let now = app.clock.now().seconds();
    let accepted =
        assertion::check(&claims, &client.client_id, &audiences, client.strict_assertion_audience, now)?;
    let mark = format!("assertion:{}", sha256(&format!("{}\n{}", client.client_id, accepted.jti)));
    let lifetime = Duration::from_secs(u64::try_from(accepted.until - now).unwrap_or(0) + 1);
    if !app.ephemeral.put_new(&mark, "", lifetime).await? {
        return Err(WireError::new("invalid_client", "this client assertion was used before").into());
    }
    Ok(())
}

/// The algorithms that a client may sign with: the one it registered, or all that its profile has.
pub fn allowed(registered: Option<SigningAlgorithm>, profile: Option<Profile>) -> Vec<SigningAlgorithm> {
    let fits = |algorithm: &SigningAlgorithm| match registered {
        Some(one) => *algorithm == one,
        None => profile != Some(Profile::Fapi2) || algorithm.is_fapi(),
    };
    SigningAlgorithm::ALL.into_iter().filter(fits).collect()
}

fn presented(headers: &HeaderMap, fields: &Fields) -> Result<Presented, WireError> {
    let header = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let secret = fields.get("client_secret");
    let assertion = fields.get("client_assertion");
    let client_id = fields.get("client_id").map(str::to_owned);
    if usize::from(header.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
        return Err(WireError::new("invalid_request", "two client authentications at once"));
    }
    let presented = if let Some(header) = header {
        let (client_id, secret) = basic_credentials(header).ok_or(INVALID_CLIENT)?;
        Presented::Basic { client_id, secret }
    } else if let Some(assertion) = assertion {
        if fields.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(WireError::new("invalid_client", "client_assertion_type is missing or another"));
        }
        let malformed = WireError::new("invalid_client", "the client assertion is not a signed JWT with sub");
        let client_id = assertion::client_of(assertion).ok_or(malformed)?;
        Presented::Assertion { client_id, assertion: assertion.to_owned() }
    } else {
        let client_id = client_id.clone().ok_or(INVALID_CLIENT)?;
        match secret {
            Some(secret) => Presented::Post { client_id, secret: secret.to_owned() },
            None => Presented::Nothing { client_id },
        }
    };
    if client_id.is_some_and(|id| id != presented.client_id()) {
        return Err(WireError::new("invalid_client", "client_id and the client's authentication differ"));
    }
    Ok(presented)
}

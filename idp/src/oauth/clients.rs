//! Which client is calling: authentication at the endpoints that clients call themselves (RFC 6749 section
//! 2.3, RFC 7523 section 2.2).

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use platform::request::Fields;
use platform::seal::sha256;

use super::refusal::EndpointError;
use crate::app::App;
use crate::config::{Profile, RegisteredClient, SigningAlgorithm, TokenEndpointAuthMethod as Method};
use crate::http::paths;
use crate::protocol::assertion::{self, ASSERTION_TYPE};
use crate::protocol::error::{INVALID_CLIENT, OAuthError};
use crate::protocol::jose::Kind;
use crate::protocol::reason::Reason;
use crate::protocol::token::basic_credentials;

/// What a client presented: its name, in each way to read it, and a proof.
struct Presented {
    client_ids: Vec<String>,
    proof: Proof,
}

enum Proof {
    /// One secret, in each way to read it.
    Basic(Vec<String>),
    Post(String),
    Assertion(String),
    Nothing,
}

impl Proof {
    fn method(&self) -> Method {
        match self {
            Self::Basic(_) => Method::ClientSecretBasic,
            Self::Post(_) => Method::ClientSecretPost,
            Self::Assertion(_) => Method::PrivateKeyJwt,
            Self::Nothing => Method::None,
        }
    }

    fn secrets(&self) -> &[String] {
        match self {
            Self::Basic(readings) => readings,
            Self::Post(secret) => std::slice::from_ref(secret),
            Self::Assertion(_) | Self::Nothing => &[],
        }
    }
}

/// Authenticates the client of a request to `endpoint` by its registered method and no other. The log says why one
/// is not let in; the answer says it only to who proved the secret.
///
/// # Errors
/// `invalid_client`; `invalid_request` if it used two methods at once.
pub(crate) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    fields: &Fields,
    endpoint: &str,
) -> Result<Arc<RegisteredClient>, EndpointError> {
    let presented = presented(headers, fields)?;
    let mut found = None;
    for client_id in &presented.client_ids {
        if found.is_none() {
            found = app.known_client(client_id).await?;
        }
    }
    let Some(registered) = found else {
        return Err(Reason::UnknownClient.into());
    };
    let method = registered.client.token_endpoint_auth_method;
    let proved = has_secret(&registered, presented.proof.secrets());
    if method != presented.proof.method() {
        return Err(other_method(method, &presented.proof, proved).into());
    }
    match &presented.proof {
        Proof::Basic(_) | Proof::Post(_) if !proved => Err(Reason::WrongSecret.into()),
        Proof::Assertion(assertion) => {
            by_assertion(app, &registered, assertion, endpoint).await?;
            Ok(registered)
        }
        Proof::Basic(_) | Proof::Post(_) | Proof::Nothing => Ok(registered),
    }
}

/// Whether one of the readings is the client's secret. All are compared, so the time tells nothing of which.
fn has_secret(registered: &RegisteredClient, readings: &[String]) -> bool {
    let Some(hash) = &registered.secret_hash else { return false };
    readings.iter().fold(false, |found, secret| found | platform::seal::same(hash, &sha256(secret)))
}

/// Told to who proved the secret, and nobody else.
const SECRET_BELONGS_IN_HEADER: OAuthError = OAuthError::new(
    "invalid_client",
    "the secret is right, but token_endpoint_auth_method of this client is client_secret_basic: \
     send it in the Authorization header, not in the form",
);
const SECRET_BELONGS_IN_FORM: OAuthError = OAuthError::new(
    "invalid_client",
    "the secret is right, but token_endpoint_auth_method of this client is client_secret_post: \
     send client_id and client_secret in the form, not in the Authorization header",
);

/// Why a method that is not the client's is refused.
fn other_method(registered: Method, presented: &Proof, proved: bool) -> OAuthError {
    match (registered, presented) {
        (Method::ClientSecretBasic, Proof::Post(_)) if proved => SECRET_BELONGS_IN_HEADER,
        (Method::ClientSecretPost, Proof::Basic(_)) if proved => SECRET_BELONGS_IN_FORM,
        (Method::ClientSecretBasic | Method::ClientSecretPost, Proof::Basic(_) | Proof::Post(_)) => {
            Reason::WrongSecretAndMethod.into()
        }
        (Method::None, _) => Reason::PublicClientWithProof.into(),
        (_, Proof::Nothing) => Reason::NoClientAuthentication.into(),
        (Method::PrivateKeyJwt, _) => Reason::SecretForAssertion.into(),
        (_, Proof::Assertion(_)) => Reason::AssertionForSecret.into(),
    }
}

async fn by_assertion(
    app: &App,
    registered: &RegisteredClient,
    assertion: &str,
    endpoint: &str,
) -> Result<(), EndpointError> {
    let client = &registered.client;
    let allowed = allowed(client.token_endpoint_auth_signing_alg, client.profile);
    let claims = app.client_keys.verify(client, assertion, &allowed, Kind::ClientAssertion).await.map_err(
        |error| {
            tracing::info!(client_id = client.client_id, %error, "a client assertion is refused");
            OAuthError::new("invalid_client", "the client assertion does not verify with the client's keys")
        },
    )?;
    let audiences = [app.config.issuer.clone(), app.url(paths::TOKEN), app.url(endpoint)];
    let audiences: Vec<&str> = audiences.iter().map(String::as_str).collect();
    let now = app.clock.now().seconds();
    let accepted =
        assertion::check(&claims, &client.client_id, &audiences, client.strict_assertion_audience, now)?;
    let mark = format!("assertion:{}", sha256(&format!("{}\n{}", client.client_id, accepted.jti)));
    let lifetime = Duration::from_secs(u64::try_from(accepted.until - now).unwrap_or(0) + 1);
    if !app.ephemeral.put_new(&mark, "", lifetime).await? {
        let used = OAuthError::new("invalid_client", "this client assertion was used before");
        return Err(used.into());
    }
    Ok(())
}

/// The algorithms that a client may sign with: the one it registered, or all that its profile has.
pub(crate) fn allowed(
    registered: Option<SigningAlgorithm>,
    profile: Option<Profile>,
) -> Vec<SigningAlgorithm> {
    let fits = |algorithm: &SigningAlgorithm| match registered {
        Some(one) => *algorithm == one,
        None => profile != Some(Profile::Fapi2) || algorithm.is_fapi(),
    };
    SigningAlgorithm::ALL.into_iter().filter(fits).collect()
}

fn presented(headers: &HeaderMap, fields: &Fields) -> Result<Presented, OAuthError> {
    let header = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let secret = fields.get("client_secret");
    let assertion = fields.get("client_assertion");
    if usize::from(header.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some()) > 1 {
        return Err(OAuthError::new("invalid_request", "two client authentications at once"));
    }
    let named = fields.get("client_id");
    let (mut client_ids, proof) = if let Some(header) = header {
        let readings = basic_credentials(header).ok_or(INVALID_CLIENT)?;
        let (client_ids, secrets) = readings.into_iter().map(|read| (read.client_id, read.secret)).unzip();
        (client_ids, Proof::Basic(secrets))
    } else if let Some(assertion) = assertion {
        if fields.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(OAuthError::new("invalid_client", "client_assertion_type is missing or another"));
        }
        let malformed =
            OAuthError::new("invalid_client", "the client assertion is not a signed JWT with sub");
        let client_id = assertion::client_of(assertion).ok_or(malformed)?;
        (vec![client_id], Proof::Assertion(assertion.to_owned()))
    } else {
        let proof = secret.map_or(Proof::Nothing, |secret| Proof::Post(secret.to_owned()));
        (vec![named.ok_or(INVALID_CLIENT)?.to_owned()], proof)
    };
    client_ids.dedup();
    client_ids.retain(|id| named.is_none_or(|named| named == id));
    if client_ids.is_empty() {
        return Err(OAuthError::new("invalid_client", "client_id and the client's authentication differ"));
    }
    Ok(Presented { client_ids, proof })
}

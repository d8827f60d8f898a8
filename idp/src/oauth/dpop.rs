//! The DPoP proof of a request, and that it comes once (RFC 9449 sections 4.3 and 11.1).

use std::time::Duration;

use axum::http::HeaderMap;
use platform::seal::sha256;

use super::refusal::EndpointError;
use crate::app::App;
use crate::protocol::dpop::{self, Proof, WINDOW};
use crate::protocol::error::OAuthError;

/// The proof in the headers of a request to `endpoint`, if there is one.
///
/// # Errors
/// `invalid_dpop_proof` for one that does not hold, for two, or for one that was seen before.
pub(crate) async fn proof_of(
    app: &App,
    headers: &HeaderMap,
    method: &str,
    endpoint: &str,
    access_token: Option<&str>,
) -> Result<Option<Proof>, EndpointError> {
    let mut values = headers.get_all("dpop").iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(OAuthError::new("invalid_dpop_proof", "there are two DPoP proofs").into());
    }
    let malformed = OAuthError::new("invalid_dpop_proof", "the DPoP header is not text");
    let proof = value.to_str().map_err(|_| malformed)?;
    let now = app.clock.now().seconds();
    let proof = dpop::verify(proof, method, &app.url(endpoint), access_token, now)?;
    let mark = format!("dpop:{}", sha256(&format!("{}\n{}", proof.jkt, proof.jti)));
    // As long as its `iat` may be in the window, from the earliest to the latest.
    let lifetime = Duration::from_secs(2 * WINDOW.unsigned_abs() + 1);
    if !app.ephemeral.put_new(&mark, "", lifetime).await? {
        return Err(OAuthError::new("invalid_dpop_proof", "this DPoP proof was used before").into());
    }
    Ok(Some(proof))
}

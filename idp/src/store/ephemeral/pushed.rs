//! Authorization requests that a client pushed (RFC 9126), until a sign-in from one ends.

use std::time::Duration;

use platform::ephemeral::{Ephemeral, EphemeralError};

use crate::protocol::authorization::AuthorizationRequest;

/// What every `request_uri` of ours begins with (RFC 9126 section 2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The `request_uri` of a pushed request.
pub fn uri(id: &str) -> String {
    format!("{PREFIX}{id}")
}

fn key(id: &str) -> String {
    format!("pushed:{id}")
}

/// Keeps a request.
pub async fn keep(
    ephemeral: &Ephemeral,
    id: &str,
    request: &AuthorizationRequest,
    lifetime: Duration,
) -> Result<(), EphemeralError> {
    let value = serde_json::to_string(request).unwrap_or_default();
    ephemeral.put(&key(id), &value, lifetime).await
}

/// The request that this client pushed under `request_uri`. It may be visited again until its sign-in ends.
pub async fn find(
    ephemeral: &Ephemeral,
    client_id: &str,
    request_uri: &str,
) -> Result<Option<AuthorizationRequest>, EphemeralError> {
    let Some(id) = request_uri.strip_prefix(PREFIX).filter(|id| id.len() == 43) else { return Ok(None) };
    let Some(stored) = ephemeral.get(&key(id)).await? else { return Ok(None) };
    let request = serde_json::from_str::<AuthorizationRequest>(&stored.value).ok();
    Ok(request.filter(|request| request.client_id == client_id))
}

/// Uses a pushed request up, once a sign-in from it ends; true for the first one. Two tabs may have begun from it: the mark
/// of `lifetime` has to outlive every journey that did.
pub async fn use_up(ephemeral: &Ephemeral, id: &str, lifetime: Duration) -> Result<bool, EphemeralError> {
    ephemeral.delete(&key(id)).await?;
    ephemeral.put_new(&format!("pushed-used:{id}"), "", lifetime).await
}

//! A token request, as every grant sees it.

use platform::request::Fields;

use crate::app::Shared;
use crate::config::Client;
use crate::oauth::refusal::EndpointError;
use crate::protocol::dpop::Proof;
use crate::protocol::error::OAuthError;
use crate::protocol::reason::Reason;
use crate::store::grants::Grant;

/// A token request of a client that proved who it is and may use the grant.
pub(crate) struct TokenRequest<'a> {
    pub app: &'a Shared,
    pub client: &'a Client,
    pub fields: &'a Fields,
    /// Of the key that the client wants its tokens bound to (RFC 9449 section 5).
    pub proof: Option<Proof>,
}

impl TokenRequest<'_> {
    /// The key that tokens are to be bound to.
    pub(super) fn jkt(&self) -> Option<&str> {
        self.proof.as_ref().map(|proof| proof.jkt.as_str())
    }

    /// A parameter that the grant cannot do without.
    pub(super) fn required(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.fields.get(name).ok_or(OAuthError::new("invalid_request", missing))
    }

    /// The resource of the token (RFC 8707 section 2.2): the one that was granted, or one of the client's if the
    /// sign-in named none.
    pub(super) fn resource(&self, granted: Option<&str>) -> Result<Option<String>, OAuthError> {
        let Some(asked) = self.fields.get("resource") else { return Ok(granted.map(str::to_owned)) };
        let is_own = || self.client.resources.iter().any(|known| known == asked);
        let refused = OAuthError::new("invalid_target", "the resource is not one that was granted");
        if granted.map_or_else(is_own, |one| one == asked) {
            Ok(Some(asked.to_owned()))
        } else {
            Err(refused)
        }
    }

    /// RFC 6749 section 4.1.2, RFC 9700 section 4.14.2: what comes twice was stolen from one of the two; everything
    /// issued from it ends.
    pub(super) async fn revoke_on_replay<T>(
        &self,
        grant: &Grant,
        reason: Reason,
    ) -> Result<T, EndpointError> {
        if grant.revoked_at.is_none() {
            self.app.store.revoke_grant(&grant.id).await?;
            tracing::warn!(
                client_id = grant.client_id,
                "{}; what was issued from it is revoked",
                reason.text()
            );
        }
        Err(reason.into())
    }
}

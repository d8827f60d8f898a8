//! What the portal knows of the provider, read at first need: its metadata, kept for an hour, and its keys, which
//! verify for five minutes, so that one which was revoked is gone by then. A token that names a key which is not
//! known yet makes the keys be read at once, though not too often. So the portal may start before the provider,
//! and a rotation of keys needs no restart.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClaimName, CoreClaimType, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGenderClaim, CoreGrantType, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreSubjectIdentifierType,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AdditionalProviderMetadata, Client, EmptyExtraTokenFields, EndSessionUrl,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, JsonWebKeySet, ProviderMetadata,
    RedirectUrl, StandardErrorResponse, StandardTokenResponse,
};
use platform::clock::{Clock, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, RwLock};

use super::OidcError;
use super::http::Http;
use crate::config;

/// How old metadata may be before it is read again.
const METADATA_AGE: Duration = Duration::from_hours(1);
/// How old keys may be that verify anything.
const KEY_AGE: Duration = Duration::from_mins(5);
/// How long to go on with old metadata before a provider that did not answer is asked again.
const PATIENCE_WITH_OLD: Duration = Duration::from_mins(1);
/// The same where there is nothing old to go on with, or it may not be gone on with.
const PATIENCE: Duration = Duration::from_secs(1);
/// The least age of keys that are read again on account of an unknown one.
const KEY_PATIENCE: Duration = Duration::from_secs(1);

/// Metadata beyond OpenID Connect Discovery 1.0.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct MoreMetadata {
    /// RP-Initiated Logout 1.0, section 2.1.
    pub end_session_endpoint: Option<EndSessionUrl>,
    /// RFC 9207, section 3.
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for MoreMetadata {}

/// What our ID tokens say beyond the standard: Back-Channel Logout 1.0, section 2.1.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct IdTokenExtras {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl AdditionalClaims for IdTokenExtras {}

type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The token endpoint's answer.
pub(crate) type TokenAnswer = StandardTokenResponse<
    IdTokenFields<
        IdTokenExtras,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

/// This portal as a client of the provider.
pub(crate) type PortalClient = Client<
    IdTokenExtras,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider as it was at one moment.
pub struct Known {
    pub metadata: Metadata,
    pub client: PortalClient,
    /// The same keys that `client` verifies with.
    pub keys: JsonWebKeySet<CoreJsonWebKey>,
    metadata_read_at: Timestamp,
    keys_read_at: Timestamp,
}

impl Known {
    /// RFC 9207: whether every answer of the provider names its issuer.
    pub fn names_issuer(&self) -> bool {
        self.metadata.additional_metadata().authorization_response_iss_parameter_supported
    }

    /// Where a sign-out goes on, if the provider has such a place.
    pub fn end_session(&self) -> Option<&EndSessionUrl> {
        self.metadata.additional_metadata().end_session_endpoint.as_ref()
    }
}

/// The provider, asked when needed.
pub struct Provider {
    pub settings: config::Provider,
    redirect: RedirectUrl,
    pub(super) http: Http,
    pub(super) clock: Clock,
    known: RwLock<Option<Arc<Known>>>,
    /// Held by the one who asks the provider.
    asking: Mutex<Asked>,
}

/// When the provider last failed to answer.
#[derive(Default)]
struct Asked {
    for_metadata: Option<Timestamp>,
    for_keys: Option<Timestamp>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({})", self.settings.issuer.as_str())
    }
}

impl Provider {
    /// `origin` is the portal's own; nothing is asked yet.
    ///
    /// # Errors
    /// If the origin is no address or TLS cannot be set up.
    pub fn new(settings: config::Provider, origin: &str, clock: Clock) -> Result<Self, OidcError> {
        let redirect = RedirectUrl::new(format!("{origin}/callback"))
            .map_err(|error| OidcError::Unavailable(error.to_string()))?;
        let http = Http::new(settings.extra_ca.as_deref())
            .map_err(|error| OidcError::Unavailable(error.to_string()))?;
        Ok(Self { settings, redirect, http, clock, known: RwLock::default(), asking: Mutex::default() })
    }

    /// Metadata not older than an hour, unless the provider has stopped answering. Its keys are for
    /// [`Provider::verifying`] to look at.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`] if the provider never answered yet.
    pub async fn known(&self) -> Result<Arc<Known>, OidcError> {
        if let Some(known) = self.with_metadata().await {
            return Ok(known);
        }
        let mut asked = self.asking.lock().await;
        if let Some(known) = self.with_metadata().await {
            return Ok(known); // somebody else has just asked
        }
        let old = self.known.read().await.clone();
        let patience = if old.is_some() { PATIENCE_WITH_OLD } else { PATIENCE };
        if self.is_within(asked.for_metadata, patience) {
            return old.ok_or_else(|| OidcError::Unavailable("it did not answer a moment ago".into()));
        }
        match Metadata::discover_async(self.settings.issuer.clone(), &self.http).await {
            Ok(metadata) => {
                asked.for_metadata = None;
                let now = self.clock.now();
                Ok(self.keep(metadata, now, now).await)
            }
            Err(error) => {
                asked.for_metadata = Some(self.clock.now());
                let cause = explain(&error);
                tracing::warn!(%cause, stale = old.is_some(), "the provider's metadata cannot be read");
                old.ok_or(OidcError::Unavailable(cause))
            }
        }
    }

    /// The provider with keys that were its own at most five minutes ago.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`] if it does not answer: older keys may have been revoked.
    pub async fn verifying(&self) -> Result<Arc<Known>, OidcError> {
        let known = self.known().await?;
        if self.is_within(Some(known.keys_read_at), KEY_AGE) {
            return Ok(known);
        }
        self.with_keys_of(&known, KEY_AGE).await
    }

    /// Reads the keys again because a token named one that `seen` does not hold. Whoever comes too soon
    /// after another gets what there is.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`] if the provider does not answer.
    pub async fn with_newer_keys(&self, seen: &Known) -> Result<Arc<Known>, OidcError> {
        self.with_keys_of(seen, KEY_PATIENCE).await
    }

    async fn with_keys_of(&self, seen: &Known, age: Duration) -> Result<Arc<Known>, OidcError> {
        let mut asked = self.asking.lock().await;
        let known = self.known.read().await.clone();
        let known = known.ok_or_else(|| OidcError::Unavailable("no metadata yet".into()))?;
        if known.keys_read_at > seen.keys_read_at || self.is_within(Some(known.keys_read_at), age) {
            return Ok(known);
        }
        if self.is_within(asked.for_keys, PATIENCE) {
            return Err(OidcError::Unavailable("it gave no keys a moment ago".into()));
        }
        match JsonWebKeySet::fetch_async(known.metadata.jwks_uri(), &self.http).await {
            Ok(keys) => {
                asked.for_keys = None;
                let metadata = known.metadata.clone().set_jwks(keys);
                Ok(self.keep(metadata, known.metadata_read_at, self.clock.now()).await)
            }
            Err(error) => {
                asked.for_keys = Some(self.clock.now());
                Err(OidcError::Unavailable(explain(&error)))
            }
        }
    }

    async fn with_metadata(&self) -> Option<Arc<Known>> {
        let known = self.known.read().await.clone()?;
        self.is_within(Some(known.metadata_read_at), METADATA_AGE).then_some(known)
    }

    /// Whether a moment is less than `age` ago.
    fn is_within(&self, at: Option<Timestamp>, age: Duration) -> bool {
        at.is_some_and(|at| self.clock.now().since(at) < age)
    }

    async fn keep(
        &self,
        metadata: Metadata,
        metadata_read_at: Timestamp,
        keys_read_at: Timestamp,
    ) -> Arc<Known> {
        let client = PortalClient::from_provider_metadata(
            metadata.clone(),
            self.settings.client_id.clone(),
            Some(self.settings.client_secret.clone()),
        )
        .set_redirect_uri(self.redirect.clone());
        let keys = metadata.jwks().clone();
        let known = Arc::new(Known { metadata, client, keys, metadata_read_at, keys_read_at });
        *self.known.write().await = Some(Arc::clone(&known));
        known
    }
}

/// An error with its causes in one line.
pub(super) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

//! What the portal knows of the provider: its metadata and keys, read at first need, kept for an hour, and
//! read again at once, though not too often, when a token names a key that is not known yet. So the portal
//! may start before the provider, and a rotation of keys needs no restart.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, RwLock};
use web::clock::{Clock, Timestamp};

use super::OidcError;
use super::http::Http;
use crate::config;

const FRESH: Duration = Duration::from_hours(1);
/// How long to go on with old metadata before a provider that did not answer is asked again.
const PATIENCE_WITH_OLD: Duration = Duration::from_mins(1);
/// The same where there is no old metadata to go on with.
const PATIENCE: Duration = Duration::from_secs(1);
/// The least time between two readings of the keys on account of an unknown one.
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
pub type TokenAnswer = StandardTokenResponse<
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
pub type PortalClient = Client<
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
    read_at: Timestamp,
    /// Goes up whenever something was read.
    version: u64,
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

/// When the provider was asked what; in real time, since it is about not asking too often.
#[derive(Default)]
struct Asked {
    failed: Option<Instant>,
    for_keys: Option<Instant>,
    version: u64,
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

    /// Metadata and keys, not older than an hour unless the provider has stopped answering.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`] if the provider never answered yet.
    pub async fn known(&self) -> Result<Arc<Known>, OidcError> {
        if let Some(known) = self.fresh().await {
            return Ok(known);
        }
        let mut asked = self.asking.lock().await;
        if let Some(known) = self.fresh().await {
            return Ok(known); // somebody else has just asked
        }
        let old = self.known.read().await.clone();
        let patience = if old.is_some() { PATIENCE_WITH_OLD } else { PATIENCE };
        if asked.failed.is_some_and(|at| at.elapsed() < patience) {
            return old.ok_or_else(|| OidcError::Unavailable("it did not answer a moment ago".into()));
        }
        match Metadata::discover_async(self.settings.issuer.clone(), &self.http).await {
            Ok(metadata) => {
                asked.failed = None;
                Ok(self.keep(metadata, self.clock.now(), &mut asked).await)
            }
            Err(error) => {
                asked.failed = Some(Instant::now());
                let cause = explain(&error);
                tracing::warn!(%cause, stale = old.is_some(), "the provider's metadata cannot be read");
                old.ok_or(OidcError::Unavailable(cause))
            }
        }
    }

    /// Reads the keys again because a token named one that `seen` does not hold. Whoever comes too soon
    /// after another gets what there is.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`] if the provider does not answer.
    pub async fn with_newer_keys(&self, seen: &Known) -> Result<Arc<Known>, OidcError> {
        let mut asked = self.asking.lock().await;
        let Some(old) = self.known.read().await.clone() else {
            return Err(OidcError::Unavailable("no metadata yet".into()));
        };
        let too_soon = asked.for_keys.is_some_and(|at| at.elapsed() < KEY_PATIENCE);
        if old.version > seen.version || too_soon {
            return Ok(old);
        }
        asked.for_keys = Some(Instant::now());
        let keys = JsonWebKeySet::fetch_async(old.metadata.jwks_uri(), &self.http)
            .await
            .map_err(|error| OidcError::Unavailable(explain(&error)))?;
        tracing::info!("the provider's keys were read again: a token named an unknown one");
        Ok(self.keep(old.metadata.clone().set_jwks(keys), old.read_at, &mut asked).await)
    }

    async fn fresh(&self) -> Option<Arc<Known>> {
        let known = self.known.read().await.clone()?;
        (self.clock.now().since(known.read_at) < FRESH).then_some(known)
    }

    async fn keep(&self, metadata: Metadata, read_at: Timestamp, asked: &mut Asked) -> Arc<Known> {
        let client = PortalClient::from_provider_metadata(
            metadata.clone(),
            self.settings.client_id.clone(),
            Some(self.settings.client_secret.clone()),
        )
        .set_redirect_uri(self.redirect.clone());
        asked.version += 1;
        let keys = metadata.jwks().clone();
        let known = Arc::new(Known { metadata, client, keys, read_at, version: asked.version });
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

//! The ID token (OpenID Connect Core section 2): its claims, and how it is made.

use std::time::Duration;

use chrono::{DateTime, Utc};
use openidconnect::core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AdditionalClaims, Audience, AuthenticationContextClass, AuthenticationMethodReference,
    ClientId, IdToken, IdTokenClaims, IssuerUrl, Nonce, StandardClaims, SubjectIdentifier,
};
use platform::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::userinfo::standard_claims;
use crate::app::{App, ServiceError};
use crate::config::{Client, Profile, ScopeSet};
use crate::domain::account::Account;
use crate::protocol::claims::of_scope;
use crate::store::grants::Grant;

/// `sid` in an ID token (OpenID Connect Back-Channel Logout 1.0 section 2.1), for clients that take part in signing
/// out, and the claims that were asked for by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct MoreClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(flatten)]
    by_name: Map<String, Value>,
}
impl AdditionalClaims for MoreClaims {}

type OurIdToken =
    IdToken<MoreClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

fn failed(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Other(format!("signing an ID token: {error}"))
}

impl App {
    /// OpenID Connect Core section 2: who signed in, when and how; about the person only what was asked for by
    /// name (section 5.5), and what its scopes cover where the client is set so.
    pub(super) fn id_token(
        &self,
        client: &Client,
        grant: &Grant,
        account: &Account,
        access_token: &str,
    ) -> Result<String, ServiceError> {
        let now = self.clock.now();
        let date = |at: Timestamp| -> Result<DateTime<Utc>, ServiceError> {
            DateTime::from_timestamp(at.seconds(), 0).ok_or_else(|| failed("time out of range"))
        };
        let lifetime = Duration::from_secs(self.config.tokens.id_token_seconds.into());
        let asked = &grant.details.claims.id_token;
        let scope = if client.claims_in_id_token { grant.scope.as_str() } else { "" };
        let scope = ScopeSet::parse(scope);
        let by_scope: Vec<&str> = scope.iter().flat_map(of_scope).copied().collect();
        let is_wanted = |claim: &str| asked.contains_key(claim) || by_scope.contains(&claim);
        let mut by_name = standard_claims(self, account, is_wanted)?;
        let mut methods =
            Some(grant.details.amr.iter().cloned().map(AuthenticationMethodReference::new).collect());
        if client.profile == Some(Profile::NlGov) {
            // NL GOV for OpenID Connect 1.0.1, ID Tokens and Authentication Context: with jti and nbf, without amr.
            by_name.insert("jti".into(), self.random.id().into());
            by_name.insert("nbf".into(), now.seconds().into());
            methods = None;
        }
        let claims = IdTokenClaims::new(
            IssuerUrl::new(self.config.issuer.clone()).map_err(failed)?,
            vec![Audience::new(client.client_id.clone())],
            date(now.plus(lifetime))?,
            date(now)?,
            StandardClaims::<CoreGenderClaim>::new(SubjectIdentifier::new(self.subject_for(client, account))),
            MoreClaims { sid: client.has_logout().then(|| grant.session_id.clone()), by_name },
        )
        .set_authorized_party(Some(ClientId::new(client.client_id.clone())))
        .set_auth_time(Some(date(grant.details.auth_time)?))
        .set_nonce(grant.details.nonce.clone().map(Nonce::new))
        .set_auth_context_ref(Some(AuthenticationContextClass::new(grant.details.acr.clone())))
        .set_auth_method_refs(methods);
        let signer = self.keys.signing_key(client.signing_alg().name()).map_err(failed)?;
        let access_token = AccessToken::new(access_token.to_owned());
        let token = OurIdToken::new(claims, &signer, signer.algorithm(), Some(&access_token), None)
            .map_err(failed)?;
        Ok(token.to_string())
    }
}

//! Makes access tokens, and tells whether one that comes back is still good.

use std::time::Duration;

use platform::clock::Timestamp;

use crate::app::{App, ServiceError};
use crate::config::{Client, ScopeSet, SigningAlgorithm};
use crate::domain::account::Account;
use crate::protocol::token::{
    ACCESS_TOKEN_TYPE, AccessTokenClaims, Confirmation, SignInClaims, TokenResponse,
};
use crate::store::grants::Grant;

/// What an access token is about.
pub(crate) struct AccessTokenParams<'a> {
    pub subject: String,
    pub scope: &'a str,
    pub resource: Option<&'a str>,
    /// The key that it is bound to.
    pub jkt: Option<&'a str>,
    pub sign_in: Option<SignInClaims>,
}

fn failed(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Other(format!("signing an access token: {error}"))
}

impl App {
    /// An access token (RFC 9068) and its answer around it.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub(super) fn access_token(
        &self,
        client: &Client,
        params: AccessTokenParams<'_>,
    ) -> Result<TokenResponse, ServiceError> {
        let now = self.clock.now().seconds();
        let lifetime = client.access_token_seconds.unwrap_or(self.config.tokens.access_token_seconds);
        let aud = match params.resource {
            // A sign-in's token opens the userinfo endpoint as well.
            Some(resource) if params.sign_in.is_some() => {
                vec![resource.to_owned(), self.config.issuer.clone()]
            }
            Some(resource) => vec![resource.to_owned()],
            None => vec![self.config.issuer.clone()],
        };
        let claims = AccessTokenClaims {
            iss: self.config.issuer.clone(),
            sub: params.subject,
            aud,
            exp: now + i64::from(lifetime),
            iat: now,
            jti: self.random.id(),
            client_id: client.client_id.clone(),
            scope: params.scope.to_owned(),
            sign_in: params.sign_in,
            cnf: params.jkt.map(|jkt| Confirmation { jkt: jkt.to_owned() }),
        };
        // A token for this server's own endpoints is read here alone: it gets the signature that costs least.
        let alg = if params.resource.is_some() { client.signing_alg() } else { SigningAlgorithm::Es256 };
        let access_token = self.keys.sign_jwt(alg.name(), ACCESS_TOKEN_TYPE, &claims).map_err(failed)?;
        Ok(TokenResponse {
            access_token,
            token_type: if params.jkt.is_some() { "DPoP" } else { "Bearer" },
            expires_in: lifetime,
            scope: claims.scope,
            id_token: None,
            refresh_token: None,
            session_state: None,
        })
    }

    /// The tokens of a grant, without a refresh token.
    ///
    /// # Errors
    /// If they cannot be signed.
    pub(super) fn tokens_of(
        &self,
        client: &Client,
        grant: &Grant,
        account: &Account,
    ) -> Result<TokenResponse, ServiceError> {
        let params = AccessTokenParams {
            subject: self.subject_for(client, account),
            scope: &grant.scope,
            resource: grant.details.resource.as_deref(),
            jkt: grant.details.jkt.as_deref(),
            sign_in: Some(SignInClaims {
                auth_time: grant.details.auth_time.seconds(),
                acr: grant.details.acr.clone(),
                sid: grant.session_id.clone(),
                grant_id: grant.id.clone(),
            }),
        };
        let mut response = self.access_token(client, params)?;
        response.id_token = Some(self.id_token(client, grant, account, &response.access_token)?);
        response.session_state = client.session_state_in_token_response.then(|| grant.session_id.clone());
        Ok(response)
    }

    /// When a refresh token of this grant ends: it may not lie unused for too long, nor outlive the grant's
    /// own limit.
    pub(super) fn refresh_expiry(&self, client: &Client, grant: &Grant) -> Timestamp {
        let days = |days: u32| Duration::from_hours(u64::from(days) * 24);
        let tokens = &self.config.tokens;
        let absolute =
            grant.created_at.plus(days(client.refresh_token_days.unwrap_or(tokens.refresh_token_days)));
        absolute.min(self.clock.now().plus(days(tokens.refresh_idle_days)))
    }

    /// The account that a grant still speaks for: it was not revoked, its session lives, or ended by time alone
    /// with offline access granted (OpenID Connect Core section 11), and the account is not blocked. With
    /// `new_tokens` the account's lock counts as well.
    pub(super) async fn entitled_account(
        &self,
        grant: &Grant,
        new_tokens: bool,
    ) -> Result<Option<Account>, ServiceError> {
        if grant.revoked_at.is_some() {
            return Ok(None);
        }
        let Some(holder) = self.store.holder(&grant.account_id, &grant.session_id).await? else {
            return Ok(None);
        };
        if !holder.session_lives && !ScopeSet::parse(&grant.scope).contains("offline_access") {
            return Ok(None);
        }
        let is_barred = holder.account.blocked_at.is_some() || (new_tokens && holder.is_locked);
        Ok((!is_barred).then_some(holder.account))
    }

    /// What stands behind an access token that comes back: one of ours, not expired, not revoked.
    pub(super) async fn active_token(&self, token: &str) -> Result<Option<ActiveToken>, ServiceError> {
        let Ok(claims) = self.keys.verify_jwt(token, ACCESS_TOKEN_TYPE) else { return Ok(None) };
        let Ok(claims) = serde_json::from_value::<AccessTokenClaims>(claims) else { return Ok(None) };
        if claims.exp <= self.clock.now().seconds() || claims.iss != self.config.issuer {
            return Ok(None);
        }
        let Some(sign_in) = &claims.sign_in else {
            let is_revoked = self.ephemeral.get(&revoked_key(&claims.jti)).await?.is_some();
            return Ok((!is_revoked).then_some(ActiveToken { claims, person: None }));
        };
        let Some(grant) = self.store.grant(&sign_in.grant_id).await? else { return Ok(None) };
        let Some(account) = self.entitled_account(&grant, false).await? else { return Ok(None) };
        Ok(Some(ActiveToken { claims, person: Some((grant, account)) }))
    }
}

/// Marks a client's own token as revoked.
pub(super) fn revoked_key(jti: &str) -> String {
    format!("revoked-token:{jti}")
}

/// An access token that is good.
pub(super) struct ActiveToken {
    pub claims: AccessTokenClaims,
    /// Absent for a client's own token.
    pub person: Option<(Grant, Account)>,
}

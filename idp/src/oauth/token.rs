//! `/token` (RFC 6749 section 3.2): clients only, authenticated; a code or a refresh token against tokens.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use openidconnect::core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AdditionalClaims, Audience, AuthenticationContextClass, AuthenticationMethodReference,
    ClientId, IdToken, IdTokenClaims, IssuerUrl, Nonce, StandardClaims, SubjectIdentifier,
};
use serde::{Deserialize, Serialize};
use web::clock::Timestamp;
use web::request::{Fields, Visit};

use super::{clients, oxide};
use crate::app::{App, Shared, Trouble};
use crate::config::{Registered, ScopeSet};
use crate::domain::account::Account;
use crate::protocol::error::{INVALID_GRANT, SERVER_ERROR, WireError};
use crate::protocol::token::{ACCESS_TOKEN_TYPE, AccessTokenClaims, TokenResponse};
use crate::store::grants::{Grant, Redeemed};

/// `sid` in an ID token (OpenID Connect Back-Channel Logout 1.0 section 2.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SessionClaim {
    sid: String,
}
impl AdditionalClaims for SessionClaim {}

type OurIdToken =
    IdToken<SessionClaim, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

enum Refusal {
    Wire(WireError),
    Trouble(Trouble),
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl<E: Into<Trouble>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Trouble(error.into())
    }
}

/// `POST /token`
pub async fn post(State(app): State<Shared>, Extension(visit): Extension<Visit>, body: Bytes) -> Response {
    let mut response = match handle(&app, &visit, &body).await {
        Ok(tokens) => axum::Json(tokens).into_response(),
        Err(Refusal::Wire(error)) => json_error(error),
        Err(Refusal::Trouble(trouble)) => {
            tracing::error!(error = %trouble, "a token request failed");
            json_error(SERVER_ERROR)
        }
    };
    // RFC 6749 section 5.1.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// An error of RFC 6749 section 5.2.
pub fn json_error(error: WireError) -> Response {
    let status = match error.error {
        "invalid_client" => StatusCode::UNAUTHORIZED,
        "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = (status, axum::Json(error)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"token\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

async fn handle(app: &Shared, visit: &Visit, body: &[u8]) -> Result<TokenResponse, Refusal> {
    let malformed = WireError::new("invalid_request", "the body is not a form, or repeats a parameter");
    let fields = Fields::parse(body).map_err(|_| malformed)?;
    let registered = clients::authenticate(app, &visit.headers, &fields)?;
    match fields.get("grant_type") {
        Some("authorization_code") => by_code(app, &registered, &fields).await,
        Some("refresh_token") => by_refresh_token(app, &registered, &fields).await,
        Some(_) => {
            Err(WireError::new("unsupported_grant_type", "authorization_code or refresh_token").into())
        }
        None => Err(WireError::new("invalid_request", "grant_type is missing").into()),
    }
}

async fn by_code(app: &Shared, registered: &Registered, fields: &Fields) -> Result<TokenResponse, Refusal> {
    let code = fields.get("code").ok_or(WireError::new("invalid_request", "code is missing"))?;
    let client = &registered.client;
    let Redeemed::Granted(grant) = app.store.redeem_code(code, &client.client_id).await? else {
        return Err(INVALID_GRANT.into());
    };
    if let Err(error) = oxide::redeem(fields, client, &grant) {
        // The code is used up; whoever holds it without its verifier gets nothing now or later.
        app.store.revoke_grant(&grant.id).await?;
        return Err(error.into());
    }
    let account = entitled_account(app, &grant).await?;
    tokens(app, registered, &grant, &account).await
}

async fn by_refresh_token(
    app: &Shared,
    registered: &Registered,
    fields: &Fields,
) -> Result<TokenResponse, Refusal> {
    let token =
        fields.get("refresh_token").ok_or(WireError::new("invalid_request", "refresh_token is missing"))?;
    let Redeemed::Granted(mut grant) =
        app.store.redeem_refresh_token(token, &registered.client.client_id).await?
    else {
        return Err(INVALID_GRANT.into());
    };
    if let Some(scope) = fields.get("scope") {
        // RFC 6749 section 6: never more than was granted.
        if !ScopeSet::parse(scope).is_subset(&ScopeSet::parse(&grant.scope)) {
            return Err(WireError::new("invalid_scope", "more than was granted").into());
        }
        scope.clone_into(&mut grant.scope);
    }
    let account = entitled_account(app, &grant).await?;
    tokens(app, registered, &grant, &account).await
}

/// The account of a grant, unless it was blocked or locked meanwhile, or its session is over.
async fn entitled_account(app: &App, grant: &Grant) -> Result<Account, Refusal> {
    let session = app.store.session(&grant.session_id).await?.ok_or(INVALID_GRANT)?;
    let account = app.store.account(&grant.account_id).await?.ok_or(INVALID_GRANT)?;
    if app.is_barred(&account, session.device_id.as_deref()).await? {
        return Err(INVALID_GRANT.into());
    }
    Ok(account)
}

async fn tokens(
    app: &App,
    registered: &Registered,
    grant: &Grant,
    account: &Account,
) -> Result<TokenResponse, Refusal> {
    let client = &registered.client;
    let now = app.clock.now();
    let alg = client.id_token_signed_response_alg.as_str();
    let lifetime = app.config.tokens.access_token_seconds;
    let claims = AccessTokenClaims {
        iss: app.config.issuer.clone(),
        sub: account.subject.0.clone(),
        aud: app.config.issuer.clone(),
        exp: now.seconds() + i64::from(lifetime),
        iat: now.seconds(),
        jti: app.random.id(),
        client_id: client.client_id.clone(),
        scope: grant.scope.clone(),
        auth_time: grant.details.auth_time.seconds(),
        acr: grant.details.acr.clone(),
        sid: grant.session_id.clone(),
        grant_id: grant.id.clone(),
    };
    let failed = |error: &dyn std::fmt::Display| Trouble::Other(format!("signing: {error}"));
    let access_token = app.keys.sign_jwt(alg, ACCESS_TOKEN_TYPE, &claims).map_err(|error| failed(&error))?;
    let id_token = id_token(app, client, grant, account, alg, &access_token, now)?;
    let refresh_token = if ScopeSet::parse(&grant.scope).contains("offline_access") {
        let token = app.random.token();
        let lifetime = Duration::from_hours(u64::from(app.config.tokens.refresh_token_days) * 24);
        app.store.insert_refresh_token(&grant.id, &token, lifetime).await?;
        Some(token)
    } else {
        None
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: lifetime,
        scope: grant.scope.clone(),
        id_token: Some(id_token),
        refresh_token,
    })
}

/// OpenID Connect Core section 2: who signed in, when and how; nothing about the person besides.
fn id_token(
    app: &App,
    client: &crate::config::Client,
    grant: &Grant,
    account: &Account,
    alg: &str,
    access_token: &str,
    now: Timestamp,
) -> Result<String, Trouble> {
    let failed = |error: &dyn std::fmt::Display| Trouble::Other(format!("ID token: {error}"));
    let date = |at: Timestamp| -> Result<DateTime<Utc>, Trouble> {
        DateTime::from_timestamp(at.seconds(), 0).ok_or_else(|| failed(&"time out of range"))
    };
    let lifetime = Duration::from_secs(app.config.tokens.id_token_seconds.into());
    let issuer = IssuerUrl::new(app.config.issuer.clone()).map_err(|error| failed(&error))?;
    let claims = IdTokenClaims::new(
        issuer,
        vec![Audience::new(client.client_id.clone())],
        date(now.plus(lifetime))?,
        date(now)?,
        StandardClaims::<CoreGenderClaim>::new(SubjectIdentifier::new(account.subject.0.clone())),
        SessionClaim { sid: grant.session_id.clone() },
    )
    .set_authorized_party(Some(ClientId::new(client.client_id.clone())))
    .set_auth_time(Some(date(grant.details.auth_time)?))
    .set_nonce(grant.details.nonce.clone().map(Nonce::new))
    .set_auth_context_ref(Some(AuthenticationContextClass::new(grant.details.acr.clone())))
    .set_auth_method_refs(Some(
        grant.details.amr.iter().cloned().map(AuthenticationMethodReference::new).collect(),
    ));
    let algorithm = match alg {
        "ES256" => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        _ => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    };
    let signer = app.keys.signing_key(alg).map_err(|error| failed(&error))?;
    let access_token = AccessToken::new(access_token.to_owned());
    let token = OurIdToken::new(claims, &signer, algorithm, Some(&access_token), None)
        .map_err(|error| failed(&error))?;
    Ok(token.to_string())
}

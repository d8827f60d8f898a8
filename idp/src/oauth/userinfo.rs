//! `/userinfo` (OpenID Connect Core section 5.3): whoever holds a live access token learns the claims that
//! its scope covers. GET, POST with the header, POST with the form field; never in the query (RFC 9700).

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use web::request::{Fields, Visit};

use crate::app::{App, Shared, Trouble};
use crate::config::ScopeSet;
use crate::domain::account::Account;
use crate::protocol::error::WireError;
use crate::protocol::token::{ACCESS_TOKEN_TYPE, AccessTokenClaims, bearer_token};

const INVALID_TOKEN: WireError =
    WireError::new("invalid_token", "the access token is missing, expired, revoked or not one");

/// `GET /userinfo`
pub async fn get(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    answer(&app, in_header(&visit.headers)).await
}

/// `POST /userinfo`
pub async fn post(State(app): State<Shared>, Extension(visit): Extension<Visit>, body: Bytes) -> Response {
    let form = Fields::parse(&body).unwrap_or_default();
    // RFC 6750 section 2: one way at a time.
    let token = match (in_header(&visit.headers), form.get("access_token")) {
        (Some(_), Some(_)) => None,
        (header, field) => header.or_else(|| field.map(str::to_owned)),
    };
    answer(&app, token).await
}

fn in_header(headers: &HeaderMap) -> Option<String> {
    bearer_token(headers.get(header::AUTHORIZATION)?.to_str().ok()?).map(str::to_owned)
}

async fn answer(app: &App, token: Option<String>) -> Response {
    let Some(token) = token else { return refused(None) };
    match live_token(app, &token).await {
        Ok(Some((claims, account))) => match person(app, &claims, &account) {
            Ok(person) => axum::Json(person).into_response(),
            Err(trouble) => failed(&trouble),
        },
        Ok(None) => refused(Some(INVALID_TOKEN)),
        Err(trouble) => failed(&trouble),
    }
}

fn failed(trouble: &Trouble) -> Response {
    tracing::error!(error = %trouble, "a userinfo request failed");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// RFC 6750 section 3.
fn refused(error: Option<WireError>) -> Response {
    let challenge = match error {
        Some(error) => {
            format!("Bearer error=\"{}\", error_description=\"{}\"", error.error, error.error_description)
        }
        None => "Bearer".to_owned(),
    };
    let mut response = match error {
        Some(error) => (StatusCode::UNAUTHORIZED, axum::Json(error)).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    };
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// An access token of ours that has not expired, whose grant was not revoked, whose session lives, and whose
/// account is not blocked.
async fn live_token(app: &App, token: &str) -> Result<Option<(AccessTokenClaims, Account)>, Trouble> {
    let Ok(claims) = app.keys.verify_jwt(token, ACCESS_TOKEN_TYPE) else { return Ok(None) };
    let Ok(claims) = serde_json::from_value::<AccessTokenClaims>(claims) else { return Ok(None) };
    if claims.exp <= app.clock.now().seconds()
        || claims.iss != app.config.issuer
        || claims.aud != app.config.issuer
    {
        return Ok(None);
    }
    let Some(grant) = app.store.grant(&claims.grant_id).await? else { return Ok(None) };
    if grant.revoked_at.is_some() || app.store.session(&grant.session_id).await?.is_none() {
        return Ok(None);
    }
    let account = app.store.account(&grant.account_id).await?;
    Ok(account.filter(|account| account.blocked_at.is_none()).map(|account| (claims, account)))
}

/// The claims of the scopes (OpenID Connect Core section 5.4); empty ones are left out.
fn person(app: &App, token: &AccessTokenClaims, account: &Account) -> Result<Map<String, Value>, Trouble> {
    let scope = ScopeSet::parse(&token.scope);
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value != json!("") {
            claims.insert(name.to_owned(), value);
        }
    };
    put("sub", json!(account.subject.0));
    if scope.contains("profile") {
        put("name", json!(account.full_name()));
        put("given_name", json!(account.given_name));
        put("family_name", json!(account.family_name));
        put("preferred_username", json!(account.username));
        put("locale", json!(account.language.tag()));
        put("updated_at", json!(account.updated_at.seconds()));
    }
    if scope.contains("email") {
        put("email", json!(account.email.as_str()));
        put("email_verified", json!(account.email_confirmed_at.is_some()));
    }
    if let (true, Some(sealed)) = (scope.contains("phone"), account.verified_phone()) {
        put("phone_number", json!(app.store.open_phone(sealed)?));
        put("phone_number_verified", json!(true));
    }
    if scope.contains("care_team") && account.role.is_staff() {
        put("care_role", json!(account.role.as_str()));
        put("care_organisation", json!(account.organisation));
    }
    Ok(claims)
}

//! `/userinfo` (OpenID Connect Core section 5.3): whoever holds an active access token learns the claims that
//! its scope covers. GET, POST with the header, POST with the form field; never in the query (RFC 9700).

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::request::{Fields, RequestContext};
use serde_json::{Map, Value, json};

use super::dpop;
use super::refusal::{self, EndpointError, no_store};
use crate::app::{App, ServiceError, Shared};
use crate::config::ScopeSet;
use crate::domain::account::Account;
use crate::http::paths;
use crate::protocol::claims::of_scope;
use crate::protocol::error::{INVALID_TOKEN, OAuthError, SERVER_ERROR};
use crate::protocol::token::{AccessTokenClaims, ID_TOKEN_TYPE, Scheme, presented_token};
use crate::store::grants::Grant;

/// The challenge of RFC 9449 section 7.1.
const DPOP_ALGORITHMS: &str = "ES256 PS256 EdDSA";

/// `GET /userinfo`
pub async fn get(State(app): State<Shared>, Extension(cx): Extension<RequestContext>) -> Response {
    let token = in_header(&cx.headers);
    answer(&app, &cx, "GET", token).await
}

/// `POST /userinfo`
pub async fn post(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    body: Bytes,
) -> Response {
    let form = Fields::parse(&body).unwrap_or_default();
    // RFC 6750 section 2: one way at a time.
    let token = match (in_header(&cx.headers), form.get("access_token")) {
        (Some(_), Some(_)) => None,
        (header, field) => header.or_else(|| field.map(|token| (Scheme::Bearer, token.to_owned()))),
    };
    answer(&app, &cx, "POST", token).await
}

fn in_header(headers: &HeaderMap) -> Option<(Scheme, String)> {
    let (scheme, token) = presented_token(headers.get(header::AUTHORIZATION)?.to_str().ok()?)?;
    Some((scheme, token.to_owned()))
}

async fn answer(app: &App, cx: &RequestContext, method: &str, token: Option<(Scheme, String)>) -> Response {
    let mut response = match token {
        None => refused(Scheme::Bearer, None),
        Some((scheme, token)) => match person(app, cx, method, scheme, &token).await {
            Ok(response) => no_store(response),
            Err(EndpointError::Wire(error)) => {
                refusal::note(app, "userinfo", "", error);
                refused(scheme, Some(error))
            }
            Err(EndpointError::ServiceError(trouble)) => {
                app.note("a userinfo request", &trouble);
                (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(SERVER_ERROR)).into_response()
            }
        },
    };
    // FAPI 1.0 Baseline section 6.2.1, which later profiles kept: the client finds its request again.
    if let Some(id) = cx.headers.get("x-fapi-interaction-id").filter(|id| id.len() <= 64) {
        response.headers_mut().insert("x-fapi-interaction-id", id.clone());
    }
    response
}

/// RFC 6750 section 3, RFC 9449 section 7.1.
fn refused(scheme: Scheme, error: Option<OAuthError>) -> Response {
    let mut challenge = match scheme {
        Scheme::Bearer => "Bearer".to_owned(),
        Scheme::Dpop => format!("DPoP algs=\"{DPOP_ALGORITHMS}\""),
    };
    if let Some(error) = error {
        let separator = if challenge.contains(' ') { "," } else { "" };
        challenge = format!(
            "{challenge}{separator} error=\"{}\", error_description=\"{}\"",
            error.error, error.error_description
        );
    }
    let mut response = match error {
        Some(error) => (StatusCode::UNAUTHORIZED, axum::Json(error)).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    };
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Whether a token comes the way it was issued for: one that is bound to a key with a proof of that key, any
/// other as a bearer token (RFC 9449 section 7).
async fn check_binding(
    app: &App,
    cx: &RequestContext,
    method: &str,
    scheme: Scheme,
    token: &str,
    claims: &AccessTokenClaims,
) -> Result<(), EndpointError> {
    match (scheme, &claims.cnf) {
        (Scheme::Bearer, None) => Ok(()),
        (Scheme::Dpop, Some(bound)) => {
            let missing = OAuthError::new("invalid_dpop_proof", "there is no DPoP proof");
            let proof = dpop::proof_of(app, &cx.headers, method, paths::USERINFO, Some(token)).await?;
            if proof.ok_or(missing)?.jkt == bound.jkt { Ok(()) } else { Err(INVALID_TOKEN.into()) }
        }
        _ => Err(INVALID_TOKEN.into()),
    }
}

async fn person(
    app: &App,
    cx: &RequestContext,
    method: &str,
    scheme: Scheme,
    token: &str,
) -> Result<Response, EndpointError> {
    let active = app.active_token(token).await?.ok_or(INVALID_TOKEN)?;
    check_binding(app, cx, method, scheme, token, &active.claims).await?;
    let (grant, account) = active.person.ok_or(INVALID_TOKEN)?;
    if !active.claims.aud.contains(&app.config.issuer)
        || !ScopeSet::parse(&active.claims.scope).contains("openid")
    {
        return Err(INVALID_TOKEN.into());
    }
    let registered = app.known_client(&active.claims.client_id).await?.ok_or(INVALID_TOKEN)?;
    let mut claims = covered(app, &active.claims, &grant, &account)?;
    claims.insert("sub".to_owned(), json!(app.subject_for(&registered.client, &account)));
    let Some(alg) = registered.client.userinfo_signed_response_alg else {
        return Ok(axum::Json(claims).into_response());
    };
    // OpenID Connect Core section 5.3.2: signed, it names issuer and audience.
    claims.insert("iss".to_owned(), json!(app.config.issuer));
    claims.insert("aud".to_owned(), json!(registered.client.client_id));
    let jwt = app.keys.sign_jwt(alg.name(), ID_TOKEN_TYPE, &claims);
    let jwt = jwt.map_err(|error| ServiceError::Other(format!("userinfo: {error}")))?;
    Ok(([(header::CONTENT_TYPE, "application/jwt")], jwt).into_response())
}

/// The claims that the scopes cover (OpenID Connect Core section 5.4), and those asked for by name (5.5).
fn covered(
    app: &App,
    token: &AccessTokenClaims,
    grant: &Grant,
    account: &Account,
) -> Result<Map<String, Value>, ServiceError> {
    let scope = ScopeSet::parse(&token.scope);
    let by_scope: Vec<&str> = scope.iter().flat_map(of_scope).copied().collect();
    let by_name = &grant.details.claims.userinfo;
    standard_claims(app, account, |claim| by_scope.contains(&claim) || by_name.contains_key(claim))
}

/// The claims about an account that `is_wanted`; empty ones are left out.
///
/// # Errors
/// If something was sealed under another root key.
pub fn standard_claims(
    app: &App,
    account: &Account,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Map<String, Value>, ServiceError> {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| {
        if is_wanted(name) && !value.is_null() && value != json!("") {
            claims.insert(name.to_owned(), value);
        }
    };
    if let Some(sealed) = &account.claims_sealed {
        for (name, value) in app.store.open_claims(sealed)? {
            put(&name, value);
        }
    }
    put("name", json!(account.full_name()));
    put("given_name", json!(account.given_name));
    put("family_name", json!(account.family_name));
    put("preferred_username", json!(account.username));
    put("locale", json!(account.language.tag()));
    put("updated_at", json!(account.updated_at.seconds()));
    put("email", json!(account.email.as_str()));
    put("email_verified", json!(account.email_verified_at.is_some()));
    if let Some(sealed) = account.verified_phone() {
        put("phone_number", json!(app.store.open_phone(sealed)?));
        put("phone_number_verified", json!(true));
    }
    if account.role.is_staff() {
        put("care_role", json!(account.role.as_str()));
        put("care_organisation", json!(account.organisation));
    }
    Ok(claims)
}

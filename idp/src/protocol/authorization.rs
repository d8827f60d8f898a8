//! The authorization request, and what OpenID Connect Core section 3.1.2.1 and its profiles add to that of OAuth, which
//! the grant machine of `oauth::oxide` decides on. Client and redirect URI are validated first; only a
//! [`ReturnAddress`], which cannot be made otherwise, carries anything back by redirect.

use platform::request::Fields;
use serde::{Deserialize, Serialize};

use super::claims::RequestedClaims;
use super::error::OAuthError;
use super::redirect_uri::takes_forms;
pub use super::redirect_uri::{NoReturn, ResponseMode, ReturnAddress};
use crate::config::{Client, GrantType, Profile, ScopeSet};

/// `prompt` (OpenID Connect Core section 3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub none: bool,
    pub login: bool,
    pub consent: bool,
    pub select_account: bool,
}

/// A request that passed every check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client_id: String,
    pub return_address: ReturnAddress,
    pub scope: String,
    pub nonce: Option<String>,
    /// The S256 challenge.
    pub code_challenge: Option<String>,
    pub prompt: Prompt,
    /// Seconds.
    pub max_age: Option<u32>,
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
    pub acr_values: Vec<String>,
    pub id_token_hint: Option<String>,
    /// What is asked for by name (OpenID Connect Core section 5.5).
    #[serde(default)]
    pub claims: RequestedClaims,
    /// The key that the code is bound to (RFC 9449 section 10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    /// The resource that the access token is for (RFC 8707).
    #[serde(default)]
    pub resource: Option<String>,
    /// The `sub` that the answer must be about, if the request names one.
    #[serde(default)]
    pub expected_subject: Option<String>,
    /// The `request_uri` under which the request was pushed (RFC 9126).
    #[serde(default)]
    pub pushed_as: Option<String>,
}

impl AuthorizationRequest {
    /// The `acr` values that it asks for, by parameter or by claim; all are voluntary but for `essential` claims.
    pub fn wanted_acrs(&self) -> Vec<String> {
        match self.claims.in_id_token("acr") {
            Some(asked) if asked.essential || self.acr_values.is_empty() => asked.texts(),
            _ => self.acr_values.clone(),
        }
    }

    /// The scope with those that the claims asked for by name belong to: what the person consents to.
    pub fn scope_with_claims(&self) -> String {
        let mut scope: Vec<&str> = self.scope.split(' ').collect();
        for named in self.claims.scopes() {
            if !scope.contains(&named) {
                scope.push(named);
            }
        }
        scope.join(" ")
    }
}

/// How a request came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// By the pushed authorization request endpoint.
    pub pushed: bool,
    /// In a request object that the client signed.
    pub signed: bool,
}

type Check = fn(&Fields, &Client, Arrival) -> Result<(), OAuthError>;

/// In this order; the first that fails is told to the client.
const CHECKS: &[Check] = &[
    arrival,
    grant_type,
    registration,
    response_mode,
    state_and_nonce,
    prompt_contradiction,
    max_age,
    dpop_jkt,
    resource,
    lengths,
];

/// Reads what OpenID Connect and its profiles say of a request whose return address is valid already. Its scope is as
/// it was asked for; that, the response type and PKCE are for the grant machine to judge, which calls this.
///
/// # Errors
/// The error to send back to the client.
pub fn read(
    fields: &Fields,
    client: &Client,
    return_address: ReturnAddress,
    arrival: Arrival,
) -> Result<AuthorizationRequest, OAuthError> {
    CHECKS.iter().try_for_each(|check| check(fields, client, arrival))?;
    let mut claims = fields.get("claims").map(RequestedClaims::parse).transpose()?.unwrap_or_default();
    claims.keep_within(&ScopeSet::parse(&client.scope));
    let text = |name: &str| fields.get(name).map(str::to_owned);
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        return_address,
        scope: text("scope").unwrap_or_default(),
        nonce: text("nonce"),
        code_challenge: text("code_challenge"),
        prompt: prompt(fields),
        max_age: fields.get("max_age").and_then(|value| value.parse().ok()).or(client.default_max_age),
        login_hint: text("login_hint"),
        ui_locales: text("ui_locales"),
        acr_values: match fields.get("acr_values") {
            Some(values) => values.split_ascii_whitespace().map(str::to_owned).collect(),
            None => client.default_acr_values.clone(),
        },
        id_token_hint: text("id_token_hint"),
        claims,
        dpop_jkt: text("dpop_jkt"),
        resource: text("resource"),
        expected_subject: None,
        pushed_as: None,
    })
}

/// RFC 9126 section 6, RFC 9101 section 10.5.
fn arrival(_: &Fields, client: &Client, arrival: Arrival) -> Result<(), OAuthError> {
    if client.require_pushed_authorization_requests && !arrival.pushed {
        return Err(OAuthError::new(
            "invalid_request",
            "this client has to push its requests first (RFC 9126)",
        ));
    }
    if client.require_signed_request_object && !arrival.signed {
        return Err(OAuthError::new("invalid_request", "this client has to sign its requests (RFC 9101)"));
    }
    Ok(())
}

fn grant_type(_: &Fields, client: &Client, _: Arrival) -> Result<(), OAuthError> {
    if client.may(GrantType::AuthorizationCode) {
        return Ok(());
    }
    Err(OAuthError::new("unauthorized_client", "this client has no authorization_code grant"))
}

/// OpenID Connect Core section 7.2.1: refused by name.
fn registration(fields: &Fields, _: &Client, _: Arrival) -> Result<(), OAuthError> {
    if fields.get("registration").is_none() {
        return Ok(());
    }
    Err(OAuthError::new("registration_not_supported", "the registration parameter is not supported"))
}

fn response_mode(fields: &Fields, _: &Client, _: Arrival) -> Result<(), OAuthError> {
    match fields.get("response_mode") {
        Some("form_post") if !fields.get("redirect_uri").is_some_and(takes_forms) => {
            Err(OAuthError::new("invalid_request", "an app's own scheme takes no form_post; use query"))
        }
        None | Some("query" | "form_post") => Ok(()),
        Some(_) => Err(OAuthError::new("invalid_request", "response_mode is query or form_post")),
    }
}

/// NL GOV for OpenID Connect 1.0.1, Authentication Request: both are required, of 128 bits or more, which as
/// base64url is 22 characters.
fn state_and_nonce(fields: &Fields, client: &Client, _: Arrival) -> Result<(), OAuthError> {
    let is_long = |name: &str| fields.get(name).is_some_and(|value| value.len() >= 22);
    if client.profile != Some(Profile::NlGov) || (is_long("state") && is_long("nonce")) {
        return Ok(());
    }
    Err(OAuthError::new("invalid_request", "state and nonce are required, of 128 random bits or more"))
}

fn prompt(fields: &Fields) -> Prompt {
    let mut prompt = Prompt::default();
    for value in fields.trimmed("prompt").split_ascii_whitespace() {
        match value {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            _ => {}
        }
    }
    prompt
}

/// OpenID Connect Core section 3.1.2.1: `none` stands alone.
fn prompt_contradiction(fields: &Fields, _: &Client, _: Arrival) -> Result<(), OAuthError> {
    if prompt(fields).none && fields.trimmed("prompt").split_ascii_whitespace().count() > 1 {
        return Err(OAuthError::new("invalid_request", "prompt=none cannot be combined with another value"));
    }
    Ok(())
}

fn max_age(fields: &Fields, _: &Client, _: Arrival) -> Result<(), OAuthError> {
    match fields.get("max_age") {
        Some(value) if value.parse::<u32>().is_err() => {
            Err(OAuthError::new("invalid_request", "max_age is a number of seconds"))
        }
        _ => Ok(()),
    }
}

/// RFC 9449 section 10: a SHA-256 thumbprint.
fn dpop_jkt(fields: &Fields, _: &Client, _: Arrival) -> Result<(), OAuthError> {
    match fields.get("dpop_jkt") {
        Some(value) if !is_sha256(value) => {
            Err(OAuthError::new("invalid_request", "dpop_jkt is not a base64url SHA-256 thumbprint"))
        }
        _ => Ok(()),
    }
}

/// RFC 8707 section 2.1.
fn resource(fields: &Fields, client: &Client, _: Arrival) -> Result<(), OAuthError> {
    match fields.get("resource") {
        Some(value) if !client.resources.iter().any(|known| known == value) => {
            Err(OAuthError::new("invalid_target", "the resource is not one of this client's"))
        }
        _ => Ok(()),
    }
}

/// Whether a text may be a `code_challenge` of S256 (RFC 7636 section 4.2).
pub fn is_challenge(value: &str) -> bool {
    is_sha256(value)
}

fn is_sha256(value: &str) -> bool {
    value.len() == 43 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// What is echoed or kept comes back whole or is refused, never cut.
fn lengths(fields: &Fields, _: &Client, _: Arrival) -> Result<(), OAuthError> {
    let too_long = |name: &str, most: usize| fields.get(name).is_some_and(|value| value.len() > most);
    if too_long("state", 2_048)
        || too_long("acr_values", 1_024)
        || too_long("ui_locales", 256)
        || too_long("id_token_hint", 8_192)
        || too_long("claims", 8_192)
        || too_long("nonce", 512)
        || too_long("login_hint", 512)
        || too_long("scope", 1_024)
    {
        return Err(OAuthError::new("invalid_request", "a parameter is too long"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! The only file that names oxide-auth. Its grant machines hold no I/O: they say what they want to know, and
//! the endpoints answer from the store.
//!
//! The machines know authorization codes, exact redirect URIs, scopes and PKCE; what OpenID Connect adds is
//! read in [`crate::protocol`]. oxide-auth compares expiry with the system's clock, so grants are handed to it
//! as unexpiring: the store has checked them by the injected clock before.

use std::borrow::Cow;

use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::code_grant::{accesstoken, authorization};
use oxide_auth::primitives::grant::{Extensions, Grant as OxideGrant, GrantExtension as _, Value};
use oxide_auth::primitives::registrar::{BoundClient, PreGrant, RegisteredUrl};
use web::request::Fields;

use crate::config::{Client, ScopeSet};
use crate::protocol::error::{INVALID_GRANT, OAuthError, SERVER_ERROR};
use crate::protocol::token::is_verifier_of;
use crate::store::grants::Grant;

struct Request<'a>(&'a Fields);

impl Request<'_> {
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name).map(Cow::Borrowed)
    }
}

impl authorization::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        self.text("client_id")
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.text("scope")
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.text("redirect_uri")
    }
    fn state(&self) -> Option<Cow<'_, str>> {
        self.text("state")
    }
    fn response_type(&self) -> Option<Cow<'_, str>> {
        self.text("response_type")
    }
    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.text(key)
    }
}

impl accesstoken::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn code(&self) -> Option<Cow<'_, str>> {
        self.text("code")
    }
    fn authorization(&self) -> accesstoken::Authorization<'_> {
        // The client has been authenticated before, by whichever method is its own.
        accesstoken::Authorization::None
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        self.text("client_id")
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.text("redirect_uri")
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.text("grant_type")
    }
    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.text(key)
    }
}

fn pkce(required: bool) -> Pkce {
    if required { Pkce::required() } else { Pkce::optional() }
}

/// Runs an authorization request, whose redirect URI is validated already, through the grant machine:
/// response type, scope syntax, PKCE. Returns the scope that the client may have of what it asked.
///
/// # Errors
/// What to tell the client.
pub fn negotiate(fields: &Fields, client: &Client, redirect_uri: &str) -> Result<String, OAuthError> {
    use authorization::{Authorization, Input, Output};
    let request = Request(fields);
    let mut machine = Authorization::new(&request);
    let malformed = OAuthError::new("invalid_request", "the request is malformed");
    let mut output = machine.advance(Input::None);
    loop {
        output = match output {
            Output::Bind { .. } => {
                let url = redirect_uri.parse().map_err(|_| malformed)?;
                let bound_client = BoundClient {
                    client_id: Cow::Owned(client.client_id.clone()),
                    redirect_uri: Cow::Owned(RegisteredUrl::Exact(url)),
                };
                machine.advance(Input::Bound { request: &request, bound_client })
            }
            Output::Extend => {
                let refused = OAuthError::new("invalid_request", "PKCE with S256 is required");
                let challenge = pkce(client.require_pkce)
                    .challenge(request.text("code_challenge_method"), request.text("code_challenge"))
                    .map_err(|()| refused)?;
                let mut extensions = Extensions::new();
                if let Some(value) = challenge {
                    extensions.set(&pkce(client.require_pkce), value);
                }
                machine.advance(Input::Extended(extensions))
            }
            Output::Negotiate { bound_client, scope } => {
                let asked = scope.map(|scope| scope.to_string()).unwrap_or_default();
                let given = ScopeSet::parse(&asked).within(&ScopeSet::parse(&client.scope));
                let refused = OAuthError::new("invalid_scope", "none of the scopes is for this client");
                let pre_grant = PreGrant {
                    client_id: bound_client.client_id.to_string(),
                    redirect_uri: bound_client.redirect_uri.clone().into_owned(),
                    scope: given.to_string().parse().map_err(|_| refused)?,
                };
                machine.advance(Input::Negotiated { pre_grant, state: None })
            }
            // The machine's set has no order; ours says the same scope in the same words each time.
            Output::Ok { pre_grant, .. } => {
                return Ok(ScopeSet::parse(&pre_grant.scope.to_string()).to_string());
            }
            Output::Err(authorization::Error::Redirect(_)) => {
                return Err(OAuthError::new("invalid_request", "response_type or scope is malformed"));
            }
            Output::Err(_) => return Err(malformed),
        };
    }
}

/// Runs a token request with the grant of its code through the grant machine: client and redirect URI are
/// those of the authorization request, and the PKCE verifier fits.
///
/// # Errors
/// What to tell the client.
pub fn redeem(fields: &Fields, client: &Client, grant: &Grant) -> Result<(), OAuthError> {
    use accesstoken::{AccessToken, Input, Output};
    // The machine compares parsed URIs; the standard wants them compared to the letter.
    if fields.get("redirect_uri") != Some(grant.redirect_uri.as_str()) {
        return Err(INVALID_GRANT);
    }
    let with_client: Fields = fields
        .iter()
        .filter(|(name, _)| !matches!(*name, "client_id" | "client_secret"))
        .chain([("client_id", client.client_id.as_str())])
        .collect();
    let request = Request(&with_client);
    let mut machine = AccessToken::new(&request);
    let mut output = machine.advance(Input::None);
    loop {
        output = match output {
            Output::Authenticate { .. } => machine.advance(Input::Authenticated),
            Output::Recover { .. } => machine.advance(Input::Recovered(Some(Box::new(as_oxide(grant)?)))),
            Output::Extend { extensions } => {
                verify_pkce(fields, grant, extensions)?;
                machine.advance(Input::Extended { access_extensions: Extensions::new() })
            }
            // Tokens are JWTs, signed by the key ring once the machine has let the request this far.
            Output::Issue { .. } => return Ok(()),
            Output::Ok(_) | Output::Err(_) => return Err(INVALID_GRANT),
        };
    }
}

/// RFC 7636 section 4.6, and RFC 9700 section 2.1.1: no verifier where there was no challenge.
fn verify_pkce(fields: &Fields, grant: &Grant, extensions: &mut Extensions) -> Result<(), OAuthError> {
    let verifier = fields.get("code_verifier");
    match (grant.code_challenge.as_deref(), verifier) {
        (None, None) => return Ok(()),
        (Some(challenge), Some(verifier)) if is_verifier_of(verifier, challenge) => {}
        _ => return Err(INVALID_GRANT),
    }
    let pkce = pkce(true);
    let kept = extensions.remove(&pkce);
    pkce.verify(kept, verifier.map(Cow::Borrowed)).map_err(|()| INVALID_GRANT)
}

fn as_oxide(grant: &Grant) -> Result<OxideGrant, OAuthError> {
    let mut extensions = Extensions::new();
    if let Some(challenge) = &grant.code_challenge {
        let pkce = pkce(true);
        let method = Some(Cow::Borrowed("S256"));
        let value: Option<Value> =
            pkce.challenge(method, Some(Cow::Borrowed(challenge))).map_err(|()| SERVER_ERROR)?;
        if let Some(value) = value {
            extensions.set_raw(pkce.identifier().to_owned(), value);
        }
    }
    Ok(OxideGrant {
        owner_id: grant.account_id.0.clone(),
        client_id: grant.client_id.clone(),
        scope: grant.scope.parse().map_err(|_| SERVER_ERROR)?,
        redirect_uri: grant.redirect_uri.parse().map_err(|_| SERVER_ERROR)?,
        until: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        extensions,
    })
}

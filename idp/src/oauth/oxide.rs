//! The only file that names oxide-auth. Its grant machines decide on authorization requests ([`read`]) and on codes
//! that come to be redeemed ([`redeem`]): client and redirect URI, response type, scope, PKCE, and in which order.
//!
//! What it knows nothing of, or is looser in than we are, is added in its own traits: as the registrar and the
//! extensions that it asks. It compares expiry with the system's clock, so grants are handed to it as unexpiring: the
//! store judges that by the injected one. `docs/decisions/0032-what-oxide-auth-decides.md` says why not more.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use oxide_auth::code_grant::authorization::authorization_code;
use oxide_auth::code_grant::error::AuthorizationErrorType;
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::code_grant::{accesstoken, authorization};
use oxide_auth::primitives::authorizer::Authorizer;
use oxide_auth::primitives::grant::{Extensions, Grant as OxideGrant};
use oxide_auth::primitives::registrar::{
    BoundClient, ClientUrl, PreGrant, RegisteredUrl, Registrar, RegistrarError,
};
use oxide_auth::primitives::scope::Scope;
use platform::request::Fields;

use crate::config::{Client, ScopeSet};
use crate::protocol::authorization::{
    self as openid, Arrival, AuthorizationRequest, NoReturn, ReturnAddress, is_challenge,
};
use crate::protocol::error::OAuthError;
use crate::protocol::reason::Reason;
use crate::protocol::token::is_verifier;
use crate::store::grants::Grant;

fn pkce(client: &Client) -> Pkce {
    if client.require_pkce { Pkce::required() } else { Pkce::optional() }
}

/// The parameters of an authorization request.
struct Parameters<'a>(&'a Fields);

impl Parameters<'_> {
    fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name).map(Cow::Borrowed)
    }
}

impl authorization::Request for Parameters<'_> {
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

/// What the machine of authorization requests asks us, and what we answered.
struct Asked<'a> {
    fields: &'a Fields,
    client: &'a Client,
    arrival: Arrival,
    address: OnceCell<ReturnAddress>,
    request: Option<AuthorizationRequest>,
    /// Why we said no; the machine carries no more than that we did.
    fault: Cell<Option<OAuthError>>,
}

impl Registrar for Asked<'_> {
    /// To the letter, or by RFC 8252's rule for the ports of this machine, which the library has for `localhost` alone.
    fn bound_redirect<'a>(&self, bound: ClientUrl<'a>) -> Result<BoundClient<'a>, RegistrarError> {
        let uri = bound.redirect_uri.ok_or(RegistrarError::Unspecified)?.into_owned();
        let address = ReturnAddress::of(self.fields, self.client).map_err(|_| RegistrarError::Unspecified)?;
        self.address.set(address).map_err(|_| RegistrarError::PrimitiveError)?;
        Ok(BoundClient { client_id: bound.client_id, redirect_uri: Cow::Owned(RegisteredUrl::Exact(uri)) })
    }

    /// Scopes that are unknown here are left out (OpenID Connect Core section 3.1.2.1), `openid` is not.
    fn negotiate(&self, client: BoundClient<'_>, scope: Option<Scope>) -> Result<PreGrant, RegistrarError> {
        let asked: ScopeSet = scope.iter().flat_map(Scope::iter).collect();
        let given = asked.within(&ScopeSet::parse(&self.client.scope));
        if !given.contains("openid") {
            self.fault.set(Some(OAuthError::new("invalid_scope", "the scope must contain openid")));
            return Err(RegistrarError::Unspecified);
        }
        Ok(PreGrant {
            client_id: client.client_id.into_owned(),
            redirect_uri: client.redirect_uri.into_owned(),
            scope: given.to_string().parse().map_err(|_| RegistrarError::PrimitiveError)?,
        })
    }

    /// Nobody is authenticated by a passphrase here; see [`super::clients`].
    fn check(&self, _: &str, _: Option<&[u8]>) -> Result<(), RegistrarError> {
        Err(RegistrarError::Unspecified)
    }
}

impl authorization::Extension for Asked<'_> {
    /// PKCE, and all that OpenID Connect adds to a request.
    fn extend(&mut self, _: &dyn authorization::Request) -> Result<Extensions, ()> {
        let (fields, client) = (self.fields, self.client);
        let extended = challenge(fields, client).and_then(|extensions| {
            let address = self.address.get().cloned().ok_or(NoReturn::UnregisteredRedirectUri)?;
            self.request = Some(openid::read(fields, client, address, self.arrival)?);
            Ok(extensions)
        });
        extended.map_err(|fault| self.fault.set(Some(fault)))
    }
}

/// RFC 7636 sections 4.2 to 4.4.1, RFC 9700 section 2.1.1: S256 only. The library takes any text for a challenge.
fn challenge(fields: &Fields, client: &Client) -> Result<Extensions, OAuthError> {
    let refused = |description| OAuthError::new("invalid_request", description);
    let (method, challenge) = (fields.get("code_challenge_method"), fields.get("code_challenge"));
    if challenge.is_none() && method.is_some() {
        return Err(refused("code_challenge_method without code_challenge"));
    }
    let (pkce, method) = (pkce(client), method.map(Cow::Borrowed));
    let value = pkce.challenge(method, challenge.map(Cow::Borrowed)).map_err(|()| {
        refused(match challenge {
            None => "code_challenge is required (PKCE)",
            Some(_) => "code_challenge_method must be S256",
        })
    })?;
    if !challenge.is_none_or(is_challenge) {
        return Err(refused("code_challenge is not a base64url SHA-256"));
    }
    let mut extensions = Extensions::new();
    if let Some(value) = value {
        extensions.set(&pkce, value);
    }
    Ok(extensions)
}

impl Authorizer for Asked<'_> {
    /// Codes are rows, made once the journey has ended; see [`crate::flow`].
    fn authorize(&mut self, _: OxideGrant) -> Result<String, ()> {
        Err(())
    }
    fn extract(&mut self, _: &str) -> Result<Option<OxideGrant>, ()> {
        Err(())
    }
}

impl authorization::Endpoint for Asked<'_> {
    fn registrar(&self) -> &dyn Registrar {
        self
    }
    fn authorizer(&mut self) -> &mut dyn Authorizer {
        self
    }
    fn extension(&mut self) -> &mut dyn authorization::Extension {
        self
    }
}

/// Reads an authorization request of a client that is known.
///
/// # Errors
/// What to tell the client, with where to; or with nowhere, if the request may not be answered by redirect.
pub fn read(
    fields: &Fields,
    client: &Client,
    arrival: Arrival,
) -> Result<AuthorizationRequest, (Option<ReturnAddress>, OAuthError)> {
    let (address, fault) = (OnceCell::new(), Cell::new(None));
    let mut asked = Asked { fields, client, arrival, address, request: None, fault };
    let decided = authorization_code(&mut asked, &Parameters(fields));
    let Asked { address, request, fault, .. } = asked;
    match (decided, request) {
        (Ok(pending), Some(request)) => {
            // The machine's set has no order; ours says the same scope in the same words each time.
            let scope: ScopeSet = pending.pre_grant().scope.iter().collect();
            Ok(AuthorizationRequest { scope: scope.to_string(), ..request })
        }
        (Err(authorization::Error::Redirect(mut url)), _) => {
            let by_machine = || by_machine(url.description().kind(), fields);
            Err((address.into_inner(), fault.into_inner().unwrap_or_else(by_machine)))
        }
        _ if fields.get("client_id").is_none() => Err((None, NoReturn::UnknownClient.into())),
        _ => Err((None, NoReturn::UnregisteredRedirectUri.into())),
    }
}

/// What the machine refuses by itself: it has nothing to say of why.
fn by_machine(kind: AuthorizationErrorType, fields: &Fields) -> OAuthError {
    match (kind, fields.get("response_type")) {
        (AuthorizationErrorType::UnsupportedResponseType, Some(_)) => {
            OAuthError::new("unsupported_response_type", "only response_type=code is supported")
        }
        (AuthorizationErrorType::UnsupportedResponseType, None) => {
            OAuthError::new("invalid_request", "response_type is missing")
        }
        _ => OAuthError::new("invalid_request", "scope has characters that no scope may have"),
    }
}

/// A code that a client brings, with the grant that it stands for.
#[derive(Clone, Copy)]
struct Code<'a> {
    fields: &'a Fields,
    client: &'a Client,
    grant: &'a Grant,
    jkt: Option<&'a str>,
}

impl accesstoken::Request for Code<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn code(&self) -> Option<Cow<'_, str>> {
        self.extension("code")
    }
    fn authorization(&self) -> accesstoken::Authorization<'_> {
        // It has been authenticated before, by whichever method is its own.
        accesstoken::Authorization::Username(Cow::Borrowed(&self.client.client_id))
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.extension("redirect_uri")
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.extension("grant_type")
    }
    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.fields.get(key).map(Cow::Borrowed)
    }
}

impl accesstoken::Extension for Code<'_> {
    /// PKCE, and what a code has to come with beyond what the machine looks at by itself.
    fn extend(&mut self, request: &dyn accesstoken::Request, mut kept: Extensions) -> Result<Extensions, ()> {
        // The machine compares parsed URIs; the standard wants them compared to the letter.
        let is_exact = request.redirect_uri().is_some_and(|uri| *uri == self.grant.redirect_uri);
        // RFC 7636 section 4.1; and RFC 9700 section 2.1.1: no verifier where there was no challenge.
        let verifier = request.extension("code_verifier");
        let has_challenge = self.grant.code_challenge.is_some();
        let is_apt = verifier.as_deref().is_none_or(|verifier| has_challenge && is_verifier(verifier));
        if !is_exact || !is_apt || !self.grant.details.is_of_key(self.jkt) {
            return Err(());
        }
        let pkce = pkce(self.client);
        pkce.verify(kept.remove(&pkce), verifier)?;
        Ok(kept)
    }
}

/// Whether a code may be redeemed by the request that it came in: client and redirect URI are those of the
/// authorization request, the PKCE verifier fits, and `jkt` is the key that the code is bound to, if it is.
///
/// # Errors
/// [`Reason::CodeMismatch`].
pub fn redeem(fields: &Fields, client: &Client, grant: &Grant, jkt: Option<&str>) -> Result<(), Reason> {
    use accesstoken::{AccessToken, Extension as _, Input, Output};
    let mut code = Code { fields, client, grant, jkt };
    let request = code;
    let mut machine = AccessToken::new(&request);
    let mut output = machine.advance(Input::None);
    loop {
        output = match output {
            Output::Authenticate { .. } => machine.advance(Input::Authenticated),
            Output::Recover { .. } => {
                machine.advance(Input::Recovered(as_oxide(client, grant).map(Box::new)))
            }
            Output::Extend { extensions } => {
                let extended = code.extend(&request, std::mem::take(extensions));
                let access_extensions = extended.map_err(|()| Reason::CodeMismatch)?;
                machine.advance(Input::Extended { access_extensions })
            }
            // Tokens are JWTs, signed by the key ring once the machine has let the request this far.
            Output::Issue { .. } => return Ok(()),
            Output::Ok(_) | Output::Err(_) => return Err(Reason::CodeMismatch),
        };
    }
}

/// The grant as the machine knows grants; none, if a part of it cannot be read any more.
fn as_oxide(client: &Client, grant: &Grant) -> Option<OxideGrant> {
    let (mut extensions, pkce) = (Extensions::new(), pkce(client));
    if let Some(challenge) = grant.code_challenge.as_deref() {
        let (method, challenge) = (Cow::Borrowed("S256"), Cow::Borrowed(challenge));
        extensions.set(&pkce, pkce.challenge(Some(method), Some(challenge)).ok()??);
    }
    Some(OxideGrant {
        owner_id: grant.account_id.0.clone(),
        client_id: grant.client_id.clone(),
        scope: grant.scope.parse().ok()?,
        redirect_uri: grant.redirect_uri.parse().ok()?,
        until: chrono::DateTime::<chrono::Utc>::MAX_UTC,
        extensions,
    })
}

#[cfg(test)]
mod tests;

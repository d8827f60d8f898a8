//! The authorization code flow with PKCE (OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207): where to
//! send the browser, and what its return comes to.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use openidconnect::core::CoreJsonWebKey;
use openidconnect::core::{CoreGenderClaim, CoreResponseType};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode,
    ClaimsVerificationError, CsrfToken, IdTokenVerifier, LanguageTag, LogoutRequest, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, RequestTokenError,
    Scope, SignatureVerificationError, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use url::Url;
use web::clock::Timestamp;
use web::language::Language;
use web::random::Random;

use super::provider::{Known, explain};
use super::{OidcError, Provider};
use crate::session::{Care, CareRole, Person, SignIn};

/// The authentication context class of a sign-in with a fresh code beside the password.
pub const ACR_CODE: &str = "urn:voordeur:acr:code";

/// How far the provider's clock may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// What a sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Where on this portal the person goes afterwards.
    pub return_to: String,
    /// Whether a care team's role and a second factor are needed.
    pub team: bool,
}

/// A sign-in under way, kept on the server until the browser comes back with its `state`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub state: String,
    pub asked: Asked,
    nonce: String,
    verifier: String,
}

/// What the provider sent along with the browser (RFC 6749 section 4.1.2, RFC 9207).
#[derive(Clone, Copy, Debug, Default)]
pub struct SignInAnswer<'a> {
    pub code: Option<&'a str>,
    pub iss: Option<&'a str>,
    pub error: Option<&'a str>,
}

/// What userinfo says of a care team's member, under scope `care_team`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct CareClaims {
    #[serde(default)]
    care_role: Option<String>,
    #[serde(default)]
    care_organisation: Option<String>,
}

impl AdditionalClaims for CareClaims {}

impl Provider {
    /// Starts a sign-in: where the browser goes, and what has to be kept.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`] if the provider's metadata was never read.
    pub async fn start(
        &self,
        asked: Asked,
        language: Language,
        random: &Random,
    ) -> Result<(Url, Pending), OidcError> {
        let known = self.known().await?;
        let verifier = PkceCodeVerifier::new(random.token());
        let (state, nonce) = (random.token(), random.token());
        let (own_state, own_nonce) = (state.clone(), nonce.clone());
        let mut request = known
            .client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                move || CsrfToken::new(own_state),
                move || Nonce::new(own_nonce),
            )
            .add_scope(Scope::new("profile".into()))
            .add_scope(Scope::new("email".into()))
            .add_ui_locale(LanguageTag::new(language.tag().into()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if asked.team {
            request = request
                .add_scope(Scope::new("care_team".into()))
                .add_auth_context_value(AuthenticationContextClass::new(ACR_CODE.into()));
        }
        let (url, _, _) = request.url();
        Ok((url, Pending { state, asked, nonce, verifier: verifier.into_secret() }))
    }

    /// Ends a sign-in: checks what the browser brought back, redeems the code, verifies the ID token and
    /// asks userinfo for the name.
    ///
    /// # Errors
    /// [`OidcError`]; nobody is signed in then.
    pub async fn finish(&self, pending: &Pending, answer: SignInAnswer<'_>) -> Result<SignIn, OidcError> {
        let known = self.known().await?;
        // RFC 9207 section 2.4, before anything else of the answer is believed.
        match answer.iss {
            Some(iss) if iss == self.settings.issuer.as_str() => {}
            None if !known.names_issuer() => {}
            _ => return Err(OidcError::Invalid("the answer is not from our issuer (RFC 9207)".into())),
        }
        if let Some(error) = answer.error {
            return Err(OidcError::Refused(error.chars().filter(char::is_ascii_graphic).take(60).collect()));
        }
        let code = answer.code.ok_or_else(|| OidcError::Invalid("neither code nor error".into()))?;
        let tokens = known
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::Unavailable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&self.http)
            .await
            .map_err(token_error)?;
        let id_token = tokens.id_token().ok_or_else(|| OidcError::Invalid("no ID token".into()))?;
        let nonce = Nonce::new(pending.nonce.clone());
        let mut known = known;
        let unknown_key = matches!(
            id_token.claims(&self.verifier(&known), &nonce),
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
        );
        if unknown_key {
            known = self.with_newer_keys(&known).await?;
        }
        let verifier = self.verifier(&known);
        let invalid = |error: &dyn std::error::Error| OidcError::Invalid(explain(error));
        let claims = id_token.claims(&verifier, &nonce).map_err(|error| invalid(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| invalid(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| invalid(&error))?;
            let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(|error| invalid(&error))?;
            if hash != *expected {
                return Err(OidcError::Invalid("at_hash does not fit the access token".into()));
            }
        }
        let acr = claims.auth_context_ref().map(|acr| acr.as_str().to_owned()).unwrap_or_default();
        if pending.asked.team && acr != ACR_CODE {
            return Err(OidcError::TooWeak(acr));
        }
        let userinfo: UserInfoClaims<CareClaims, CoreGenderClaim> = known
            .client
            .user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
            .map_err(|error| OidcError::Unavailable(error.to_string()))?
            .request_async(&self.http)
            .await
            .map_err(|error| OidcError::Unavailable(explain(&error)))?;
        Ok(SignIn {
            person: Person {
                iss: claims.issuer().to_string(),
                sub: claims.subject().to_string(),
                name: display_name(&userinfo),
                email: userinfo.email().map(|email| email.to_string()).unwrap_or_default(),
            },
            sid: claims.additional_claims().sid.clone().unwrap_or_default(),
            acr,
            care: care(userinfo.additional_claims()),
            id_token: id_token.to_string(),
            for_team: pending.asked.team,
        })
    }

    /// Where the browser goes to sign out at the provider (RP-Initiated Logout 1.0); `None` if the provider
    /// has no such place or does not answer: the portal's own session is ended all the same.
    pub async fn sign_out_url(
        &self,
        id_token: Option<&str>,
        back: &str,
        state: String,
        language: Language,
    ) -> Option<Url> {
        let known = self.known().await.ok()?;
        let mut request = LogoutRequest::from(known.end_session()?.clone())
            .set_client_id(self.settings.client_id.clone())
            .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(back.to_owned()).ok()?)
            .set_state(CsrfToken::new(state))
            .add_ui_locale(LanguageTag::new(language.tag().into()));
        if let Some(hint) = id_token.and_then(|hint| hint.parse::<IdTokenHint>().ok()) {
            request = request.set_id_token_hint(&hint);
        }
        Some(request.http_get_url())
    }

    fn verifier<'k>(&self, known: &'k Arc<Known>) -> IdTokenVerifier<'k, CoreJsonWebKey> {
        let now = self.clock.now();
        known
            .client
            .id_token_verifier()
            .set_time_fn(move || system_time(now).into())
            .set_issue_time_verifier_fn(move |issued| {
                let latest = now.plus(CLOCK_SKEW).0;
                if issued.timestamp_millis() > latest { Err("issued in the future".into()) } else { Ok(()) }
            })
    }
}

type IdTokenHint = openidconnect::IdToken<
    super::provider::IdTokenExtras,
    CoreGenderClaim,
    openidconnect::core::CoreJweContentEncryptionAlgorithm,
    openidconnect::core::CoreJwsSigningAlgorithm,
>;

fn system_time(at: Timestamp) -> std::time::SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
}

/// The provider refused the code (it expired, or the browser came back twice), or could not answer.
fn token_error<RE: std::error::Error + 'static, T: openidconnect::ErrorResponse>(
    error: RequestTokenError<RE, T>,
) -> OidcError {
    match error {
        RequestTokenError::Request(error) => OidcError::Unavailable(explain(&error)),
        RequestTokenError::ServerResponse(_) => {
            OidcError::Refused("the token endpoint refused the code".into())
        }
        RequestTokenError::Parse(error, _) => OidcError::Invalid(explain(&error)),
        RequestTokenError::Other(text) => OidcError::Invalid(text),
    }
}

/// The name to greet somebody with; the subject's identifier is nobody's name, so it is left empty then.
fn display_name(userinfo: &UserInfoClaims<CareClaims, CoreGenderClaim>) -> String {
    let plain = |claim: Option<String>| claim.filter(|name| !name.trim().is_empty());
    let full = plain(userinfo.name().and_then(|name| name.get(None)).map(|name| name.to_string()));
    let given = plain(userinfo.given_name().and_then(|name| name.get(None)).map(|name| name.to_string()));
    let family = plain(userinfo.family_name().and_then(|name| name.get(None)).map(|name| name.to_string()));
    let joined = [given, family].into_iter().flatten().collect::<Vec<_>>().join(" ");
    full.unwrap_or(joined).chars().take(120).collect()
}

fn care(claims: &CareClaims) -> Option<Care> {
    let role = CareRole::from_word(claims.care_role.as_deref()?)?;
    let organisation = claims.care_organisation.clone().filter(|id| !id.is_empty())?;
    Some(Care { role, organisation })
}

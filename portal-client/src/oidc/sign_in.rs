//! The authorization code flow with PKCE (OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207): where to
//! send the browser, and what its return comes to.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use openidconnect::core::CoreJsonWebKey;
use openidconnect::core::{CoreAuthPrompt, CoreGenderClaim, CoreResponseType};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthenticationContextClass, AuthenticationFlow,
    AuthorizationCode, ClaimsVerificationError, CsrfToken, IdTokenClaims, IdTokenVerifier, LanguageTag,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RefreshToken, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse, UserInfoClaims, UserInfoError, http::StatusCode,
};
use platform::clock::Timestamp;
use platform::fault::CLOCK;
use platform::language::Language;
use platform::random::Random;
use platform::typed::{self, has_hidden_marks, is_hidden};
use serde::{Deserialize, Serialize};
use url::Url;

use super::provider::{IdTokenExtras, Known, explain};
use super::{OidcError, Provider};
use crate::session::{Care, CareRole, Person, SignIn};

/// How far the provider's clock may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// An ID token that was issued longer ago than this when it came, though it was asked for a moment before, says that the
/// two clocks differ: no request to the provider takes as long.
const ON_THE_WAY: Duration = Duration::from_secs(15);

/// With a new proof goes this `max_age`, so that the provider has to say when it was given (OpenID Connect Core
/// section 3.1.2.1).
const PROOF_AGE: Duration = Duration::from_mins(15);

/// What the provider is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To read dossiers.
    Person,
    /// A care team's role and a second factor.
    Team,
    /// An ID token and nothing to be seen, as the hint of a sign-out that has none.
    SignOut,
}

/// What a sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Where on this portal the person goes afterwards.
    pub return_to: String,
    pub purpose: Purpose,
    /// Whether the person has to prove anew who they are.
    pub anew: bool,
}

/// A sign-in under way, kept on the server until the browser comes back with its `state`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub state: String,
    pub asked: Asked,
    nonce: String,
    verifier: String,
    started_at: Timestamp,
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

/// What a code came to.
pub(super) struct Redeemed {
    known: Arc<Known>,
    claims: IdTokenClaims<IdTokenExtras, CoreGenderClaim>,
    access_token: AccessToken,
    pub(super) id_token: String,
    refresh_token: Option<String>,
    /// How far our clock is ahead of the provider's, if it is.
    ahead: Duration,
}

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
            .add_ui_locale(LanguageTag::new(language.tag().into()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        request = match asked.purpose {
            Purpose::SignOut => request.add_prompt(CoreAuthPrompt::None),
            Purpose::Person | Purpose::Team => {
                request.add_scope(Scope::new("profile".into())).add_scope(Scope::new("email".into()))
            }
        };
        if asked.purpose == Purpose::Team {
            request = request.add_scope(Scope::new("care_team".into())).add_auth_context_value(
                AuthenticationContextClass::new(self.settings.team_acr.least.clone()),
            );
        }
        if self.settings.keeps_session && asked.purpose != Purpose::SignOut {
            request = request.add_scope(Scope::new("offline_access".into()));
        }
        if asked.anew {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(PROOF_AGE);
        }
        let (url, _, _) = request.url();
        let started_at = self.clock.now();
        Ok((url, Pending { state, asked, nonce, verifier: verifier.into_secret(), started_at }))
    }

    /// Ends a sign-in: checks what the browser brought back, redeems the code, verifies the ID token and
    /// asks userinfo for the name.
    ///
    /// # Errors
    /// [`OidcError`]; nobody is signed in then.
    pub async fn finish(&self, pending: &Pending, answer: SignInAnswer<'_>) -> Result<SignIn, OidcError> {
        let Redeemed { known, claims, access_token, id_token, refresh_token, ahead } =
            self.redeem(pending, answer).await?;
        let acr = claims.auth_context_ref().map(|acr| acr.as_str().to_owned()).unwrap_or_default();
        let for_team = pending.asked.purpose == Purpose::Team;
        if for_team && !self.settings.team_acr.accepts(&acr) {
            return Err(OidcError::TooWeak(acr));
        }
        // By our clock, as all that it is compared with.
        let authenticated_at = claims.auth_time().map(|at| Timestamp(at.timestamp_millis()).plus(ahead));
        // prompt=login is a wish; only auth_time says that it was granted (Core section 3.1.2.1).
        let earliest = pending.started_at.minus(CLOCK_SKEW);
        if pending.asked.anew && authenticated_at.is_none_or(|at| at < earliest) {
            return Err(OidcError::Invalid("no new proof, though one was asked for".into()));
        }
        let userinfo: UserInfoClaims<CareClaims, CoreGenderClaim> = known
            .client
            .user_info(access_token, Some(claims.subject().clone()))
            .map_err(|error| OidcError::Unavailable(error.to_string()))?
            .request_async(&self.http)
            .await
            .map_err(userinfo_error)?;
        Ok(SignIn {
            person: Person {
                iss: claims.issuer().to_string(),
                sub: claims.subject().to_string(),
                name: display_name(&userinfo),
                email: email(&userinfo),
            },
            sid: claims.additional_claims().sid.clone().unwrap_or_default(),
            acr,
            care: care(userinfo.additional_claims()),
            id_token,
            refresh_token,
            for_team,
            issued_at: Timestamp(claims.issue_time().timestamp_millis()),
            authenticated_at,
        })
    }

    /// Checks what the browser brought back, redeems the code and verifies the ID token.
    pub(super) async fn redeem(
        &self,
        pending: &Pending,
        answer: SignInAnswer<'_>,
    ) -> Result<Redeemed, OidcError> {
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
        let mut known = self.verifying().await?;
        let unknown_key = matches!(
            id_token.claims(&verifier(&known), &nonce),
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
        );
        if unknown_key {
            known = self.with_newer_keys(&known).await?;
        }
        let verifier = verifier(&known);
        let invalid = |error: &dyn std::error::Error| OidcError::Invalid(explain(error));
        let claims = id_token.claims(&verifier, &nonce).map_err(|error| invalid(&error))?.clone();
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| invalid(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| invalid(&error))?;
            let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(|error| invalid(&error))?;
            if hash != *expected {
                return Err(OidcError::Invalid("at_hash does not fit the access token".into()));
            }
        }
        let issued = Timestamp(claims.issue_time().timestamp_millis());
        let ahead = times(issued, Timestamp(claims.expiration().timestamp_millis()), self.clock.now())?;
        let (access_token, id_token) = (tokens.access_token().clone(), id_token.to_string());
        let refresh_token = tokens.refresh_token().map(|token| token.secret().clone());
        Ok(Redeemed { known: Arc::clone(&known), claims, access_token, id_token, refresh_token, ahead })
    }

    /// Tells the provider that somebody is here still (RFC 6749 section 6); the token for the next time. `None` if the
    /// provider takes it no more.
    ///
    /// # Errors
    /// [`OidcError`]; the token may be used again.
    pub async fn refresh(&self, token: &str) -> Result<Option<String>, OidcError> {
        let known = self.known().await?;
        let refreshed = known
            .client
            .exchange_refresh_token(&RefreshToken::new(token.to_owned()))
            .map_err(|error| OidcError::Unavailable(error.to_string()))?
            .request_async(&self.http)
            .await;
        match refreshed {
            Ok(tokens) => {
                let next = tokens.refresh_token().map_or(token, |next| next.secret().as_str());
                Ok(Some(next.to_owned()))
            }
            Err(RequestTokenError::ServerResponse(_)) => Ok(None),
            Err(error) => Err(token_error(error)),
        }
    }
}

/// Verifies all but the times; those are [`times`]' business, which can say whose clock is wrong.
fn verifier(known: &Known) -> IdTokenVerifier<'_, CoreJsonWebKey> {
    known.client.id_token_verifier().set_time_fn(|| UNIX_EPOCH.into()).set_issue_time_verifier_fn(|_| Ok(()))
}

/// Whether an ID token that has just been issued is valid at `now` (OpenID Connect Core section 3.1.3.7, steps 9 and 10);
/// how far our clock is ahead of the provider's.
fn times(issued: Timestamp, expires: Timestamp, now: Timestamp) -> Result<Duration, OidcError> {
    if issued > now.plus(CLOCK_SKEW) {
        return Err(OidcError::Clock(format!(
            "the ID token is of {} s from now: this machine's clock is behind the provider's; {} s are tolerated",
            issued.since(now).as_secs(),
            CLOCK_SKEW.as_secs()
        )));
    }
    let ahead = now.since(issued);
    if ahead <= ON_THE_WAY && now < expires {
        return Ok(Duration::ZERO);
    }
    let text = format!(
        "the ID token was issued {} s ago when it came: this machine's clock is ahead of the provider's; {} s are tolerated",
        ahead.as_secs(),
        expires.since(issued).as_secs()
    );
    if now >= expires {
        return Err(OidcError::Clock(text));
    }
    tracing::warn!(cause = text, advice = CLOCK.advice, "the clocks differ; the sign-in goes on");
    Ok(ahead)
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
        // What does not parse may hold tokens, and the error quotes it; no log may (T47).
        RequestTokenError::Parse(..) => OidcError::Invalid("the token endpoint's answer is malformed".into()),
        RequestTokenError::Other(text) => OidcError::Invalid(text),
    }
}

/// The same for userinfo, whose answer holds personal data.
fn userinfo_error<RE: std::error::Error + 'static>(error: UserInfoError<RE>) -> OidcError {
    match error {
        UserInfoError::Request(error) => OidcError::Unavailable(explain(&error)),
        UserInfoError::Response(status, ..) if status.is_server_error() => {
            OidcError::Unavailable(format!("userinfo answered {status}"))
        }
        // The session ended there while the person was on the way here.
        UserInfoError::Response(status, ..) if status == StatusCode::UNAUTHORIZED => {
            OidcError::Refused("login_required".into())
        }
        UserInfoError::Response(status, ..) => OidcError::Invalid(format!("userinfo answered {status}")),
        _ => OidcError::Invalid("the answer of userinfo does not hold".into()),
    }
}

/// The address that the provider has confirmed; a team writes to it, and judges a request by it.
fn email(userinfo: &UserInfoClaims<CareClaims, CoreGenderClaim>) -> String {
    let confirmed = userinfo.email().filter(|_| userinfo.email_verified() == Some(true));
    confirmed.map(|email| email.to_string()).filter(|email| !has_hidden_marks(email)).unwrap_or_default()
}

/// The name to greet somebody with; the subject's identifier is nobody's name, so it is left empty then.
fn display_name(userinfo: &UserInfoClaims<CareClaims, CoreGenderClaim>) -> String {
    let plain = |claim: Option<String>| claim.filter(|name| !name.trim().is_empty());
    let full = plain(userinfo.name().and_then(|name| name.get(None)).map(|name| name.to_string()));
    let given = plain(userinfo.given_name().and_then(|name| name.get(None)).map(|name| name.to_string()));
    let family = plain(userinfo.family_name().and_then(|name| name.get(None)).map(|name| name.to_string()));
    let joined = [given, family].into_iter().flatten().collect::<Vec<_>>().join(" ");
    // A name must not dress up as another's (Unicode Technical Report 36, section 2.5).
    let seen = full.unwrap_or(joined).chars().filter(|c| !is_hidden(*c)).collect::<String>();
    typed::line(&seen).chars().take(120).collect()
}

fn care(claims: &CareClaims) -> Option<Care> {
    let role = CareRole::from_word(claims.care_role.as_deref()?)?;
    let organisation = claims.care_organisation.clone().filter(|id| !id.is_empty())?;
    Some(Care { role, organisation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_token_that_comes_at_the_wrong_time_names_the_clock() {
        let at = |seconds: i64| Timestamp(1_795_000_000_000 + seconds * 1000);
        let (issued, expires) = (at(0), at(300));
        assert_eq!(times(issued, expires, at(2)).unwrap(), Duration::ZERO);
        assert_eq!(times(issued, expires, at(-59)).unwrap(), Duration::ZERO);
        // Two minutes ahead: the person goes on, and what the provider says of the past is read by our clock.
        assert_eq!(times(issued, expires, at(120)).unwrap(), Duration::from_mins(2));
        for (now, words) in [(301, "ahead of the provider's; 300 s"), (-61, "behind the provider's; 60 s")] {
            let OidcError::Clock(text) = times(issued, expires, at(now)).unwrap_err() else {
                panic!("{now}")
            };
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn t55_a_name_does_not_dress_up_as_anothers_and_an_address_counts_once_it_is_confirmed() {
        let read = |name: &str, email: &str, verified: bool| {
            let json =
                serde_json::json!({ "sub": "s", "name": name, "email": email, "email_verified": verified });
            let claims =
                UserInfoClaims::from_json::<std::io::Error>(json.to_string().as_bytes(), None).unwrap();
            (display_name(&claims), super::email(&claims))
        };
        let own = "marjan@example.nl".to_owned();
        assert_eq!(read("Zoë de Wit", &own, true), ("Zoë de Wit".into(), own.clone()));
        assert_eq!(read("Zoë", &own, false), ("Zoë".into(), String::new()));
        assert_eq!(read("nas\u{202e}jra\0M\r\n", "a\0@b.nl", true), ("nasjraM".into(), String::new()));
        assert_eq!(
            read("An\u{200b}na\u{2028}\u{3164}", "a\u{200d}@b.nl", true),
            ("Anna".into(), String::new())
        );
        assert_eq!(read(&"x".repeat(500), &own, true).0.len(), 120);
    }
}

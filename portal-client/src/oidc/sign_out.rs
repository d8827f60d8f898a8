//! Signing out at the provider (RP-Initiated Logout 1.0): where to send the browser, with an ID token that the
//! provider still knows as its own.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    CsrfToken, IdToken, JsonWebKey as _, JsonWebKeySet, LanguageTag, LogoutRequest, PostLogoutRedirectUrl,
};
use platform::language::Language;
use serde::Deserialize;
use url::Url;

use super::provider::IdTokenExtras;
use super::sign_in::{Pending, SignInAnswer};
use super::{OidcError, Provider};

type Hint =
    IdToken<IdTokenExtras, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

#[derive(Deserialize)]
struct Header {
    kid: Option<String>,
}

impl Provider {
    /// Whether the provider can recognise an ID token of its own: the key that signed it is still published.
    /// Where that cannot be found out, it is taken to be so.
    pub async fn recognises(&self, id_token: &str) -> bool {
        self.verifying().await.map_or(true, |known| !names_other_key(&known.keys, id_token))
    }

    /// Where the browser goes to sign out at the provider; `None` if the provider has no such place or does
    /// not answer: the portal's own session is ended all the same.
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
        if let Some(hint) = id_token.and_then(|hint| hint.parse::<Hint>().ok()) {
            request = request.set_id_token_hint(&hint);
        }
        Some(request.http_get_url())
    }

    /// The ID token that was asked for with [`super::Purpose::SignOut`]; `None` if nobody is signed in at the
    /// provider, so that there is nothing left to end.
    ///
    /// # Errors
    /// [`OidcError`], if the provider wants to see the person first, or its answer does not hold.
    pub async fn hint(
        &self,
        pending: &Pending,
        answer: SignInAnswer<'_>,
    ) -> Result<Option<String>, OidcError> {
        match self.redeem(pending, answer).await {
            Ok(redeemed) => Ok(Some(redeemed.id_token)),
            Err(OidcError::Refused(code)) if code == "login_required" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn names_other_key(keys: &JsonWebKeySet<CoreJsonWebKey>, token: &str) -> bool {
    let header = token.split('.').next().and_then(|header| URL_SAFE_NO_PAD.decode(header).ok());
    let header: Option<Header> = header.and_then(|header| serde_json::from_slice(&header).ok());
    let Some(kid) = header.and_then(|header| header.kid) else { return false };
    !keys.keys().iter().any(|key| key.key_id().is_some_and(|id| id.as_str() == kid))
}

//! Compact JWS of this server's own keys: signing, and verification of what comes back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, decode, decode_header};
use openidconnect::core::CoreJsonWebKey;
use serde::Serialize;
use serde_json::Value;

use super::material::Signer;
use super::{KeyError, KeyRing};
use crate::protocol::jose::{is_foreign, is_type, signature_only};
use crate::protocol::token::ID_TOKEN_TYPE;

/// Why a token is not one of this server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts, not JSON, or an algorithm that no JWS of ours has (`none`, for one).
    #[error("it is not a signed JWT")]
    Malformed,
    /// `jku`, `x5u`, `x5c`, `jwk` or `crit`: a header that would bring its own key or rules (RFC 8725 section 3.10).
    #[error("its header names keys or rules of its own")]
    ForeignHeader,
    /// The explicit typing of RFC 8725 section 3.11 says another kind of token.
    #[error("it is a token of another kind")]
    WrongType,
    #[error("its key is unknown, removed or revoked")]
    UnknownKey,
    /// RFC 8725 section 3.1: the key says which algorithm, not the token.
    #[error("its algorithm is not the one of its key")]
    WrongAlgorithm,
    #[error("its signature does not verify")]
    BadSignature,
}

#[derive(Serialize)]
struct JoseHeader<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

impl Signer {
    /// A compact JWS (RFC 7515 section 7.1) with `typ`, `alg` and `kid` in its header.
    ///
    /// # Errors
    /// If the claims are no JSON.
    pub fn sign_jwt(&self, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        let header = serde_json::to_vec(&JoseHeader { typ, alg: self.algorithm.name(), kid: self.kid() })?;
        let claims = serde_json::to_vec(claims)?;
        let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.sign_bytes(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl KeyRing {
    /// A compact JWS, signed with the present key of `alg`. `typ` keeps kinds of tokens apart:
    /// `at+jwt` (RFC 9068), `logout+jwt` (Back-Channel Logout section 2.4), `JWT`.
    ///
    /// # Errors
    /// [`KeyError::NoKey`] for an algorithm that this ring does not have.
    pub fn sign_jwt(&self, alg: &str, typ: &str, claims: &impl Serialize) -> Result<String, KeyError> {
        self.signing_key(alg)?.sign_jwt(typ, claims)
    }

    /// The claims of a token that this server signed. `typ` is what its header must say, compared as RFC 7515
    /// section 4.1.9 tells; a token without `typ` counts as `JWT`. Expiry and audience are the caller's to check.
    ///
    /// # Errors
    /// [`TokenError`] for anything that a published key of this ring did not sign as that kind.
    pub fn verify_jwt(&self, token: &str, typ: &str) -> Result<Value, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Malformed)?;
        if is_foreign(&header) {
            return Err(TokenError::ForeignHeader);
        }
        if !is_type(header.typ.as_deref().unwrap_or("JWT"), typ) {
            return Err(TokenError::WrongType);
        }
        let kid = header.kid.as_deref().ok_or(TokenError::UnknownKey)?;
        let (algorithm, key) = self.published_key(kid).ok_or(TokenError::UnknownKey)?;
        if header.alg != algorithm.verification() {
            return Err(TokenError::WrongAlgorithm);
        }
        let claims = decode::<Value>(token, &key, &signature_only(algorithm.verification()))
            .map_err(|_| TokenError::BadSignature)?
            .claims;
        if claims.is_object() { Ok(claims) } else { Err(TokenError::Malformed) }
    }

    /// The claims of an ID token of this server, also of one that has expired. Signed userinfo has the same `typ`
    /// (no standard gives it another) and lacks what every ID token of ours says of itself.
    ///
    /// # Errors
    /// [`TokenError`]; [`TokenError::WrongType`] for userinfo.
    pub fn verify_id_token(&self, token: &str) -> Result<Value, TokenError> {
        let claims = self.verify_jwt(token, ID_TOKEN_TYPE)?;
        let is_number = |name: &str| claims.get(name).is_some_and(Value::is_number);
        let is_id_token = ["exp", "iat", "auth_time"].into_iter().all(is_number);
        if is_id_token && claims.get("events").is_none() { Ok(claims) } else { Err(TokenError::WrongType) }
    }
}

/// The verifying half of a published key.
pub(super) fn decoding_key(public: &CoreJsonWebKey) -> Result<DecodingKey, KeyError> {
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(serde_json::to_value(public)?)?;
    DecodingKey::from_jwk(&jwk).map_err(|_| KeyError::Crypto("a stored public key cannot be read"))
}

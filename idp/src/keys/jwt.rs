//! Tokens of this server's own keys: which key signs, and which one verifies what comes back.

use serde::Serialize;
use serde_json::Value;

use super::material::Signer;
use super::{KeyError, KeyRing};
use crate::protocol::jose::{JoseError, Unverified, compact};
use crate::protocol::token::ID_TOKEN_TYPE;

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
        let header = JoseHeader { typ, alg: self.algorithm.name(), kid: self.kid() };
        compact(&header, claims, |message| self.sign_bytes(message))
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

    /// The claims of a token that this server signed. `typ` is what its header must say; a token without `typ` counts
    /// as `JWT`. Expiry and audience are the caller's to check.
    ///
    /// # Errors
    /// [`JoseError`] for anything that a published key of this ring did not sign as that kind.
    pub fn verify_jwt(&self, token: &str, typ: &str) -> Result<Value, JoseError> {
        let token = Unverified::parse(token)?;
        token.check_header()?;
        if !token.is_type(typ) {
            return Err(JoseError::WrongType);
        }
        let key = token.kid().and_then(|kid| self.published_key(kid)).ok_or(JoseError::UnknownKey)?;
        token.verify(&key).map(Value::Object)
    }

    /// The claims of an ID token of this server, also of one that has expired. Signed userinfo has the same `typ`
    /// (no standard gives it another) and lacks what every ID token of ours says of itself.
    ///
    /// # Errors
    /// [`JoseError`]; [`JoseError::WrongType`] for userinfo.
    pub fn verify_id_token(&self, token: &str) -> Result<Value, JoseError> {
        let claims = self.verify_jwt(token, ID_TOKEN_TYPE)?;
        let is_number = |name: &str| claims.get(name).is_some_and(Value::is_number);
        let is_id_token = ["exp", "iat", "auth_time"].into_iter().all(is_number);
        if is_id_token && claims.get("events").is_none() { Ok(claims) } else { Err(JoseError::WrongType) }
    }
}

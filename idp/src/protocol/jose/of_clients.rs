//! Tokens that clients sign: verified with the client's own keys and no others, and good for one purpose.

use jsonwebtoken::jwk::{Jwk, JwkSet};

use super::claims::Claims;
use super::token::{JoseError, Unverified, VerifyingKey, fits};
use crate::config::SigningAlgorithm;

/// The most keys of a set that are tried for one token.
const MOST_KEYS: usize = 16;

/// What a token that a client signs is for. One kind is never good in the place of another (RFC 8725 section 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It authenticates the client (RFC 7523 section 3).
    ClientAssertion,
    /// It is an authorization request (RFC 9101 section 4).
    RequestObject,
}

impl Kind {
    /// The `typ` that says so. Neither standard demands one, so a token may say nothing, or no more than that it
    /// is a JWT.
    const fn typ(self) -> &'static str {
        match self {
            Self::ClientAssertion => "client-authentication+jwt",
            Self::RequestObject => "oauth-authz-req+jwt",
        }
    }

    /// Claims that only tokens of other kinds have: of logout tokens and other security events, of DPoP proofs, of
    /// ID tokens, and of request objects. Where `typ` says nothing, they do.
    const fn of_others(self) -> &'static [&'static str] {
        match self {
            Self::ClientAssertion => &[
                "events",
                "htm",
                "htu",
                "auth_time",
                "at_hash",
                "nonce",
                "response_type",
                "redirect_uri",
                "code_challenge",
            ],
            Self::RequestObject => &["events", "htm", "htu", "auth_time", "at_hash"],
        }
    }

    fn check_type(self, token: &Unverified<'_>) -> Result<(), JoseError> {
        let says_so = [self.typ(), "JWT"].into_iter().any(|typ| token.is_type(typ));
        if says_so { Ok(()) } else { Err(JoseError::WrongType) }
    }

    fn check_claims(self, claims: &Claims) -> Result<(), JoseError> {
        let is_other = self.of_others().iter().any(|name| claims.contains_key(*name));
        if is_other { Err(JoseError::WrongType) } else { Ok(()) }
    }
}

/// The claims of a token of this kind that one of `keys` signed with one of `allowed`. Times and audience are the
/// caller's.
///
/// # Errors
/// [`JoseError`]; [`JoseError::UnknownKey`] tells that a fresh key set might have the key.
pub fn verify(
    token: &str,
    keys: &JwkSet,
    allowed: &[SigningAlgorithm],
    kind: Kind,
) -> Result<Claims, JoseError> {
    let token = Unverified::parse(token)?;
    token.check_header()?;
    kind.check_type(&token)?;
    let algorithm = token.algorithm(allowed)?;
    let is_named = |key: &&Jwk| token.kid().is_none() || key.common.key_id.as_deref() == token.kid();
    let fitting: Vec<&Jwk> =
        keys.keys.iter().filter(|key| fits(key, algorithm)).filter(is_named).take(MOST_KEYS).collect();
    if fitting.is_empty() {
        return Err(JoseError::UnknownKey);
    }
    let by = |key: &&Jwk| token.verify(&VerifyingKey::new(key, algorithm).ok()?).ok();
    let verified = fitting.iter().find_map(by);
    let other = if token.kid().is_some() { JoseError::BadSignature } else { JoseError::UnknownKey };
    let claims = verified.ok_or(other)?;
    kind.check_claims(&claims)?;
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::samples::Key;
    use super::*;

    #[test]
    fn every_algorithm_verifies_with_its_own_key_and_no_other() {
        for algorithm in SigningAlgorithm::ALL {
            let (key, other) = (Key::new(algorithm, "one"), Key::new(algorithm, "one"));
            let token = key.sign(&json!({ "a": 1 }), "JWT");
            let verify = |keys: &JwkSet, allowed: &[SigningAlgorithm]| {
                verify(&token, keys, allowed, Kind::ClientAssertion)
            };
            assert_eq!(verify(&key.set(), &SigningAlgorithm::ALL).unwrap()["a"], 1);
            assert_eq!(verify(&other.set(), &SigningAlgorithm::ALL), Err(JoseError::BadSignature));
            assert_eq!(verify(&JwkSet::default(), &SigningAlgorithm::ALL), Err(JoseError::UnknownKey));
            assert_eq!(verify(&key.set(), &[]), Err(JoseError::WrongAlgorithm));
        }
    }

    #[test]
    fn unsigned_and_symmetric_tokens_are_refused() {
        let key = Key::new(SigningAlgorithm::Es256, "one");
        for (header, error) in [
            (json!({ "alg": "none" }), JoseError::Unsigned),
            (json!({ "alg": "HS256" }), JoseError::WrongAlgorithm),
            (json!({ "alg": "ES256", "jku": "https://evil.example" }), JoseError::ForeignHeader),
            (json!({ "alg": "ES256", "crit": ["exp"] }), JoseError::ForeignHeader),
            (json!({ "alg": "ES256", "kid": "two" }), JoseError::UnknownKey),
            (json!({}), JoseError::Malformed),
        ] {
            let token = key.sign_with_header(&json!({ "a": 1 }), &header);
            let verified = verify(&token, &key.set(), &SigningAlgorithm::ALL, Kind::RequestObject);
            assert_eq!(verified, Err(error), "{header}");
        }
    }

    #[test]
    fn a_token_of_one_kind_is_none_of_another() {
        let key = Key::new(SigningAlgorithm::Es256, "one");
        let read = |typ: Option<&str>, claims: Value, kind: Kind| {
            let mut header = json!({ "alg": "ES256", "kid": "one" });
            if let Some(typ) = typ {
                header["typ"] = json!(typ);
            }
            let token = key.sign_with_header(&claims, &header);
            verify(&token, &key.set(), &SigningAlgorithm::ALL, kind).map(|_| ())
        };
        let (assertion, request) = (Kind::ClientAssertion, Kind::RequestObject);
        for typ in [None, Some("JWT"), Some("jwt"), Some("application/jwt")] {
            assert_eq!(read(typ, json!({ "sub": "c" }), assertion), Ok(()), "{typ:?}");
            assert_eq!(read(typ, json!({ "scope": "openid" }), request), Ok(()), "{typ:?}");
        }
        assert_eq!(read(Some("client-authentication+jwt"), json!({}), assertion), Ok(()));
        assert_eq!(read(Some("application/OAuth-Authz-Req+JWT"), json!({}), request), Ok(()));
        for typ in ["logout+jwt", "at+jwt", "dpop+jwt", "secevent+jwt", "oauth-authz-req+jwt", "JOSE", ""] {
            assert_eq!(read(Some(typ), json!({}), assertion), Err(JoseError::WrongType), "{typ}");
        }
        for typ in ["logout+jwt", "at+jwt", "dpop+jwt", "client-authentication+jwt", ""] {
            assert_eq!(read(Some(typ), json!({}), request), Err(JoseError::WrongType), "{typ}");
        }
        for claims in [
            json!({ "events": {} }),
            json!({ "htm": "POST" }),
            json!({ "auth_time": 1 }),
            json!({ "nonce": "n" }),
            json!({ "response_type": "code" }),
        ] {
            assert_eq!(read(None, claims.clone(), assertion), Err(JoseError::WrongType), "{claims}");
        }
        for claims in [json!({ "events": {} }), json!({ "htu": "https://x" }), json!({ "at_hash": "x" })] {
            assert_eq!(read(Some("JWT"), claims.clone(), request), Err(JoseError::WrongType), "{claims}");
        }
    }
}

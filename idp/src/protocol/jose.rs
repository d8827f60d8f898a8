//! Tokens that clients sign: read with the client's own keys and no others.

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

use crate::config::SigningAlgorithm;

/// How far a client's clock may be off, in seconds.
pub const SKEW: i64 = 10;

/// The most keys of a set that are tried for one token.
const MOST_KEYS: usize = 16;

pub type Claims = Map<String, Value>;

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

    fn check_type(self, header: &Header) -> Result<(), JoseError> {
        let says = |typ: &str| [self.typ(), "JWT"].into_iter().any(|wanted| is_type(typ, wanted));
        if header.typ.as_deref().is_none_or(says) { Ok(()) } else { Err(JoseError::WrongType) }
    }

    fn check_claims(self, claims: &Claims) -> Result<(), JoseError> {
        let is_other = self.of_others().iter().any(|name| claims.contains_key(*name));
        if is_other { Err(JoseError::WrongType) } else { Ok(()) }
    }
}

/// Why a token is not the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    #[error("it is not a signed JWT")]
    Malformed,
    /// `alg: none` (RFC 8725 section 3.2).
    #[error("it is not signed")]
    Unsigned,
    /// A header that would bring its own key or rules (RFC 8725 section 3.10).
    #[error("its header names keys or rules of its own")]
    ForeignHeader,
    #[error("it is a token of another kind, by its typ or its claims")]
    WrongType,
    #[error("its algorithm is not one that is allowed here")]
    WrongAlgorithm,
    #[error("it was signed with a key that the client has not registered")]
    UnknownKey,
    #[error("its signature does not verify")]
    BadSignature,
}

/// The header of a token, before anything is verified.
///
/// # Errors
/// [`JoseError::Malformed`] or [`JoseError::Unsigned`].
pub fn header(token: &str) -> Result<Header, JoseError> {
    if token.split('.').count() != 3 {
        return Err(JoseError::Malformed);
    }
    decode_header(token)
        .map_err(|_| if is_unsigned(token) { JoseError::Unsigned } else { JoseError::Malformed })
}

fn is_unsigned(token: &str) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = header.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    header.is_some_and(|header| header["alg"] == "none")
}

/// The claims of a token that nobody verified: to find out whose keys to verify it with, and for nothing else.
pub fn unverified_claims(token: &str) -> Option<Claims> {
    jsonwebtoken::dangerous::insecure_decode::<Claims>(token).ok().map(|data| data.claims)
}

/// The algorithm of a header, if it is one of these.
///
/// # Errors
/// [`JoseError::WrongAlgorithm`].
pub fn algorithm_of(header: &Header, allowed: &[SigningAlgorithm]) -> Result<Algorithm, JoseError> {
    let found = allowed.iter().map(|algorithm| algorithm.verification()).find(|known| *known == header.alg);
    found.ok_or(JoseError::WrongAlgorithm)
}

/// Whether a header would bring its own key or rules (RFC 8725 section 3.10).
pub fn is_foreign(header: &Header) -> bool {
    header.jku.is_some()
        || header.jwk.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some()
        || header.crit.is_some()
}

/// Whether `typ` says `wanted`, as RFC 7515 section 4.1.9 compares them.
pub fn is_type(typ: &str, wanted: &str) -> bool {
    let bare = |typ: &str| typ.to_ascii_lowercase().trim_start_matches("application/").to_owned();
    bare(typ) == bare(wanted)
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
    let header = header(token)?;
    if is_foreign(&header) {
        return Err(JoseError::ForeignHeader);
    }
    kind.check_type(&header)?;
    let algorithm = algorithm_of(&header, allowed)?;
    let fitting: Vec<&Jwk> = keys
        .keys
        .iter()
        .filter(|key| fits(key, algorithm))
        .filter(|key| header.kid.is_none() || key.common.key_id == header.kid)
        .take(MOST_KEYS)
        .collect();
    if fitting.is_empty() {
        return Err(JoseError::UnknownKey);
    }
    let verified = fitting.iter().find_map(|key| verify_with(token, key, algorithm).ok());
    let claims =
        verified.ok_or(if header.kid.is_some() { JoseError::BadSignature } else { JoseError::UnknownKey })?;
    kind.check_claims(&claims)?;
    Ok(claims)
}

/// The claims of a token that `key` signed.
///
/// # Errors
/// [`JoseError::BadSignature`].
pub fn verify_with(token: &str, key: &Jwk, algorithm: Algorithm) -> Result<Claims, JoseError> {
    let key = DecodingKey::from_jwk(key).map_err(|_| JoseError::BadSignature)?;
    decode::<Claims>(token, &key, &signature_only(algorithm))
        .map(|data| data.claims)
        .map_err(|_| JoseError::BadSignature)
}

/// Whether a key may be used with an algorithm (RFC 8725 section 3.1, RFC 7517 sections 4.2 and 4.4).
pub fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    use jsonwebtoken::jwk::EllipticCurve;
    let kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, Algorithm::RS256 | Algorithm::PS256),
        AlgorithmParameters::EllipticCurve(key) => {
            algorithm == Algorithm::ES256 && key.curve == EllipticCurve::P256
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            algorithm == Algorithm::EdDSA && key.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    let is_for_it =
        key.common.key_algorithm.is_none_or(|named| named.to_string() == format!("{algorithm:?}"));
    kind && is_for_it
        && key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
}

/// Only the signature: the crate's own checks of times read the system's clock.
pub fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// A claim that is a time, in seconds (RFC 7519 section 2).
fn time(claims: &Claims, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    #[allow(clippy::cast_possible_truncation, reason = "a NumericDate may have a fraction; it is dropped")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// Whether `exp`, `nbf` and `iat`, where they are there, let the token be used at `now` (seconds; RFC 7519
/// section 4.1).
pub fn is_in_time(claims: &Claims, now: i64) -> bool {
    let holds = |name: &str, rule: fn(i64, i64) -> bool| {
        !claims.contains_key(name) || time(claims, name).is_some_and(|at| rule(at, now))
    };
    holds("exp", |exp, now| exp > now.saturating_sub(SKEW))
        && holds("nbf", |nbf, now| nbf <= now.saturating_add(SKEW))
        && holds("iat", |iat, now| iat <= now.saturating_add(SKEW))
}

/// `exp`, in seconds, if it is a number.
pub fn expiry(claims: &Claims) -> Option<i64> {
    time(claims, "exp")
}

/// `nbf`, in seconds, if it is a number.
pub fn not_before(claims: &Claims) -> Option<i64> {
    time(claims, "nbf")
}

/// `iat`, in seconds, if it is a number.
pub fn issued_at(claims: &Claims) -> Option<i64> {
    time(claims, "iat")
}

/// A claim that is a text that is not empty.
pub fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether `aud`, a text or a list of texts, names one of `accepted` (RFC 7519 section 4.1.3).
pub fn is_for(claims: &Claims, accepted: &[&str]) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => accepted.contains(&one.as_str()),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).any(|one| accepted.contains(&one)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::Key;
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

    #[test]
    fn times_have_ten_seconds_of_leeway() {
        let at = |name: &str, value: Value| is_in_time(json!({ name: value }).as_object().unwrap(), 1_000);
        assert!(at("nbf", json!(1_008)) && !at("nbf", json!(1_060)));
        assert!(at("exp", json!(991)) && !at("exp", json!(700)) && at("exp", json!(1_000.5)));
        assert!(at("iat", json!(1_010)) && !at("iat", json!(1_011)));
        assert!(!at("exp", json!("soon")) && !at("nbf", json!(null)));
    }
}

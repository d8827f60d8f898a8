//! One token: read, verified by a key, written.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Serialize;
use serde_json::{Map, Value};

use super::claims::Claims;
use crate::config::SigningAlgorithm;

/// Why a token is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Not three parts, not JSON, or an algorithm that nobody knows.
    #[error("it is not a signed JWT")]
    Malformed,
    /// `alg: none` (RFC 8725 section 3.2).
    #[error("it is not signed")]
    Unsigned,
    /// A header that would bring its own key or rules (RFC 8725 section 3.10).
    #[error("its header names keys or rules of its own")]
    ForeignHeader,
    /// RFC 8725 section 3.11.
    #[error("it is a token of another kind, by its typ or its claims")]
    WrongType,
    /// RFC 8725 section 3.1: the key says which algorithm, not the token.
    #[error("its algorithm is not one that is allowed here")]
    WrongAlgorithm,
    #[error("it was signed with a key that is not registered, or not any more")]
    UnknownKey,
    /// A `jwk` in the header that everybody can sign with now.
    #[error("its header shows a private key")]
    PrivateKey,
    #[error("its signature does not verify")]
    BadSignature,
}

/// A compact JWS (RFC 7515 section 7.1) of which nothing but the header was read.
pub struct Unverified<'a> {
    token: &'a str,
    header: Header,
}

impl<'a> Unverified<'a> {
    /// # Errors
    /// [`JoseError::Malformed`] or [`JoseError::Unsigned`].
    pub fn parse(token: &'a str) -> Result<Self, JoseError> {
        if token.split('.').count() != 3 {
            return Err(JoseError::Malformed);
        }
        let is_unsigned = || header_json(token)?.get("alg").map(|alg| alg == "none");
        match decode_header(token) {
            Ok(header) => Ok(Self { token, header }),
            Err(_) if is_unsigned() == Some(true) => Err(JoseError::Unsigned),
            Err(_) => Err(JoseError::Malformed),
        }
    }

    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Whether its `typ` says `wanted`, as RFC 7515 section 4.1.9 compares them. Without one it counts as `JWT`.
    pub fn is_type(&self, wanted: &str) -> bool {
        let bare = |typ: &str| typ.to_ascii_lowercase().trim_start_matches("application/").to_owned();
        bare(self.typ().unwrap_or("JWT")) == bare(wanted)
    }

    /// Its algorithm, if it is one of these.
    ///
    /// # Errors
    /// [`JoseError::WrongAlgorithm`].
    pub fn algorithm(&self, allowed: &[SigningAlgorithm]) -> Result<SigningAlgorithm, JoseError> {
        let found = allowed.iter().copied().find(|known| verification(*known) == self.header.alg);
        found.ok_or(JoseError::WrongAlgorithm)
    }

    /// That its header brings neither a key nor rules of its own (RFC 8725 section 3.10).
    ///
    /// # Errors
    /// [`JoseError::ForeignHeader`].
    pub fn check_header(&self) -> Result<(), JoseError> {
        self.check_rules()?;
        let brings_key = self.header.jwk.is_some() || self.header.x5c.is_some();
        if brings_key { Err(JoseError::ForeignHeader) } else { Ok(()) }
    }

    /// The same, but for a key that stands in the header itself, as that of a DPoP proof does.
    ///
    /// # Errors
    /// [`JoseError::ForeignHeader`].
    pub fn check_rules(&self) -> Result<(), JoseError> {
        let brings = self.header.jku.is_some() || self.header.x5u.is_some() || self.header.crit.is_some();
        if brings { Err(JoseError::ForeignHeader) } else { Ok(()) }
    }

    /// The public key in its header (RFC 7515 section 4.1.3).
    ///
    /// # Errors
    /// [`JoseError::UnknownKey`] if there is none; [`JoseError::PrivateKey`].
    pub fn embedded_key(&self) -> Result<Jwk, JoseError> {
        // From the JSON: a typed key would not show private parts.
        let header = header_json(self.token).ok_or(JoseError::Malformed)?;
        let jwk = header.get("jwk").and_then(Value::as_object).ok_or(JoseError::UnknownKey)?;
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.contains_key(*name)) {
            return Err(JoseError::PrivateKey);
        }
        serde_json::from_value(Value::Object(jwk.clone())).map_err(|_| JoseError::UnknownKey)
    }

    /// Its claims, if `key` signed it. Times and audience are the caller's.
    ///
    /// # Errors
    /// [`JoseError::WrongAlgorithm`] or [`JoseError::BadSignature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<Claims, JoseError> {
        if self.header.alg != verification(key.algorithm) {
            return Err(JoseError::WrongAlgorithm);
        }
        self.verify_with(&key.key, vec![self.header.alg])
    }

    /// Its claims, if it was signed with this shared secret (HMAC, RFC 7518 section 3.2).
    ///
    /// # Errors
    /// [`JoseError::BadSignature`], also for another kind of algorithm.
    pub fn verify_shared(&self, secret: &[u8]) -> Result<Claims, JoseError> {
        let algorithms = vec![Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
        self.verify_with(&DecodingKey::from_secret(secret), algorithms)
    }

    fn verify_with(&self, key: &DecodingKey, algorithms: Vec<Algorithm>) -> Result<Claims, JoseError> {
        // Only the signature: the crate's own checks of times read the system's clock.
        let mut rules = Validation::new(self.header.alg);
        rules.algorithms = algorithms;
        rules.required_spec_claims.clear();
        rules.validate_exp = false;
        rules.validate_nbf = false;
        rules.validate_aud = false;
        let verified = decode::<Claims>(self.token, key, &rules).map_err(|_| JoseError::BadSignature)?;
        Ok(verified.claims)
    }
}

/// The claims of a token that nobody verified: to find out whose keys to verify it with, and for nothing else.
pub fn unverified_claims(token: &str) -> Option<Claims> {
    jsonwebtoken::dangerous::insecure_decode::<Claims>(token).ok().map(|data| data.claims)
}

fn header_json(token: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// A public key, parsed once, for the one algorithm that it serves.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: SigningAlgorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// # Errors
    /// [`JoseError::WrongAlgorithm`] if the key is not for that algorithm; [`JoseError::BadSignature`] if it is none.
    pub fn new(jwk: &Jwk, algorithm: SigningAlgorithm) -> Result<Self, JoseError> {
        if !fits(jwk, algorithm) {
            return Err(JoseError::WrongAlgorithm);
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|_| JoseError::BadSignature)?;
        Ok(Self { algorithm, key })
    }
}

/// Whether a key may be used with an algorithm (RFC 8725 section 3.1, RFC 7517 sections 4.2 and 4.4).
pub(super) fn fits(key: &Jwk, algorithm: SigningAlgorithm) -> bool {
    use SigningAlgorithm::{EdDsa, Es256, Ps256, Rs256};
    let is_of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, Rs256 | Ps256),
        AlgorithmParameters::EllipticCurve(key) => algorithm == Es256 && key.curve == EllipticCurve::P256,
        AlgorithmParameters::OctetKeyPair(key) => algorithm == EdDsa && key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let common = &key.common;
    is_of_kind
        && common.key_algorithm.is_none_or(|named| named.to_string() == algorithm.name())
        && common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
}

/// The SHA-256 thumbprint of a key (RFC 7638).
pub fn thumbprint(jwk: &Jwk) -> Option<String> {
    jwk.thumbprint(ThumbprintHash::SHA256).ok()
}

/// A compact JWS, with whatever `sign` makes of its first two parts for the third.
///
/// # Errors
/// The signer's, or if the parts are no JSON.
pub fn compact<E: From<serde_json::Error>>(
    header: &impl Serialize,
    claims: &impl Serialize,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<String, E> {
    let (header, claims) = (serde_json::to_vec(header)?, serde_json::to_vec(claims)?);
    let mut token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

const fn verification(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Ps256 => Algorithm::PS256,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

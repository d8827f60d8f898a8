//! One key: made, parsed, and used with aws-lc-rs. The only file that touches private key material.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use openidconnect::core::{CoreJsonCurveType, CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey, SigningError};
use std::sync::Arc;
use zeroize::Zeroizing;

use super::error::KeyError;
use crate::config::SigningAlgorithm as Algorithm;

/// A parsed private key; aws-lc signs with it from several threads at once.
pub(super) enum KeyPair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl KeyPair {
    /// Makes a key. RSA-2048 takes a tenth of a second of one core: not for an async thread.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Crypto("a key cannot be generated");
        Ok(match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?)
            }
            Algorithm::Es256 => {
                Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?)
            }
            Algorithm::EdDsa => Self::Ed(Ed25519KeyPair::generate().map_err(failed)?),
        })
    }

    pub(super) fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Crypto("a stored key is not a PKCS#8 key of its algorithm");
        Ok(match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(failed)?),
            Algorithm::Es256 => {
                Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(failed)?)
            }
            Algorithm::EdDsa => Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(failed)?),
        })
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let failed = |_| KeyError::Crypto("a key cannot be written as PKCS#8");
        Ok(Zeroizing::new(match self {
            Self::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map_err(failed)?.as_ref().to_vec(),
            Self::Ec(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            // With the public half beside it (RFC 5958), so that reading it notices a wrong one.
            Self::Ed(pair) => pair.to_pkcs8().map_err(failed)?.as_ref().to_vec(),
        }))
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let padding: &dyn RsaEncoding =
                    if algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)?;
                Ok(signature)
            }
            // RFC 7518 section 3.4 wants R and S side by side, which is this key's fixed format.
            Self::Ec(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Self::Ed(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
        }
    }

    /// The public half as a JWK with `kid`, `use` and `alg` (RFC 7517 section 4).
    pub(super) fn public_jwk(&self, kid: &str, algorithm: Algorithm) -> Result<CoreJsonWebKey, KeyError> {
        let kid = Some(JsonWebKeyId::new(kid.to_owned()));
        let plain = match self {
            Self::Rsa(pair) => {
                let RsaPublicKeyComponents { n, e } =
                    RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                CoreJsonWebKey::new_rsa(n, e, kid)
            }
            Self::Ec(pair) => match pair.public_key().as_ref() {
                // SEC 1 section 2.3.3: an uncompressed point, two coordinates of 32 bytes.
                [4, point @ ..] if point.len() == 64 => {
                    let (x, y) = point.split_at(32);
                    CoreJsonWebKey::new_ec(x.to_vec(), y.to_vec(), CoreJsonCurveType::P256, kid)
                }
                _ => return Err(KeyError::Crypto("a public key is not an uncompressed point of P-256")),
            },
            Self::Ed(pair) => {
                CoreJsonWebKey::new_okp(pair.public_key().as_ref().to_vec(), CoreJsonCurveType::Ed25519, kid)
            }
        };
        // The type has no setter for `alg`; its JSON form takes one.
        let mut json = serde_json::to_value(plain)?;
        json["alg"] = algorithm.name().into();
        Ok(serde_json::from_value(json)?)
    }
}

/// Signs with one key of the ring; what `openidconnect` asks for in `IdToken::new`.
#[derive(Clone)]
pub struct Signer {
    pub(super) kid: Arc<str>,
    pub(super) algorithm: Algorithm,
    pub(super) public: Arc<CoreJsonWebKey>,
    pub(super) pair: Arc<KeyPair>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({} {})", self.kid, self.algorithm)
    }
}

impl Signer {
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm, as `IdToken::new` wants to be told.
    pub fn algorithm(&self) -> CoreJwsSigningAlgorithm {
        self.algorithm.core()
    }

    pub(super) fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.pair.sign(self.algorithm, message).map_err(|_| KeyError::Crypto("signing failed"))
    }
}

impl PrivateSigningKey for Signer {
    type VerificationKey = CoreJsonWebKey;

    fn sign(&self, algorithm: &CoreJwsSigningAlgorithm, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        // A key serves one algorithm (RFC 8725 section 3.1).
        if *algorithm != self.algorithm.core() {
            return Err(SigningError::UnsupportedAlg(format!("{algorithm:?}")));
        }
        self.pair.sign(self.algorithm, message).map_err(|_| SigningError::CryptoError)
    }

    fn as_verification_key(&self) -> CoreJsonWebKey {
        (*self.public).clone()
    }
}

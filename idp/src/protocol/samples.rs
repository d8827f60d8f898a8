//! Clients, their keys, tokens and requests for tests.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::request::Fields;
use serde_json::{Value, json};

use super::jose::{self, Jwk, JwkSet};
use crate::config::{Client, SigningAlgorithm};

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A key of a client.
pub(crate) struct Key {
    pair: Pair,
    algorithm: SigningAlgorithm,
    kid: String,
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Key {
    pub(crate) fn new(algorithm: SigningAlgorithm, kid: &str) -> Self {
        let pair = match algorithm {
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
                let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
                Pair::Rsa(Box::new(RsaKeyPair::from_pkcs8(der.as_ref()).unwrap()))
            }
            SigningAlgorithm::Es256 => {
                Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
            }
            SigningAlgorithm::EdDsa => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
        };
        Self { pair, algorithm, kid: kid.to_owned() }
    }

    /// The public half, as the client registers it.
    pub(crate) fn public(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let parts = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kty": "RSA", "n": encode(parts.n), "e": encode(parts.e) })
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Pair::Ed(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key()) }),
        };
        jwk["kid"] = json!(self.kid);
        jwk
    }

    pub(crate) fn set(&self) -> JwkSet {
        let key: Jwk = serde_json::from_value(self.public()).unwrap();
        JwkSet { keys: vec![key] }
    }

    pub(crate) fn sign(&self, claims: &Value, typ: &str) -> String {
        let header = json!({ "alg": self.algorithm.name(), "typ": typ, "kid": self.kid });
        self.sign_with_header(claims, &header)
    }

    pub(crate) fn sign_with_header(&self, claims: &Value, header: &Value) -> String {
        let random = aws_lc_rs::rand::SystemRandom::new();
        let sign = |message: &[u8]| match &self.pair {
            Pair::Rsa(pair) => {
                let padding = if self.algorithm == SigningAlgorithm::Rs256 {
                    &RSA_PKCS1_SHA256
                } else {
                    &RSA_PSS_SHA256
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        };
        jose::compact::<serde_json::Error>(header, claims, |message| Ok(sign(message))).unwrap()
    }
}

/// A challenge that S256 can have made.
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client with two redirect URIs.
pub(crate) fn client() -> Client {
    Client {
        client_id: "c".into(),
        redirect_uris: vec!["https://rp.example/cb".into(), "https://rp.example/cb?a=1".into()],
        ..Client::default()
    }
}

/// A good authorization request of that client, with changes; what is changed to none is left out.
pub(crate) fn request(changes: &[(&str, Option<&str>)]) -> Fields {
    let mut pairs = vec![
        ("client_id", "c"),
        ("redirect_uri", "https://rp.example/cb"),
        ("response_type", "code"),
        ("scope", "openid profile unknown"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s"),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.extend(value.map(|value| (*name, value)));
    }
    pairs.into_iter().collect()
}

//! An authenticator and the browser around it, in software: real keys and real signatures, and every answer that WebAuthn
//! level 3 forbids.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::random::Random;
use serde_json::{Value, json};

/// The algorithms that it can make keys for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Es256,
    Es384,
    EdDsa,
    Rs256,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A credential in it.
pub struct Credential {
    pub id: Vec<u8>,
    pub user_handle: Vec<u8>,
    rp_id: String,
    pair: Pair,
}

/// What is said that is not so. All are `None`, or false, until a test sets them.
#[derive(Clone, Debug, Default)]
pub struct Lies {
    /// `type` of the client data.
    pub kind: Option<&'static str>,
    pub challenge: Option<String>,
    pub origin: Option<String>,
    pub cross_origin: Option<bool>,
    pub top_origin: Option<String>,
    /// The client data as they stand, instead of JSON.
    pub client_data: Option<Vec<u8>>,
    /// Whose hash stands in the authenticator's data.
    pub rp_id: Option<String>,
    pub credential_id: Option<Vec<u8>>,
    /// `Some(None)`: none.
    pub user_handle: Option<Option<Vec<u8>>>,
    /// Another byte in the signature.
    pub breaks_signature: bool,
    /// The key of another credential, of this number, signs.
    pub signs_with: Option<usize>,
    /// The public key as it stands in the authenticator's data.
    pub public_key: Option<Vec<u8>>,
    pub attestation_format: Option<&'static str>,
    /// An entry in the attestation statement, which the format `none` has not.
    pub has_statement: bool,
    /// Bytes after the end of the authenticator's data.
    pub trailing: Vec<u8>,
    /// The flag of extensions, without any.
    pub claims_extensions: bool,
    /// The whole authenticator's data.
    pub authenticator_data: Option<Vec<u8>>,
    /// What the browser says of extensions.
    pub client_extensions: Option<Value>,
}

/// An authenticator in a browser on a page of `origin`.
pub struct Authenticator {
    pub origin: String,
    pub aaguid: [u8; 16],
    pub algorithm: Algorithm,
    /// UP, UV, BE and BS of what it says (WebAuthn level 3 section 6.1).
    pub present: bool,
    pub verified: bool,
    pub eligible: bool,
    pub backed_up: bool,
    pub counter: u32,
    /// What is added to the counter with each use; 0: it does not count.
    pub step: u32,
    pub lies: Lies,
    pub credentials: Vec<Credential>,
    random: Random,
}

impl Authenticator {
    fn new(origin: &str, copied: bool, step: u32) -> Self {
        Self {
            origin: origin.to_owned(),
            aaguid: [0; 16],
            algorithm: Algorithm::Es256,
            present: true,
            verified: true,
            eligible: copied,
            backed_up: copied,
            counter: step,
            step,
            lies: Lies::default(),
            credentials: Vec::new(),
            random: Random::system(),
        }
    }

    /// One whose passkeys are on all devices of their holder, and that does not count, as password managers are.
    pub fn synced(origin: &str) -> Self {
        Self::new(origin, true, 0)
    }

    /// One whose passkeys stay in it, and that counts, as security keys do.
    pub fn device_bound(origin: &str) -> Self {
        Self::new(origin, false, 1)
    }

    /// `navigator.credentials.create` with these options (`PublicKeyCredentialCreationOptionsJSON`): the answer as
    /// `RegistrationResponseJSON`.
    pub fn create(&mut self, options: &Value) -> Value {
        let pair = self.pair();
        let id = self.lies.credential_id.clone().unwrap_or_else(|| self.random.bytes::<32>().to_vec());
        let rp_id = options["rp"]["id"].as_str().unwrap().to_owned();
        let key = self.lies.public_key.clone().unwrap_or_else(|| public_key(&pair));
        let mut attested = self.aaguid.to_vec();
        attested.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        attested.extend(&id);
        attested.extend(key);
        let data = self.data(&rp_id, Some(&attested));
        let client_data = self.client_data("webauthn.create", options);
        let mut object = vec![0xa3];
        object.extend(text("fmt"));
        object.extend(text(self.lies.attestation_format.unwrap_or("none")));
        object.extend(text("attStmt"));
        if self.lies.has_statement {
            object.push(0xa1);
            object.extend(text("alg"));
            object.extend(number(-7));
        } else {
            object.push(0xa0);
        }
        object.extend(text("authData"));
        object.extend(bytes(&data));
        let user_handle = URL_SAFE_NO_PAD.decode(options["user"]["id"].as_str().unwrap()).unwrap();
        let id_text = URL_SAFE_NO_PAD.encode(&id);
        self.credentials.push(Credential { id, user_handle, rp_id, pair });
        json!({
            "id": id_text, "rawId": id_text, "type": "public-key", "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
                "attestationObject": URL_SAFE_NO_PAD.encode(object),
                "authenticatorData": URL_SAFE_NO_PAD.encode(data),
                "transports": ["hybrid", "internal"],
            },
            "clientExtensionResults": self.lies.client_extensions.clone().unwrap_or(json!({ "credProps": { "rk": true } })),
        })
    }

    /// `navigator.credentials.get` with these options (`PublicKeyCredentialRequestOptionsJSON`), with the last of the
    /// credentials that may be used: the answer as `AuthenticationResponseJSON`.
    pub fn get(&mut self, options: &Value) -> Value {
        let rp_id = options["rpId"].as_str().unwrap().to_owned();
        let allowed: Vec<&str> = options["allowCredentials"]
            .as_array()
            .map(|all| all.iter().map(|one| one["id"].as_str().unwrap()).collect())
            .unwrap_or_default();
        let may = |credential: &Credential| {
            credential.rp_id == rp_id
                && (allowed.is_empty() || allowed.contains(&URL_SAFE_NO_PAD.encode(&credential.id).as_str()))
        };
        let at = self.credentials.iter().rposition(may).expect("a credential for this page");
        self.get_with(at, options)
    }

    /// As [`Self::get`], with the credential of a number, whatever was asked for.
    pub fn get_with(&mut self, at: usize, options: &Value) -> Value {
        self.counter = self.counter.wrapping_add(self.step);
        let data = self.data(options["rpId"].as_str().unwrap(), None);
        let client_data = self.client_data("webauthn.get", options);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, &client_data).as_ref());
        let mut signature = sign(&self.credentials[self.lies.signs_with.unwrap_or(at)].pair, &signed);
        if self.lies.breaks_signature {
            let last = signature.len() - 1;
            signature[last] ^= 1;
        }
        let credential = &self.credentials[at];
        let id = URL_SAFE_NO_PAD.encode(self.lies.credential_id.as_ref().unwrap_or(&credential.id));
        let handle = self.lies.user_handle.clone().unwrap_or_else(|| Some(credential.user_handle.clone()));
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": URL_SAFE_NO_PAD.encode(client_data),
                "authenticatorData": URL_SAFE_NO_PAD.encode(data),
                "signature": URL_SAFE_NO_PAD.encode(signature),
                "userHandle": handle.map(|handle| URL_SAFE_NO_PAD.encode(handle)),
            },
            "clientExtensionResults": self.lies.client_extensions.clone().unwrap_or(json!({})),
        })
    }

    /// Gives a second authenticator the credentials of this one, as a thief does who could copy them, or a cloud.
    pub fn copied(self) -> [Self; 2] {
        let pair = |pair: &Pair| match pair {
            Pair::Ec(pair) => Pair::Ec(
                EcdsaKeyPair::from_pkcs8(
                    &ECDSA_P256_SHA256_ASN1_SIGNING,
                    pair.to_pkcs8v1().unwrap().as_ref(),
                )
                .unwrap(),
            ),
            _ => panic!("copies of ES256 keys only"),
        };
        let credentials = self.credentials.iter().map(|one| Credential {
            id: one.id.clone(),
            user_handle: one.user_handle.clone(),
            rp_id: one.rp_id.clone(),
            pair: pair(&one.pair),
        });
        let copy = Self {
            origin: self.origin.clone(),
            lies: self.lies.clone(),
            credentials: credentials.collect(),
            random: self.random.clone(),
            ..self
        };
        [self, copy]
    }

    fn pair(&self) -> Pair {
        match self.algorithm {
            Algorithm::Es256 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            Algorithm::Es384 => Pair::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap()),
            Algorithm::EdDsa => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
            Algorithm::Rs256 => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        }
    }

    /// WebAuthn level 3 section 6.1.
    fn data(&self, rp_id: &str, attested: Option<&[u8]>) -> Vec<u8> {
        if let Some(data) = &self.lies.authenticator_data {
            return data.clone();
        }
        let rp_id = self.lies.rp_id.as_deref().unwrap_or(rp_id);
        let mut data = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        let flags = [
            (self.present, 0x01),
            (self.verified, 0x04),
            (self.eligible, 0x08),
            (self.backed_up, 0x10),
            (attested.is_some(), 0x40),
            (self.lies.claims_extensions, 0x80),
        ];
        data.push(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum());
        data.extend(self.counter.to_be_bytes());
        data.extend(attested.unwrap_or_default());
        data.extend(&self.lies.trailing);
        data
    }

    /// WebAuthn level 3 section 5.8.1, in the order of section 5.8.1.1.
    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        if let Some(data) = &self.lies.client_data {
            return data.clone();
        }
        let challenge = options["challenge"].as_str().unwrap();
        let challenge = self.lies.challenge.as_deref().unwrap_or(challenge);
        let origin = self.lies.origin.as_deref().unwrap_or(&self.origin);
        let top = self.lies.top_origin.as_ref().map(|top| format!(",\"topOrigin\":{}", json!(top)));
        format!(
            "{{\"type\":{},\"challenge\":{},\"origin\":{},\"crossOrigin\":{}{}}}",
            json!(self.lies.kind.unwrap_or(kind)),
            json!(challenge),
            json!(origin),
            self.lies.cross_origin.unwrap_or(false),
            top.unwrap_or_default()
        )
        .into_bytes()
    }
}

fn sign(pair: &Pair, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match pair {
        Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
        Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        Pair::Rsa(pair) => {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
            signature
        }
    }
}

/// A COSE key (RFC 9052 section 7, RFC 9053), in CTAP2's order.
fn public_key(pair: &Pair) -> Vec<u8> {
    let entries: Vec<(i64, Vec<u8>)> = match pair {
        Pair::Ec(pair) => {
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            let (algorithm, curve) = if x.len() == 32 { (-7, 1) } else { (-35, 2) };
            vec![(1, number(2)), (3, number(algorithm)), (-1, number(curve)), (-2, bytes(x)), (-3, bytes(y))]
        }
        Pair::Ed(pair) => {
            vec![(1, number(1)), (3, number(-8)), (-1, number(6)), (-2, bytes(pair.public_key().as_ref()))]
        }
        Pair::Rsa(pair) => {
            let key = pair.public_key();
            let modulus = key.modulus().big_endian_without_leading_zero().to_vec();
            let exponent = key.exponent().big_endian_without_leading_zero().to_vec();
            vec![(1, number(3)), (3, number(-257)), (-1, bytes(&modulus)), (-2, bytes(&exponent))]
        }
    };
    let mut out = vec![0xa0 | u8::try_from(entries.len()).unwrap()];
    for (name, value) in entries {
        out.extend(number(name));
        out.extend(value);
    }
    out
}

/// The head of a CBOR item (RFC 8949 section 3): its major type and a number.
fn head(major: u8, value: u64) -> Vec<u8> {
    let major = major << 5;
    match value {
        0..=23 => vec![major | u8::try_from(value).unwrap()],
        24..=0xff => vec![major | 0x18, u8::try_from(value).unwrap()],
        _ => {
            let mut out = vec![major | 0x19];
            out.extend(u16::try_from(value).unwrap().to_be_bytes());
            out
        }
    }
}

fn number(value: i64) -> Vec<u8> {
    u64::try_from(value).map_or_else(|_| head(1, u64::try_from(-1 - value).unwrap()), |value| head(0, value))
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [head(2, value.len() as u64), value.to_vec()].concat()
}

fn text(value: &str) -> Vec<u8> {
    [head(3, value.len() as u64), value.as_bytes().to_vec()].concat()
}

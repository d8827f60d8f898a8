//! What the properties of signed tokens share: a key of a client that is always the same, and tokens of it.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

pub const ISSUER: &str = "https://login.example.nl";
pub const CLIENT: &str = "c";
/// The present, in seconds.
pub const NOW: i64 = 1_800_000_000;

pub type Object = Map<String, Value>;

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
}

/// The public half of the key (RFC 8037 section 2).
pub fn public_key() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(pair().public_key()) })
}

/// A token of the key.
pub fn sign(header: &Object, claims: &Object) -> String {
    let part = |part: &Object| URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = pair().sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A part of a token as JSON.
pub fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).unwrap_or_default()
}

/// `defaults`, with `changes` put over them; a `null` there takes one away.
pub fn with(defaults: Value, changes: Option<&Value>) -> Object {
    let Value::Object(mut object) = defaults else { return Map::new() };
    for (name, value) in changes.and_then(Value::as_object).into_iter().flatten() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    object
}

//! Request objects (RFC 9101): only what the client signed counts, and it is read as parameters of a form would be.

use idp::protocol::authorization::Arrival;
use idp::protocol::request_object::parameters;
use platform::request::Fields;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::authorization::read;
use crate::jose::{CLIENT, ISSUER, NOW};

/// The claims of an object whose signature holds.
pub fn holds(data: &[u8]) {
    let Ok(Value::Object(claims)) = serde_json::from_slice::<Value>(data) else { return };
    let strict = parameters(&claims, CLIENT, ISSUER, true, NOW);
    let loose = parameters(&claims, CLIENT, ISSUER, false, NOW);
    if strict.is_ok() {
        assert_eq!(strict, loose);
        assert_eq!(claims["iss"], CLIENT);
        assert!(claims.contains_key("exp"));
    }
    let Ok(fields) = loose else { return };
    assert_eq!(fields.get("client_id"), Some(CLIENT));
    assert!(claims.get("iss").is_none_or(|iss| iss == CLIENT));
    for (name, value) in fields.iter() {
        assert!(!["iss", "aud", "exp", "nbf", "iat", "jti", "request", "request_uri"].contains(&name));
        match &claims.get(name) {
            Some(Value::String(text)) => assert_eq!(text, value),
            Some(other) => assert_eq!(other.to_string(), value),
            None => assert_eq!((name, value), ("client_id", CLIENT)),
        }
        assert!(!name.contains('\0') && !value.contains('\0'), "{name:?}");
    }
    // A form could have said the same, but for the character that stands for what is not UTF-8.
    if !fields.iter().any(|(name, value)| name.contains('\u{FFFD}') || value.contains('\u{FFFD}')) {
        let form = Serializer::new(String::new()).extend_pairs(fields.iter()).finish();
        assert_eq!(Fields::parse(form.as_bytes()).as_ref(), Ok(&fields));
    }
    read(&fields, Arrival { signed: true, ..Arrival::default() });
    assert!(parameters(&claims, "d", ISSUER, true, NOW).is_err());
}

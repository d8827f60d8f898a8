//! Client assertions (RFC 7523 section 3): only the client's own, for this issuer, in time, and only until they are
//! forgotten.

use idp::config::SigningAlgorithm;
use idp::protocol::jose::{Kind, SKEW, verify};
use idp::protocol::{assertion, jose as idp_jose};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};

use crate::claims::has_fraction;
use crate::jose::{CLIENT, ISSUER, NOW, Object, part, public_key, sign, with};

const AUDIENCES: [&str; 2] = [ISSUER, "https://login.example.nl/token"];

/// A token as it came, or a JSON object that changes the claims and the header of a good one: `{"claims": {...},
/// "header": {...}}`.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(changes)) => {
            let claims = json!({
                "iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1",
            });
            let claims = with(claims, changes.get("claims"));
            let header = with(json!({ "alg": "EdDSA", "typ": "JWT" }), changes.get("header"));
            let token = sign(&header, &claims);
            let verified = token_holds(&token);
            // A claim that is not of its type (RFC 7519 section 4.1) may be refused here already.
            if let Some(verified) = &verified
                && !has_fraction(&Value::Object(claims.clone()))
            {
                assert_eq!(*verified, claims, "what the client signed is read as it was written");
            }
            assert!(verified.is_some() || !changes.is_empty(), "the good one is signed");
            let is_accepted = claims_hold(&claims);
            assert!(is_accepted || !changes.is_empty(), "the good one is good");
        }
        _ => {
            // Nobody else has the key: what verifies is one of its own tokens.
            if let Some(claims) = token_holds(text) {
                if !has_fraction(&part(text, 1)) {
                    assert_eq!(Value::Object(claims.clone()), part(text, 1));
                }
                claims_hold(&claims);
            }
        }
    }
}

/// The claims, if the signature holds.
fn token_holds(token: &str) -> Option<Object> {
    let named = assertion::client_of(token);
    let keys: JwkSet = serde_json::from_value(json!({ "keys": [public_key()] })).unwrap();
    let claims = verify(token, &keys, &SigningAlgorithm::ALL, Kind::ClientAssertion).ok()?;
    let header = part(token, 0);
    assert_eq!(header["alg"], "EdDSA");
    assert!(["jku", "jwk", "x5u", "crit"].iter().all(|name| header[name].is_null()), "{header}");
    assert_eq!(named.as_deref(), idp_jose::text(&claims, "sub"));
    assert!(
        verify(token, &keys, &[SigningAlgorithm::Rs256, SigningAlgorithm::Es256], Kind::ClientAssertion)
            .is_err()
    );
    assert!(
        verify(token, &JwkSet { keys: Vec::new() }, &SigningAlgorithm::ALL, Kind::ClientAssertion).is_err()
    );
    Some(claims)
}

/// Whether they were accepted.
fn claims_hold(claims: &Object) -> bool {
    let check = |strict, now| assertion::check(claims, CLIENT, &AUDIENCES, strict, now);
    let (strict, loose) = (check(true, NOW), check(false, NOW));
    if strict.is_ok() {
        assert_eq!(strict, loose);
        assert_eq!(claims["aud"], ISSUER);
    }
    let Ok(accepted) = loose else { return false };
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(CLIENT), Some(CLIENT)));
    let audiences = claims["aud"].as_array().cloned().unwrap_or_else(|| vec![claims["aud"].clone()]);
    assert!(audiences.iter().any(|one| AUDIENCES.iter().any(|ours| one == ours)));
    assert!(!accepted.jti.is_empty() && accepted.jti.len() <= 256 && claims["jti"] == accepted.jti.as_str());
    for name in ["nbf", "iat"] {
        let at = claims.get(name).map(|at| at.as_f64().expect("a time is a number"));
        #[allow(clippy::cast_precision_loss, reason = "the present is small")]
        let latest = (NOW + SKEW + 1) as f64;
        assert!(at.is_none_or(|at| at < latest));
    }
    // From when its jti is forgotten it is refused for its age.
    assert!(accepted.until > NOW && accepted.until <= NOW + 3_600 + SKEW);
    assert!(check(false, accepted.until).is_err(), "it could be replayed");
    assert!(assertion::check(claims, "d", &AUDIENCES, false, NOW).is_err());
    let stranger = "https://stranger.example";
    if audiences.iter().all(|one| one != stranger) {
        assert!(assertion::check(claims, CLIENT, &[stranger], false, NOW).is_err());
    }
    true
}

//! DPoP proofs (RFC 9449 section 4.3): an accepted one says all that it has to say, and is good for nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::protocol::dpop::{self, Proof, WINDOW};
use platform::seal::sha256;
use serde_json::{Value, json};

use crate::jose::{NOW, part, public_key, sign, with};

const URL: &str = "https://login.example.nl/token";
const TOKEN: &str = "an access token";

/// A proof as it came, or a JSON object that changes the claims and the header of a good one.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(Value::Object(changes)) = serde_json::from_str::<Value>(text) else {
        proof_holds(text);
        return;
    };
    let claims = json!({ "jti": "1", "htm": "POST", "htu": URL, "iat": NOW, "ath": sha256(TOKEN) });
    let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": public_key() });
    let proof = sign(&with(header, changes.get("header")), &with(claims, changes.get("claims")));
    let is_accepted = proof_holds(&proof);
    assert!(is_accepted || !changes.is_empty(), "the good one is good");
}

/// Whether it was accepted.
fn proof_holds(proof: &str) -> bool {
    let verify = |token, now| dpop::verify(proof, "POST", URL, token, now);
    let with_token = verify(Some(TOKEN), NOW);
    let Ok(accepted) = verify(None, NOW) else {
        assert!(with_token.is_err());
        return false;
    };
    let (header, claims) = (part(proof, 0), part(proof, 1));
    assert_eq!(header["typ"], "dpop+jwt");
    assert!(["ES256", "PS256", "EdDSA"].iter().any(|alg| header["alg"] == *alg));
    let jwk = header["jwk"].as_object().expect("a public key");
    assert!(["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().all(|name| !jwk.contains_key(*name)));
    assert!(["jku", "x5u", "crit"].iter().all(|name| header[name].is_null()));
    assert_eq!(accepted.jkt, thumbprint(&header["jwk"]));
    assert_eq!(claims["htm"], "POST");
    assert_eq!(claims["jti"], accepted.jti.as_str());
    assert!(!accepted.jti.is_empty());
    // To the letter but for what RFC 3986 section 6.2 normalises, query and fragment.
    let htu = url::Url::parse(claims["htu"].as_str().expect("htu")).expect("a URL");
    assert_eq!(
        (htu.origin().ascii_serialization(), htu.path()),
        ("https://login.example.nl".into(), "/token")
    );

    if let Ok(proof) = with_token {
        assert_eq!(proof, accepted);
        assert_eq!(claims["ath"], sha256(TOKEN).as_str());
    }
    let refused = |result: Result<Proof, _>| assert!(result.is_err());
    refused(verify(Some("another token"), NOW));
    refused(dpop::verify(proof, "GET", URL, None, NOW));
    refused(dpop::verify(proof, "POST", "https://login.example.nl/par", None, NOW));
    refused(dpop::verify(proof, "POST", "https://other.example/token", None, NOW));
    refused(verify(None, NOW + 2 * WINDOW + 1));
    refused(verify(None, NOW - 2 * WINDOW - 1));
    true
}

/// RFC 7638 section 3, written out.
fn thumbprint(jwk: &Value) -> String {
    let members: &[&str] = match jwk["kty"].as_str() {
        Some("OKP") => &["crv", "kty", "x"],
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("RSA") => &["e", "kty", "n"],
        other => panic!("no such key: {other:?}"),
    };
    let member = |name: &&str| format!("\"{name}\":{}", jwk[*name]);
    let canonical = format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","));
    let hash = sha256(&canonical);
    assert_eq!(URL_SAFE_NO_PAD.decode(&hash).unwrap().len(), 32);
    hash
}

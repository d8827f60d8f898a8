//! DPoP proofs: a token is good only together with a key (RFC 9449).

use url::Url;

use super::error::OAuthError;
use super::jose::{self, Claims, JoseError, Unverified, VerifyingKey};
use crate::config::SigningAlgorithm;

/// How far `iat` may be off either way, in seconds (RFC 9449 section 11.1).
pub const WINDOW: i64 = 60;

/// The algorithms of proofs: asymmetric, and none with PKCS #1 v1.5.
pub const ALGORITHMS: [SigningAlgorithm; 3] =
    [SigningAlgorithm::Es256, SigningAlgorithm::Ps256, SigningAlgorithm::EdDsa];

/// A proof that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The SHA-256 thumbprint of its key (RFC 7638).
    pub jkt: String,
    pub jti: String,
}

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_dpop_proof", description)
}

/// Checks a proof as RFC 9449 section 4.3 lists it. `htu` is the URL of the endpoint; `access_token` the token
/// that came along, at a resource. Whether `jti` was seen before is the caller's to know.
///
/// # Errors
/// `invalid_dpop_proof`, with what is wrong.
pub fn verify(
    proof: &str,
    htm: &str,
    htu: &str,
    access_token: Option<&str>,
    now: i64,
) -> Result<Proof, OAuthError> {
    let token = Unverified::parse(proof).map_err(|_| refused("the DPoP proof is not a signed JWT"))?;
    if token.typ() != Some("dpop+jwt") {
        return Err(refused("typ of the DPoP proof is not dpop+jwt"));
    }
    let algorithm = token
        .algorithm(&ALGORITHMS)
        .map_err(|_| refused("alg of the DPoP proof is not one that is supported"))?;
    token
        .check_rules()
        .map_err(|_| refused("the header of the DPoP proof names keys or rules of its own"))?;
    let jwk = token.embedded_key().map_err(|error| match error {
        JoseError::PrivateKey => refused("the DPoP proof shows a private key; that key is burnt now"),
        _ => refused("the DPoP proof has no public key in jwk"),
    })?;
    let claims =
        VerifyingKey::new(&jwk, algorithm).and_then(|key| token.verify(&key)).map_err(
            |error| match error {
                JoseError::WrongAlgorithm => refused("the jwk of the DPoP proof is not a key for its alg"),
                _ => refused("the signature of the DPoP proof does not verify"),
            },
        )?;
    let jti = check(&claims, htm, htu, access_token, now)?;
    let jkt = jose::thumbprint(&jwk).ok_or(refused("the jwk of the DPoP proof has no thumbprint"))?;
    Ok(Proof { jkt, jti })
}

fn check(
    claims: &Claims,
    htm: &str,
    htu: &str,
    access_token: Option<&str>,
    now: i64,
) -> Result<String, OAuthError> {
    if jose::text(claims, "htm") != Some(htm) {
        return Err(refused("htm of the DPoP proof is not the method of this request"));
    }
    if !jose::text(claims, "htu").is_some_and(|claimed| is_same_url(claimed, htu)) {
        return Err(refused("htu of the DPoP proof is not the URL of this request"));
    }
    let issued = jose::issued_at(claims).ok_or(refused("the DPoP proof lacks iat"))?;
    if issued.abs_diff(now) > WINDOW.unsigned_abs() {
        return Err(refused("iat of the DPoP proof is too far off"));
    }
    // `iat` has a wider window than in other tokens, so it is not judged again here.
    let others: Claims =
        claims.iter().filter(|(name, _)| *name != "iat").map(|(n, v)| (n.clone(), v.clone())).collect();
    if !jose::is_in_time(&others, now) {
        return Err(refused("the DPoP proof is expired or not valid yet"));
    }
    if let Some(token) = access_token
        && jose::text(claims, "ath") != Some(&platform::seal::sha256(token))
    {
        return Err(refused("ath of the DPoP proof is not the hash of the access token"));
    }
    let jti = jose::text(claims, "jti").filter(|jti| jti.len() <= 256);
    Ok(jti.ok_or(refused("the DPoP proof lacks jti"))?.to_owned())
}

/// RFC 9449 section 4.3: compared without query and fragment, after normalising as RFC 3986 section 6.2 tells.
fn is_same_url(claimed: &str, actual: &str) -> bool {
    let bare = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    matches!((bare(claimed), bare(actual)), (Some(claimed), Some(actual)) if claimed == actual)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::samples::Key;
    use super::*;

    const NOW: i64 = 1_000_000;
    const URL: &str = "https://op.example/token";

    fn proof(key: &Key, algorithm: &str, header: &Value, claims: &Value) -> String {
        let mut jwk = key.public();
        jwk.as_object_mut().unwrap().remove("kid");
        let mut head = json!({ "typ": "dpop+jwt", "alg": algorithm, "jwk": jwk });
        let mut body = json!({ "jti": "1", "htm": "POST", "htu": URL, "iat": NOW });
        for (whole, changes) in [(&mut head, header), (&mut body, claims)] {
            for (name, value) in changes.as_object().unwrap() {
                if value.is_null() {
                    whole.as_object_mut().unwrap().remove(name);
                } else {
                    whole[name] = value.clone();
                }
            }
        }
        key.sign_with_header(&body, &head)
    }

    #[test]
    fn good_proofs_of_each_algorithm_name_their_key() {
        for algorithm in ALGORITHMS {
            let key = Key::new(algorithm, "k");
            let token = proof(&key, algorithm.name(), &json!({}), &json!({ "extra": 1 }));
            let accepted = verify(&token, "POST", URL, None, NOW).unwrap();
            assert_eq!((accepted.jkt.len(), accepted.jti.as_str()), (43, "1"));
        }
    }

    #[test]
    fn each_fault_of_section_4_3_is_refused() {
        let key = Key::new(SigningAlgorithm::Es256, "k");
        let mut private = key.public();
        private["d"] = json!("AAAA");
        let other = Key::new(SigningAlgorithm::Es256, "k").public();
        let header = |changes: Value| proof(&key, "ES256", &changes, &json!({}));
        let claims = |changes: Value| proof(&key, "ES256", &json!({}), &changes);
        let rsa = Key::new(SigningAlgorithm::Rs256, "k");
        let cases = [
            "no.jwt".to_owned(),
            header(json!({ "typ": null })),
            header(json!({ "typ": "JWT" })),
            header(json!({ "alg": null })),
            header(json!({ "alg": "none" })),
            header(json!({ "alg": "HS256" })),
            header(json!({ "alg": "PS256" })),
            header(json!({ "jwk": null })),
            header(json!({ "jwk": private })),
            header(json!({ "jwk": other })),
            header(json!({ "crit": ["exp"] })),
            claims(json!({ "jti": null })),
            claims(json!({ "htm": null })),
            claims(json!({ "htm": "GET" })),
            claims(json!({ "htm": "post" })),
            claims(json!({ "htu": null })),
            claims(json!({ "htu": "https://op.example/par" })),
            claims(json!({ "htu": "http://op.example/token" })),
            claims(json!({ "iat": null })),
            claims(json!({ "iat": NOW - 3_600 })),
            claims(json!({ "iat": NOW + 3_600 })),
            claims(json!({ "exp": NOW - 60 })),
            claims(json!({ "nbf": NOW + 60 })),
            proof(&rsa, "RS256", &json!({}), &json!({})),
        ];
        for token in cases {
            let refused = verify(&token, "POST", URL, None, NOW).unwrap_err();
            assert_eq!(refused.error, "invalid_dpop_proof", "{token}");
        }
    }

    #[test]
    fn tolerated_are_query_fragment_case_of_the_host_default_port_and_ten_seconds() {
        let key = Key::new(SigningAlgorithm::EdDsa, "k");
        for claims in [
            json!({ "htu": "https://op.example/token?a=1#b" }),
            json!({ "htu": "HTTPS://OP.example/token" }),
            json!({ "htu": "https://op.example:443/token" }),
            json!({ "iat": NOW - 10 }),
            json!({ "iat": NOW + 10 }),
        ] {
            let token = proof(&key, "EdDSA", &json!({}), &claims);
            assert!(verify(&token, "POST", URL, None, NOW).is_ok(), "{claims}");
        }
    }

    #[test]
    fn at_a_resource_the_proof_names_the_token() {
        let key = Key::new(SigningAlgorithm::Es256, "k");
        let right = proof(&key, "ES256", &json!({}), &json!({ "ath": platform::seal::sha256("token") }));
        let missing = proof(&key, "ES256", &json!({}), &json!({}));
        assert!(verify(&right, "POST", URL, Some("token"), NOW).is_ok());
        assert!(verify(&right, "POST", URL, Some("another"), NOW).is_err());
        assert!(verify(&missing, "POST", URL, Some("token"), NOW).is_err());
    }
}

//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4): how the provider ends a session from
//! behind. Verified by hand here, check by check, since they are no ID tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::JsonWebKey as _;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeySet, JwsSigningAlgorithm as _};
use platform::clock::Timestamp;
use serde::Deserialize;

use super::{OidcError, Provider};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How far the provider's clock may differ from ours, in seconds.
const SKEW: i64 = 60;

/// A logout token that holds. Whether it was used before is for the receiver to remember, by `jti`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    pub jti: String,
    pub sid: Option<String>,
    pub sub: Option<String>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    iat: i64,
    exp: i64,
    jti: String,
    events: serde_json::Map<String, serde_json::Value>,
    sid: Option<String>,
    sub: Option<String>,
    nonce: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// A token taken apart, nothing of it believed.
struct Parts<'a> {
    header: Header,
    claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

impl Provider {
    /// Verifies a logout token; an unknown key makes the provider's keys be read again.
    ///
    /// # Errors
    /// [`OidcError::Invalid`] with the check that failed, [`OidcError::Unavailable`] without keys.
    pub async fn logout_token(&self, token: &str) -> Result<LogoutToken, OidcError> {
        let parts = take_apart(token).ok_or_else(|| OidcError::Invalid("not a logout token".into()))?;
        let mut known = self.verifying().await?;
        if !has_key(&known.keys, &parts.header) {
            known = self.with_newer_keys(&known).await?;
        }
        verify_signature(&known.keys, &parts).map_err(|why| OidcError::Invalid(why.into()))?;
        let (issuer, client) = (self.settings.issuer.as_str(), self.settings.client_id.as_str());
        check(parts.claims, issuer, client, self.clock.now()).map_err(|why| OidcError::Invalid(why.into()))
    }
}

fn take_apart(token: &str) -> Option<Parts<'_>> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    Some(Parts {
        header: serde_json::from_slice(&decode(header)?).ok()?,
        claims: serde_json::from_slice(&decode(claims)?).ok()?,
        signed,
        signature: decode(signature)?,
    })
}

fn has_key(keys: &JsonWebKeySet<CoreJsonWebKey>, header: &Header) -> bool {
    keys.keys().iter().any(|key| key.key_id().map(|kid| kid.as_str()) == header.kid.as_deref())
}

fn verify_signature(keys: &JsonWebKeySet<CoreJsonWebKey>, parts: &Parts<'_>) -> Result<(), &'static str> {
    let header = &parts.header;
    let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
    if typ != "logout+jwt" && typ != "application/logout+jwt" {
        return Err("typ is not logout+jwt");
    }
    if header.crit.is_some() {
        return Err("crit names an extension that is not known here");
    }
    let algorithm: CoreJwsSigningAlgorithm =
        serde_json::from_value(header.alg.clone().into()).map_err(|_| "alg is not known here")?;
    // Neither unsigned nor signed with what anybody may read (RFC 8725 section 3.1).
    if algorithm.uses_shared_secret() || algorithm.key_type().is_none() {
        return Err("alg is not one with a public key");
    }
    let kid = header.kid.as_deref();
    let mut candidates = keys.keys().iter().filter(|key| key.key_id().map(|id| id.as_str()) == kid);
    let verified = candidates
        .any(|key| key.verify_signature(&algorithm, parts.signed.as_bytes(), &parts.signature).is_ok());
    if verified { Ok(()) } else { Err("no key of the provider verifies the signature") }
}

/// Back-Channel Logout 1.0 section 2.6, steps 3 to 7.
fn check(claims: Claims, issuer: &str, client: &str, now: Timestamp) -> Result<LogoutToken, &'static str> {
    let seconds = now.seconds();
    let for_us = match &claims.aud {
        Audience::One(one) => one == client,
        Audience::Many(many) => many.iter().any(|one| one == client),
    };
    if claims.iss != issuer {
        return Err("iss is not our issuer");
    }
    if !for_us {
        return Err("aud is not this portal");
    }
    if claims.iat > seconds.saturating_add(SKEW) {
        return Err(
            "iat lies in the future: this machine's clock is behind the provider's by more than a minute",
        );
    }
    // The same the other way: a session that was ended must not go on because of a clock.
    let expires = claims.exp.saturating_add(SKEW);
    if expires <= seconds {
        return Err(
            "exp passed over a minute ago: it came late, or this machine's clock is ahead of the provider's",
        );
    }
    if !claims.events.get(EVENT).is_some_and(serde_json::Value::is_object) {
        return Err("events names no back-channel logout");
    }
    if claims.nonce.is_some() {
        return Err("a logout token has no nonce");
    }
    let some = |value: Option<String>| value.filter(|value| !value.is_empty());
    let (sid, sub) = (some(claims.sid), some(claims.sub));
    if sid.is_none() && sub.is_none() {
        return Err("neither sid nor sub");
    }
    if claims.jti.is_empty() {
        return Err("jti is empty");
    }
    let at = |seconds: i64| Timestamp(seconds.saturating_mul(1000));
    Ok(LogoutToken { jti: claims.jti, sid, sub, issued_at: at(claims.iat), expires_at: at(expires) })
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Self {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            Self(pair)
        }

        fn keys(&self) -> JsonWebKeySet<CoreJsonWebKey> {
            let point = self.0.public_key().as_ref();
            let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
            let set = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", "alg": "ES256", "x": x, "y": y}]});
            serde_json::from_value(set).unwrap()
        }

        fn token(&self, header: &serde_json::Value, claims: &serde_json::Value) -> String {
            let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn header() -> serde_json::Value {
        json!({"alg": "ES256", "typ": "logout+jwt", "kid": "k"})
    }

    fn claims() -> serde_json::Value {
        let seconds = NOW.seconds();
        json!({"iss": "https://idp", "aud": "portal", "iat": seconds, "exp": seconds + 120, "jti": "j",
               "sid": "1", "events": {EVENT: {}}})
    }

    fn verified(keys: &JsonWebKeySet<CoreJsonWebKey>, token: &str) -> Result<LogoutToken, &'static str> {
        let parts = take_apart(token).ok_or("malformed")?;
        verify_signature(keys, &parts)?;
        check(parts.claims, "https://idp", "portal", NOW)
    }

    #[test]
    fn t40_a_logout_token_holds_only_whole() {
        let signer = Signer::new();
        let keys = signer.keys();
        let good = verified(&keys, &signer.token(&header(), &claims())).unwrap();
        assert_eq!((good.jti.as_str(), good.sid.as_deref(), good.sub), ("j", Some("1"), None));
        // A clock that is a minute ahead keeps nobody signed in.
        let mut late = claims();
        late["exp"] = json!(NOW.seconds() - 59);
        assert!(verified(&keys, &signer.token(&header(), &late)).is_ok());

        for (name, value) in [
            ("iss", json!("https://other")),
            ("aud", json!("other")),
            ("aud", json!(["other"])),
            ("iat", json!(NOW.seconds() + 600)),
            ("exp", json!(NOW.seconds() - 60)),
            ("events", json!({})),
            ("events", json!({EVENT: "yes"})),
            ("nonce", json!("n")),
            ("sid", json!(null)),
            ("jti", json!("")),
        ] {
            let mut claims = claims();
            claims[name] = value.clone();
            assert!(verified(&keys, &signer.token(&header(), &claims)).is_err(), "{name} = {value}");
        }
        for (name, value) in [
            ("typ", json!("JWT")),
            ("typ", json!(null)),
            ("alg", json!("none")),
            ("alg", json!("HS256")),
            ("alg", json!("RS256")),
            ("kid", json!("other")),
            ("crit", json!(["x"])),
        ] {
            let mut header = header();
            header[name] = value.clone();
            assert!(verified(&keys, &signer.token(&header, &claims())).is_err(), "{name} = {value}");
        }
        let foreign = Signer::new().token(&header(), &claims());
        assert!(verified(&keys, &foreign).is_err(), "signed by somebody else");
        for text in ["", "a.b.c", "..", "é.é.é"] {
            assert!(verified(&keys, text).is_err(), "{text}");
        }
    }
}

use std::collections::HashSet;

use openidconnect::PrivateSigningKey as _;
use platform::db::OpenError;
use platform::random::Random;
use platform::seal::RootKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::protocol::jose::{JoseError, compact};

const START: Timestamp = Timestamp(1_795_000_000_000);
const DAY: Duration = Duration::from_hours(24);

/// A database in a temporary folder and a clock that stands still.
struct Place {
    folder: TempDir,
    clock: Clock,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Clock::fixed(START) }
    }

    async fn store(&self) -> Store {
        self.store_with("0123456789abcdef0123456789abcdef", &self.clock).await
    }

    async fn store_with(&self, root: &str, clock: &Clock) -> Store {
        self.open_with(root, clock).await.unwrap()
    }

    async fn open_with(&self, root: &str, clock: &Clock) -> std::result::Result<Store, OpenError> {
        let url = format!("sqlite:{}", self.folder.path().join("idp.db").display());
        let root = RootKey::new(root).unwrap();
        Store::open(&url, clock.clone(), Random::system(), root).await
    }

    async fn ring(&self) -> KeyRing {
        let settings = config::Keys { rotate_days: 0, announce_hours: 192 };
        KeyRing::open(self.store().await, &settings, &config::Tokens::default()).await.unwrap()
    }
}

fn phase_of(ring: &KeyRing, kid: &str) -> Option<Phase> {
    ring.list().into_iter().find(|key| key.kid == kid).map(|key| key.phase)
}

fn token(ring: &KeyRing, alg: &str) -> String {
    ring.sign_jwt(alg, "at+jwt", &json!({ "sub": "s1" })).unwrap()
}

fn published(ring: &KeyRing) -> Vec<Value> {
    let set: Value = serde_json::from_slice(ring.jwks().json()).unwrap();
    set["keys"].as_array().unwrap().clone()
}

fn kids(ring: &KeyRing) -> HashSet<String> {
    published(ring).iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_new_ring_publishes_one_public_key_of_each_algorithm() {
    let ring = Place::new().ring().await;
    let keys = published(&ring);
    assert_eq!(keys.len(), 4);
    assert_eq!(kids(&ring).len(), 4, "every kid is unique");
    for key in &keys {
        let members: HashSet<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match key["kty"].as_str().unwrap() {
            "RSA" => &["kty", "use", "kid", "alg", "n", "e"],
            "OKP" => &["kty", "use", "kid", "alg", "crv", "x"],
            _ => &["kty", "use", "kid", "alg", "crv", "x", "y"],
        };
        assert_eq!(members, expected.iter().copied().collect(), "public members only");
        assert_eq!(key["use"], "sig");
    }
    let algorithms: HashSet<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, HashSet::from(["RS256", "PS256", "ES256", "EdDSA"]));
}

#[tokio::test]
async fn an_independent_library_verifies_what_the_ring_signed_with_nothing_but_the_jwk_set() {
    let ring = Place::new().ring().await;
    let claims = json!({ "iss": "https://login.example.nl", "sub": "s1", "aud": "web", "nonce": "n1" });
    for algorithm in Algorithm::ALL {
        let signed = ring.sign_jwt(algorithm.name(), "JWT", &claims).unwrap();
        let header = jsonwebtoken::decode_header(&signed).unwrap();
        assert_eq!(
            (format!("{:?}", header.alg).as_str(), header.typ.as_deref()),
            (algorithm.name(), Some("JWT"))
        );
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(ring.jwks().json()).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(header.alg);
        rules.required_spec_claims.clear();
        rules.set_audience(&["web"]);
        let verified = jsonwebtoken::decode::<Value>(&signed, &key, &rules).unwrap().claims;
        assert_eq!(verified, claims);
        assert_eq!(ring.verify_jwt(&signed, "JWT").unwrap(), claims);

        // One character changed, in each part: no signature holds.
        for part in 0..3 {
            let mut parts: Vec<String> = signed.split('.').map(str::to_owned).collect();
            let middle = parts[part].len() / 2;
            let other = if parts[part].as_bytes()[middle] == b'A' { "B" } else { "A" };
            parts[part].replace_range(middle..=middle, other);
            let changed = parts.join(".");
            assert!(jsonwebtoken::decode::<Value>(&changed, &key, &rules).is_err(), "{algorithm} {part}");
            assert!(ring.verify_jwt(&changed, "JWT").is_err(), "{algorithm} {part}");
        }
    }
}

#[tokio::test]
async fn openidconnect_signs_with_the_ring_and_verifies_with_its_jwk() {
    use openidconnect::JsonWebKey as _;
    let ring = Place::new().ring().await;
    for algorithm in Algorithm::ALL {
        let signer = ring.signing_key(algorithm.name()).unwrap();
        let signature = signer.sign(&signer.algorithm(), b"message").unwrap();
        let public = signer.as_verification_key();
        public.verify_signature(&algorithm.core(), b"message", &signature).unwrap();
        assert!(public.verify_signature(&algorithm.core(), b"massage", &signature).is_err());
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(signer.sign(&other.core(), b"message").is_err(), "a key of {algorithm} signs no {other}");
            assert!(public.verify_signature(&other.core(), b"message", &signature).is_err());
        }
    }
}

#[tokio::test]
async fn a_key_is_announced_signs_retires_and_goes() {
    let place = Place::new();
    let ring = place.ring().await;
    let first = ring.signing_key("RS256").unwrap().kid().to_owned();
    let old_token = token(&ring, "RS256");

    let second = ring.rotate(Algorithm::Rs256, When::Announce).await.unwrap();
    assert_eq!(phase_of(&ring, &second), Some(Phase::Announced));
    assert!(kids(&ring).contains(&second), "relying parties can fetch it before it signs");
    assert_eq!(ring.rotate(Algorithm::Rs256, When::Announce).await.unwrap(), second, "one at a time");
    place.clock.advance(Duration::from_millis(8 * 86_400_000 - 1));
    assert_eq!(ring.signing_key("RS256").unwrap().kid(), first);

    // Eight days after it was announced it signs, without a refresh, and the first one only verifies.
    place.clock.advance(Duration::from_millis(1));
    assert_eq!(ring.signing_key("RS256").unwrap().kid(), second);
    assert_eq!(phase_of(&ring, &first), Some(Phase::Retired));
    assert_eq!(ring.verify_jwt(&old_token, "at+jwt").unwrap()["sub"], "s1");
    ring.refresh().await.unwrap();
    assert!(kids(&ring).contains(&first));

    // A day and five minutes later nothing that it signed can be of use.
    place.clock.advance(DAY + Duration::from_secs(299));
    assert!(ring.verify_jwt(&old_token, "at+jwt").is_ok());
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(ring.verify_jwt(&old_token, "at+jwt"), Err(JoseError::UnknownKey));
    ring.maintain().await.unwrap();
    assert!(!kids(&ring).contains(&first));
    ring.maintain().await.unwrap();
    assert_eq!(phase_of(&ring, &first), None, "the row is gone");
    assert_eq!(ring.signing_key("RS256").unwrap().kid(), second);
}

#[tokio::test]
async fn a_key_that_rotates_now_signs_when_it_was_published_for_half_a_minute() {
    let place = Place::new();
    let (here, there) = (place.ring().await, place.ring().await);
    assert_eq!(kids(&here), kids(&there), "the second node uses what the first one made");
    let old_token = token(&there, "ES256");
    let first = here.signing_key("ES256").unwrap().kid().to_owned();
    let second = here.rotate(Algorithm::Es256, When::Soon).await.unwrap();
    let again = here.rotate(Algorithm::Es256, When::Soon).await.unwrap();
    assert_eq!(again, second, "a double click rotates once");
    place.clock.advance(Duration::from_millis(34_999));
    assert_eq!(here.signing_key("ES256").unwrap().kid(), first);
    place.clock.advance(Duration::from_millis(1));
    assert_eq!(here.signing_key("ES256").unwrap().kid(), second);

    there.catch_up().await.unwrap();
    assert!(there.verify_jwt(&token(&here, "ES256"), "at+jwt").is_ok(), "no node refuses another's token");
    assert!(here.verify_jwt(&old_token, "at+jwt").is_ok());
    assert_eq!(phase_of(&there, &first), Some(Phase::Retired));
    assert_eq!(there.signing_key("ES256").unwrap().kid(), second);

    // An announced key is brought forward, and signs at once.
    let waiting = there.rotate(Algorithm::Es256, When::Announce).await.unwrap();
    place.clock.advance(Duration::from_hours(1));
    assert_eq!(here.rotate(Algorithm::Es256, When::Soon).await.unwrap(), waiting);
    there.catch_up().await.unwrap();
    assert_eq!(there.signing_key("ES256").unwrap().kid(), waiting);
}

#[tokio::test]
async fn of_nodes_that_rotate_at_once_one_makes_the_key_and_all_use_it() {
    let place = Place::new();
    let (here, there) = (place.ring().await, place.ring().await);
    for (algorithm, when) in [
        (Algorithm::Rs256, When::Announce),
        (Algorithm::Es256, When::Announce),
        (Algorithm::Ps256, When::Soon),
        (Algorithm::EdDsa, When::Soon),
    ] {
        let (one, two) = tokio::join!(here.rotate(algorithm, when), there.rotate(algorithm, when));
        assert_eq!(one.unwrap(), two.unwrap(), "{algorithm}");
    }
    assert_eq!(place.store().await.signing_keys().await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_node_whose_clock_is_behind_signs_with_the_key_that_took_over_from_a_revoked_one() {
    let place = Place::new();
    let behind = place.ring().await;
    let revoked = behind.signing_key("ES256").unwrap().kid().to_owned();
    let ahead = Clock::fixed(START.plus(Duration::from_secs(3)));
    let store = place.store_with("0123456789abcdef0123456789abcdef", &ahead).await;
    let other = KeyRing::open(store, &config::Keys::default(), &config::Tokens::default()).await.unwrap();
    other.revoke(&revoked).await.unwrap();

    behind.catch_up().await.unwrap();
    let signed = token(&behind, "ES256");
    assert!(other.verify_jwt(&signed, "at+jwt").is_ok());
    assert!(behind.verify_jwt(&signed, "at+jwt").is_ok());
}

#[tokio::test]
async fn a_revoked_key_is_gone_at_once_and_another_signs() {
    let place = Place::new();
    let ring = place.ring().await;
    let first = ring.signing_key("RS256").unwrap().kid().to_owned();
    let stolen = token(&ring, "RS256");
    ring.revoke(&first).await.unwrap();
    assert_eq!(ring.verify_jwt(&stolen, "at+jwt"), Err(JoseError::UnknownKey));
    assert!(!kids(&ring).contains(&first));
    let second = ring.signing_key("RS256").unwrap().kid().to_owned();
    assert_ne!(second, first);
    let row =
        place.store().await.signing_keys().await.unwrap().into_iter().find(|row| row.kid == first).unwrap();
    assert_eq!(row.private_sealed, "", "its private half is destroyed");

    // With an announced key waiting, that one signs, and at once.
    let waiting = ring.rotate(Algorithm::Rs256, When::Announce).await.unwrap();
    place.clock.advance(Duration::from_hours(1));
    ring.revoke(&second).await.unwrap();
    assert_eq!(ring.signing_key("RS256").unwrap().kid(), waiting);
    assert!(matches!(ring.revoke(&second).await, Err(KeyError::UnknownKid(_))));

    // A retired key does not come back when its successor is revoked.
    let next = ring.rotate(Algorithm::Rs256, When::Soon).await.unwrap();
    place.clock.advance(Duration::from_secs(36));
    ring.revoke(&next).await.unwrap();
    assert_eq!(phase_of(&ring, &waiting), Some(Phase::Retired));
    assert!(![waiting, next].contains(&ring.signing_key("RS256").unwrap().kid().to_owned()));
}

#[tokio::test]
async fn revoking_an_announced_key_leaves_the_signing_one_alone() {
    let place = Place::new();
    let ring = place.ring().await;
    let first = ring.signing_key("ES256").unwrap().kid().to_owned();
    let waiting = ring.rotate(Algorithm::Es256, When::Announce).await.unwrap();
    ring.revoke(&waiting).await.unwrap();
    place.clock.advance(DAY * 30);
    ring.refresh().await.unwrap();
    assert_eq!(ring.signing_key("ES256").unwrap().kid(), first);
}

#[tokio::test]
async fn nodes_that_start_at_once_agree_on_the_key_that_signs() {
    let place = Place::new();
    drop(place.store().await);
    let (one, two) = tokio::join!(place.ring(), place.ring());
    one.catch_up().await.unwrap();
    two.catch_up().await.unwrap();
    assert_eq!(kids(&one).len(), 4, "nobody makes a key twice");
    for alg in Algorithm::ALL.map(Algorithm::name) {
        assert_eq!(one.signing_key(alg).unwrap().kid(), two.signing_key(alg).unwrap().kid());
        assert!(two.verify_jwt(&token(&one, alg), "at+jwt").is_ok());
    }
    assert_eq!(one.jwks().json(), two.jwks().json());
}

#[tokio::test]
async fn private_keys_are_sealed_at_rest_and_open_under_their_root_key_only() {
    let place = Place::new();
    drop(place.ring().await);
    let row = place.store().await.signing_keys().await.unwrap().remove(0);
    // Under another root key neither the row opens nor the database that it stands in.
    let other = "another root key, of enough bytes";
    let sealer = RootKey::new(other).unwrap().sealer("signing key");
    assert!(sealer.open(&row.private_sealed).is_err());
    let opened = place.open_with(other, &place.clock).await;
    assert!(matches!(opened, Err(OpenError::WrongRoot { .. })), "{opened:?}");
}

/// A token with another header, signed as `signer` would.
fn forged(signer: &Signer, header: &Value) -> String {
    compact(header, &json!({ "sub": "s1" }), |message| signer.sign_bytes(message)).unwrap()
}

#[tokio::test]
async fn bad_tokens_are_refused() {
    let ring = Place::new().ring().await;
    let rsa = ring.signing_key("RS256").unwrap();
    let (kid, ec_kid) = (rsa.kid(), ring.signing_key("ES256").unwrap().kid().to_owned());
    let good = json!({ "typ": "at+jwt", "alg": "RS256", "kid": kid });
    assert!(ring.verify_jwt(&forged(&rsa, &good), "at+jwt").is_ok());
    assert!(ring.verify_jwt(&forged(&rsa, &good), "application/AT+JWT").is_ok());
    let without_typ = json!({ "alg": "RS256", "kid": kid });
    assert!(ring.verify_jwt(&forged(&rsa, &without_typ), "JWT").is_ok());

    let with = |name: &str, value: Value| {
        let mut header = good.clone();
        header[name] = value;
        header
    };
    let cases = [
        (with("alg", "none".into()), JoseError::Unsigned),
        (with("alg", "HS256".into()), JoseError::WrongAlgorithm),
        (with("alg", "PS256".into()), JoseError::WrongAlgorithm),
        (with("kid", "nobody".into()), JoseError::UnknownKey),
        (json!({ "typ": "at+jwt", "alg": "RS256" }), JoseError::UnknownKey),
        (with("kid", ec_kid.as_str().into()), JoseError::WrongAlgorithm),
        (with("jku", "https://evil.example/jwks".into()), JoseError::ForeignHeader),
        (with("x5u", "https://evil.example/cert".into()), JoseError::ForeignHeader),
        (with("crit", json!(["b64"])), JoseError::ForeignHeader),
        (with("typ", "JWT".into()), JoseError::WrongType),
        (without_typ, JoseError::WrongType),
    ];
    for (header, expected) in cases {
        assert_eq!(ring.verify_jwt(&forged(&rsa, &header), "at+jwt"), Err(expected), "{header}");
    }
    let signed = token(&ring, "RS256");
    let (body, signature) = signed.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    assert_eq!(
        ring.verify_jwt(&format!("{body}.{flipped}{}", &signature[1..]), "at+jwt"),
        Err(JoseError::BadSignature)
    );
    for text in ["", ".", "..", "a.b.c", "ë.ë.ë", &format!("{body}."), body, &format!("{signed}.x")] {
        assert!(ring.verify_jwt(text, "at+jwt").is_err(), "{text}");
    }
    assert!(matches!(ring.signing_key("HS256"), Err(KeyError::NoKey(_))));
}

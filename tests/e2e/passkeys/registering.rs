//! What is wrong with a new passkey only (WebAuthn level 3 section 7.1).

use idp::credentials::passkeys::Refusal;
use serde_json::json;
use tests::{Algorithm, Authenticator};

use super::{ORIGIN, Server, anna, is_unreadable, refused_new};

#[tokio::test]
async fn t60_a_key_of_an_algorithm_that_was_not_offered_is_refused() {
    assert_eq!(refused_new(|one| one.algorithm = Algorithm::Es384), Refusal::Algorithm);
    // A key that says another algorithm than it is of, and one that is no point of its curve.
    let mut cose = vec![0xa5, 1, 2, 3, 0x27, 0x20, 1, 0x21, 0x58, 32];
    cose.extend([1; 32]);
    cose.extend([0x22, 0x58, 32]);
    cose.extend([2; 32]);
    for algorithm in [0x27, 0x26] {
        cose[4] = algorithm;
        let refusal = refused_new(|one| one.lies.public_key = Some(cose.clone()));
        assert!(is_unreadable(&refusal), "{refusal:?}");
    }
}

#[tokio::test]
async fn t60_an_attestation_that_was_not_asked_for_is_refused() {
    for format in ["packed", "tpm", "android-key", "fido-u2f", "apple", "None", ""] {
        let refusal = refused_new(|one| one.lies.attestation_format = Some(format));
        assert!(matches!(refusal, Refusal::Attestation(_)), "{format}: {refusal:?}");
    }
    let refusal = refused_new(|one| one.lies.has_statement = true);
    assert!(matches!(refusal, Refusal::Attestation(_)), "{refusal:?}");
}

#[tokio::test]
async fn t60_a_credential_id_that_is_too_long_or_too_short_is_refused() {
    let server = Server::new();
    for (length, is_right) in [(0, false), (15, false), (16, true), (1023, true), (1024, false)] {
        let mut one = Authenticator::device_bound(ORIGIN);
        one.lies.credential_id = Some(vec![7; length]);
        let made = server.registered(&anna(), &mut one);
        assert_eq!(made.is_ok(), is_right, "{length}: {made:?}");
    }
}

#[tokio::test]
async fn t60_extensions_that_are_not_as_asked_are_refused() {
    // A passkey that its authenticator does not keep cannot be found without a name.
    let refusal =
        refused_new(|one| one.lies.client_extensions = Some(json!({ "credProps": { "rk": false } })));
    assert_eq!(refusal, Refusal::NotDiscoverable);
    // What nobody asked for is not read; what the browser does not say is no reason to refuse.
    let server = Server::new();
    for said in [json!({}), json!({ "credProps": {} }), json!({ "appid": true, "of-tomorrow": [1] })] {
        let mut one = Authenticator::device_bound(ORIGIN);
        one.lies.client_extensions = Some(said);
        let passkey = server.passkey(&anna(), &mut one);
        assert!(server.proven(&passkey, &mut one).is_ok());
    }
}

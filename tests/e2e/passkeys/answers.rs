//! What is wrong with a new passkey and with one in use alike: the client data and the authenticator's data (WebAuthn level 3
//! sections 7.1 and 7.2).

use idp::credentials::passkeys::Refusal;
use tests::Authenticator;

use super::{ORIGIN, Server, anna, both, is_unreadable, refused, refused_new};

#[tokio::test]
async fn t60_client_data_that_are_no_json_are_refused() {
    for data in [&b"\xff\xfe"[..], b"", b"[]", b"{\"type\":\"webauthn.create\"}", b"{\"type\":"] {
        for refusal in both(|one| one.lies.client_data = Some(data.to_vec())) {
            assert!(matches!(refusal, Refusal::ClientData(_)), "{refusal}");
        }
    }
}

#[tokio::test]
async fn t60_an_answer_of_another_type_is_refused() {
    // An assertion that is given for a registration, and the other way round; and what no browser says.
    let refusals = [
        refused_new(|one| one.lies.kind = Some("webauthn.get")),
        refused(|one| one.lies.kind = Some("webauthn.create")),
        refused(|one| one.lies.kind = Some("payment.get")),
    ];
    for refusal in refusals {
        assert!(matches!(&refusal, Refusal::ClientData(text) if text.contains("webauthn.")), "{refusal}");
    }
}

#[tokio::test]
async fn t60_an_answer_to_another_challenge_is_refused() {
    let other = Some("AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    assert_eq!(both(|one| one.lies.challenge.clone_from(&other)), [Refusal::Challenge, Refusal::Challenge]);
}

#[tokio::test]
async fn t60_a_page_of_another_origin_gets_nothing() {
    for origin in [
        "https://inloggen.example.nl.evil.example",
        "https://evil.example",
        "http://inloggen.example.nl",
        "https://inloggen.example.nl:8443",
        "https://sub.inloggen.example.nl",
        "https://example.nl",
        "https://inloggen.example.nl/",
        "HTTPS://INLOGGEN.EXAMPLE.NL",
        "android:apk-key-hash:AAAA",
        "null",
        "",
    ] {
        let refusals = both(|one| one.lies.origin = Some(origin.to_owned()));
        assert_eq!(refusals, [Refusal::Origin, Refusal::Origin], "{origin}");
    }
}

#[tokio::test]
async fn t60_a_page_inside_another_site_gets_nothing() {
    let refusals = both(|one| one.lies.cross_origin = Some(true));
    assert_eq!(refusals, [Refusal::CrossOrigin, Refusal::CrossOrigin]);
}

#[tokio::test]
async fn t60_a_page_below_another_top_page_gets_nothing() {
    let top = Some("https://evil.example".to_owned());
    for is_said in [true, false] {
        for refusal in both(|one| {
            one.lies.cross_origin = Some(is_said);
            one.lies.top_origin.clone_from(&top);
        }) {
            let is_right = refusal == Refusal::CrossOrigin || matches!(refusal, Refusal::ClientData(_));
            assert!(is_right, "{refusal}");
        }
    }
}

#[tokio::test]
async fn t60_an_authenticator_that_answers_for_another_site_is_refused() {
    for site in ["example.nl", "evil.example", "INLOGGEN.EXAMPLE.NL", ""] {
        let refusals = both(|one| one.lies.rp_id = Some(site.to_owned()));
        assert_eq!(refusals, [Refusal::RelyingParty, Refusal::RelyingParty], "{site}");
    }
}

#[tokio::test]
async fn t60_an_authenticator_that_nobody_touched_is_refused() {
    assert_eq!(both(|one| one.present = false), [Refusal::NotPresent, Refusal::NotPresent]);
}

#[tokio::test]
async fn t60_an_authenticator_that_did_not_verify_who_it_was_is_refused() {
    assert_eq!(both(|one| one.verified = false), [Refusal::NotVerified, Refusal::NotVerified]);
}

#[tokio::test]
async fn t60_a_passkey_that_was_copied_and_cannot_be_is_refused() {
    let refusals = both(|one| one.backed_up = true);
    assert_eq!(refusals, [Refusal::BackedUpWithoutEligibility, Refusal::BackedUpWithoutEligibility]);
}

#[tokio::test]
async fn t60_data_of_an_authenticator_that_do_not_add_up_are_refused() {
    let more = |one: &mut Authenticator| one.lies.trailing = vec![0];
    let flag = |one: &mut Authenticator| one.lies.claims_extensions = true;
    let short = [0, 1, 36].map(|length| both(|one| one.lies.authenticator_data = Some(vec![5; length])));
    for refusal in both(more).into_iter().chain(both(flag)).chain(short.into_iter().flatten()) {
        assert!(is_unreadable(&refusal), "{refusal:?}");
    }
    // An extension that can be read, without its flag; and with it, but with something after its end.
    let extension = b"\xa1\x6bcredProtect\x03";
    let refusals = [(false, &[][..]), (true, &[0])].map(|(has_flag, after)| {
        refused_new(|one| {
            one.lies.claims_extensions = has_flag;
            one.lies.trailing = [extension, after].concat();
        })
    });
    for refusal in refusals {
        assert!(is_unreadable(&refusal), "{refusal:?}");
    }
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    one.lies.claims_extensions = true;
    one.lies.trailing = extension.to_vec();
    assert!(server.registered(&anna(), &mut one).is_ok());
}

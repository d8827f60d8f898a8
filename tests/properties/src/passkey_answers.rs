//! Answers of browsers about passkeys (WebAuthn level 3 sections 7.1 and 7.2): whatever stands in one, it is refused and
//! nothing panics, as long as nobody has signed over our challenge.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::credentials::passkeys::{Answer, Holder, RelyingParty};
use idp::domain::account::AccountId;
use idp::domain::passkey::{Backup, Passkey};
use platform::clock::{Clock, Timestamp};
use serde_json::json;

const CONTEXT: &str = "a sign-in";

/// P-256's base point, as keys are kept.
const KEY: &str = "1.AWsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWAQAA";

/// The first byte says of which part of an answer the rest is; `j`: of the whole.
pub fn holds(data: &[u8]) {
    let Some((part, rest)) = data.split_first() else { return };
    let text = URL_SAFE_NO_PAD.encode(rest);
    let at = |name: u8, otherwise: &str| if *part == name { text.clone() } else { otherwise.to_owned() };
    let client_data = |kind: &str| {
        let data = json!({ "type": kind, "challenge": "AAAAAAAAAAAAAAAAAAAAAA",
                           "origin": "https://login.example.nl", "crossOrigin": false });
        at(b'c', &URL_SAFE_NO_PAD.encode(data.to_string()))
    };
    let whole = (*part == b'j').then(|| String::from_utf8_lossy(rest).into_owned());
    let created = json!({
        "id": at(b'i', "AAAAAAAAAAAAAAAAAAAAAA"), "rawId": at(b'i', "AAAAAAAAAAAAAAAAAAAAAA"), "type": "public-key",
        "response": { "clientDataJSON": client_data("webauthn.create"), "attestationObject": at(b'o', ""), "transports": [] },
        "clientExtensionResults": {},
    });
    let asserted = json!({
        "id": at(b'i', "AAAAAAAAAAAAAAAAAAAAAA"), "rawId": at(b'i', "AAAAAAAAAAAAAAAAAAAAAA"), "type": "public-key",
        "response": { "clientDataJSON": client_data("webauthn.get"), "authenticatorData": at(b'a', ""),
                      "signature": at(b's', "MAYCAQECAQE"), "userHandle": at(b'h', "AAAA") },
        "clientExtensionResults": {},
    });
    is_refused(
        &whole.clone().unwrap_or_else(|| created.to_string()),
        &whole.unwrap_or_else(|| asserted.to_string()),
    );
}

fn is_refused(created: &str, asserted: &str) {
    let account = AccountId("AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    let clock = Clock::fixed(Timestamp(1_795_000_000_000));
    let party =
        RelyingParty::new("https://login.example.nl", "Voorbeeld", clock).expect("a host with a name");
    let holder = Holder { account: &account, name: "a", display_name: "b" };
    let (_, state) = party.begin_registration(holder, &[], CONTEXT).expect("options");
    assert!(party.finish_registration(&state, &account, CONTEXT, created).is_err());

    let Ok(answer) = Answer::parse(asserted) else { return };
    let passkey = Passkey {
        id: answer.credential_id().to_owned(),
        account_id: account.clone(),
        key: KEY.to_owned(),
        counter: 0,
        name: None,
        aaguid: String::new(),
        backup: Backup::Bound,
        transports: Vec::new(),
        created_at: Timestamp(0),
        last_used_at: None,
    };
    let (_, anybody) = party.begin_assertion(CONTEXT).expect("options");
    assert!(party.finish_assertion(&anybody, CONTEXT, &answer, &passkey).is_err());
    let Ok((_, known)) = party.begin_assertion_of(&account, std::slice::from_ref(&passkey), CONTEXT) else {
        return;
    };
    assert!(party.finish_assertion(&known, CONTEXT, &answer, &passkey).is_err());
}

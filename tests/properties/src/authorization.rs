//! The authorization request: what is read is safe to go on with, and reads the same from what is kept of it.

use idp::config::{Client, ScopeSet};
use idp::oauth::oxide;
use idp::protocol::authorization::{Arrival, AuthorizationRequest, Prompt, ReturnAddress};
use platform::request::Fields;
use url::form_urlencoded::Serializer;

use crate::claims::has_fraction;
use crate::redirect_uri::returns;

fn clients() -> [Client; 2] {
    let strict = Client {
        client_id: "c".into(),
        redirect_uris: vec!["https://rp.example/cb".into(), "https://rp.example/cb?a=1".into()],
        ..Client::default()
    };
    let loose = Client { client_id: "open".into(), require_pkce: false, ..strict.clone() };
    [strict, loose]
}

fn encoded<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A query, or the body of a form.
pub fn holds(data: &[u8]) {
    let Ok(fields) = Fields::parse(data) else { return };
    assert_eq!(
        Fields::parse(encoded(fields.iter()).as_bytes()).as_ref(),
        Ok(&fields),
        "parameters read the same"
    );
    read(&fields, Arrival::default());
}

/// Reads a request as each of two clients would send it.
pub fn read(fields: &Fields, arrival: Arrival) {
    for client in clients() {
        let Ok(address) = ReturnAddress::of(fields, &client) else { continue };
        assert!(client.redirect_uris.iter().any(|known| known == address.redirect_uri()));
        returns(&address);
        let Ok(request) = oxide::read(fields, &client, arrival) else { continue };
        assert_eq!(request.return_address, address);
        is_safe(&request, &client);
        if has_fraction(&serde_json::to_value(&request).unwrap()) {
            continue;
        }
        // A journey keeps it as JSON.
        let kept = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<AuthorizationRequest>(&kept).unwrap(), request);
        // Sent anew with what was read of it, it is the same request.
        let again = Fields::parse(parameters(&request, fields).as_bytes()).unwrap();
        assert_eq!(oxide::read(&again, &client, arrival), Ok(request));
    }
}

fn is_safe(request: &AuthorizationRequest, client: &Client) {
    let scope = ScopeSet::parse(&request.scope);
    assert!(scope.contains("openid") && scope.is_subset(&ScopeSet::parse(&client.scope)));
    assert!(!client.require_pkce || request.code_challenge.is_some());
    let Prompt { none, login, consent, select_account } = request.prompt;
    assert!(!none || !(login || consent || select_account), "none stands alone");
}

/// The parameters of a request that was read; `fields` for what only its answer needs.
fn parameters(request: &AuthorizationRequest, fields: &Fields) -> String {
    let Prompt { none, login, consent, select_account } = request.prompt;
    let prompt: Vec<&str> =
        [(none, "none"), (login, "login"), (consent, "consent"), (select_account, "select_account")]
            .into_iter()
            .filter_map(|(is_set, word)| is_set.then_some(word))
            .collect();
    let (prompt, max_age) = (prompt.join(" "), request.max_age.map(|age| age.to_string()));
    let acr_values = request.acr_values.join(" ");
    let claims = serde_json::to_string(&request.claims).unwrap();
    let challenge = request.code_challenge.as_deref();
    let given = [
        ("client_id", Some(request.client_id.as_str())),
        ("redirect_uri", Some(request.return_address.redirect_uri())),
        ("response_type", Some("code")),
        ("response_mode", fields.get("response_mode")),
        ("state", fields.get("state")),
        ("scope", Some(request.scope.as_str())),
        ("nonce", request.nonce.as_deref()),
        ("code_challenge", challenge),
        ("code_challenge_method", challenge.map(|_| "S256")),
        ("prompt", Some(prompt.as_str())),
        ("max_age", max_age.as_deref()),
        ("login_hint", request.login_hint.as_deref()),
        ("ui_locales", request.ui_locales.as_deref()),
        ("acr_values", Some(acr_values.as_str())),
        ("id_token_hint", request.id_token_hint.as_deref()),
        ("claims", (!request.claims.is_empty()).then_some(claims.as_str())),
        ("dpop_jkt", request.dpop_jkt.as_deref()),
        ("resource", request.resource.as_deref()),
    ];
    encoded(given.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

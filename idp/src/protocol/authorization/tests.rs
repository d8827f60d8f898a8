//! What is read of a request, and what is refused by which error.

use super::*;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> Client {
    Client {
        client_id: "c".into(),
        redirect_uris: vec!["https://rp.example/cb".into(), "https://rp.example/cb?a=1".into()],
        ..Client::default()
    }
}

fn request(changes: &[(&str, Option<&str>)]) -> Fields {
    let mut pairs = vec![
        ("client_id", "c"),
        ("redirect_uri", "https://rp.example/cb"),
        ("response_type", "code"),
        ("scope", "openid profile unknown"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s"),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.extend(value.map(|value| (*name, value)));
    }
    pairs.into_iter().collect()
}

fn read_with(changes: &[(&str, Option<&str>)]) -> Result<AuthorizationRequest, &'static str> {
    let fields = request(changes);
    let address = ReturnAddress::of(&fields, &client()).unwrap();
    read(&fields, &client(), address, Arrival::default()).map_err(|error| error.error)
}

#[test]
fn a_good_request_is_read_and_unknown_scopes_and_parameters_are_left_out() {
    let read =
        read_with(&[("max_age", Some("60")), ("extra", Some("x")), ("display", Some("popup"))]).unwrap();
    assert_eq!((read.scope.as_str(), read.max_age), ("openid profile", Some(60)));
}

#[test]
fn the_dutch_government_wants_state_and_nonce() {
    let client = Client { profile: Some(Profile::NlGov), ..client() };
    let long = "a".repeat(22);
    for (state, nonce, is_fine) in
        [(Some(&*long), Some(&*long), true), (Some("s"), Some(&*long), false), (Some(&*long), None, false)]
    {
        let fields = request(&[("state", state), ("nonce", nonce)]);
        let address = ReturnAddress::of(&fields, &client).unwrap();
        let result = read(&fields, &client, address, Arrival::default());
        assert_eq!(result.is_ok(), is_fine, "{state:?} {nonce:?}");
    }
}

#[test]
fn redirect_uris_are_compared_to_the_letter() {
    for uri in [
        "https://rp.example/cb/",
        "https://rp.example/cb?b=2",
        "https://RP.example/cb",
        "https://rp.example:443/cb",
        "https://u@rp.example/cb",
        "http://rp.example/cb",
        "https://rp.example/cb#f",
        "https://rp.example/cb%2F",
        "",
    ] {
        let fields = request(&[("redirect_uri", Some(uri))]);
        assert_eq!(ReturnAddress::of(&fields, &client()), Err(NoReturn::UnregisteredRedirectUri), "{uri}");
    }
    assert!(
        ReturnAddress::of(&request(&[("redirect_uri", Some("https://rp.example/cb?a=1"))]), &client())
            .is_ok()
    );
}

#[test]
fn answers_keep_the_query_and_the_state_and_name_the_issuer() {
    let fields = request(&[("redirect_uri", Some("https://rp.example/cb?a=1")), ("state", Some("a b&c"))]);
    let address = ReturnAddress::of(&fields, &client()).unwrap();
    let url = address.url_with(&address.parameters(&[("code", "x")], "https://op.example"));
    assert_eq!(url, "https://rp.example/cb?a=1&code=x&state=a+b%26c&iss=https%3A%2F%2Fop.example");
}

#[test]
fn each_fault_has_its_error() {
    let cases: &[(&str, Option<&str>, &str)] = &[
        ("response_type", None, "invalid_request"),
        ("response_type", Some("token"), "unsupported_response_type"),
        ("response_mode", Some("fragment"), "invalid_request"),
        ("scope", Some("profile"), "invalid_scope"),
        ("scope", None, "invalid_scope"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("prompt", Some("none login"), "invalid_request"),
        ("max_age", Some("-1"), "invalid_request"),
        ("claims", Some("[]"), "invalid_request"),
        ("dpop_jkt", Some("short"), "invalid_request"),
        ("resource", Some("https://api.example"), "invalid_target"),
        ("registration", Some("{}"), "registration_not_supported"),
    ];
    for (name, value, error) in cases {
        assert_eq!(read_with(&[(name, *value)]), Err(*error), "{name}={value:?}");
    }
}

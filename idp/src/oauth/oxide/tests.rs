//! What is read of a request, and what is refused by which error.

use platform::clock::Timestamp;

use super::*;
use crate::config::Profile;
use crate::domain::account::AccountId;
use crate::protocol::claims::RequestedClaims;
use crate::protocol::samples::{CHALLENGE, client, request};
use crate::store::grants::GrantDetails;

fn read_with(changes: &[(&str, Option<&str>)]) -> Result<AuthorizationRequest, &'static str> {
    let fields = request(changes);
    read(&fields, &client(), Arrival::default()).map_err(|(_, error)| error.error)
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
        let result = read(&fields, &client, Arrival::default());
        assert_eq!(result.is_ok(), is_fine, "{state:?} {nonce:?}");
    }
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

#[test]
fn nothing_goes_back_where_the_client_or_its_redirect_uri_is_not_known() {
    for changes in [
        ("client_id", None),
        ("redirect_uri", None),
        ("redirect_uri", Some("https://rp.example/cb/")),
        ("redirect_uri", Some("cb")),
    ] {
        // Whatever else is wrong with it.
        let fields = request(&[changes, ("response_type", Some("token"))]);
        let (address, error) = read(&fields, &client(), Arrival::default()).unwrap_err();
        assert_eq!((address, error.error), (None, "invalid_request"), "{changes:?}");
    }
    let fields = request(&[("response_type", Some("token"))]);
    let (address, _) = read(&fields, &client(), Arrival::default()).unwrap_err();
    assert_eq!(address, ReturnAddress::of(&fields, &client()).ok());
}

/// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn grant() -> Grant {
    let details = GrantDetails {
        nonce: None,
        acr: String::new(),
        amr: Vec::new(),
        auth_time: Timestamp(0),
        claims: RequestedClaims::default(),
        resource: None,
        jkt: None,
    };
    Grant {
        id: "g".into(),
        session_id: "s".into(),
        account_id: AccountId("a".into()),
        client_id: "c".into(),
        redirect_uri: "https://rp.example/cb".into(),
        scope: "openid".into(),
        code_challenge: Some(CHALLENGE.into()),
        code_expires_at: Timestamp(1),
        code_used_at: None,
        details,
        created_at: Timestamp(0),
        revoked_at: None,
    }
}

fn redeems(changes: &[(&str, Option<&str>)], grant: &Grant, jkt: Option<&str>) -> bool {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", "x"),
        ("redirect_uri", "https://rp.example/cb"),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        pairs.retain(|(known, _)| known != name);
        pairs.extend(value.map(|value| (*name, value)));
    }
    redeem(&pairs.into_iter().collect(), &client(), grant, jkt).is_ok()
}

#[test]
fn a_code_comes_with_what_it_was_asked_for_with() {
    assert!(redeems(&[], &grant(), None));
    assert!(redeems(&[("client_id", Some("another")), ("client_secret", Some("x"))], &grant(), None));
    let longer = format!("{VERIFIER}x");
    for changes in [
        ("code_verifier", None),
        ("code_verifier", Some("short")),
        ("code_verifier", Some(longer.as_str())),
        ("redirect_uri", None),
        ("redirect_uri", Some("https://rp.example/cb/")),
        ("redirect_uri", Some("https://RP.example/cb")),
        ("redirect_uri", Some("https://rp.example:443/cb")),
        ("grant_type", Some("refresh_token")),
    ] {
        assert!(!redeems(&[changes], &grant(), None), "{changes:?}");
    }
    assert!(!redeems(&[], &Grant { client_id: "d".into(), ..grant() }, None));
}

#[test]
fn a_verifier_comes_where_there_was_a_challenge_and_nowhere_else() {
    let without = Grant { code_challenge: None, ..grant() };
    let loose = Client { require_pkce: false, ..client() };
    let pairs =
        [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", "https://rp.example/cb")];
    let fields: Fields = pairs.into_iter().collect();
    assert!(redeem(&fields, &loose, &without, None).is_ok());
    assert!(redeem(&fields, &loose, &grant(), None).is_err());
    let fields: Fields = pairs.into_iter().chain([("code_verifier", VERIFIER)]).collect();
    assert!(redeem(&fields, &loose, &without, None).is_err());
    assert!(redeem(&fields, &loose, &grant(), None).is_ok());
}

#[test]
fn a_code_that_is_bound_to_a_key_comes_with_its_proof() {
    let mut bound = grant();
    bound.details.jkt = Some("k".into());
    assert!(redeems(&[], &bound, Some("k")) && redeems(&[], &grant(), Some("k")));
    assert!(!redeems(&[], &bound, None) && !redeems(&[], &bound, Some("l")));
}

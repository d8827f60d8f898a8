//! Where answers may go.

use super::*;
use crate::protocol::samples::{client, request};

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

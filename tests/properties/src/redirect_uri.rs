//! Redirect URIs are compared to the letter (RFC 9700 section 2.1), and what is added for the answer changes nothing
//! of them.

use idp::config::{Client, is_client_uri};
use idp::protocol::authorization::ReturnAddress;
use platform::request::Fields;
use url::Url;

const ISSUER: &str = "https://login.example.nl";

/// Lines of text: the last is the URI that a request names, those before it are registered.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines: Vec<&str> = text.split('\n').collect();
    let asked = lines.pop().unwrap_or_default();
    let redirect_uris: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    let client = Client { client_id: "c".into(), redirect_uris: redirect_uris.clone(), ..Client::default() };

    let is_registered =
        !asked.is_empty() && redirect_uris.iter().any(|known| known.as_bytes() == asked.as_bytes());
    let fields: Fields = [("redirect_uri", asked), ("state", "a b&c=%")].into_iter().collect();
    let address = ReturnAddress::of(&fields, &client);
    assert_eq!(address.is_ok(), is_registered, "{asked:?} of {redirect_uris:?}");
    let Ok(address) = address else { return };
    assert_eq!(address.redirect_uri(), asked);
    returns(&address);
}

/// What is sent back goes to the registered URI, which keeps its query, and says what was given to say.
pub fn returns(address: &ReturnAddress) {
    let registered = address.redirect_uri();
    let parameters = address.parameters(&[("code", "x y&z")], ISSUER);
    let answer = address.url_with(&parameters);
    let rest = answer.strip_prefix(registered).expect("it begins with the registered URI");
    // Nothing else gets registered.
    if !is_client_uri(registered) {
        return;
    }
    let before = Url::parse(registered).expect("it was registered");
    assert!(rest.starts_with(['?', '&']));
    let after = Url::parse(&answer).expect("it is still a URI");
    assert_eq!(after.origin(), before.origin());
    assert_eq!((after.username(), after.password()), (before.username(), before.password()));
    assert_eq!(after.path(), before.path());
    assert_eq!(after.fragment(), None);
    let pairs = |url: &Url| -> Vec<(String, String)> { url.query_pairs().into_owned().collect() };
    assert_eq!(pairs(&after), [pairs(&before), parameters].concat());
}

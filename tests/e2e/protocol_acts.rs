//! What the stories of the protocol have in common: clients with keys, and how answers are read.

use idp::config::{Client, Profile, SigningAlgorithm};
use reqwest::Response;
use reqwest::header::LOCATION;
use serde_json::Value;
use tests::{Browser, Key};

/// Status and `error` of an answer to a client. Its description fits in a header: ASCII, one line.
pub async fn refused(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(status == 401, answer.headers().contains_key("www-authenticate"), "RFC 6749 section 5.2");
    let answer: Value = answer.json().await.unwrap();
    let description = answer["error_description"].as_str().unwrap_or_default();
    assert!(description.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{description}");
    (status, answer["error"].as_str().unwrap_or_else(|| panic!("no error in {answer}")).to_owned())
}

/// That the provider shows its error page and sends the browser nowhere.
pub fn shown(browser: &Browser, what: &str) {
    assert_eq!(browser.page.status, 400, "{what}");
    assert!(browser.has("op-error"), "{what}: {}", browser.text());
    assert!(!browser.page.headers.contains_key(LOCATION), "{what}");
    assert_eq!(browser.page.url.path(), "/authorize", "{what}");
}

/// A client of FAPI 2.0 with a key of this algorithm.
pub fn fapi(client_id: &str, algorithm: SigningAlgorithm) -> (Key, Client) {
    let key = Key::new(algorithm);
    let client = Client { profile: Some(Profile::Fapi2), ..key.client(client_id) };
    (key, client)
}

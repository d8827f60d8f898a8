//! Pushed authorization requests (RFC 9126).

use std::time::Duration;

use idp::config::{Client, SigningAlgorithm};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tests::{Backend, Browser, Key, Person, SigningClient, Tokens, World};

use crate::protocol_acts::{refused, shown};

/// Two clients that have to push, each with a key of its own.
async fn world(backend: Backend) -> (World, SigningClient, SigningClient) {
    let keys = [Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256)];
    let clients = keys.iter().zip(["pusher", "other"]).map(|(key, id)| Client {
        require_pushed_authorization_requests: true,
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into(), "http://127.0.0.1:9999/two?a=1".into()],
        ..key.client(id)
    });
    let world = World::with_clients(backend, clients.collect()).await;
    world.add(&Person::ANNA).await;
    let [one, two] = &keys;
    let (one, two) =
        (SigningClient::new(&world, "pusher", one, None), SigningClient::new(&world, "other", two, None));
    (world, one, two)
}

fn answered(client: &SigningClient, browser: &Browser, name: &str) -> Option<String> {
    client.portal.answered(browser, name)
}

/// RFC 9126 sections 2.1 to 2.3, FAPI 2.0 Security Profile section 5.3.2.2.
#[tokio::test]
async fn only_a_good_request_is_taken_and_only_by_post() {
    for backend in Backend::ALL {
        let (world, client, _) = world(backend).await;
        let answer = client.push(&[]).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let answer: Value = answer.json().await.unwrap();
        assert!((60..=90).contains(&answer["expires_in"].as_u64().unwrap()), "{answer}");
        let request_uri = answer["request_uri"].as_str().unwrap();
        let secret = request_uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
        assert!(secret.len() >= 43, "256 bits");

        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD] {
            let request = client.portal.http.request(method.clone(), format!("{}/par", world.issuer));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        }
        let challenge = platform::seal::sha256("x");
        for (changes, error) in [
            (vec![("request_uri", request_uri)], "invalid_request"),
            (vec![("request_uri", "https://rp.example/request")], "invalid_request"),
            (vec![("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge_method", "plain")], "invalid_request"),
            (vec![("code_challenge", ""), ("code_challenge_method", "S256")], "invalid_request"),
            (vec![("redirect_uri", "")], "invalid_request"),
            (vec![("redirect_uri", "http://127.0.0.1:9999/cb/")], "invalid_request"),
            (vec![("redirect_uri", "http://127.0.0.1:9999/two?a=2")], "invalid_request"),
            (vec![("response_type", "")], "invalid_request"),
            (vec![("response_type", "token")], "unsupported_response_type"),
            (vec![("response_type", "code id_token")], "unsupported_response_type"),
            (vec![("response_type", "id_token")], "unsupported_response_type"),
            (vec![("response_type", "none")], "unsupported_response_type"),
            (vec![("response_mode", "fragment")], "invalid_request"),
            (vec![("scope", "email")], "invalid_scope"),
            (vec![("prompt", "none login")], "invalid_request"),
            (vec![("claims", "[")], "invalid_request"),
            (vec![("dpop_jkt", "short")], "invalid_request"),
            (vec![("resource", "https://api.example/")], "invalid_target"),
            (vec![("state", "s".repeat(3_000).as_str())], "invalid_request"),
        ] {
            let changes: Vec<(&str, &str)> = changes;
            assert_eq!(refused(client.push(&changes).await).await, (400, error.into()), "{changes:?}");
        }
        // A parameter twice, and the request of nobody in particular or of somebody else.
        let twice = [("code_challenge", challenge.as_str()), ("code_challenge", challenge.as_str())];
        assert_eq!(refused(client.post("/par", &twice).await).await, (400, "invalid_request".into()));
        let parameters = client.parameters(&[]);
        let form = tests::borrowed(&parameters);
        assert_eq!(refused(client.send("/par", &form, &[]).await).await, (401, "invalid_client".into()));
        let parameters = client.parameters(&[("client_id", "other")]);
        let answer = client.post("/par", &tests::borrowed(&parameters)).await;
        assert_eq!(refused(answer).await, (401, "invalid_client".into()));

        // A client that has to push gets nothing without (section 5).
        let mut browser = world.browser();
        browser.open(&client.portal.authorize_url(&[])).await;
        assert_eq!(answered(&client, &browser, "error").as_deref(), Some("invalid_request"));
        assert_eq!(answered(&client, &browser, "state").as_deref(), Some("the-state"));
        // One that need not, may.
        let web = world.relying_party();
        let url = url::Url::parse(&web.authorize_url(&[])).unwrap();
        let form: Vec<_> = url.query_pairs().into_owned().collect();
        let request = web.http.post(format!("{}/par", world.issuer)).basic_auth("web", Some("web-secret"));
        assert_eq!(request.form(&form).send().await.unwrap().status(), StatusCode::CREATED);
    }
}

/// RFC 9126 sections 4 and 7.3; FAPI 2.0: a reload before the sign-in ends is no second use.
#[tokio::test]
async fn a_pushed_request_is_its_clients_and_serves_one_sign_in() {
    for backend in Backend::ALL {
        let (world, client, other) = world(backend).await;
        let url = client.pushed(&[]).await;

        // Of another client, of nobody, not a reference at all: a page, and the client is told nothing.
        let mut stranger = world.browser();
        let stolen = url.replace("client_id=pusher", "client_id=other");
        for url in [stolen.as_str(), &format!("{url}x"), &url.replace("client_id=pusher&", "")] {
            stranger.open(url).await;
            shown(&stranger, url);
        }
        assert_eq!(other.push(&[]).await.status(), StatusCode::CREATED);

        // Opened, reloaded, opened in a second tab: each time the sign-in page.
        let mut browser = world.browser();
        let mut tab = browser.clone();
        for _ in 0..3 {
            tab.page = browser.page.clone();
            browser.open(&url).await;
            assert!(browser.has("login-page"), "{}", browser.text());
        }
        // The page that was loaded in time may be filled in at leisure.
        world.advance(Duration::from_mins(5));
        browser.sign_in(&world, &Person::ANNA).await;
        let code = answered(&client, &browser, "code").unwrap();
        assert_eq!(client.redeem(&code).await.status(), StatusCode::OK);

        // After that it is used up: for a new visit, and for the tab that was waiting.
        browser.open(&url).await;
        shown(&browser, "used");
        tab.cookies = browser.cookies.clone();
        tab.give_password(&Person::ANNA).await;
        assert_eq!(answered(&client, &tab, "error").as_deref(), Some("invalid_request_uri"));
        assert_eq!(answered(&client, &tab, "code"), None);

        // One that was cancelled did not end: the client hears so, and the person may come back to it.
        let mut stranger = world.browser();
        let url = client.pushed(&[("redirect_uri", "http://127.0.0.1:9999/two?a=1")]).await;
        stranger.open(&url).await;
        stranger.submit("login-cancel", &[]).await;
        assert!(stranger.page.url.as_str().starts_with("http://127.0.0.1:9999/two?a=1&error=access_denied&"));
        assert_eq!(answered(&client, &stranger, "state").as_deref(), Some("the-state"));
        assert_eq!(answered(&client, &stranger, "iss").as_deref(), Some(world.issuer.as_str()));

        // It lives as long as it says.
        let (last, late) = (client.pushed(&[]).await, client.pushed(&[]).await);
        world.advance(Duration::from_secs(89));
        browser.open(&last).await;
        assert!(answered(&client, &browser, "code").is_some());
        world.advance(Duration::from_secs(1));
        browser.open(&late).await;
        shown(&browser, "expired");
    }
}

/// RFC 9126 section 4, FAPI 2.0 Security Profile section 5.3.2.2: nothing beside what was pushed is used.
#[tokio::test]
async fn what_was_pushed_counts_and_nothing_beside_it() {
    for backend in Backend::ALL {
        let (world, client, _) = world(backend).await;
        let mut browser = world.browser();
        client.tokens(&world, &mut browser).await;
        let long = ["s", "n"].map(|letter| letter.repeat(384));
        let pushed = [("state", long[0].as_str()), ("nonce", &long[1]), ("scope", "openid email")];
        let beside = "&state=outside&nonce=outside&scope=openid+profile&response_mode=form_post&prompt=login\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A9999%2Ftwo%3Fa%3D1&response_type=token&code_challenge=x";
        browser.open(&format!("{}{beside}", client.pushed(&pushed).await)).await;
        assert_eq!(browser.page.url.path(), "/cb");
        assert_eq!(answered(&client, &browser, "state").as_deref(), Some(long[0].as_str()));
        let code = answered(&client, &browser, "code").unwrap();
        let tokens = Tokens(client.redeem(&code).await.json().await.unwrap());
        assert_eq!(tokens.claims("id_token")["nonce"], long[1].as_str());
        assert_eq!(tokens.get("scope"), "email openid", "a set");

        // What stands outside alone is as if it were not there.
        let bare = client.pushed(&[("state", ""), ("nonce", "")]).await;
        browser.open(&format!("{bare}&state=outside&nonce=outside")).await;
        assert_eq!(answered(&client, &browser, "state"), None);
        let code = answered(&client, &browser, "code").unwrap();
        let tokens = Tokens(client.redeem(&code).await.json().await.unwrap());
        assert!(tokens.claims("id_token")["nonce"].is_null());

        // The answer of a request without PKCE's verifier is worth nothing here either.
        let code = client.code(&world, &mut browser, &[]).await;
        let mut form = client.redemption(&code).to_vec();
        form.pop();
        assert_eq!(refused(client.post("/token", &form).await).await, (400, "invalid_grant".into()));
    }
}

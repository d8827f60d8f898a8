//! Requests that the client signed (RFC 9101, OpenID Connect Core section 6).

use idp::config::{Client, SigningAlgorithm};
use platform::seal::sha256;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Backend, Browser, Key, Person, SigningClient, Tokens, World, changed};

use crate::protocol_acts::{fapi, refused, shown};

/// `signer` may sign its requests, `strict` has to.
async fn world(backend: Backend) -> (World, SigningClient, SigningClient) {
    let keys = [Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Ps256)];
    let strict = Client { require_signed_request_object: true, ..keys[1].client("strict") };
    let world = World::with_clients(backend, vec![keys[0].client("signer"), strict]).await;
    world.add(&Person::ANNA).await;
    let signer = SigningClient::new(&world, "signer", &keys[0], None);
    let strict = SigningClient::new(&world, "strict", &keys[1], None);
    (world, signer, strict)
}

/// The claims of a request object of this client, with changes.
fn request(client: &SigningClient, now: i64, changes: &Value) -> Value {
    let portal = &client.portal;
    let claims = json!({
        "iss": portal.client_id, "aud": portal.issuer, "iat": now, "exp": now + 60,
        "client_id": portal.client_id, "redirect_uri": portal.redirect_uri, "response_type": "code",
        "scope": "openid email", "state": "inner", "nonce": "inner",
        "code_challenge": sha256(&portal.verifier), "code_challenge_method": "S256",
    });
    changed(claims, changes)
}

/// What a browser carries besides: the client's name and the object; more is to be ignored.
fn url(client: &SigningClient, object: &str, outer: &[(&str, &str)]) -> String {
    let mut only = vec![("request", object)];
    for name in [
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ] {
        if !outer.iter().any(|(known, _)| *known == name) {
            only.push((name, ""));
        }
    }
    only.extend(outer);
    client.portal.authorize_url(&only)
}

fn answered(client: &SigningClient, browser: &Browser, name: &str) -> Option<String> {
    client.portal.answered(browser, name)
}

/// RFC 9101 sections 5 and 6.3: what stands inside counts, and nothing beside it.
#[tokio::test]
async fn of_a_signed_request_only_what_stands_inside_counts() {
    for backend in Backend::ALL {
        let (world, signer, strict) = world(backend).await;
        let now = world.clock.now().seconds();
        let mut browser = world.browser();
        let outer = [
            ("state", "outer"),
            ("nonce", "outer"),
            ("scope", "openid profile"),
            ("response_type", "token"),
            ("redirect_uri", "http://127.0.0.1:9999/elsewhere"),
            ("prompt", "none"),
            ("max_age", "0"),
        ];
        for client in [&signer, &strict] {
            for typ in ["oauth-authz-req+jwt", "JWT"] {
                let changes = json!({ "max_age": 3_600, "claims": { "userinfo": { "given_name": null } } });
                let object = client.key.sign(typ, &request(client, now, &changes));
                for outer in [&[][..], &outer] {
                    browser.open(&url(client, &object, outer)).await;
                    if browser.has("login-page") {
                        browser.sign_in(&world, &Person::ANNA).await;
                    }
                    assert_eq!(answered(client, &browser, "state").as_deref(), Some("inner"));
                    let code = answered(client, &browser, "code").unwrap();
                    let tokens = Tokens(client.redeem(&code).await.json().await.unwrap());
                    assert_eq!(tokens.claims("id_token")["nonce"], "inner");
                    assert_eq!(tokens.get("scope"), "email openid");
                    let person = client.portal.userinfo(tokens.get("access_token")).await;
                    let person: Value = person.json().await.unwrap();
                    assert!(person["given_name"].is_string() && person["family_name"].is_null(), "{person}");
                }
            }
            // Without state inside there is none, whatever stands outside.
            let object = client.key.sign("JWT", &request(client, now, &json!({ "state": null })));
            browser.open(&url(client, &object, &[("state", "outer")])).await;
            assert!(answered(client, &browser, "code").is_some());
            assert_eq!(answered(client, &browser, "state"), None);
            // Errors of the inner request go to its own address, with its own state, in its own mode.
            let inner = json!({ "response_type": "token", "response_mode": "form_post" });
            browser.open(&url(client, &client.key.sign("JWT", &request(client, now, &inner)), &outer)).await;
            let (action, fields) = browser.form_of("form-post");
            assert_eq!(action.as_str(), client.portal.redirect_uri);
            assert!(fields.contains(&("state".into(), "inner".into())), "{fields:?}");
            assert!(fields.contains(&("error".into(), "unsupported_response_type".into())), "{fields:?}");
            // An address that is not registered gets nothing, inside or out.
            let inner = json!({ "redirect_uri": "http://127.0.0.1:9999/evil" });
            browser.open(&url(client, &client.key.sign("JWT", &request(client, now, &inner)), &[])).await;
            shown(&browser, "an inner redirect URI");
            let inner = json!({ "redirect_uri": null });
            let object = client.key.sign("JWT", &request(client, now, &inner));
            browser.open(&url(client, &object, &[("redirect_uri", "http://127.0.0.1:9999/cb")])).await;
            shown(&browser, "only the inner redirect URI counts");
        }
        // Pushed, it is the same (RFC 9126 section 3).
        let object = strict.key.sign("oauth-authz-req+jwt", &request(&strict, now, &json!({})));
        let answer =
            strict.post("/par", &[("client_id", "strict"), ("request", &object), ("state", "outer")]).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let answer: Value = answer.json().await.unwrap();
        browser.open(&strict.visit(answer["request_uri"].as_str().unwrap())).await;
        assert_eq!(answered(&strict, &browser, "state").as_deref(), Some("inner"));
    }
}

/// RFC 9101 sections 4, 6.1 and 6.2; RFC 8725 for the header; OpenID Connect Core section 3.1.2.6 for the names.
#[tokio::test]
async fn a_request_object_that_does_not_hold_is_refused_by_name() {
    for backend in Backend::ALL {
        let (world, signer, strict) = world(backend).await;
        let now = world.clock.now().seconds();
        let mut browser = world.browser();
        let outer = [("redirect_uri", "http://127.0.0.1:9999/cb"), ("state", "outer")];
        let good = request(&signer, now, &json!({}));
        let kid = signer.key.public()["kid"].clone();
        let other = Key::new(SigningAlgorithm::Es256);
        let with = |header: Value| signer.key.sign_with_header(&header, &good);
        let none = with(json!({ "alg": "none" }));
        let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
        let changed = |changes: Value| signer.key.sign("JWT", &request(&signer, now, &changes));
        let cases = [
            ("unsigned", unsigned.clone(), "request_not_supported"),
            ("none with a signature", none, "request_not_supported"),
            ("no JWT", "x".into(), "invalid_request_object"),
            ("no JSON", "e30.e30.e30".into(), "invalid_request_object"),
            ("another key", other.sign("JWT", &good), "invalid_request_object"),
            (
                "another key by its name",
                other.sign_with_header(&json!({ "alg": "ES256", "kid": kid }), &good),
                "invalid_request_object",
            ),
            ("another client's key", strict.key.sign("JWT", &good), "invalid_request_object"),
            ("HS256", with(json!({ "alg": "HS256", "kid": kid })), "invalid_request_object"),
            (
                "its own key",
                with(json!({ "alg": "ES256", "jwk": signer.key.public() })),
                "invalid_request_object",
            ),
            ("iss", changed(json!({ "iss": "strict" })), "invalid_request_object"),
            ("aud", changed(json!({ "aud": "https://other.example" })), "invalid_request_object"),
            ("client_id", changed(json!({ "client_id": "strict" })), "invalid_request_object"),
            ("exp", changed(json!({ "exp": now - 60 })), "invalid_request_object"),
            ("nbf", changed(json!({ "nbf": now + 61 })), "invalid_request_object"),
            ("request inside", changed(json!({ "request": "x" })), "invalid_request_object"),
            ("request_uri inside", changed(json!({ "request_uri": "https://x" })), "invalid_request_object"),
            ("a list", changed(json!({ "scope": ["openid"] })), "invalid_request_object"),
        ];
        for (what, object, error) in &cases {
            browser.open(&url(&signer, object, &outer)).await;
            assert_eq!(answered(&signer, &browser, "error").as_deref(), Some(*error), "{what}");
            assert_eq!(answered(&signer, &browser, "state").as_deref(), Some("outer"), "{what}");
            assert_eq!(answered(&signer, &browser, "iss").as_deref(), Some(world.issuer.as_str()), "{what}");
            // Without an address outside that is registered there is nowhere to tell it.
            browser.open(&url(&signer, object, &[])).await;
            shown(&browser, what);
            let answer = signer.post("/par", &[("client_id", "signer"), ("request", object)]).await;
            assert_eq!(refused(answer).await, (400, (*error).to_owned()), "{what}");
        }
        // A client without keys can sign nothing: by name, as the certification modules expect it.
        let web = world.relying_party();
        browser.open(&web.authorize_url(&[("request", &unsigned)])).await;
        assert_eq!(web.answered(&browser, "error").as_deref(), Some("request_not_supported"));
        // Objects that the provider would have to fetch are not (RFC 9101 section 10.4 tells why).
        for uri in ["https://rp.example/request.jwt", "http://127.0.0.1:1/", "urn:example:x"] {
            browser.open(&signer.portal.authorize_url(&[("request_uri", uri)])).await;
            assert_eq!(answered(&signer, &browser, "error").as_deref(), Some("request_uri_not_supported"));
            browser.open(&signer.portal.authorize_url(&[("request_uri", uri), ("redirect_uri", "")])).await;
            shown(&browser, uri);
        }

        browser.open(&url(&strict, &unsigned, &outer)).await;
        assert_eq!(answered(&strict, &browser, "error").as_deref(), Some("invalid_request_object"));

        // Who has to sign gets nothing without, by the browser or pushed (RFC 9101 section 10.5).
        browser.open(&strict.portal.authorize_url(&[])).await;
        assert_eq!(answered(&strict, &browser, "error").as_deref(), Some("invalid_request"));
        assert_eq!(refused(strict.push(&[]).await).await, (400, "invalid_request".into()));
    }
}

/// FAPI 2.0 Message Signing section 5.3.1: issuer, audience, and times that make it one of this hour.
#[tokio::test]
async fn a_signed_request_of_a_fapi_client_lacks_nothing() {
    for backend in Backend::ALL {
        let (key, client) = fapi("fapi", SigningAlgorithm::Ps256);
        let world = World::with_clients(backend, vec![client]).await;
        let client = SigningClient::new(&world, "fapi", &key, Some(&Key::new(SigningAlgorithm::Es256)));
        let now = world.clock.now().seconds();
        let push = async |key: &Key, changes: Value| {
            let claims = changed(request(&client, now, &json!({ "nbf": now })), &changes);
            let object = key.sign("oauth-authz-req+jwt", &claims);
            client.post("/par", &[("client_id", "fapi"), ("request", &object)]).await
        };
        for changes in [
            json!({}),
            json!({ "nbf": now + 8, "exp": now + 60 }),
            json!({ "exp": now + 3_600 }),
            json!({ "nbf": now - 3_540, "exp": now + 60 }),
            json!({ "aud": [client.portal.issuer, "https://other.example"] }),
        ] {
            assert_eq!(push(&key, changes.clone()).await.status(), StatusCode::CREATED, "{changes}");
        }
        for changes in [
            json!({ "exp": null }),
            json!({ "aud": null }),
            json!({ "iss": null }),
            json!({ "nbf": null }),
            json!({ "nbf": "now" }),
            json!({ "nbf": now + 61, "exp": now + 120 }),
            json!({ "nbf": now - 3_660, "exp": now - 60 }),
            json!({ "nbf": now - 4_200, "exp": now + 60 }),
            json!({ "exp": now + 3_601 }),
            json!({ "exp": now + 7_200 }),
        ] {
            let answer = refused(push(&key, changes.clone()).await).await;
            assert_eq!(answer, (400, "invalid_request_object".into()), "{changes}");
        }
        // Unsigned is no request object of a client that signs, whatever follows the second dot.
        let claims = request(&client, now, &json!({ "nbf": now }));
        let none = key.sign_with_header(&json!({ "alg": "none" }), &claims);
        let unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
        for object in [&none, &unsigned] {
            let answer = client.post("/par", &[("client_id", "fapi"), ("request", object)]).await;
            assert_eq!(refused(answer).await, (400, "invalid_request_object".into()));
        }
        let rs256 = key.used_for(SigningAlgorithm::Rs256);
        assert_eq!(refused(push(&rs256, json!({})).await).await, (400, "invalid_request_object".into()));
    }
}

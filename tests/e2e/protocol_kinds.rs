//! A JWT says what it is for, and serves for nothing else (RFC 8725 section 3.11).

use idp::config::{Client, SigningAlgorithm};
use platform::config::Secret;
use platform::seal::sha256;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Backend, Key, Person, RelyingParty, SigningClient, World, changed};

use crate::protocol_acts::{fapi, refused};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What `/token` says to a client that comes with this assertion.
async fn authenticated(client: &SigningClient, assertion: &str) -> (u16, String) {
    let form = [("grant_type", "refresh_token"), ("refresh_token", "nobodys")];
    let proofs: Vec<String> = client.dpop.iter().map(|_| client.proof("POST", "/token", None)).collect();
    refused(client.send_as(assertion, "/token", &form, &proofs).await).await
}

/// RFC 7523 section 3, RFC 9101 sections 4 and 10.8, Back-Channel Logout 1.0 section 2.4.
#[tokio::test]
async fn t50_what_a_client_signed_for_one_purpose_serves_no_other() {
    for backend in Backend::ALL {
        let plain = Key::new(SigningAlgorithm::Es256);
        let (key, strict) = fapi("strict", SigningAlgorithm::Ps256);
        let world = World::with_clients(backend, vec![plain.client("plain"), strict]).await;
        let now = world.clock.now().seconds();
        for client in [
            SigningClient::new(&world, "plain", &plain, None),
            SigningClient::new(&world, "strict", &key, Some(&Key::new(SigningAlgorithm::Es256))),
        ] {
            let (id, issuer) = (client.portal.client_id.as_str(), client.portal.issuer.as_str());
            let one = |at: &str| format!("{at}-{}", platform::random::Random::system().id());
            let assertion = || json!({ "iss": id, "sub": id, "aud": issuer, "iat": now, "exp": now + 60, "jti": one("a") });
            let request = || {
                json!({
                    "iss": id, "aud": issuer, "iat": now, "nbf": now, "exp": now + 60, "client_id": id,
                    "redirect_uri": client.portal.redirect_uri, "response_type": "code", "scope": "openid",
                    "code_challenge": sha256(&client.portal.verifier), "code_challenge_method": "S256",
                })
            };
            let good = (400, "invalid_grant".to_owned());
            let no_client = (401, "invalid_client".to_owned());
            let push = async |object: &str| {
                let answer = client.post("/par", &[("client_id", id), ("request", object)]).await;
                if answer.status() == StatusCode::CREATED {
                    (201, String::new())
                } else {
                    refused(answer).await
                }
            };
            let no_request = (400, "invalid_request_object".to_owned());

            // In its own place, with the type of its own, the general one, or none.
            let bare = json!({ "alg": client.key.algorithm.name(), "kid": client.key.public()["kid"] });
            for typ in ["JWT", "jwt", "client-authentication+jwt"] {
                assert_eq!(authenticated(&client, &client.key.sign(typ, &assertion())).await, good, "{typ}");
            }
            assert_eq!(authenticated(&client, &client.key.sign_with_header(&bare, &assertion())).await, good);
            for typ in ["JWT", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"] {
                assert_eq!(push(&client.key.sign(typ, &request())).await.0, 201, "{typ}");
            }
            assert_eq!(push(&client.key.sign_with_header(&bare, &request())).await.0, 201);

            // Under the type of another, whatever it says.
            for typ in ["logout+jwt", "at+jwt", "dpop+jwt", "secevent+jwt", "oauth-authz-req+jwt"] {
                let token = client.key.sign(typ, &assertion());
                assert_eq!(authenticated(&client, &token).await, no_client, "{typ}");
            }
            for typ in ["logout+jwt", "at+jwt", "dpop+jwt", "client-authentication+jwt"] {
                assert_eq!(push(&client.key.sign(typ, &request())).await, no_request, "{typ}");
            }
            // Saying what only another says, under no type of its own.
            for more in [
                json!({ "events": { EVENT: {} } }),
                json!({ "events": { EVENT: {} }, "sid": "1" }),
                json!({ "htm": "POST", "htu": format!("{issuer}/token") }),
                json!({ "nonce": "n", "auth_time": now }),
                request(),
            ] {
                for header in [None, Some("JWT")] {
                    let mut head = bare.clone();
                    if let Some(typ) = header {
                        head["typ"] = json!(typ);
                    }
                    let token = client.key.sign_with_header(&head, &changed(assertion(), &more));
                    assert_eq!(authenticated(&client, &token).await, no_client, "{header:?} {more}");
                }
            }
            for more in [json!({ "events": { EVENT: {} } }), json!({ "htm": "POST" }), json!({ "sub": id })] {
                let object = client.key.sign("JWT", &changed(request(), &more));
                assert_eq!(push(&object).await, no_request, "{more}");
            }
            // An assertion is no request, and a request no assertion.
            assert_ne!(push(&client.key.sign("JWT", &assertion())).await.0, 201);
            let request = changed(request(), &json!({ "sub": id, "jti": "r" }));
            assert_eq!(authenticated(&client, &client.key.sign("JWT", &request)).await, no_client);
        }
    }
}

/// OpenID Connect Core sections 2 and 5.3.2; RP-Initiated Logout 1.0 section 2.
#[tokio::test]
async fn t50_signed_userinfo_is_no_id_token() {
    const BYE: &str = "http://127.0.0.1:9999/bye";
    for backend in Backend::ALL {
        let signed = Client {
            client_id: "signed".into(),
            client_secret: Some(Secret::Literal("web-secret".into())),
            redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
            post_logout_redirect_uris: vec![BYE.into()],
            userinfo_signed_response_alg: Some(SigningAlgorithm::Rs256),
            ..Client::default()
        };
        let world = World::with_clients(backend, vec![signed]).await;
        world.add(&Person::ANNA).await;
        let portal = RelyingParty::new(&world.issuer, "signed", Some("web-secret"));
        let mut browser = world.browser();
        let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        let userinfo = portal.userinfo(tokens.get("access_token")).await;
        assert_eq!(userinfo.headers()["content-type"], "application/jwt");
        let userinfo = userinfo.text().await.unwrap();
        let sub: Value = jsonwebtoken::dangerous::insecure_decode::<Value>(&userinfo).unwrap().claims;
        assert_eq!(sub["sub"], tokens.claims("id_token")["sub"], "it is of the same person");

        browser.open(&portal.authorize_url(&[("id_token_hint", &userinfo), ("prompt", "none")])).await;
        assert_eq!(portal.answered(&browser, "error").as_deref(), Some("invalid_request"));
        let logout = |hint: &str| {
            format!("{}/logout?id_token_hint={hint}&post_logout_redirect_uri={BYE}", world.issuer)
        };
        browser.open(&logout(&userinfo)).await;
        assert!(browser.has("logout-confirm"), "{}", browser.text());
        // The ID token itself does both.
        let hint = tokens.get("id_token");
        browser.open(&portal.authorize_url(&[("id_token_hint", hint), ("prompt", "none")])).await;
        assert!(portal.answered(&browser, "code").is_some());
        browser.open(&logout(hint)).await;
        assert_eq!(browser.page.url.as_str(), BYE);
    }
}

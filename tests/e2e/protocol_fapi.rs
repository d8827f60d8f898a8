//! FAPI 2.0 Security Profile (Final) as a whole: clients with `profile = "fapi2"` and nothing else set.

use std::time::Duration;

use idp::config::{Client, SigningAlgorithm};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Key, Person, SigningClient, Tokens, World};
use url::Url;

use crate::protocol_acts::{fapi, refused, shown};
use crate::receiver::verified;

const ALGORITHMS: [SigningAlgorithm; 3] =
    [SigningAlgorithm::Es256, SigningAlgorithm::Ps256, SigningAlgorithm::EdDsa];

/// The second client of the certification plan has a redirect URI with a query of its own.
const SECOND: &str = "http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum";

/// Two clients, each with a key of its own of this algorithm.
async fn world(backend: Backend, algorithm: SigningAlgorithm) -> (World, SigningClient, SigningClient) {
    let ((key1, one), (key2, two)) = (fapi("one", algorithm), fapi("two", algorithm));
    let one = Client { id_token_signed_response_alg: Some(algorithm), ..one };
    let two = Client { redirect_uris: vec![SECOND.into()], ..two };
    let world = World::with_clients(backend, vec![one, two]).await;
    world.add(&Person::ANNA).await;
    let dpop = [Key::new(algorithm), Key::new(algorithm)];
    let one = SigningClient::new(&world, "one", &key1, Some(&dpop[0]));
    let mut two = SigningClient::new(&world, "two", &key2, Some(&dpop[1]));
    two.portal.redirect_uri = SECOND.into();
    (world, one, two)
}

/// Sections 5.3.2 and 5.4 from end to end, with each algorithm that the profile has.
#[tokio::test]
async fn the_happy_flow_with_every_algorithm() {
    for backend in Backend::ALL {
        for algorithm in ALGORITHMS {
            let (world, one, two) = world(backend, algorithm).await;
            let mut browser = world.browser();
            for client in [&one, &two] {
                let id = client.portal.client_id.as_str();
                let url = client.pushed(&[("scope", "offline_access email openid")]).await;
                // Only client_id and request_uri travel by the browser.
                let names: Vec<_> =
                    Url::parse(&url).unwrap().query_pairs().map(|(name, _)| name.into_owned()).collect();
                assert_eq!(names, ["client_id", "request_uri"]);
                browser.open(&url).await;
                if browser.has("login-page") {
                    browser.sign_in(&world, &Person::ANNA).await;
                }
                let mut answer = client.portal.answer(&browser);
                if id == "two" {
                    let own: Vec<_> = answer.drain(..2).collect();
                    let kept = [("dummy1", "lorem"), ("dummy2", "ipsum")];
                    assert_eq!(own, kept.map(|(name, value)| (name.to_owned(), value.to_owned())));
                }
                let names: Vec<&str> = answer.iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(names, ["code", "state", "iss"]);
                assert_eq!((answer[1].1.as_str(), &answer[2].1), ("the-state", &world.issuer));

                let answer = client.redeem(&answer[0].1).await;
                assert_eq!(answer.status(), StatusCode::OK);
                assert_eq!(answer.headers()["cache-control"], "no-store");
                assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
                let tokens = Tokens(answer.json().await.unwrap());
                assert_eq!(tokens.get("token_type"), "DPoP");
                assert!(tokens.0["expires_in"].is_u64() && tokens.get("refresh_token").len() >= 22);
                // Never RS256: what the client registered, or PS256.
                let (header, claims) = verified(&world.issuer, tokens.get("id_token")).await;
                let expected = if id == "one" { algorithm.name() } else { "PS256" };
                assert_eq!(format!("{:?}", header.alg), expected);
                assert_eq!((&claims["iss"], &claims["aud"]), (&json!(world.issuer), &json!([id])));
                assert_eq!(claims["nonce"], "the-nonce");
                // For this server's own endpoints: the cheapest one that the profile allows.
                let (header, _) = verified(&world.issuer, tokens.get("access_token")).await;
                assert_eq!(format!("{:?}", header.alg), "ES256");

                let token = tokens.get("access_token");
                let proof = client.proof("GET", "/userinfo", Some(token));
                let answer = client.userinfo(Method::GET, &format!("DPoP {token}"), &[proof]).await;
                assert!(answer.headers().contains_key("date"));
                let person: Value = answer.json().await.unwrap();
                assert_eq!((&person["sub"], &person["email"]), (&claims["sub"], &json!(Person::ANNA.email)));

                let renewed = Tokens(client.refresh(tokens.get("refresh_token")).await.json().await.unwrap());
                let again = renewed.claims("id_token");
                assert_eq!((&again["sub"], &again["auth_time"]), (&claims["sub"], &claims["auth_time"]));
            }
            // A token of the second with the key of the first: refused.
            let tokens = two.tokens(&world, &mut browser).await;
            let token = tokens.get("access_token");
            let proof = one.proof("GET", "/userinfo", Some(token));
            let answer = two.userinfo(Method::GET, &format!("DPoP {token}"), &[proof]).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
    }
}

/// Section 5.3.2.1 and 5.3.2.2: what a client of the profile cannot do, though others may.
#[tokio::test]
async fn what_the_profile_forbids_is_refused() {
    for backend in Backend::ALL {
        let (world, one, two) = world(backend, SigningAlgorithm::Es256).await;
        let mut browser = world.browser();
        one.tokens(&world, &mut browser).await;
        let no_grant = (400, "invalid_grant".to_owned());

        // Requests by the browser, and every response type but code.
        browser.open(&one.portal.authorize_url(&[])).await;
        assert_eq!(one.portal.answered(&browser, "error").as_deref(), Some("invalid_request"));
        for response_type in ["token", "id_token", "code id_token", "code token", "code id_token token"] {
            let answer = refused(one.push(&[("response_type", response_type)]).await).await;
            assert_eq!(answer, (400, "unsupported_response_type".into()));
        }
        // PKCE, also where a client would not need it (Core section 3.1 aside).
        let answer = one.push(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
        assert_eq!(refused(answer).await, (400, "invalid_request".into()));

        // Codes: of this client, with its verifier, within a minute, once.
        let code = one.code(&world, &mut browser, &[]).await;
        assert_eq!(refused(two.redeem(&code).await).await, no_grant);
        assert_eq!(one.redeem(&code).await.status(), StatusCode::OK, "the other one did no harm");
        let late = one.code(&world, &mut browser, &[]).await;
        world.advance(Duration::from_secs(62));
        assert_eq!(refused(one.redeem(&late).await).await, no_grant);
        let code = one.code(&world, &mut browser, &[]).await;
        let tokens = Tokens(one.redeem(&code).await.json().await.unwrap());
        world.advance(Duration::from_secs(1));
        assert_eq!(refused(one.redeem(&code).await).await, no_grant);
        let token = tokens.get("access_token");
        let proof = one.proof("GET", "/userinfo", Some(token));
        let answer = one.userinfo(Method::GET, &format!("DPoP {token}"), &[proof]).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "what was issued from it is revoked");
        for verifier in ["", "w".repeat(43).as_str()] {
            let code = one.code(&world, &mut browser, &[]).await;
            let mut form = one.redemption(&code).to_vec();
            form[3].1 = verifier;
            assert_eq!(refused(one.post("/token", &form).await).await, no_grant);
        }
        // A refresh needs the client's key and the token's.
        let tokens = one.tokens(&world, &mut browser).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
        let proof = || vec![one.proof("POST", "/token", None)];
        assert_eq!(refused(one.send("/token", &form, &proof()).await).await, (401, "invalid_client".into()));
        let mut named = form.to_vec();
        named.push(("client_id", "one"));
        assert_eq!(refused(one.send("/token", &named, &proof()).await).await, (401, "invalid_client".into()));
        let answer = one.send_as(&one.assertion(&json!({})), "/token", &form, &[]).await;
        assert_eq!(refused(answer).await, (400, "invalid_dpop_proof".into()));
        assert_eq!(refused(two.refresh(tokens.get("refresh_token")).await).await, no_grant);
        assert_eq!(one.refresh(tokens.get("refresh_token")).await.status(), StatusCode::OK);

        // Access tokens in the query open nothing.
        let token = tokens.get("access_token");
        let url = format!("{}/userinfo?access_token={token}", world.issuer);
        let request = one.portal.http.get(url).header("dpop", one.proof("GET", "/userinfo", Some(token)));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
}

/// The person cancels, without state and with the redirect URI's own query (RFC 6749 section 4.1.2.1, RFC 9207).
#[tokio::test]
async fn who_cancels_is_told_to_the_client_as_it_asked() {
    for backend in Backend::ALL {
        let (world, one, two) = world(backend, SigningAlgorithm::Es256).await;
        for (client, start) in [
            (&one, "http://127.0.0.1:9999/cb?error="),
            (&two, "http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum&error="),
        ] {
            for state in [Some("s".repeat(384)), None] {
                let mut browser = world.browser();
                browser.open(&client.pushed(&[("state", state.as_deref().unwrap_or_default())]).await).await;
                browser.submit("login-cancel", &[]).await;
                assert!(browser.page.url.as_str().starts_with(start), "{}", browser.page.url);
                assert_eq!(client.portal.answered(&browser, "error").as_deref(), Some("access_denied"));
                assert_eq!(client.portal.answered(&browser, "state"), state);
                assert_eq!(client.portal.answered(&browser, "iss").as_deref(), Some(world.issuer.as_str()));
            }
        }
        // A request_uri of the other client, or of nobody, is a page.
        let mut browser = world.browser();
        let stolen = one.pushed(&[]).await.replace("client_id=one", "client_id=two");
        browser.open(&stolen).await;
        shown(&browser, "another client's");
        let answer = one.push(&[("redirect_uri", SECOND)]).await;
        assert_eq!(refused(answer).await, (400, "invalid_request".into()));
    }
}

/// Section 5.3.2.2 with RFC 8414: what a client of the profile looks for in the metadata.
#[tokio::test]
async fn the_metadata_has_what_the_profile_needs() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        for path in ["openid-configuration", "oauth-authorization-server"] {
            let metadata = reqwest::get(format!("{}/.well-known/{path}", world.issuer)).await.unwrap();
            let metadata: Value = metadata.json().await.unwrap();
            let has = |name: &str, value: &str| {
                let list = metadata[name].as_array().unwrap_or_else(|| panic!("{name}"));
                assert!(list.contains(&json!(value)), "{name} lacks {value}");
            };
            has("response_types_supported", "code");
            has("grant_types_supported", "authorization_code");
            has("code_challenge_methods_supported", "S256");
            has("token_endpoint_auth_methods_supported", "private_key_jwt");
            for algorithm in ALGORITHMS {
                for name in [
                    "id_token_signing_alg_values_supported",
                    "token_endpoint_auth_signing_alg_values_supported",
                    "request_object_signing_alg_values_supported",
                    "dpop_signing_alg_values_supported",
                ] {
                    // A key for EdDSA is there for clients that ask for it.
                    if name != "id_token_signing_alg_values_supported" || algorithm.name() != "EdDSA" {
                        has(name, algorithm.name());
                    }
                }
            }
            assert_eq!(metadata["authorization_response_iss_parameter_supported"], json!(true));
            assert_eq!(
                metadata["pushed_authorization_request_endpoint"],
                json!(format!("{}/par", world.issuer))
            );
        }
    }
}

//! Tokens that are good only together with a key (RFC 9449): at `/token`, `/par` and `/userinfo`.

use std::time::Duration;

use idp::config::{Client, SigningAlgorithm};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Key, Person, SigningClient, Tokens, World, borrowed};

use crate::protocol_acts::{fapi, refused};

/// `fapi` has to prove possession, `free` may; both have a key to do it with.
async fn world(backend: Backend) -> (World, SigningClient, SigningClient) {
    let (fapi_key, fapi) = fapi("fapi", SigningAlgorithm::Es256);
    let free_key = Key::new(SigningAlgorithm::Es256);
    let world = World::with_clients(backend, vec![fapi, free_key.client("free")]).await;
    world.add(&Person::ANNA).await;
    let dpop = [Key::new(SigningAlgorithm::Es256), Key::new(SigningAlgorithm::Es256)];
    let fapi = SigningClient::new(&world, "fapi", &fapi_key, Some(&dpop[0]));
    let free = SigningClient::new(&world, "free", &free_key, Some(&dpop[1]));
    (world, fapi, free)
}

/// A request with these proofs and a fresh assertion.
async fn with(client: &SigningClient, path: &str, form: &[(&str, &str)], proofs: &[String]) -> Response {
    client.send_as(&client.assertion(&json!({})), path, form, proofs).await
}

/// Every proof that RFC 9449 section 4.3 refuses, for one request; each with what is wrong.
fn faults(
    client: &SigningClient,
    at: (&str, &str),
    token: Option<&str>,
    now: i64,
) -> Vec<(String, Vec<String>)> {
    let key = client.dpop.as_ref().unwrap();
    let none = json!({});
    let made = |header: &Value, claims: &Value| client.proof_of(key, at, token, header, claims);
    let good = || made(&none, &none);
    let mut private = key.public();
    private["d"] = json!("c2VjcmV0");
    let other = Key::new(SigningAlgorithm::Es256);
    let other_method = if at.0 == "POST" { "GET" } else { "POST" };
    let other_url = format!("{}/revoke", client.portal.issuer);
    let mut all = vec![
        ("two".to_owned(), vec![good(), good()]),
        ("empty".to_owned(), vec![String::new()]),
        ("malformed".to_owned(), vec!["not.a.jwt".to_owned()]),
        ("two in one".to_owned(), vec![format!("{}, {}", good(), good())]),
        ("changed".to_owned(), vec![format!("{}A", good())]),
    ];
    for header in [
        json!({ "typ": null }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "at+jwt" }),
        json!({ "alg": null }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "PS256" }),
        json!({ "jwk": null }),
        json!({ "jwk": {} }),
        json!({ "jwk": private }),
        json!({ "jwk": other.public() }),
        json!({ "jwk": null, "kid": key.public()["kid"] }),
    ] {
        all.push((header.to_string(), vec![made(&header, &none)]));
    }
    for claims in [
        json!({ "jti": null }),
        json!({ "jti": "" }),
        json!({ "htm": null }),
        json!({ "htm": other_method }),
        json!({ "htm": at.0.to_lowercase() }),
        json!({ "htu": null }),
        json!({ "htu": other_url }),
        json!({ "htu": at.1 }),
        json!({ "htu": format!("https://other.example{}", at.1) }),
        json!({ "htu": format!("{}{}/", client.portal.issuer, at.1) }),
        json!({ "iat": null }),
        json!({ "iat": "now" }),
        json!({ "iat": now - 3_600 }),
        json!({ "iat": now + 3_600 }),
        json!({ "nbf": now + 3_600 }),
        json!({ "exp": now - 60 }),
    ] {
        all.push((claims.to_string(), vec![made(&none, &claims)]));
    }
    let rsa = Key::new(SigningAlgorithm::Rs256);
    all.push(("RS256".into(), vec![client.proof_of(&rsa, at, token, &none, &none)]));
    if token.is_some() {
        for claims in [json!({ "ath": null }), json!({ "ath": platform::seal::sha256("another") })] {
            all.push((claims.to_string(), vec![made(&none, &claims)]));
        }
    }
    all
}

/// Proofs with differences that section 4.3 tolerates.
fn tolerated(
    client: &SigningClient,
    at: (&str, &str),
    token: Option<&str>,
    now: i64,
) -> Vec<(String, String)> {
    let url = format!("{}{}", client.portal.issuer, at.1);
    let upper = url.replace("http://localhost", "HTTP://LOCALHOST");
    let changes = [
        json!({ "htu": format!("{url}?a=1") }),
        json!({ "htu": format!("{url}#fragment") }),
        json!({ "htu": upper }),
        json!({ "iat": now - 10 }),
        json!({ "iat": now + 10 }),
        json!({ "exp": now + 10, "nbf": now, "extra": [1] }),
    ];
    let key = client.dpop.as_ref().unwrap();
    let made = |claims: &Value| client.proof_of(key, at, token, &json!({}), claims);
    changes.iter().map(|claims| (claims.to_string(), made(claims))).collect()
}

/// RFC 9449 sections 4.3, 5 and 10.1.
#[tokio::test]
async fn token_and_par_refuse_every_proof_that_does_not_hold() {
    for backend in Backend::ALL {
        let (world, fapi, free) = world(backend).await;
        let now = world.clock.now().seconds();
        let bad = (400, "invalid_dpop_proof".to_owned());
        let mut browser = world.browser();
        let code = fapi.code(&world, &mut browser, &[]).await;
        for client in [&fapi, &free] {
            let parameters = client.parameters(&[]);
            let form = borrowed(&parameters);
            for (what, proofs) in faults(client, ("POST", "/par"), None, now) {
                assert_eq!(refused(with(client, "/par", &form, &proofs).await).await, bad, "/par {what}");
            }
            for (what, proof) in tolerated(client, ("POST", "/par"), None, now) {
                let answer = with(client, "/par", &form, &[proof]).await;
                assert_eq!(answer.status(), StatusCode::CREATED, "/par {what}");
            }
            // None of the bad ones uses the code up.
            for (what, proofs) in faults(client, ("POST", "/token"), None, now) {
                let answer = with(client, "/token", &client.redemption(&code), &proofs).await;
                assert_eq!(refused(answer).await, bad, "/token {what}");
            }
            for (what, proof) in tolerated(client, ("POST", "/token"), None, now) {
                let form = [("grant_type", "refresh_token"), ("refresh_token", "nobodys")];
                let answer = refused(with(client, "/token", &form, &[proof]).await).await;
                assert_eq!(answer, (400, "invalid_grant".into()), "/token {what}");
            }
            // Section 11.1: a proof serves once, also at the same moment.
            let once = [client.proof("POST", "/par", None)];
            assert_eq!(with(client, "/par", &form, &once).await.status(), StatusCode::CREATED);
            assert_eq!(refused(with(client, "/par", &form, &once).await).await, bad);
            let once = [client.proof("POST", "/par", None)];
            let push = || with(client, "/par", &form, &once);
            let (a, b) = tokio::join!(push(), push());
            let taken = [a, b].iter().filter(|answer| answer.status() == StatusCode::CREATED).count();
            assert_eq!(taken, 1);
        }
        // Who has to prove possession cannot leave it out; who need not gets a bearer token.
        let without = with(&fapi, "/token", &fapi.redemption(&code), &[]).await;
        assert_eq!(refused(without).await, bad);
        let answer = fapi.redeem(&code).await;
        assert_eq!(answer.status(), StatusCode::OK, "the code is still good");
        let tokens = Tokens(answer.json().await.unwrap());
        assert_eq!(tokens.get("token_type"), "DPoP");
        let key = fapi.dpop.as_ref().unwrap();
        assert_eq!(tokens.claims("access_token")["cnf"], json!({ "jkt": key.jkt() }), "section 6.1");
        let bearer = free.with_key(None).tokens(&world, &mut browser).await;
        assert_eq!(bearer.get("token_type"), "Bearer");
        assert!(bearer.claims("access_token")["cnf"].is_null());
        assert_eq!(free.tokens(&world, &mut browser).await.get("token_type"), "DPoP");
        // Section 5.1: a client sees which algorithms are taken.
        let metadata =
            reqwest::get(format!("{}/.well-known/openid-configuration", world.issuer)).await.unwrap();
        let metadata: Value = metadata.json().await.unwrap();
        assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256", "PS256", "EdDSA"]));
    }
}

/// RFC 9449 section 7.
#[tokio::test]
async fn userinfo_takes_a_bound_token_with_a_proof_of_its_key_only() {
    for backend in Backend::ALL {
        let (world, client, _) = world(backend).await;
        let mut browser = world.browser();
        let tokens = client.tokens(&world, &mut browser).await;
        let token = tokens.get("access_token");
        let authorization = format!("DPoP {token}");
        let now = world.clock.now().seconds();
        let proof = |method: &str| client.proof(method, "/userinfo", Some(token));

        for (method, name) in [(Method::GET, "GET"), (Method::POST, "POST")] {
            for scheme in ["DPoP", "dPOP", "dpop", "DPOP"] {
                let answer =
                    client.userinfo(method.clone(), &format!("{scheme} {token}"), &[proof(name)]).await;
                assert_eq!(answer.status(), StatusCode::OK, "{method} {scheme}");
                assert!(answer.headers().contains_key("date"));
                assert_eq!(answer.headers()["cache-control"], "no-store");
            }
            for (what, proof) in tolerated(&client, (name, "/userinfo"), Some(token), now) {
                let answer = client.userinfo(method.clone(), &authorization, &[proof]).await;
                assert_eq!(answer.status(), StatusCode::OK, "{what}");
            }
            for (what, proofs) in faults(&client, (name, "/userinfo"), Some(token), now) {
                let answer = client.userinfo(method.clone(), &authorization, &proofs).await;
                assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{what}");
                let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
                assert!(
                    challenge.starts_with("DPoP algs=\"ES256 PS256 EdDSA\","),
                    "section 7.1: {challenge}"
                );
                assert!(challenge.contains("error=\"invalid_dpop_proof\""), "{what}: {challenge}");
            }
        }
        // Without a proof, as a bearer token in header and form, with the proof of another key, or for another.
        let other = Key::new(SigningAlgorithm::Es256);
        let foreign = client.proof_of(&other, ("GET", "/userinfo"), Some(token), &json!({}), &json!({}));
        let bearer = format!("Bearer {token}");
        for (authorization, proofs) in [
            (&authorization, vec![]),
            (&authorization, vec![foreign]),
            (&bearer, vec![]),
            (&bearer, vec![proof("GET")]),
        ] {
            let answer = client.userinfo(Method::GET, authorization, &proofs).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{authorization} {proofs:?}");
            assert!(answer.headers().contains_key("www-authenticate"));
        }
        let form = client.portal.http.post(format!("{}/userinfo", world.issuer));
        let form = form.header("dpop", proof("POST")).form(&[("access_token", token)]);
        assert_eq!(form.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let query = format!("{}/userinfo?access_token={token}", world.issuer);
        let query = client.portal.http.get(query).header("dpop", proof("GET"));
        assert_eq!(query.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        // A bearer token needs no proof and comes under its own scheme.
        let web = world.relying_party();
        let plain = web.tokens(&world, &mut browser, &Person::ANNA).await;
        let plain = plain.get("access_token");
        let good = client.proof("GET", "/userinfo", Some(plain));
        let answer = client.userinfo(Method::GET, &format!("DPoP {plain}"), &[good]).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);

        // A proof serves once, here as there (section 11.1), until its time is over.
        let once = [proof("GET")];
        assert_eq!(client.userinfo(Method::GET, &authorization, &once).await.status(), StatusCode::OK);
        for _ in 0..2 {
            let answer = client.userinfo(Method::GET, &authorization, &once).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            world.advance(Duration::from_secs(59));
        }
        world.advance(Duration::from_secs(30));
        let answer = client.userinfo(Method::GET, &authorization, &once).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "by now it is too old");

        // The client finds its request again by its own mark, and so does a refusal.
        for token in [token, "nothing"] {
            let proof = client.proof("GET", "/userinfo", Some(token));
            let request = client.portal.http.get(format!("{}/userinfo", world.issuer));
            let request = request.header("dpop", proof).header("authorization", format!("DPoP {token}"));
            let mark = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a";
            let answer = request.header("x-fapi-interaction-id", mark).send().await.unwrap();
            assert_eq!(answer.headers()["x-fapi-interaction-id"], mark);
            assert!(answer.headers().contains_key("date"));
        }
        let request = client.portal.http.get(format!("{}/userinfo", world.issuer));
        let answer = request.header("x-fapi-interaction-id", "no-token").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["x-fapi-interaction-id"], "no-token");
    }
}

/// RFC 9449 sections 10 and 10.1: the code is bound before it is made.
#[tokio::test]
async fn a_code_is_bound_to_the_key_that_the_request_named() {
    for backend in Backend::ALL {
        let (world, fapi, free) = world(backend).await;
        let mut browser = world.browser();
        fapi.tokens(&world, &mut browser).await;
        let bad = (400, "invalid_dpop_proof".to_owned());
        let no_grant = (400, "invalid_grant".to_owned());
        let other = Key::new(SigningAlgorithm::EdDsa);
        let own = |client: &SigningClient| client.dpop.as_ref().unwrap().jkt();
        for client in [&fapi, &free] {
            let thief = client.with_key(Some(&other));
            // The parameter and the header say the same, or the request is refused.
            assert_eq!(refused(client.push(&[("dpop_jkt", &other.jkt())]).await).await, bad);
            let own = own(client);
            for changes in [vec![], vec![("dpop_jkt", own.as_str())]] {
                let code = client.code(&world, &mut browser, &changes).await;
                assert_eq!(client.redeem(&code).await.status(), StatusCode::OK, "{changes:?}");
                // Pushed with one key, redeemed with another: by whoever found the code. It is dead then.
                let code = client.code(&world, &mut browser, &changes).await;
                assert_eq!(refused(thief.redeem(&code).await).await, no_grant, "{changes:?}");
                assert_eq!(refused(client.redeem(&code).await).await, no_grant, "{changes:?}");
            }
            // The parameter alone, pushed without a proof.
            let bare = client.with_key(None);
            let code = bare.code(&world, &mut browser, &[("dpop_jkt", &own)]).await;
            assert_eq!(client.redeem(&code).await.status(), StatusCode::OK);
            let code = bare.code(&world, &mut browser, &[("dpop_jkt", &own)]).await;
            assert_eq!(refused(thief.redeem(&code).await).await, no_grant);
        }
        // At the authorization endpoint, for a client that need not push.
        let own = own(&free);
        for (key, expected) in [(free.dpop.as_ref(), 200), (Some(&other), 400), (None, 400)] {
            browser.open(&free.portal.authorize_url(&[("dpop_jkt", &own)])).await;
            let code = free.portal.answered(&browser, "code").unwrap();
            let client = free.with_key(key);
            assert_eq!(client.redeem(&code).await.status(), expected);
        }
        browser.open(&free.portal.authorize_url(&[("dpop_jkt", "x".repeat(44).as_str())])).await;
        assert_eq!(free.portal.answered(&browser, "error").as_deref(), Some("invalid_request"));
    }
}

/// A public client with this name.
fn public(client_id: &str, dpop_bound_access_tokens: bool) -> Client {
    Client {
        client_id: client_id.into(),
        token_endpoint_auth_method: idp::config::TokenEndpointAuthMethod::None,
        dpop_bound_access_tokens,
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        ..Client::default()
    }
}

/// RFC 9449 section 5: a confidential client is known by its own authentication, so it may change its key; the new
/// token is bound to the new one.
#[tokio::test]
async fn a_confidential_client_refreshes_with_another_key_and_never_with_none() {
    for backend in Backend::ALL {
        let (world, fapi, free) = world(backend).await;
        let mut browser = world.browser();
        let other = Key::new(SigningAlgorithm::EdDsa);
        for client in [&fapi, &free] {
            let tokens = client.tokens(&world, &mut browser).await;
            let changed = client.with_key(Some(&other));
            let answer = changed.refresh(tokens.get("refresh_token")).await;
            assert_eq!(answer.status(), StatusCode::OK);
            let renewed = Tokens(answer.json().await.unwrap());
            assert_eq!(renewed.get("token_type"), "DPoP");
            assert_eq!(renewed.claims("access_token")["cnf"], json!({ "jkt": other.jkt() }));
            // Each access token goes with the key that it was made for.
            for (client, tokens, status) in [
                (client, &tokens, StatusCode::OK),
                (&changed, &renewed, StatusCode::OK),
                (client, &renewed, StatusCode::UNAUTHORIZED),
                (&changed, &tokens, StatusCode::UNAUTHORIZED),
            ] {
                let token = tokens.get("access_token");
                let proof = client.proof("GET", "/userinfo", Some(token));
                let answer = client.userinfo(Method::GET, &format!("DPoP {token}"), &[proof]).await;
                assert_eq!(answer.status(), status);
            }
            // And back, or on to a third one.
            let token = if renewed.0["refresh_token"].is_null() { &tokens } else { &renewed };
            let answer = client.refresh(token.get("refresh_token")).await;
            let back = Tokens(answer.json().await.unwrap());
            let own = client.dpop.as_ref().unwrap().jkt();
            assert_eq!(back.claims("access_token")["cnf"], json!({ "jkt": own }));
            // A grant that began with a key never gives a token that whoever finds it can use.
            let token = if back.0["refresh_token"].is_null() { token } else { &back };
            let (status, error) =
                refused(client.with_key(None).refresh(token.get("refresh_token")).await).await;
            assert_eq!(status, 400);
            assert!(["invalid_grant", "invalid_dpop_proof"].contains(&error.as_str()), "{error}");
            assert_eq!(client.refresh(token.get("refresh_token")).await.status(), StatusCode::OK);
        }
        // Who began without a key may begin to use one.
        let bearer = free.with_key(None).tokens(&world, &mut browser).await;
        let bound = Tokens(free.refresh(bearer.get("refresh_token")).await.json().await.unwrap());
        assert_eq!(bound.get("token_type"), "DPoP");
        assert_eq!(bound.claims("access_token")["cnf"]["jkt"], json!(free.dpop.as_ref().unwrap().jkt()));
    }
}

/// RFC 9449 section 5: a public client has nothing but its key, so whoever copied its refresh token has nothing.
#[tokio::test]
async fn a_public_client_refreshes_with_its_key_only() {
    for backend in Backend::ALL {
        let (key, dpop, other) = (
            Key::new(SigningAlgorithm::Es256),
            Key::new(SigningAlgorithm::Ps256),
            Key::new(SigningAlgorithm::Ps256),
        );
        let clients = vec![public("native", true), public("browser", false)];
        let world = World::with_clients(backend, clients).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        let refresh = async |client: &SigningClient, tokens: &Tokens, key: Option<&Key>| {
            let form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", tokens.get("refresh_token")),
                ("client_id", client.portal.client_id.as_str()),
            ];
            let at = ("POST", "/token");
            let proof = key.map(|key| client.proof_of(key, at, None, &json!({}), &json!({})));
            client.send("/token", &form, proof.as_slice()).await
        };
        let sign_in = async |client: &SigningClient, browser: &mut tests::Browser, with: Option<&Key>| {
            browser.open(&client.portal.authorize_url(&[])).await;
            if browser.has("login-page") {
                browser.sign_in(&world, &Person::ANNA).await;
            }
            let code = client.portal.answered(browser, "code").unwrap();
            let mut form = client.redemption(&code).to_vec();
            form.push(("client_id", &client.portal.client_id));
            let at = ("POST", "/token");
            let proof = with.map(|key| client.proof_of(key, at, None, &json!({}), &json!({})));
            let answer = client.send("/token", &form, proof.as_slice()).await;
            Tokens(answer.json().await.unwrap())
        };
        for name in ["native", "browser"] {
            let client = SigningClient::new(&world, name, &key, Some(&dpop));
            let tokens = sign_in(&client, &mut browser, Some(&dpop)).await;
            let stolen = refresh(&client, &tokens, Some(&other)).await;
            assert_eq!(refused(stolen).await, (400, "invalid_grant".into()));
            let (status, _) = refused(refresh(&client, &tokens, None).await).await;
            assert_eq!(status, 400);
            let answer = refresh(&client, &tokens, Some(&dpop)).await;
            assert_eq!(answer.status(), StatusCode::OK);
        }
        // One that began without a key and shows one is bound to that one from then on.
        let client = SigningClient::new(&world, "browser", &key, Some(&dpop));
        let tokens = sign_in(&client, &mut browser, None).await;
        assert_eq!(tokens.get("token_type"), "Bearer");
        let bound = Tokens(refresh(&client, &tokens, Some(&dpop)).await.json().await.unwrap());
        assert_eq!(bound.claims("access_token")["cnf"], json!({ "jkt": dpop.jkt() }));
        for thief in [Some(&other), None] {
            let stolen = refresh(&client, &bound, thief).await;
            assert_eq!(refused(stolen).await, (400, "invalid_grant".into()));
        }
        assert_eq!(refresh(&client, &bound, Some(&dpop)).await.status(), StatusCode::OK);
    }
}

//! OAuth from the side of somebody who means harm: redirect URIs, PKCE, codes and tokens used wrongly.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::seal::sha256;
use reqwest::header::LOCATION;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Person, RelyingParty, Tokens, World};
use url::Url;

use crate::receiver::Receiver;

/// The `error` of a refused token request.
async fn refusal(answer: Response) -> String {
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    answer.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned()
}

async fn refresh(portal: &RelyingParty, token: &str) -> Response {
    portal.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

#[tokio::test]
async fn t36_a_redirect_uri_that_differs_in_anything_gets_an_error_page_and_no_redirect() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        // Somebody who is signed in has the most to lose.
        portal.code(&world, &mut browser, &Person::ANNA).await;
        for uri in [
            "http://127.0.0.1:9999/cb/",
            "http://127.0.0.1:9999/cb?",
            "http://127.0.0.1:9999/cb?a=2",
            "http://127.0.0.1:9999/cb?a=1&b=2",
            "http://127.0.0.1:9999/cb?b=2&a=1",
            "http://127.0.0.1:9999/CB",
            "HTTP://127.0.0.1:9999/cb",
            "http://user@127.0.0.1:9999/cb",
            "http://127.0.0.1:9999@evil.example/cb",
            "http://127.0.0.1:9998/cb",
            "http://127.0.0.1/cb",
            "https://127.0.0.1:9999/cb",
            "http://localhost:9999/cb",
            "http://127.0.0.1.evil.example:9999/cb",
            "http://127.0.0.1:9999/cb#fragment",
            "http://127.0.0.1:9999/x/../cb",
            "http://127.0.0.1:9999/%63b",
            "http://127.0.0.1:9999\\cb",
            " http://127.0.0.1:9999/cb",
            "//127.0.0.1:9999/cb",
            "/cb",
            "javascript:alert(1)",
            "",
        ] {
            let url = Url::parse(&portal.authorize_url(&[("redirect_uri", uri)])).unwrap();
            let form: Vec<_> = url.query_pairs().into_owned().collect();
            let mut at = url.clone();
            at.set_query(None);
            for silent in [false, true] {
                let mut form = form.clone();
                if silent {
                    form.push(("prompt".into(), "none".into()));
                }
                browser.request(Method::POST, &at, Some(&form)).await;
                refused(&browser, uri);
            }
            browser.request(Method::GET, &url, None).await;
            refused(&browser, uri);
        }
        // A client that nobody knows, with a URI that somebody has.
        let url = Url::parse(&portal.authorize_url(&[("client_id", "nobody")])).unwrap();
        browser.request(Method::GET, &url, None).await;
        refused(&browser, "unknown client");
        // Each registered one works, its own query kept.
        browser.open(&portal.authorize_url(&[("redirect_uri", "http://127.0.0.1:9999/cb?a=1")])).await;
        assert!(browser.page.url.as_str().starts_with("http://127.0.0.1:9999/cb?a=1&code="));
    }
}

fn refused(browser: &tests::Browser, what: &str) {
    assert_eq!(browser.page.status, StatusCode::BAD_REQUEST, "{what}");
    assert!(browser.has("op-error"), "{what}: {}", browser.text());
    assert!(!browser.page.headers.contains_key(LOCATION), "{what}");
    assert!(
        !browser.page.body.contains("\"http://127.0.0.1:9999")
            && !browser.page.body.contains("\"javascript:"),
        "{what}"
    );
}

#[tokio::test]
async fn t37_a_code_without_its_verifier_is_worth_nothing() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        portal.code(&world, &mut browser, &Person::ANNA).await;

        // A request without a challenge, or with one that protects nothing, gets no code.
        let verifier = portal.verifier.clone();
        let challenge = sha256(&verifier);
        for changes in [
            vec![("code_challenge", ""), ("code_challenge_method", "")],
            vec![("code_challenge", "")],
            vec![("code_challenge_method", "")],
            vec![("code_challenge_method", "plain")],
            vec![("code_challenge", verifier.as_str()), ("code_challenge_method", "plain")],
            vec![("code_challenge", "short")],
        ] {
            browser.open(&portal.authorize_url(&changes)).await;
            assert_eq!(portal.answered(&browser, "error").as_deref(), Some("invalid_request"), "{changes:?}");
            assert_eq!(portal.answered(&browser, "state").as_deref(), Some("the-state"));
            assert_eq!(portal.answered(&browser, "code"), None);
        }

        // A code is dead after one wrong verifier, whoever comes next.
        let wrong = "w".repeat(43);
        for verifier in [None, Some(wrong.as_str()), Some(challenge.as_str()), Some("short")] {
            let code = portal.code(&world, &mut browser, &Person::ANNA).await;
            let uri = portal.redirect_uri.clone();
            let mut form =
                vec![("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", &uri)];
            form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
            assert_eq!(refusal(portal.token(&form).await).await, "invalid_grant", "{verifier:?}");
            assert_eq!(refusal(portal.redeem(&code).await).await, "invalid_grant", "used up by {verifier:?}");
        }

        // The same for another redirect URI than the one that was asked for.
        let code = portal.code(&world, &mut browser, &Person::ANNA).await;
        let elsewhere =
            RelyingParty { redirect_uri: "http://127.0.0.1:9999/cb?a=1".into(), ..portal.clone() };
        assert_eq!(refusal(elsewhere.redeem(&code).await).await, "invalid_grant");

        // A client without PKCE: a verifier where no challenge was is somebody else's.
        let plain = RelyingParty::new(&world.issuer, "no-pkce", Some("web-secret"));
        let bare = [("code_challenge", ""), ("code_challenge_method", "")];
        browser.open(&plain.authorize_url(&bare)).await;
        let code = plain.answered(&browser, "code").unwrap();
        assert_eq!(refusal(plain.redeem(&code).await).await, "invalid_grant");
        browser.open(&plain.authorize_url(&bare)).await;
        let code = plain.answered(&browser, "code").unwrap();
        let form =
            [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &plain.redirect_uri)];
        assert_eq!(plain.token(&form).await.status(), StatusCode::OK);
        // A challenge that it did send counts for it as well.
        browser.open(&plain.authorize_url(&[])).await;
        let code = plain.answered(&browser, "code").unwrap();
        let form =
            [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", &plain.redirect_uri)];
        assert_eq!(refusal(plain.token(&form).await).await, "invalid_grant");

        // Another client's code, and one that is too old.
        let code = portal.code(&world, &mut browser, &Person::ANNA).await;
        let thief = RelyingParty { verifier: portal.verifier.clone(), ..plain.clone() };
        assert_eq!(refusal(thief.redeem(&code).await).await, "invalid_grant");
        world.advance(Duration::from_mins(1));
        assert_eq!(refusal(portal.redeem(&code).await).await, "invalid_grant");
    }
}

#[tokio::test]
async fn t38_of_a_code_used_twice_at_once_one_wins_and_its_tokens_are_revoked() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        for round in 0..50 {
            let code = portal.code(&world, &mut browser, &Person::ANNA).await;
            let (one, other) = tokio::join!(portal.redeem(&code), portal.redeem(&code));
            let (won, lost) = if one.status() == StatusCode::OK { (one, other) } else { (other, one) };
            assert_eq!(won.status(), StatusCode::OK, "round {round}: nobody won");
            assert_eq!(refusal(lost).await, "invalid_grant", "round {round}");
            let tokens = Tokens(won.json().await.unwrap());
            let answer = portal.userinfo(tokens.get("access_token")).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "round {round}");
            assert_eq!(refusal(refresh(&portal, tokens.get("refresh_token")).await).await, "invalid_grant");
        }
        // One after the other, a minute later: the same.
        let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        assert_eq!(portal.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);
        let code = portal.code(&world, &mut browser, &Person::ANNA).await;
        let replayed = Tokens(portal.redeem(&code).await.json().await.unwrap());
        world.advance(Duration::from_mins(1));
        assert_eq!(refusal(portal.redeem(&code).await).await, "invalid_grant");
        let dead = portal.userinfo(replayed.get("access_token")).await;
        assert_eq!(dead.status(), StatusCode::UNAUTHORIZED);
        // The session and what else it granted live on.
        assert_eq!(portal.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn t39_a_refresh_token_works_once_and_an_old_one_ends_the_family() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        let first = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        world.advance(Duration::from_mins(10));
        assert_eq!(
            portal.userinfo(first.get("access_token")).await.status(),
            StatusCode::UNAUTHORIZED,
            "five minutes"
        );
        let second = Tokens(refresh(&portal, first.get("refresh_token")).await.json().await.unwrap());
        assert_ne!(second.get("refresh_token"), first.get("refresh_token"));
        assert_eq!(portal.userinfo(second.get("access_token")).await.status(), StatusCode::OK);
        let (old, new) = (first.claims("id_token"), second.claims("id_token"));
        for claim in ["sub", "sid", "auth_time", "acr", "amr", "aud", "iss"] {
            assert_eq!(old[claim], new[claim], "{claim} is that of the sign-in");
        }
        // Less than was granted may be asked for, more may not.
        let narrow = [
            ("grant_type", "refresh_token"),
            ("refresh_token", second.get("refresh_token")),
            ("scope", "openid offline_access"),
        ];
        let third = Tokens(portal.token(&narrow).await.json().await.unwrap());
        assert_eq!(third.get("scope"), "openid offline_access");
        let person: Value = portal.userinfo(third.get("access_token")).await.json().await.unwrap();
        assert_eq!(person, json!({ "sub": old["sub"] }));

        // Another client cannot use it, and does no harm by trying.
        let thief = RelyingParty::new(&world.issuer, "web-es256", Some("web-secret"));
        assert_eq!(refusal(refresh(&thief, third.get("refresh_token")).await).await, "invalid_grant");
        assert_eq!(portal.userinfo(third.get("access_token")).await.status(), StatusCode::OK);

        // Whoever comes with the first one, later than two tabs would, stole it or was stolen from: all start again.
        world.advance(Duration::from_secs(10));
        assert_eq!(refusal(refresh(&portal, first.get("refresh_token")).await).await, "invalid_grant");
        assert_eq!(refusal(refresh(&portal, third.get("refresh_token")).await).await, "invalid_grant");
        let dead = portal.userinfo(third.get("access_token")).await;
        assert_eq!(dead.status(), StatusCode::UNAUTHORIZED);

        // And a month is the end of it.
        let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        world.advance(Duration::from_hours(31 * 24));
        assert_eq!(refusal(refresh(&portal, tokens.get("refresh_token")).await).await, "invalid_grant");
    }
}

#[tokio::test]
async fn t40_a_token_that_says_how_it_wants_to_be_verified_is_refused() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        let access_token = tokens.get("access_token");
        let mut parts = access_token.split('.');
        let header: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap()).unwrap();
        let (payload, signature) = (parts.next().unwrap(), parts.next().unwrap());
        assert_eq!(header["typ"], "at+jwt");
        let with = |name: &str, value: Value| {
            let mut header = header.clone();
            header[name] = value;
            format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()))
        };
        let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "at+jwt" }).to_string());
        let forged = [
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            with("alg", json!("none")),
            with("alg", json!("HS256")),
            with("alg", json!("RS256")),
            with("kid", json!("another")),
            with("kid", json!(null)),
            with("jku", json!("http://127.0.0.1:9999/jwks")),
            with("x5u", json!("http://127.0.0.1:9999/cert")),
            with("crit", json!(["x"])),
            format!("{access_token}x"),
            access_token.replace('.', ""),
            String::new(),
        ];
        for token in forged {
            let answer = portal.userinfo(&token).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{token}");
            assert!(answer.headers().contains_key("www-authenticate"));
        }
        assert_eq!(portal.userinfo(access_token).await.status(), StatusCode::OK);
        // In the query, where logs and referrers would find it, no token counts.
        let url = format!("{}/userinfo?access_token={access_token}", world.issuer);
        assert_eq!(portal.http.get(url).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let url = format!("{}/userinfo", world.issuer);
        let form = [("access_token", access_token)];
        assert_eq!(portal.http.post(&url).form(&form).send().await.unwrap().status(), StatusCode::OK);
        let twice = portal.http.post(&url).bearer_auth(access_token).form(&form);
        assert_eq!(twice.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn t41_a_token_of_one_kind_is_refused_in_the_place_of_another() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let uri = receiver.uri.clone();
        let world = World::with(backend, |config| {
            let clients = config.portals.iter_mut().flat_map(|portal| &mut portal.clients);
            clients.filter(|client| client.client_id == "web").for_each(|client| {
                client.backchannel_logout_uri = Some(uri.clone());
            });
        })
        .await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();

        // A logout token, from a first session that ended.
        let mut browser = world.browser();
        let ended = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        let hint = ended.get("id_token");
        browser.open(&format!("{}/logout?id_token_hint={hint}", world.issuer)).await;
        world.deliver().await;
        let logout_token = receiver.told().pop().unwrap();

        world.advance(Duration::from_mins(2));
        let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        let (id_token, access_token) = (tokens.get("id_token"), tokens.get("access_token"));
        let refresh_token = tokens.get("refresh_token");
        let code = portal.code(&world, &mut browser, &Person::ANNA).await;

        // In the place of an access token:
        for token in [id_token, logout_token.as_str(), refresh_token, code.as_str()] {
            assert_eq!(portal.userinfo(token).await.status(), StatusCode::UNAUTHORIZED, "{token}");
        }
        // As id_token_hint of an authorization request:
        for token in [access_token, logout_token.as_str(), refresh_token, code.as_str()] {
            browser.open(&portal.authorize_url(&[("id_token_hint", token)])).await;
            assert_eq!(portal.answered(&browser, "error").as_deref(), Some("invalid_request"), "{token}");
            // As one of a logout: as good as none, so the person is asked.
            let url = format!(
                "{}/logout?id_token_hint={token}&post_logout_redirect_uri=http://127.0.0.1:9999/bye",
                world.issuer
            );
            browser.open(&url).await;
            assert!(browser.has("logout-confirm"), "{token}: {}", browser.text());
        }
        browser.open(&portal.authorize_url(&[("id_token_hint", id_token), ("prompt", "none")])).await;
        assert!(portal.answered(&browser, "code").is_some(), "the right one is right");
        // A refresh token as a code, a code as a refresh token:
        assert_eq!(refusal(portal.redeem(refresh_token).await).await, "invalid_grant");
        assert_eq!(refusal(refresh(&portal, &code).await).await, "invalid_grant");
        // None of that did any harm.
        assert_eq!(portal.userinfo(access_token).await.status(), StatusCode::OK);
        assert_eq!(portal.redeem(&code).await.status(), StatusCode::OK);
        assert_eq!(refresh(&portal, refresh_token).await.status(), StatusCode::OK);

        // Nor does the real portal take another kind for a logout token.
        for token in [id_token, access_token, logout_token.as_str()] {
            let url = format!("{}/backchannel-logout", world.portal_origin);
            let answer = portal.http.post(url).form(&[("logout_token", token)]).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{token}");
        }
    }
}
